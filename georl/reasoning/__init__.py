"""GLOBE's reasoning data: models tell why a photo is where it is, and five steps keep what holds.

Every photo stays a row to the end; the step that dropped it, and why, stand in it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
