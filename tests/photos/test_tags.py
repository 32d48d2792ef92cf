"""Fields that are kept on request, HEIC through its extra, RAW counted."""

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import cli, photos
from geodata.files import FileError
from geodata.photos.formats import tags

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
PACKET = f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>
 <rdf:Description rdf:about="" xmlns:q="http://ns.adobe.com/xap/1.0/" q:Rating=" 4 "
   xmlns:own="http://example.org/own/">
  <own:Trip>Alps</own:Trip>
  <own:Empty></own:Empty>
 </rdf:Description>
 <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bo</rdf:li></rdf:Seq></dc:creator>
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Über</rdf:li></rdf:Alt></dc:title>
 </rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


def test_a_packet_is_read_by_namespace_whatever_its_prefix():
    found = tags.xmp(PACKET)
    assert found == {
        ("xmp", "Rating"): "4",
        ("own", "Trip"): "Alps",
        ("dc", "creator"): "Ann; Bo",
        ("dc", "title"): "Über",
    }


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<a",
        PACKET[:300],
        b"\xff\xfe\0",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + PACKET,
        PACKET + b" " * (1 << 20),
        PACKET.replace(b"<x:xmpmeta", b'<?xml version="1.0" encoding="no-such"?><x:xmpmeta'),
    ],
)
def test_a_damaged_or_hostile_packet_has_no_fields(packet):
    assert tags.xmp(packet) == {}


def test_a_packet_never_stops_an_import():
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(PACKET)
        for _ in range(rng.integers(1, 8)):
            data[rng.integers(len(data))] = rng.integers(256)
        found = tags.xmp(bytes(data))
        assert all(isinstance(v, str) and v for v in found.values())


def exif():
    made = Image.Exif()
    made[0x0110] = "Camera"
    made[0x8769] = {0x9003: "2020:01:02 03:04:05"}
    made[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0), 17: 271.5}
    return made


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_fields_are_kept_from_every_kind_of_picture(tmp_path, kind):
    extra = {"xmp": PACKET}
    if kind == "png":
        from PIL import PngImagePlugin

        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", PACKET.decode())
        extra = {"pnginfo": info}
    if kind == "tiff":
        extra = {}
    own = exif()
    if kind == "tiff":
        own = Image.Exif()
        own.load(exif().tobytes())
        own[700] = PACKET
    Image.new("RGB", (4, 4)).save(tmp_path / f"a.{kind}", exif=own, **extra)
    keep = ["Model", "DateTimeOriginal", "GPSImgDirection", "dc:creator", "xmp:Rating", "own:Trip",
            "photoshop:City"]  # fmt: skip
    table = pa.concat_tables(photos.read(tmp_path, keep=keep))
    assert table.column_names == [*photos.SCHEMA.names, *keep]
    (row,) = table.to_pylist()
    assert [row[name] for name in keep] == [
        "Camera", "2020:01:02 03:04:05", "271.5", "Ann; Bo", "4", "Alps", None,
    ]  # fmt: skip
    assert row["lat"] == pytest.approx(48.858333, abs=1e-6)


def test_a_picture_without_xmp_has_none_of_its_fields(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    (row,) = next(photos.read(tmp_path, keep=["dc:creator", "Model"])).to_pylist()
    assert (row["status"], row["dc:creator"], row["Model"]) == ("missing", None, None)


@pytest.mark.parametrize("wrong", ["Modell", "GPSInfo", "dc:", ":x", "a:b:c", "1:x"])
def test_a_name_that_is_no_field_is_refused(tmp_path, wrong):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="is no EXIF tag; expected names such as Make"):
        list(photos.read(tmp_path, keep=[wrong]))


def test_raw_files_are_counted_and_left_out(tmp_path):
    folder = tmp_path / "trip"
    (folder / "deep").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "a.jpg")
    for name in ("a.CR2", "b.cr2", "deep/c.NEF", "notes.txt"):
        (folder / name).write_bytes(b"II*\0")
    report = photos.import_(folder, tmp_path / "out.parquet")
    assert report.rows == 1
    assert dict(report.raw) == {".cr2": 2, ".nef": 1}
    assert report.made_by["source"]["raw_files_left_out"] == {".cr2": 2, ".nef": 1}
    words = ["photos", "import", str(folder), "-o", str(tmp_path / "again.parquet")]
    told = CliRunner().invoke(cli.app, words).stdout
    assert "3  RAW files (.cr2, .nef) are left out; export them as JPEG" in told


def test_raw_files_alone_are_no_photos(tmp_path):
    (tmp_path / "a.dng").write_bytes(b"II*\0")
    with pytest.raises(FileError, match="holds 1 RAW files and no picture; export them as JPEG"):
        list(photos.read(tmp_path))


