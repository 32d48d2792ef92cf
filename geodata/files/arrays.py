"""Named NumPy arrays in one file that opens without reading it: memory-mapped, verified.

Layout, so that a compiled kernel can map the same file: the 8 bytes ``GEOARR01``, a
little-endian uint64 with the length of the header, the header as UTF-8 JSON
``{"meta": {...}, "arrays": {name: {"dtype", "shape", "offset"}}, "sha256": hex}``, padded with
spaces, then the
arrays, C order, each at its offset, counted from the end of the header, a multiple of 64. The
SHA-256 covers every byte after the header. Equal arrays and meta give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.files.formats import FileError
from geodata.files.whole import replacing

MAGIC = b"GEOARR01"
ALIGN = 64
_MAX_HEADER = 1 << 24


class ArrayFile(NamedTuple):
    """The arrays of a file as read-only views on its pages, and its meta data."""

    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]
    sha256: str


def save_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
) -> str:
    """Write arrays (numbers or structured, no objects) and JSON meta data; return the SHA-256.

    Raises
    ------
    TypeError
        For an array of Python objects.
    """
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in whole.items():
        if array.dtype.hasobject:
            msg = f"array {name!r} holds Python objects; store numbers, or text as UTF-8 bytes"
            raise TypeError(msg)
    digest = hashlib.sha256()
    entries, size = _layout(whole)
    for name, array in whole.items():
        digest.update(b"\0" * entries[name]["gap"])
        digest.update(array.tobytes())
    header, start = _header(meta, entries, digest.hexdigest())
    with replacing(path) as beside, beside.open("wb") as file:
        file.write(header)
        for name, array in whole.items():
            file.write(b"\0" * entries[name]["gap"])
            file.write(array.tobytes())
        if file.tell() != start + size:
            msg = f"{path}: wrote {file.tell()} bytes, expected {start + size}"
            raise FileError(msg)
    return digest.hexdigest()


def load_arrays(path: str | os.PathLike[str], *, verify: bool = False) -> ArrayFile:
    """Map a file of `save`; with ``verify`` read all of it and check its SHA-256.

    Raises
    ------
    FileError
        If it is not such a file, is cut short, or its bytes do not match its SHA-256.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be opened as an array file: {error}"
        raise FileError(msg) from error
    header, start = _read_header(path, pages)
    arrays = {name: _view(path, pages, start, entry) for name, entry in header["arrays"].items()}
    if verify and hashlib.sha256(memoryview(pages)[start:]).hexdigest() != header["sha256"]:
        msg = f"{path}: the content does not match its SHA-256; build or fetch it again"
        raise FileError(msg)
    return ArrayFile(arrays, header["meta"], header["sha256"])


def _layout(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, dict[str, Any]], int]:
    """Place the arrays; offsets count from the end of the (padded) header."""
    entries: dict[str, dict[str, Any]] = {}
    end = 0
    for name, array in arrays.items():
        offset = -(-end // ALIGN) * ALIGN
        dtype = array.dtype.descr if array.dtype.names else array.dtype.str
        entries[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "offset": offset,
            "gap": offset - end,
        }
        end = offset + array.nbytes
    return entries, end


def _header(
    meta: Mapping[str, Any], entries: Mapping[str, dict[str, Any]], sha256: str
) -> tuple[bytes, int]:
    listed = {k: {i: v for i, v in e.items() if i != "gap"} for k, e in entries.items()}
    text = json.dumps({"meta": meta, "arrays": listed, "sha256": sha256}, ensure_ascii=False)
    body = text.encode()
    start = -(-(len(MAGIC) + 8 + len(body)) // ALIGN) * ALIGN
    body = body.ljust(start - len(MAGIC) - 8)
    return MAGIC + len(body).to_bytes(8, "little") + body, start


def _read_header(path: Path, pages: mmap.mmap) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(pages[8:16], "little")
    start = 16 + length
    if pages[:8] != MAGIC or length > _MAX_HEADER or start > len(pages):
        msg = f"{path}: not an array file of this library (expected it to begin with {MAGIC!r})"
        raise FileError(msg)
    try:
        header: dict[str, Any] = json.loads(pages[16:start])
        _ = header["meta"], header["arrays"], header["sha256"]
    except (ValueError, KeyError) as error:
        msg = f"{path}: the header is damaged ({error}); build or fetch the file again"
        raise FileError(msg) from error
    return header, start


def _view(path: Path, pages: mmap.mmap, start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    try:
        kind = entry["dtype"]
        dtype = np.dtype(kind if isinstance(kind, str) else [tuple(field) for field in kind])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        flat = np.frombuffer(pages, dtype, count, start + entry["offset"])
        return flat.reshape(entry["shape"])
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path}: the file is cut short or damaged ({error}); build or fetch it again"
        raise FileError(msg) from error
