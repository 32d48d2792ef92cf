"""Cheap checks that see every row of a prediction file once, while it is being read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.evaluation.findings import SHOWN, Finding, Severity, finding
from geodata.evaluation.joining.matches.matching import looks_float
from geodata.evaluation.joining.sides import (
    AMBIGUOUS,
    MISSING,
    OK,
    REFUSED,
    UNPARSABLE,
    CheckedRows,
)

SWAPPED_SHARE = 0.05
CONSTANT_SHARE = 0.2
CONSTANT_ROWS = 5
CONSTANT_SAMPLE = 100_000

_RUN = "123456789"
_RUN_TENTHS = (12, 23, 34, 45, 56, 67, 123, 234, 345, 456, 567, 678, 1234)
"""Tenths of a degree that hold a number of four digits or more that count upwards."""

_SUMMARY = re.compile(
    r"(avg|average|mean|median|total|overall|summary)( .{0,40}|:)?", re.IGNORECASE
)
_SUMMARY_LIKE = re.compile(
    r"(avg|average|mean|median|total|overall|summary|sum|std|min|max|count|all|acc|accuracy|rows?)"
    r"([ _:@%.<=-].{0,80}|[0-9].{0,80})?",
    re.IGNORECASE | re.DOTALL,
)

_ROW_FINDINGS: dict[str, tuple[Severity, str, str]] = {
    "damaged": (
        "warning",
        "{n} rows do not fit the format of the file ({reason}) and count as wrong",
        "Quote fields that hold commas or line breaks; write JSON with a JSON library.",
    ),
    "half_missing": (
        "warning",
        "{n} rows have a latitude without a longitude or the reverse, and count as wrong",
        "Write both or neither.",
    ),
    "not_a_number": (
        "warning",
        "{n} rows hold coordinates that are not plain decimal numbers, and count as wrong",
        "Write decimal degrees with a point, such as -33.8568, or give the column as text=.",
    ),
    "not_finite": (
        "warning",
        "{n} rows hold NaN or infinity, and count as wrong",
        "Leave the cells of an unanswered row empty.",
    ),
    "out_of_range": (
        "warning",
        "{n} rows lie outside latitude [-90, 90] or longitude [-360, 360], and count as wrong",
        "Write degrees; look whether latitude and longitude were swapped.",
    ),
    "no_distance": (
        "warning",
        "{n} rows hold distances that are not plain decimal numbers, and count as wrong",
        "Write kilometres with a point, such as 12.5, and no unit in the cell.",
    ),
    "distance_range": (
        "warning",
        "{n} rows hold distances below 0 or beyond half of the Earth's circumference, and count "
        "as wrong",
        "Look at the unit: --distance-unit m reads metres.",
    ),
    "unparsable": (
        "warning",
        "{n} texts hold no coordinate pair that can be read, and count as wrong",
        "Ask the model for (latitude, longitude) in decimal degrees.",
    ),
    "refused": (
        "info",
        "{n} answers decline to say where the photo was taken, and count as wrong",
        "Nothing to do if the model refused; the result counts them apart.",
    ),
    "named_answers": (
        "info",
        "{n} answers are names and stand for the places that these have: {reason}",
        "Nothing to do; give coordinates for a score that depends on no gazetteer.",
    ),
    "unresolved_names": (
        "warning",
        "{n} answers name no place that the gazetteer knows, and count as wrong: {reason}",
        "Write one city and its country; geodata geocode NAME tells what is known.",
    ),
    "empty_answers": (
        "info",
        "{n} rows hold no answer, and count as wrong",
        "Nothing to do if the model did not answer.",
    ),
    "null_island": (
        "warning",
        "{n} answers are exactly (0, 0), which is what a failed parse often becomes",
        "Leave the cells of an unanswered row empty, then it is counted as missing.",
    ),
    "placeholder": (
        "warning",
        "{n} answers echo a placeholder such as (12.3456, 123.4567)",
        "Show the model an example that is no coordinate, such as (latitude, longitude).",
    ),
    "float_ids": (
        "warning",
        "{n} ids are written as floating-point numbers, such as {reason}",
        "Read ids as text before writing the file; pass match='number' to read them as integers.",
    ),
}


@dataclass
class RowChecks:
    """Collects what is odd about single rows; add batches in order, then ask for findings."""

    rows: int = 0
    answered: int = 0
    lon_beyond_90: int = 0
    count: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)
    reason: dict[str, str] = field(default_factory=dict)

    def add(self, rows: CheckedRows, bad: Mapping[int, str] | None = None) -> None:
        """Look at the next rows."""
        answered = (rows.status == OK) | (rows.status == AMBIGUOUS)
        for code, mask in rows.problems.items():
            self.note(code, mask)
        if bad:
            self.reason.setdefault("damaged", next(iter(bad.values())))
        if not answered.all():
            self.note("unparsable", rows.status == UNPARSABLE)
            self.note("refused", rows.status == REFUSED)
            self.note("empty_answers", rows.status == MISSING)
        self.note("null_island", (rows.lat == 0) & (rows.lon == 0))
        self.lon_beyond_90 += int(np.count_nonzero(np.abs(rows.lon) > 90))
        self.note("placeholder", placeholders(rows.lat, rows.lon))
        self.answered += int(np.count_nonzero(answered))
        self.rows += len(rows.status)

    def note(self, code: str, mask: NDArray[np.bool_], reason: str = "") -> None:
        """Count the rows of the current batch where ``mask`` is True."""
        found = int(np.count_nonzero(mask))
        if not found:
            return
        self.count[code] = self.count.get(code, 0) + found
        first = self.first.setdefault(code, [])
        if len(first) < SHOWN:
            first += (np.flatnonzero(mask)[: SHOWN - len(first)] + self.rows).tolist()
        if reason:
            self.reason.setdefault(code, reason)

    def recount(self, code: str, rows: NDArray[np.int64], reason: str = "") -> None:
        """Replace what was noted under a code by these rows of the whole file."""
        self.count[code] = len(rows)
        self.first[code] = rows[:SHOWN].tolist()
        self.reason[code] = reason

    def findings(self) -> list[Finding]:
        """Return what was found, in a fixed order."""
        out = []
        swapped = self.count.get("lat_beyond_90", 0)
        with_numbers = self.answered + self.count.get("out_of_range", 0)
        if swapped and swapped >= SWAPPED_SHARE * with_numbers and not self.lon_beyond_90:
            out.append(
                finding(
                    "swapped_columns",
                    "error",
                    f"{swapped} of {with_numbers} rows have |latitude| > 90 and no longitude has: "
                    "the columns are swapped",
                    "Swap the headers, or name the columns with lat= and lon=.",
                    rows=self.first["lat_beyond_90"],
                    count=swapped,
                )
            )
        for code, (severity, message, remedy) in _ROW_FINDINGS.items():
            if n := self.count.get(code, 0):
                text = message.format(n=n, reason=self.reason.get(code, ""))
                out.append(finding(code, severity, text, remedy, rows=self.first[code], count=n))
        return out


def placeholders(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where both numbers count upwards, as 12.3456 and 123.4567 do.

    Parameters
    ----------
    lat, lon : shape (n,), degrees

    Examples
    --------
    >>> placeholders(np.array([12.3456, 12.3, 48.85]), np.array([-123.4567, 45.678, 2.35]))
    array([ True, False, False])
    """
    rows = np.flatnonzero(_may_count_up(lat))
    rows = rows[_may_count_up(lon[rows])]
    hit = np.zeros(len(lat), bool)
    hit[[row for row in rows if _counts_up(lat[row]) and _counts_up(lon[row])]] = True
    return hit


