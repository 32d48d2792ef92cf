"""Look for what is wrong with a prediction file before anybody trusts its score.

`lint` gathers all findings about one file: those of reading and joining, and checks that cost
more than a score does: against the truth, the raw text, the named country, other submissions
and the training data. Costly ones look at the first `CHECK_ROWS` rows and say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import buffers, leakage, sphere
from geodata.evaluation import joining
from geodata.evaluation.checks import own_words
from geodata.evaluation.checks.reviewing import review
from geodata.evaluation.findings import SHOWN, Finding, PredictionError, finding
from geodata.evaluation.joining import (
    Joined,
    Match,
    Predictions,
    Scan,
    Truth,
    distance_findings,
    join,
    read_predictions,
    read_truth,
    scan_predictions,
)
from geodata.files import AUTHOR_NAMES, find_named

CHECK_ROWS = 200_000
NEAR_KM, FAR_KM = 25.0, 1000.0
SAME_SHARE, SAME_ROWS = 0.9, 20
COPIED_SHARE = 0.5


def lint(
    predictions: Any,
    truth: Any = None,
    *,
    against: Iterable[Any] = (),
    train: Any = None,
    author: str | None = None,
    match: Match = "auto",
    resolve: own_words.Resolve | None = None,
    label: own_words.Label | None = None,
) -> list[Finding]:
    """Return all findings about a prediction file.

    Parameters
    ----------
    predictions
        Path, table, data frame or what `read_predictions` returns.
    truth
        The truth; without it, only what the file itself shows is checked.
    against
        Other submissions, to find one that is nearly the same.
    train
        Training rows, to find photographers and places that the truth shares with them.
    author
        Column of the photographer in truth and training rows; found by its usual names if None.
    match
        How ids are compared, see `geodata.evaluation.joining.join`.
    resolve, label
        Country code of a name, and of places; `geodata.gazetteer` and `geodata.cor` if None.

    Raises
    ------
    geodata.files.FileError
        If a file cannot be read at all. What makes a score impossible is a finding here.
    ValueError
        For training rows without a truth to compare them with.

    Examples
    --------
    >>> for found in lint({"id": ["a", "b"], "lat": [0, 12.3456], "lon": [0, 123.4567]}):
    ...     print(found.code, found.rows)
    null_island (1,)
    placeholder (2,)
    """
    if train is not None and truth is None:
        msg = "training rows are compared with the truth, and there is none; give truth= too"
        raise ValueError(msg)
    opened = predictions
    if not isinstance(predictions, Predictions):
        opened = read_predictions(predictions)
    if truth is None:
        scan = Scan(opened.source, opened.columns.id, False)
        found = scan_predictions(scan, opened).findings()
        if opened.distance is not None:
            found += distance_findings(opened.distance, opened.source.name, truth=False)
    else:
        true = truth if isinstance(truth, Truth) else read_truth(truth)
        try:
            joined = join(opened, true, match=match)
        except PredictionError as error:
            found = [error.finding]
        else:
            found = joined.findings + against_truth(joined, opened)
        if train is not None:
            found += overlap(train, true, author=author)
    found += own_words.against_words(opened, CHECK_ROWS, resolve=resolve, label=label)
    for other in against:
        found += near_duplicates(opened, other)
    return found


def against_truth(joined: Joined, predictions: Predictions | None = None) -> list[Finding]:
    """Return findings that show beside the truth: swapped pairs, signs, copied truth.

    With ``predictions``, also what `review` asks: units, chance, order, their own distances.

    Examples
    --------
    >>> truth = {"id": ["lisbon"], "lat": [38.72], "lon": [-9.14]}
    >>> flipped = join({"id": ["lisbon"], "lat": [38.72], "lon": [9.14]}, truth)
    >>> [found.code for found in against_truth(flipped)]
    ['sign_error']
    """
    lat, lon, y, x = _first_rows(joined)
    if joined.pred_distance_km is not None:
        return [] if predictions is None else review(predictions, joined, (lat, lon), (y, x))
    sign, swapped = _turned(lat, lon, y, x)
    answered = int(np.count_nonzero(~np.isnan(y)))
    found = []
    if n := int(np.count_nonzero(swapped)):
        whole = n > SAME_SHARE / 2 * answered
        found.append(
            finding(
                "swapped_columns" if whole else "swapped_rows",
                "error" if whole else "warning",
                f"{n} {_answers(n)} within {NEAR_KM:g} km of the truth once latitude and "
                f"longitude are swapped, and beyond {FAR_KM:g} km as they are",
                "Write latitude first, or name the columns with lat= and lon=.",
                rows=np.flatnonzero(swapped)[:SHOWN],
                count=n,
            )
        )
    if n := int(np.count_nonzero(sign & ~swapped)):
        found.append(
            finding(
                "sign_error",
                "warning",
                f"{n} {_answers(n)} within {NEAR_KM:g} km of the truth once a sign is turned",
                "South and west are negative: look how hemispheres were read.",
                rows=np.flatnonzero(sign & ~swapped)[:SHOWN],
                count=n,
            )
        )
    if predictions is not None:
        told = any(one.code == "swapped_columns" for one in found)
        found += [] if told else review(predictions, joined, (lat, lon), (y, x))
    same = (lat == y) & (lon == x)
    n = int(np.count_nonzero(same))
    if n >= SAME_ROWS and n >= COPIED_SHARE * answered:
        found.append(
            finding(
                "equals_truth",
                "warning",
                f"{n} of {answered} answers are the truth to the last digit",
                "Look whether the columns named as the prediction are the truth.",
                rows=np.flatnonzero(same)[:SHOWN],
                count=n,
            )
        )
    return found


def _turned(
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are near once a sign is turned, and which once the pair is swapped."""
    found = np.zeros((2, len(y)), bool)
    # a distance is measured only where the latitudes allow what is looked for: a degree is 111 km
    beside = np.maximum(np.abs(lat - y), np.abs(lon - x)) <= 1  # nearer than FAR_KM, wherever
    mirrored = np.abs(np.abs(lat) - np.abs(y)) <= NEAR_KM / 110
    crossed = (np.abs(lat - x) <= NEAR_KM / 110) & (np.abs(x) <= 90)
    for near, possible, pairs in (
        (found[0], mirrored, ((-y, x), (y, -x), (-y, -x))),
        (found[1], crossed, ((x, y),)),
    ):
        rows = np.flatnonzero(possible & ~beside)
        rows = rows[sphere.haversine_km(lat[rows], lon[rows], y[rows], x[rows]) > FAR_KM]
        for a, b in pairs:
            near[rows] |= sphere.haversine_km(lat[rows], lon[rows], a[rows], b[rows]) <= NEAR_KM
    return found[0], found[1]


