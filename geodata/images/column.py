"""The image of a record: a reference that ``datasets`` opens itself, or the encoded bytes."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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


def image_column(values: list[dict[str, Any]]) -> pa.Array:
    """Return images as Hugging Face stores them, a list of one struct of bytes and path a row.

    Parameters
    ----------
    values
        Structs, as `geodata.images.Embedder.value` makes them.
    """
    structs = pa.array(values, _IMAGE)
    offsets = pa.array(np.arange(len(structs) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, structs, type=pa.list_(_IMAGE))


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


def archive_of(text: str) -> list[tuple[str, str]]:
    """Return every way to read a text as archive#member: both may hold a # themselves.

    Examples
    --------
    >>> archive_of("a.tar#b#c")
    [('a.tar', 'b#c'), ('a.tar#b', 'c')]
    """
    marks = [i for i, letter in enumerate(text) if letter == "#"]
    return [(text[:i], text[i + 1 :]) for i in marks]
