"""What a command reads and prints: one way to tell, progress, streams, answers, completion."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
