"""What an answer is, however it was written."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CHARS = 65_536
"""Longest text that is read: `parse_strict` refuses more, `parse_tolerant` reads the end."""

BODY_CHARS = 16_384
"""Of what follows the thinking, `parse_tolerant` reads so many characters, from the end."""

STATUSES = {
    "ok": "one coordinate was read",
    "empty": "no text, or only white space",
    "no_answer": "text without a coordinate: a refusal, names only, placeholders",
    "several": "strict only: more than one valid pair",
    "range": "only ranges, such as 40°N-50°N",
    "out_of_range": "the only coordinate has |lat| > 90 or |lon| > 180",
    "malformed": "something like a coordinate that cannot be read as one",
    "truncated": "the text ends inside a coordinate",
    "too_long": "strict only: longer than MAX_CHARS",
    "not_text": "not a str",
}
"""Every value of `Answer.status` and what it means; ``lat`` is None unless it is ``'ok'``."""

HOWS = {
    "json": "under the keys of an object",
    "geojson": "a GeoJSON point",
    "labelled": "labelled latitude and longitude",
    "dms": "degrees and minutes",
    "compass": "degree signs or compass letters",
    "link": "a map link or a geo: address",
    "wkt": "a WKT point",
    "pair": "two plain numbers",
}
"""Every value of `Answer.how` and what it means."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One read answer.

    Attributes
    ----------
    lat, lon
        Degrees in [-90, 90] and [-180, 180], finite, never -0.0; None unless ``status`` is
        ``'ok'``.
    status
        A key of `STATUSES`.
    ambiguous
        True if a careful person could read another point, or none: several candidates far
        apart, ranges, longitude first, a sign against its hemisphere, (0, 0), a placeholder.
    country, admin1, city
        Names as written, None where the text names none.
    how
        In which layout the coordinate was written, a key of `HOWS`; None without one.

    Examples
    --------
    >>> Answer(status="no_answer", country="Japan").lat is None
    True
    """

    lat: float | None = None
    lon: float | None = None
    status: str = "no_answer"
    ambiguous: bool = False
    country: str | None = None
    admin1: str | None = None
    city: str | None = None
    how: str | None = None


def in_range(lat: float, lon: float) -> bool:
    """Return whether a pair is a place: latitude within ±90, longitude within ±180; False for NaN.

    Examples
    --------
    >>> in_range(-90.0, 180.0), in_range(45.0, 190.0), in_range(float("nan"), 0.0)
    (True, False, False)
    """
    return -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0