def _may_count_up(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Cut to the few tenths of a degree that hold a number whose digits count upwards."""
    return np.isin(np.floor(np.abs(values) * 10), _RUN_TENTHS)


def _counts_up(value: np.float64) -> bool:
    digits = f"{abs(float(value))!r}".replace(".", "")
    return len(digits) >= 4 and digits in _RUN


def constant_answer(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> list[Finding]:
    """Report a pair that very many rows answer.

    Parameters
    ----------
    lat, lon : shape (n,), degrees
        NaN where there is no answer.
    """
    step = max(1, len(lat) // CONSTANT_SAMPLE)
    pairs = np.stack([lat[::step], lon[::step]], axis=1)
    pairs = pairs[~np.isnan(pairs[:, 0])]
    if len(pairs) < CONSTANT_ROWS:
        return []
    # as complex numbers pairs are sorted by latitude, then longitude, twenty times as fast
    values, counts = np.unique(pairs.view(np.complex128), return_counts=True)
    most = values[counts.argmax()]
    y, x = most.real, most.imag
    same = (lat == y) & (lon == x)
    n, answered = int(same.sum()), int(np.count_nonzero(~np.isnan(lat)))
    if n < CONSTANT_ROWS or n < CONSTANT_SHARE * answered or (y == 0 and x == 0):
        return []
    return [
        finding(
            "constant_answer",
            "warning",
            f"{n} of {answered} answers are the same place ({float(y)}, {float(x)})",
            "Look whether a default or a cached answer was written.",
            rows=np.flatnonzero(same)[:SHOWN],
            count=n,
        )
    ]


def is_summary(row_id: str | None, *, has_place: bool, damaged: bool = False) -> bool:
    """Return whether a last row's id is that of a summary rather than of a photo.

    Parameters
    ----------
    row_id
        The id; None where the cell is empty.
    has_place
        Whether the row has valid coordinates; then only a plain word for a summary will do.
    damaged
        Whether the row could not be read; then an absent id says nothing.

    Examples
    --------
    >>> [is_summary(v, has_place=False) for v in ("Average", None, "acc@25km", "7.jpg")]
    [True, True, True, False]
    >>> is_summary("max_planck.jpg", has_place=True)
    False
    """
    if row_id is None or not row_id.strip():
        return not damaged
    pattern = _SUMMARY if has_place else _SUMMARY_LIKE
    return pattern.fullmatch(row_id.strip()) is not None


def float_ids(ids: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.bool_], str]:
    """Return which text ids are written as floats, and the first of them."""
    mask = looks_float(ids)
    return mask, repr(ids[int(np.argmax(mask))].as_py()) if mask.any() else ""
