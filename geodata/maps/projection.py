"""Land outlines of countries on the Equal Earth projection, for the maps of a report.

The polygons of a boundary set reach out to sea, which is right for owning a photo taken on a
pier and wrong for a picture. ``world.parquet`` holds what is land of each country: the bundled
polygons cut with Natural Earth's land and simplified. `build` makes it again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geodata import sphere
from geodata.maps.outlines import outlines

__all__ = ["build", "great_circle", "outlines", "project"]

UNITS_PER_DEGREE = 100
LAND_TOLERANCE, OUTLINE_TOLERANCE = 0.06, 0.14
SMALLEST = 0.02
"""Islands below this many square degrees are left out, unless a country would vanish."""

SOUTH, NORTH = -60.0, 84.5
"""Latitudes that a map shows when nothing lies beyond them."""

STEP_KM = 250.0
_A = (1.340264, -0.081106, 0.000893, 0.003796)

Floats = NDArray[np.float64]


def project(lat: Any, lon: Any) -> tuple[Floats, Floats]:
    """Return Equal Earth x and y of points in degrees, on the unit sphere, y up.

    References
    ----------
    Savric, Patterson and Jenny, Int. J. Geographical Information Science 33(3), 2019.

    Examples
    --------
    >>> x, y = project([0.0, 90.0], [180.0, 0.0])
    >>> x.round(4), y.round(4)
    (array([2.7066, 0.    ]), array([0.    , 1.3174]))
    """
    root3 = 3**0.5 / 2
    theta = np.arcsin(root3 * np.sin(np.radians(np.asarray(lat, np.float64))))
    a1, a2, a3, a4 = _A
    square, sixth = theta**2, theta**6
    y = theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
    slope = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
    x = np.radians(np.asarray(lon, np.float64)) * np.cos(theta) / (root3 * slope)
    return np.asarray(x), np.asarray(y)


def great_circle(lat1: float, lon1: float, lat2: float, lon2: float) -> list[Floats]:
    """Return the great circle between two points as pieces that do not cross the antimeridian.

    Returns
    -------
    list of ndarray, each of shape (k, 2)
        Latitude and longitude, degrees, at most `STEP_KM` apart. Antipodes have no one great
        circle: theirs goes over the north pole.

    Examples
    --------
    >>> [piece[[0, -1]].round(1).tolist() for piece in great_circle(0, 170, 0, -170)]
    [[[0.0, 170.0], [0.0, 180.0]], [[0.0, -180.0], [0.0, -170.0]]]
    """
    ends = np.array([_vector(lat1, lon1), _vector(lat2, lon2)])
    distance = float(sphere.haversine_km(lat1, lon1, lat2, lon2))
    angle = distance / sphere.EARTH_RADIUS_KM
    if np.pi - angle < 1e-6:
        north = great_circle(lat1, lon1, 90.0, lon1)
        return north + great_circle(90.0, lon2, lat2, lon2)
    t = np.linspace(0.0, 1.0, max(2, int(np.ceil(distance / STEP_KM)) + 1))
    if angle < 1e-9:
        points = np.repeat(ends[:1], len(t), axis=0)
    else:
        weights = np.stack([np.sin((1 - t) * angle), np.sin(t * angle)], axis=1)
        points = weights @ ends / np.sin(angle)
    lat = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    lon = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    return _cut(lat, lon)


def build(land: str | os.PathLike[str], target: Path | None = None) -> Path:
    """Make ``world.parquet`` from the bundled boundaries and Natural Earth's land.

    Parameters
    ----------
    land
        Natural Earth 10m admin-1 (4.1.0, the source of the bundled units) as GeoParquet with WKB
        geometry, EPSG:4326; its polygons are a coverage, which is simplified as one.
    target
        File to write; the package's own by default.
    """
    import shapely

    from geodata import boundaries, files

    chosen = boundaries.load()
    source = pq.read_table(chosen.folder / "countries.parquet", columns=["code", "geometry"])
    regions = shapely.from_wkb(source["geometry"].to_numpy(zero_copy_only=False))
    codes = np.array(source["code"].to_pylist())
    names = sorted(set(codes.tolist()))
    shapes = shapely.from_wkb(
        pq.read_table(land, columns=["geometry"])["geometry"].to_numpy(zero_copy_only=False)
    )
    pieces = shapely.get_parts(shapely.coverage_simplify(shapes, LAND_TOLERANCE))
    pieces = shapely.make_valid(pieces)
    tree = shapely.STRtree(pieces)
    whole = [shapely.union_all(regions[codes == name]) for name in names]
    cut = [_polygons(shapely.intersection(pieces[tree.query(w)], w)) for w in whole]
    simple = shapely.coverage_simplify(np.array(cut), OUTLINE_TOLERANCE)
    rows = [
        (name, *steps) for name, shape in zip(names, simple, strict=True) for steps in _rings(shape)
    ]
    steps = pa.list_(pa.int32())
    schema = pa.schema([("code", pa.string()), ("lon", steps), ("lat", steps)])
    made = {"boundaries_sha256": chosen.sha256, "land_sha256": files.sha256(land)}
    table = pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows],
        schema=schema.with_metadata(made),
    )
    target = target or Path(__file__).with_name("world.parquet")
    with files.replacing(target) as part:
        pq.write_table(table, part, compression="zstd", compression_level=19)
    return target


def _polygons(shapes: Any) -> Any:
    """Return the polygons among shapes as one geometry."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shapes))
    flat = parts[shapely.get_type_id(parts) == 3]
    return shapely.union_all(flat, grid_size=1 / UNITS_PER_DEGREE)


def _rings(shape: Any) -> list[tuple[list[int], list[int]]]:
    """Return outer rings as differences of whole hundredths of a degree."""
    import shapely

    parts = shapely.get_parts(shape)
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    large = shapely.area(parts) >= SMALLEST
    found = []
    for part in parts[large] if large.any() else parts[:1]:
        points = shapely.get_coordinates(part.exterior)
        whole = np.rint(points * UNITS_PER_DEGREE).astype(np.int64)
        steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64))
        found.append((steps[:, 0].tolist(), steps[:, 1].tolist()))
    return found


def _vector(lat: float, lon: float) -> Floats:
    phi, theta = np.radians(lat), np.radians(lon)
    return np.array([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def _cut(lat: Floats, lon: Floats) -> list[Floats]:
    """Split where longitude jumps, and end both pieces on the antimeridian."""
    jumps = np.flatnonzero(np.abs(np.diff(lon)) > 180.0)
    if not len(jumps):
        return [np.stack([lat, lon], axis=1)]
    pieces, start = [], 0
    head: list[list[float]] = []
    for i in jumps.tolist():
        side = 180.0 if lon[i] > 0 else -180.0
        gap = (side - lon[i]) / (lon[i + 1] + 2 * side - lon[i])
        at = float(lat[i] + gap * (lat[i + 1] - lat[i]))
        body = np.stack([lat[start : i + 1], lon[start : i + 1]], axis=1).tolist()
        pieces.append(np.array([*head, *body, [at, side]]))
        head, start = [[at, -side]], i + 1
    rest = np.stack([lat[start:], lon[start:]], axis=1).tolist()
    return [*pieces, np.array([*head, *rest])]
