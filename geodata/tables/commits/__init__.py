"""Make a version of a table: one commit behind the newest, tried again while others are first.

Appends that keep the columns go without the Delta library; everything else through it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
