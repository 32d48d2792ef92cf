"""Find the columns of a prediction or truth file by the names people give them.

A name is squeezed to its letters and digits, then read as *role + axis + role*: ``lat_pred``,
``predictedLatitude`` and the nested ``prediction.lat`` are all the latitude of a prediction,
``gt_lat`` and ``ground_truth.latitude`` of the truth, ``LAT`` of whatever the file is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from geodata.files.formats import FileError

Role = Literal["pred", "truth", "plain"]

_NAME_THEM = "name them with lat= and lon= (--lat and --lon)"
_PRED = "predictions|prediction|predicted|predict|preds|pred|estimated|estimate|est|guess|hat"
_PRED += "|parsed|answer|output|model|response|result|final|ypred|yhat|revised|refined|best"
_TRUTH = "groundtruth|ground|truth|true|gt|target|labels|label|actual|reference|ref|gold|real"
_TRUTH += "|doc"  # lmms-eval's row of the data set
_NEUTRAL = "coordinates|coordinate|coords|coord|location|loc|geo|gps|degrees|degree|deg|wgs84"
_NEUTRAL += "|image|img|photo|point|position|pos|geometry|geom|wkt|wkb"
_LAT = "latitudes|latitude|lats|lat"
_LON = "longitudes|longitude|longs|long|lons|lng|lon"
_AXIS_NAME = re.compile(
    rf"(?P<before>(?:(?:{_PRED}|{_TRUTH}|{_NEUTRAL})[0-9]{{0,2}}){{0,4}}?)"
    rf"(?:(?P<lat>{_LAT})|(?P<lon>{_LON}))"
    rf"(?P<after>(?:{_PRED}|{_TRUTH}|{_NEUTRAL}){{0,4}}[0-9]{{0,2}})"
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NO_PLACE_PARTS = frozenset(
    (
        *("min", "max", "std", "err", "error", "delta", "sigma", "bin", "cell", "bbox", "radians"),
        *("north", "south", "east", "west", "distance", "km", "score", "conf", "confidence", "rad"),
    )
)
_NAME_COLUMN = re.compile(
    r".*id|.*id_.*|.*name|.*code|key|file|path|image|img|photo|author|user|owner", re.IGNORECASE
)
_HAS_PRED = re.compile(_PRED)
_HAS_TRUTH = re.compile(_TRUTH)

ID_NAMES = (
    *("customid", "photoid", "imgid", "imageid", "id", "sampleid", "itemid", "questionid", "qid"),
    *("key", "panoid", "placeid", "uuid", "uid"),
)
"""Usual names of an id, squeezed, in order of trust."""

IMAGE_NAMES = (
    *("image", "img", "photo", "imagename", "imgname", "photoname", "filename", "imagefile"),
    *("imagepath", "imgpath", "photopath", "filepath", "path", "file"),
    *("imageurl", "url", "downloadurl"),
)
"""Usual names of the column that refers to the picture, squeezed; it names a row without an id."""

ROW_NAMES = (*ID_NAMES, *IMAGE_NAMES, "index")
"""Usual names of what tells one row of answers or truth from the others, squeezed."""

TEXT_NAMES = (
    *("rawtext", "rawoutput", "rawresponse", "rawprediction", "rawanswer", "raw"),
    *("generatedtext", "generation", "generated", "completion", "modeloutput", "modelresponse"),
    *("modelanswer", "llmoutput", "llmresponse", "predictedtext", "predtext", "outputtext"),
    *("response", "prediction", "predict", "predicted", "pred", "output", "reply", "text"),
    *("answer", "message", "content", "solution", "result", "filteredresps", "resps"),
)
"""Usual names of a column with the model's own words, squeezed, in order of trust."""

AUTHOR_NAMES = (
    *("author", "authorid", "photographer", "userid", "user", "usernsid", "nsid", "owner"),
    *("uploader", "creatorid", "uid"),
)
"""Usual names of the column that tells who took the photo, squeezed."""

TIME_NAMES = ("takenat", "capturedat", "datetaken", "timestamp", "datetime")
"""Usual names of the column that tells when the photo was taken, squeezed."""

LICENCE_NAMES = ("licence", "license", "licensename", "licencename")
"""Usual names of the column with the licence, squeezed."""

REGION_NAMES = {
    "country": ("country", "countryname"),
    "admin1": ("admin1", "state", "region", "province"),
    "city": ("city", "cityname", "town"),
}
"""Usual names of the columns with named regions, squeezed."""


