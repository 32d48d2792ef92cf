"""The error curves of many models in one figure, as SVG or PDF for a paper."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geodata import files, sphere
from geodata.evaluation.report.words import threshold
from geodata.evaluation.scores import Evaluation

FORMATS = ("svg", "pdf")
COLOURS = ("#1d4e79", "#dc8a3c", "#3a8297", "#ad2f2b", "#7b6ba8", "#8a8f3c", "#c76a94", "#555f6b")
STYLES = ("-", "--", ":", "-.")
POINTS = 400
SIZE = (6.3, 3.6)
"""Inches: the width of a page of text."""


def write_curves(results: Mapping[str, Evaluation], path: str | os.PathLike[str]) -> None:
    """Write the share of rows within each distance for every model, with the thresholds.

    Parameters
    ----------
    results
        By the name of the model.
    path
        Ends with .svg or .pdf. The same results give the same bytes.

    Raises
    ------
    ValueError
        For another ending.
    """
    from matplotlib import rc_context

    ending = Path(path).suffix.lstrip(".").lower()
    if ending not in FORMATS:
        msg = f"{path}: a figure ends with .svg or .pdf, not .{ending}"
        raise ValueError(msg)
    date = {"svg": "Date", "pdf": "CreationDate"}[ending]
    out = io.BytesIO()
    with rc_context({"svg.hashsalt": "geodata", "svg.fonttype": "path", "font.size": 9}):
        _figure(results).savefig(out, format=ending, metadata={date: None}, bbox_inches="tight")
    with files.replacing(path) as target:
        Path(target).write_bytes(out.getvalue())


def _figure(results: Mapping[str, Evaluation]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    thresholds = next(iter(results.values())).scores.scoring.thresholds_km
    low = min([0.1, *(t / 2 for t in thresholds if t > 0)])
    at = np.geomspace(low, sphere.HALF_CIRCUMFERENCE_KM, POINTS)
    for i, (name, result) in enumerate(results.items()):
        ordered = np.sort(result.scores.distances_km)
        shares = np.searchsorted(ordered, at, side="right") / max(result.scores.denominator, 1)
        style = STYLES[i // len(COLOURS) % len(STYLES)]
        axes.plot(at, 100 * shares, style, color=COLOURS[i % len(COLOURS)], lw=1.5, label=name)
    for t in thresholds:
        if t > low:
            axes.axvline(t, color="#c9d0d6", lw=0.7, zorder=0)
    axes.set(xscale="log", xlim=(low, at[-1]), ylim=(0, 100))
    axes.set_xlabel(f"error, km (vertical lines: {', '.join(map(threshold, thresholds))})")
    axes.set_ylabel("share of rows within, %")
    axes.spines[["top", "right"]].set_visible(False)
    many = len(results) > 8
    axes.legend(
        frameon=False, fontsize=7 if many else 9, loc="center left" if many else "best",
        bbox_to_anchor=(1.0, 0.5) if many else None,
    )  # fmt: skip
    return figure
