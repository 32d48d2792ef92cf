"""Answers that are names of a country and a city: the places that they stand for.

An answer by name is turned into a coordinate once, after the scan of the file and before any row
is scored, so everything after it (thresholds, intervals, groups) is the same for both kinds of
answers. A name that the gazetteer does not know becomes no place: the row is wrong, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import gazetteer
from geodata.evaluation.joining.matches import RowChecks
from geodata.evaluation.joining.sides import (
    AMBIGUOUS,
    INVALID,
    LEVELS,
    MISSING,
    OK,
    UNPARSABLE,
    Answers,
)

LISTED = 5
"""So many unresolved names are listed, the most frequent first."""

_HOW = {
    "city": "by city",
    "admin1": "by the middle of a region",
    "country": "by the middle of a country",
}

Bools = NDArray[np.bool_]


def place_names(
    answers: Answers, regions: Mapping[str, pa.Array], checks: RowChecks, *, names: bool | None
) -> Answers:
    """Return the answers with names turned into coordinates, and note what was found.

    Parameters
    ----------
    answers
    regions
        Named regions by level, text, of one length with the answers.
    checks
        Takes what is to be said about the rows.
    names
        True geocodes every row that has names and no coordinate, False none; None does so
        where no row of the file has a coordinate, because then the answers are names.
    """
    if names is False or not {"country", "city"} & set(regions):
        return answers
    blank = np.isin(answers.status, (MISSING, UNPARSABLE))
    if names is None and not (blank | np.isnan(answers.lat)).all():
        return answers
    rows = np.flatnonzero(blank & _named(regions, len(blank)))
    if not len(rows):
        return answers
    given = {level: regions[level].take(pa.array(rows)) for level in LEVELS if level in regions}
    found = gazetteer.places(**given)
    resolved = np.asarray(found["lat"].is_valid())
    lat, lon, status = answers.lat.copy(), answers.lon.copy(), answers.status.copy()
    at = rows[resolved]
    lat[at] = found["lat"].to_numpy()[resolved]
    lon[at] = found["lon"].to_numpy()[resolved]
    doubtful = np.asarray(found["ambiguous"].fill_null(False))
    status[rows] = np.where(resolved, np.where(doubtful, AMBIGUOUS, OK), INVALID)
    _note(checks, rows, resolved, given, found, status)
    return Answers(lat, lon, status)


def _named(regions: Mapping[str, pa.Array], n: int) -> Bools:
    """Return which rows name a country or a city."""
    named = np.zeros(n, bool)
    for level in ("country", "city"):
        if level in regions:
            coded = regions[level].dictionary_encode()
            is_name = [gazetteer.is_name(name) for name in coded.dictionary.to_pylist()]
            index = np.asarray(coded.indices.fill_null(len(is_name)))
            named |= np.array([*is_name, False])[index]
    return named


def _note(
    checks: RowChecks,
    rows: NDArray[np.int64],
    resolved: Bools,
    given: Mapping[str, pa.Array],
    found: pa.Table,
    status: NDArray[np.uint8],
) -> None:
    levels = Counter(found["level"].drop_null().to_pylist())
    parts = [f"{levels[level]} {how}" for level, how in _HOW.items() if levels[level]]
    doubtful = int(np.count_nonzero(found["ambiguous"].fill_null(False)))
    parts += [f"{doubtful} of them have a name that several places bear"] if doubtful else []
    checks.recount("unparsable", np.flatnonzero(status == UNPARSABLE))
    checks.recount("empty_answers", np.flatnonzero(status == MISSING))
    checks.recount("named_answers", rows[resolved], ", ".join(parts))
    unresolved = np.flatnonzero(~resolved)
    checks.recount("unresolved_names", rows[unresolved], _listed(given, unresolved))


def _listed(given: Mapping[str, pa.Array], rows: NDArray[np.int64]) -> str:
    columns = [given[level].take(pa.array(rows)).to_pylist() for level in reversed(LEVELS)
               if level in given]  # fmt: skip
    names = Counter(
        ", ".join(name.strip() for name in row if name and name.strip())
        for row in zip(*columns, strict=True)
    )
    shown = [f"{name!r:.60} ({count})" for name, count in names.most_common(LISTED)]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
