"""Positions and times of pictures, tag by tag, and folders and archives of pictures."""

import os
import re
import struct
import tarfile
import zipfile
from fractions import Fraction

import pytest
from PIL import Image

from geodata import photos
from geodata.files import FileError
from geodata.photos.formats import exif

DEGREES = (48, 30, 36)  # 48.51


def place(lat=DEGREES, lon=(2, 15, 0), lat_ref="N", lon_ref="E"):
    found = exif.position({1: lat_ref, 2: lat, 3: lon_ref, 4: lon})
    return found.lat, found.lon, found.status, found.reason


@pytest.mark.parametrize(
    ("lat", "degrees"),
    [
        (DEGREES, 48.51), ([48, 30, 36], 48.51), ((48.51,), 48.51), (48.51, 48.51),
        ((48, 30.6), 48.51), (((48, 1), (30, 1), (3600, 100)), 48.51), ([(4851, 100)], 48.51),
        (Fraction(4851, 100), 48.51),
        ((0, 0, 0), 0.0), ((360, 0, 0), 360.0), ((0, 60, 0), 1.0), ((0, 0, 60), 1 / 60),
    ],
)  # fmt: skip
def test_degrees_have_minutes_and_seconds_or_not(lat, degrees):
    assert place(lat) == (pytest.approx(degrees), 2.25, "ok", None)
    assert place(lat, lat_ref="S")[:2] == (pytest.approx(-degrees), 2.25)
    assert place(lon=lat, lon_ref="W")[:2] == (48.51, pytest.approx(-degrees))


@pytest.mark.parametrize(
    ("lat", "why"),
    [
        ((), "has 0 parts, expected degrees, minutes, seconds"),
        ((1, 2, 3, 4), "has 4 parts, expected degrees, minutes, seconds"),
        ((360.5, 0, 0), "degrees are 360.5, expected 0 to 360"),
        ((-1, 0, 0), "degrees are -1, expected 0 to 360"),
        ((0, 60.5, 0), "minutes are 60.5, expected 0 to 60"),
        ((0, 0, 60.5), "seconds are 60.5, expected 0 to 60"),
        (((0, 0), 1, 1), "degrees are 0/0, expected 0 to 360"),
        ((1, (0, 0), 1), "minutes are 0/0, expected 0 to 60"),
        (((1, 0), 1, 1), "holds (1, 0), a fraction over zero"),
        ((10**400, 1, 1), f"holds {10**400!r}, a fraction over zero"),
        (((True, 1), 1, 1), "holds '(True, 1)', expected a rational"),
        ("48", "holds '48', expected a rational"),
        (("9" * 50, 1, 1), f"holds '{'9' * 40}', expected a rational"),
        ((True, 1, 1), "holds 'True', expected a rational"),
        ((b"1", 1, 1), "holds \"b'1'\", expected a rational"),
        (((1, "2"), 1, 1), "holds \"(1, '2')\", expected a rational"),
        ((None, 1, 1), "holds 'None', expected a rational"),
        (((1, 2, 3), 1, 1), "holds '(1, 2, 3)', expected a rational"),
        ((float("inf"), 0, 0), "holds inf, which is not finite"),
        ((float("nan"), 0, 0), "holds nan, which is not finite"),
    ],
)  # fmt: skip
def test_what_is_no_angle_is_told(lat, why):
    assert place(lat) == (None, None, "invalid", f"GPSLatitude {why}")
    assert place(lon=lat) == (None, None, "invalid", f"GPSLongitude {why}")


