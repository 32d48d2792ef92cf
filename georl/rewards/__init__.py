"""Rewards say how good an answer is as a place on Earth.

Each is a plain function with TRL's signature, completions and columns in, one number in [0, 1]
an answer out, for any text. `geo_r` is Geo-R's; a configuration names any of them, and a function
of one's own that is set on this package.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
