"""Region labels of joined rows: of a pair of coordinates, and of the names that were answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pyarrow as pa

from geodata import coords, cor, gazetteer


def labels_of(batch: pa.RecordBatch, prefix: str = "") -> pa.Table:
    """Return the labels of the true coordinates, or with ``prefix="pred_"`` of the predicted.

    Rows without coordinates have no label.
    """
    points = coords.arrays(batch.column(f"{prefix}lat"), batch.column(f"{prefix}lon"))
    return _labeller().table(points)


def labels_at(lat: Any, lon: Any) -> pa.Table:
    """Return the labels of places, degrees, shape (n,); NaN has none."""
    return _labeller().table(coords.arrays(lat, lon))


def named_labels(batch: pa.RecordBatch, levels: Iterable[str]) -> pa.Table:
    """Return the codes of the regions that predictions name, resolved through aliases.

    Parameters
    ----------
    batch
        With ``pred_country`` and so on, text.
    levels
        Which of them, of country, admin1 and city.
    """
    names = {level: batch.column(f"pred_{level}") for level in levels}
    return cast(pa.Table, gazetteer.codes(**names))


def label_sources() -> dict[str, dict[str, str]]:
    """Say what labels come from, so that a number can be made again."""
    engine = _labeller()
    return {
        "boundaries": {"name": engine.boundaries.name, "sha256": engine.boundaries.sha256},
        "places": {"name": "bundled", "sha256": engine.places.file.sha256},
    }


def _labeller() -> cor.Labeller:
    return cor.labeller(None, "un", "own", 10.0)
