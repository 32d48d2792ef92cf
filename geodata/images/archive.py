"""Photos inside a tar or zip, read in place through an index that is built once.

The index (`geodata.files.ArrayFile`, beside the archive as ``NAME.index``) holds the names and
places of the members and two sorted hash columns, by whole name and by base name. It is
memory-mapped: a look-up touches a few pages, and the workers of a data loader share them.
"""

from __future__ import annotations

import functools
import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import files
from geodata.files import FileError
from geodata.hashing import text_hashes
from geodata.images import tar

_LAYOUT = 1

ABSENT, AMBIGUOUS = -1, -2
"""What `Archive.find` says of a name that no member, or more than one, has."""

Members = NDArray[np.int64]


@dataclass(frozen=True)
class Archive:
    """A tar or zip and the index of its members; holds no open file."""

    path: Path
    columns: dict[str, NDArray[Any]]
    prefix: str
    """The folder that every member lies in, with its slash, or empty."""

    def __len__(self) -> int:
        return len(self.columns["offset"])

    @functools.cached_property
    def names(self) -> pa.Array:
        """Member names in archive order, shape (n,), large text on the mapped pages."""
        starts, text = self.columns["name_starts"], self.columns["name_bytes"]
        parts = [None, pa.py_buffer(starts), pa.py_buffer(text)]
        return pa.Array.from_buffers(pa.large_string(), len(self), parts)

    def sizes(self, found: Members) -> Members:
        """Return the bytes of members, unpacked; -1 where ``found`` is not a member."""
        out = np.full(len(found), -1, np.int64)
        out[found >= 0] = self.columns["size"][found[found >= 0]]
        return out

    def find(self, names: pa.Array) -> Members:
        """Return the member of each name, `ABSENT` or `AMBIGUOUS`.

        A name is first taken as the whole name of a member, then as one in the archive's top
        folder, then as a base name that one member has, with ``/`` written ``_`` as MP-16 does:
        photo ``45/77/32.jpg`` is member ``45_77_32.jpg`` of any folder.

        Parameters
        ----------
        names
            Text, shape (n,); NULL finds nothing.
        """
        names = pc.cast(names, pa.large_string())
        found = self._named(names)
        flat = pc.replace_substring(names, "/", "_")
        steps: list[tuple[pa.Array, Callable[[pa.Array], Members]]] = [(flat, self._based)]
        if self.prefix:
            steps.insert(0, (self._below_top(names), self._named))
        for keys, look in steps:
            left = np.flatnonzero(found == ABSENT)
            if len(left):
                found[left] = look(keys.take(pa.array(left)))
        return found

    def _below_top(self, names: pa.Array) -> pa.Array:
        top, nothing = (pa.scalar(text, pa.large_string()) for text in (self.prefix, ""))
        return pc.binary_join_element_wise(top, names, nothing)

    def read(self, name: str) -> bytes:
        """Return the bytes of the member that `find` finds for a name.

        Raises
        ------
        FileError
            If there is none, there are several, or its bytes are damaged.
        """
        at = int(self.find(pa.array([name]))[0])
        if at < 0:
            many = "several members have this base name" if at == AMBIGUOUS else "no such member"
            msg = f"{self.path}#{name}: {many}; the archive has {len(self)}{self._example()}"
            raise FileError(msg)
        return tar.read(self.path, self._member(at))

    def _example(self) -> str:
        return f", such as {self.names[0].as_py()!r}" if len(self) else ""

    def _member(self, at: int) -> tar.Member:
        numbers = (int(self.columns[name][at]) for name in tar.Member._fields[1:])
        return tar.Member(self.names[at].as_py(), *numbers)

    def _named(self, names: pa.Array) -> Members:
        """Look whole names up; the last of equal names counts, as when a tar is unpacked."""
        hashes, column = text_hashes(names), self.columns["name_hash"]
        at = np.searchsorted(column, hashes, side="right") - 1
        return self._checked(names, hashes, at, column, self.columns["name_member"], lambda t: t)

    def _based(self, bases: pa.Array) -> Members:
        hashes, column = text_hashes(bases), self.columns["base_hash"]
        at = np.searchsorted(column, hashes)
        return self._checked(bases, hashes, at, column, self.columns["base_member"], _base_names)

    def _checked(
        self,
        keys: pa.Array,
        hashes: NDArray[np.uint64],
        at: NDArray[np.int64],
        column: NDArray[np.uint64],
        members: Members,
        key_of: Callable[[pa.Array], pa.Array],
    ) -> Members:
        """Return the members at places of a sorted hash column whose key is the one sought."""
        found = np.full(len(keys), ABSENT, np.int64)
        if not len(column):
            return found
        near = np.clip(at, 0, len(column) - 1)
        hit = np.flatnonzero(column[near] == hashes)
        found[hit] = members[near[hit]]
        sure = hit[found[hit] >= 0]
        same = pc.equal(key_of(self.names.take(pa.array(found[sure]))), keys.take(pa.array(sure)))
        found[sure[~np.asarray(pc.fill_null(same, False)).astype(bool)]] = ABSENT
        return found


