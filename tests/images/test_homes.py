"""How a table calls places of pictures, and how its references are found from elsewhere."""

import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from geodata.images import homes
from geodata.images.column import archive_of, image_column, is_member, is_missing, rooted


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("pics", "pics/deep", "lake"):
        (tmp_path / name).mkdir()
    (tmp_path / "p.tar").touch()
    return tmp_path


def test_places_are_called_from_the_folder_of_the_table(here):
    paths = [Path("pics"), Path("p.tar"), here / "pics", Path("pics/deep"), Path()]
    assert homes.called(paths, Path("lake")) == (
        ("pics/deep/", "../pics/deep/"), ("p.tar#", "../p.tar#"), ("pics/", "../pics/"),
        ("", "../"),
    )  # fmt: skip
    assert homes.called(paths[:2], None) == (
        ("p.tar#", f"{here}/p.tar#"), ("pics/", f"{here}/pics/"),
    )  # fmt: skip
    assert homes.called([Path("pics"), Path()], Path("pics")) == (("pics/", ""), ("", "../"))
    assert homes.called([Path()], Path()) == (("", ""),)
    (here / "link").symlink_to(here / "pics" / "deep")
    assert homes.called([Path("pics")], Path("link")) == (("pics/", "../"),)
    assert homes.called([Path("link")], Path("lake")) == (("link/", "../link/"),)


def test_the_longest_beginning_counts_and_once(here):
    told = [("a/b/", "X/"), ("a/", "Y/"), ("X/", "Z/"), ("", "W/")]
    references = pa.array(["a/b/1", "a/1", "c", "/a/b/1", None, "X/1", "a/b/é"])
    assert homes.renamed(references, told).to_pylist() == [
        "X/1", "Y/1", "W/c", "/a/b/1", None, "Z/1", "X/é",
    ]  # fmt: skip
    assert homes.renamed(references, ()).equals(references)
    assert homes.renamed(pa.array(["éa/1"]), [("éa/", "b/")]).to_pylist() == ["b/1"]


def test_what_is_found_from_the_folder_is_absolute(here):
    with zipfile.ZipFile(here / "lake" / "a#b.zip", "w") as made:
        made.writestr("x.jpg", b"")
    (here / "pics" / "1.jpg").touch()
    (here / "pics" / "2.tar#x").touch()
    asked = [
        "../pics/1.jpg", "1.jpg", "a#b.zip#x.jpg", "a#b.zip#no#such.jpg", "c.zip#x.jpg",
        "a#b#x.jpg", "../pics/2.tar#x", "https://e.org/a.zip#1.jpg",
        f"{here}/lake/../pics/1.jpg", None, "", "nul\0.jpg", "../pics",
    ]  # fmt: skip
    home = os.path.realpath(here)
    assert homes.started(asked, "lake") == [
        f"{home}/pics/1.jpg", "1.jpg", f"{home}/lake/a#b.zip#x.jpg",
        f"{home}/lake/a#b.zip#no#such.jpg", "c.zip#x.jpg", "a#b#x.jpg", f"{home}/pics/2.tar#x",
        *asked[7:],
    ]  # fmt: skip
    assert homes.started(asked, None) == asked


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_a_column_of_text_is_started_in_its_place(here, kind):
    (here / "lake" / "a.jpg").touch()
    texts = pa.array(["a.jpg", None, "no.jpg"])
    column = texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.cast(kind)
    table = pa.table({"n": [1, 2, 3], "image": column, "other": column})
    found = homes.started_table(table, "lake")
    home = os.path.realpath(here)
    assert found["image"].to_pylist() == [f"{home}/lake/a.jpg", None, "no.jpg"]
    assert found.column_names == ["n", "image", "other"]
    assert found.schema.field("image").type == pa.string()
    assert found["other"].to_pylist() == ["a.jpg", None, "no.jpg"]
    other = homes.started_table(table, "lake", "other")["other"]
    assert other[0].as_py() == f"{home}/lake/a.jpg"
    first = homes.started_table(table.select(["image"]), "lake")
    assert first["image"][0].as_py() == f"{home}/lake/a.jpg"
    assert homes.started_table(table, None) is table
    assert homes.started_table(table, "lake", "none") is table
    held = pa.table({"image": [b"a.jpg"], "n": pa.array([1]).dictionary_encode()})
    assert homes.started_table(held, "lake") is held
    assert homes.started_table(held, "lake", "n") is held


# columns of pictures


@pytest.mark.parametrize(
    ("values", "kind", "missing"),
    [
        (["a", "", None], pa.string(), [False, True, True]),
        ([b"a", b"", None], pa.binary(), [False, True, True]),
        ([None, None], pa.null(), [True, True]),
        ([{"bytes": b"a", "path": None}, {"bytes": None, "path": "a"}, {"bytes": b"", "path": ""},
          {"bytes": None, "path": None}, None],
         pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
         [False, False, True, True, True]),
    ],
)  # fmt: skip
def test_a_picture_is_missing_without_bytes_and_path(values, kind, missing):
    found = is_missing(pa.chunked_array([pa.array(values[:1], kind), pa.array(values[1:], kind)]))
    assert (found.dtype, found.tolist()) == (bool, missing)


def test_each_row_has_a_list_of_one_picture():
    values = [{"bytes": b"a", "path": None}, {"bytes": None, "path": "b"}]
    assert image_column(values).to_pylist() == [[values[0]], [values[1]]]
    assert image_column([]).to_pylist() == []
    assert str(image_column([]).type) == "list<item: struct<bytes: binary, path: string>>"


@pytest.mark.parametrize(
    ("reference", "member"),
    [("a.tar#b", True), ("a.ZIP#b", True), ("a.tar", False), ("atar#b", False), ("a.tgz#b", False),
     ("a.tar.gz#b", False), ("d/a.zip#b#c", True)],
)  # fmt: skip
def test_a_member_is_told_by_the_ending_of_its_archive(reference, member):
    assert is_member(reference) is member


def test_a_reference_starts_from_a_folder_unless_it_is_a_url_or_absolute():
    assert rooted("a.jpg", None) == "a.jpg"
    assert rooted("a.tar#b", "r") == "r/a.tar#b"
    assert rooted("/a.jpg", "r") == "/a.jpg"
    assert rooted("s3://a.jpg", "r") == "s3://a.jpg"


def test_every_mark_may_be_the_one():
    assert archive_of("#a##b") == [("", "a##b"), ("#a", "#b"), ("#a#", "b")]
    assert archive_of("a") == []


def test_an_address_is_no_path_whatever_lies_there(tmp_path):
    there = tmp_path / "https:" / "example.org" / "a.jpg"
    there.parent.mkdir(parents=True)
    there.touch()
    address, nul = "https://example.org/a.jpg", "a\0.jpg"
    assert homes.started([address, nul], tmp_path) == [address, nul]
