"""What may be embedded: pictures inside the folder, clean, and no bomb."""

import contextlib
import io
import os
import struct
import tarfile
import time
import zipfile

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageOps, PngImagePlugin
from typer.testing import CliRunner

from geodata import images, photos, records
from geodata.cli import app
from geodata.files import FileError
from geodata.images import tar

SECRETS = [b"Ada Owner", b"SN-12345", b"taken in Kyoto", b"Exif comment", b"xmp secret"]


def picture(kind="JPEG", orientation=1, **more):
    """A picture that tells all it can: owner, serial, comments, GPS, thumbnail, XMP."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B], exif[0x010E] = orientation, "Ada Owner", "Exif comment"
    own = {0xA430: "Ada Owner", 0xA431: "SN-12345", 0x9286: b"taken in Kyoto"}
    exif.get_ifd(0x8769).update(own)
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 0.0, 41.0), 3: "E", 4: (135.0, 46.0, 0.0)})
    out = io.BytesIO()
    image = Image.radial_gradient("L").convert("RGB").crop((0, 0, 64, 40))
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "taken in Kyoto")
        text.add_itxt("XML:com.adobe.xmp", "<x>xmp secret</x>")
        image.save(out, kind, exif=exif, pnginfo=text)
    elif kind == "GIF":
        image.save(out, kind, comment=b"taken in Kyoto")
    else:
        more |= {"comment": b"taken in Kyoto"} if kind == "JPEG" else {}
        image.save(out, kind, exif=exif, xmp=b"<x>xmp secret</x>", **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_a_picture_tells_is_gone_and_its_pixels_stay(kind, orientation):
    given_ = picture(kind, orientation)
    clean, told = images.without_metadata(given_, "a")
    for secret in SECRETS:
        assert secret not in clean
    before, after = (Image.open(io.BytesIO(data)) for data in (given_, clean))
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert ImageOps.exif_transpose(before).size == ImageOps.exif_transpose(after).size
    assert not after.getexif().get_ifd(0x8825)
    assert set(dict(after.getexif())) <= {0x0112}
    assert images.without_metadata(clean, "a") == (clean, ())
    if kind != "GIF":
        assert {"exif", "gps", "owner", "serial", "comment", "xmp"} <= set(told)


def test_an_arithmetic_of_jpeg_keeps_profiles_and_cuts_what_follows():
    profile = b"p" * 500
    given_ = picture("JPEG", icc_profile=profile, progressive=True)
    second = picture("JPEG")
    clean, told = images.without_metadata(given_ + second, "a")
    assert Image.open(io.BytesIO(clean)).info["icc_profile"] == profile
    assert "trailer" in told
    assert clean.endswith(b"\xff\xd9")
    assert b"Ada Owner" not in clean
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "JPEG")
    assert images.without_metadata(plain.getvalue(), "a") == (plain.getvalue(), ())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.data())
def test_damaged_pictures_are_errors_of_ours(kind, data):
    damaged = bytearray(picture(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(12, len(damaged)))])
    with contextlib.suppress(FileError):
        images.without_metadata(damaged, "a")


def test_kinds_that_cannot_be_cleaned_are_told():
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "TIFF")
    with pytest.raises(FileError, match="is TIF, from which EXIF cannot be taken"):
        images.without_metadata(out.getvalue(), "a")
    embedder = images.Embedder(keep_metadata=True)
    assert embedder.value(out.getvalue())["bytes"] == out.getvalue()


# what may be embedded


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(picture())
    (tmp_path / "outside.jpg").write_bytes(picture())
    (tmp_path / "passwd").write_text("root:x:0:0:")
    (folder / "fake.jpg").write_text("root:x:0:0:")
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (folder / "up").symlink_to(tmp_path)
    (folder / "inner.jpg").symlink_to(folder / "a.jpg")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.write(folder / "a.jpg", "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    return folder


def rows(*names):
    n = len(names)
    return pa.table({"photo_id": [f"p{i}" for i in range(n)], "lat": [1.0] * n, "lon": [2.0] * n,
                     "image": list(names)})  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["../outside.jpg", "/etc/passwd", "{tmp}/outside.jpg", "link.jpg", "up/outside.jpg",
     "../out.zip#a.jpg", "up/out.zip#a.jpg", "../passwd", "fake.jpg", "pipe.jpg",
     "/dev/zero", "/proc/self/environ", "https://example.org/a.jpg", "file:///etc/passwd", "."],
)  # fmt: skip
@pytest.mark.parametrize("form", ["parquet", "webdataset", "verl"])
def test_nothing_outside_the_folder_is_embedded(home, tmp_path, name, form):
    pytest.importorskip("webdataset")
    table = rows("a.jpg", name.format(tmp=tmp_path))
    for check in ("tell", "refuse", "skip"):
        options = records.Options(images="bytes", image_root=str(home), check=check)
        with pytest.raises((FileError, records.RecordError)):
            records.write(table, tmp_path / "out", format=form, options=options)
        assert not (tmp_path / "out").exists()
    whole = records.Options(images="bytes", image_root=str(tmp_path))
    if name in ("../outside.jpg", "{tmp}/outside.jpg"):
        moved = rows("photos/a.jpg", name.format(tmp=tmp_path).removeprefix("../"))
        assert records.write(moved, tmp_path / "o.parquet", options=whole).rows == 2


def test_embedded_pictures_are_clean_and_what_was_left_out_is_recorded(home, tmp_path):
    table = rows("a.jpg", "inner.jpg")
    options = records.Options(images="bytes", image_root=str(home))
    written = records.write(table, tmp_path / "r.parquet", options=options)
    assert written.stripped["pictures"] == written.stripped["gps"] == 2
    data = (tmp_path / "r.parquet").read_bytes()
    found = pa.parquet.read_table(tmp_path / "r.parquet")
    for image in found["images"].to_pylist():
        assert not any(secret in image[0]["bytes"] for secret in SECRETS)
    assert b"geodata.left_out_of_pictures" in data
    kept = records.write(table, tmp_path / "k.parquet", options=records.Options(
        images="bytes", image_root=str(home), keep_metadata=True))  # fmt: skip
    assert kept.stripped == {}
    found = pa.parquet.read_table(tmp_path / "k.parquet")["images"].to_pylist()
    assert found[0][0]["bytes"] == (home / "a.jpg").read_bytes()


def test_references_to_what_is_no_picture_are_refused(home, tmp_path):
    for name, message in (("fake.jpg", "is no picture"), ("/etc/passwd", "is no picture"),
                          ("https://x.org/a.jpg", "is a URL")):  # fmt: skip
        options = records.Options(image_root=str(home))
        with pytest.raises(records.RecordError, match=message):
            records.write(rows("a.jpg", name), tmp_path / "r.parquet", options=options)
    options = records.Options(image_root=str(home), urls=True)
    table = rows("a.jpg", "https://x.org/a.jpg", "none.jpg")
    assert records.write(table, tmp_path / "r.parquet", options=options).absent == 1
    options = records.Options(image_root=str(home), check="refuse")
    with pytest.raises(records.RecordError, match=r"1 of 2 pictures are not there; .*none\.jpg"):
        records.write(rows("a.jpg", "none.jpg"), tmp_path / "s.parquet", options=options)
    options = records.Options(image_root=str(home), check="refuse", missing="drop")
    written = records.write(rows("a.jpg", "none.jpg", "pipe.jpg"), tmp_path / "s.parquet",
                            options=options)  # fmt: skip
    assert (written.rows, written.dropped) == (1, 2)


@pytest.mark.parametrize(("names", "gone"), [(["a.jpg"], 0), (["a.jpg", "b.jpg", "c.jpg"], 2)])
def test_the_command_warns_of_pictures_that_are_not_there(home, tmp_path, names, gone):
    pa.parquet.write_table(rows(*names), tmp_path / "r.parquet")
    words = ["records", "sft", "--from", tmp_path / "r.parquet", "--image-root", home]
    words += ["--no-check", "-o", tmp_path / "out.parquet"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert f"{len(names)} records, 1 files" in done.output
    warned = [line for line in done.output.splitlines() if line.startswith("warning")]
    assert warned == ([f"warning: {gone} pictures are not there"] if gone else [])


# bombs


def overlapping(path, n=200):
    """A zip whose members all lie over one kernel, as zip bombs do."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", picture())
    data = out.getvalue()
    at = data.index(b"PK\x01\x02")
    entry, end = data[at : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    central = b"".join(entry.replace(b"a.jpg", b"%05d" % i) for i in range(n))
    end = end[:8] + struct.pack("<HHII", n, n, len(central), at) + end[20:]
    path.write_bytes(data[:at] + central + end)
    return path


def test_archives_that_are_bombs_are_refused_with_the_member(tmp_path):
    start = time.monotonic()
    with pytest.raises(FileError, match=r"o\.zip#00001: lies over the member '00000'"):
        images.open_archive(overlapping(tmp_path / "o.zip"))
    with zipfile.ZipFile(tmp_path / "r.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.jpg", bytes(30 << 20))
    with pytest.raises(FileError, match=r"r\.zip#zeros\.jpg: \d+ bytes that claim to be 31457280"):
        images.open_archive(tmp_path / "r.zip")
    for name, form in (("l.tar", tarfile.GNU_FORMAT), ("p.tar", tarfile.PAX_FORMAT)):
        with tarfile.open(tmp_path / name, "w", format=form) as archive:
            archive.addfile(tarfile.TarInfo("n" * 60_000 + ".jpg"))
        with pytest.raises(FileError, match=rf"{name}.*nnnn"):
            images.open_archive(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as archive:
        archive.writestr("n" * 60_000, b"")
    with pytest.raises(FileError, match=r"n\.zip#nnn.* name of more than 4096"):
        images.open_archive(tmp_path / "n.zip")
    assert time.monotonic() - start < 60


def test_a_photo_has_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 1000)
    (tmp_path / "a.jpg").write_bytes(picture() + bytes(1000))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "a.jpg", "a.jpg")
    for name in ("a.jpg", "a.tar#a.jpg"):
        with pytest.raises(FileError, match="more than the 1000"):
            images.open_image(name, root=tmp_path)
        with pytest.raises(FileError, match="more than the 1000"):
            images.confined(name, tmp_path)


def test_a_picture_of_too_many_pixels_is_refused(tmp_path):
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    with pytest.raises(FileError, match="pixels"):
        images.Embedder().value(out.getvalue())


def test_pipes_and_devices_are_no_pictures(home):
    start = time.monotonic()
    found = pa.concat_tables(photos.read(home)).to_pylist()
    told = {row["photo_id"]: (row["status"], row["reason"]) for row in found}
    assert told["pipe.jpg"] == ("unreadable", "is no regular file")
    os.mkfifo(home / "pipe.tar")
    with pytest.raises(FileError, match="is no regular file"):
        images.open_archive(home / "pipe.tar")
    assert time.monotonic() - start < 60
