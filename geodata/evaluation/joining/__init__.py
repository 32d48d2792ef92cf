"""Two files become one row a truth row: read predictions and truth, check them, match their ids.

Whatever the files hold, little stays in memory: the joined rows are streamed, see `Joined`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
