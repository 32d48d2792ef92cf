"""What a report says, in order and in words, before anybody writes it in a format."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
