"""Photo metadata from anywhere into one schema, bad rows kept with a status.

Reads MP-16 and MP16-Pro, IM2GPS3K, YFCC100M, OSV-5M, any CSV, TSV, Parquet or JSONL file with
coordinates, and folders or archives of pictures with EXIF positions. Every row of the source is
one row of the result, in order. Authors are hashed, and of the other columns only those asked
for are kept: where a photo was taken is personal data.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from geodata import SOFTWARE, tables
from geodata.images import (
    Archive,
    ImagePlaces,
    Place,
    called,
    index_path,
    open_archive,
    open_image,
    open_images,
)
from geodata.leakage import Salt
from geodata.photos.authors import as_salt, described, salt_for
from geodata.photos.repeats import AlreadyImportedError, before, fingerprint, new, refuse_again
from geodata.photos.report import ImportReport, Tally
from geodata.photos.rows import SCHEMA, STATUSES, UNAVAILABLE_BYTES, Rules, to_schema
from geodata.photos.sources import FLICKR, LAYOUTS, ROLES, PhotoSource, open_photos
from geodata.photos.watching import unchanged
from geodata.photos.writing import is_file_target, write_parquet

__all__ = [
    "LAYOUTS",
    "ROLES",
    "SCHEMA",
    "STATUSES",
    "AlreadyImportedError",
    "Archive",
    "ImportReport",
    "import_",
    "index_path",
    "open_archive",
    "open_image",
    "read",
]

Progress = Callable[[int, int | None], None]


def read(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str | None] | None = None,
    keep: Sequence[str] = (),
    salt: str | bytes | Salt | None = None,
    images: ImagePlaces | None = None,
    min_image_bytes: int | None = None,
    licence: str | None = None,
    source_name: str | None = None,
) -> Iterator[pa.Table]:
    """Read photo metadata of any kind in batches of the one schema, memory flat.

    Parameters
    ----------
    source
        A CSV, TSV, Parquet or JSONL file; a YFCC100M file (tab-separated, also .bz2 or .gz, or
        SQLite); a folder, tar or zip of pictures; an Arrow table or data frame.
    format
        One of 'mp16', 'im2gps3k', 'yfcc100m', 'osv5m', 'exif', or 'csv', 'tsv', 'parquet',
        'jsonl' for a file whose ending does not tell; by default told by header and content.
    columns
        Column by role: 'photo_id', 'lat', 'lon', 'image', 'author', 'taken_at', 'licence'. What
        is not given is found by its usual name; None leaves a role out. Without an id the image
        names a row, without an image its row number does.
    keep
        More columns to keep, as they are; for pictures names of EXIF tags such as 'Model' or
        'GPSImgDirection', and of XMP fields such as 'dc:creator'.
    salt
        Text or bytes hashed before each author, or a lake's (`geodata.tables.lake_salt`). Author
        ids can be guessed, so a hash without a salt hides nobody from someone who tries; equal
        salts keep tables comparable.
    images
        Where the pictures are: tar and zip files (read in place, see `open_archive`), folders of
        pictures, archives or both, or the beginning of a URL. Rows then refer to the picture
        that was found, first in archives, and rows without one get a status.
    min_image_bytes
        Smaller pictures are 'photo_unavailable': by default 5120 for Flickr data sets, else 0.
    licence
        Licence of rows whose source does not say.
    source_name
        Text of the column 'source'; by default the format, or the name of the file.

    Yields
    ------
    pyarrow.Table
        Columns of `SCHEMA`, then the kept ones: photo_id; lat, lon in degrees, NULL unless both
        are good; image; author, SHA-256 in hex, behind the mark of the salt
        (`geodata.leakage.author_hash`); taken_at, ISO 8601 text, without zone if unknown;
        source; source_row, from 0; licence; status, one of `STATUSES`; reason; h3_3, h3_5, H3
        cells; x, y, z, unit vector.

    Raises
    ------
    FileError
        If the source is not there, is of unknown format, lacks a column or cannot be read.
    ValueError
        For an unknown format, role or kept column.

    Examples
    --------
    >>> rows = {"IMG_ID": ["a/1.jpg", "b/2.jpg"], "LAT": ["48.8584", "91"], "LON": ["2.2945", "0"]}
    >>> photos = next(read(rows))
    >>> photos.select(["photo_id", "lat", "lon", "status"]).to_pylist()
    [{'photo_id': 'a/1.jpg', 'lat': 48.8584, 'lon': 2.2945, 'status': 'ok'},
     {'photo_id': 'b/2.jpg', 'lat': None, 'lon': None, 'status': 'invalid'}]
    """
    opened = open_photos(source, format, columns, keep)
    rules = _rules(opened, salt, images, min_image_bytes, licence, source_name)
    return (table for table, _ in _batches(opened, rules))


def import_(
    source: Any,
    target: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str | None] | None = None,
    keep: Sequence[str] = (),
    salt: str | bytes | Salt | Literal[False] | None = None,
    images: ImagePlaces | None = None,
    min_image_bytes: int | None = None,
    licence: str | None = None,
    source_name: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import photo metadata into a Parquet file or a versioned table.

    Parameters
    ----------
    source, format, columns, keep, images, min_image_bytes, licence, source_name
        As in `read`.
    target
        A file that ends in .parquet, which appears whole or not at all; or the folder of a
        versioned table (`geodata.tables`), where the rows are appended as a new version. A
        relative ``source`` or place of ``images`` is called in the rows as it is found from the
        folder that the target lies in.
    salt
        As in `read`; by default that of the lake, drawn at its first import, for a table, and
        none for a file. False takes none. A table keeps the salt that it began with.
    again
        Append a source that the table holds already, which is refused else.
    progress
        Called with the rows done and the rows in all, None where the source does not tell.

    Returns
    -------
    ImportReport
        Rows by status, how many ids repeat, the format and columns that were found, and what
        made the rows; the last is also in the Parquet metadata (key ``geodata``) or the note of
        the version.

    Raises
    ------
    FileError, ValueError
        As in `read`, with nothing written; ValueError also if the table's authors are hashed with
        another salt.
    AlreadyImportedError
        If an import of the same content, by its SHA-256, is a version of the table already;
        also one that was killed behind its commit. Nothing is appended then.
    TableError
        If the table cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = {"IMG_ID": ["a", "b"], "LAT": [48.8584, None], "LON": [2.2945, 0.0]}
    >>> import_(rows, folder.name + "/photos.parquet").statuses
    {'ok': 1, 'missing': 1}
    >>> folder.cleanup()
    """
    opened = open_photos(source, format, columns, keep)
    into_file = is_file_target(target)
    chosen = as_salt(salt or None)
    told = described(chosen)
    place = Path(os.fspath(target))
    if not into_file:
        place = _near(target, opened, salt)
        chosen, told = salt_for(place, False if salt is None and tables.is_view(place.parent)
                                else salt)  # fmt: skip
    rules = _rules(opened, chosen, images, min_image_bytes, licence, source_name)
    rules = replace(rules, places=_places(opened, rules, target))
    batches = unchanged(_batches(opened, rules), opened.path)
    first = next(batches, None)  # a wrong source fails before anything is hashed or made
    made_by = _made_by(opened, rules, told)
    if not into_file and not again:
        refuse_again(place, made_by["source"], tables.address_of(target) or target)
    tally = Tally()
    stream = _counted(first, batches, tally, opened.rows, progress)
    schema = _schema(rules.keep) if first is None else first[0].schema
    version = None
    if into_file:
        write_parquet(target, schema, stream, made_by)
    else:
        with contextlib.ExitStack() as held:
            if not again and tables.address_of(target) is None:
                stream = new(stream, place, made_by["source"], held)
            version = tables.append(target, stream, made_by, schema=schema)
    return ImportReport(
        target=tables.address_of(target) or os.fspath(target),
        version=version,
        format=opened.format,
        detected=opened.detected,
        columns={r: c for r, c in opened.columns.items() if r in ROLES},
        rows=tally.rows,
        statuses={name: count for name, count in tally.statuses.items() if count},
        unreadable=tuple(tally.unreadable),
        beyond_pole=tally.beyond,
        made_by=made_by,
        repeated_ids=tally.ids.repeated(),
        known_ids=tally.ids.known(None if version is None else before(place, version)),
        raw=dict(opened.raw),
        ids=next((told for role, told in (("photo_id", "column"), ("image", "image"))
                  if role in opened.columns), "row number"),
    )  # fmt: skip


