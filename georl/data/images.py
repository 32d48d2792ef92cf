"""The image of a row: opened when it is asked for, looked at before training starts.

A reference is a path, an http(s) URL, or ``archive.tar#member``, which is read in place. What a
run can tell cheaply about its images it tells before the model is loaded: files and members
that are not there, and files that are empty or begin like no image. The rest shows when the
image is opened, and names the row.
"""

from __future__ import annotations

import io
import math
import os
import re
import stat
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, UnidentifiedImageError

from geodata.images import (
    ABSENT,
    confined,
    is_large,
    leads_outside,
    one_large,
    open_archive,
    open_image as read_image,
    upright_rgb,
)
from georl.data.sources import DataError

MAX_IMAGE_BYTES = 64 << 20
_NO_IMAGE = "is not an image"
MISSING = "missing"
"""The problem of a row whose image is not there; any other is of an image that is."""

_MOST_SIDES = 16384 * 28 * 28
"""Pixels that Qwen2.5-VL takes in, at most; no model sees more of a photo."""

_LONGEST = 200
"""Times that a photo may be as long as it is wide; Qwen's processor refuses a whole batch else."""

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
"""Opening a pipe that nobody writes to would wait for ever."""
_WEB = ("http://", "https://")
_KNOWN = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")
_MEMBER = re.compile(r"(?<=\.tar)#|(?<=\.zip)#", re.IGNORECASE)


def open_image(
    source: str | bytes | None,
    root: Path,
    name: str,
    *,
    inside: bool = False,
    home: Path | None = None,
) -> Image.Image:
    """Open an RGB image, upright as its EXIF orientation says.

    Parameters
    ----------
    source
        A path (relative to ``root``), ``archive.tar#member``, an http(s) URL, or the bytes.
    root
        Folder that relative paths start from.
    name
        Id of the row, for messages.
    inside
        Read only what lies in ``root`` or ``home``, links followed, and nothing from the web: for
        photos that are sent to somebody.
    home
        Another folder that photos may lie in, as `georl.data.sources.home_of` gives it.

    Raises
    ------
    DataError
        If it cannot be read or decoded, or is a strip that no processor takes: names the row and
        the file.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> Image.new("RGBA", (8, 4)).save(folder.name + "/a.png")
    >>> photo = open_image("a.png", Path(folder.name), "photo-1")
    >>> photo.mode, photo.size
    ('RGB', (8, 4))
    >>> folder.cleanup()
    """
    try:
        content = source if isinstance(source, bytes) else _bytes_of(source, root, inside, home)
        with Image.open(io.BytesIO(content)) as image:
            _refuse_strip(image)
            if not is_large(image):
                return upright_rgb(image)
            # A thread of its own each time: the allocator keeps what large photos took for the
            # thread that took it, and gives it to the next new one.
            with one_large(image), ThreadPoolExecutor(1) as alone:
                return alone.submit(lambda: upright_rgb(_reduced(image))).result()
    except Exception as error:  # on damaged bytes the decoders raise almost anything
        shown = f"{len(source)} bytes" if isinstance(source, bytes) else source
        reason = str(error) or type(error).__name__
        if isinstance(error, UnidentifiedImageError):  # which tells where it lay in memory
            reason = _NO_IMAGE
        msg = f"image of row {name!r} ({shown}) cannot be read: {reason}; repair or drop the row"
        raise DataError(msg) from error


def _refuse_strip(image: Image.Image) -> None:
    short, long = sorted(image.size)
    if long > _LONGEST * short:
        msg = (
            f"{image.width}x{image.height} pixels, more than {_LONGEST} times as long as wide, "
            "which no processor takes"
        )
        raise ValueError(msg)


