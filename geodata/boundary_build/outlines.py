"""Land outlines for maps: the bundled polygons cut with Natural Earth's land and simplified."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import boundaries, files
from geodata.boundaries.building import polygonal

UNITS_PER_DEGREE = 100


LAND_TOLERANCE, OUTLINE_TOLERANCE = 0.06, 0.14


SMALLEST = 0.02
"""Islands below this many square degrees are left out, unless a country would vanish."""


def build_outlines(
    land: str | os.PathLike[str],
    target: Path | None = None,
    *,
    regions: str | os.PathLike[str] = "bundled",
) -> Path:
    """Make ``world.parquet`` from the bundled boundaries and Natural Earth's land.

    Parameters
    ----------
    land
        Natural Earth 10m admin-1 (4.1.0, the source of the bundled units) as GeoParquet with WKB
        geometry, EPSG:4326; its polygons are a coverage, which is simplified as one.
    target
        File to write; the package's own by default.
    regions
        The set whose countries are drawn.
    """
    import shapely

    chosen = boundaries.load(regions)
    source = pq.read_table(chosen.folder / "countries.parquet", columns=["code", "geometry"])
    drawn = shapely.from_wkb(source["geometry"].to_numpy())
    codes = np.array(source["code"].to_pylist())
    names = sorted(set(codes.tolist()))
    shapes = shapely.from_wkb(pq.read_table(land, columns=["geometry"])["geometry"].to_numpy())
    pieces = shapely.get_parts(shapely.coverage_simplify(shapes, LAND_TOLERANCE))
    pieces = shapely.make_valid(pieces)
    tree = shapely.STRtree(pieces)
    whole = [shapely.union_all(drawn[codes == name]) for name in names]
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
    target = target or Path(__file__).parents[1] / "maps" / "world.parquet"
    with files.replacing(target) as part:
        pq.write_table(table, part, compression="zstd", compression_level=19)
    return target


def _polygons(shapes: Any) -> Any:
    """Return the polygons among shapes as one geometry, an empty one where there are none."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shapes))
    flat = parts[shapely.get_type_id(parts) == 3]
    return polygonal(shapely.union_all(flat, grid_size=1 / UNITS_PER_DEGREE))


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
