"""Position and time of pictures from their EXIF tags, through Pillow.

A position is taken only if it is certain: a coordinate without its hemisphere, with swapped
hemispheres or with a fraction over zero gives a status and a reason instead of a guess.
Tags: CIPA DC-008 (Exif 2.32), section 4.6.6.
"""

from __future__ import annotations

import importlib
import io
import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import images
from geodata.errors import GeodataError
from geodata.files import Batch, FileError
from geodata.images import Archive, open_archive
from geodata.photos.formats.tags import EXIF_IFD, GPS_IFD, Field, field_of, text, utf8, values_of

PICTURE_ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif",
)  # fmt: skip
RAW_ENDINGS = (
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2",
    ".srw",
)  # fmt: skip
"""What cameras write beside or instead of a picture; it is counted and left out."""

BATCH_IMAGES = 2048

EXIF_COLUMNS = ("photo_id", "lat", "lon", "image", "taken_at", "status", "reason")

_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_DATE_TIME_ORIGINAL, _OFFSET_TIME_ORIGINAL = 0x9003, 0x9011
_WORDS = {"NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W"}


@dataclass(frozen=True)
class Position:
    """Where a picture says it was taken, or why it does not."""

    lat: float | None
    lon: float | None
    status: str
    """``ok``, ``missing`` or ``invalid``; the range is checked later, as for any row."""
    reason: str | None


class _BadTagError(GeodataError, ValueError):
    pass


def position(gps: Mapping[int, Any]) -> Position:
    """Return the position of a GPS IFD, given as tag number to value.

    Parameters
    ----------
    gps
        Tags 1 to 4: hemispheres as text, and degrees, minutes, seconds as rationals (anything
        with numerator and denominator, pairs of whole numbers, or numbers).

    Examples
    --------
    >>> position({1: "S", 2: (33, 51, 36), 3: "E", 4: (151, 12, 0)})
    Position(lat=-33.86, lon=151.2, status='ok', reason=None)
    >>> position({2: (33, 51, 36), 4: (151, 12, 0)}).reason
    'no hemisphere: GPSLatitudeRef is None'
    >>> position({1: "N", 2: ((0, 0), (0, 0), (0, 0)), 3: "E", 4: ((0, 0), (0, 0), (0, 0))}).status
    'missing'
    """
    try:
        lat = _angle("GPSLatitude", gps.get(_LAT))
        lon = _angle("GPSLongitude", gps.get(_LON))
        if lat is None or lon is None:
            which = "latitude" if lat is None else "longitude"
            why = f"GPS tags without a {which}" if gps else "no GPS tags"
            return Position(None, None, "missing", why)
        lat_ref = _hemisphere(gps.get(_LAT_REF))
        lon_ref = _hemisphere(gps.get(_LON_REF))
        _check_hemispheres(lat_ref, lon_ref, gps)
    except _BadTagError as error:
        return Position(None, None, "invalid", str(error))
    return Position(-lat if lat_ref == "S" else lat, -lon if lon_ref == "W" else lon, "ok", None)


def images_in(folder: Path) -> Iterator[str]:
    """Yield the pictures of a folder, by their endings, as sorted relative paths with ``/``."""

    def refuse(error: OSError) -> None:
        msg = f"{error.filename}: cannot be listed: {error.strerror}"
        raise FileError(msg) from error

    for where, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(PICTURE_ENDINGS):
                yield (Path(where) / name).relative_to(folder).as_posix()


def raw_files(source: Path) -> Counter[str]:
    """Count the RAW files of a folder or archive by their endings."""
    if source.is_dir():
        names = (name for _, _, files in os.walk(source) for name in files)
    else:
        names = (name.as_py() for name in open_archive(source).names)
    endings = (os.path.splitext(name)[1].lower() for name in names)  # noqa: PTH122
    return Counter(ending for ending in endings if ending in RAW_ENDINGS)


def pictures(source: Path) -> Iterator[str]:
    """Yield the pictures of a folder or archive by name, told by their endings."""
    if source.is_dir():
        yield from images_in(source)
        return
    for name in open_archive(source).names:
        if name.as_py().lower().endswith(PICTURE_ENDINGS):
            yield name.as_py()


def names_in(source: Path, most: int = 5) -> list[str]:
    """Return the first names of a folder or archive, whatever they are."""
    if source.is_dir():
        return sorted(p.name for p in source.iterdir())[:most]
    found: list[str] = open_archive(source).names.slice(0, most).to_pylist()
    return found


def exif_batches(source: Path, keep: Sequence[str]) -> Iterator[Batch]:
    """Yield the pictures of a folder or archive as rows with `EXIF_COLUMNS` and the kept tags.

    Raises
    ------
    ValueError
        For a name in ``keep`` that is no field of EXIF or XMP.
    """
    tags = {name: field_of(name) for name in keep}
    _know_heic()
    archive = None if source.is_dir() else open_archive(source)
    rows: list[dict[str, Any]] = []
    for name in pictures(source):
        rows.append(_row(source, archive, name, tags))
        if len(rows) == BATCH_IMAGES:
            yield _batch(rows, keep)
            rows = []
    if rows:
        yield _batch(rows, keep)


def _batch(rows: list[dict[str, Any]], keep: Sequence[str]) -> Batch:
    kinds = {"lat": pa.float64(), "lon": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in (*EXIF_COLUMNS, *keep)])
    return Batch(pa.Table.from_pylist(rows, schema), {})