def _near(target: str | os.PathLike[str], opened: PhotoSource, salt: Any) -> Path:
    """Return the folder of a table, of one in a bucket what stands for it here.

    Raises
    ------
    ValueError
        For authors without a salt in a bucket, where none is kept.
    """
    address = tables.address_of(target)
    if address is None:
        return Path(os.fspath(target))
    if salt is None and "author" in opened.columns:
        msg = (
            f"{address}: a lake in a bucket keeps no salt, and the rows have authors; give one "
            "(--salt or GEODATA_SALT, salt=) and keep it, or hash without (--no-salt, salt=False)"
        )
        raise ValueError(msg)
    lake, _, table = address.rpartition("/")
    return tables.near(lake, table) / table


def _rules(
    opened: PhotoSource,
    salt: str | bytes | Salt | None,
    images: ImagePlaces | None,
    min_image_bytes: int | None,
    licence: str | None,
    source_name: str | None,
) -> Rules:
    taken = {name.lower() for name in SCHEMA.names}
    clash = [name for name in opened.keep if name.lower() in taken]
    if clash:
        msg = f"keep: {clash[0]!r} is a name of the photo schema; rename the column in the source"
        raise ValueError(msg)
    if images is not None and opened.format in ("exif", "takeout"):
        msg = "images: the source is the pictures themselves; leave images out"
        raise ValueError(msg)
    if min_image_bytes is None:
        min_image_bytes = UNAVAILABLE_BYTES if opened.format in FLICKR else 0
    known = opened.format if opened.format in LAYOUTS else None
    stem = opened.path.stem if opened.path is not None else opened.name
    return Rules(
        format=opened.format,
        source=source_name or known or stem,
        salt=as_salt(salt),
        licence=licence,
        images=open_images(images),
        min_image_bytes=min_image_bytes,
        keep=opened.keep,
    )


