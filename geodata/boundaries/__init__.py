"""Admin boundaries: countries and their first-level divisions, bundled or your own.

``load()`` opens the bundled set: countries from country-coder, admin1 from Natural Earth.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
