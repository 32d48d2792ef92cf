from .grid import BASE_COLS as BASE_COLS, BASE_ROWS as BASE_ROWS, MAX_SHIFT as MAX_SHIFT
from .places import (
    DENSITY as DENSITY,
    MAX_KM as MAX_KM,
    MIN_POPULATION as MIN_POPULATION,
    Floats as Floats,
    PlaceMatch as PlaceMatch,
    Places as Places,
    radius_km as radius_km,
)