def _answers(n: int) -> str:
    return "answer is" if n == 1 else "answers are"


def _first_rows(joined: Joined) -> tuple[NDArray[np.float64], ...]:
    names = ["lat", "lon", "pred_lat", "pred_lon"]
    parts: list[list[NDArray[np.float64]]] = []
    rows = 0
    for batch in joined.batches(names):
        parts.append([buffers.numbers(batch.column(name), absent=np.nan) for name in names])
        rows += batch.num_rows
        if rows >= CHECK_ROWS:
            break
    return tuple(np.concatenate([np.empty(0), *(p[i] for p in parts)]) for i in range(4))


def near_duplicates(first: Any, second: Any) -> list[Finding]:
    """Report two submissions whose answers are nearly all the same.

    Rows are those of the second file that answer as the first does.

    Examples
    --------
    >>> a = {"id": list(range(40)), "lat": list(range(40)), "lon": list(range(40))}
    >>> b = a | {"lat": [-7, *range(1, 40)]}
    >>> print(near_duplicates(a, b)[0].message)
    39 of 40 common answers (97.5%) of predictions and predictions are the same place
    """
    files = [p if isinstance(p, Predictions) else read_predictions(p) for p in (first, second)]
    scans = [Scan(file.source, file.columns.id, False) for file in files]
    for scan, file in zip(scans, files, strict=True):
        scan_predictions(scan, file)
    (lat, lon), (y, x) = (
        (scan.column_of("lat", np.float64), scan.column_of("lon", np.float64)) for scan in scans
    )
    matched = joining.find_rows(scans[1].keys(), scans[0].keys())
    rows = np.flatnonzero(matched >= 0)
    theirs = matched[rows]
    both = ~np.isnan(lat[theirs]) & ~np.isnan(y[rows])
    same = (lat[theirs] == y[rows]) & (lon[theirs] == x[rows])
    common, n = int(np.count_nonzero(both)), int(np.count_nonzero(same))
    if common < SAME_ROWS or n < SAME_SHARE * common:
        return []
    return [
        finding(
            "near_duplicate",
            "warning",
            f"{n} of {common} common answers ({n / common:.1%}) of {scans[0].source.name} and "
            f"{scans[1].source.name} are the same place",
            "Look whether one model's output was saved under two names.",
            rows=rows[same][:SHOWN],
            count=n,
        )
    ]


