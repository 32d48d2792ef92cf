"""Make a boundary set from source files: building the shipped data is not running.

`build_set` reads the files of a provider, repairs their shapes, names and codes the regions by
ISO 3166, and compiles the index; the same sources give the same bytes. Nothing but the command
``geodata boundaries build`` imports this package, which alone needs geopandas.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
