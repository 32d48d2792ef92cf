"""What makes a score doubtful: checks of a prediction file against truth, text and other files.

Each returns findings, with rows and a remedy; `lint` runs them all.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
