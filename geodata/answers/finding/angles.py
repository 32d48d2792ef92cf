"""Find the angles in a prepared text: numbers with their axis, sign, marks and neighbours.

One pattern finds a number with its degrees, minutes, seconds and hemisphere; what stands
between it and the number before says the rest: a label, a leading hemisphere, a sign, a range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOOK_BACK = 160
"""How far before a number its label is looked for, characters."""

_NORTH, _SOUTH = (
    r"north(?:ern)?|norte|nord|nördlich\w{0,2}",
    r"south(?:ern)?|sur|sul|sud|süd|südlich\w{0,2}",
)
_EAST, _WEST = (
    r"east(?:ern)?|este|est|ost|leste|östlich\w{0,2}",
    r"west(?:ern)?|oeste|ouest|ovest|westlich\w{0,2}",
)
_LEAD_CHARS = 16
"""Longest hemisphere, separator and sign before a number, characters."""

_BESIDE = " :=,;.+-(["
"""What may stand between a hemisphere and its number."""

_WORD = rf"(?i:{_NORTH}|{_SOUTH}|{_EAST}|{_WEST})\b"

_DEGREE_MARK = r"(?:°|(?i:deg(?:ree|rés?)?s?)\b\.?)"
_MINUTE_MARK = r"(?:'(?!')|(?i:min(?:ute)?s?)\b\.?)"
_SECOND_MARK = r"(?:\"|''|(?i:sec(?:ond)?s?)\b\.?)"
_SIXTIETHS = r"[0-9]{1,2}(?:\.[0-9]{1,20})?"
_HEMISPHERE = (
    rf"[ ]{{0,2}}(?:[NSEW](?![A-Za-z0-9])|{_WORD})|[nsew](?![A-Za-z0-9])"
    rf"|[ ]?\((?:[NSEW]|{_WORD})\)|(?<=[°'\"])[ ]?O(?![A-Za-z0-9])"
)
_UNIT = (
    r"[ ]?(?:km|m|mi|mph|miles?|met(?:er|re)s?|kilomet(?:er|re)s?|f(?:ee)?t"
    r"|percent|million|billion)\b"
)
_ANGLE = re.compile(
    rf"""
    (?P<deg>[0-9](?<![0-9_.A-DF-MO-RT-VX-Za-z].)[0-9]{{0,2}}  # N, S, E, W may stand before
      (?:\.[0-9]{{1,30}})?(?:[eE][+-]?[0-9]{{1,2}}(?![0-9]))?)
    (?:[ ]{{0,2}}(?P<mark>{_DEGREE_MARK})
      (?:,?[ ]{{0,2}}(?P<min>{_SIXTIETHS})[ ]{{0,2}}{_MINUTE_MARK}
        (?:(?:,|[ ]and)?[ ]{{0,2}}(?P<sec>{_SIXTIETHS})[ ]{{0,2}}{_SECOND_MARK})?
      )?
    |[ :-](?P<min2>[0-9]{{1,2}})[ :-](?P<sec2>{_SIXTIETHS})
      (?=['"]{{0,2}}[ ]?[NSEW](?![A-Za-z]))['"]{{0,2}}
    )?
    (?P<hemi>{_HEMISPHERE})?
    (?!\.?[0-9])(?![A-Za-z]|[ ]?%)(?!{_UNIT})
    """,
    re.X,
)
_LEAD = re.compile(
    rf"(?:(?<![A-Za-z.])(?P<hemi>[NSEW]|{_WORD})[ :=.]{{0,2}})?(?P<sign>[+-]?)(?P<blank>[ ]?)\Z"
)
_LABEL = re.compile(
    r"(?<![a-z])m?(?:(?P<lat>lat(?:itude?s?|itudine)?|breite(?:ngrad)?)"
    r"|(?P<lon>lon(?:g(?:itude?s?|itudine)?)?|lng|l[aä]nge(?:ngrad)?))(?![a-z])",
    re.I,
)
_LABEL_AFTER = re.compile(
    r"°?[ ]?(?:for[ ](?:the[ ])?|as[ ](?:the[ ])?)?(?P<open>[(\[])?"
    r"(?:(?P<lat>lat(?:itude|\.)?)|(?P<lon>lon(?:g(?:itude)?|\.)?|lng))"
    r"(?(open)[)\]]|(?=[ ]{0,2}(?:[,;.|]|$|\n|(?:and|y|et|und)\b)))",
    re.I,
)
_LAT, _LON = r"lat(?:itude)?", r"(?:lon(?:g(?:itude)?)?|lng)"
_LAT_LON = re.compile(rf"lat(?:itude(?!\.\s))?[^a-z0-9]{{0,8}}(?:and |or )?{_LON}(?![a-z])", re.I)
_LON_LAT = re.compile(rf"(?<![a-z]){_LON}[ ]?[,/|][ |]{{0,4}}{_LAT}(?![a-z])", re.I)
_LONG_IS_A_LABEL = re.compile(
    r"(?:_[a-z]{1,12})?[ .\"')\]]{0,4}(?:\([^()\n]{0,60}\)[ ]{0,2})?[:=|>\"]"
)
"""What stands behind "long" where it is no length, as in "4.5 m long"."""

_QUOTED_KEY = re.compile(r"[\"'][\w -]{1,30}[\"']\s{0,4}[:=]\s{0,4}[\"'(\[{\s]{0,8}$")
_NO_ANGLE_AFTER = re.compile(r"[_ ]?(?:uncert|err|std|min|max|range|conf|acc|delta|dir|hemi)", re.I)
_GEOJSON = re.compile(r"[\"']Point[\"'].{0,80}[\"']coordinates[\"']\s{0,4}:\s{0,4}\[\s{0,8}$", re.S)
_WKT = re.compile(r"POINT[ ]?Z?[ ]?\([ ]?$", re.I)
_X, _Y = (re.compile(rf"(?<![a-z0-9]){letter} ?[:=]? ?[(\"']?$", re.I) for letter in "xy")
_X_Y = re.compile(r"\(?(?<![a-z0-9])x ?, ?y\)? ?[:=] ?[(\[]$", re.I)
_BETWEEN = re.compile(r"\b(?:between|from|entre|von|zwischen|ranging|ranges?)\b[^0-9]{0,40}$", re.I)
_BULLET = re.compile(r"(?:^|\n)[ \t]{0,8}[+-] $")
_HYPHENS = re.compile(r"(?m)^[ \t]{0,8}- ")
_LETTERS = re.compile(r"[^\W\d_]+")

_LINK_WORDS = frozenset(
    ("and", "y", "e", "et", "und", "by", "x", "lat", "latitude", "lon", "long", "lng", "longitude",
     "latitud", "longitud", "latitudine", "longitudine", "approximately", "approx", "about",
     "around", "roughly", "degrees", "degree", "deg", "of", "is", "at", "near")
)  # fmt: skip
_FILLER = _LINK_WORDS | frozenset(
    ("coordinates", "coordinate", "would", "could", "be", "likely", "probably", "estimated",
     "estimate", "close", "to", "between", "from", "value", "decimal", "the", "a", "ca", "circa",
     "range", "ranges", "ranging", "somewhere", "possibly", "n", "s", "w", "north", "south", "east",
     "west", "sur", "norte", "este", "oeste", "nord", "sud", "est", "ouest", "this", "location",
     "lies", "falls", "within", "in", "was", "were")
)  # fmt: skip
_TO = frozenset(("to", "through", "until", "bis", "hasta", "a", "à"))
_AND = frozenset(("and", "y", "et", "und", "e", ""))


@dataclass(slots=True)
class Angle:
    """One number of a text as an angle in degrees, signed."""

    value: float
    start: int
    end: int
    decimals: int
    axis: str | None = None
    marked: bool = False  # a degree sign or a hemisphere
    labelled: bool = False
    keyed: bool = False  # after a quoted key, as in JSON
    order: str | None = None  # 'lat' or 'lon' first, where declared before it
    linked: bool = False  # only separators lie between the number before and this one
    ranged: bool = False
    conflict: bool = False  # a sign against its hemisphere, a label against it
    minus: bool = False  # written with a sign
    between: bool = False  # after "between", "from", "ranging"
    broken: bool = False  # minutes or seconds of 60 and more
    sixtieths: bool = False  # written with minutes
    degrees: bool = False  # a degree sign
    apart: bool = False  # after a semicolon
    plane: str | None = None  # 'x' or 'y', where it is named so
    via: str | None = None  # 'geojson' or 'wkt', where it stands in one


def find_angles(text: str) -> list[Angle]:
    """Return the angles of a text in reading order."""
    angles: list[Angle] = []
    carried = ""
    hyphens = list(_HYPHENS.finditer(text))
    lone = hyphens[0].end() if len(hyphens) == 1 else -1
    for match in _ANGLE.finditer(text):
        before = angles[-1] if angles else None
        angle, carried = _read(text, match, before, carried)
        if match.start() == lone and angle.axis is None:
            angle.conflict = True  # one bullet is no list: a southern latitude is written so too
        angles.append(angle)
    return angles


def _read(text: str, match: re.Match[str], before: Angle | None, carried: str) -> tuple[Angle, str]:
    first = before.end if before else 0
    gap = text[max(first, match.start() - _LOOK_BACK) : match.start()]
    lead = _LEAD.search(gap, len(gap) - _LEAD_CHARS)
    sign, middle = _sign(gap, lead, before is not None)
    # "S 200 W is a street. 40.76": a letter that was carried is this number's only beside it
    near = carried if not gap.strip(_BESIDE) else ""
    leading = near or (lead["hemi"] if lead else "")
    trailing = (match["hemi"] or "").strip(" ()")
    carried = ""
    if leading and trailing and _axis(leading) != _axis(trailing):
        carried, trailing = trailing, ""  # "N 48.85 E 2.29": the E belongs to the next number
    angle = _angle(match, sign, leading or trailing)
    _label(angle, middle)
    _label_after(angle, text)
    if before is not None:
        _relate(before, angle, gap, middle)
    _on_a_plane(before, angle, middle)
    return angle, carried


def _on_a_plane(before: Angle | None, angle: Angle, middle: str) -> None:
    """Read x as the longitude and y as the latitude, where both are named and no pixels."""
    if _X_Y.search(middle):
        angle.order = "lon"
    if angle.axis is not None or not angle.decimals:
        return
    angle.plane = "x" if _X.search(middle) else "y" if _Y.search(middle) else None
    if before is None or {before.plane, angle.plane} != {"x", "y"}:
        return
    if len(middle.strip(" \n,;")) > 4:
        return
    for one in (before, angle):
        one.axis = "lon" if one.plane == "x" else "lat"
        one.conflict = True  # a careful person would ask
    angle.linked, before.ranged, angle.ranged = True, False, False


def _sign(gap: str, lead: re.Match[str] | None, follows: bool) -> tuple[str, str]:
    """Return the sign of a number and what stands before sign and hemisphere."""
    if lead is None:
        return "", gap
    sign, middle = lead["sign"], gap[: lead.start()]
    touches = follows and not middle
    spaced = bool(lead["blank"]) and middle.rstrip()[-1:].isalpha()
    return ("", middle) if touches or spaced or _BULLET.search(gap) else (sign, middle)


def _axis(hemisphere: str) -> str:
    # the words of all languages begin so
    return "lat" if hemisphere.lower().startswith(("n", "s")) else "lon"


def _angle(match: re.Match[str], sign: str, hemisphere: str) -> Angle:
    minutes = float(match["min"] or match["min2"] or 0.0)
    seconds = float(match["sec"] or match["sec2"] or 0.0)
    value = float(match["deg"]) + minutes / 60.0 + seconds / 3600.0
    fraction = match["deg"].partition(".")[2]
    decimals = len(fraction) if not (match["min"] or match["min2"]) else max(len(fraction), 4)
    angle = Angle(value, match.start(), match.end(), decimals)
    angle.broken = minutes >= 60.0 or seconds >= 60.0
    angle.sixtieths = bool(match["min"] or match["min2"])
    angle.degrees = bool(match["mark"] or angle.sixtieths)
    angle.marked = bool(hemisphere or match["mark"])
    angle.minus = negative = sign == "-"
    if hemisphere:
        angle.axis = _axis(hemisphere)
        word = hemisphere.lower()
        south_or_west = word.startswith(("s", "w")) or word in ("o", "oeste", "ouest", "ovest")
        # One minus is enough: "-120°W" is -120, and "-48°N" follows the letter.
        angle.conflict = negative or hemisphere == "O"
        negative = south_or_west
    angle.value = -value if negative and value else value
    return angle


def _label(angle: Angle, middle: str) -> None:
    """Give an angle the label, key or declared order that stands before it."""
    if len(middle) < 3:
        return
    quoted = '"' in middle or "'" in middle
    angle.keyed = quoted and _QUOTED_KEY.search(middle[-50:]) is not None
    angle.between = _BETWEEN.search(middle[-80:]) is not None
    angle.via = (
        "geojson" if quoted and _GEOJSON.search(middle) else "wkt" if _WKT.search(middle) else None
    )
    if angle.via:
        angle.order = "lon"
        return
    labels = list(_LABEL.finditer(middle))
    if not labels:
        return
    angle.order = _declared_order(middle, labels[-1].end())
    if angle.order is None and _names_what_follows(labels[-1], middle):
        axis = "lat" if labels[-1]["lat"] else "lon"
        angle.conflict |= angle.axis is not None and angle.axis != axis
        angle.axis = angle.axis or axis
        angle.labelled = True


def _label_after(angle: Angle, text: str) -> None:
    """Give an angle without a label the one that follows it, as in "2.29 (longitude)"."""
    found = None if angle.labelled else _LABEL_AFTER.match(text, angle.end)
    if found is not None and angle.order is None:
        axis = "lat" if found["lat"] else "lon"
        angle.conflict |= angle.axis is not None and angle.axis != axis
        angle.axis = angle.axis or axis
        angle.labelled = True


def _declared_order(middle: str, end: int) -> str | None:
    """Return which comes first if the last two labels are a heading such as ``(lon, lat)``."""
    for pattern, first in ((_LON_LAT, "lon"), (_LAT_LON, "lat")):
        headings = list(pattern.finditer(middle))
        if headings and headings[-1].end() >= end:
            return first
    return None


def _names_what_follows(label: re.Match[str], middle: str) -> bool:
    """Return whether a label belongs to the number after it, not to the one before."""
    after = middle[label.end() :]
    said = any(c in after for c in ":=|\"'>")
    if after.startswith((",", ";", "&", "/")) or (after.startswith((")", ".")) and not said):
        return False
    if label[0].lower() == "long" and not _LONG_IS_A_LABEL.match(after):
        return False
    if _NO_ANGLE_AFTER.match(after):
        return False
    after = re.sub(r"^_[a-z]{0,12}|\([^()]{0,60}\)", " ", after)
    words = _LETTERS.findall(after.lower())
    return not (words and words[0] in _AND) and all(word in _FILLER for word in words)


def _relate(before: Angle, angle: Angle, gap: str, middle: str) -> None:
    """Tell whether two neighbouring angles belong together, as a pair or as a range."""
    word = middle.strip(" ,").lower()
    dashed = gap.strip(" ") == "-" and not angle.minus
    if len({before.axis, angle.axis} - {None}) < 2:  # a latitude to a longitude is no range
        same = before.axis is not None and before.axis == angle.axis
        listed = word in _AND and not angle.labelled and (same or (word and before.between))
        if dashed or word in _TO or listed:
            before.ranged = angle.ranged = True
    angle.apart = ";" in middle
    begins = angle.labelled and before.axis is None  # "0.8\nLatitude: 48.85, 2.29"
    angle.linked = not (angle.ranged or begins) and _is_separator(middle)


def _is_separator(middle: str) -> bool:
    if len(middle) > 60 or middle.count("\n") > 1:
        return False
    closed = max(middle.rfind(")"), middle.rfind("]"), middle.rfind("}"))
    opened = max(middle.rfind("("), middle.rfind("["), middle.rfind("{"))
    if 0 <= closed < opened and not any(c.isalpha() for c in middle):
        return False  # "(1.0, 2.0), (3.0, 4.0)" are two groups
    if any(c in middle for c in ".!?@#%+\x02"):
        return False
    return all(word in _LINK_WORDS for word in _LETTERS.findall(middle.lower()))