def _reduced(image: Image.Image) -> Image.Image:
    """Return a photo of more pixels than any model takes in as small as the largest that one does.

    Whole pixels are averaged, so that what is left is a photo as a smaller camera takes it.
    """
    most = Image.MAX_IMAGE_PIXELS or math.inf
    if image.width * image.height > most:
        image.draft("RGB", (image.width // 2, image.height // 2))  # a JPEG unfolds at half its size
    if image.width * image.height > most:
        msg = (
            f"{image.width}x{image.height} pixels, more than the {most} that are unfolded; make it "
            "smaller, save it as JPEG, or raise PIL.Image.MAX_IMAGE_PIXELS"
        )
        raise ValueError(msg)
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGB")
    factor = math.ceil(math.sqrt(image.width * image.height / _MOST_SIDES))
    small = image.reduce(factor)
    image.close()  # its pixels are free now, not when somebody collects them
    return small


def _bytes_of(source: str | None, root: Path, inside: bool, home: Path | None) -> bytes:
    if source is None:
        msg = "there is none"
        raise ValueError(msg)
    if inside:
        return confined(source, root, home)
    if not source.startswith(_WEB):
        return read_image(source, root=root)
    with urllib.request.urlopen(source, timeout=60) as response:
        content: bytes = response.read(MAX_IMAGE_BYTES + 1)
    if len(content) > MAX_IMAGE_BYTES:
        msg = f"larger than {MAX_IMAGE_BYTES >> 20} MiB"
        raise OSError(msg)
    return content


def problem_of(content: bytes | None) -> str | None:
    """Return what is wrong with an encoded image at first sight, None if nothing.

    Examples
    --------
    >>> problem_of(b"GIF89a..."), problem_of(b""), problem_of(b"<html>"), problem_of(None)
    (None, 'is empty', 'is not an image', 'missing')
    """
    if content is None:
        return MISSING
    if not content:
        return "is empty"
    if content.startswith(_KNOWN):
        return None
    try:
        Image.open(io.BytesIO(content)).close()
    except Exception:
        return _NO_IMAGE
    return None


def problems(
    references: Sequence[str | None],
    root: Path,
    *,
    inside: bool = False,
    home: Path | None = None,
) -> list[str | None]:
    """Return what is wrong with images at first sight, None where nothing is.

    Parameters
    ----------
    references
        Paths, members of archives or URLs, shape (n,). URLs are taken on trust; None is missing.
    root
        Folder that relative paths start from.
    inside, home
        As for `open_image`.

    Raises
    ------
    FileError
        If an archive is damaged.

    Examples
    --------
    >>> problems(["https://example.org/a.jpg", "no/such.jpg", None], Path("."))
    [None, 'missing', 'missing']
    """
    found = [None if r and r.startswith(_WEB) else _of_file(r, root) for r in references]
    members: dict[str, list[int]] = {}
    for i, (reference, problem) in enumerate(zip(references, found, strict=True)):
        if problem == MISSING and reference and (mark := _MEMBER.search(reference)):
            members.setdefault(reference[: mark.start()], []).append(i)
    for archive, rows in members.items():
        path = root / archive
        if path.is_file():
            names = [str(references[i])[len(archive) + 1 :] for i in rows]
            for i, problem in zip(rows, _of_members(path, names), strict=True):
                found[i] = problem
    if inside:
        pairs = zip(references, found, strict=True)
        found = [p or (None if r is None else _outside(r, root, home)) for r, p in pairs]
    return found


def _outside(reference: str, root: Path, home: Path | None) -> str | None:
    """Return why a photo may not be sent, None if it may."""
    if reference.startswith(_WEB):
        return "is a URL; what is sent to a server is read from data.image_root only"
    return "leads outside data.image_root" if leads_outside(reference, root, home) else None


def _of_file(reference: str | None, root: Path) -> str | None:
    if not reference:
        return MISSING
    path = os.path.join(root, reference)  # noqa: PTH118, a million times
    try:
        handle = os.open(path, os.O_RDONLY | _AT_ONCE)
    except (OSError, ValueError):
        return MISSING
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            return MISSING
        if not stat.S_ISREG(kind):  # a pipe or a device may never end
            return "is no regular file"
        head = os.read(handle, 16)
        if not head or head.startswith(_KNOWN):
            return None if head else "is empty"
        with os.fdopen(os.dup(handle), "rb") as file:
            return problem_of(head + file.read(MAX_IMAGE_BYTES))
    finally:
        os.close(handle)


def _of_members(archive: Path, names: list[str]) -> list[str | None]:
    opened = open_archive(archive)
    at = opened.find(pa.array(names, pa.string()))
    sizes = opened.sizes(at)
    several = "names several members of its archive"
    return [
        (MISSING if a == ABSENT else several) if a < 0 else (None if size else "is empty")
        for a, size in zip(at, sizes, strict=True)
    ]


def unpacked(column: pa.ChunkedArray) -> pa.Table:
    """Return an image column as ``bytes``, ``path`` and ``problem``.

    Parameters
    ----------
    column
        Bytes, text, structs of both as Hugging Face stores them, or lists of one of these,
        shape (n,).

    Returns
    -------
    pyarrow.Table, shape (n,)
        ``bytes`` where a row has them, else its ``path``; ``problem`` as in `problems` for
        bytes, and for rows with several images. That of a path is not looked at.

    Raises
    ------
    DataError
        For a column of another type.
    """
    values, counts = _first(column.combine_chunks())
    content, path = _parts(values)
    content = pc.if_else(pc.equal(pc.binary_length(content), 0), None, content)
    path = pc.if_else(pc.is_valid(content), None, path)
    held = np.asarray(pc.is_valid(content)).astype(bool)
    notes = [
        f"has {n} images, where one is read" if n > 1 else problem_of(c.as_py()) if h else None
        for n, h, c in zip(counts, held, content, strict=True)
    ]
    return pa.table({"bytes": content, "path": path, "problem": pa.array(notes, pa.string())})


def _first(column: pa.Array) -> tuple[pa.Array, list[int]]:
    """Return the first image of each row, and how many it has."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return column, [1] * len(column)
    counts = np.asarray(pc.fill_null(pc.list_value_length(column), 0), np.int64)
    starts = np.cumsum(counts) - counts
    picked = pa.array(starts, pa.int64(), mask=counts == 0)
    return pc.list_flatten(column).take(picked), counts.tolist()


def _parts(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    kind = values.type
    nothing = {k: pa.nulls(len(values), k) for k in (pa.binary(), pa.string())}
    if pa.types.is_struct(kind):
        held = {field.name for field in kind}
        content, path = (
            pc.struct_field(values, name).cast(t) if name in held else nothing[t]
            for name, t in (("bytes", pa.binary()), ("path", pa.string()))
        )
        return content, path
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return values.cast(pa.binary()), nothing[pa.string()]
    if is_text(kind):
        return nothing[pa.binary()], values.cast(pa.string())
    msg = (
        f"the image column is {kind}; expected text (path or URL), bytes, or structs of 'bytes' "
        "and 'path'; data.image names the column"
    )
    raise DataError(msg)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column holds references only."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(f(kind) for f in (pa.types.is_string, pa.types.is_large_string, pa.types.is_null))
