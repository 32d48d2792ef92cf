"""Photos with their truth become what trainers and predictions read, a row at a time.

A table of photos is asked the configured question, records bring their own chats, and the world
needs no download. What cannot be used is refused, counted and named, before a model is loaded.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
