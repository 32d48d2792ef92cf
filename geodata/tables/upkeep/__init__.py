"""Keep a table whole: verify, repair, compact, restore an older version, forget photos."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
