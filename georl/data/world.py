"""A real geolocation task without downloads: crops of NASA's Blue Marble, labelled by geodata.

A photo is a 56x56 crop of the cloud-free Earth around a point on land; the answer is its
Chain of Region. The labels are as exact as any (`geodata.cor`), only the camera is far away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image

from geodata import cor
from georl.models import PIXELS

DEGREES_TALL = 20.0
"""Height of a crop: about 2200 km, enough to see a coast or a mountain range."""

LABELS = ("country", "country_code", "admin1", "admin2", "city", "match")


@dataclass(frozen=True)
class Box:
    """A window on the globe, degrees; photos are taken inside it."""

    south: float
    west: float
    north: float
    east: float


EUROPE_AFRICA = Box(-36.0, -20.0, 72.0, 52.0)
"""The demo's task: small enough for a million parameters to learn in minutes."""


class Earth:
    """The picture of the Earth, from which photos are cropped.

    Examples
    --------
    >>> Earth().crop(48.86, 2.35).size
    (56, 56)
    """

    def __init__(self) -> None:
        source = resources.files("georl") / "assets" / "bluemarble.jpg"
        with source.open("rb") as file:
            globe = np.asarray(Image.open(file).convert("RGB"))
        height, width = globe.shape[:2]
        self._margin = width // 4  # a crop across the antimeridian reads on beyond the edge
        left, right = globe[:, -self._margin :], globe[:, : self._margin]
        self._image = Image.fromarray(np.concatenate([left, globe, right], axis=1))
        self._per_degree = width / 360.0
        self._height = height

    def crop(self, lat: float, lon: float, pixels: int = PIXELS) -> Image.Image:
        """Return the square picture around a point.

        Parameters
        ----------
        lat, lon
            Degrees; the picture is ``DEGREES_TALL`` high and as wide on the ground.
        pixels
            Side of the picture.
        """
        tall = DEGREES_TALL
        wide = tall / max(math.cos(math.radians(lat)), 0.3)  # at most 67 degrees
        x = (lon + 180.0) * self._per_degree + self._margin
        y = (90.0 - lat) * self._per_degree
        half_x, half_y = wide / 2 * self._per_degree, tall / 2 * self._per_degree
        top, bottom = max(y - half_y, 0.0), min(y + half_y, float(self._height))
        box = (x - half_x, top, x + half_x, bottom)
        return self._image.resize((pixels, pixels), Image.Resampling.BOX, box=box)


def world_photos(rows: int, seed: int, *, box: Box = EUROPE_AFRICA) -> pa.Table:
    """Return random photos on land: id, lat, lon and the labels of `geodata.cor`.

    Points are uniform on the sphere inside the box; those that no country contains are
    drawn again.

    Parameters
    ----------
    rows
        Number of photos.
    seed
        Decides the points; other seeds give disjoint ids.
    box
        Where photos are taken.

    Returns
    -------
    pyarrow.Table of ``rows`` rows
        Columns id, lat, lon (float64, degrees, rounded to 1e-6), country, country_code,
        admin1, admin2, city.

    Examples
    --------
    >>> world_photos(2, seed=0).select(["id", "country"]).to_pylist()
    [{'id': 'world-0-0', 'country': 'Algeria'}, {'id': 'world-0-1', 'country': 'South Africa'}]
    """
    rng = np.random.default_rng(seed)
    found: list[pa.Table] = []
    while sum(table.num_rows for table in found) < rows:
        lat, lon = _points(2 * rows + 64, box, rng)
        found.append(_on_land(lat, lon))
    table = pa.concat_tables(found).slice(0, rows)
    ids = pa.array([f"world-{seed}-{i}" for i in range(rows)])
    return table.add_column(0, "id", ids)


def _points(
    n: int, box: Box, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = rng.uniform(math.sin(math.radians(box.south)), math.sin(math.radians(box.north)), n)
    lon = rng.uniform(box.west, box.east, n)
    return np.degrees(np.arcsin(z)).round(6), lon.round(6)


def _on_land(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> pa.Table:
    labels = cor.label_table(lat, lon)
    columns = {name: labels[name] for name in LABELS}
    table = pa.table({"lat": lat, "lon": lon, **columns})
    return table.filter(pc.equal(table["match"], "inside")).drop_columns(["match"])
