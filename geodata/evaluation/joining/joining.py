"""Join two files by their ids: refuse what makes a score impossible, say what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.findings import Finding
from geodata.evaluation.joining import matches
from geodata.evaluation.joining.matches import (
    Scan,
    constant_answer,
    footer_finding,
    has_whole_number_ids,
    is_summary,
    looser_finding,
    only_reading,
    refuse_repeated,
    refuse_repeated_truth,
    scan_predictions,
    scan_truth,
    unmatched_findings,
    used_rows,
)
from geodata.evaluation.joining.named_answers import place_names
from geodata.evaluation.joining.sides import (
    Answers,
    Joined,
    Match,
    Predictions,
    Truth,
    distance_findings,
    read_predictions,
    read_truth,
)


def join(
    predictions: Any,
    truth: Any = None,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    match: Match = "auto",
    names: bool | None = None,
) -> Joined:
    """Put each truth row beside its prediction, exactly one row per truth row.

    Parameters
    ----------
    predictions
        What `read_predictions` returns, or its first argument.
    truth
        Path, table or data frame; None if the predictions' file holds the truth as well.
    id, lat, lon
        Columns of the truth; found by their usual names if None.
    match
        How ids are compared. 'exact': as text. 'stem': without folders and image ending;
        'flat': with ``_`` for the folder separator; 'number': ``3.2e9`` as an integer; 'trim':
        without outer white space; 'endings': like 'stem', but ``x.jpg.jpg`` loses both; 'case'
        and 'zeros': the same in lower case, or without leading zeros. 'auto': exact, unless one
        of the others is the only way that all ids match, which becomes a finding.
    names
        Whether a row without coordinates that names a country or a city stands for that place;
        None: only where no row of the predictions has coordinates.

    Raises
    ------
    geodata.files.FileError
        If a file cannot be read.
    geodata.evaluation.findings.PredictionError
        If an id occurs twice with different values, or the truth has no valid place for it.

    Examples
    --------
    >>> joined = join(
    ...     {"id": ["b", "a"], "lat": [1.0, None], "lon": [2.0, None]},
    ...     {"id": ["a", "b", "c"], "lat": [0, 0, 0], "lon": [0, 0, 0]},
    ... )
    >>> joined.table(["id", "pred_lat"]).to_pylist()
    [{'id': 'a', 'pred_lat': None}, {'id': 'b', 'pred_lat': 1.0}, {'id': 'c', 'pred_lat': None}]
    """
    if not isinstance(predictions, Predictions):
        predictions = read_predictions(predictions, with_truth=truth is None)
    if isinstance(truth, Truth):
        opened = truth
    elif truth is None:
        opened = read_truth(None, id=id, lat=lat, lon=lon, predictions=predictions)
    else:
        opened = read_truth(truth, id=id, lat=lat, lon=lon)
    return _join_opened(predictions, opened, match=match, names=names, same_file=truth is None)


def _join_opened(
    predictions: Predictions, truth: Truth, *, match: Match, names: bool | None, same_file: bool
) -> Joined:
    """Join two opened files, see `join`."""
    if match != "auto" and match not in matches.MODES:
        msg = f"match={match!r} is unknown; choose auto, {', '.join(matches.MODES)}"
        raise ValueError(msg)
    numeric = all(
        has_whole_number_ids(part.source, part.columns.id) for part in (predictions, truth)
    )
    theirs = Scan(truth.source, truth.columns.id, numeric)
    found = scan_truth(theirs, truth)
    ours = Scan(predictions.source, predictions.columns.id, numeric)
    checks = scan_predictions(ours, predictions)
    regions = {
        level: column
        for level, parts in ours.regions.items()
        if (column := pa.concat_arrays(parts)).null_count < len(column)
    }
    answers = Answers(
        ours.column_of("lat", np.float64),
        ours.column_of("lon", np.float64),
        ours.column_of("status", np.uint8),
        None if predictions.distance is None else ours.column_of("distance_km", np.float64),
    )
    answers = place_names(answers, regions, checks, names=names)
    if predictions.distance is not None:
        where = predictions.source.name
        found += distance_findings(predictions.distance, where, truth=truth.has_places)
    found += checks.findings()
    matched = None
    if not same_file:
        matched, answers = _match(theirs, truth, ours, answers, match, found)
    else:
        answers = answers.head(theirs.rows)
        if theirs.column is not None:
            keys = theirs.keys()
            if truth.has_places:
                refuse_repeated_truth(theirs, truth, keys, found)
            refuse_repeated(ours, keys, answers, found)
    found += constant_answer(answers.lat, answers.lon)
    cuts = tuple(len(part) for part in theirs.parts["lat"]) if theirs.parts else ()
    lat, lon = (theirs.column_of(name, np.float64)[: theirs.rows] for name in ("lat", "lon"))
    return Joined(
        truth, theirs.rows, found, lat, lon, cuts, matched,
        answers.lat, answers.lon, answers.status, regions, answers.distance_km,
    )  # fmt: skip


def _match(
    theirs: Scan,
    truth: Truth,
    ours: Scan,
    answers: Answers,
    match: Match,
    found: list[Finding],
) -> tuple[NDArray[np.int32], Answers]:
    mode: str = "exact" if match == "auto" else match
    true_keys, our_keys = theirs.keys(), ours.keys()
    if mode != "exact":
        true_keys, our_keys = theirs.reread(mode, theirs.rows), ours.reread(mode, ours.rows)
    matched = matches.find_rows(true_keys, our_keys)
    our_keys, answers = _without_footers(ours, our_keys, answers, matched, found)
    if match == "auto":
        looser = only_reading(theirs, ours, matched, found)
        if looser is not None:
            mode, true_keys, our_keys = looser
            matched = matches.find_rows(true_keys, our_keys)
    if mode != "exact":
        found.append(looser_finding(mode, matched))
    unique = refuse_repeated(ours, our_keys, answers, found)
    used = used_rows(matched, ours.rows)
    if not unique or np.count_nonzero(used) < theirs.rows:  # else each truth row has its own
        refuse_repeated_truth(theirs, truth, true_keys, found)
    del true_keys
    found += unmatched_findings(theirs, ours, matched, used, our_keys)
    return matched, answers


def _without_footers(
    ours: Scan,
    keys: NDArray[np.uint64],
    answers: Answers,
    matched: NDArray[np.int32],
    found: list[Finding],
) -> tuple[NDArray[np.uint64], Answers]:
    """Leave out last rows that summarise and are no photo of the truth."""
    footers = 0
    for row_id, _, damaged in reversed(ours.last):
        row = ours.rows - footers - 1
        if not is_summary(row_id, has_place=False, damaged=damaged) or bool((matched == row).any()):
            break
        footers += 1
    if not footers:
        return keys, answers
    found.append(footer_finding(ours.source.name, range(ours.rows - footers, ours.rows)))
    ours.rows -= footers
    return keys[: ours.rows], answers.head(ours.rows)
