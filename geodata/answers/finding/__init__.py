"""Where an answer's coordinates stand in a text, and which of them are the answer."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
