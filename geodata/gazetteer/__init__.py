"""Names to regions and coordinates: the offline geocoder.

Models and people write the same region in many ways: USA, United States, Estados Unidos. Here a
name becomes the code that labels have (`resolve`), and a place name becomes a point (`geocode`).
Names match exactly once case, accents and forms are set aside, never by likeness, so Niger is not
Nigeria, and a name that is not known is None. What a name means: `geodata.gazetteer.names`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
