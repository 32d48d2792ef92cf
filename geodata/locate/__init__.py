"""Exact point-in-polygon for every layer in one pass: which region owns each point.

`build` compiles polygons into an `Index` once; the index is a file that is mapped, not read, and
answers in a time that does not depend on the number of vertices. A point on a border that two
regions share lies in exactly one of them. The rule and the layout: `geodata.locate.index`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
