"""How records lie on disk: names, forms by ending, groups of rows and the declarations beside."""

import io
import json

import pyarrow as pa
import pytest
from PIL import Image

from geodata import records
from geodata.records import chats, forms, trainers, writing
from geodata.records.forms import FORMATS

ROWS = {"photo_id": ["a", "b", "c"], "lat": [48.85, 35.68, 1.0], "lon": [2.35, 139.77, 2.0],
        "country": ["France", "Japan", "Gabon"], "city": ["Paris", "Tokyo", "X"],
        "status": ["ok"] * 3}  # fmt: skip


def rows():
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "PNG")
    return pa.table(ROWS | {"image": [out.getvalue()] * 3})


@pytest.mark.parametrize(
    ("out", "given", "kind"),
    [
        ("a.parquet", None, "parquet"), ("A.PARQUET", None, "parquet"), ("a.JSONL", None, "llava"),
        ("folder", None, "parquet"), ("a.jsonl", "verl", "verl"),
        ("folder", "webdataset", "webdataset"),
    ],
)  # fmt: skip
def test_a_form_is_told_by_the_ending(tmp_path, out, given, kind):
    assert forms.format_of(tmp_path / out, given) == kind


@pytest.mark.parametrize(
    ("out", "given", "told"), [("a.csv", None, ".csv"), ("a.parquet", "x", "x")]
)
def test_a_form_that_is_none_is_refused(tmp_path, out, given, told):
    with pytest.raises(records.RecordError) as refused:
        forms.format_of(tmp_path / out, given)
    assert str(refused.value) == (
        f"{tmp_path / out}: format {told!r} is not known; expected {', '.join(FORMATS)}"
    )


@pytest.mark.parametrize("name", ["rows.parquet", "ROWS.PARQUET", "rows.jsonl", "ROWS.JsonL"])
def test_a_file_is_one_file_in_whatever_case(tmp_path, name):
    table = rows()
    if name.lower().endswith("l"):  # lines name pictures, they hold none
        table = table.drop(["image"]).append_column("image", pa.array(["a.jpg"] * 3))
    found = records.write(table, tmp_path / name)
    assert (tmp_path / name).is_file()
    assert (found.rows, found.dropped, found.files, found.resumed, found.names) == (3, 0, 1, 0, ())


def test_shards_are_named_by_their_number():
    parquet, tar = FORMATS["parquet"], FORMATS["webdataset"]
    assert parquet.name("test", 3, 12) == "test-00003-of-00012.parquet"
    assert tar.name("test", 3, 12) == "000003.tar"
    assert parquet.extra("a", "b") == {}


@pytest.mark.parametrize(
    ("split", "part"),
    [
        (None, "train"),
        ("all", "train"),
        ("test", "test"),
        ("a,b", "train"),
        ("", "train"),
        ("v 1", "train"),
    ],
)
def test_a_file_is_named_after_the_one_split_that_was_chosen(split, part):
    assert writing._part_of(split) == part


def test_a_declaration_for_llama_factory_is_these_lines():
    assert trainers.info("geo", "data") == json.dumps(
        {
            "geo": {
                "file_name": "data",
                "formatting": "sharegpt",
                "columns": {"messages": "messages", "images": "images"},
                "tags": {
                    "role_tag": "role", "content_tag": "content", "user_tag": "user",
                    "assistant_tag": "assistant", "system_tag": "system",
                },
            }
        }, indent=2,
    ) + "\n"  # fmt: skip


def groups(sizes):
    made = (
        {"n": i, "images": [{"bytes": b"x" * size, "path": None}]} for i, size in enumerate(sizes)
    )
    schema = pa.schema(
        {
            "n": pa.int64(),
            "images": pa.list_(pa.struct({"bytes": pa.binary(), "path": pa.string()})),
        }
    )
    return [part["n"].to_pylist() for part in forms._grouped(made, schema)]


def test_rows_are_grouped_by_number_and_by_bytes(monkeypatch):
    assert groups([]) == []
    assert [len(part) for part in groups([1] * 600)] == [256, 256, 88]
    assert [len(part) for part in groups([1] * 512)] == [256, 256]
    monkeypatch.setattr(chats, "BATCH_BYTES", 10)
    assert groups([4, 4, 2, 9, 1, 3]) == [[0, 1, 2], [3, 4], [5]]
    assert groups([30, 9, 0]) == [[0], [1, 2]]


def test_pictures_have_their_type_also_where_the_first_row_has_none():
    picture = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    for first in ([], [{"bytes": None, "path": None}], [{"bytes": b"x", "path": "a.jpg"}]):
        found = forms._schema_of([{"images": first, "names": [], "city": None}])
        assert found.types == [picture, pa.list_(pa.string()), pa.string()]


def test_a_label_that_the_first_row_lacks_is_text():
    kinds = {
        "a": pa.null(),
        "b": pa.struct({"c": pa.null(), "d": pa.int64()}),
        "e": pa.list_(pa.null()),
    }
    found = [forms._text_for_null(kind) for kind in kinds.values()]
    assert found == [
        pa.string(), pa.struct({"c": pa.string(), "d": pa.int64()}), pa.list_(pa.string())
    ]  # fmt: skip
    assert forms._text_for_null(pa.float64()) == pa.float64()
