"""A small world map of where rows are, drawn from counts by half degree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata import files

SHAPE = (360, 720)
"""Rows of the raster from south to north, columns from -180 to 180 degrees."""


def count(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many points fall into each half degree, shape `SHAPE`.

    Examples
    --------
    >>> counts = count(np.array([90.0, -90.0]), np.array([-180.0, 179.9]))
    >>> int(counts[-1, 0]), int(counts[0, -1])
    (1, 1)
    """
    row = np.minimum(((lat + 90.0) * 2.0).astype(np.int64), SHAPE[0] - 1)
    col = np.minimum(((lon + 180.0) * 2.0).astype(np.int64), SHAPE[1] - 1)
    return np.bincount(row * SHAPE[1] + col, minlength=SHAPE[0] * SHAPE[1]).reshape(SHAPE)


def draw(counts: NDArray[np.int64], path: Path, title: str) -> None:
    """Write the counts as a PNG: plate carrée, logarithmic colours, empty cells white."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.8), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(
        np.ma.masked_equal(counts, 0),
        origin="lower",
        extent=(-180, 180, -90, 90),
        norm=LogNorm(1, max(int(counts.max()), 2)),
        cmap="viridis",
        interpolation="nearest",
    )
    axes.set(title=title, xlabel="longitude", ylabel="latitude")
    axes.grid(alpha=0.3, linewidth=0.5)
    figure.colorbar(image, ax=axes, label="rows in half a degree", shrink=0.8)
    with files.replacing(path) as beside:
        canvas.print_figure(beside, format="png", metadata={"Software": None})
