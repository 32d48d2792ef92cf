"""Fields of a picture that are kept on request: of EXIF, of its GPS part, of XMP.

A name with a colon is XMP (ISO 16684-1), ``dc:creator`` or ``xmp:Rating``; the others are EXIF
(CIPA DC-008, sections 4.6.4 to 4.6.6), ``Model`` or ``GPSImgDirection``.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, NamedTuple

EXIF_IFD, GPS_IFD = 0x8769, 0x8825

_MAX_CHARS = 1000
_MAX_PACKET = 1 << 20
_XMP_NAME = re.compile(r"[A-Za-z][\w.-]*:[A-Za-z_][\w.-]*")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
}
"""Usual prefixes, whatever a file calls them; of other names the file's own prefix counts."""

_MAY_DEFINE = (b"<!DOCTYPE", b"<!ENTITY")


class Field(NamedTuple):
    """Where a kept field is."""

    kind: str
    """``exif``, ``gps`` or ``xmp``."""
    key: Any
    """Number of the tag, or prefix and name."""


def field_of(name: str) -> Field:
    """Return where a field is by its name.

    Raises
    ------
    ValueError
        For a name that is none.

    Examples
    --------
    >>> field_of("GPSImgDirection"), field_of("xmp:Rating")
    (Field(kind='gps', key=17), Field(kind='xmp', key=('xmp', 'Rating')))
    """
    from PIL import ExifTags

    if _XMP_NAME.fullmatch(name):
        return Field("xmp", tuple(name.split(":")))
    for kind, tags in (("exif", ExifTags.Base), ("gps", ExifTags.GPS)):
        known = {tag.name: int(tag.value) for tag in tags}
        if name in known and name != "GPSInfo":
            return Field(kind, known[name])
    msg = (
        f"keep: {name!r} is no EXIF tag; expected names such as Make, Model, Copyright, "
        "GPSImgDirection, or of XMP with its prefix, such as dc:creator"
    )
    raise ValueError(msg)


def values_of(image: Any, fields: Mapping[str, Field]) -> dict[str, str | None]:
    """Return the kept fields of an opened picture as text, None for one that it lacks.

    Parameters
    ----------
    image
        A `PIL.Image.Image`.
    """
    exif = image.getexif()
    parts = {"exif": dict(exif) | exif.get_ifd(EXIF_IFD), "gps": exif.get_ifd(GPS_IFD)}
    kinds = {field.kind for field in fields.values()}
    described = xmp(_packet(image)) if "xmp" in kinds else {}
    return {
        name: described.get(field.key) if field.kind == "xmp" else
        text(parts[field.kind].get(field.key))
        for name, field in fields.items()
    }  # fmt: skip


def _packet(image: Any) -> bytes:
    """Return the XMP of a picture, which Pillow keeps by the name that its format has for it."""
    found = image.info.get("xmp") or image.getexif().get(700)
    return found.encode() if isinstance(found, str) else bytes(found or b"")


def xmp(packet: bytes) -> dict[tuple[str, str], str]:
    """Return the fields of an XMP packet by prefix and name; lists are joined by ``; ``.

    A damaged packet, a large one, or one that defines entities has none.

    Examples
    --------
    >>> packet = b'''<x:xmpmeta xmlns:x="adobe:ns:meta/"
    ...   xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:RDF>
    ...   <rdf:Description xmlns:a="http://ns.adobe.com/xap/1.0/" a:Rating="4"/></rdf:RDF>
    ...   </x:xmpmeta>'''
    >>> xmp(packet)["xmp", "Rating"]
    '4'
    """
    if len(packet) > _MAX_PACKET or any(m in packet for m in _MAY_DEFINE):
        return {}
    prefixes: dict[str, str] = {}
    out: dict[tuple[str, str], str] = {}
    try:
        parsed = ET.iterparse(io.BytesIO(packet.strip(b"\0 \r\n\t")), ("start-ns", "end"))
        for event, item in parsed:
            if event == "start-ns":
                prefixes.setdefault(item[1], item[0])
            elif item.tag == f"{_RDF}Description":
                _describe(item, prefixes, out)
    except (ET.ParseError, ValueError, LookupError):
        return {}
    return out


def _describe(item: ET.Element, own: Mapping[str, str], out: dict[tuple[str, str], str]) -> None:
    usual = {space: prefix for prefix, space in _SPACES.items()}
    found = [*item.attrib.items(), *((child.tag, _inner(child)) for child in item)]
    for tag, value in found:
        space, _, local = tag.removeprefix("{").partition("}")
        told = text(value)
        if local and told is not None and f"{{{space}}}" != _RDF:
            out.setdefault((usual.get(space) or own.get(space, ""), local), told)


def _inner(child: ET.Element) -> str | None:
    items = [part.text or "" for part in child.iter(f"{_RDF}li")]
    return "; ".join(items) if items else child.text


def text(value: Any) -> str | None:
    """Return a value as text without padding, cut to 1,000 letters; None for nothing."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if value is None:
        return None
    return utf8(str(value).strip("\0 \r\n\t")[:_MAX_CHARS]) or None


def utf8(value: str) -> str:
    """Return text that can be written, with ``?`` for half characters."""
    return value.encode("utf-8", "replace").decode()
