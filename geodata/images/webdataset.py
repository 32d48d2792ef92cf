"""WebDataset shards as rows: the members of a tar with one key are one sample.

A sample ``a/7.jpg``, ``a/7.json`` is a row: its key ``a/7``, where its picture is
(``000000.tar#a/7.jpg``, read in place when it is asked for), and the fields of its JSON. Only the
headers of a shard and its JSON are read, whatever the pictures weigh.

The layout: https://github.com/webdataset/webdataset#the-webdataset-format
"""

from __future__ import annotations

import functools
import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa

from geodata.files import FileError, Source, is_table_file, json_of
from geodata.images import tar
from geodata.images.tar import Member

KEY, IMAGE = "__key__", "image"
PICTURES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "bin")
"""Endings of a picture; ``bin`` is how `geodata.records` calls bytes that are none."""

_TEXTS = ("txt", "cls")
_HEAD = 1000
_BATCH = 1 << 14
_PLAIN: dict[type, pa.DataType] = {
    str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64(),
}  # fmt: skip


class Sample(NamedTuple):
    """The members of a shard that have one key, by their ending."""

    key: str
    members: dict[str, Member]

    @property
    def picture(self) -> Member | None:
        """The first member that is called as a picture is."""
        return next((m for end, m in self.members.items() if _last(end) in PICTURES), None)


def shard_paths(path: str | os.PathLike[str]) -> list[Path]:
    """Return the tar shards that a file, a folder or a pattern means, sorted; [] for others.

    A folder that holds files of rows is one of those.

    Examples
    --------
    >>> shard_paths("photos.csv")
    []
    """
    text = os.fspath(path)
    place = Path(text)
    try:
        if place.is_dir():
            there = sorted(p for p in place.rglob("*") if p.is_file() and p.name[0] not in "._")
            found = [p for p in there if p.suffix.lower() == ".tar"]
            return [] if any(map(is_table_file, there)) else found
        if place.suffix.lower() != ".tar":
            return []
        if not place.exists():
            return sorted(map(Path, glob.glob(text)))  # noqa: PTH207
    except (OSError, ValueError):  # a NUL in the name, a name too long
        return []
    return [place] if place.is_file() else []


def samples(shard: Path) -> Iterator[Sample]:
    """Yield the samples of a shard in their order; no member is read.

    Raises
    ------
    FileError
        For a shard that is damaged, packed or no tar, or a sample with one ending twice.
    """
    if tar.archive_kind(shard) != "tar":
        msg = f"{shard}: is no tar archive, so no WebDataset shard; fetch or write it again"
        raise FileError(msg)
    key, held = None, dict[str, Member]()
    for member in tar.members(shard, "tar"):
        folder, _, name = member.name.rpartition("/")
        stem, point, ending = name.partition(".")
        if not point or not stem:
            continue
        own = f"{folder}/{stem}" if folder else stem
        if own != key and key is not None:
            yield Sample(key, held)
            held = {}
        key = own
        if ending in held:
            msg = f"{shard}: holds {member.name!r} twice; a sample has one member of each ending"
            raise FileError(msg)
        held[ending] = member
    if key is not None:
        yield Sample(key, held)


def row_of(sample: Sample, file: IO[bytes], place: str) -> dict[str, Any]:
    """Return a sample as a row: key, picture and the fields of its JSON and texts.

    JSON that cannot be read leaves its fields out.

    Parameters
    ----------
    file
        The shard, open.
    place
        How references name the shard.
    """
    row: dict[str, Any] = {}
    for ending, member in sample.members.items():
        if _last(ending) == "json":
            row |= _object(content(file, member))
        elif ending in _TEXTS:
            row[ending] = content(file, member).decode("utf-8", "replace")
    picture = sample.picture
    if picture is not None:
        row[IMAGE] = f"{place}#{picture.name}"
    return {KEY: sample.key, IMAGE: None} | row


def content(file: IO[bytes], member: Member) -> bytes:
    """Return the bytes of a member of a tar that is open.

    Raises
    ------
    FileError
        For a member larger than a photo may be.
    """
    if member.size > tar.MAX_MEMBER_BYTES:
        most = tar.MAX_MEMBER_BYTES
        msg = f"{member.name}: {member.size} bytes, more than the {most} of one photo"
        raise FileError(msg)
    file.seek(member.offset)
    return file.read(member.size)