@dataclass(frozen=True)
class Columns:
    """Which column holds what; None where the file has none."""

    id: str | None
    lat: str | None
    lon: str | None
    text: str | None = None
    regions: tuple[tuple[str, str], ...] = ()
    """Pairs of level ('country', 'admin1', 'city') and column."""

    def used(self) -> list[str]:
        """Return the named columns, each once."""
        names = [self.id, self.lat, self.lon, self.text, *(column for _, column in self.regions)]
        return list(dict.fromkeys(name for name in names if name is not None))


def squeeze(name: str) -> str:
    """Return a column name as lower-case letters and digits only.

    Examples
    --------
    >>> squeeze("IMG_ID"), squeeze("predicted Latitude"), squeeze("prediction.lat")
    ('imgid', 'predictedlatitude', 'predictionlat')
    """
    return re.sub(r"[^a-z0-9]+", "", name[:200].lower())


def axis_of(name: str) -> tuple[Literal["lat", "lon"], Role, str] | None:
    """Return axis, role and the rest of a coordinate column's name, None for other columns.

    Examples
    --------
    >>> axis_of("lat_pred"), axis_of("gt_lon"), axis_of("LAT")
    (('lat', 'pred', 'pred'), ('lon', 'truth', 'gt'), ('lat', 'plain', ''))
    >>> axis_of("lat_bin") is None
    True
    """
    found = _AXIS_NAME.fullmatch(squeeze(name))
    if found is None:
        return None
    rest = found["before"] + found["after"]
    role: Role = "plain"
    if _HAS_PRED.search(rest):
        role = "pred"
    elif _HAS_TRUTH.search(rest):
        role = "truth"
    return ("lat" if found["lat"] else "lon"), role, rest


def is_name(name: str) -> bool:
    """Return whether a column is named like one that holds names: ids, codes, files, people.

    Examples
    --------
    >>> is_name("img_id"), is_name("user"), is_name("altitude")
    (True, True, False)
    """
    return _NAME_COLUMN.fullmatch(name) is not None


def find_pair(names: Iterable[str], roles: Sequence[Role], where: str) -> tuple[str, str] | None:
    """Return the latitude and longitude column of the first role that has both, else None.

    Raises
    ------
    FileError
        If two pairs could be meant.

    Examples
    --------
    >>> find_pair(["id", "lat", "lon", "lat_pred", "lon_pred"], ("pred", "plain"), "a.csv")
    ('lat_pred', 'lon_pred')
    """
    squeezed = {squeeze(name): name for name in names}
    groups = _axis_groups(names)
    for role in roles:
        pairs = [(rest, group) for (r, rest), group in groups.items() if r == role]
        whole = [pair for pair in pairs if pair[1]["lat"] and pair[1]["lon"]]
        bare = [pair for pair in whole if not pair[0]]
        chosen = bare or whole
        if len(chosen) > 1 or any(len(v) > 1 for _, group in chosen for v in group.values()):
            found = ", ".join(n for _, group in chosen for v in group.values() for n in v)
            msg = f"{where}: {found} could all be the coordinates; {_NAME_THEM}"
            raise FileError(msg)
        if chosen:
            return chosen[0][1]["lat"][0], chosen[0][1]["lon"][0]
        # unit vectors have a z as well
        if role == "plain" and {"x", "y"} <= squeezed.keys() and "z" not in squeezed:
            return squeezed["y"], squeezed["x"]
    return _by_last_part(names, where) if {"pred", "plain"} & set(roles) else None


def _by_last_part(names: Iterable[str], where: str) -> tuple[str, str] | None:
    """Return the one pair whose names end in an axis and begin alike: ``llava_7b_lat`` and its lon.

    Raises
    ------
    FileError
        If there are several.
    """
    pairs: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        parts = [part.lower() for part in _PARTS.findall(name)]
        own = axis_of(parts[-1]) if len(parts) > 1 and axis_of(name) is None else None
        if own is not None and not _NO_PLACE_PARTS.intersection(parts):
            pairs.setdefault(tuple(parts[:-1]), {})[own[0]] = name
    whole = [pair for pair in pairs.values() if len(pair) == 2]
    if len(whole) > 1:
        found = ", ".join(name for pair in whole for name in pair.values())
        msg = f"{where}: {found} could all be the coordinates; {_NAME_THEM}"
        raise FileError(msg)
    return (whole[0]["lat"], whole[0]["lon"]) if whole else None


def _axis_groups(names: Iterable[str]) -> dict[tuple[Role, str], dict[str, list[str]]]:
    """Return the coordinate columns by role and the rest of their name, then by axis."""
    groups: dict[tuple[Role, str], dict[str, list[str]]] = {}
    for name in names:
        axis = axis_of(name)
        if axis is not None:
            group = groups.setdefault(axis[1:], {"lat": [], "lon": []})
            group[axis[0]].append(name)
    return groups


