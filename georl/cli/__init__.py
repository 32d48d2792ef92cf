"""The ``georl`` command: one file a verb, each a thin layer over a Python function."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
