"""Samples of shards: keys, endings, types of fields, and shards that a name means."""

import io

import pyarrow as pa
import pytest

from geodata import files, images
from geodata.images import tar, webdataset
from tests.images.shards import shard, text


def keys(path):
    return [(one.key, list(one.members)) for one in webdataset.samples(path)]


def test_members_that_follow_each_other_with_one_key_are_a_sample(tmp_path):
    path = shard(tmp_path / "a.tar", ("d/1.jpg", b""), ("d/1.seg.png", b""), ("1.jpg", b""),
                 (".x.jpg", b""), ("plain", b""), ("1.json", b""), ("d/1.jpg", b""),
                 ("d.e/2.x", b""), ("d.e/noend", b""))  # fmt: skip
    assert keys(path) == [
        ("d/1", ["jpg", "seg.png"]), ("1", ["jpg", "json"]), ("d/1", ["jpg"]), ("d.e/2", ["x"]),
    ]  # fmt: skip
    assert keys(shard(tmp_path / "b.tar", (".x", b""))) == []
    with pytest.raises(files.FileError) as told:
        keys(shard(tmp_path / "c.tar", ("a/1.jpg", b""), ("a/1.jpg", b"")))
    said = "holds 'a/1.jpg' twice; a sample has one member of each ending"
    assert str(told.value) == f"{tmp_path / 'c.tar'}: {said}"
    (tmp_path / "d.tar").write_bytes(b"PK\5\6" + bytes(600))
    with pytest.raises(files.FileError) as told:
        keys(tmp_path / "d.tar")
    said = "is no tar archive, so no WebDataset shard; fetch or write it again"
    assert str(told.value) == f"{tmp_path / 'd.tar'}: {said}"


@pytest.mark.parametrize(
    ("endings", "first"),
    [
        (["txt", "JPG", "png"], "JPG"), (["a.jpeg"], "a.jpeg"), (["json", "cls"], None), ([], None),
        (["jpg.txt"], None), *(([one], one) for one in
         ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "bin")),
    ],
)  # fmt: skip
def test_the_picture_is_the_first_that_ends_as_one(endings, first):
    members = {one: tar.Member(one, 0, 0, 0, 0, 0) for one in endings}
    found = webdataset.Sample("k", members).picture
    assert (found and found.name) == first


def test_a_row_has_the_fields_of_json_and_texts(tmp_path):
    shard(tmp_path / "a.tar", ("1.meta.JSON", text(a=1, image="own", __key__="own")),
          ("1.json", text(a=2, b=1)), ("1.txt", b"t\xff"), ("1.cls", b"c"), ("1.text", b"no"),
          ("2.json", b"[1]"), ("3.json", b"\xff"), ("4.jpg", b"x"))  # fmt: skip
    assert pa.concat_tables(images.open_samples(tmp_path / "a.tar").tables()).to_pylist() == [
        {"__key__": "own", "image": "own", "a": 2, "b": 1, "txt": "t\ufffd", "cls": "c"},
        *({"__key__": key, "image": picture, "a": None, "b": None, "txt": None, "cls": None}
          for key, picture in (("2", None), ("3", None), ("4", "a.tar#4.jpg"))),
    ]  # fmt: skip


def test_a_member_may_have_its_most_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 5)
    file = io.BytesIO(b"0123456789")
    member = tar.Member("a.txt", 2, 5, 5, 0, 0)
    assert webdataset.content(file, member) == b"23456"
    with pytest.raises(files.FileError) as told:
        webdataset.content(file, member._replace(size=6))
    assert str(told.value) == "a.txt: 6 bytes, more than the 5 of one photo"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], "double"), ([1, 2], "int64"), ([1.5], "double"), ([True, None], "bool"),
        (["a"], "string"), ([None], "string"), ([], "string"), ([1, "a"], "string"),
        ([True, 1], "string"), ([True, 1, 1.5], "string"), ([[1], [2, None]], "list<item: int64>"),
        ([[1], ["a"]], "string"), ([[]], "string"), ([[None]], "string"),
        ([{"a": 1}], "struct<a: int64>"),
        ([{"a": None}], "string"), ([{"a": [{"b": []}]}], "string"), ([{}], "struct<>"),
        ([[1], {"a": 1}], "string"), ([[[1.5]]], "list<item: list<item: double>>"),
    ],
)  # fmt: skip
def test_a_field_has_the_type_of_its_values(values, kind):
    assert str(webdataset._type(values)) == kind


def test_a_field_of_many_types_is_text(tmp_path):
    shard(tmp_path / "a.tar", ("1.json", text(n="a", m=None)), ("2.json", text(n=[1, "b"], m={})),
          ("3.json", text(n=True)))  # fmt: skip
    found = pa.concat_tables(images.open_samples(tmp_path / "a.tar").tables(["n"])).to_pylist()
    assert [row["n"] for row in found] == ["a", '[1, "b"]', "true"]


def test_json_that_is_nested_without_end_is_text_or_nothing(tmp_path):
    """Python fails at about a thousand calls, in what reads JSON and in what looks at types."""
    deep = "[" * 700 + "1" + "]" * 700
    shard(tmp_path / "a.tar", ("1.json", b'{"n": %s, "m": [[2]]}' % deep.encode()),
          ("2.json", b'{"m": ' + b"[" * 100_000))  # fmt: skip
    found = pa.concat_tables(images.open_samples(tmp_path / "a.tar").tables(["n", "m"]))
    assert found.to_pylist() == [{"n": deep, "m": [[2]]}, {"n": None, "m": None}]


