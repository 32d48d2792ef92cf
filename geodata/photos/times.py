"""When a photo was taken, as ISO 8601 text, from whatever the sources write."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_DATE = r"^(\d{4})[-:/](\d{2})[-:/](\d{2})"
_TIME = r"[T +]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,9})?"
_ZONE = r" ?(?:([+-](?:[01]\d|2[0-3])):?([0-5]\d)|(Z))?$"
"""A clock and an offset that there can be, whatever the other rows are: days are judged below."""

_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800
"""Their beginnings, in seconds since 1970."""


def iso_times(column: pa.Array) -> pa.Array:
    """Return times as ISO 8601 text to the second, NULL where they are none.

    ``2012-05-18T17:11:13`` without a zone where the source has none: local time of an unknown
    zone. Whole numbers are seconds since 1970, above 10^11 milliseconds, and end in ``Z``, as do
    timestamps with a zone. A date without a time stays a date.

    Parameters
    ----------
    column
        Text (ISO 8601, EXIF ``2012:05:18 17:11:13``, or digits), numbers, dates, timestamps.

    Examples
    --------
    >>> iso_times(pa.array(["2012:05:18 17:11:13", "2012-02-30", "1337361073", "x"])).to_pylist()
    ['2012-05-18T17:11:13', None, '2012-05-18T17:11:13Z', None]
    """
    kind = column.type
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_date(kind):
        return pc.utf8_slice_codeunits(_stamps(pc.cast(column, pa.timestamp("ms")), ""), 0, 10)
    if pa.types.is_timestamp(kind):
        return _stamps(pc.cast(column, pa.timestamp(kind.unit)), "Z" if kind.tz else "")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _epochs(pc.cast(column, pa.float64(), safe=False))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return pa.nulls(len(column), pa.string())
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    digits = pc.match_substring_regex(texts, r"^\d{9,13}$")
    dates = _checked_dates(_dates(texts))
    if not pc.any(digits).as_py():
        return dates
    numbers = pc.cast(pc.if_else(digits, texts, None), pa.float64())
    return pc.coalesce(dates, _epochs(numbers))


def _dates(texts: pa.Array) -> pa.Array:
    full = pc.match_substring_regex(texts, _DATE + _TIME + _ZONE)
    day = pc.match_substring_regex(texts, _DATE + "$")
    times = pc.replace_substring_regex(
        pc.if_else(full, texts, None), _DATE + _TIME + _ZONE, r"\1-\2-\3T\4:\5:\6\7:\8\9"
    )
    # without an offset its colon stands alone: at the end, or before the letter
    times = pc.replace_substring_regex(times, r"(T\d{2}:\d{2}:\d{2}):(Z?)$", r"\1\2")
    days = pc.replace_substring_regex(pc.if_else(day, texts, None), _DATE + "$", r"\1-\2-\3")
    return pc.coalesce(times, days)


def _checked_dates(dates: pa.Array) -> pa.Array:
    """Leave out days that no calendar has, such as 0000-00-00 or February 30."""
    dates = pc.if_else(pc.starts_with(dates, "0000"), None, dates)  # a year to Arrow alone
    heads = pc.utf8_slice_codeunits(dates, 0, 19)
    try:
        pc.cast(heads, pa.timestamp("s"))
    except pa.ArrowInvalid:
        words = dates.dictionary_encode()
        known = [word if _is_date(word) else None for word in words.dictionary.to_pylist()]
        return pa.array(known, pa.string()).take(words.indices)
    return dates


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _epochs(numbers: pa.Array) -> pa.Array:
    values = np.asarray(pc.fill_null(numbers, np.nan))
    seconds = np.where(np.abs(values) > 1e11, values / 1000.0, values)
    known = np.isfinite(seconds) & (seconds > 0) & (seconds < _YEAR_10000)
    whole = np.floor(np.where(known, seconds, 0)).astype(np.int64)
    return _with_letter(pa.array(whole, mask=~known), "Z")


def _stamps(moments: pa.Array, letter: str) -> pa.Array:
    whole = pc.floor_temporal(moments, unit="second")
    return _with_letter(pc.cast(pc.cast(whole, pa.timestamp("s")), pa.int64()), letter)


def _with_letter(seconds: pa.Array, letter: str) -> pa.Array:
    """Return seconds since 1970 as text, NULL before the year 1 and behind 9999."""
    known = pc.and_(pc.greater_equal(seconds, _YEAR_1), pc.less(seconds, _YEAR_10000))
    seconds = pc.if_else(known, seconds, None)
    texts = pc.cast(pc.cast(seconds, pa.timestamp("s")), pa.string())
    return pc.binary_join_element_wise(pc.replace_substring(texts, " ", "T"), letter, "")
