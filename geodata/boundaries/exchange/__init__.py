"""Sets between people: what one holds, how two differ, a copy to give away, a copy to get.

`describe`, `diff`, `export` and `fetch` work on finished sets. A copy is given away only where
the licence lets it; what is fetched is used only if it is, byte for byte, what its line in the
registry says.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
