"""A small world map of where rows are, drawn from counts by half degree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata import files
from geodata.maps.land import outlines

SHAPE = (360, 720)
"""Rows of the raster from south to north, columns from -180 to 180 degrees."""


def count_cells(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many points fall into each half degree, shape `SHAPE`.

    Examples
    --------
    >>> counts = count_cells(np.array([90.0, -90.0]), np.array([-180.0, 179.9]))
    >>> int(counts[-1, 0]), int(counts[0, -1])
    (1, 1)
    """
    row = np.minimum(((lat + 90.0) * 2.0).astype(np.int64), SHAPE[0] - 1)
    col = np.minimum(((lon + 180.0) * 2.0).astype(np.int64), SHAPE[1] - 1)
    return np.bincount(row * SHAPE[1] + col, minlength=SHAPE[0] * SHAPE[1]).reshape(SHAPE)


def draw_dots(counts: NDArray[np.int64], path: Path, title: str) -> None:
    """Write the counts as a PNG: a dot a cell over the land, plate carrée, logarithmic colours.

    Dots are larger where cells with rows are few, so that a small table can be seen too.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(9.0, 4.8), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    rings = [ring / 100.0 for rings in outlines().values() for ring in rings]
    axes.add_collection(PolyCollection(rings, facecolor="#e8e8e4", edgecolor="#c9c9c4", lw=0.4))
    row, col = np.nonzero(counts)
    many = counts[row, col]
    order = np.argsort(many, kind="stable")
    dots = axes.scatter(
        (col[order] + 0.5) / 2.0 - 180.0,
        (row[order] + 0.5) / 2.0 - 90.0,
        c=many[order],
        s=float(np.clip(12_000.0 / max(len(row), 1), 1.5, 22.0)),
        norm=LogNorm(1, max(int(counts.max()), 2)),
        cmap="viridis_r",
        linewidths=0,
    )
    axes.set(title=title, xlabel="longitude", ylabel="latitude", xlim=(-180, 180), ylim=(-90, 90))
    axes.set_aspect("equal")
    bar = figure.colorbar(dots, ax=axes, label="rows in half a degree", shrink=0.8)
    bar.formatter = StrMethodFormatter("{x:,.0f}")
    bar.minorformatter = bar.formatter if counts.max() <= 10 else NullFormatter()
    with files.replacing(path) as beside:
        canvas.print_figure(beside, format="png", metadata={"Software": None})
