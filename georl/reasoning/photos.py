"""The photos of a set with their truth, and the bytes of each as servers are shown it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, ImageOps

from geodata import coords, cor
from geodata.errors import GeodataError
from geodata.files import ID_NAMES, Source, coordinate_columns, find_named, id_text, squeeze
from geodata.images import confined, started_table
from geodata.tables import open_rows
from georl.config import ConfigError, ReasonPhotos
from georl.endpoints import jpeg
from georl.reasoning.rows import Row, dropped

_PLACE = ("country", "city")
_READ_ROWS = 1 << 12


class UnreadableError(GeodataError, ValueError):
    """Bytes that no image can be read from."""


class Shown:
    """A photo: the hash of its file, and what servers are shown; decoded when it is asked for."""

    def __init__(self, content: bytes, options: ReasonPhotos) -> None:
        self.hash = hashlib.sha256(content).hexdigest()
        self._content, self._max_pixels = content, options.max_pixels

    @cached_property
    def jpeg(self) -> bytes:
        """The photo as it is sent: upright, no larger than allowed, without metadata.

        Raises
        ------
        UnreadableError
            If it cannot be decoded.
        """
        try:
            with Image.open(io.BytesIO(self._content)) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
        except Exception as error:  # on damaged bytes the decoders raise almost anything
            raise UnreadableError(str(error) or type(error).__name__) from error
        shrink = (self._max_pixels / (image.width * image.height)) ** 0.5
        if shrink < 1.0:
            width, height = (max(1, int(side * shrink)) for side in image.size)
            image = image.resize((width, height))
        return jpeg(image)


def opened(options: ReasonPhotos) -> Source:
    """Open the photo table and check its columns.

    Raises
    ------
    ConfigError
        If a column is not there, or the image column holds no references.
    FileError, TableError
        If the table cannot be read.
    """
    source = open_rows(options.table)
    schema = source.schema
    names = source.columns if schema is None else schema.names  # parts of columns are none
    if options.image not in names:
        msg = (
            f"{source.name} has no column {options.image!r} for the image; set photos.image to "
            f"one of {', '.join(names)}"
        )
        raise ConfigError(msg)
    if schema is not None:
        kind = schema.field(options.image).type
        if not (
            pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
        ):
            msg = (
                f"the column {options.image!r} of {source.name} is {kind}; a reasoning set needs "
                "references to image files: write the images out, and give their paths"
            )
            raise ConfigError(msg)
    if options.split is not None and "split" not in names:
        msg = f"photos.split is {options.split!r}, and {source.name} has no column 'split'"
        raise ConfigError(msg)
    return source


def rows(options: ReasonPhotos) -> Iterator[list[Row]]:
    """Yield the photos in the table's order, in batches; one that cannot be asked is dropped.

    Reasons are ``no_image``, ``no_coordinates``, ``no_country`` (coordinates in no country) and
    ``repeated_id``.
    """
    source, seen, left = opened(options), set[str](), options.limit
    wanted = _columns(source, options)
    start = 0
    for table in source.tables(list(dict.fromkeys(wanted.values())), rows=_READ_ROWS):
        number = start
        start += table.num_rows
        ids = _ids(table, wanted.get("id"), number)
        picked = table
        if options.split is not None:
            mask = pc.fill_null(
                pc.equal(pc.cast(table["split"], pa.string()), options.split), False
            )
            picked, ids = table.filter(mask), ids.filter(mask)
        if left is not None:
            picked, ids = picked.slice(0, left), ids.slice(0, left)
            left -= picked.num_rows
        picked = started_table(picked, _home(options), wanted["image"])
        yield _judged(picked, ids.to_pylist(), wanted, seen)
        if left == 0:
            return


def show(reference: str, options: ReasonPhotos) -> Shown:
    """Return a photo by its reference.

    Raises
    ------
    FileError
        If it is not there, or not inside ``photos.image_root``: photos are sent to servers.
    """
    return Shown(confined(reference, options.image_root, _home(options)), options)


def _home(options: ReasonPhotos) -> Path | None:
    """Return the folder of the table, where photos are sought if no folder is named for them."""
    usual = options.image_root == ReasonPhotos().image_root
    return Path(options.table).parent if usual else None


def _columns(source: Source, options: ReasonPhotos) -> dict[str, str]:
    names = source.columns
    try:
        lat, lon = coordinate_columns(names, where=str(source.name))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    found = {"image": options.image, "lat": lat, "lon": lon}
    name = options.id or find_named(names, ID_NAMES, "id", str(source.name))
    if options.id is not None and options.id not in names:
        msg = f"photos.id is {options.id!r}, and {source.name} has only {', '.join(names)}"
        raise ConfigError(msg)
    return (
        found
        | ({"id": name} if name else {})
        | {squeeze(n): n for n in names if squeeze(n) in (*_PLACE, "split")}
    )


def _ids(table: pa.Table, column: str | None, start: int) -> pa.ChunkedArray:
    if column is None:
        return pa.chunked_array(
            [pa.array([str(start + i) for i in range(table.num_rows)], pa.string())]
        )
    return id_text(table[column])


def _judged(
    table: pa.Table, ids: list[str | None], wanted: dict[str, str], seen: set[str]
) -> list[Row]:
    checked = coords.arrays(*(coords.parse_numbers(table[wanted[n]]) for n in ("lat", "lon")))
    texts = {
        name: pc.cast(table[wanted[name]], pa.string()).to_pylist()
        for name in ("image", *_PLACE, "split")
        if name in wanted
    }
    labels = _labels(checked, texts)
    found = []
    for i, name in enumerate(ids):
        row: Row = {
            "id": name, "image": texts["image"][i] or None, "kept": True, "answers": [],
            "lat": float(checked.lat[i]) if checked.valid[i] else None,
            "lon": float(checked.lon[i]) if checked.valid[i] else None,
            "country": labels["country"][i], "city": labels["city"][i],
            "split": texts["split"][i] if "split" in texts else None, "entities": [],
        }  # fmt: skip
        found.append(_first_problem(row, seen))
        if name is not None:
            seen.add(name)
    return found


def _first_problem(row: Row, seen: set[str]) -> Row:
    if row["id"] is None or row["id"] in seen:
        return dropped(row, "ask", "no_id" if row["id"] is None else "repeated_id")
    if row["image"] is None:
        return dropped(row, "ask", "no_image")
    if row["lat"] is None:
        return dropped(row, "ask", "no_coordinates")
    if row["country"] is None:
        return dropped(row, "ask", "no_country")
    return row


def _labels(checked: coords.Coordinates, texts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the true names: the table's own, and of its coordinates where it has none."""
    own = {name: texts.get(name, [None] * len(checked.lat)) for name in _PLACE}
    if all(own["country"]) and all(own["city"]):
        return own
    made = cor.label_table(checked.lat, checked.lon)
    pairs = {name: zip(own[name], made[name].to_pylist(), strict=True) for name in _PLACE}
    return {name: [a or b for a, b in both] for name, both in pairs.items()}