def test_half_a_letter_in_a_sample_hinders_no_other(tmp_path):
    shard(tmp_path / "a.tar", ("1.json", rb'{"t": "a\ud83d", "w": ["\ud83d\ude00", "\udc00"]}'),
          ("2.json", text(t="b")))  # fmt: skip
    found = pa.concat_tables(images.open_samples(tmp_path / "a.tar").tables(["t", "w"]))
    assert found.to_pylist() == [{"t": "a?", "w": ["😀", "?"]}, {"t": "b", "w": None}]


def test_what_does_not_fit_the_head_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(webdataset, "_HEAD", 2)
    head = [("1.json", text(n=1)), ("2.json", text(n=2))]

    def said(*more):
        shard(tmp_path / "a.tar", *head, *more)
        with pytest.raises(files.FileError) as told:
            list(images.open_samples(tmp_path / "a.tar").tables())
        return str(told.value)

    assert said(("3.json", text(n=3, z=1, b=2))) == (
        "sample '3' has the field 'b', which the first 2 samples lack; write the shards with one "
        "set of fields"
    )
    for value in ("x", 2**70):
        assert said(("3.json", text(n=value))).startswith(
            "samples '1' to '3': the field 'n' is int64 in the first 2 samples and not here ("
        )


def test_batches_have_as_many_rows_as_asked_for(tmp_path, monkeypatch):
    shard(tmp_path / "s" / "0.tar", *((f"{i}.json", text(n=i)) for i in range(3)))
    shard(tmp_path / "s" / "1.tar", *((f"{i}.json", text(n=i)) for i in range(3, 5)))
    opened = images.open_samples(tmp_path / "s")
    assert opened.identity() | {"sha256": ""} == {"name": "s", "files": 2, "sha256": ""}
    assert (opened.columns, opened.kind, opened.rows) == (
        ("__key__", "image", "n"),
        "webdataset",
        None,
    )
    found = list(opened.stream(["n"], 2))
    assert [table["n"].to_pylist() for table in found] == [[0, 1], [2, 3], [4]]
    monkeypatch.setattr(webdataset, "_BATCH", 4)
    assert [table.num_rows for table in opened.stream(None, 9)] == [4, 1]
    part = opened.of_shards(opened.paths[1:])
    assert [table["n"].to_pylist() for table in part.stream(["n"], 9)] == [[3, 4]]
    assert (part.paths, part.schema, part.name) == (opened.paths[1:], opened.schema, opened.name)


def test_json_is_not_read_where_it_is_not_asked_for(tmp_path, monkeypatch):
    shard(tmp_path / "a.tar", ("1.json", text(n=1)), ("1.jpg", b"x"), ("2.json", text(n=2)))
    opened = images.open_samples(tmp_path / "a.tar")
    monkeypatch.setattr(webdataset, "content", lambda *_: pytest.fail("a member was read"))
    assert [table.to_pylist() for table in opened.stream(["image", "__key__"], 9)] == [
        [{"image": "a.tar#1.jpg", "__key__": "1"}, {"image": None, "__key__": "2"}]
    ]


def test_shards_are_a_file_a_folder_or_a_pattern(tmp_path, monkeypatch):
    deep = shard(tmp_path / "s" / "z.TAR", ("1.jpg", b""))
    (tmp_path / "s" / "d.tar").mkdir()
    inner = shard(tmp_path / "s" / "d.tar" / "b.tar", ("1.jpg", b""))
    for name in (".hidden.tar", "_own.tar", "notes.txt"):
        (tmp_path / "s" / name).touch()
    assert images.shard_paths(tmp_path / "s") == [inner, deep]
    assert images.shard_paths(deep) == [deep]
    assert images.shard_paths(tmp_path / "s" / "none.tar") == []
    assert images.shard_paths(tmp_path / "s" / "notes.txt") == []
    assert images.shard_paths(str(tmp_path / "s" / "*.txt")) == []
    one, two = (shard(tmp_path / f"{name}.tar", ("1.jpg", b"")) for name in ("b[1]", "a1"))
    assert images.shard_paths(str(tmp_path / "b[1].tar")) == [one]
    assert images.shard_paths(str(tmp_path / "a[12].tar")) == [two]
    assert images.shard_paths(str(tmp_path / "?1.tar")) == [two]
    assert images.shard_paths(str(tmp_path / "*.tar")) == [two, one]
    (tmp_path / "s" / "rows.parquet").touch()
    assert images.shard_paths(tmp_path / "s") == []


def test_an_empty_place_is_told(tmp_path):
    with pytest.raises(files.FileError) as told:
        images.open_samples(tmp_path)
    assert str(told.value) == (
        f"{tmp_path}: there is no tar shard; name a .tar, a folder of them, or a pattern"
    )
    path = shard(tmp_path / "a.tar", ("plain", b""))
    with pytest.raises(files.FileError) as told:
        images.open_samples(path)
    assert str(told.value) == f"{path}: the shards hold no sample, such as 7.jpg and 7.json"


def test_references_start_from_the_folder_that_was_named(tmp_path):
    """Shards of several folders have names of their own there; a pattern starts from its folder."""
    for name in ("a/0.tar", "b/c/0.tar"):
        (tmp_path / "s" / name).parent.mkdir(parents=True)
        shard(tmp_path / "s" / name, ("1.jpg", name.encode()))
    found = pa.concat_tables(images.open_samples(tmp_path / "s").tables())["image"].to_pylist()
    assert found == ["a/0.tar#1.jpg", "b/c/0.tar#1.jpg"]
    for reference, content in zip(found, (b"a/0.tar", b"b/c/0.tar"), strict=True):
        assert images.open_image(reference, root=tmp_path / "s") == content
    some = images.open_samples(str(tmp_path / "s" / "a" / "*.tar"))
    assert pa.concat_tables(some.tables())["image"].to_pylist() == ["0.tar#1.jpg"]
