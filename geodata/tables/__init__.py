"""Versioned tables on Delta Lake: append, open at a version, compare, tag, verify.

A table is a folder. Every `append` or `write` makes a new version and never changes an old one;
readers see one version or the next, never a mixture, and writers retry when another was first.
The note given with a version (inputs with versions and hashes, parameters, seed) is kept in its
commit. `verify`, `card` and `export` check a table, describe it and hand it on.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
