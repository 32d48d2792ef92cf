"""Labelling a file at its edges: what is counted, kept, replaced and written beside it."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import cor, files
from geodata.cor import files as module
from geodata.cor.files import describe, label_file_with
from geodata.cor.lines import without_keys


@pytest.fixture(scope="module")
def engine():
    return cor.labeller(None, "un", "own", 10.0)


@pytest.mark.parametrize(
    ("column", "beyond"),
    [
        (pa.array([90.0, -90.0, 0.0, None, float("nan")]), 0),
        (pa.array([90.5, -90.5, 360.0, -360.0, 89.0]), 4),
        (pa.array([360.5, -361.0, 1e9, float("inf")]), 0),
        (pa.array([91, -91, 90, 361], pa.int16()), 2),
        (pa.array(["91"]), 0),
        (pa.array([True]), 0),
        (pa.nulls(3), 0),
    ],
)
def test_latitudes_that_could_be_longitudes_are_counted(engine, tmp_path, column, beyond):
    rows = pa.table({"lat": column, "lon": pa.array([1.0] * len(column))})
    for ending in ("parquet", "jsonl"):
        report = label_file_with(engine, rows, tmp_path / f"out.{ending}")
        assert report.beyond_pole == (1 if column.type == pa.string() else beyond)
        assert (report.lat, report.lon, report.rows) == ("lat", "lon", len(column))


def test_what_made_a_file_lies_beside_it_or_in_it(engine, tmp_path):
    rows = {"lat": [48.85], "lon": [2.29]}
    for ending in ("csv", "tsv", "jsonl", "geojson"):
        report = label_file_with(engine, rows, tmp_path / f"out.{ending}")
        text = (tmp_path / f"out.{ending}.meta.json").read_text(encoding="utf-8")
        assert text == json.dumps(describe(engine), indent=2) + "\n"
        assert report.made_by == describe(engine)
    label_file_with(engine, rows, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet.meta.json").exists()
    schema = pq.read_schema(tmp_path / "out.parquet")
    assert json.loads(schema.metadata[b"geodata"]) == describe(engine)


def test_columns_of_parquet_are_packed_by_whether_values_repeat(engine, tmp_path):
    """Names are codes; coordinates and distances are plain; a user's own codes stay codes."""
    rows = pa.table(
        {
            "y": [48.85, 48.86] * 500,
            "x": [2.29, 2.3] * 500,
            "kind": pa.array(["a", "b"] * 500).dictionary_encode(),
        }
    )
    label_file_with(engine, rows, tmp_path / "out.parquet", lat="y", lon="x")
    file = pq.ParquetFile(tmp_path / "out.parquet")
    chunk = file.metadata.row_group(0)
    coded = {
        chunk.column(i).path_in_schema: chunk.column(i).has_dictionary_page
        for i in range(chunk.num_columns)
    }
    assert [name for name, is_coded in coded.items() if not is_coded] == [
        "y", "x", "city_distance_km", "disputed"
    ]  # fmt: skip
    assert file.schema_arrow.field("kind").type == rows.schema.field("kind").type
    assert file.schema_arrow.field("city").type == pa.string()
    assert pq.read_table(tmp_path / "out.parquet")["kind"].to_pylist() == ["a", "b"] * 500


LINE = '{"b":1, "a": {"deep": [1, 2.50]}, "lat":48.85,"lon": 2.29, "late": "é"}'


def test_lines_stay_as_they_are_written_unless_a_label_takes_a_place(engine, tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE + "\n", encoding="utf-8")
    report = label_file_with(engine, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert report.replaced == ()
    text = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert text.startswith(LINE[:-1])
    assert json.loads(text)["country_code"] == "FR"
    (tmp_path / "b.jsonl").write_text(LINE.replace('"b"', '"city"') + "\n", encoding="utf-8")
    report = label_file_with(engine, tmp_path / "b.jsonl", tmp_path / "out.jsonl")
    assert report.replaced == ("city",)
    text = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert text.startswith('{"a": {"deep": [1, 2.50]}, "lat":48.85, "lon": 2.29, "late": "é", "c')
    assert text.count('"city"') == 1
    assert json.loads(text)["city"] == "Paris"
    label_file_with(engine, tmp_path / "in.jsonl", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["b"].type == pa.int64()
    assert found["lat"].type == pa.float64()


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ('{"city": 1}', "{}"), ("{}", "{}"), (" { } ", "{}"), ('{"a":1}', '{"a":1}'),
        ('{"a" : 1 , "city":2,"b":[{"city":3}]}', '{"a" : 1, "b":[{"city":3}]}'),
        ('{"cit\\u0079": {"x": "}"}, "n": 1.50e5, "x": NaN}', '{"n": 1.50e5, "x": NaN}'),
        ('{"b":"\\"city\\": 1,", "match":null,"city":"," }', '{"b":"\\"city\\": 1,"}'),
        ('{"City":1,"CITY":2,"city":3,"Match":4}', '{"City":1, "CITY":2, "Match":4}'),
        ('{"big": ' + "9" * 5000 + ', "city": 1}', '{"big": ' + "9" * 5000 + "}"),
    ],
)  # fmt: skip
def test_keys_go_from_a_line_and_the_rest_stays_as_it_is_written(line, left):
    assert without_keys(line, ("city", "match")) == left


