"""Popular regions: which points lie within a radius of any popular point, exactly.

Geo-R builds its hard set by dropping every photo within 200 km of a place that a base model
already localizes. Three ways agree to the row: `within_km` on arrays, the H3 cells of `cells`
with the SQL macro ``far_from_popular``, and `PopularRegions`, which grows while training runs.
"Within" is the canonical predicate ``haversine_a <= threshold_a`` of `geodata.sphere`: a point
exactly at the radius is within.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
