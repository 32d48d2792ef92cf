"""The Parquet files that hold a table's rows: their columns, and how they are written and read.

A file is written whole, with its SHA-256, its content and its statistics, before it is named.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
