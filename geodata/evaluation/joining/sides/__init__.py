"""The two sides of a score: a prediction file and a truth file, opened, their cells checked."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