def _row(
    source: Path, archive: Archive | None, name: str, tags: Mapping[str, Field]
) -> dict[str, Any]:
    reference = str(source / name) if archive is None else f"{source}#{name}"
    row: dict[str, Any] = {"photo_id": utf8(name), "image": utf8(reference)}
    try:
        if archive is None and not (source / name).is_file():
            return row | {"status": "unreadable", "reason": "is no regular file"}
        data: Path | io.BytesIO = source / name if archive is None else _bytes(archive, name)
        return row | _read(data, name, tags)
    except (FileError, OSError) as error:
        return row | {"status": "unreadable", "reason": _why(error)}


def _bytes(archive: Archive, name: str) -> io.BytesIO:
    return io.BytesIO(archive.read(name))


def _read(data: Path | io.BytesIO, name: str, tags: Mapping[str, Field]) -> dict[str, Any]:
    """Return position, time and kept tags of one picture.

    Pillow raises whatever its parsers stumble over (SyntaxError, struct.error, KeyError and
    more), so a damaged picture is told by any exception; it becomes a status, never an end.
    """
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with Image.open(data) as image:
                exif = image.getexif()
                gps = exif.get_ifd(GPS_IFD)
                detail = exif.get_ifd(EXIF_IFD)
                found = position(gps)
                values = values_of(image, tags)
        except UnidentifiedImageError:
            return {"status": "unreadable", "reason": _unidentified(name)}
        except Exception as error:
            return {"status": "unreadable", "reason": _why(error)}
    damage = [str(one.message) for one in caught if "orrupt" in str(one.message)]
    if damage and found.status == "missing":
        return {"status": "unreadable", "reason": f"damaged EXIF: {damage[0][:120]}", **values}
    return {
        "lat": found.lat,
        "lon": found.lon,
        "status": None if found.status == "ok" else found.status,
        "reason": found.reason,
        "taken_at": _taken(detail),
        **values,
    }


def _angle(name: str, value: Any) -> float | None:
    """Return degrees from degrees, minutes, seconds; None where the tag says nothing."""
    if value is None:
        return None
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if not 1 <= len(parts) <= 3:
        msg = f"{name} has {len(parts)} parts, expected degrees, minutes, seconds"
        raise _BadTagError(msg)
    numbers = [_ratio(name, part) for part in parts]
    if all(number is None for number in numbers):
        return None
    total = 0.0
    for number, unit, most in zip(numbers, (1, 60, 3600), (360, 60, 60), strict=False):
        if number is None or not 0 <= number <= most:
            shown = "0/0" if number is None else f"{number:g}"
            msg = f"{name} {unit_name(unit)} are {shown}, expected 0 to {most}"
            raise _BadTagError(msg)
        total += number / unit
    return total


def unit_name(unit: int) -> str:
    """Return what a 1st, 60th or 3600th of a degree is called."""
    return {1: "degrees", 60: "minutes", 3600: "seconds"}[unit]


def _ratio(name: str, part: Any) -> float | None:
    """Return a rational as a number, None for 0/0."""
    try:
        if isinstance(part, tuple | list):
            above, below = part
        else:
            above, below = getattr(part, "numerator", part), getattr(part, "denominator", 1)
        if any(isinstance(one, str | bytes | bool) for one in (part, above, below)):
            raise TypeError
        if below == 0 and above == 0:
            return None
        number = float(above) / float(below)
    except (ZeroDivisionError, OverflowError):
        msg = f"{name} holds {part!r}, a fraction over zero"
        raise _BadTagError(msg) from None
    except (TypeError, ValueError):
        msg = f"{name} holds {str(part)[:40]!r}, expected a rational"
        raise _BadTagError(msg) from None
    if not math.isfinite(number):
        msg = f"{name} holds {part!r}, which is not finite"
        raise _BadTagError(msg)
    return number


def _hemisphere(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str):
        return None
    word = value.strip("\0 \t").upper()
    return _WORDS.get(word, word)


def _check_hemispheres(lat_ref: str | None, lon_ref: str | None, gps: Mapping[int, Any]) -> None:
    if lat_ref in ("E", "W") and lon_ref in ("N", "S"):
        msg = f"swapped hemispheres: GPSLatitudeRef {lat_ref!r}, GPSLongitudeRef {lon_ref!r}"
        raise _BadTagError(msg)
    for name, ref, tag, known in (
        ("GPSLatitudeRef", lat_ref, _LAT_REF, ("N", "S")),
        ("GPSLongitudeRef", lon_ref, _LON_REF, ("E", "W")),
    ):
        if ref not in known:
            msg = f"no hemisphere: {name} is {str(gps.get(tag))[:20]}"
            raise _BadTagError(msg)


def _taken(detail: Mapping[int, Any]) -> str | None:
    when, zone = text(detail.get(_DATE_TIME_ORIGINAL)), text(detail.get(_OFFSET_TIME_ORIGINAL))
    return f"{when}{zone}" if when and zone else when


def _know_heic() -> None:
    """Let Pillow read HEIC if its plug-in is installed; without it those files get a status."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return


def _knows_heic() -> bool:
    from PIL import Image

    return "HEIF" in Image.OPEN


def _unidentified(name: str) -> str:
    if name.lower().endswith((".heic", ".heif")) and not _knows_heic():
        return "HEIC needs pillow-heif: pip install '.[photos]' in the clone"
    return "not a picture that Pillow can read"


def _why(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {text}"[:200]


def is_archive(path: Path) -> bool:
    """Return whether a file is a tar or zip of pictures."""
    return path.is_file() and images.archive_kind(path) is not None
