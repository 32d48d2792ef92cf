"""Whether the region is right: by label, by the name that an answer gives, by its letters."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
