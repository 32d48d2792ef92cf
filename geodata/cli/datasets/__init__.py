"""The ``geodata dataset`` commands: one for each recipe, and how they tell what was built."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