@dataclass(frozen=True)
class Samples(Source):
    """The samples of tar shards as a source of rows."""

    shards: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The shards."""
        return self.shards

    def of_shards(self, shards: tuple[Path, ...]) -> Samples:
        """Return the samples of some of the shards, with the columns of all."""
        assert self.schema is not None, "open_samples gives one"
        return _opened(self.name, shards, self.schema)

    def identity(self) -> dict[str, Any]:
        """Return what tells these rows from others: the SHA-256 of headers and JSON."""
        return {"name": Path(self.name).name, "files": len(self.shards), "sha256": self._sha256}

    @functools.cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for shard in self.shards:
            with shard.open("rb") as file:
                for sample in samples(shard):
                    sizes = [(ending, m.size) for ending, m in sample.members.items()]
                    digest.update(repr((shard.name, sample.key, sizes)).encode())
                    for ending, member in sample.members.items():
                        if _last(ending) == "json":
                            digest.update(content(file, member))
        return digest.hexdigest()


def open_samples(path: str | os.PathLike[str]) -> Samples:
    """Open tar shards as rows: ``__key__``, ``image``, and the fields of each sample's JSON.

    Parameters
    ----------
    path
        A ``.tar``, a folder of them, or a pattern. References start from the folder.

    Raises
    ------
    FileError
        If there are none, or one is damaged.

    Examples
    --------
    >>> import io, tarfile, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> with tarfile.open(folder.name + "/000000.tar", "w") as shard:
    ...     for name, data in (("7.jpg", b"..."), ("7.json", b'{"lat": 48.9, "lon": 2.3}')):
    ...         info = tarfile.TarInfo(name)
    ...         info.size = len(data)
    ...         shard.addfile(info, io.BytesIO(data))
    >>> rows = open_samples(folder.name)
    >>> next(rows.tables()).to_pylist()
    [{'__key__': '7', 'image': '000000.tar#7.jpg', 'lat': 48.9, 'lon': 2.3}]
    >>> folder.cleanup()
    """
    shards = tuple(shard_paths(path))
    if not shards:
        msg = f"{path}: there is no tar shard; name a .tar, a folder of them, or a pattern"
        raise FileError(msg)
    place = Path(path)
    home = place if place.is_dir() else place.parent
    head = list(islice(_rows(shards, home, whole=True), _HEAD))
    if not head:
        msg = f"{path}: the shards hold no sample, such as 7.jpg and 7.json"
        raise FileError(msg)
    schema = _schema(head)

    return _opened(str(path), shards, schema)


def _opened(name: str, shards: tuple[Path, ...], schema: pa.Schema) -> Samples:
    place = Path(name)
    home = place if place.is_dir() else place.parent

    def stream(names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
        kept = schema if names is None else pa.schema([schema.field(n) for n in names])
        whole = bool(set(kept.names) - {KEY, IMAGE})
        found = _rows(shards, home, whole=whole)
        while part := list(islice(found, min(rows, _BATCH))):
            yield _table(part, kept, schema)

    names = tuple(schema.names)
    return Samples(name, names, "webdataset", None, schema=schema, stream=stream, shards=shards)


def _rows(shards: Sequence[Path], home: Path, *, whole: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of shards, with the fields of their JSON or without."""
    for shard in shards:
        place = shard.relative_to(home).as_posix()
        with shard.open("rb") as file:
            for sample in samples(shard):
                if whole:
                    yield row_of(sample, file, place)
                else:
                    bare = Sample(sample.key, {"picture.jpg": p} if (p := sample.picture) else {})
                    yield row_of(bare, file, place)


def _schema(head: Sequence[dict[str, Any]]) -> pa.Schema:
    """Return the types of rows: numbers and text as JSON has them, chats as they are."""
    names = dict.fromkeys(name for row in head for name in row)
    return pa.schema([(name, _type([row.get(name) for row in head])) for name in names])


def _type(values: Sequence[Any]) -> pa.DataType:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.float64()
    if kinds in ({list}, {dict}):
        try:
            found = pa.array(values).type
            return found if not _holds_null(found) else pa.string()
        except (pa.ArrowException, RecursionError):
            return pa.string()
    return _PLAIN.get(kinds.pop(), pa.string()) if len(kinds) == 1 else pa.string()


def _holds_null(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        return any(_holds_null(kind.field(i).type) for i in range(kind.num_fields))
    return bool(pa.types.is_null(kind))


def _table(rows: Sequence[dict[str, Any]], kept: pa.Schema, known: pa.Schema) -> pa.Table:
    """Return rows with the columns of a schema.

    Raises
    ------
    FileError
        For a field that no row of the head has, or a value of another type.
    """
    for row in rows:
        if new := row.keys() - set(known.names):
            msg = (
                f"sample {row[KEY]!r} has the field {min(new)!r}, which the first {_HEAD} samples "
                "lack; write the shards with one set of fields"
            )
            raise FileError(msg)
    return pa.table([_column(rows, field) for field in kept], schema=kept)


def _column(rows: Sequence[dict[str, Any]], field: pa.Field) -> pa.Array:
    values = [row.get(field.name) for row in rows]
    if pa.types.is_string(field.type):
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        msg = (
            f"samples {rows[0][KEY]!r} to {rows[-1][KEY]!r}: the field {field.name!r} is "
            f"{field.type} in the first {_HEAD} samples and not here ({error})"
        )
        raise FileError(msg) from error


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json_of(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _last(ending: str) -> str:
    return ending.rpartition(".")[2].lower()