def coordinate_columns(
    names: Sequence[str],
    lat: str | None = None,
    lon: str | None = None,
    *,
    roles: Sequence[Role] = ("plain", "truth", "pred"),
    where: str = "",
) -> tuple[str, str]:
    """Return the latitude and longitude column, as named or found by their usual names.

    Parameters
    ----------
    names
        The columns there are.
    lat, lon
        Those that the caller named; the other one of a pair is found by itself.
    roles
        Which columns count, the first that has a pair wins: of what the file is about, of the
        truth, of a prediction.
    where
        What the message calls the table.

    Raises
    ------
    FileError
        If a column is missing or two could be meant; the message lists what is there.

    Examples
    --------
    >>> coordinate_columns(["IMG_ID", "LAT", "LON"]), coordinate_columns(["lat_pred", "lon_pred"])
    (('LAT', 'LON'), ('lat_pred', 'lon_pred'))
    """
    label = where or "the table"
    lat, lon = given(lat, names, "lat", label), given(lon, names, "lon", label)
    if lat is not None and lon is not None:
        return lat, lon
    if lat is None and lon is None:
        pair = find_pair(names, roles, label)
        if pair is not None:
            return pair
    else:
        other = _partner(names, str(lat or lon), "lon" if lat else "lat", roles)
        if other is not None:
            return (lat, other) if lat else (other, str(lon))
    msg = (
        f"{where + ': ' if where else ''}found no {_missing_axis(names, lat, lon)} among "
        f"{', '.join(name[:40] for name in names[:30]) or '(no columns)'}; expected one of lat, "
        f"latitude, gt_lat, lat_pred with its lon; or {_NAME_THEM}"
    )
    raise FileError(msg)


def _partner(names: Sequence[str], named: str, axis: str, roles: Sequence[Role]) -> str | None:
    """Return the one column of the other axis that goes with a named one."""
    groups = _axis_groups(names)
    own = axis_of(named)
    choices = [groups[own[1:]][axis]] if own else []
    choices += [
        [name for key, group in groups.items() if key[0] == role for name in group[axis]]
        for role in roles
    ]
    found = next(filter(None, choices), [])
    return found[0] if len(found) == 1 else None


def _missing_axis(names: Sequence[str], lat: str | None, lon: str | None) -> str:
    has = {axis[0] for name in names if (axis := axis_of(name))}
    if lat is None and "lat" not in has:
        return "latitude column"
    if lon is None and "lon" not in has:
        return "longitude column"
    return "latitude and longitude that go together"


def find_named(names: Sequence[str], usual: Sequence[str], what: str, where: str) -> str | None:
    """Return the first column whose squeezed name is usual, None if there is none.

    Raises
    ------
    FileError
        If two columns have that name but for case and separators.

    Examples
    --------
    >>> find_named(["IMG_ID", "LAT"], ID_NAMES, "id", "a.csv")
    'IMG_ID'
    """
    squeezed: dict[str, list[str]] = {}
    for name in names:
        squeezed.setdefault(squeeze(name), []).append(name)
    for candidate in usual:
        found = squeezed.get(candidate, [])
        if len(found) > 1:
            msg = f"{where}: {', '.join(found)} could all be the {what}; name one with {what}="
            raise FileError(msg)
        if found:
            return found[0]
    return None


def given(name: str | None, names: Sequence[str], what: str, where: str) -> str | None:
    """Return a column that the caller named, after checking that it is there.

    Raises
    ------
    FileError
        If it is not; the message lists the columns.

    Examples
    --------
    >>> given("LAT", ["LAT", "LON"], "lat", "a.csv")
    'LAT'
    """
    if name is None or name in names:
        return name
    msg = f"{where}: no column {name!r} for {what}; the columns are {listed(names)}"
    raise FileError(msg)


def listed(names: Sequence[str]) -> str:
    """Return column names for an error message, cut where there are many."""
    shown = ", ".join(repr(name[:40]) for name in names[:20]) or "(none)"
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


def not_found(names: Sequence[str], what: str, where: str) -> FileError:
    """Return the error for a column that was not found, guessing what went wrong."""
    hint = ""
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        hint = "; the fields are not separated by commas: save it as CSV, or give format='tsv'"
    elif names and sum(bool(re.fullmatch(r"[-+]?[0-9.]+", n.strip())) for n in names) >= 2:
        hint = "; line 1 looks like data: add a header such as id,lat,lon"
    msg = f"{where}: found no {what} among the columns {listed(names)}{hint}"
    return FileError(msg)
