"""Rows from standard input and to standard output, as the files that everything else takes."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from geodata.errors import GeodataError
from geodata.files import FileError, compression_of

_HEAD = 4096
_BOM_AND_SPACE = b"\xef\xbb\xbf \t\r\n"
_COLLECTION = re.compile(rb'"type"\s*:\s*"FeatureCollection"|^\{\s*"features"\s*:')


@contextlib.contextmanager
def files_of(source: str, target: str) -> Iterator[tuple[str, str]]:
    """Give the names of files to read and to write, where ``-`` is standard input or output.

    Standard input is CSV, or what its first character begins: JSON lines or GeoJSON a brace, JSON a
    bracket. It is read to its end first, and errors call it standard input.
    What goes to standard output has the format of what was read, CSV for Parquet; it is printed
    when all of it is there, and not at all after a mistake.
    """
    if "-" not in (source, target):
        yield source, target
        return
    with tempfile.TemporaryDirectory(prefix="geodata-") as folder:
        if source == "-":
            source = str(_spooled(Path(folder)))
        made = str(Path(folder, f"out{_ending(source)}")) if target == "-" else target
        try:
            yield source, made
        except GeodataError as error:  # where the rows lie for a moment is nobody's concern
            told = str(error)
            for path, name in ((source, "standard input"), (made, "standard output")):
                told = told.replace(path, name) if path.startswith(folder) else told
            error.args = (told,)
            raise
        if target == "-":
            sys.stdout.flush()
            with Path(made).open("rb") as done:
                shutil.copyfileobj(done, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def _spooled(folder: Path) -> Path:
    head = sys.stdin.buffer.read(_HEAD)
    if not head.strip():
        msg = "standard input is empty; expected CSV with a header, JSON lines or GeoJSON"
        raise FileError(msg)
    path = folder / f"stdin{_told_by(head.lstrip(_BOM_AND_SPACE))}"
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _told_by(head: bytes) -> str:
    """Return the ending of a file that begins so."""
    if head[:1] == b"{":
        return ".geojson" if _COLLECTION.search(head) else ".jsonl"
    return ".json" if head[:1] == b"[" else ".csv"


def _ending(source: str) -> str:
    known = (".jsonl", ".ndjson", ".json", ".tsv", ".geojson")
    path = Path(source.lower())
    suffix = (path.with_suffix("") if compression_of(path) else path).suffix
    return suffix if suffix in known else ".csv"
