"""What the log of a table says: which files a version holds, its tags, seals and checkpoints.

Nothing here writes rows or makes a version; whoever reads a table starts here.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
