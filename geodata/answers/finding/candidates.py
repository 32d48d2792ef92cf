"""Put angles together into coordinates, and tell how much each looks like an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from geodata.answers.contract import in_range
from geodata.answers.finding.angles import Angle
from geodata.answers.texts import FENCE

WEAK, WRITTEN, LABELLED, KEYED = 0, 1, 2, 3
"""Ranks: two plain numbers, written as a coordinate, on a line that its label starts, under a
key as in JSON."""

NEAR, FAR = 160, 600
"""How far the two halves of a coordinate may lie apart, with compass letters and with labels."""

_SENTENCE_END = re.compile(r"\n[ \t]*\n|[.!?]\s")
_ABOUT_PLACE = re.compile(
    r"[ck]oord|locat|gps|\blat|\blon|position|answer|geo:|point|loc\b|@"
    r"|estimat|guess|predict|boxed",
    re.I,
)
_LAST_DIGIT = re.compile(r"[0-9]")
_NO_PLACE = re.compile(
    r"confiden|score|probabili[dt]|ratio|size|width|bbox|bounding|\bd[\"']|pixel|price|temperat|elevat"
    r"|altitud|azimuth|bearing|heading|tilt|slope|humid|speed|field of view|aspect|likelihood"
    r"|percent|height|distance|radius|\bf/|focal|rating|\$|€|£",
    re.I,
)
_LON_FIRST_AFTER = re.compile(r"[)\]}]?[ ]{0,3}[\[(]?\s{0,2}lon(?:gitude)?\s{0,2},\s{0,2}lat", re.I)
_LABEL_LINE = re.compile(
    r"^[\s>#|+\-(\[{•]{0,8}(?:[0-9]{1,2}[.)]\s{1,3})?(?:[^\W\d]+\s{1,2}){0,4}?"
    r"(?:lat|lon|lng|coord|gps|geo\b|breite|l[aä]nge|koord|position|location)[^.!?\n]{0,50}[:=|]"
    r"[^.!?\n:]{0,30}$",
    re.I,
)
_LINK = re.compile(r"(?:@|[?&](?:q|ll|query|center|mlat)=|#map=[0-9]{1,2}/|geo:|!3d)$")
_CHANCE = re.compile(
    r"[^\n]{0,60}?(?:(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,4})?)\s?%"
    r"|(?:confidence|probability|likelihood|p)\s?[:=]?\s?(?P<share>[01]?\.[0-9]{1,6}))",
    re.I,
)
# Numbers that stand for "put yours here", without signs.
_PLACEHOLDERS = frozenset(
    ((0.0, 0.0), (12.3456, 123.4567), (12.345678, 123.456789), (12.345678, 98.765432),
     (12.3456, 78.9012), (12.34, 56.78), (12.3456, 65.4321), (1.2345, 6.789), (12.345, 67.89),
     (12.3456, 12.3456), (12.3456, 98.7654), (123.456, 78.91))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One coordinate that a text offers, degrees, in range or not."""

    lat: float
    lon: float
    start: int
    end: int
    rank: int
    doubtful: bool
    how: str
    """A key of `HOWS`."""
    stop: int = 0
    """Where the object that holds it ends, 0 for a coordinate in no object."""
    weight: float | None = None
    """How likely the text calls it, where it says so."""

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude, degrees."""
        return self.lat, self.lon


def is_placeholder(lat: float, lon: float) -> bool:
    """Return whether a pair stands for "put yours here"."""
    return (abs(lat), abs(lon)) in _PLACEHOLDERS


def find_candidates(body: str, angles: list[Angle]) -> list[Candidate]:
    """Return the coordinates of a prepared text in reading order."""
    found: list[Candidate] = []
    order: str | None = None
    for first, second in _pairs(angles):
        order = first.order or order  # a table's heading holds for its later rows
        candidate = _candidate(body, first, second, order)
        if candidate is not None:
            found.append(candidate)
    return found


def _pairs(angles: list[Angle]) -> list[tuple[Angle, Angle]]:
    """Return the angles that can be one coordinate: labelled ones first, then neighbours."""
    pairs = _by_label(angles)
    taken = {id(angle) for pair in pairs for angle in pair}
    waiting: Angle | None = None  # "48.85° N of the equator and 2.29° E"
    for run in _runs(angles):
        free = [angle for angle in run if id(angle) not in taken]
        if len(free) < len(run) and len(free) < 2:
            waiting = None  # a number in a labelled answer's line
        elif any(angle.axis for angle in free):
            waiting = _by_compass(free, waiting, pairs)
        else:
            pairs.extend(_by_place(free))
    return sorted(pairs, key=lambda pair: pair[0].start)


def _by_label(angles: list[Angle]) -> list[tuple[Angle, Angle]]:
    """Pair labelled latitudes with labelled longitudes; a half waits for its other half."""
    pairs: list[tuple[Angle, Angle]] = []
    waiting: Angle | None = None
    for i, angle in enumerate(angles):
        if not angle.labelled or angle.axis is None or angle.ranged:
            continue
        if waiting and not angle.linked and _is_first(angle, angles[i + 1 : i + 3]):
            waiting = angle  # "Latitude 40 is a guess.\nLongitude: 32.48\nLatitude: -66.16"
        elif waiting and waiting.axis != angle.axis and angle.start - waiting.end < FAR:
            pairs.append((waiting, angle))
            waiting = None
        else:
            waiting = angle
    return pairs


def _is_first(angle: Angle, later: list[Angle]) -> bool:
    """Tell whether an angle has its other half right behind it, and no further half follows."""
    linked = [one for one in later if one.linked and one.labelled and not one.ranged]
    if not linked or linked[0] is not later[0] or linked[0].axis == angle.axis:
        return False
    return len(linked) < 2 or linked[1].axis != angle.axis


def _runs(angles: list[Angle]) -> list[list[Angle]]:
    """Group angles with nothing but separators between them; ranges are dropped."""
    runs: list[list[Angle]] = []
    for angle in angles:
        if not angle.linked:
            runs.append([])
        if not angle.ranged:
            runs[-1].append(angle)
    return [run for run in runs if run]


def _by_compass(
    run: list[Angle], waiting: Angle | None, pairs: list[tuple[Angle, Angle]]
) -> Angle | None:
    """Pair angles with compass letters; only one that is written as an angle may wait."""
    known = [angle for angle in run if angle.axis]
    if len(known) == 2 and known[0].axis != known[1].axis:
        waiting = None  # both halves are here: what waited was another number
    for i, angle in enumerate(known):
        if waiting and _is_other_half(angle, waiting, beside=i > 0):
            pairs.append((waiting, angle))
            waiting = None
        else:
            waiting = angle
    lone = waiting is known[0]
    if lone and len(run) == 2 and known[0].decimals:
        pairs.append((run[0], run[1]))  # one half has a hemisphere: "48.85° N, 2.29"
        return None
    if lone:
        pairs.extend(_by_place([angle for angle in run if not angle.axis]))
    return waiting


def _is_other_half(angle: Angle, waiting: Angle, *, beside: bool) -> bool:
    """Return whether an angle with a compass letter belongs to one that waits for it."""
    if waiting.axis == angle.axis or angle.start - waiting.end >= NEAR:
        return False
    return beside or (_can_wait(waiting) and _can_wait(angle))


def _can_wait(angle: Angle) -> bool:
    """Return whether an angle is one without its neighbour: not the 12 of "12 E Main St"."""
    return angle.degrees or angle.decimals > 1 or angle.labelled


def _by_place(run: list[Angle]) -> list[tuple[Angle, Angle]]:
    """Pair plain numbers by their place: two are a pair, of more the precise neighbours are."""
    if len(run) == 2:
        return [(run[0], run[1])]
    neighbours = list(pairwise(run))
    together = [(a, b) for a, b in neighbours if not b.apart]
    if together and len(together) < len(neighbours):  # "mile 12.5; 40.25, -111.65"
        neighbours = together
    precise = [(a, b) for a, b in neighbours if _decimals(a, b) >= 3]
    if len(precise) == 1 or len(run) > 3:
        return precise[:1]
    return neighbours[:1]


def _candidate(body: str, first: Angle, second: Angle, order: str | None) -> Candidate | None:
    rank = _rank(body, first, second)
    if rank is None or first.broken or second.broken:
        return None
    lat, lon = first, second
    doubtful = first.conflict or second.conflict
    if first.axis == "lon" or second.axis == "lat":
        lat, lon = second, first
    elif first.axis is None and second.axis is None and _is_lon_first(body, second, order):
        lat, lon, doubtful = second, first, True
    doubtful = doubtful or is_placeholder(lat.value, lon.value)
    if rank == WEAK:
        if not in_range(lat.value, lon.value):
            return None
        doubtful = True
    how, weight = _how(body, first, second), _chance(body, second.end)
    return Candidate(
        lat.value, lon.value, first.start, second.end, rank, doubtful, how, weight=weight
    )


def _how(body: str, first: Angle, second: Angle) -> str:
    if first.sixtieths or second.sixtieths:
        return "dms"
    if first.via:
        return first.via
    if _LINK.search(body[max(0, first.start - 12) : first.start].rstrip("-")):
        return "link"
    if (first.labelled and second.labelled) or (first.plane and second.plane):
        return "labelled"
    return "compass" if first.axis or second.axis or first.marked else "pair"


def _chance(body: str, end: int) -> float | None:
    """Return how likely the rest of the line calls a coordinate, as a share."""
    said = _CHANCE.match(body, end)
    if said is None:
        return None
    return float(said["percent"]) / 100 if said["percent"] else float(said["share"])


def _is_lon_first(body: str, second: Angle, order: str | None) -> bool:
    return order == "lon" or _LON_FIRST_AFTER.match(body, second.end) is not None


def _rank(body: str, first: Angle, second: Angle) -> int | None:
    """Return how much a pair looks like an answer, None for two numbers that do not."""
    before = body[max(0, first.start - 90) : first.start]
    said = _LAST_DIGIT.split(before[-60:])[-1]
    about = _last(_ABOUT_PLACE, said)
    here = _SENTENCE_END.split(said)[-1]  # "N 45° E is its bearing.\n(48.85, 2.35)"
    if not (first.axis or second.axis) and _last(_NO_PLACE, here) > _last(_ABOUT_PLACE, here):
        return None
    if first.plane and second.plane:
        return _rank_on_a_plane(body, first, second, about >= 0)
    enclosed = _is_enclosed(body, first, second)
    if first.keyed and (first.axis or enclosed):
        return KEYED
    if (first.labelled and second.labelled) or about >= 0:
        line = before[before.rfind("\n") + 1 :]
        if len(line) < 90 and _LABEL_LINE.match(line):
            return LABELLED
    if first.labelled or second.labelled or first.degrees or first.order:
        return WRITTEN
    decimals = _decimals(first, second)
    alone = _is_alone(body, first, second)
    if decimals >= 3 or (decimals and enclosed) or (about >= 0 and (decimals or enclosed)) or alone:
        return WRITTEN
    if first.axis or second.axis:
        return WRITTEN if first.decimals or second.decimals else WEAK
    return WEAK if decimals or enclosed else None


def _rank_on_a_plane(body: str, first: Angle, second: Angle, about: bool) -> int | None:
    """Return the rank of "x: 2.35, y: 48.85": numbers up to 1 are shares of a picture."""
    if _is_alone(body, first, second) or about:
        return WRITTEN
    if max(abs(first.value), abs(second.value)) <= 1:
        return None
    return WRITTEN if _decimals(first, second) >= 3 else WEAK


def _decimals(first: Angle, second: Angle) -> int:
    return min(first.decimals, second.decimals)


def _is_alone(body: str, first: Angle, second: Angle) -> bool:
    said = body.strip(" \n\t()[]{}.+-xyXY:=" + FENCE)
    return len(said) <= second.end - first.start


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Return where the last match starts, -1 if there is none."""
    return max((match.start() for match in pattern.finditer(text)), default=-1)


def _is_enclosed(body: str, first: Angle, second: Angle) -> bool:
    before = body[max(0, first.start - 4) : first.start].rstrip(" +-\"'")
    after = body[second.end : second.end + 4].lstrip(" \"'")
    return before.endswith(("(", "[", "{")) and after.startswith((")", "]", "}"))
