"""Turn rows of a prediction file into checked coordinates, each with a status.

==============  ==================================================================
status          meaning
==============  ==================================================================
``ok``          a finite pair in range
``ambiguous``   a pair parsed from text that offers several; it counts as an answer
``missing``     no row for the id, or nothing in its cells
``refused``     words that decline to say where the place is
``unparsable``  words without a coordinate pair
``invalid``     a pair that is no place: out of range, not finite, half, not numbers
==============  ==================================================================
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers, coords
from geodata.files import Batch, Columns

STATUSES = ("ok", "missing", "unparsable", "invalid", "ambiguous", "refused")
OK, MISSING, UNPARSABLE, INVALID, AMBIGUOUS, REFUSED = range(6)

LEVELS = ("country", "admin1", "city")
"""Levels of named regions that an answer may hold."""

_BLANK = r"(?i)^\s*(null|none|n/?a|-)?\s*$"
_NOT_FINITE = r"(?i)^\s*[+-]?(nan|inf|infinity)\s*$"


class CheckedRows(NamedTuple):
    """Checked coordinates of n rows; where ``answered`` is False they are NaN."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    status: NDArray[np.uint8]
    problems: dict[str, NDArray[np.bool_]]
    """Masks of what is wrong: 'half_missing', 'not_a_number', 'not_finite', 'out_of_range',
    'damaged', and 'lat_beyond_90', of which the last is a hint at swapped columns."""
    regions: dict[str, pa.Array]
    """Region names by level as text, found in the answer or given in columns."""
    distance_km: NDArray[np.float64] | None = None
    """Errors, NaN where there is none, of a file that has no coordinates; None otherwise."""


def check_rows(batch: Batch, columns: Columns) -> CheckedRows:
    """Return the coordinates of a batch, from its columns or parsed from its text.

    Examples
    --------
    >>> columns = Columns("id", "lat", "lon")
    >>> table = pa.table({"id": ["a", "b", "c"], "lat": ["1", "91", None], "lon": ["2", "0", ""]})
    >>> [STATUSES[code] for code in check_rows(Batch(table, {}), columns).status]
    ['ok', 'invalid', 'missing']
    """
    if columns.text is not None:
        rows = _from_text(batch.table.column(columns.text))
    elif columns.lat is None:
        rows = _from_names([batch.table.column(name) for _, name in columns.regions])
    else:
        rows = _from_columns(batch.table.column(columns.lat), batch.table.column(str(columns.lon)))
    for level, name in columns.regions:
        names = pc.cast(batch.table.column(name), pa.string())
        rows.regions[level] = names.combine_chunks()
    mark_damaged(rows, batch)
    return rows


def mark_damaged(rows: CheckedRows, batch: Batch) -> None:
    """Take away the answers of rows that do not fit the format of their file, in place."""
    if not batch.bad:
        return
    damaged = np.zeros(len(rows.status), bool)
    damaged[list(batch.bad)] = True
    rows.status[damaged] = INVALID
    rows.lat[damaged] = rows.lon[damaged] = np.nan
    if rows.distance_km is not None:
        rows.distance_km[damaged] = np.nan
    for mask in rows.problems.values():  # the damage says it all
        mask[damaged] = False
    rows.problems["damaged"] = damaged


_SIXTIETHS = re.compile(
    r"\s*[-+NSEWnsew]?\s*[0-9]{1,3}(?:\.[0-9]+)?\s*"
    r"(?:[°ºd]\s*(?:[0-9.]+\s*['′’m]\s*(?:[0-9.]+\s*(?:[\"″”s]|'')\s*)?)?[NSEWnsew]?|[NSEWnsew])\s*"
    r"|\s*[NSEWnsew]\s*[0-9]{1,3}(?:\.[0-9]+)?\s*"
)
"""A cell in degrees with a degree sign, minutes or a compass letter."""

_LONGEST_ANGLE = 60
"""Letters of such a cell."""


def _read_sixtieths(
    lat: pa.ChunkedArray,
    lon: pa.ChunkedArray,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
) -> None:
    """Put pairs written as ``48°51'30"N`` and ``2°17'40"E`` into the arrays, in place."""
    if not (pa.types.is_string(lat.type) and pa.types.is_string(lon.type)):
        return
    from geodata import answers

    for row in np.flatnonzero(_has_marks(lat)).tolist():
        cells = str(lat[row].as_py()), str(lon[row].as_py())
        if all(len(cell) <= _LONGEST_ANGLE and _SIXTIETHS.fullmatch(cell) for cell in cells):
            answer = answers.parse_tolerant(f"Latitude: {cells[0]}\nLongitude: {cells[1]}")
            if answer.status == "ok" and not answer.ambiguous:
                y[row], x[row] = answer.lat, answer.lon


def _has_marks(cells: pa.ChunkedArray) -> NDArray[np.bool_]:
    return buffers.flags(pc.match_substring_regex(cells, "[°ºNSEWnsew]"))


def _from_names(columns: list[pa.ChunkedArray]) -> CheckedRows:
    """Return rows that hold no coordinate yet: their names are looked up after the scan."""
    blank = np.logical_and.reduce([is_blank(pc.cast(c, pa.string())) for c in columns])
    none = np.full(len(blank), np.nan)
    status = np.where(blank, MISSING, UNPARSABLE).astype(np.uint8)
    return CheckedRows(none, none.copy(), status, {}, {})


