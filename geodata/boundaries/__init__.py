"""Admin boundaries: countries and their first-level divisions, bundled or your own.

`load` opens a set by name or folder; a `BoundarySet` says who owns each point, and the nearest
region where nobody does. The bundled set takes countries from country-coder and admin1 from
Natural Earth; every decision that no source takes for us is a row of a table, with its reason.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
