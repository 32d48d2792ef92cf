"""Put angles together into coordinates, and tell how much each looks like an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from geodata.answers.angles import Angle

WEAK, WRITTEN, KEYED = 0, 1, 2
"""Ranks: two plain numbers, written as a coordinate, under a quoted key as in JSON."""

_ABOUT_PLACE = re.compile(r"coord|locat|gps|\blat|\blon|position|answer|geo:|point|loc\b|@", re.I)
_LAST_DIGIT = re.compile(r"[0-9]")
_NO_PLACE = re.compile(
    r"confiden|score|probab|ratio|size|width|bbox|bounding|^d[\"']|pixel|price", re.I
)
_LON_FIRST_AFTER = re.compile(
    r"^[)\]}]?[ ]{0,3}[\[(]?\s{0,2}lon(?:gitude)?\s{0,2},\s{0,2}lat", re.I
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

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude, degrees."""
        return self.lat, self.lon


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
    """Return the neighbouring angles that can be one coordinate."""
    pairs: list[tuple[Angle, Angle]] = []
    waiting: Angle | None = None  # the first half of a labelled pair
    for run in _runs(angles):
        if any(angle.axis for angle in run):
            waiting = _by_axis(run, waiting, pairs)
        elif len(run) > 1:
            pairs.extend(_by_place(run))
    return pairs


def _runs(angles: list[Angle]) -> list[list[Angle]]:
    """Group angles with nothing but separators between them; ranges are dropped."""
    runs: list[list[Angle]] = []
    for angle in angles:
        if not (angle.linked and runs):
            runs.append([])
        if not angle.ranged:
            runs[-1].append(angle)
    return [run for run in runs if run]


def _by_axis(
    run: list[Angle], waiting: Angle | None, pairs: list[tuple[Angle, Angle]]
) -> Angle | None:
    """Pair latitudes with longitudes; a half may wait for its other half in a later run."""
    known = [angle for angle in run if angle.axis]
    for angle in known:
        if waiting is not None and waiting.axis != angle.axis and angle.start - waiting.end < 600:
            pairs.append((waiting, angle))
            waiting = None
        else:
            waiting = angle
    if len(known) == 1 and waiting is known[0] and len(run) == 2 and known[0].decimals:
        pairs.append((run[0], run[1]))  # one half has a hemisphere: "48.85° N, 2.29"
        waiting = None
    elif len(known) == 1 and waiting is known[0] and len(run) == 3:
        pairs.extend(_by_place([angle for angle in run if not angle.axis]))
    return waiting


def _by_place(run: list[Angle]) -> list[tuple[Angle, Angle]]:
    """Pair plain numbers by their place: two are a pair, of more the precise neighbours are."""
    if len(run) == 2:
        return [(run[0], run[1])]
    neighbours = list(pairwise(run))
    precise = [(a, b) for a, b in neighbours if min(a.decimals, b.decimals) >= 3]
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
    doubtful = doubtful or (abs(lat.value), abs(lon.value)) in _PLACEHOLDERS
    return Candidate(lat.value, lon.value, first.start, second.end, rank, doubtful)


def _is_lon_first(body: str, second: Angle, order: str | None) -> bool:
    after = body[second.end : second.end + 40]
    return order == "lon" or _LON_FIRST_AFTER.match(after) is not None


def _rank(body: str, first: Angle, second: Angle) -> int | None:
    """Return how much a pair looks like an answer, None for two numbers that do not."""
    said = _LAST_DIGIT.split(body[max(0, first.start - 60) : first.start])[-1]
    if not (first.axis or second.axis) and _NO_PLACE.search(said):
        return None
    enclosed = _is_enclosed(body, first, second)
    if first.keyed and (first.axis or enclosed):
        return KEYED
    if first.axis or second.axis or first.marked or first.order:
        return WRITTEN
    decimals = min(first.decimals, second.decimals)
    about = _ABOUT_PLACE.search(said) is not None
    alone = len(body.strip(" \n\t()[]{}.+-")) <= second.end - first.start
    if decimals >= 3 or (decimals and enclosed) or (about and (decimals or enclosed)) or alone:
        return WRITTEN
    return WEAK if decimals or enclosed else None


def _is_enclosed(body: str, first: Angle, second: Angle) -> bool:
    before = body[max(0, first.start - 4) : first.start].rstrip(" +-\"'")
    after = body[second.end : second.end + 4].lstrip(" \"'")
    return before.endswith(("(", "[", "{")) and after.startswith((")", "]", "}"))
