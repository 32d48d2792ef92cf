"""Where pictures are sought: archives before folders, one place after another, or below a URL."""

import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from geodata import images
from geodata.files import FileError
from geodata.images import places, tar
from geodata.images.archive import ABSENT, AMBIGUOUS


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/") + ".jpg", content)
    return path


def found(opened, *names):
    references, sizes = opened.resolve(pa.array(names, pa.string()))
    assert sizes.dtype == np.int64
    assert references.type == pa.string()
    return list(zip(references.to_pylist(), sizes.tolist(), strict=True))


def test_the_first_place_that_has_a_picture_counts(tmp_path):
    one = zipped(tmp_path / "1.zip", a=b"1", d__same=b"x", e__same=b"y")
    two = zipped(tmp_path / "2.zip", a=b"22", b=b"22", same=b"2222")
    for name, letters in (("f", "abcs"), ("g", "abcd")):
        (tmp_path / name).mkdir()
        for letter in letters:
            (tmp_path / name / f"{letter}.jpg").write_bytes(b"x" * (3 if name == "f" else 4))
    (tmp_path / "f" / "x_y.jpg").write_bytes(b"flat")
    opened = images.open_images([one, str(two), tmp_path / "f", tmp_path / "g"])
    assert found(opened, "a.jpg", "b.jpg", "c.jpg", "d.jpg", "none.jpg", None, "same.jpg") == [
        (f"{one}#a.jpg", 1), (f"{two}#b.jpg", 2), (str(tmp_path / "f" / "c.jpg"), 3),
        (str(tmp_path / "g" / "d.jpg"), 4), (None, ABSENT), (None, ABSENT), (None, AMBIGUOUS),
    ]  # fmt: skip
    assert found(opened, "x/y.jpg") == [(str(tmp_path / "f" / "x_y.jpg"), 4)]
    assert found(opened) == []
    assert opened.paths() == [one, two, tmp_path / "f", tmp_path / "g"]
    assert opened.describe() == [
        {"archive": "1.zip", "members": 3}, {"archive": "2.zip", "members": 3}, {"folder": "f"},
        {"folder": "g"},
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["/{f}/a.jpg", "../f/a.jpg", "b/../a.jpg", "nul\0.jpg", "b.jpg"])
def test_no_name_leads_out_of_a_folder(tmp_path, name):
    (tmp_path / "f" / "b.jpg").mkdir(parents=True)
    (tmp_path / "f" / "b").mkdir()
    (tmp_path / "f" / "a.jpg").touch()
    opened = images.open_images(tmp_path / "f")
    assert found(opened, "a.jpg") == [(str(tmp_path / "f" / "a.jpg"), 0)]
    asked = name.format(f=str(tmp_path / "f").lstrip("/"))
    assert found(opened, asked) == [(None, ABSENT)]


@pytest.mark.parametrize("url", ["https://example.org/a", "https://example.org/a/"])
def test_below_a_url_nothing_is_looked_at(url):
    opened = images.open_images(url)
    assert found(opened, "x/1.jpg", None) == [
        ("https://example.org/a/x/1.jpg", places.UNKNOWN), (None, ABSENT),
    ]  # fmt: skip
    assert opened.describe() == [{"url": "https://example.org/a/"}]
    assert opened.paths() == []
    assert images.open_images([url]) == opened
    with pytest.raises(FileError) as told:
        images.open_images(["here", url])
    assert str(told.value) == f"images: {url!r} is a URL; give it alone, or files and folders"


def test_a_folder_is_its_archives_sorted_and_then_its_pictures(tmp_path):
    zipped(tmp_path / "b.ZIP", x=b"bb")
    with tarfile.open(tmp_path / "a.tar", "w") as made:
        made.addfile(tarfile.TarInfo("y.jpg"))
    (tmp_path / "c.tar").write_text("no archive")
    (tmp_path / "d.zip").mkdir()
    (tmp_path / "loose.jpg").touch()
    zipped(tmp_path / "e.other", x=b"e")
    opened = images.open_images(tmp_path)
    assert opened.paths() == [tmp_path / "a.tar", tmp_path / "b.ZIP", tmp_path]
    assert found(opened, "x.jpg", "loose.jpg", "none.jpg") == [
        (f"{tmp_path / 'b.ZIP'}#x.jpg", 2), (str(tmp_path / "loose.jpg"), 0), (None, ABSENT),
    ]  # fmt: skip
    assert images.open_images(None) is None
    with pytest.raises(FileError, match=r"c\.tar: is neither a tar nor a zip"):
        images.open_images(tmp_path / "c.tar")
    with pytest.raises(FileError, match="none: there is no such archive"):
        images.open_images(tmp_path / "none")


def test_a_reference_is_a_path_or_a_member(tmp_path, monkeypatch):
    zipped(tmp_path / "a.zip", x=b"member")
    (tmp_path / "b#c.jpg").write_bytes(b"file")
    (tmp_path / "d.jpg").mkdir()
    monkeypatch.chdir(tmp_path)
    assert (
        images.open_image("a.zip#x.jpg") == images.open_image("a.zip#x.jpg", root=".") == b"member"
    )
    assert images.open_image(tmp_path / "b#c.jpg", root="/nowhere") == b"file"
    for name, root, said in (
        ("s3://b/a.jpg", None,
         "is a URL, and nothing is downloaded here; fetch it and name the file"),
        ("d.jpg", None, "there is no such picture; a relative path starts from root (.)"),
        ("z.zip#x", "r", "there is no such picture; a relative path starts from root (r)"),
    ):  # fmt: skip
        with pytest.raises(FileError) as told:
            images.open_image(name, root=root)
        assert str(told.value) == f"{name}: {said}"
    long = "x" * 300
    with pytest.raises(FileError) as told:
        images.open_image(long)
    assert str(told.value).startswith(f"{long[:200]!r} cannot be read: ")


def test_a_photo_may_have_its_most_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 10)
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert places.read_file(tmp_path / "a") == b"x" * 10
    (tmp_path / "b").write_bytes(b"x" * 11)
    with pytest.raises(FileError) as told:
        places.read_file(tmp_path / "b")
    assert str(told.value) == f"{tmp_path / 'b'}: more than the 10 bytes of one photo"


def test_archives_of_a_folder_count_in_the_order_of_their_names(tmp_path):
    for i in (7, 2, 9, 0, 5, 3, 8, 1, 6, 4):
        with zipfile.ZipFile(tmp_path / f"{i}.zip", "w") as made:
            made.writestr("a.jpg", b"x")
    found = images.open_images(tmp_path)
    assert [archive.path.name for archive in found.archives] == [f"{i}.zip" for i in range(10)]
