"""Chain of Region: coordinates to country, region and city, offline and exact.

Labels come from reverse-decoding a coordinate against administrative boundaries and canonical
names, as Geo-R (arXiv 2601.00388, section 3.1) builds its supervision: `label` for a point,
`label_table` for tables and arrays, `label_file` for files, with the same options.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
