"""The image of a record: a reference that ``datasets`` opens itself, or the encoded bytes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.images.places import open_image

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_MEMBER = re.compile(r"\.(?:tar|zip)#", re.IGNORECASE)


def is_missing(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which rows have no image: NULL, empty text or no bytes."""
    if pa.types.is_struct(column.type):
        parts = [is_missing(pc.struct_field(column, name)) for name in ("bytes", "path")]
        return np.asarray(parts[0] & parts[1])
    if pa.types.is_null(column.type):
        return np.ones(len(column), bool)
    empty = pc.equal(pc.binary_length(column), 0)
    return np.asarray(pc.fill_null(empty, True)).astype(bool)


def image_column(column: pa.ChunkedArray, images: str, root: str | None) -> pa.Array:
    """Return images as Hugging Face stores them, a list of one struct of bytes and path a row.

    Parameters
    ----------
    column
        Text (path, URL or ``archive#member``), bytes, or structs of both.
    images
        ``auto``, ``bytes`` or ``reference``, see `geodata.records.chats.Options`.
    root
        Folder that relative paths start from.
    """
    values = [_value(v, images, root) for v in column.to_pylist()]
    structs = pa.array(values, _IMAGE)
    offsets = pa.array(np.arange(len(structs) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, structs, type=pa.list_(_IMAGE))


def image_bytes(value: Any, root: str | None = None) -> bytes:
    """Return the encoded bytes of one image, opened where it is a reference.

    Raises
    ------
    FileError
        If it cannot be read, or is a URL.
    """
    if isinstance(value, dict):
        value = value["bytes"] if value["bytes"] is not None else value["path"]
    return value if isinstance(value, bytes) else open_image(value, root=root)


def _value(value: Any, images: str, root: str | None) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"bytes": value, "path": None}
    if isinstance(value, dict):
        if value["bytes"] is not None:
            return value
        value = value["path"]
    if images == "bytes" or (images == "auto" and is_member(value)):
        return {"bytes": open_image(value, root=root), "path": Path(value).name}
    return {"bytes": None, "path": rooted(value, root)}


def is_member(reference: str) -> bool:
    """Return whether a reference is the member of an archive.

    Examples
    --------
    >>> is_member("mp-16-images.tar#45_77_32.jpg"), is_member("45/77/32.jpg")
    (True, False)
    """
    return _MEMBER.search(reference) is not None


def rooted(reference: str, root: str | None) -> str:
    """Return a reference that starts from a folder, URLs and absolute paths as they are."""
    if root is None or "://" in reference:
        return reference
    return os.path.join(root, reference)  # noqa: PTH118, a trailing '#...' is no path
