"""A map of a boundary set: its divisions, what is approximate, what is disputed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import files, maps
from geodata.boundaries.registry import load
from geodata.boundaries.set import BoundarySet, from_wkb
from geodata.files import FileError

FORMATS = (".png", ".svg")

_TOLERANCE = 0.08
_LEAST_AREA = 0.01
_STEP = 5.0
_COLOURS = {
    "drawn by a source": "#d9d9d3",
    "approximate": "#e08a2e",
    "disputed": "#7a3b8f",
}
_ALPHA = {"disputed": 0.55}


def draw_map(name: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Draw a set on the Equal Earth projection: which regions are approximate or disputed.

    Outlines are simplified to some kilometres and islets left out.

    Parameters
    ----------
    name : str or path
        A set, as in `load`.
    path : str or path
        File to write, ``.png`` or ``.svg``; the same set gives the same picture.

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
    >>> draw_map("bundled", "bundled.png")  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        msg = f"{path}: a map is written as {' or '.join(FORMATS)}; give such a name"
        raise FileError(msg)
    chosen = load(name)
    with files.replacing(path) as part:
        _figure(chosen).savefig(
            part, format=path.suffix[1:].lower(), dpi=110, metadata=_undated(path.suffix.lower())
        )
    return path


def _undated(suffix: str) -> dict[str, Any]:
    return {"Date": None} if suffix == ".svg" else {}


def _figure(chosen: BoundarySet) -> Any:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    mpl.rcParams["svg.hashsalt"] = "geodata"  # ids in the file stay the same
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.add_collection(PolyCollection(_outline(), facecolor="#f4f7f9", edgecolor="none"))
    layers = _layers(chosen)
    for (label, colour), rings in zip(_COLOURS.items(), layers, strict=True):
        axes.add_collection(
            PolyCollection(
                rings, facecolor=colour, edgecolor="#ffffff", lw=0.15,
                alpha=_ALPHA.get(label),
            )
        )  # fmt: skip
    shown = [pair for pair, rings in zip(_COLOURS.items(), layers, strict=True) if rings]
    axes.legend(
        handles=[
            Patch(color=colour, label=label, lw=0, alpha=_ALPHA.get(label))
            for label, colour in shown
        ],
        loc="lower left", frameon=False, fontsize=8,
    )  # fmt: skip
    axes.set_title(f"{chosen.name}: where borders are approximate", fontsize=10)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.axis("off")
    return figure


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
    """Return the outer rings of regions, simplified and projected."""
    import shapely

    parts = shapely.get_parts(shapely.get_parts(shapely.simplify(shapes, _TOLERANCE)))
    parts = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > _LEAST_AREA)]
    rings = []
    for part in parts:
        lon, lat = shapely.get_coordinates(shapely.segmentize(part.exterior, _STEP)).T
        rings.append(np.stack(maps.project(lat, lon), axis=1))
    return rings


def _outline() -> list[NDArray[np.float64]]:
    lat = np.linspace(-90.0, 90.0, 91)
    east = np.stack(maps.project(lat, np.full(91, 180.0)), axis=1)
    west = np.stack(maps.project(lat[::-1], np.full(91, -180.0)), axis=1)
    return [np.vstack([east, west])]
