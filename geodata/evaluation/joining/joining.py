"""Match scanned ids, refuse what makes a score impossible, say what else does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, PredictionError, finding
from geodata.evaluation.joining import matching
from geodata.evaluation.joining.joined import Joined, Match, Predictions, Truth
from geodata.evaluation.joining.opening import read_predictions, read_truth
from geodata.evaluation.joining.row_checks import constant_answer, is_summary
from geodata.evaluation.joining.scan import (
    Scan,
    footer_finding,
    has_whole_number_ids,
    scan_predictions,
    scan_truth,
)

PROBED_ROWS = 1000


class _Answers(NamedTuple):
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    status: NDArray[np.uint8]

    def head(self, rows: int) -> _Answers:
        return _Answers(self.lat[:rows], self.lon[:rows], self.status[:rows])


def join_opened(predictions: Predictions, truth: Truth, *, match: Match, same_file: bool) -> Joined:
    """Join two opened files, see `geodata.evaluation.joining.opening.join`."""
    if match != "auto" and match not in matching.MODES:
        msg = f"match={match!r} is unknown; choose auto, {', '.join(matching.MODES)}"
        raise ValueError(msg)
    numeric = match in ("auto", "exact") and all(
        has_whole_number_ids(part.source, part.columns.id) for part in (predictions, truth)
    )
    theirs = Scan(truth.source, truth.columns.id, numeric)
    found = scan_truth(theirs, truth)
    ours = Scan(predictions.source, predictions.columns.id, numeric)
    found += scan_predictions(ours, predictions).findings()
    answers = _Answers(
        ours.column_of("lat", np.float64),
        ours.column_of("lon", np.float64),
        ours.column_of("status", np.uint8),
    )
    matched = None
    if not same_file:
        matched, answers = _match(theirs, truth, ours, answers, match, found)
    else:
        answers = answers.head(theirs.rows)
        if theirs.column is not None:
            keys = theirs.keys()
            _refuse_repeated_truth(theirs, truth, keys, found)
            _refuse_repeated(ours, keys, answers, found)
    found += constant_answer(answers.lat, answers.lon)
    regions = {
        level: names
        for level, parts in ours.regions.items()
        if (names := pa.concat_arrays(parts)).null_count < len(names)
    }
    return Joined(truth, theirs.rows, found, matched, *answers, regions)


def _match(
    theirs: Scan,
    truth: Truth,
    ours: Scan,
    answers: _Answers,
    match: Match,
    found: list[Finding],
) -> tuple[NDArray[np.int32], _Answers]:
    mode: str = "exact" if match == "auto" else match
    true_keys, our_keys = theirs.keys(), ours.keys()
    if mode != "exact":
        true_keys, our_keys = theirs.reread(mode, theirs.rows), ours.reread(mode, ours.rows)
    matched = matching.lookup(true_keys, our_keys)
    our_keys, answers = _without_footers(ours, our_keys, answers, matched, found)
    if match == "auto":
        looser = _only_way(theirs, ours, matched, found)
        if looser is not None:
            mode, true_keys, our_keys = looser
            matched = matching.lookup(true_keys, our_keys)
    if mode != "exact":
        found.append(_looser_finding(mode, matched))
    unique = _refuse_repeated(ours, our_keys, answers, found)
    used = _used(matched, ours.rows)
    if not unique or np.count_nonzero(used) < theirs.rows:  # else each truth row has its own
        _refuse_repeated_truth(theirs, truth, true_keys, found)
    del true_keys
    found += _unmatched(theirs, ours, matched, used, our_keys)
    return matched, answers


def _without_footers(
    ours: Scan,
    keys: NDArray[np.uint64],
    answers: _Answers,
    matched: NDArray[np.int32],
    found: list[Finding],
) -> tuple[NDArray[np.uint64], _Answers]:
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


def _used(matched: NDArray[np.int32], rows: int) -> NDArray[np.bool_]:
    used = np.zeros(rows, bool)
    used[matched[matched >= 0]] = True
    return used


def _only_way(
    theirs: Scan, ours: Scan, matched: NDArray[np.int32], found: list[Finding]
) -> tuple[str, NDArray[np.uint64], NDArray[np.uint64]] | None:
    """Find the reading under which all ids of one side match, if text equality is not it."""
    if (matched >= 0).all():
        return None
    used = _used(matched, ours.rows)
    if used.all():
        return None
    lost = [ours.ids_at(np.flatnonzero(~used)[:PROBED_ROWS].tolist())]
    lost.append(theirs.ids_at(np.flatnonzero(matched < 0)[:PROBED_ROWS].tolist()))
    probe = pa.array([name for names in lost for name in names], pa.string())
    best, best_count = "", int(np.count_nonzero(matched >= 0))
    for mode, read in matching.MODES.items():
        if read is None or pc.all(pc.equal(read(probe), probe)).as_py():
            continue
        true_keys, our_keys = theirs.reread(mode, theirs.rows), ours.reread(mode, ours.rows)
        again = matching.lookup(true_keys, our_keys)
        all_match = (again >= 0).all() or _used(again, ours.rows).all()
        if all_match and not _merges(true_keys) and not _merges(our_keys):
            return mode, true_keys, our_keys
        if np.count_nonzero(again >= 0) > best_count:
            best, best_count = mode, int(np.count_nonzero(again >= 0))
    if best:
        n = int(np.count_nonzero(matched >= 0))
        found.append(
            finding(
                "ids_match_otherwise",
                "warning",
                f"{n} of {theirs.rows} truth ids match as text, {best_count} as {best!r}",
                f"Pass match={best!r} if that is what the ids mean.",
                count=best_count - n,
            )
        )
    return None


def _merges(keys: NDArray[np.uint64]) -> bool:
    return len(matching.repeated(keys, matching.row_bits(len(keys)))[0]) > 0


def _looser_finding(mode: str, matched: NDArray[np.int32]) -> Finding:
    what = {
        "trim": "without the white space around them",
        "stem": "without folders and image endings",
        "flat": "with '_' for the folder separator and without image endings",
        "number": "as whole numbers, though some are written as floats",
    }[mode]
    n = int(np.count_nonzero(matched >= 0))
    return finding(
        f"ids_matched_by_{mode}",
        "warning",
        f"ids were compared {what}; {n} match so",
        "Write the ids of the truth into the prediction file.",
        count=n,
    )


def _refuse_repeated(
    ours: Scan, keys: NDArray[np.uint64], answers: _Answers, found: list[Finding]
) -> bool:
    """Return whether all ids differ."""
    later, first = matching.repeated(keys, matching.row_bits(len(keys)))
    if not len(later):
        return True
    same = answers.status[later] == answers.status[first]
    for values in (answers.lat, answers.lon):
        same &= (values[later] == values[first]) | np.isnan(values[later]) & np.isnan(values[first])
    _report_repeated(ours, later, first, same, "answers", found)
    return False


def _refuse_repeated_truth(
    theirs: Scan, truth: Truth, keys: NDArray[np.uint64], found: list[Finding]
) -> None:
    later, first = matching.repeated(keys, matching.row_bits(len(keys)))
    if not len(later):
        return
    places = theirs.places(truth.columns, np.union1d(later, first))
    same = np.array([places[a] == places[b] for a, b in zip(later, first, strict=True)], bool)
    _report_repeated(theirs, later, first, same, "places", found)


def _report_repeated(
    scan: Scan,
    later: NDArray[np.int64],
    first: NDArray[np.int64],
    same: NDArray[np.bool_],
    what: str,
    found: list[Finding],
) -> None:
    if same.all():
        found.append(
            finding(
                "duplicate_ids",
                "warning",
                f"{scan.source.name}: {len(later)} rows repeat an id with equal {what}",
                "Write each id once.",
                rows=later[:SHOWN],
                count=len(later),
            )
        )
        return
    rows, firsts = later[~same], first[~same]
    name = scan.ids_at([int(rows[0])])[0]
    raise PredictionError(
        finding(
            "duplicate_ids",
            "error",
            f"{scan.source.name}: {len(rows)} rows repeat an id with other {what}: {name!r} is in "
            f"rows {firsts[0] + 1} and {rows[0] + 1}",
            "Keep one row an id.",
            rows=rows[:SHOWN],
            count=len(rows),
        )
    )


def _unmatched(
    theirs: Scan,
    ours: Scan,
    matched: NDArray[np.int32],
    used: NDArray[np.bool_],
    keys: NDArray[np.uint64],
) -> list[Finding]:
    found: list[Finding] = []
    absent = np.flatnonzero(matched < 0)
    if not used.all():
        later, first = matching.repeated(keys, matching.row_bits(len(keys)))
        used[later] |= used[first]
    extra = np.flatnonzero(~used)
    if len(absent) == theirs.rows and theirs.rows and ours.rows:
        names = theirs.ids_at([0]) + ours.ids_at([0])
        found.append(
            finding(
                "no_ids_match",
                "error",
                f"no id of {ours.source.name} is one of the truth; the truth's first is "
                f"{names[0]!r}, the predictions' first is {names[1]!r}",
                "Name the id columns with id=, or pass match='stem', 'flat' or 'number'.",
                count=theirs.rows,
            )
        )
    if len(absent):
        found.append(
            finding(
                "missing_predictions",
                "warning",
                f"{len(absent)} of {theirs.rows} truth rows have no prediction and count as "
                f"wrong: {_some(theirs, absent)}",
                "Predict every row, or leave it: coverage is printed beside accuracy.",
                rows=absent[:SHOWN],
                count=len(absent),
            )
        )
    if len(extra):
        found.append(
            finding(
                "extra_predictions",
                "warning",
                f"{len(extra)} of {ours.rows} predictions are for ids that the truth does not "
                f"have: {_some(ours, extra)}",
                "Look whether the truth file is the one that was predicted.",
                rows=extra[:SHOWN],
                count=len(extra),
            )
        )
    return found


def _some(scan: Scan, rows: Sequence[int] | NDArray[np.int64]) -> str:
    names = scan.ids_at([int(row) for row in rows[:3]])
    return ", ".join(repr(name[:60]) for name in names) + (", ..." if len(rows) > 3 else "")


def join(
    predictions: Any,
    truth: Any = None,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    match: Match = "auto",
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
        without outer white space. 'auto': exact, unless one of the others is the only way
        that all ids match, which becomes a finding.

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
    return join_opened(predictions, opened, match=match, same_file=truth is None)
