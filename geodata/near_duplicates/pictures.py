"""The picture of a leakage report: how far apart the nearest pictures are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from geodata import files
from geodata.near_duplicates.findings import Leakage

_COLOURS = ("#1d4e79", "#dc8a3c", "#ad2f2b")


def draw(found: Leakage, path: str | os.PathLike[str]) -> None:
    """Draw how many rows have their nearest picture of the other table within so many bits.

    One line a pair of tables; zero bits are the same picture, recompressed or resized at most.

    Parameters
    ----------
    path
        PNG, PDF or SVG file; it appears whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> from geodata.near_duplicates.findings import PAIRS, Overlap
    >>> one = Overlap("test@0", "rand@1", rows=9, compared=9, photo=1, author=None, place=1, look=0,
    ...               look_only=0, pairs=PAIRS.empty_table())
    >>> tables = {"train": "rand@1", "test": "test@0"}
    >>> found = Leakage(tables, (one,), (), most_bits=8, most_fine=40)
    >>> draw(found, folder.name + "/leakage.svg")
    >>> Path(folder.name, "leakage.svg").stat().st_size > 1000
    True
    >>> folder.cleanup()
    """
    figure = _figure(found)
    with files.replacing(path) as beside:
        figure.savefig(beside, format=Path(path).suffix.removeprefix(".").lower(), dpi=150)


def _figure(found: Leakage) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    bits = np.arange(found.most_bits + 1)
    for overlap, colour in zip(found.overlaps, _COLOURS, strict=False):
        nearest = pl.DataFrame(overlap.pairs).group_by("row").agg(pl.col("bits").min())
        counts = np.bincount(nearest["bits"].to_numpy(), minlength=len(bits)).cumsum()
        share = 100 * counts / max(overlap.compared, 1)
        label = f"{overlap.rows_of} in {overlap.others}: {overlap.look:,} of {overlap.compared:,}"
        axes.step(bits, share, where="post", color=colour, label=label, marker="o", markersize=3)
    axes.set_xlabel("bits of 64 in which the nearest picture differs, at most")
    axes.set_ylabel("rows with a near-duplicate, %")
    axes.set_ylim(bottom=0)
    axes.set_xticks(bits)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if found.overlaps:
        axes.legend(frameon=False, fontsize="small", loc="best")
    FigureCanvasAgg(figure)
    return figure