def test_heic_is_read_with_its_extra(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="the extra photos is not installed")
    heif.from_pillow(Image.new("RGB", (64, 64))).save(
        tmp_path / "a.heic", exif=exif().tobytes(), xmp=PACKET
    )
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    rows = pa.concat_tables(photos.read(tmp_path, keep=["Model", "xmp:Rating"])).to_pylist()
    assert rows[0]["status"] == "ok"
    assert rows[0]["lat"] == pytest.approx(48.858333, abs=1e-6)
    assert (rows[0]["Model"], rows[0]["xmp:Rating"]) == ("Camera", "4")
    assert rows[1]["status"] == "unreadable"
    assert "pip install" not in rows[1]["reason"]  # it is installed; the file is damaged


def test_without_it_the_extra_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    for name in ("b.heic", "c.HEIF"):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 40)
    rows = pa.concat_tables(photos.read(tmp_path)).to_pylist()
    told = "HEIC needs pillow-heif: pip install '.[photos]' in the clone"
    assert [row["reason"] for row in rows] == [told, told]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None), (b"a\xffb\0\0", "a\ufffdb"), (b"\0\0", None),
        ("", None),
        (" \t\r\n\0", None),
        (0, "0"), (2.5, "2.5"), ("x" * 1001, "x" * 1000), ("  " + "x" * 1000, "x" * 1000),
        ("half\ud800", "half?"), ((1, 2), "(1, 2)"),
    ],
)  # fmt: skip
def test_a_value_is_text_of_a_thousand_letters(value, told):
    assert tags.text(value) == told


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Make", ("exif", 0x010F)), ("DateTimeOriginal", ("exif", 0x9003)),
        ("GPSLatitude", ("gps", 2)), ("GPSAltitude", ("gps", 6)),
        ("dc:creator", ("xmp", ("dc", "creator"))), ("a.b-c:d_1", ("xmp", ("a.b-c", "d_1"))),
    ],
)  # fmt: skip
def test_a_field_is_of_exif_of_its_gps_part_or_of_xmp(name, field):
    assert tags.field_of(name) == field


def described(inside, spaces=""):
    return tags.xmp(f"<rdf:RDF {RDF} {spaces}>{inside}</rdf:RDF>".encode())


def test_of_two_values_the_first_counts_and_names_of_rdf_none():
    own = 'xmlns:a="http://example.org/a/" xmlns:b="http://example.org/a/"'
    assert described(
        '<rdf:Description rdf:about="x" a:n="1" b:m="2"><a:n>3</a:n><rdf:x>4</rdf:x><one>5</one>'
        '</rdf:Description><rdf:Description a:n="6" a:k="7" none="8"/>', own
    ) == {("a", "n"): "1", ("a", "m"): "2", ("a", "k"): "7"}  # fmt: skip


def test_items_of_a_list_are_joined_and_an_empty_one_leaves_its_place():
    inside = "<a:n><rdf:Bag><rdf:li>x</rdf:li><rdf:li/><rdf:li>y</rdf:li></rdf:Bag></a:n>"
    whole = f"<rdf:Description>{inside}<a:m> z </a:m></rdf:Description>"
    assert described(whole, 'xmlns:a="http://example.org/a/"') == {
        ("a", "n"): "x; ; y", ("a", "m"): "z",
    }  # fmt: skip


def test_a_packet_of_a_megabyte_is_read_and_padding_is_not(tmp_path):
    packet = PACKET + b" " * ((1 << 20) - len(PACKET))
    assert tags.xmp(packet)["own", "Trip"] == "Alps"
    assert tags.xmp(packet + b" ") == {}
    assert tags.xmp(b"\0 \r\n\t" + PACKET + b"\0")["own", "Trip"] == "Alps"
    assert tags.xmp(b"<!DOCTYPE x>" + PACKET) == {}


@pytest.mark.parametrize(
    ("prefix", "space"),
    [
        ("dc", "http://purl.org/dc/elements/1.1/"), ("exif", "http://ns.adobe.com/exif/1.0/"),
        ("GPano", "http://ns.google.com/photos/1.0/panorama/"),
        ("Iptc4xmpCore", "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"),
        ("lr", "http://ns.adobe.com/lightroom/1.0/"),
        ("photoshop", "http://ns.adobe.com/photoshop/1.0/"),
        ("tiff", "http://ns.adobe.com/tiff/1.0/"), ("xmp", "http://ns.adobe.com/xap/1.0/"),
        ("xmpRights", "http://ns.adobe.com/xap/1.0/rights/"),
    ],
)  # fmt: skip
def test_usual_names_have_their_usual_prefix(prefix, space):
    found = described('<rdf:Description q:n="1"/>', f'xmlns:q="{space}"')
    assert found == {(prefix, "n"): "1"}


def test_a_packet_may_lie_in_exif(tmp_path):
    made = Image.Exif()
    made[700] = PACKET
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=made)
    (row,) = next(photos.read(tmp_path, keep=["dc:creator"])).to_pylist()
    assert row["dc:creator"] == "Ann; Bo"