@pytest.mark.parametrize(
    ("gps", "why"),
    [
        ({}, "no GPS tags"), ({7: "x"}, "GPS tags without a latitude"),
        ({1: "N", 2: DEGREES, 3: "E"}, "GPS tags without a longitude"),
        ({1: "N", 3: "E", 4: DEGREES}, "GPS tags without a latitude"),
        ({2: DEGREES, 4: ((0, 0), (0, 0), (0, 0))}, "GPS tags without a longitude"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(gps, why):
    assert exif.position(gps) == exif.Position(None, None, "missing", why)


@pytest.mark.parametrize(
    ("lat_ref", "lon_ref", "why"),
    [
        ("n", " e\0", None), ("North", "EAST", None), (b"N", b"E\0", None),
        (b"N\xff", "E", "no hemisphere: GPSLatitudeRef is b'N\\xff'"),
        ("", "E", "no hemisphere: GPSLatitudeRef is "),
        (None, None, "no hemisphere: GPSLatitudeRef is None"),
        ("N", 7, "no hemisphere: GPSLongitudeRef is 7"),
        ("N", "N", "no hemisphere: GPSLongitudeRef is N"),
        ("E", "E", "no hemisphere: GPSLatitudeRef is E"),
        ("E", "X", "no hemisphere: GPSLatitudeRef is E"),
        ("x" * 30, "E", f"no hemisphere: GPSLatitudeRef is {'x' * 20}"),
        ("E", "N", "swapped hemispheres: GPSLatitudeRef 'E', GPSLongitudeRef 'N'"),
        ("w", "south", "swapped hemispheres: GPSLatitudeRef 'W', GPSLongitudeRef 'S'"),
    ],
)  # fmt: skip
def test_a_hemisphere_is_certain_or_told(lat_ref, lon_ref, why):
    found = place(lat_ref=lat_ref, lon_ref=lon_ref)
    assert found == ((48.51, 2.25, "ok", None) if why is None else (None, None, "invalid", why))


def test_words_of_hemispheres_have_their_sign():
    assert place(lat_ref="South", lon_ref="west")[:2] == (-48.51, -2.25)
    assert place(lat_ref="North", lon_ref="east")[:2] == (48.51, 2.25)


@pytest.mark.parametrize(
    ("detail", "taken"),
    [
        ({0x9003: "2020:01:02 03:04:05", 0x9011: "+02:00"}, "2020:01:02 03:04:05+02:00"),
        ({0x9003: b"2020:01:02 03:04:05\0"}, "2020:01:02 03:04:05"),
        ({0x9011: "+02:00"}, None), ({}, None), ({0x9003: " ", 0x9011: "+02:00"}, None),
    ],
)  # fmt: skip
def test_a_time_has_its_offset_if_both_are_there(detail, taken):
    assert exif._taken(detail) == taken


def test_the_time_and_offset_of_a_picture(tmp_path):
    tags = Image.Exif()
    tags[0x8769] = {0x9003: "2020:01:02 03:04:05", 0x9011: "-07:00"}
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=tags)
    (row,) = next(photos.read(tmp_path)).to_pylist()
    assert row["taken_at"] == "2020-01-02T03:04:05-07:00"
    assert (row["status"], row["reason"]) == ("missing", "no GPS tags")


def test_pictures_of_a_folder_come_sorted_below_its_own(tmp_path):
    for name in ("b/z.JPG", "b/a.avif", "a/1.jpe", "z.heif", "B.TIFF", "x.gif", "y.jpg.txt",
                 "a/.jpg", ".c/.d.jpg"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(exif.images_in(tmp_path)) == [
        "B.TIFF", "z.heif", ".c/.d.jpg", "a/.jpg", "a/1.jpe", "b/a.avif", "b/z.JPG",
    ]  # fmt: skip
    assert exif.names_in(tmp_path, 3) == [".c", "B.TIFF", "a"]
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("b/z.JPG", "x.gif", "a/1.jpe", "z.NEF", "a/a.nef", "raw"):
            tar.addfile(tarfile.TarInfo(name))
    assert list(exif.pictures(tmp_path / "a.tar")) == ["b/z.JPG", "a/1.jpe"]
    assert exif.raw_files(tmp_path / "a.tar") == {".nef": 2}
    assert exif.names_in(tmp_path / "a.tar") == ["b/z.JPG", "x.gif", "a/1.jpe", "z.NEF", "a/a.nef"]
    assert exif.is_archive(tmp_path / "a.tar")
    assert not exif.is_archive(tmp_path)
    assert not exif.is_archive(tmp_path / "x.gif")


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    def closed(folder, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr(os, "walk", closed)
    with pytest.raises(FileError, match=f"^{re.escape(str(tmp_path))}: cannot be listed: Permis"):
        list(exif.images_in(tmp_path))


@pytest.mark.parametrize("pictures", [4, 5])
def test_pictures_come_in_batches(tmp_path, monkeypatch, pictures):
    monkeypatch.setattr(exif, "BATCH_IMAGES", 2)
    for i in range(pictures):
        Image.new("RGB", (2, 2)).save(tmp_path / f"{i}.png")
    found = list(exif.exif_batches(tmp_path, ["Model"]))
    assert [batch.table.num_rows for batch in found] == ([2, 2] if pictures == 4 else [2, 2, 1])
    ids = [name for batch in found for name in batch.table["photo_id"].to_pylist()]
    assert ids == [f"{i}.png" for i in range(pictures)]
    assert [str(kind) for kind in found[0].table.schema.types] == [
        "string", "double", "double", "string", "string", "string", "string", "string",
    ]  # fmt: skip


def test_what_is_no_picture_has_a_reason_in_a_line(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    (tmp_path / "b.jpg").write_bytes(b"text")
    os.mkfifo(tmp_path / "c.jpg")
    rows = {row["photo_id"]: row for row in next(photos.read(tmp_path)).to_pylist()}
    assert {name: (row["status"], row["reason"]) for name, row in rows.items()} == {
        "b.jpg": ("unreadable", "not a picture that Pillow can read"),
        "c.jpg": ("unreadable", "is no regular file"),
    }
    assert rows["b.jpg"]["image"] == str(tmp_path / "b.jpg")


def test_a_member_that_is_damaged_is_a_row_beside_the_others(tmp_path):
    path = tmp_path / "a.zip"
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.jpg", "a.jpg")
        archive.writestr("b.jpg", b"picture")
    path.write_bytes(path.read_bytes().replace(b"picture", b"damaged", 1))
    rows = next(photos.read(path)).to_pylist()
    assert [(row["image"], row["status"]) for row in rows] == [
        (f"{path}#a.jpg", "missing"), (f"{path}#b.jpg", "unreadable"),
    ]  # fmt: skip
    assert rows[1]["reason"].startswith(f"FileError: {path}#b.jpg")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ValueError("a\nb"), "ValueError: a"), (KeyError(), "KeyError: "),
        (OSError("x" * 300), "OSError: " + "x" * 191),
    ],
)  # fmt: skip
def test_a_reason_is_the_first_line_of_an_error(error, why):
    assert exif._why(error) == why


def test_damaged_tags_are_told_where_they_say_no_position(tmp_path):
    """What lies behind the end of the block: Pillow warns, and reads none of it."""
    tags = Image.Exif()
    tags[0x0110], tags[0x8769] = "Camera", {0x9003: "2020:01:02 03:04:05"}
    tags[0x8825] = {1: "N", 2: (48.0, 30.0, 36.0), 3: "E", 4: (2.0, 15.0, 0.0)}
    block = tags.tobytes()
    order = "<" if b"II*\0" in block else ">"
    pointers = {
        one: block.index(struct.pack(f"{order}HHI", one, 4, 1)) + 8 for one in (0x8769, 0x8825)
    }
    tags[0x8825] = {1: "N", 2: (48.0, 75.0, 36.0), 3: "E", 4: (2.0, 15.0, 0.0)}
    wrong = tags.tobytes()  # of the same length: a degree of 75 minutes
    for name, at, whole in (("both.jpg", None, block), ("gps.jpg", 0x8769, block),
                            ("time.jpg", 0x8825, block), ("wrong.jpg", 0x8769, wrong)):  # fmt: skip
        damaged = bytearray(whole)
        if at is not None:
            struct.pack_into(f"{order}I", damaged, pointers[at], len(block) - 10)
        Image.new("RGB", (4, 4)).save(tmp_path / name, exif=bytes(damaged))
    rows = next(photos.read(tmp_path, keep=["Model"])).to_pylist()
    seen = [(row["status"], row["taken_at"], row["Model"]) for row in rows]
    assert seen == [
        ("ok", "2020-01-02T03:04:05", "Camera"), ("ok", None, "Camera"),
        ("unreadable", None, "Camera"), ("invalid", None, "Camera"),
    ]  # fmt: skip
    assert rows[2]["reason"].startswith("damaged EXIF: ")
    assert rows[3]["reason"] == "GPSLatitude minutes are 75, expected 0 to 60"
