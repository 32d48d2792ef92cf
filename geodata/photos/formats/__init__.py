"""Where photo metadata stands: tags of pictures, Takeout, lists that are no tables, YFCC."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