def test_lines_may_be_labelled_again(engine, tmp_path):
    """With an object in the place of a label, too; in Parquet that is a column of another name."""
    (tmp_path / "in.jsonl").write_text(LINE + "\n" + LINE + "\n", encoding="utf-8")
    first, again = tmp_path / "out.jsonl", tmp_path / "again.jsonl"
    label_file_with(engine, tmp_path / "in.jsonl", first)
    report = label_file_with(engine, first, again)
    assert report.replaced == tuple(
        name for name in cor.label_table([1.0], [1.0]).column_names if name not in ("lat", "lon")
    )
    text = again.read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == [
        json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()
    ]
    assert text.count('"a": {"deep": [1, 2.50]}') == text.count('"city"') == 2
    nested = tmp_path / "nested.jsonl"
    nested.write_text('{"city": {"name": "x"}, "lat": 48.85, "lon": 2.29}\n')
    assert label_file_with(engine, nested, first).replaced == ("city",)
    row = json.loads(first.read_text(encoding="utf-8"))
    assert (row["city"], list(row)[:3]) == ("Paris", ["lat", "lon", "country"])
    assert label_file_with(engine, nested, tmp_path / "out.parquet").replaced == ()
    assert pq.read_table(tmp_path / "out.parquet")["city.name"].to_pylist() == ["x"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl", "geojson"])
def test_keys_that_come_late_are_kept_and_replaced_like_others(engine, tmp_path, ending):
    """Of JSON only the first rows are looked at when it is opened; a label takes a late place."""
    rows = [{"lat": 48.85, "lon": 2.29}] * 300 + [{"lat": 1.0, "lon": -20.0, "n": "x", "city": "y"}]
    path, out = tmp_path / "in.jsonl", tmp_path / f"out.{ending}"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = label_file_with(engine, path, out)
    assert (report.rows, report.replaced) == (301, ("city",))
    if ending == "geojson":
        found = [one["properties"] for one in json.loads(out.read_bytes())["features"]]
    else:
        found = files.read_table(out).to_pylist()
    assert [row.get("n") for row in found] == [None] * 300 + ["x"]
    assert [row.get("city") for row in found] == ["Paris"] * 300 + [None]


def test_lines_become_features_with_numbers(engine, tmp_path):
    (tmp_path / "in.jsonl").write_text(LINE + "\n", encoding="utf-8")
    label_file_with(engine, tmp_path / "in.jsonl", tmp_path / "out.geojson")
    (feature,) = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.29, 48.85]}
    found = feature["properties"]
    assert (found["b"], found["late"], found["city"]) == (1, "é", "Paris")


@pytest.mark.parametrize("line", ['{"lat": 48, "lon": 2}', '{"lat": "48", "lon": "2"}'])
def test_coordinates_of_lines_are_floats_in_a_table_however_they_are_written(
    engine, tmp_path, line
):
    """Else the type would change from one file to the next, whole numbers here and not there."""
    (tmp_path / "in.jsonl").write_text(line + "\n")
    label_file_with(engine, tmp_path / "in.jsonl", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet", columns=["lat", "lon"])
    assert found.schema.types == [pa.float64(), pa.float64()]
    assert found.to_pylist() == [{"lat": 48.0, "lon": 2.0}]


def test_coordinates_inside_of_objects_are_read_there(engine, tmp_path):
    lines = '{"id": "a", "at": {"lat": 48.85, "lon": 2.29}}\n{"id": "b", "at": null}\n'
    (tmp_path / "in.jsonl").write_text(lines)
    for ending in ("parquet", "csv"):
        report = label_file_with(
            engine, tmp_path / "in.jsonl", tmp_path / f"out.{ending}", lat="at.lat", lon="at.lon"
        )
        assert report.matches == {"inside": 1, "nearest": 0, "none": 0, "invalid": 1}
    found = files.read_table(tmp_path / "out.csv")
    assert found["country_code"].to_pylist() == ["FR", None]


def test_batches_of_parquet_are_row_groups_and_of_text_are_smaller(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROW_GROUP", 5, raising=False)
    monkeypatch.setattr(files, "BATCH_ROWS", 3, raising=False)
    rows = {"lat": [1.0] * 7, "lon": [2.0] * 7}
    told = []

    def progress(done, of):
        told.append((done, of))

    label_file_with(engine, rows, tmp_path / "out.parquet", progress=progress)
    assert told == [(5, 7), (7, 7)]
    told.clear()
    label_file_with(engine, rows, tmp_path / "out.csv", progress=progress)
    assert told == [(3, 7), (6, 7), (7, 7)]


@pytest.mark.parametrize(("cores", "taken"), [(1, 2), (2, 3), (4, 5), (64, 5)])
def test_a_few_batches_are_worked_on_ahead_and_come_in_their_order(monkeypatch, cores, taken):
    """One more than there are workers, of which there are four at most."""
    monkeypatch.setattr(module, "_cores", lambda: cores)
    read = []

    def items():
        for i in range(20):
            read.append(i)
            yield i

    found = module._ahead(lambda i: i * i, items())
    assert next(found) == (0, 0)
    assert len(read) == taken
    assert list(found) == [(i, i * i) for i in range(1, 20)]
    assert list(module._ahead(str, [])) == []


def test_what_goes_wrong_in_a_batch_is_raised_in_its_turn():
    def work(i):
        if i == 3:
            raise ValueError(i)
        return i

    found = module._ahead(work, range(10))
    assert [next(found) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(ValueError, match="3"):
        next(found)


def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 7}, raising=False)
    assert module._cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert module._cores() == 12
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert module._cores() == 1