def _places(opened: PhotoSource, rules: Rules, target: str | os.PathLike[str]) -> tuple[Place, ...]:
    """Return how the target calls pictures, wherever it is read from."""
    home = None if tables.address_of(target) else Path(target).parent
    own = [opened.path] if opened.format in ("exif", "takeout") and opened.path is not None else []
    return called([*own, *(rules.images.paths() if rules.images is not None else [])], home)


def _batches(opened: PhotoSource, rules: Rules) -> Iterator[tuple[pa.Table, int]]:
    """Yield batches of one schema, also where a later one knows less about a kept column."""
    row = 0
    schema: pa.Schema | None = None
    for batch in opened.batches():
        table, beyond = to_schema(batch.table, batch.bad, row, rules)
        schema = schema or table.schema
        if table.schema != schema:
            table = table.cast(schema)
        row += table.num_rows
        yield table, beyond


def _schema(keep: Sequence[str]) -> pa.Schema:
    """Return the schema of a source without a row, whose kept columns have no type."""
    return pa.schema([*SCHEMA, *((name, pa.string()) for name in keep)])


def _counted(
    first: tuple[pa.Table, int] | None,
    rest: Iterator[tuple[pa.Table, int]],
    tally: Tally,
    rows: int | None,
    progress: Progress | None,
) -> Iterator[pa.Table]:
    following = first
    while following is not None:
        table, beyond = following
        tally.add(table, beyond)
        yield table
        if progress is not None:
            progress(tally.rows, rows)
        following = next(rest, None)


def _made_by(opened: PhotoSource, rules: Rules, authors: str) -> dict[str, Any]:
    """Return what the rows depend on: software, source with hash, and every option."""
    origin: dict[str, Any] = {"name": Path(opened.name).name, "format": opened.format}
    if (sha256 := fingerprint(opened.path)) is not None:
        origin["sha256"] = sha256
    if opened.raw:
        origin["raw_files_left_out"] = dict(opened.raw)
    return {
        "software": SOFTWARE,
        "step": "photos import",
        "source": origin,
        "columns": {r: c for r, c in opened.columns.items() if r in ROLES},
        "keep": list(rules.keep),
        "source_name": rules.source,
        "authors": authors,
        "licence": rules.licence,
        "images": None if rules.images is None else rules.images.describe(),
        "min_image_bytes": rules.min_image_bytes,
    }