def open_archive(path: str | os.PathLike[str]) -> Archive:
    """Open a tar or zip of photos; index it first if it has no index or has changed since.

    The index is kept beside the archive, or in memory where that folder cannot be written.

    Raises
    ------
    FileError
        If it is no tar or zip, is compressed as a whole, is cut short or damaged.

    Examples
    --------
    >>> import io, tarfile, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with tarfile.open(folder.name + "/mp16.tar", "w") as tar:
    ...     info = tarfile.TarInfo("images/45_77_32.jpg")
    ...     info.size = 3
    ...     tar.addfile(info, io.BytesIO(b"abc"))
    >>> open_archive(folder.name + "/mp16.tar").read("45/77/32.jpg")
    b'abc'
    >>> folder.cleanup()
    """
    path = Path(path)
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        msg = f"{path}: there is no such archive"
        raise FileError(msg) from error
    return _open(path, state.st_size, state.st_mtime_ns)


def index_path(path: str | os.PathLike[str]) -> Path:
    """Return where the index of an archive is kept."""
    path = Path(path)
    return path.with_name(path.name + ".index")


@functools.lru_cache(maxsize=512)
def _open(path: Path, size: int, mtime_ns: int) -> Archive:
    made_for = {"layout": _LAYOUT, "size": size, "mtime_ns": mtime_ns}
    target = index_path(path)
    if target.is_file():
        try:
            kept = files.load_arrays(target)
            is_ours = {name: kept.meta.get(name) for name in made_for} == made_for
            if is_ours and _is_whole(kept.arrays, kept.meta.get("prefix")):
                return Archive(path, kept.arrays, str(kept.meta["prefix"]))
        except FileError:
            pass  # damaged or of another program's: it is built again
    columns, prefix = _indexed(path)
    try:
        files.save_arrays(target, columns, {**made_for, "archive": path.name, "prefix": prefix})
    except OSError:
        return Archive(path, columns, prefix)
    return Archive(path, files.load_arrays(target).arrays, prefix)


def _is_whole(columns: dict[str, NDArray[Any]], prefix: object) -> bool:
    """Return whether the columns of an index fit together; names outside them would be read."""
    wanted = {"name_bytes", "name_starts", "name_hash", "name_member", "base_hash", "base_member"}
    numbers = tar.Member._fields[1:]
    if not isinstance(prefix, str) or not wanted | set(numbers) <= set(columns):
        return False
    starts, count = columns["name_starts"], len(columns["offset"])
    kinds = {name: columns[name].dtype for name in (*numbers, "name_starts", "name_member")}
    if any(kind != np.int64 for kind in kinds.values()) or columns["name_bytes"].dtype != np.uint8:
        return False
    if len(starts) != count + 1 or starts[0] != 0 or starts[-1] != len(columns["name_bytes"]):
        return False
    lengths = {len(columns[name]) for name in (*numbers, "name_hash", "name_member")}
    pairs = columns["name_member"], columns["base_member"]
    return (
        lengths == {count}
        and len(columns["base_hash"]) == len(columns["base_member"])
        and bool((np.diff(starts) >= 0).all())
        and all(bool(((m < count) & (m >= AMBIGUOUS)).all()) for m in pairs)
    )


def _indexed(path: Path) -> tuple[dict[str, NDArray[Any]], str]:
    kind = tar.archive_kind(path)
    if kind is None:
        msg = f"{path}: is neither a tar nor a zip; expected an archive of photos"
        raise FileError(msg)
    text, starts = bytearray(), array("q", [0])
    numbers = [array("q") for _ in tar.Member._fields[1:]]
    for member in tar.members(path, kind):
        text += member.name.removeprefix("./").encode("utf-8", "replace")
        starts.append(len(text))
        for column, value in zip(numbers, member[1:], strict=True):
            column.append(value)
    columns: dict[str, NDArray[Any]] = {
        "name_bytes": np.frombuffer(bytes(text), np.uint8),
        "name_starts": np.array(starts, np.int64),
    }
    columns |= {
        name: np.array(column, np.int64)
        for name, column in zip(tar.Member._fields[1:], numbers, strict=True)
    }
    names = Archive(path, columns, "").names
    columns["name_hash"], columns["name_member"] = _by_hash(text_hashes(names))
    columns["base_hash"], columns["base_member"] = _unique_bases(names, columns)
    return columns, _common_folder(names)


def _by_hash(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Members]:
    order = np.argsort(hashes, kind="stable").astype(np.int64)
    return hashes[order], order


def _unique_bases(
    names: pa.Array, columns: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.uint64], Members]:
    """Return one entry a base name: its member, or `AMBIGUOUS` where whole names differ."""
    bases, members = _by_hash(text_hashes(_base_names(names)))
    if not len(bases):
        return bases, members
    whole = np.empty(len(members), np.uint64)
    whole[columns["name_member"]] = columns["name_hash"]
    whole = whole[members]
    first = np.flatnonzero(np.concatenate([[True], bases[1:] != bases[:-1]]))
    last = np.concatenate([first[1:], [len(bases)]]) - 1
    one_name = np.minimum.reduceat(whole, first) == np.maximum.reduceat(whole, first)
    return bases[first], np.where(one_name, members[last], AMBIGUOUS)


def _common_folder(names: pa.Array) -> str:
    if not len(names):
        return ""
    extremes = pc.min_max(names).as_py()
    # of texts, not of paths: their longest equal beginning, cut after its last slash
    both = enumerate(zip(extremes["min"], extremes["max"], strict=False))
    equal = next((i for i, (a, b) in both if a != b), len(extremes["min"]))
    return str(extremes["min"][:equal].rpartition("/")[0] + "/").removeprefix("/")


def _base_names(names: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(names, r"(?s)^.*/", "")
