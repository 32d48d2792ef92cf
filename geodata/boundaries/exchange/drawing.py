"""A map of a boundary set: its divisions, what is approximate, what is disputed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import maps
from geodata.boundaries.registry import load
from geodata.boundaries.set import BoundarySet, from_wkb

_TOLERANCE = 0.08
_LEAST_AREA = 0.01
_STEP = 5.0
_APPROXIMATE, _DISPUTED = "#e08a2e", "#7a3b8f"


def draw_map(name: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Draw a set on the Equal Earth projection: which regions are approximate or disputed.

    Outlines are simplified to some kilometres and islets left out.

    Parameters
    ----------
    name : str or path
        A set, as in `load`.
    path : str or path
        File to write, ``.png``, ``.svg`` or ``.pdf``; the same set gives the same picture.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileError
        If the file's name ends otherwise, or the set cannot be opened.

    Examples
    --------
    >>> import json, tempfile
    >>> from shapely import box, geometry
    >>> from geodata.boundaries import build
    >>> folder = tempfile.TemporaryDirectory()
    >>> canton = {"type": "Feature", "properties": {"iso": "CH", "name": "Wallis"},
    ...           "geometry": geometry.mapping(box(7, 46, 8, 47))}
    >>> _ = Path(folder.name, "cantons.geojson").write_text(json.dumps(canton))
    >>> made = build(folder.name + "/cantons.geojson", folder.name + "/cantons", licence="CC0-1.0",
    ...              columns={"country": "iso", "admin1": "name"})
    >>> draw_map(made.folder, folder.name + "/cantons.png").name
    'cantons.png'
    >>> folder.cleanup()
    """
    path = Path(path)
    maps.format_of(path)
    chosen = load(name)
    drawn = maps.WorldMap(f"{chosen.name}: where borders are approximate")
    sourced, approximate, disputed = _layers(chosen)
    drawn.regions(sourced, None, "drawn by a source")
    drawn.regions(approximate, _APPROXIMATE, "approximate")
    drawn.regions(disputed, _DISPUTED, "disputed", alpha=0.55)
    drawn.save(path)
    return path


def _layers(chosen: BoundarySet) -> list[list[NDArray[np.float64]]]:
    columns = ["disputed", "approximate", "geometry"]
    units = chosen.table("admin1", columns)
    countries = chosen.table("country", columns)
    land, shapes, of_units = _land(), from_wkb(countries), from_wkb(units)
    apart = _flag(units, "approximate")
    drawn, disputed = _flag(countries, "approximate"), _flag(countries, "disputed")
    return [
        _rings(land) + _rings(of_units[~apart]),
        _rings(of_units[apart]) + _rings(_on_land(shapes[drawn], land)),
        _rings(_on_land(shapes[disputed], land)),
    ]


def _flag(table: pa.Table, name: str) -> NDArray[np.bool_]:
    if name not in table.column_names:  # a set of before the column
        return np.zeros(len(table), bool)
    return np.array([bool(value) for value in table[name].to_pylist()], bool)


def _land() -> NDArray[Any]:
    """Return the land of the world, since a country's shape takes in the sea before it."""
    import shapely

    rings = [ring / 100.0 for some in maps.outlines().values() for ring in some]
    return np.asarray(shapely.make_valid([shapely.Polygon(ring) for ring in rings]))


def _on_land(shapes: NDArray[Any], land: NDArray[Any]) -> NDArray[Any]:
    import shapely

    tree = shapely.STRtree(land)
    return np.array(
        [
            shapely.intersection(shape, shapely.union_all(land[tree.query(shape, "intersects")]))
            for shape in shapes
        ],
        object,
    )


def _rings(shapes: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the outer rings of regions, lon and lat, simplified."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shapely.simplify(shapes, _TOLERANCE)))
    parts = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > _LEAST_AREA)]
    edges = shapely.segmentize(shapely.get_exterior_ring(parts), _STEP)
    return [shapely.get_coordinates(edge) for edge in edges]
