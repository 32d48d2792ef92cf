"""Places so far north of others, and what a score of columns says, for the tests of checks."""

import numpy as np
from pyproj import Geod

from geodata import evaluation

SPHERE = Geod(a=6371000.0, b=6371000.0)


def north(lat, lon, km):
    """Return places so far north of others."""
    x, y, _ = SPHERE.fwd(lon, lat, np.zeros(len(lat)), np.full(len(lat), km * 1000.0))
    return np.array(y), np.array(x)


def scored(lat, lon, truth, **options):
    found = evaluation.evaluate(
        {"id": truth["id"], "lat": lat, "lon": lon}, truth, regions=False, **options
    ).findings
    return [str(one) for one in found]
