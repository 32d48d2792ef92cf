"""Find the reading of ids under which two files match, where they do not as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.joining.matches import matching
from geodata.evaluation.joining.matches.scan import Scan
from geodata.evaluation.joining.matches.unmatched import used_rows

PROBED_ROWS = 1000
"""Ids of each file that are looked at to see whether a reading changes any."""


def only_reading(
    theirs: Scan, ours: Scan, matched: NDArray[np.int32], found: list[Finding]
) -> tuple[str, NDArray[np.uint64], NDArray[np.uint64]] | None:
    """Find the reading under which all ids of one side match, if text equality is not it."""
    if (matched >= 0).all():
        return None
    used = used_rows(matched, ours.rows)
    if used.all():
        return None
    lost = [ours.ids_at(np.flatnonzero(~used)[:PROBED_ROWS].tolist())]
    lost.append(theirs.ids_at(np.flatnonzero(matched < 0)[:PROBED_ROWS].tolist()))
    probe = pa.array([name for names in lost for name in names], pa.string())
    best, best_count = "", int(np.count_nonzero(matched >= 0))
    for mode, read in matching.MODES.items():
        if read is None or pc.all(pc.equal(read(probe), probe)).as_py():
            continue
        if mode == "zeros" and not (_is_padded(theirs) and _is_padded(ours)):
            continue
        true_keys, our_keys = theirs.reread(mode, theirs.rows), ours.reread(mode, ours.rows)
        again = matching.find_rows(true_keys, our_keys)
        all_match = (again >= 0).all() or used_rows(again, ours.rows).all()
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


def _is_padded(scan: Scan) -> bool:
    """Return whether ids with a leading zero are all of one length, as padded numbers are."""
    ids = pa.array(scan.ids_at(range(min(PROBED_ROWS, scan.rows))), pa.string())
    plain = matching.without_endings(ids.drop_null()).to_pylist()
    zeros = any(name.startswith("0") and len(name) > 1 for name in plain)
    return not zeros or len({len(name) for name in plain}) == 1


def looser_finding(mode: str, matched: NDArray[np.int32]) -> Finding:
    """Say that ids were not compared as text."""
    what = {
        "trim": "without the white space around them",
        "stem": "without folders and image endings",
        "flat": "with '_' for the folder separator and without image endings",
        "endings": "without folders and without all their image endings",
        "case": "in lower case, without folders and image endings",
        "zeros": "without leading zeros, folders and image endings",
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


def _merges(keys: NDArray[np.uint64]) -> bool:
    return len(matching.repeated(keys, matching.row_bits(len(keys)))[0]) > 0
