"""Populated places: which city a point belongs to.

A photo in the middle of a metropolis belongs to the metropolis, not to the quarter or hamlet
whose centre happens to be nearest; a photo in a village belongs to the village. `Places` opens
the file of places and answers; `geodata.places.rule` says how it is decided, and how well.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
