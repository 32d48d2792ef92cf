"""What a run will be, before it is started: memory, disk, time, and the files that start it.

Nothing here needs torch or a network: sizes are counted from a model's configuration.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
