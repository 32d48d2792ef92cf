from .curves import write_curves as write_curves
from .figures import (
    bar as bar,
    country_map as country_map,
    error_curve as error_curve,
    error_map as error_map,
)
