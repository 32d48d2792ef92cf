"""Rows in and out of files and Arrow: one reader, one column finder, one writer.

`open_source` reads CSV, TSV, Parquet, JSON lines and arrays, plain or packed, single or as a
folder of shards, and whatever speaks Arrow; ids stay as they are written and a damaged row is
kept at its place or refused. `coordinate_columns` and the vocabularies beside it say which column
holds what. `writing` and `replacing` write what is then whole or not there.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
