"""Country and city accuracy by the string rule of GLOBE's released code, for comparison.

It compares the names of the answer with those of the truth as text, see
`geodata.gazetteer.same_by_string`; the other accuracies here compare places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import gazetteer
from geodata.evaluation.scores.regions.accuracy import RegionAccuracy
from geodata.files import REGION_NAMES, find_named

LEVELS = ("country", "city")


def true_name_columns(extras: Sequence[str], where: str) -> dict[str, str]:
    """Return the truth's columns with the names of its country and city, by level.

    Examples
    --------
    >>> true_name_columns(("author", "Country", "city"), "truth.csv")
    {'country': 'Country', 'city': 'city'}
    """
    found = {level: find_named(extras, REGION_NAMES[level], level, where) for level in LEVELS}
    return {level: name for level, name in found.items() if name is not None}


def string_accuracy(batch: pa.RecordBatch, truth: Mapping[str, str]) -> dict[str, RegionAccuracy]:
    """Return country and city accuracy of a batch of joined rows by the released rule.

    A city counts only with its country, as in GLOBE's accuracy reward.

    Parameters
    ----------
    batch
        With ``pred_country`` and ``pred_city`` as far as predictions name them.
    truth
        Columns of the batch with the truth's names by level.
    """
    found: dict[str, RegionAccuracy] = {}
    inside = np.ones(batch.num_rows, bool)
    for level in LEVELS:
        if level not in truth or f"pred_{level}" not in batch.schema.names:
            continue
        true = [_text(name) for name in batch.column(truth[level]).to_pylist()]
        said = batch.column(f"pred_{level}").to_pylist()
        labelled = _mask(name is not None for name in true)
        answered = _mask(name is not None for name in said)
        inside &= _mask(gazetteer.same_by_string(a, b) for a, b in zip(said, true, strict=True))
        found[level] = RegionAccuracy(
            level,
            batch.num_rows,
            int(labelled.sum()),
            int((labelled & answered).sum()),
            int(inside.sum()),
        )
    return found


def _text(name: object) -> str | None:
    return name if isinstance(name, str) and name.strip() else None


def _mask(values: Iterable[bool]) -> NDArray[np.bool_]:
    return np.fromiter(values, bool)
