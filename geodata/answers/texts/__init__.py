"""What a completion is made of: blocks of thinking and code, values, spellings, names of places."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
