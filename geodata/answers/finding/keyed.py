"""Read the coordinates of JSON-like objects: which fields are a latitude and a longitude."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from geodata.answers.finding.angles import Angle, find_angles
from geodata.answers.finding.candidates import KEYED, Candidate, is_placeholder
from geodata.answers.texts import Value, find_objects

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_a-zA-Z]+")
_LAT = frozenset(
    ("lat", "lats", "latitude", "latitud", "latitudine", "lattitude", "breite", "breitengrad")
)  # fmt: skip
_LON = frozenset(
    ("lon", "lng", "long", "longitude", "longitud", "longitudine", "longtitude", "lange",
     "langengrad")
)  # fmt: skip
_PAIR = frozenset(
    ("coordinates", "coordinate", "coords", "coord", "gps", "latlng", "latlon", "lonlat",
     "lnglat", "latlong", "location", "loc", "position", "point", "place", "answer", "geo",
     "center", "centre", "prediction", "guess", "estimate")
)  # fmt: skip
_LON_FIRST = frozenset(("lonlat", "lnglat"))
_NO_ANGLE = frozenset(
    ("min", "max", "minimum", "maximum", "range", "delta", "error", "std", "uncertainty",
     "confidence", "interval", "bounds", "reasoning", "reason", "explanation", "direction",
     "dir", "hemisphere", "ref", "accuracy", "precision", "band", "d", "bbox", "box", "pixel",
     "size", "name", "names", "source", "type", "format", "note", "notes", "clues")
)  # fmt: skip
_ASIDE = frozenset(
    ("alternative", "alternatives", "alternate", "other", "others", "backup", "second",
     "secondary", "third", "runner", "rejected", "initial", "previous", "prior", "earlier",
     "bbox", "bounds", "northeast", "southwest", "northwest", "southeast", "truth", "gt",
     "ground", "nearby", "landmark", "landmarks", "reference", "example", "corner",
     "candidates", "hypotheses", "confidence", "uncertainty", "error", "accuracy", "std",
     "margin", "range", "radius")
)  # fmt: skip
_FINAL = frozenset(
    ("final", "best", "refined", "revised", "corrected", "definitive", "top", "primary", "main")
)  # fmt: skip
_WEIGHT = frozenset(
    ("probability", "prob", "confidence", "score", "likelihood", "p", "weight", "certainty")
)  # fmt: skip
_SOUTH_WEST = re.compile(r"^(?:s|w|south|west)\b", re.I)
_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True)
class _Place:
    """A coordinate of an object: how deep it lies and what the keys above it call it."""

    candidate: Candidate
    role: int  # 1 final, 0 plain, -1 aside
    depth: int


def keyed_candidates(text: str) -> tuple[list[Candidate], list[tuple[int, int]]]:
    """Return the coordinates of the objects of a text, and the spans of those objects.

    Of one object with several coordinates come those that its keys call final, else those
    that they do not set aside, and of these the outermost.
    """
    found: list[Candidate] = []
    spans: list[tuple[int, int]] = []
    for whole in find_objects(text) if "{" in text else ():
        places = list(_places(text, whole))
        if not places:
            continue
        best = max((place.role, -place.depth) for place in places)
        chosen = [p.candidate for p in places if (p.role, -p.depth) == best]
        found += [replace(one, stop=whole.end) for one in chosen]
        spans.append((whole.start, whole.end))
    return found, spans


def words_of(key: str) -> list[str]:
    """Return the words of a key in lower case.

    Examples
    --------
    >>> words_of("predictedLatitude_deg"), words_of("GPS lat")
    (['predicted', 'latitude', 'deg'], ['gps', 'lat'])
    """
    return [word.lower() for word in _WORDS.findall(key.replace("ä", "a"))]


def _places(text: str, whole: Value) -> Iterator[_Place]:
    """Walk an object from the outside in, in reading order."""
    stack: list[tuple[Value, tuple[str, ...], int]] = [(whole, (), 0)]
    while stack:
        value, above, depth = stack.pop()
        if value.kind == "object":
            weight = _weight(text, value)
            for candidate, words in _of_object(text, value):
                weighed = replace(candidate, weight=weight)
                yield _Place(weighed, _role((*above, *words)), depth)
        inside = [
            (one, (*above, *words_of(key)) if key else above, depth + 1)
            for key, one in value.fields
            if one.kind in ("object", "array")
        ]
        stack += reversed(inside)


def _role(words: tuple[str, ...]) -> int:
    if _FINAL.intersection(words):
        return 1
    return -1 if _ASIDE.intersection(words) else 0


def _weight(text: str, value: Value) -> float | None:
    for key, one in value.fields:
        if one.kind in ("text", "bare") and _WEIGHT.intersection(words_of(key)[-1:]):
            number = _NUMBER.search(text, one.start, one.end)
            return float(number[0]) if number else None
    return None


def _of_object(text: str, value: Value) -> Iterator[tuple[Candidate, list[str]]]:
    """Yield the coordinates of one object, without those of the objects in it."""
    halves: dict[tuple[str, ...], dict[str, Angle]] = defaultdict(dict)
    is_point = any(
        key.lower() == "type" and text[one.start : one.end].strip() == "Point"
        for key, one in value.fields
    )
    for key, one in value.fields:
        words = words_of(key)
        if _NO_ANGLE.intersection(words):
            continue
        axis = "lat" if _LAT.intersection(words) else "lon" if _LON.intersection(words) else None
        both = bool(_LAT.intersection(words) and _LON.intersection(words))
        if axis and not both:
            angle = _angle(text, one, axis)
            if angle is not None:
                rest = tuple(w for w in words if w not in _LAT and w not in _LON)
                halves[rest][axis] = _turned(text, value, angle, axis)
        elif both or _PAIR.intersection(words):
            first = "lon" if both and _is_lon_first(words) else None
            first = "lon" if is_point or _LON_FIRST.intersection(words) else first
            candidate = _pair(text, one, first, geojson=is_point)
            if candidate is not None:
                yield candidate, words
    plane = {key.lower(): one for key, one in value.fields if key.lower() in ("x", "y")}
    if len(plane) == 2 and not halves:
        y, x = _angle(text, plane["y"], "lat"), _angle(text, plane["x"], "lon")
        if y and x and y.decimals and x.decimals:  # pixels are whole numbers
            yield replace(_candidate(y, x, "json"), doubtful=True), []
    for rest, half in halves.items():
        if len(half) == 2 and not (half["lat"].broken or half["lon"].broken):
            yield _candidate(half["lat"], half["lon"], "json"), list(rest)


def _is_lon_first(words: list[str]) -> bool:
    return next(word in _LON for word in words if word in _LAT or word in _LON)


def _angle(text: str, value: Value, axis: str) -> Angle | None:
    """Return the one angle of a scalar, as a latitude or a longitude."""
    if value.kind in ("object", "array"):
        return _parts(text, value)
    angles = _angles_at(text, value)
    if not angles or any(angle.ranged for angle in angles):
        return None
    own = [angle for angle in angles if angle.axis in (axis, None)]
    if not own:
        angles[0].conflict = True
    return (own or angles)[0]


def _angles_at(text: str, value: Value) -> list[Angle]:
    angles = find_angles(text[value.start : value.end])
    for angle in angles:
        angle.start += value.start
        angle.end += value.start
    return angles


def _parts(text: str, value: Value) -> Angle | None:
    """Return the angle of ``{"degrees": 48, "minutes": 51, "seconds": 24, "direction": "N"}``."""
    parts: dict[str, float] = {}
    turned = False
    for key, one in value.fields:
        name = (words_of(key) or [""])[0][:3]
        written = text[one.start : one.end].strip()
        if name in ("dir", "hem", "ref"):
            turned = _SOUTH_WEST.match(written) is not None
        elif name in ("deg", "min", "sec", "val", "dec"):
            angles = _angles_at(text, one)
            if len(angles) != 1:
                return None
            parts[name] = angles[0].value
    degrees = next((parts[name] for name in ("deg", "val", "dec") if name in parts), None)
    if degrees is None:
        return None
    size = abs(degrees) + parts.get("min", 0.0) / 60 + parts.get("sec", 0.0) / 3600
    sign = -1.0 if turned or degrees < 0 else 1.0
    return Angle(sign * size, value.start, value.end, 4)


def _turned(text: str, value: Value, angle: Angle, axis: str) -> Angle:
    """Turn a bare angle by a neighbour such as ``"lat_direction": "S"``."""
    if angle.axis or angle.value <= 0:
        return angle
    for key, one in value.fields:
        words = words_of(key)
        if {"direction", "dir", "hemisphere", "ref"}.intersection(words) and (
            (_LAT if axis == "lat" else _LON).intersection(words)
        ):
            written = text[one.start : one.end].strip()
            if _SOUTH_WEST.match(written):
                angle.value = -angle.value
    return angle


def _pair(text: str, value: Value, first: str | None, *, geojson: bool) -> Candidate | None:
    """Return the pair of an array of two or three numbers, or of a text that holds one."""
    if value.kind == "object":
        return None
    angles: list[Angle] = []
    if value.kind == "array":
        if not 2 <= len(value.fields) <= 3:
            return None
        for _, one in value.fields:
            own = _angles_at(text, one) if one.kind in ("text", "bare") else []
            if len(own) != 1:
                return None
            angles += own
    else:
        angles = _angles_at(text, value)
        if len(angles) not in (2, 3) or not angles[1].linked or text[value.start] == "P":
            return None
        if not (angles[0].decimals and angles[1].decimals) and not angles[0].marked:
            return None
    if any(angle.ranged or angle.broken for angle in angles):
        return None
    lat, lon = angles[:2]
    declared = first or angles[0].order
    if lat.axis == "lon" or lon.axis == "lat" or (declared == "lon" and not (lat.axis or lon.axis)):
        lat, lon = lon, lat
    found = _candidate(lat, lon, "geojson" if geojson else "json")
    lon_first = declared == "lon" and lat.start > lon.start and not lat.axis
    return replace(found, doubtful=True) if lon_first else found


def _candidate(lat: Angle, lon: Angle, how: str) -> Candidate:
    doubtful = lat.conflict or lon.conflict or is_placeholder(lat.value, lon.value)
    start, end = min(lat.start, lon.start), max(lat.end, lon.end)
    return Candidate(lat.value, lon.value, start, end, KEYED, doubtful, how)
