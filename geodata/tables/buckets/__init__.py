"""Tables and lakes at `s3://` and `gs://`: opened in place, written, and seen from here."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
