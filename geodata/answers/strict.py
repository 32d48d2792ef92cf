"""The answer that is taught and rewarded: Geo-R's four lines, and Eq. 6 to check them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from geodata import coords
from geodata.answers.contract import BODY_CHARS, MAX_CHARS, Answer, in_range

MAX_NAME = 200
"""Longest name that `render` writes, in characters; the longest place name in use has 168."""

MAX_DECIMALS = 40
"""Most decimals that the strict reading takes and `render` writes."""

_NUMBER = rf"([+-]?[0-9]{{1,3}}\.[0-9]{{1,{MAX_DECIMALS}}})"
_GAP = r"[ \t\r\n]{0,16}"
_PAIR = re.compile(rf"\({_GAP}{_NUMBER}{_GAP},{_GAP}{_NUMBER}{_GAP}\)")
# What some readers of Eq. 6 would let pass: whole numbers, exponents, a typographic minus.
_LOOSE_NUMBER = r"([+\-−–]?[0-9]{1,3}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?)"
_LOOSE_PAIR = re.compile(rf"\({_GAP}{_LOOSE_NUMBER}{_GAP},{_GAP}{_LOOSE_NUMBER}{_GAP}\)")
_LON_FIRST = re.compile(r"\blon(?:gitude)?\s{0,2},\s{0,2}lat(?:itude)?\b", re.I)
_KEYED_LAT = re.compile(
    r"[\"']lat(?:itude)?[\"']\s{0,4}:\s{0,4}[\"']?([+-]?[0-9]{1,3}\.[0-9]{1,40})"
)
_LINE = re.compile(
    r"^[ \t]{0,8}(?:(country)"
    r"|(state(?: / administrative region)?|(?:administrative )?region|province)"
    r"|(city(?: or place)?|place|town)):[ \t]{0,8}(.*)$",
    re.I | re.M | re.A,
)


def render(
    country: str | None,
    admin1: str | None,
    city: str | None,
    lat: float,
    lon: float,
    *,
    decimals: int = 6,
    round_degrees: float = 0.0,
) -> str:
    r"""Return the Chain-of-Region answer of Geo-R, the one text that a model is taught.

    A level without a name is left out. White space and control characters in a name become
    one space, a coordinate pair hidden in a name loses its parentheses, and a name is cut at
    `MAX_NAME`, so ``parse_strict`` always reads back what was rendered.

    Parameters
    ----------
    country, admin1, city
        Names, or None.
    lat, lon
        Degrees; the longitude is wrapped into [-180, 180).
    decimals
        Of the coordinates, six for 0.1 m; at least 1 and at most 40 are written, since the
        strict reading asks for a decimal point.
    round_degrees
        Round the coordinates to multiples of this before, which a small model learns sooner;
        0 does not.

    Raises
    ------
    TypeError, ValueError
        If the coordinate is not one, see `geodata.coords.scalar`.

    References
    ----------
    Geo-R, arXiv 2601.00388, Chain of Region.

    Examples
    --------
    >>> print(render("France", "Île-de-France", None, 48.8584, 2.2945))
    Country: France
    State: Île-de-France
    Coordinates: (48.858400, 2.294500)
    >>> render("Nowhere\nCity: (1.0, 2.0)", None, None, 0, -0.0)
    'Country: Nowhere City: 1.0 2.0\nCoordinates: (0.000000, 0.000000)'
    >>> render(None, None, None, 89.6, 179.6, decimals=1, round_degrees=1)
    'Coordinates: (90.0, -180.0)'
    """
    y, x = coords.scalar(lat, lon)
    if round_degrees:
        y, x = (round(degrees / round_degrees) * round_degrees for degrees in (y, x))
    named = (("Country", country), ("State", admin1), ("City", city))
    lines = [f"{level}: {clean}" for level, name in named if (clean := clean_name(name))]
    places = min(max(decimals, 1), MAX_DECIMALS)
    # Rounding can lead past a pole, and to 180, which is -180; adding zero turns -0.0 into 0.0.
    y = min(max(round(y, places), -90.0), 90.0) + 0.0
    x = coords.wrap_lon(round(x, places)) + 0.0
    lines.append(f"Coordinates: ({y:.{places}f}, {x:.{places}f})")
    return "\n".join(lines)


def clean_name(name: str | None) -> str:
    r"""Return a name fit for one line of an answer, empty for None.

    Examples
    --------
    >>> clean_name(" Cocos (Keeling)\x85Islands\u2028(12.5, 96.8) ")
    'Cocos (Keeling) Islands 12.5 96.8'
    """
    text = " ".join((name or "")[: 4 * MAX_NAME].split())
    if not text.isprintable():
        kept = (c for c in text if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp"))
        text = " ".join("".join(kept).split())
    # The blank between the two numbers keeps the rest from closing into another pair.
    return _PAIR.sub(r"\1 \2", text)[:MAX_NAME].strip()


def strict_pair(text: str) -> tuple[float, float] | None:
    """Return the one valid decimal pair of a text, or None: the reading of Geo-R Eq. 6.

    This is all that a reward needs of `parse_strict`, which agrees with it.

    Examples
    --------
    >>> strict_pair("Coordinates: (43.452002, 142.615358)")
    (43.452002, 142.615358)
    >>> strict_pair("(48.8584, 2.2945) or (45.7640, 4.8357)") is None
    True
    """
    if len(text) > MAX_CHARS:
        return None
    found = None
    for pair in map(_floats, _PAIR.findall(text)):
        if in_range(*pair):
            if found is not None:
                return None
            found = pair
    return found


def _floats(pair: tuple[str, str]) -> tuple[float, float]:
    return float(pair[0]) + 0.0, float(pair[1]) + 0.0


def parse_strict(text: Any) -> Answer:
    r"""Read an answer by Geo-R Eq. 6: exactly one valid decimal pair in parentheses.

    A valid decimal pair is ``(lat, lon)`` in ASCII: an optional sign, one to three digits, a
    decimal point, one to 40 digits; the numbers separated by a comma; ``-90 <= lat <= 90`` and
    ``-180 <= lon <= 180``. White space may stand inside the parentheses and nothing else may. Whole
    numbers, exponents, degree signs, decimal commas, a typographic minus and digits of other
    scripts are not such a pair. Pairs that are no place, such as ``(1887, 1889)``, do not
    count. The same pair written twice is two pairs.

    Parameters
    ----------
    text
        The completion; anything that is not a str gives status ``'not_text'``.

    Returns
    -------
    Answer
        ``status`` is ``'ok'``, ``'empty'``, ``'no_answer'``, ``'several'``,
        ``'out_of_range'``, ``'malformed'``, ``'too_long'`` or ``'not_text'``. ``ambiguous``
        says that another reader of Eq. 6 could decide otherwise. The names are the last
        ``Country:``, ``State:`` and ``City:`` lines, as written.

    References
    ----------
    Geo-R, arXiv 2601.00388, Eq. 6.

    Examples
    --------
    >>> answer = parse_strict("Country: Japan\nCity: Biei\nCoordinates: (43.452002, 142.615358)")
    >>> answer.lat, answer.lon, answer.country, answer.admin1, answer.city
    (43.452002, 142.615358, 'Japan', None, 'Biei')
    >>> parse_strict("(48, 2)").status, parse_strict("(95.1, 10.5)").status
    ('malformed', 'out_of_range')
    >>> parse_strict("(16.5, 180.0) (90.0, 0.0)").status
    'several'
    """
    if not isinstance(text, str):
        return Answer(status="not_text")
    if len(text) > MAX_CHARS:
        return Answer(status="too_long")
    country, admin1, city = _line_names(text)
    pair = strict_pair(text)
    if pair is None:
        status, ambiguous = _why_not(text)
        return Answer(None, None, status, ambiguous, country, admin1, city)
    return Answer(pair[0], pair[1], "ok", _is_debatable(text, pair), country, admin1, city, "pair")


def _line_names(text: str) -> tuple[str | None, str | None, str | None]:
    names: list[str | None] = [None, None, None]
    for match in _LINE.finditer(text[-BODY_CHARS:]):
        level = 0 if match[1] else 1 if match[2] else 2
        names[level] = match[4].strip() or None
    return names[0], names[1], names[2]


def _why_not(text: str) -> tuple[str, bool]:
    """Return the status of a text without its one pair, and whether that is debatable."""
    pairs = _PAIR.findall(text[-BODY_CHARS:])
    valid = [pair for pair in map(_floats, pairs) if in_range(*pair)]
    if valid:
        return "several", len(set(valid)) == 1
    loose = _loose_places(text)
    if pairs:
        return "out_of_range", len(loose) == 1
    if loose:
        return "malformed", len(loose) == 1
    return ("no_answer" if text.strip() else "empty"), False


def _loose_places(text: str) -> list[tuple[float, float]]:
    """Return the pairs that a more liberal reader would take, longitudes to 360 among them."""
    plain = text[-BODY_CHARS:].replace("−", "-").replace("–", "-")
    pairs = [_floats(pair) for pair in _LOOSE_PAIR.findall(plain)]
    return [(lat, lon) for lat, lon in pairs if abs(lat) <= 90.0 and abs(lon) <= 360.0]


def _is_debatable(text: str, pair: tuple[float, float]) -> bool:
    if pair == (0.0, 0.0) or _LON_FIRST.search(text[-BODY_CHARS:]):
        return True
    if len(_loose_places(text)) > 1:
        return True
    keyed = _KEYED_LAT.search(text)  # a JSON answer beside the pair says something else
    return keyed is not None and float(keyed[1]) != pair[0]
