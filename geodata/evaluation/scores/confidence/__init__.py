"""What confidence is worth: risk and coverage, radii that hold, how far down to answer."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
