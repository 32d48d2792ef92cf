"""Land outlines of countries, simplified for maps; `geodata.boundary_build.outlines` makes them."""

from __future__ import annotations

import functools
from importlib import resources

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray


@functools.cache
def outlines() -> dict[str, list[NDArray[np.int16]]]:
    """Return the land of each country code: rings of shape (k, 2), lon and lat in 0.01 degrees.

    Examples
    --------
    >>> len(outlines()) > 200, outlines()["FR"][0].shape[1]
    (True, 2)
    """
    with resources.files("geodata.maps").joinpath("world.parquet").open("rb") as file:
        table = pq.read_table(file)
    found: dict[str, list[NDArray[np.int16]]] = {}
    for code, lon, lat in zip(*(table[n].to_pylist() for n in table.column_names), strict=True):
        steps = np.array([lon, lat], np.int64).T
        found.setdefault(code, []).append(np.cumsum(steps, axis=0).astype(np.int16))
    return found
