"""The ``geodata`` command: one file a verb, each a thin layer over a Python function.

A file declares options with their help, calls the function, and prints what it returned. What
several files need stands in the rooms ``options`` and ``terminal``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
