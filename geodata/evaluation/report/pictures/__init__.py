"""The pictures of a report as SVG: error curves and maps, with their captions."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
