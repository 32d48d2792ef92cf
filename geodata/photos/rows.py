"""Turn rows of any photo source into rows of the one schema: judge, hash, date, index."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import coords
from geodata.files import FileError
from geodata.images import ABSENT, AMBIGUOUS, Images, Place, renamed
from geodata.leakage import Salt, author_hash
from geodata.photos.sources import GSV_PARTS
from geodata.photos.times import iso_times
from geodata.sphere import unit_vectors

SCHEMA = pa.schema(
    [
        ("photo_id", pa.string()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("image", pa.string()),
        ("author", pa.string()),
        ("taken_at", pa.string()),
        ("source", pa.string()),
        ("source_row", pa.int64()),
        ("licence", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("h3_3", pa.int64()),
        ("h3_5", pa.int64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("z", pa.float64()),
    ]
)
"""The columns of a photo table; kept columns of the source follow."""

STATUSES = {
    "ok": "the row can be used",
    "unreadable": "the row or picture could not be read",
    "missing": "it has no latitude or no longitude",
    "invalid": "its coordinates are no numbers in range, or no certain position",
    "null_island": "its coordinates are exactly 0, 0, which is what a missing position becomes",
    "no_id": "it has no photo id",
    "video": "it is no photo",
    "image_missing": "the places given for pictures have none for it",
    "photo_unavailable": "its picture is too small in bytes to be one: Flickr's placeholder",
}
"""Every status and what it says; of several the first counts. lat and lon are NULL for those
from ``unreadable`` to ``null_island``, and only for them."""

UNAVAILABLE_BYTES = 5120
"""Pictures of Flickr data sets below this are the drawing that says: photo unavailable."""

_NAMES = tuple(STATUSES)
_MISSING_WORDS = pa.array(["", "nan", "null", "none", "na", "n/a", "\\n"])


@dataclass(frozen=True)
class Rules:
    """What an import does with each row besides reading it."""

    format: str
    source: str
    """Text of the column ``source``."""
    salt: Salt | None
    licence: str | None
    """Licence of rows that do not bring one."""
    images: Images | None
    min_image_bytes: int
    keep: tuple[str, ...]
    places: tuple[Place, ...] = ()
    """How the table calls the places of pictures."""


class _Verdicts:
    """The status of each row of a batch; the first that is given stays."""

    def __init__(self, rows: int) -> None:
        self._codes = np.full(rows, -1, np.int8)
        self._reasons: dict[int, str] = {}

    @property
    def undecided(self) -> NDArray[np.bool_]:
        return self._codes < 0

    def mark(self, where: NDArray[np.bool_], status: str) -> NDArray[np.int64]:
        """Give undecided rows a status and return which they are."""
        rows = np.flatnonzero(where & self.undecided)
        self._codes[rows] = _NAMES.index(status)
        return rows

    def explain(self, rows: Iterable[int], reasons: Iterable[str | None]) -> None:
        told = zip(rows, reasons, strict=True)
        self._reasons.update((int(row), why) for row, why in told if why is not None)

    def columns(self) -> dict[str, pa.Array]:
        """Return columns ``status`` and ``reason``; what is undecided now is ok."""
        codes = np.where(self.undecided, _NAMES.index("ok"), self._codes)
        rows = sorted(self._reasons)
        reasons: pa.Array = pa.nulls(len(codes), pa.string())
        if rows:
            where = np.zeros(len(codes), bool)
            where[rows] = True
            texts = pa.array([self._reasons[row] for row in rows], pa.string())
            reasons = pc.replace_with_mask(reasons, pa.array(where), texts)
        return {"status": pa.array(_NAMES).take(pa.array(codes)), "reason": reasons}


def to_schema(
    table: pa.Table, bad: Mapping[int, str], first_row: int, rules: Rules
) -> tuple[pa.Table, int]:
    """Return a batch in the one schema, and how many latitudes are numbers beyond the poles.

    Parameters
    ----------
    table
        Columns by role, as `geodata.photos.sources.PhotoSource.batches` gives them.
    bad
        Reasons by offset of damaged rows.
    first_row
        Row number in the source of the first row, from 0.
    """
    n = table.num_rows
    verdicts = _Verdicts(n)
    damaged = np.zeros(n, bool)
    damaged[list(bad)] = True
    verdicts.mark(damaged, "unreadable")
    verdicts.explain(bad.keys(), bad.values())
    _take_given(table, verdicts)
    points, beyond = _judge_coordinates(table, verdicts)
    photo_id, image = _names(table, first_row, rules, verdicts)
    usable = points.valid
    columns: dict[str, Any] = {
        "photo_id": photo_id,
        "lat": pa.array(points.lat, mask=~usable),
        "lon": pa.array(points.lon, mask=~usable),
        "image": renamed(image, rules.places),
        "author": _hashed(_role(table, "author"), rules.salt),
        "taken_at": iso_times(_role(table, "taken_at", as_text=False)),
        "source": pa.repeat(pa.scalar(rules.source), n),
        "source_row": pa.array(np.arange(first_row, first_row + n)),
        "licence": _licence(table, rules),
        **verdicts.columns(),
        **_places(points),
    }
    out = pa.table(columns, schema=SCHEMA)
    for name in rules.keep:
        out = out.append_column(name, table[name])
    return out, beyond


def _role(table: pa.Table, role: str, *, as_text: bool = True) -> pa.Array:
    """Return the column of a role in one piece, NULLs where the source has none."""
    if role not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    column = table[role].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return _plain_text(column, role) if as_text else column


def _plain_text(column: pa.Array, role: str) -> pa.Array:
    """Return ids and names as text without blanks around them; empty text is NULL."""
    kind = column.type
    if pa.types.is_floating(kind):  # what pandas makes of whole numbers with gaps
        column = pc.if_else(pc.is_nan(column), None, column)
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(pa.int64())
    try:
        column = column.cast(pa.string())
    except pa.ArrowException as error:
        msg = f"the column for {role} holds {kind}, expected text or numbers"
        raise FileError(msg) from error
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), None, column)


def _take_given(table: pa.Table, verdicts: _Verdicts) -> None:
    """Take over what the reader of the source already knows."""
    if "status" in table.column_names:
        status, reason = table["status"].combine_chunks(), table["reason"].to_pylist()
        for name in status.unique().drop_null().to_pylist():
            same = np.asarray(pc.fill_null(pc.equal(status, name), False)).astype(bool)
            rows = verdicts.mark(same, name)
            verdicts.explain(rows, [reason[row] for row in rows])


def _judge_coordinates(table: pa.Table, verdicts: _Verdicts) -> tuple[coords.Coordinates, int]:
    raw_lat, raw_lon = (_role(table, role, as_text=False) for role in ("lat", "lon"))
    lat, lon = coords.parse_numbers(raw_lat), coords.parse_numbers(raw_lon)
    points = coords.arrays(lat, lon)
    zero = points.valid & (points.lat == 0) & (points.lon == 0)
    usable = points.valid & ~zero & verdicts.undecided
    verdicts.mark(zero, "null_island")
    wrong = np.flatnonzero(~points.valid & verdicts.undecided)
    if len(wrong):
        y, x = raw_lat.take(pa.array(wrong)), raw_lon.take(pa.array(wrong))
        absent = np.zeros(len(lat), bool)
        absent[wrong] = np.asarray(pc.or_(_is_absent(y), _is_absent(x))).astype(bool)
        verdicts.mark(absent, "missing")
        told = pa.array(~absent[wrong])
        texts = pc.binary_join_element_wise(
            "lat ", _shown(y.filter(told)), ", lon ", _shown(x.filter(told)), ""
        )
        verdicts.explain(verdicts.mark(~points.valid, "invalid"), texts.to_pylist())
    y0, x0 = np.where(usable, points.lat, 0.0), np.where(usable, points.lon, 0.0)
    return coords.Coordinates(y0, x0, usable), _beyond_poles(lat)


def _is_absent(raw: pa.Array) -> pa.Array:
    """Return where a coordinate is left out: NULL, NaN, or text that says so."""
    if pa.types.is_floating(raw.type):
        return pc.is_null(raw, nan_is_null=True)
    if pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type):
        words = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(raw, pa.string())))
        return pc.or_(raw.is_null(), pc.is_in(words, _MISSING_WORDS))
    return raw.is_null()


def _shown(raw: pa.Array) -> pa.Array:
    """Return values as short text for a reason; of nested ones only the type."""
    try:
        texts = pc.cast(raw, pa.string())
    except pa.ArrowException:
        texts = pa.repeat(pa.scalar(f"({raw.type})"), len(raw))
    return pc.utf8_slice_codeunits(texts, 0, 40)


def _beyond_poles(lat: pa.Array) -> int:
    if not pa.types.is_floating(lat.type) and not pa.types.is_integer(lat.type):
        return 0
    values = lat.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    return int(np.count_nonzero(np.isfinite(values) & (np.abs(values) > coords.MAX_LAT)))


def _names(
    table: pa.Table, first_row: int, rules: Rules, verdicts: _Verdicts
) -> tuple[pa.Array, pa.Array]:
    """Return ids and picture references, and mark rows that have none."""
    image = _role(table, "image")
    if "photo_id" in table.column_names:
        photo_id = _role(table, "photo_id")
    elif "image" in table.column_names:
        photo_id = image
    else:
        numbers = np.arange(first_row, first_row + table.num_rows)
        photo_id = pa.array(numbers).cast(pa.string())
    verdicts.mark(np.asarray(photo_id.is_null()).astype(bool), "no_id")
    video = pc.fill_null(pc.equal(_role(table, "_marker"), "1"), False)
    verdicts.mark(np.asarray(video).astype(bool), "video")
    keys = _image_keys(table, photo_id, image, rules)
    if rules.images is None:
        return photo_id, keys
    image, sizes = rules.images.resolve(keys)
    several = verdicts.mark(sizes == AMBIGUOUS, "image_missing")
    verdicts.explain(several, ["several pictures have this name"] * len(several))
    verdicts.mark(sizes == ABSENT, "image_missing")
    small = verdicts.mark((sizes >= 0) & (sizes < rules.min_image_bytes), "photo_unavailable")
    verdicts.explain(small, [f"the picture has {size} bytes" for size in sizes[small]])
    return photo_id, image


def _image_keys(table: pa.Table, photo_id: pa.Array, image: pa.Array, rules: Rules) -> pa.Array:
    """Return the name that a picture is sought by: its column, or made from the id."""
    if rules.format == "osv5m" and "image" not in table.column_names:
        return pc.binary_join_element_wise(photo_id, ".jpg", "")
    if rules.format == "yfcc100m" and rules.images is not None and "_ext" in table.column_names:
        return pc.binary_join_element_wise(photo_id, _role(table, "_ext"), ".")
    if rules.format == "gsv-cities" and "image" not in table.column_names:
        return _gsv_names(table, photo_id)
    return image if "image" in table.column_names else photo_id


def _gsv_names(table: pa.Table, panoid: pa.Array) -> pa.Array:
    """Return the file names of GSV-Cities: city, place, year, month, heading, place, panorama.

    https://github.com/amaralibey/gsv-cities, which numbers places modulo 100,000.
    """
    parts = [_role(table, f"_{part}").to_pylist() for part in GSV_PARTS]
    places = [_role(table, axis).to_pylist() for axis in ("lat", "lon")]
    names: list[str | None] = []
    for city, place, year, month, heading, lat, lon, pano in zip(
        *parts, *places, panoid.to_pylist(), strict=True
    ):
        try:
            number = f"{int(place) % 100_000:07d}_{int(year):04d}_{int(month):02d}"
            at = f"{int(heading):03d}_{float(lat)}_{float(lon)}"
        except (TypeError, ValueError):
            names.append(None)
            continue
        names.append(f"{city}_{number}_{at}_{pano}.jpg" if city and pano else None)
    return pa.array(names, pa.string())


def _licence(table: pa.Table, rules: Rules) -> pa.Array:
    licence = _role(table, "licence")
    return licence if rules.licence is None else pc.fill_null(licence, rules.licence)


def _hashed(authors: pa.Array, salt: Salt | None) -> pa.Array:
    words = authors.dictionary_encode()
    digests = [author_hash(word, salt) for word in words.dictionary.to_pylist()]
    return pa.array(digests, pa.string()).take(words.indices)


def _places(points: coords.Coordinates) -> dict[str, pa.Array]:
    """Return H3 cells and unit vectors, NULL where there is no position."""
    import h3ronpy.vector as h3_vector

    ok = points.valid
    lat, lon = points.lat[ok], points.lon[ok]
    out: dict[str, pa.Array] = {}
    for resolution in (3, 5):
        cells = np.zeros(len(ok), np.int64)
        if len(lat):
            found = h3_vector.coordinates_to_cells(lat, lon, resolution)
            cells[ok] = np.asarray(pa.array(found)).view(np.int64)
        out[f"h3_{resolution}"] = pa.array(cells, mask=~ok)
    vectors = unit_vectors(points.lat, points.lon)
    for i, axis in enumerate("xyz"):
        out[axis] = pa.array(np.ascontiguousarray(vectors[:, i]), mask=~ok)
    return out
