"""What a picture is by its bytes, and the same picture without what it tells of its owner.

Cameras and phones write into a picture who owns it, serial numbers, comments, the position and a
thumbnail of what was later cropped away. All of it goes; of EXIF only the orientation stays, and
the colour profile. The pixels are not touched: parts of the file are left out, none is decoded.

JPEG: ITU T.81, annex B. PNG: https://www.w3.org/TR/png-3/#11Chunks. WebP:
https://developers.google.com/speed/webp/docs/riff_container. GIF: GIF89a specification.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from geodata.files import FileError

_MAGIC = (
    (b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"),
    (b"BM", "bmp"), (b"II*\0", "tif"), (b"MM\0*", "tif"),
)  # fmt: skip
_BRANDS = {b"heic": "heic", b"heix": "heic", b"mif1": "heic", b"msf1": "heic", b"hevc": "heic",
           b"avif": "avif", b"avis": "avif"}  # fmt: skip
HEAD_BYTES = 16
"""So many bytes tell what a picture is."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_KEPT_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
     b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"hIST", b"sPLT")
)  # fmt: skip
_ORIENTATION, _GPS, _EXIF_IFD = 0x0112, 0x8825, 0x8769
_TOLD = {
    0xA430: "owner", 0x013B: "owner", 0x8298: "owner", 0xA431: "serial", 0xA435: "serial",
    0xC62F: "serial", 0x9286: "comment", 0x010E: "comment", 0x9C9C: "comment", 0x9C9B: "comment",
}  # fmt: skip
"""Tags of EXIF that are named in what is recorded: CIPA DC-008, section 4.6."""


def kind_of(head: bytes) -> str | None:
    r"""Return the kind of a picture by its first bytes, as the ending of its name; else None.

    Examples
    --------
    >>> kind_of(b"\x89PNG\r\n\x1a\n..."), kind_of(b"root:x:0:0:"), kind_of(b"")
    ('png', None, None)
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return _BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def without_metadata(picture: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a picture without what it tells of its owner, and names of what was left out.

    Parameters
    ----------
    picture
        The file's bytes.
    name
        For messages.

    Returns
    -------
    bytes
        The very same where nothing was left out.
    tuple of str
        Sorted, of ``comment``, ``exif``, ``gps``, ``iptc``, ``other``, ``owner``, ``serial``,
        ``thumbnail``, ``trailer``, ``xmp``.

    Raises
    ------
    FileError
        For a kind that cannot be taken apart here (TIFF, HEIC, AVIF), or a damaged file.
    """
    kind = kind_of(picture[:HEAD_BYTES])
    if kind == "bmp":
        return picture, ()
    take_apart = {"jpg": _jpeg, "png": _png, "webp": _webp, "gif": _gif}.get(str(kind))
    if take_apart is None:
        what = f"is {kind.upper()}" if kind else "is no picture"
        msg = (
            f"{name}: {what}, from which EXIF cannot be taken without decoding it; convert it to "
            "JPEG or PNG, or embed it as it is (keep_metadata=True, --keep-metadata)"
        )
        raise FileError(msg)
    told: set[str] = set()
    try:
        parts = list(take_apart(picture, told))
    except (struct.error, IndexError, ValueError) as error:
        msg = f"{name}: is damaged: {error or 'it ends early'}"
        raise FileError(msg) from error
    return (b"".join(parts), tuple(sorted(told))) if told else (picture, ())


def _jpeg(data: bytes, told: set[str]) -> Iterator[bytes]:
    yield data[:2]
    at, oriented = 2, False
    while True:
        found = _MARKER.search(data, at)
        if found is None:  # a cut file has no end; its pixels are kept as they are
            yield data[at:]
            return
        yield data[at : found.start()]  # what lies between markers: coded pixels
        mark, start = data[found.start() + 1], found.start()
        if mark == 0xD9:
            yield data[start : start + 2]
            if data[start + 2 :].strip(b"\0"):
                told.add("trailer")  # a second picture, a film: with EXIF of its own
            return
        at = start + 2
        if mark in (0x01, 0xD8):
            yield data[start:at]
            continue
        size = struct.unpack_from(">H", data, at)[0]
        at += size
        body = data[start + 4 : at]
        if len(body) != size - 2:
            msg = "a segment is longer than the file"
            raise ValueError(msg)
        why = _why_of_segment(mark, body, told)
        if why is None:
            yield data[start:at]
        elif why == "exif" and not oriented and (turned := _oriented(body[6:])):
            oriented = True
            body = b"Exif\0\0" + turned
            yield b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _why_of_segment(mark: int, body: bytes, told: set[str]) -> str | None:
    """Return what a segment is if it is to go, None if it stays."""
    if mark == 0xFE:
        why = "comment"
    elif mark == 0xE1 and body.startswith(b"Exif\0"):
        if _only_orientation(body[6:]):
            return None
        told |= _named(body[6:])
        why = "exif"
    elif mark == 0xE1:
        why = "xmp"
    elif mark == 0xED:
        why = "iptc"
    elif 0xE0 < mark <= 0xEF and mark != 0xEE and not body.startswith(b"ICC_PROFILE\0"):
        why = "other"
    else:
        return None
    told.add(why)
    return why


