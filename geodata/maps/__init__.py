"""Maps of the world: land outlines, the Equal Earth projection, and a raster of dots.

The polygons of a boundary set reach out to sea, which is right for owning a photo taken on a pier
and wrong for a picture. So maps draw outlines of their own, the land alone, simplified.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
