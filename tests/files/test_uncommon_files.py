"""Files as they seldom are: of no rows, nested without end, in many batches, at any length."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files import FileError, arrays, reading
from geodata.files.readers import jsonrows

NESTED = pa.schema([("id", pa.string()), ("at", pa.struct([("lat", pa.float64())]))])


def test_a_header_of_any_length_ends_where_arrays_may_begin(tmp_path):
    """Of 64 lengths, for arrays are mapped, and a processor reads what lies at 64 bytes."""
    for length in range(64):
        header, start = arrays._header({"pad": "x" * length}, {}, "0" * 64)
        assert (len(header), start % 64) == (start, 0)
        assert int.from_bytes(header[8:16], "little") == start - 16
        assert json.loads(header[16:])["meta"] == {"pad": "x" * length}
        assert header[-64:].strip() != b""  # no more spaces than needed
    files.save_arrays(tmp_path / "a", {"n": np.arange(3)}, {})
    assert files.load_arrays(tmp_path / "a").arrays["n"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_columns_of_no_rows_keep_their_types(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    write = pq.write_table if ending == "parquet" else feather.write_feather
    write(NESTED.empty_table(), path)
    assert files.open_source(path).columns == ("id", "at.lat")
    assert files.read_table(path).schema == NESTED
    assert files.read_table(path, ["id"]).schema == pa.schema([NESTED.field("id")])
    assert files.read_table(path, ["at.lat"]).schema == pa.schema([NESTED.field("at")])
    write(pa.Table.from_pylist([{"id": "a", "at": {"lat": 1.0}}], NESTED), path)
    assert files.read_table(path, ["at.lat"]).schema == pa.schema([NESTED.field("at")])


def test_columns_of_a_text_of_no_rows_are_those_that_are_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat,lon\n")
    assert files.read_table(tmp_path / "a.csv").column_names == ["id", "lat", "lon"]
    asked = files.read_table(tmp_path / "a.csv", ["lon", "id"])
    assert asked.schema == pa.schema([("lon", pa.string()), ("id", pa.string())])


def test_what_is_held_is_the_sum_of_all_batches(tmp_path, monkeypatch):
    """Each batch is small; together they are more than may be held."""
    monkeypatch.setattr(jsonrows, "MAX_BATCH_BYTES", 1000)
    monkeypatch.setattr(reading, "BOMB_RATIO", 0)
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "' + "x" * 92 + '"}\n' + ('{"id": "' + "y" * 92 + '"}\n') * 999)
    held = sum(table.nbytes for table in files.open_source(path).tables())
    assert 92_000 < held < 110_000
    monkeypatch.setattr(reading, "FREE_BYTES", held)
    assert files.read_table(path).num_rows == 1000
    monkeypatch.setattr(reading, "FREE_BYTES", held - 1)
    with pytest.raises(FileError, match=r"a.jsonl: unfolds from 103000 bytes into 0 MiB and more"):
        files.read_table(path)


def nested(levels, kind):
    """Return an object of so many levels, its own braces counted."""
    begin, end = ("[", "]") if kind == "lists" else ('{"k": ', "}")
    return '{"id": "b", "x": ' + begin * (levels - 1) + "1" + end * (levels - 1) + "}"


@pytest.mark.parametrize("kind", ["lists", "objects"])
@pytest.mark.parametrize(("levels", "whole"), [(200, True), (201, False), (500, False)])
def test_a_row_that_is_nested_too_deeply_is_damaged_and_the_others_are_read(
    tmp_path, kind, levels, whole
):
    """A model may say anything; Python would fail somewhere between 400 and 1000 levels."""
    first, last = '{"id": "a", "x": 1}', '{"id": "c", "x": [[2], [3]]}'
    rows = [first, nested(levels, kind), last]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    (tmp_path / "a.json").write_text(f"[{', '.join(rows)}]")
    for name in ("a.jsonl", "a.json"):
        (batch,) = files.open_source(tmp_path / name).batches(["id", "x"])
        assert batch.table["id"].to_pylist() == ["a", "b" if whole else None, "c"]
        assert batch.table["x"].to_pylist()[::2] == ["1", "[[2], [3]]"]
        assert batch.bad == ({} if whole else {1: "nested deeper than 200 levels"})
        assert batch.at == ({} if whole else {1: 2})


def test_rows_beyond_what_python_nests_are_damaged_too(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a"}\n' + "[" * 100_000 + "\n" + '{"id": "c"}\n')
    (batch,) = files.open_source(tmp_path / "a.jsonl").batches(["id"])
    assert batch.table["id"].to_pylist() == ["a", None, "c"]
    assert batch.bad[1].startswith("not JSON: ")
    with pytest.raises(FileError, match=r"a.jsonl: line 2 is not JSON: "):
        files.read_table(tmp_path / "a.jsonl")


def test_brackets_within_a_text_and_beside_each_other_nest_nothing(tmp_path):
    wide = {"id": "a", "x": [[]] * 300, "y": "[{" * 300}
    (tmp_path / "a.jsonl").write_text(json.dumps(wide))
    (tmp_path / "a.json").write_text(json.dumps([wide]))
    (tmp_path / "b.json").write_text(json.dumps(wide))
    for name in ("a.jsonl", "a.json", "b.json"):
        (batch,) = files.open_source(tmp_path / name).batches()
        assert batch.bad == {}
        assert batch.table["y"].to_pylist() == [wide["y"]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (nested(201, "objects"), "line 1 is nested deeper than 200 levels"),
        (nested(500, "lists"), "line 1 is nested deeper than 200 levels"),
        ('{"x": ' + "[" * 100_000, "line 1 is not JSON: "),
        ("[" * 100_000, "the array breaks off or is not JSON: "),
    ],
    ids=["objects", "lists", "an object without end", "a list without end"],
)
def test_a_file_of_json_that_is_nested_too_deeply_is_told(tmp_path, text, told):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(FileError, match=f"a.json: {told}"):
        files.open_source(tmp_path / "a.json").kinds()


HALF = r'"caf\u00e9 \uD83D\uDE00 \uD83D"'  # of an emoji, and of half of one


def test_half_a_letter_is_a_question_mark():
    """Titles are cut by their length in UTF-16."""
    assert files.json_of(HALF) == "café 😀 ?"
    assert files.json_of(HALF.lower().encode()) == "café 😀 ?"
    assert files.json_of(r'{"\udfff": [{"a": "\udc00"}, 1.5, null], "\ue000": 2}') == {
        "?": [{"a": "?"}, 1.5, None], "\ue000": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "feature",
    [
        {"geometry": 5},
        {"geometry": [1]},
        {"properties": [1]},
        {"properties": "x"},
        {"properties": 5},
    ],
    ids=repr,
)  # fmt: skip
def test_a_feature_whose_parts_are_of_another_kind_has_no_place(tmp_path, feature):
    path = tmp_path / "a.geojson"
    point = {"properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [2, 1]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature, point]}))
    none = dict.fromkeys(("geometry.lat", "geometry.lon", "n"))
    assert files.read_table(path).to_pylist() == [
        none, {"geometry.lat": "1", "geometry.lon": "2", "n": "1"}
    ]  # fmt: skip


def test_half_a_letter_in_a_feature_hinders_no_other(tmp_path):
    features = '[{"properties": {"t": ' + HALF + '}}, {"id": 1}]'
    (tmp_path / "a.geojson").write_text('{"features": ' + features + "}")
    found = files.read_table(tmp_path / "a.geojson", ["t"])
    assert found["t"].to_pylist() == ["café 😀 ?", None]


def test_an_object_of_as_many_levels_as_may_be_is_a_row(tmp_path):
    (tmp_path / "a.json").write_text(nested(200, "objects"))
    assert files.read_table(tmp_path / "a.json")["id"].to_pylist() == ["b"]