def _png(data: bytes, told: set[str]) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while True:
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data):
            msg = "a chunk is longer than the file"
            raise ValueError(msg)
        body = data[at + 8 : end - 4]
        if kind in _KEPT_CHUNKS or (kind == b"eXIf" and _only_orientation(body)):
            yield data[at:end]
        elif kind == b"eXIf":
            told |= _named(body) | {"exif"}
            if turned := _oriented(body):
                crc = zlib.crc32(kind + turned)
                yield struct.pack(">I4s", len(turned), kind) + turned + struct.pack(">I", crc)
        else:
            is_xmp = kind == b"iTXt" and body.startswith(b"XML:com.adobe.xmp")
            text = kind in (b"tEXt", b"zTXt", b"iTXt")
            told.add("xmp" if is_xmp else "comment" if text else "other")
        at = end
        if kind == b"IEND":
            if data[end:].strip(b"\0"):
                told.add("trailer")
            return


def _webp(data: bytes, told: set[str]) -> Iterator[bytes]:
    chunks, at = [], 12
    whole = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    if len(data) > whole + 1:
        told.add("trailer")
    while at + 8 <= whole:
        kind, size = struct.unpack_from("<4sI", data, at)
        end = at + 8 + size + size % 2
        if at + 8 + size > len(data):
            msg = "a chunk is longer than the file"
            raise ValueError(msg)
        body = data[at + 8 : at + 8 + size]
        if kind == b"EXIF":
            body = body.removeprefix(b"Exif\0\0")
            if not _only_orientation(body):
                told |= _named(body) | {"exif"}
                turned = _oriented(body)
                if turned:
                    chunks.append((kind, turned))
            else:
                chunks.append((kind, data[at + 8 : at + 8 + size]))
        elif kind == b"XMP ":
            told.add("xmp")
        else:
            chunks.append((kind, body))
        at = end
    flags = 0x08 * any(kind == b"EXIF" for kind, _ in chunks)
    out = b"WEBP"
    for kind, body in chunks:
        if kind == b"VP8X":
            body = bytes([body[0] & ~0x0C | flags]) + body[1:]
        out += kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    yield b"RIFF" + struct.pack("<I", len(out)) + out


def _gif(data: bytes, told: set[str]) -> Iterator[bytes]:
    at = 13 + _palette(data[10])
    yield data[:at]
    while True:
        start, mark = at, data[at]
        if mark == 0x3B:
            yield data[at : at + 1]
            if data[at + 1 :].strip(b"\0"):
                told.add("trailer")
            return
        if mark == 0x21:
            at = _blocks_end(data, at + 2)
            label, body = data[start + 1], data[start + 3 : start + 14]
            loops = body in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
            if label == 0xFE or (label == 0xFF and not loops):
                told.add("xmp" if body.startswith(b"XMP Data") else "comment")
                continue
        elif mark == 0x2C:
            at = _blocks_end(data, at + 11 + _palette(data[at + 9]))
        else:
            msg = f"there is no GIF block at byte {at}"
            raise ValueError(msg)
        yield data[start:at]


def _palette(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _blocks_end(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _exif(tiff: bytes) -> Any:
    from PIL import Image

    found = Image.Exif()
    try:
        found.load(b"Exif\0\0" + tiff)
        dict(found)
    except Exception:  # its parser raises whatever it stumbles over; then nothing of it is kept
        return Image.Exif()
    return found


def _turn(tiff: bytes) -> int:
    found = _exif(tiff).get(_ORIENTATION)
    return found if isinstance(found, int) and 2 <= found <= 8 else 1


def _oriented(tiff: bytes) -> bytes | None:
    """Return EXIF that says the orientation and nothing else, None where it is the usual one."""
    turn = _turn(tiff)
    if turn == 1:
        return None
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, _ORIENTATION, 3, 1, turn, 0, 0)


def _only_orientation(tiff: bytes) -> bool:
    return tiff == _oriented(tiff)


def _named(tiff: bytes) -> set[str]:
    """Return names of what EXIF holds besides the camera's settings."""
    from PIL import ExifTags

    found = _exif(tiff)
    told: set[str] = set()
    with contextlib.suppress(Exception):  # damaged: it goes all the same
        tags = {**dict(found), **found.get_ifd(_EXIF_IFD)}
        told |= {_TOLD[tag] for tag, value in tags.items() if tag in _TOLD and value}
        told |= {"gps"} if found.get_ifd(_GPS) else set()
        told |= {"thumbnail"} if found.get_ifd(ExifTags.IFD.IFD1) else set()
    return told


def check_pixels(picture: bytes, name: str, most: int) -> None:
    """Refuse bytes that are no picture, or one with more pixels than ``most``; decodes nothing.

    Raises
    ------
    FileError
        With the size of the picture.
    """
    import warnings

    from PIL import Image

    if kind_of(picture[:HEAD_BYTES]) is None:
        msg = f"{name}: is no picture, it begins with {picture[:HEAD_BYTES]!r}"
        raise FileError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, of a size that is judged here
        try:
            with Image.open(io.BytesIO(picture)) as opened:
                width, height = opened.size
        except Image.DecompressionBombError as error:
            msg = f"{name}: {error}"
            raise FileError(msg) from error
        except Exception as error:
            if kind_of(picture[:HEAD_BYTES]) in ("heic", "avif"):
                return  # a kind that this Pillow may not know
            msg = f"{name}: begins like a picture and is none: {error}"
            raise FileError(msg) from error
    if width * height > most:
        msg = f"{name}: has {width} x {height} pixels, more than the {most:,} of one photo"
        raise FileError(msg)
