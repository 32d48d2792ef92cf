"""Hand a version on: a card with a map, Croissant, and a folder that everyone's tools open."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