def overlap(train: Any, test: Any, *, author: str | None = None) -> list[Finding]:
    """Report photos, photographers and places that training and test rows share.

    Parameters
    ----------
    train, test
        Paths, tables or data frames with id, latitude and longitude.
    author
        Column of the photographer in both; found by its usual names if None, and not compared
        where a file has none.

    Returns
    -------
    list of Finding
        About rows of the test: 'id_overlap', 'author_overlap' and 'coordinate_overlap', by the
        rules of `geodata.leakage`; 'author_not_compared' where their salts differ.

    Examples
    --------
    >>> train = {"id": ["a.jpg"], "lat": [48.85], "lon": [2.35], "author": ["x"]}
    >>> test = {"id": ["b", "f/a"], "lat": [1, 2], "lon": [1, 2], "author": ["x", "y"]}
    >>> [(found.code, found.rows) for found in overlap(train, test)]
    [('id_overlap', (2,)), ('author_overlap', (1,))]
    """
    known, asked = _marks(train, author), _marks(test, author)
    shared = {
        "id": leakage.shared_photos(asked, known),
        "author": leakage.shared_authors(asked, known),
        "coordinate": leakage.shared_places(asked, known),
    }
    found = []
    for what, rows in shared.items():
        if rows is None or not rows.any():
            continue
        noun, remedy = _SHARED[what]
        found.append(
            finding(
                f"{what}_overlap",
                "warning",
                f"{rows.sum()} of {len(rows)} test rows are {noun} that the training rows have too",
                remedy,
                rows=np.flatnonzero(rows)[:SHOWN],
                count=int(rows.sum()),
            )
        )
    if (unknown := leakage.not_compared(asked, known)) is not None:
        told, _, remedy = unknown.rpartition("; ")
        found.append(finding("author_not_compared", "warning", told, f"Please {remedy}."))
    return found


_SHARED = {
    "id": ("photos", "Remove them from the training rows."),
    "author": ("photos by photographers", "Split by photographer, or leave these out."),
    "coordinate": ("places", "Exclude a radius around the test from the training rows."),
}
"""What the rows are that two sets share, and the remedy."""


def _marks(source: Any, author: str | None) -> leakage.Marks:
    truth = source if isinstance(source, Truth) else read_truth(source)
    columns, where = truth.columns, truth.source.name
    who = author or find_named(truth.source.columns, AUTHOR_NAMES, "author", where)
    if who is not None and who not in truth.source.columns:
        msg = f"{where}: no column {who!r} for author; name the photographer's column with author="
        raise ValueError(msg)
    tables = (b.table for b in truth.source.batches([*columns.used(), *([who] if who else [])]))
    pair = (str(columns.lat), str(columns.lon))
    return leakage.marks(tables, id=columns.id, author=who, pair=pair)
