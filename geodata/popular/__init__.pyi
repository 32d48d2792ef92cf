from .centres import check_radius as check_radius
from .exclusion import Circles as Circles, exclude as exclude, within_km as within_km
from .growing import PopularRegions as PopularRegions
from .hexagons import cell_points as cell_points, cells as cells
