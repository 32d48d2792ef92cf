"""Get the divisions of some countries out of Overture's public bucket.

A release is half a thousand files of all countries, in the order of their places. Arrow reads the
statistics first, and of the rest only what can touch the box of a country that is asked for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import files
from geodata.boundaries.building import provider
from geodata.boundaries.facts import is_country
from geodata.boundaries.registry import load
from geodata.files import FileError

RELEASES = "s3://overturemaps-us-west-2/release"
"""Where Overture keeps its releases; anybody may read there."""

AREAS = "theme=divisions/type=division_area"

_REGION = "us-west-2"
_MARGIN = 1.0  # degrees around the land of a country, for its waters and its islands
_COLUMNS = (
    "id", "subtype", "class", "country", "region", "division_id", "is_land", "is_territorial",
    "names", "bbox", "geometry",
)  # fmt: skip

_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}

Progress = Callable[[int, int | None], None]


def fetch_overture(
    countries: Iterable[str],
    target: str | os.PathLike[str],
    *,
    release: str | None = None,
    source: str | os.PathLike[str] = RELEASES,
    progress: Progress | None = None,
) -> Path:
    """Copy the division areas of some countries into one GeoParquet file, for `build`.

    Parameters
    ----------
    countries : iterable of str
        ISO 3166-1 alpha-2 codes.
    target : path
        Folder of the file; made where it does not exist.
    release : str, optional
        Such as ``2026-09-24.0``; the newest that is there by default.
    source : str or path
        Where the releases lie: an address, or a folder with a copy of a part of them.
    progress : callable, optional
        Called with the files done and the files in all.

    Returns
    -------
    Path
        ``overture-RELEASE-CODES.parquet``, whole or not there.

    Raises
    ------
    FileError
        For an unknown code or release, a bucket that cannot be read, or no area of the countries.

    Examples
    --------
    >>> fetch_overture(["CH", "LI"], "downloads")  # doctest: +SKIP
    PosixPath('downloads/overture-2026-09-24.0-CH-LI.parquet')
    """
    codes = list(dict.fromkeys(_code(code) for code in countries))
    if not codes:
        msg = "no country to fetch; give ISO 3166-1 codes such as CH"
        raise FileError(msg)
    try:
        system, root = _opened(os.fspath(source))
        chosen = _release(system, root, os.fspath(source), release)
        path = Path(target) / f"overture-{chosen}-{'-'.join(codes)}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as beside:
            rows = _write(_batches(system, f"{root}/{chosen}/{AREAS}", codes, progress), beside)
            if not rows:
                msg = f"{source}: release {chosen} has no division area of {', '.join(codes)}"
                raise FileError(msg)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, FileError):
            raise
        told = str(error).splitlines()[0][:200]
        msg = f"{source}: cannot be read ({told}); is this machine online?"
        raise FileError(msg) from error
    return path


def _code(given: str) -> str:
    code = given.strip().upper()
    if not is_country(code):
        msg = f"country {given!r} is not in ISO 3166-1; give two letters such as CH"
        raise FileError(msg)
    return code


def _opened(source: str) -> tuple[Any, str]:
    """Return Arrow's file system and the path in it; a bucket is asked without any key."""
    from pyarrow import fs

    if "://" not in source:
        return fs.LocalFileSystem(), str(Path(source).absolute())
    scheme, _, path = source.rstrip("/").partition("://")
    if scheme != "s3":
        msg = f"{source}: expected s3://bucket/folder or a folder"
        raise FileError(msg)
    kind, _, host = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/").partition("://")
    mirror = {"endpoint_override": host, "scheme": kind} if host else {}
    return fs.S3FileSystem(anonymous=True, region=_REGION, **mirror), path


def _release(system: Any, root: str, source: str, wanted: str | None) -> str:
    from pyarrow import fs

    there = system.get_file_info(fs.FileSelector(root))
    pattern = provider("overture").release
    found = sorted(one.base_name for one in there if re.fullmatch(pattern, one.base_name))
    if not found or (wanted is not None and wanted not in found):
        asked = "no release" if wanted is None else f"no release {wanted!r}"
        msg = f"{source}: has {asked}; there are: {', '.join(found) or 'none'}"
        raise FileError(msg)
    return wanted or found[-1]


def _batches(
    system: Any, folder: str, codes: list[str], progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some countries, file by file."""
    import pyarrow.dataset as pads

    whole = pads.dataset(folder, filesystem=system, format="parquet")
    columns = [name for name in _COLUMNS if name in whole.schema.names]
    wanted = pc.field("country").isin(codes)
    near = _near(codes)
    if near is not None and "bbox" in columns:
        wanted = wanted & near
    parts = list(whole.get_fragments())
    for done, part in enumerate(parts):
        if progress is not None:
            progress(done, len(parts))
        yield from part.to_batches(schema=whole.schema, columns=columns, filter=wanted)
    if progress is not None:
        progress(len(parts), len(parts))


def _near(codes: list[str]) -> Any:
    """Return which boxes touch that of the land of a country; None where one is not known.

    Land that a country claims is looked at too.
    """
    table = load("bundled").table("country", ["code", "claims", "bbox"])
    touches, missing = pc.scalar(False), set(codes)
    for row in table.to_pylist():
        mine = {row["code"], *(claim["code"] for claim in row["claims"])} & set(codes)
        if mine:
            missing -= mine
            box = row["bbox"]
            touches = touches | (
                (pc.field("bbox", "xmin") <= box["xmax"] + _MARGIN)
                & (pc.field("bbox", "xmax") >= box["xmin"] - _MARGIN)
                & (pc.field("bbox", "ymin") <= box["ymax"] + _MARGIN)
                & (pc.field("bbox", "ymax") >= box["ymin"] - _MARGIN)
            )
    return None if missing else touches


def _write(batches: Iterator[pa.RecordBatch], path: Path) -> int:
    """Write batches as GeoParquet; return their rows."""
    rows, writer = 0, None
    try:
        for batch in batches:
            if writer is None:
                schema = batch.schema.with_metadata({"geo": json.dumps(_GEO)})
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_batch(batch)
            rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows
