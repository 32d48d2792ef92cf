"""Walk the members of a tar or zip archive: name, where the bytes lie, how they are packed.

Tar headers are read here because Python's tarfile takes ten times as long, minutes for an
archive of five million photos; the formats are ustar, GNU long names and pax.
https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from geodata.files import FileError

BLOCK = 512
STORED, DEFLATED = 0, 8
MAX_MEMBER_BYTES = 64 << 20
"""Of one photo."""
_MAX_NAME_BYTES = 1 << 12
_MAX_HEADER_BYTES = 1 << 16
_MAX_RATIO = 100
_RATIO_BYTES = 1 << 20
"""A member this large that is packed to less than a hundredth is no photo."""
_ZEROS = bytes(BLOCK)
_REGULAR = (b"0", b"\0", b"7")
_REMEDY = "the index beside the archive is not of it: remove NAME.index, and it is made again"
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    offset: int
    """Of the bytes in a tar, of the local header in a zip."""
    size: int
    packed: int
    """Bytes in the archive."""
    method: int
    """How they are packed: 0 as they are, 8 deflated."""
    crc: int
    """CRC-32 of the unpacked bytes in a zip, 0 in a tar, which has none."""


def archive_kind(path: Path) -> str | None:
    """Return 'tar' or 'zip' by what the file begins with, None for another file.

    Raises
    ------
    FileError
        For a compressed tar, which cannot be read in place, and for a file that cannot be read.
    """
    try:
        if not path.is_file():  # a pipe or a device may never end
            msg = f"{path}: is no regular file"
            raise FileError(msg)
        with path.open("rb") as file:
            head = file.read(BLOCK)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise FileError(msg) from error
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    if len(head) == BLOCK and _checksum_fits(head):
        return "tar"
    packed = _COMPRESSED.get(head[:2])
    named = ".tar" in path.name.lower() or path.suffix.lower() in (".tgz", ".tbz2", ".txz")
    if packed and named:
        msg = (
            f"{path}: is a tar compressed with {packed}, so a member cannot be read in place; "
            "decompress it to a plain .tar first"
        )
        raise FileError(msg)
    # an archive without members begins with the zeros that end it
    empty = len(head) == BLOCK and not any(head) and path.suffix.lower() == ".tar"
    return "tar" if empty else None


def members(path: Path, kind: str) -> Iterator[Member]:
    """Yield the regular files of an archive in its order; a later one may repeat a name.

    Raises
    ------
    FileError
        For an archive that is cut short or damaged, with the place.
    """
    return _zip_members(path) if kind == "zip" else _tar_members(path)


def read(path: Path, member: Member) -> bytes:
    """Return the bytes of a member.

    Raises
    ------
    FileError
        If they are not there, are packed in another way, or do not have their CRC-32.
    """
    where = f"{path}#{member.name}"
    if not 0 <= member.size <= MAX_MEMBER_BYTES:
        msg = f"{where}: {member.size} bytes, more than the {MAX_MEMBER_BYTES} of one photo"
        raise FileError(msg)
    try:
        with path.open("rb") as file:
            if path.stat().st_size < member.offset + member.packed:
                msg = f"{where}: {path.name} is cut short; fetch it again"
                raise FileError(msg)
            file.seek(member.offset)
            head = file.read(30)
            if member.method == STORED and head[:4] != b"PK\x03\x04":
                file.seek(max(member.offset - BLOCK, 0))
                _check_tar_header(file.read(BLOCK), member, where)
                return file.read(member.size)
            return _unzipped(head, file, member, where)
    except OSError as error:
        msg = f"{where}: cannot be read: {error.strerror}"
        raise FileError(msg) from error


def _check_tar_header(head: bytes, member: Member, where: str) -> None:
    """Check that a member begins where an index says, under that name: an index may be forged."""
    is_header = len(head) == BLOCK and _checksum_fits(head) and head[156:157] in _REGULAR
    name = _name(head).removeprefix("./") if is_header else ""
    is_short = member.name.isascii() and len(member.name) < 100  # others stand before the header
    if not is_header or (is_short and name != member.name):
        msg = f"{where}: there is no member at byte {member.offset}; {_REMEDY}"
        raise FileError(msg)
    size = _number(head[124:136])
    if size != member.size:
        msg = f"{where}: has {size} bytes and not {member.size}; {_REMEDY}"
        raise FileError(msg)


def _unzipped(local: bytes, file: object, member: Member, where: str) -> bytes:
    if len(local) < 30 or local[:4] != b"PK\x03\x04":
        msg = f"{where}: there is no member at byte {member.offset}; {_REMEDY}"
        raise FileError(msg)
    flags = struct.unpack_from("<H", local, 6)[0]
    if member.method not in (STORED, DEFLATED) or flags & 1:
        how = "encrypted" if flags & 1 else f"packed with method {member.method}"
        msg = f"{where}: is {how}; only stored and deflated members can be read"
        raise FileError(msg)
    skip = sum(struct.unpack_from("<HH", local, 26))
    packed = file.read(skip + member.packed)  # type: ignore[attr-defined]
    name, packed = packed[: struct.unpack_from("<H", local, 26)[0]], packed[skip:]
    if (
        member.name.isascii()
        and name.isascii()
        and name.removeprefix(b"./") != (member.name.encode())
    ):
        msg = f"{where}: there is no member of this name at byte {member.offset}; {_REMEDY}"
        raise FileError(msg)
    try:
        plain = packed
        if member.method == DEFLATED:
            plain = zlib.decompressobj(-15).decompress(packed, member.size + 1)
    except zlib.error as error:
        msg = f"{where}: is damaged: {error}"
        raise FileError(msg) from error
    if len(plain) != member.size or zlib.crc32(plain) != member.crc:
        msg = f"{where}: is damaged: the CRC-32 does not match"
        raise FileError(msg)
    return bytes(plain)


def _zip_members(path: Path) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bombs(path, archive.infolist())
            for info in archive.infolist():
                if not info.is_dir():
                    yield Member(
                        info.filename,
                        info.header_offset,
                        info.file_size,
                        info.compress_size,
                        info.compress_type,
                        info.CRC,
                    )
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        msg = f"{path}: cannot be read as zip: {error}"
        raise FileError(msg) from error


def _refuse_bombs(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse members that lie over each other, or are named or packed as no photo is.

    Raises
    ------
    FileError
        With the member.
    """
    before, end = "", 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        where = f"{path}#{info.filename[:200]}"
        if len(info.filename.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
            msg = f"{where}...: a name of more than {_MAX_NAME_BYTES} bytes"
            raise FileError(msg)
        if info.header_offset < end:
            msg = f"{where}: lies over the member {before[:200]!r}; no archiver packs so"
            raise FileError(msg)
        if info.file_size > max(_RATIO_BYTES, _MAX_RATIO * info.compress_size):
            msg = (
                f"{where}: {info.compress_size} bytes that claim to be {info.file_size}, more than "
                f"{_MAX_RATIO} times as many; a photo is not packed so"
            )
            raise FileError(msg)
        # a local header is at least 30 bytes and the name
        before, end = info.filename, info.header_offset + 30 + info.compress_size


def _tar_members(path: Path) -> Iterator[Member]:
    end = path.stat().st_size
    at, extended = 0, dict[str, str]()
    # unbuffered: a buffer would read what lies between the headers, which is nearly everything
    with path.open("rb", buffering=0) as file:
        while at + BLOCK <= end:
            file.seek(at)
            head = file.read(BLOCK)
            if head == _ZEROS:
                return
            if not _checksum_fits(head):
                msg = f"{path}: no tar header at byte {at}: damaged or cut short; fetch it again"
                raise FileError(msg)
            kind, start = head[156:157], at + BLOCK
            size = int(extended["size"]) if "size" in extended else _number(head[124:136])
            if size < 0 or start + size > end:
                msg = f"{path}: is cut short: the member at byte {at} ends at {start + size}"
                raise FileError(msg)
            at = start + -(-size // BLOCK) * BLOCK
            if kind in (b"L", b"x"):
                data = file.read(min(size, _MAX_HEADER_BYTES + 1))
                extended |= _extension(path, kind, data)
                continue
            if kind == b"S":
                msg = f"{path}: holds a sparse member, which cannot be read in place"
                raise FileError(msg)
            if kind in _REGULAR:
                name = extended.get("path") or _name(head)
                if not name.endswith("/"):  # how very old archives mark a folder
                    yield Member(name, start, size, size, STORED, 0)
            if kind not in (b"K", b"g"):
                extended = {}
    if at != end:
        msg = f"{path}: is cut short: {end} bytes, a member ends at {at}"
        raise FileError(msg)


def _checksum_fits(head: bytes) -> bool:
    """Return whether the sum of the bytes is as written, the field itself counted as blanks.

    The low half of Adler-32 is one more than the sum modulo 65521, at the speed of C.
    """
    try:
        expected = _number(head[148:156])
    except ValueError:
        return False
    sum_ = (zlib.adler32(head[:148] + b"        " + head[156:]) & 0xFFFF) - 1
    return (expected - sum_) % 65521 == 0


def _number(field: bytes) -> int:
    """Read an octal number, or the big-endian one of GNU for large files."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(_said(field).strip() or b"0", 8)


def _said(field: bytes) -> bytes:
    """Return a field as far as the NUL that ends it."""
    return field.split(b"\0", 1)[0]


def _name(head: bytes) -> str:
    name = _said(head[:100])
    if head[257:263] == b"ustar\0" and head[345]:
        name = _said(head[345:500]) + b"/" + name
    return name.decode("utf-8", "replace")


def _extension(path: Path, kind: bytes, data: bytes) -> dict[str, str]:
    """Return what a GNU long name or a pax header says of the next member."""
    most, end = (_MAX_NAME_BYTES, 1) if kind == b"L" else (_MAX_HEADER_BYTES, 0)  # a NUL
    if len(data) > most + end:
        shown = data[:60].decode("utf-8", "replace")
        msg = f"{path}: describes a member in more than {most} bytes: {shown!r}..."
        raise FileError(msg)
    if kind == b"L":
        return {"path": _said(data).decode("utf-8", "replace")}
    found: dict[str, str] = {}
    while data:
        length, _, _ = data.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(data):
            break
        key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
        if key == b"path" and len(value) > _MAX_NAME_BYTES:
            msg = f"{path}: names a member in {len(value)} bytes: {value[:60]!r}..."
            raise FileError(msg)
        if key == b"path" or (key == b"size" and value.isdigit()):
            found[key.decode()] = value.decode("utf-8", "replace")
        data = data[int(length) :]
    return found
