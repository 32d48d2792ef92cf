"""Make what is shipped: the bundled boundary set, its places and their names.

`build_bundled` reads the sources, applies the tables of facts, names and codes the divisions by
ISO 3166; the same sources give the same bytes. What anybody's boundaries need too is in
`geodata.boundaries.building`. Nothing but ``geodata boundaries build bundled`` imports this.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
