"""Where the pictures of photo rows are: nowhere said, below a URL, in folders, in archives."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.files import FileError
from geodata.images import tar
from geodata.images.archive import ABSENT, AMBIGUOUS, Archive, open_archive
from geodata.images.column import archive_of

UNKNOWN = -3
"""Size of a picture that nobody looked at."""

ARCHIVE_ENDINGS = (".tar", ".zip")

ImagePlaces = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class Images:
    """Places that are searched in order for a picture by its name; the first that has it counts."""

    archives: tuple[Archive, ...] = ()
    folders: tuple[Path, ...] = ()
    url: str | None = None

    def resolve(self, names: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
        """Return references and sizes in bytes of the pictures with these names.

        A size is `ABSENT`, `AMBIGUOUS` or `UNKNOWN` where it is not one; the reference of a
        picture that is absent is NULL.

        Parameters
        ----------
        names
            Text, shape (n,).
        """
        if self.url is not None:
            sizes = np.where(np.asarray(names.is_valid()), UNKNOWN, ABSENT)
            return pc.binary_join_element_wise(self.url, names, ""), sizes.astype(np.int64)
        sizes = np.full(len(names), ABSENT, np.int64)
        out: pa.Array = pa.nulls(len(names), pa.string())
        for archive in self.archives:
            out = _from_archive(archive, names, out, sizes)
        if self.folders:
            out = self._from_folders(names, out, sizes)
        return out, sizes

    def paths(self) -> list[Path]:
        """Return the archives and folders."""
        return [*(archive.path for archive in self.archives), *self.folders]

    def describe(self) -> list[dict[str, Any]]:
        """Return what tells these places from others, for lineage."""
        if self.url is not None:
            return [{"url": self.url}]
        packed = [{"archive": a.path.name, "members": len(a)} for a in self.archives]
        return [*packed, *({"folder": folder.name} for folder in self.folders)]

    def _from_folders(self, names: pa.Array, out: pa.Array, sizes: NDArray[np.int64]) -> pa.Array:
        references = out.to_pylist()
        for i in np.flatnonzero(sizes == ABSENT):
            name = names[int(i)].as_py()
            if name is not None:
                references[i], sizes[i] = _in_folders(name, self.folders)
        return pa.array(references, pa.string())


def open_images(images: ImagePlaces | None) -> Images | None:
    """Open the places of pictures: tar and zip files, folders of pictures and archives, a URL.

    Raises
    ------
    FileError
        For a place that is not there or not of these kinds.
    """
    if images is None:
        return None
    given = [images] if isinstance(images, str | os.PathLike) else list(images)
    urls = [place for place in map(str, given) if "://" in place]
    if urls:
        if len(given) > 1:
            msg = f"images: {urls[0]!r} is a URL; give it alone, or files and folders"
            raise FileError(msg)
        return Images(url=urls[0] if urls[0].endswith("/") else urls[0] + "/")
    archives: list[Archive] = []
    folders: list[Path] = []
    for place in map(Path, given):
        inside = place.is_dir()
        archives += map(open_archive, _archives_in(place) if inside else [place])
        folders += [place] if inside else []
    return Images(tuple(archives), tuple(folders))


def open_image(
    reference: str | os.PathLike[str], *, root: str | os.PathLike[str] | None = None
) -> bytes:
    """Return the bytes of a picture: a path, or ``archive#member`` of a tar or zip, in place.

    Parameters
    ----------
    reference
        The ``image`` of a photo row.
    root
        Folder that a relative reference starts from, by default the current one.

    Returns
    -------
    bytes
        The file as it is, not decoded.

    Raises
    ------
    FileError
        If there is no such file or member, it is damaged, or the reference is a URL: nothing is
        downloaded.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with zipfile.ZipFile(folder.name + "/00.zip", "w") as shard:
    ...     shard.writestr("00/7.jpg", b"abc")
    >>> open_image("00.zip#00/7.jpg", root=folder.name)
    b'abc'
    >>> folder.cleanup()
    """
    return picture_at(reference, root, Path(root or ""), lambda path: path)


def picture_at(
    reference: str | os.PathLike[str],
    root: str | os.PathLike[str] | None,
    base: Path,
    allowed: Callable[[Path], Path],
) -> bytes:
    """Return the bytes of a picture as `open_image` does, from a file that is allowed.

    Parameters
    ----------
    reference
        The ``image`` of a photo row.
    root
        As a user named it, for the message.
    base
        What a relative reference starts from.
    allowed
        Returns the path of a file or archive that may be read, and raises for another.
    """
    text = os.fspath(reference)
    if "://" in text:
        msg = f"{text}: is a URL, and nothing is downloaded here; fetch it and name the file"
        raise FileError(msg)
    path = Path(base, text)
    try:
        if path.is_file():
            return read_file(allowed(path))
        for archive, member in archive_of(str(path)):
            if Path(archive).is_file():
                return open_archive(allowed(Path(archive))).read(member)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        msg = f"{text[:200]!r} cannot be read: {error}"
        raise FileError(msg) from error
    msg = f"{text}: there is no such picture; a relative path starts from root ({root or '.'})"
    raise FileError(msg)


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file of at most the size of one photo.

    Raises
    ------
    FileError
        For a larger one.
    """
    with path.open("rb") as file:
        found = file.read(tar.MAX_MEMBER_BYTES + 1)
    if len(found) > tar.MAX_MEMBER_BYTES:
        msg = f"{path}: more than the {tar.MAX_MEMBER_BYTES} bytes of one photo"
        raise FileError(msg)
    return found


def _from_archive(
    archive: Archive, names: pa.Array, out: pa.Array, sizes: NDArray[np.int64]
) -> pa.Array:
    left = np.flatnonzero(sizes == ABSENT)
    if not len(left):
        return out
    found = archive.find(names.take(pa.array(left)))
    sizes[left] = np.where(found >= 0, archive.sizes(found), found)
    hit = found >= 0
    members = pc.cast(archive.names.take(pa.array(found[hit])), pa.string())
    references = pc.binary_join_element_wise(f"{archive.path}#", members, "")
    here = np.zeros(len(names), bool)
    here[left[hit]] = True
    return pc.replace_with_mask(out, pa.array(here), references)


def _archives_in(folder: Path) -> list[Path]:
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in ARCHIVE_ENDINGS)
    return [p for p in found if p.is_file() and tar.archive_kind(p) is not None]


def _in_folders(name: str, folders: Sequence[Path]) -> tuple[str | None, int]:
    if name.startswith("/") or ".." in Path(name).parts:  # no name leads out of the folders
        return None, ABSENT
    for folder in folders:
        for candidate in dict.fromkeys((name, name.replace("/", "_"))):
            path = folder / candidate
            try:
                found = path.stat()
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(found.st_mode):  # a pipe or a device would never end
                return str(path), found.st_size
    return None, ABSENT


__all__ = ["ABSENT", "AMBIGUOUS", "UNKNOWN", "Images", "open_image", "open_images"]
