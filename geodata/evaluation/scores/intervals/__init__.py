"""How sure a share, a mean or a median is, row by row and in clusters, and a difference of two."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
