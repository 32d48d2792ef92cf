"""How much of a score is parsing: the same answers read strictly, tolerantly and as JSON only."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import answers
from geodata.evaluation.joining import Joined, Predictions, check_rows
from geodata.evaluation.scores.counting import Scorer, Scoring
from geodata.files import Columns, find_pair

READERS = {"tolerant": "parse_tolerant", "strict": "parse_strict", "json": "parse_json"}
"""Reader -> its function in `geodata.answers`; the first is the one that is scored.

By name: their patterns take a tenth of a second to compile, which a file without text need not
wait for.
"""

REFUSED = "refused"
"""Beside `geodata.answers.STATUSES`: words that decline."""


@dataclass(frozen=True)
class Reading:
    """What one reader makes of the answers, on all truth rows."""

    answered: int
    """Truth rows with a coordinate."""
    accuracy: dict[float, float | None]
    """Share within each threshold in km, with the denominator of the score."""
    statuses: dict[str, int]
    """Texts by what the reader says of them, the most frequent first."""


@dataclass(frozen=True)
class Readings:
    """The same texts read in several ways."""

    texts: int
    readers: dict[str, Reading]
    """'tolerant', 'strict', 'json', and 'file' where the file has coordinates beside its text."""
    hows: dict[str, int]
    """Texts that the tolerant reader took a coordinate from, by layout, see `answers.HOWS`."""
    ambiguous: int
    """Of these, those in which a careful person could read another place."""

    def as_dict(self) -> dict[str, Any]:
        """Return the readings as plain JSON types."""
        return {
            "texts": self.texts,
            "ambiguous": self.ambiguous,
            "layouts": self.hows,
            "readers": {
                name: {
                    "answered": one.answered,
                    "thresholds": [{"km": t, "accuracy": s} for t, s in one.accuracy.items()],
                    "statuses": one.statuses,
                }
                for name, one in self.readers.items()
            },
        }


def read_each_way(predictions: Predictions, joined: Joined, scoring: Scoring) -> Readings:
    """Read the text column of predictions in every way and score each on the same rows.

    Parameters
    ----------
    predictions
        Opened with a text column that is parsed.
    joined
        These predictions beside their truth.
    scoring
        What decides a score.

    Examples
    --------
    >>> from geodata.evaluation.joining import join, read_predictions
    >>> texts = ["(48.8, 2.3)", '{"lat": 48.8, "lon": 2.3}']
    >>> opened = read_predictions({"id": ["a", "b"], "text": texts})
    >>> truth = {"id": ["a", "b"], "lat": [48.8, 48.8], "lon": [2.3, 2.3]}
    >>> found = read_each_way(opened, join(opened, truth), Scoring())
    >>> {name: reading.accuracy[25.0] for name, reading in found.readers.items()}
    {'tolerant': 1.0, 'strict': 0.5, 'json': 0.5}
    """
    kept = {name: _Kept(len(joined.pred_lat)) for name in READERS}
    hows: Counter[str] = Counter()
    ambiguous = 0
    for row, text in enumerate(_texts(predictions, len(joined.pred_lat))):
        for name, function in READERS.items():
            answer = getattr(answers, function)(text)
            status = answer.status
            if name == "tolerant" and status not in ("ok", "empty"):
                status = REFUSED if answers.declines(text) else status
            kept[name].put(row, answer, status)
            if name == "tolerant" and answer.how:
                hows[answer.how] += 1
                ambiguous += answer.ambiguous
    readers = {
        name: Reading(*_scored(joined, one.lat, one.lon, scoring), _ranked(one.statuses))
        for name, one in kept.items()
    }
    beside = _columns_beside(predictions, joined, scoring)
    if beside is not None:
        readers["file"] = beside
    return Readings(kept["tolerant"].statuses.total(), readers, _ranked(hows), ambiguous)


def _texts(predictions: Predictions, rows: int) -> Iterator[str]:
    """Return the texts of so many rows, "" where there is none; a file may have grown since."""
    name = str(predictions.columns.text)
    columns = (batch.table.column(name) for batch in predictions.source.batches([name]))
    values = (value for column in columns for value in column.to_pylist())
    return (text if isinstance(text, str) else "" for text in itertools.islice(values, rows))


class _Kept:
    """Coordinates and statuses of one reader."""

    def __init__(self, rows: int) -> None:
        self.lat, self.lon = np.full(rows, np.nan), np.full(rows, np.nan)
        self.statuses: Counter[str] = Counter()

    def put(self, row: int, answer: answers.Answer, status: str) -> None:
        self.statuses[status] += 1
        self.lat[row], self.lon[row] = answer.lat, answer.lon  # NaN for None


def _columns_beside(predictions: Predictions, joined: Joined, scoring: Scoring) -> Reading | None:
    """Return the reading of the coordinate columns that the file has beside its text."""
    source, id_column = predictions.source, predictions.columns.id
    names = [name for name in source.columns if name != id_column]
    pair = find_pair(names, ("pred",), source.name)
    if pair is None and joined.truth.source is not source:
        pair = find_pair(names, ("plain",), source.name)
    if pair is None:
        return None
    columns = Columns(id_column, *pair)
    rows = [check_rows(batch, columns) for batch in source.batches(list(pair))]
    stop = slice(0, len(joined.pred_lat))
    lat, lon = (
        np.concatenate([np.empty(0), *(getattr(r, axis) for r in rows)])[stop]
        for axis in ("lat", "lon")
    )
    there = int(np.count_nonzero(~np.isnan(lat)))
    statuses = {"ok": there, "missing": len(lat) - there}
    return Reading(*_scored(joined, lat, lon, scoring), statuses)


def _scored(
    joined: Joined, lat: NDArray[np.float64], lon: NDArray[np.float64], scoring: Scoring
) -> tuple[int, dict[float, float | None]]:
    scorer = Scorer(scoring)
    for batch in replace(joined, pred_lat=lat, pred_lon=lon).batches(
        ["lat", "lon", "pred_lat", "pred_lon"]
    ):
        scorer.add(batch)
    scores = scorer.finish()
    return scores.answered, scores.accuracy


def _ranked(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