def _from_columns(lat: pa.ChunkedArray, lon: pa.ChunkedArray) -> CheckedRows:
    y, x = places_in(lat, lon)
    checked = coords.arrays(y, x)
    status = np.where(checked.valid, OK, INVALID).astype(np.uint8)
    problems: dict[str, NDArray[np.bool_]] = {}
    if not checked.valid.all():
        rows = np.flatnonzero(~checked.valid)
        cells = lat.take(buffers.column(rows)), lon.take(buffers.column(rows))
        blanks = is_blank(cells[0]), is_blank(cells[1])
        status[rows[blanks[0] & blanks[1]]] = MISSING
        for code, mask in _problems(cells, (y[rows], x[rows]), blanks).items():
            problems[code] = np.zeros(len(y), bool)
            problems[code][rows] = mask
        checked.lat[rows] = checked.lon[rows] = np.nan
    return CheckedRows(checked.lat, checked.lon, status, problems, {})


def _problems(
    cells: tuple[pa.ChunkedArray, pa.ChunkedArray],
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    blanks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> dict[str, NDArray[np.bool_]]:
    """Say what is wrong with rows that hold no valid pair."""
    y, x = values
    half = blanks[0] ^ blanks[1]
    endless = (not_finite(cells[0], y) | not_finite(cells[1], x)) & ~half
    no_number = np.isnan(y) & ~blanks[0] | np.isnan(x) & ~blanks[1]
    finite = np.isfinite(y) & np.isfinite(x)
    beyond = (np.abs(y) > 90) & (np.abs(y) <= 360) & (np.abs(x) <= 90)
    return {
        "half_missing": half,
        "not_finite": endless,
        "not_a_number": no_number & ~endless & ~half,
        "out_of_range": finite,
        "lat_beyond_90": beyond,
    }


def places_in(
    lat: pa.ChunkedArray, lon: pa.ChunkedArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two columns as float64 degrees, NaN where a cell is no number and no angle.

    Examples
    --------
    >>> cells = (["1.5", "33°30'S"], ["2", "9°W"])
    >>> lat, lon = places_in(*(pa.chunked_array([column]) for column in cells))
    >>> lat.tolist(), lon.tolist()
    ([1.5, -33.5], [2.0, -9.0])
    """
    y, x = as_floats(lat), as_floats(lon)
    if np.isnan(y).any():
        y, x = (values if values.flags.writeable else values.copy() for values in (y, x))
        _read_sixtieths(lat, lon, y, x)
    return y, x


def as_floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column as float64, NaN where it is NULL or not a plain number.

    Examples
    --------
    >>> as_floats(pa.chunked_array([["1.5", "x", None]]))
    array([1.5, nan, nan])
    """
    column = coords.parse_numbers(column)
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        return np.full(len(column), np.nan)
    if kind != pa.float64():
        column = pc.cast(column, pa.float64(), safe=False)
    return buffers.numbers(column, absent=np.nan)


def is_blank(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return where a cell is NULL, empty or a word for nothing.

    Examples
    --------
    >>> is_blank(pa.chunked_array([["1.5", " ", None, "None", "nan"]]))
    array([False,  True,  True,  True, False])
    """
    if pa.types.is_string(column.type):
        return buffers.flags(pc.match_substring_regex(column, _BLANK), absent=True)
    return buffers.flags(pc.is_null(column))


def not_finite(column: pa.ChunkedArray, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a cell holds NaN or infinity rather than nothing."""
    if pa.types.is_string(column.type):
        words = buffers.flags(pc.match_substring_regex(column, _NOT_FINITE))
        return words | np.isinf(values)
    if not pa.types.is_floating(column.type):
        return np.zeros(len(values), bool)
    return ~np.isfinite(values) & buffers.flags(pc.is_valid(column))


def status_of_words(text: str) -> int:
    """Return what an answer without a coordinate is: nothing, refused, or not to be read.

    Examples
    --------
    >>> STATUSES[status_of_words("I cannot help with that.")], STATUSES[status_of_words("Paris")]
    ('refused', 'unparsable')
    """
    from geodata import answers

    if not text.strip():
        return MISSING
    return REFUSED if answers.declines(text) else UNPARSABLE


def _from_text(column: pa.ChunkedArray) -> CheckedRows:
    from geodata import answers

    texts = [v if isinstance(v, str) else None for v in column.to_pylist()]
    lat, lon = np.full(len(texts), np.nan), np.full(len(texts), np.nan)
    status = np.full(len(texts), MISSING, np.uint8)
    beyond = np.zeros(len(texts), bool)
    regions: dict[str, list[str | None]] = {level: [None] * len(texts) for level in LEVELS}
    for i, text in enumerate(texts):
        if text is None or not text.strip():
            continue
        answer = answers.parse_tolerant(text)
        for level, names in regions.items():
            names[i] = getattr(answer, level)
        if answer.status == "ok":
            lat[i], lon[i] = coords.scalar(answer.lat, answer.lon)
            status[i] = AMBIGUOUS if answer.ambiguous else OK
        else:
            beyond[i] = answer.status == "out_of_range"
            status[i] = INVALID if beyond[i] else status_of_words(text)
    named = {level: pa.array(names, pa.string()) for level, names in regions.items()}
    return CheckedRows(lat, lon, status, {"out_of_range": beyond}, named)
