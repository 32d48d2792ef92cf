"""Rows of a file in batches: text, JSON lines, Parquet and what is read whole, bounded in bytes."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
