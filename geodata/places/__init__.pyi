from .divisions import ANY as ANY, Divisions as Divisions, covers as covers
from .grid import (
    BASE_COLS as BASE_COLS,
    BASE_ROWS as BASE_ROWS,
    MAX_SHIFT as MAX_SHIFT,
)
from .places import PlaceMatch as PlaceMatch, Places as Places
from .rule import (
    DENSITY as DENSITY,
    MAX_KM as MAX_KM,
    MIN_POPULATION as MIN_POPULATION,
    radius_km as radius_km,
)
