"""Anybody's boundaries become a set: read, checked, repaired, named, compiled, whole or not there.

`build` is the door. A provider says which columns mean what (`providers`), its files are read in
degrees (`reading`) and become regions (`sources`), regions become the tables of the set
(`region_rows`, `regions`), and the tables one index (`compiling`). What only the bundled set needs
is in `geodata.boundary_build`. This alone needs geopandas.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
