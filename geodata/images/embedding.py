"""Bytes of pictures that go into a file which others will read: from inside a folder, and clean.

A row of a stranger's table names its picture by text. Only what lies inside the folder that was
named for pictures is read, links followed; what is no picture by its bytes is refused; and what a
picture tells of its owner is left out, unless it was asked for.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geodata.files import FileError
from geodata.images import tar
from geodata.images.archive import ABSENT, open_archive
from geodata.images.column import archive_of, is_member, rooted
from geodata.images.metadata import HEAD_BYTES, check_pixels, kind_of, without_metadata
from geodata.images.places import picture_at

MAX_PIXELS = 178_956_970
"""Of one photo, as Pillow has it before it calls a picture a bomb."""

_WEB = ("http://", "https://")


@dataclass
class Embedder:
    """Turn image values of rows into what a record holds, and count what was left out."""

    images: str = "auto"
    """``auto``: bytes for members of an archive, else the path or URL; ``bytes``; ``reference``."""
    root: str | None = None
    """Folder that relative paths start from and that pictures must lie in."""
    keep_metadata: bool = False
    stripped: Counter[str] = field(default_factory=Counter)
    """Pictures by what was left out of them."""
    beside: str | None = None
    """Another folder that pictures may lie in."""

    def value(self, value: Any) -> dict[str, Any]:
        """Return the struct of ``bytes`` and ``path`` that Hugging Face stores.

        Raises
        ------
        FileError
            If bytes are wanted and the picture is not there, outside the folder or none.
        """
        if isinstance(value, dict):
            held, name = value.get("bytes"), value.get("path")
            if held is not None:
                return {"bytes": self._clean(held, name or "the picture of a row"), "path": name}
            value = name
        if isinstance(value, bytes):
            return {"bytes": self._clean(value, "the picture of a row"), "path": None}
        if self.images == "bytes" or (self.images == "auto" and is_member(value)):
            found = self._clean(confined(value, self.root, self.beside), value)
            return {"bytes": found, "path": Path(value).name}
        return {"bytes": None, "path": rooted(value, self.root)}

    def _clean(self, picture: bytes, name: str) -> bytes:
        if len(picture) > tar.MAX_MEMBER_BYTES:
            msg = f"{name}: {len(picture)} bytes, more than the {tar.MAX_MEMBER_BYTES} of one photo"
            raise FileError(msg)
        check_pixels(picture, name, MAX_PIXELS)
        if self.keep_metadata:
            return picture
        clean, told = without_metadata(picture, name)
        self.stripped.update(told)
        self.stripped["pictures"] += bool(told)
        return clean


def confined(
    reference: str | os.PathLike[str],
    root: str | os.PathLike[str] | None,
    beside: str | os.PathLike[str] | None = None,
) -> bytes:
    """Return the bytes of a picture inside a folder: a file, or the member of an archive there.

    Parameters
    ----------
    reference
        The ``image`` of a row, relative to ``root`` or absolute.
    root
        The folder, by default the current one.
    beside
        Another folder that the picture may lie in.

    Raises
    ------
    FileError
        If it leads outside, by an absolute path, ``..`` or a link; is not there; or is a URL.
    """
    base = Path(root or ".").resolve()
    bases = [base] if beside is None else [base, Path(beside).resolve()]
    text = os.fspath(reference)
    return picture_at(reference, root, base, lambda path: _inside(path, bases, text))


def leads_outside(
    reference: str,
    root: str | os.PathLike[str] | None,
    beside: str | os.PathLike[str] | None = None,
) -> bool:
    """Return whether a reference, links followed, is of nothing that `confined` would read.

    Examples
    --------
    >>> leads_outside("/etc/passwd", "photos"), leads_outside("a/../b.tar#c.jpg", "photos")
    (True, False)
    """
    base = Path(root or ".").resolve()
    try:
        real = (base / reference).resolve()
        homes = [base] if beside is None else [base, Path(beside).resolve()]
        return not any(real.is_relative_to(home) for home in homes)
    except (OSError, ValueError):
        return True


def _inside(path: Path, bases: list[Path], text: str) -> Path:
    real = path.resolve()
    if not any(real.is_relative_to(base) for base in bases):
        msg = (
            f"{text[:200]}: leads outside the folder {' and '.join(map(str, bases))}; only "
            "pictures inside it are embedded or sent: set image_root (--image-root) to the folder "
            "that holds them"
        )
        raise FileError(msg)
    return real


def reference_problems(
    references: Sequence[Any], root: str | None, *, urls: bool = False
) -> list[str | None]:
    """Return what is wrong with pictures at first sight, None where nothing is.

    Parameters
    ----------
    references
        Paths, members of archives, URLs; or bytes; or structs of both; shape (n,).
    root
        Folder that relative paths start from.
    urls
        Take URLs on trust, else they are a problem.

    Examples
    --------
    >>> reference_problems(["no/such.jpg", "https://example.org/a.jpg", b"<html>"], None)
    ['is not there', 'is a URL; urls=True (--urls) leaves it to the reader', 'is no picture']
    """
    found: list[str | None] = []
    members: dict[str, list[int]] = {}
    for i, value in enumerate(references):
        if isinstance(value, dict):
            value = value.get("path") if value.get("bytes") is None else value["bytes"]
        found.append(_problem(value, root, urls))
        if found[-1] == _ABSENT and is_member(value):
            archive = next((a for a, _ in archive_of(rooted(value, root)) if Path(a).is_file()), "")
            if archive:
                members.setdefault(archive, []).append(i)
    for archive, rows in members.items():
        own = [rooted(_text(references[i]), root)[len(archive) + 1 :] for i in rows]
        opened = open_archive(archive)
        at = opened.find(pa.array(own, pa.string()))
        for i, place, size in zip(rows, at, np.asarray(opened.sizes(at)), strict=True):
            several = "names several members of its archive"
            found[i] = (_ABSENT if place == ABSENT else several) if place < 0 else (
                None if size else _EMPTY
            )  # fmt: skip
    return found


_ABSENT, _EMPTY = "is not there", "is empty"
ABSENT_PROBLEMS = (_ABSENT, _EMPTY)
"""What `reference_problems` says of pictures that may still come."""


def _text(value: Any) -> str:
    return str(value["path"] if isinstance(value, dict) else value)


def _problem(value: Any, root: str | None, urls: bool) -> str | None:
    if isinstance(value, bytes):
        return None if kind_of(value[:HEAD_BYTES]) else "is no picture"
    if value.startswith(_WEB):
        return None if urls else "is a URL; urls=True (--urls) leaves it to the reader"
    path = Path(rooted(value, root))
    try:
        if not path.is_file():  # also a pipe or device, which would never end
            return _ABSENT
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head:
            return _EMPTY
        return None if kind_of(head) else "is no picture"
    except (OSError, ValueError):
        return _ABSENT
