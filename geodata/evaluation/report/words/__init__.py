"""How a report speaks: numbers, names, sentences and verdicts, and the parts it is made of."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
