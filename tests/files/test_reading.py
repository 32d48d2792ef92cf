"""One way in: every format says the same rows, ids stay as written, damage is kept or told."""

import bz2
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from geodata import cor, evaluation, files, photos, query, tables
from geodata.files import FileError

IDS = ["1e3", "1000", "007", "12345678901234567890123", "x,y", 'a "b"', "渋谷"]


def rows_of(source, **options):
    return pa.concat_tables([b.table for b in files.open_source(source).batches(**options)])


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


# --- the faults that two readers and three finders made ---------------------------------------


@pytest.mark.parametrize("out", ["csv", "tsv", "parquet", "jsonl"])
def test_ids_of_json_stay_as_written_in_labels(tmp_path, out):
    source = tmp_path / "in.jsonl"
    ids = ["1e3", "1000", "12345678901234567890123", "1.50"]
    lines = [f'{{"id": {i}, "lat": 48.8584, "lon": 2.2945}}\n' for i in ids]
    source.write_text("".join(lines))
    cor.label_file(source, tmp_path / f"out.{out}")
    assert files.read_table(tmp_path / f"out.{out}")["id"].to_pylist() == ids


def test_ids_of_json_stay_as_written_in_sql(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": 1e3, "n": 7}\n{"id": 1000, "n": 8}\n{"id": 12345678901234567890123}\n')
    found = query.run("SELECT id, n FROM p", files=[path])
    assert found["id"].to_pylist() == ["1e3", "1000", "12345678901234567890123"]
    assert found["n"].to_pylist() == [7, 8, None]
    assert found.schema.field("n").type == pa.int64()


@pytest.mark.parametrize("out", ["csv", "parquet", "jsonl"])
def test_a_key_that_comes_late_is_in_the_labelled_file(tmp_path, out):
    late = files.BATCH_ROWS + 5
    rows = [{"id": str(i), "lat": 1, "lon": 2} for i in range(late)]
    source = write_jsonl(tmp_path / "in.jsonl", [*rows, {"id": "z", "lat": 3, "lon": 4, "new": 5}])
    report = cor.label_file(source, tmp_path / f"out.{out}")
    assert report.rows == late + 1
    found = files.read_table(tmp_path / f"out.{out}", ["id", "new"])
    assert found.num_rows == late + 1
    assert str(found["new"][late]) == "5"
    assert found["new"].null_count == late


@pytest.mark.parametrize("name", ["{}_pred", "prediction.{}", "{} (deg)", "gt_{}", "GPS-{}", "{}"])
@pytest.mark.parametrize("word", [("lat", "lon"), ("Latitude", "Longitude")])
def test_one_vocabulary_for_coordinates_everywhere(tmp_path, name, word):
    lat, lon = (name.format(one) for one in word)
    source = tmp_path / "p.csv"
    source.write_text(f"id,{lat},{lon}\na,48.8584,2.2945\n")
    cor.label_file(source, tmp_path / "labelled.csv")
    assert files.read_table(tmp_path / "labelled.csv")["country_code"].to_pylist() == ["FR"]
    assert cor.label_table(pa.table({lat: [48.8584], lon: [2.2945]}))["city"][0].as_py() == "Paris"
    (photo,) = next(iter(photos.read(source))).to_pylist()
    assert (photo["photo_id"], photo["lat"], photo["status"]) == ("a", 48.8584, "ok")
    truth = {"id": ["a"], "lat": [48.8584], "lon": [2.2945]}
    if not name.startswith("gt_"):
        assert evaluation.evaluate(source, truth).accuracy[1] == 1.0


def test_a_nested_pair_is_found_in_parquet_and_its_columns_stay(tmp_path):
    table = pa.table({"id": ["a"], "prediction": [{"lat": 48.8584, "lon": 2.2945}]})
    pq.write_table(table, tmp_path / "p.parquet")
    cor.label_file(tmp_path / "p.parquet", tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(["id", "prediction"]).equals(table)
    assert found["city"].to_pylist() == ["Paris"]


# --- formats ---------------------------------------------------------------------------------


def written(folder, kind, table):
    """Write a table as another program would."""
    path = folder / f"rows.{kind}"
    rows = table.to_pylist()
    whole = {
        "jsonl": lambda: "".join(json.dumps(r) + "\n" for r in rows).encode(),
        "json": lambda: json.dumps(rows, indent=2).encode(),
        "csv": lambda: csv_bytes(table, ","),
        "tsv": lambda: csv_bytes(table, "\t"),
        "semicolon.csv": lambda: csv_bytes(table, ";"),
        "bar.csv": lambda: csv_bytes(table, "|"),
    }
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind.startswith("utf16"):
        path = folder / "rows.csv"
        path.write_bytes(csv_bytes(table, ",").decode().encode(kind.replace("utf16", "utf-16")))
    else:
        inner, _, packing = kind.rpartition(".")
        packers = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstd}
        data = whole[inner if packing in packers else kind]()
        path.write_bytes(packers[packing](data) if packing in packers else data)
    return path


def zstd(data):
    return bytes(pa.Codec("zstd").compress(data))


def csv_bytes(table, delimiter):
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink, pacsv.WriteOptions(delimiter=delimiter))
    return sink.getvalue().to_pybytes()


TABLE = pa.table(
    {
        "id": IDS,
        "lat": ["48.85", "-1", None, "0.5", "1e1", "90", "3"],
        "lon": ["2.29", "180", "5", None, "-0.0", "0", "4"],
        "note": ["a, b", "two\nlines", None, "x;y", "1|2", "\t", "ü"],
    }
)
KINDS = [
    *("csv", "tsv", "parquet", "jsonl", "json", "semicolon.csv", "bar.csv", "utf16", "utf16-le"),
    *("csv.gz", "tsv.bz2", "jsonl.zst", "json.gz"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_the_same_rows(tmp_path, kind):
    path = written(tmp_path, kind, TABLE)
    assert rows_of(path).to_pylist() == TABLE.to_pylist()
    assert files.read_table(path).to_pylist() == TABLE.to_pylist()
    report = cor.label_file(path, tmp_path / "out.csv")
    assert (report.rows, report.matches["invalid"]) == (7, 2)
    assert files.read_table(tmp_path / "out.csv").select(TABLE.column_names).equals(TABLE)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_folder_and_a_pattern_are_their_files_in_order(tmp_path, kind):
    for i in range(3):
        (tmp_path / "a" / f"part-{i}").mkdir(parents=True)
        written(tmp_path / "a" / f"part-{i}", kind, TABLE.slice(2 * i, 2))
    (tmp_path / "a" / "_log").mkdir()
    (tmp_path / "a" / "_log" / "other.csv").write_text("x\n1\n")
    for source in (tmp_path / "a", tmp_path / "a" / "*" / f"*.{kind}"):
        assert rows_of(source).to_pylist() == TABLE.slice(0, 6).to_pylist()
    assert files.open_source(tmp_path / "a").identity()["files"] == 3


def test_shards_that_differ_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat\n1,2\n")
    (tmp_path / "b.csv").write_text("id\n1\n")
    with pytest.raises(FileError, match=r"b\.csv has no column 'lat', which .*a\.csv has"):
        files.open_source(tmp_path)
    with pytest.raises(FileError, match="no file has a name of this pattern"):
        files.open_source(tmp_path / "*.parquet")


def test_a_table_of_a_lake_is_a_source_by_its_name(tmp_path):
    first, second = TABLE.slice(0, 3), TABLE.slice(3)
    tables.append(tmp_path / "photos", first)
    tables.append(tmp_path / "photos", second)
    assert tables.open_rows(tmp_path / "photos").rows == 7
    old = tables.open_rows(f"{tmp_path}/photos@0")
    assert pa.concat_tables([b.table for b in old.batches()]).to_pylist() == first.to_pylist()
    assert cor.label_file(f"{tmp_path}/photos@0", tmp_path / "out.parquet").rows == 3
    good = first.slice(0, 2)
    assert evaluation.evaluate(f"{tmp_path}/photos@0", good).accuracy[1] == 1.0


def test_a_comma_is_a_decimal_point_only_between_semicolons(tmp_path):
    (tmp_path / "de.csv").write_text("id;Breite;lat;lon;tags\n1;x;48,85;-2,5;1,2\n")
    row = rows_of(tmp_path / "de.csv").to_pylist()[0]
    assert (row["lat"], row["lon"], row["tags"]) == ("48.85", "-2.5", "1,2")
    (tmp_path / "us.csv").write_text('id,lat,lon\n1,"48,85",2\n')
    assert rows_of(tmp_path / "us.csv")["lat"].to_pylist() == ["48,85"]


def test_a_comma_in_the_header_wins_where_it_fits(tmp_path):
    (tmp_path / "a.csv").write_text("id,lat;deg;wgs,lon\n1,2,3\n")
    assert files.open_source(tmp_path / "a.csv").columns == ("id", "lat;deg;wgs", "lon")
    (tmp_path / "b.csv").write_text("id;lat, deg;lon\n1;2;3\n")
    assert files.open_source(tmp_path / "b.csv").columns == ("id", "lat, deg", "lon")


# --- damage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "line", "verb"),
    [
        ("a.csv", "id,lat\na,1\nb\nc,3\n", 3, "has 1 fields, the header has 2"),
        (
            "a.jsonl",
            '{"id": "a", "lat": 1}\n\n[1]\n{"id": "c", "lat": 3}\n',
            3,
            "is list, expected",
        ),
        ("a.jsonl", '{"id": "a", "lat": 1}\n{"id":\n{"id": "c", "lat": 3}\n', 2, "is not JSON"),
        ("a.json", '[{"id": "a", "lat": 1}, 7, {"id": "c", "lat": 3}]', 2, "is number, expected"),
    ],
)
def test_damage_is_kept_at_its_place_or_refused_with_its_line(tmp_path, name, text, line, verb):
    path = tmp_path / name
    path.write_text(text)
    (batch,) = files.open_source(path).batches(["id", "lat"])
    assert batch.table["lat"].to_pylist() == ["1", None, "3"]
    assert list(batch.bad) == [1]
    with pytest.raises(FileError, match=f"line {line} {verb}"):
        list(files.open_source(path).batches(damaged="refuse"))
    with pytest.raises(FileError, match=f"line {line} {verb}"):
        files.read_table(path)


def test_an_array_that_breaks_off_is_told(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"id": "a"}, {"id": "b"')
    with pytest.raises(FileError, match="the array breaks off"):
        rows_of(path)


def test_json_by_its_name_may_be_lines(tmp_path):
    (tmp_path / "a.json").write_text('{"id": "a"}\n{"id": "b"}\n')
    assert rows_of(tmp_path / "a.json")["id"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_elements_of_an_array_across_chunks(tmp_path, size, monkeypatch):
    from geodata.files.readers import jsonrows

    monkeypatch.setattr(jsonrows, "_CHUNK_CHARS", size)
    rows = [{"id": str(i), "n": i * 1000, "s": "[,]{}" * i} for i in range(20)]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    found = rows_of(tmp_path / "a.json")
    assert found["n"].to_pylist() == [str(row["n"]) for row in rows]
    assert found["s"].to_pylist() == [row["s"] for row in rows]


# --- JSON as written ---------------------------------------------------------------------------

leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), value), min_size=1, max_size=6))
def test_labelling_json_lines_keeps_every_object(tmp_path_factory, rows):
    """An independent reader, Python's own, finds in the output what it finds in the input."""
    folder = tmp_path_factory.mktemp("json")
    rows = [{**row, "lat": 48.8584, "lon": 2.2945} for row in rows]
    source = write_jsonl(folder / "in.jsonl", rows)
    cor.label_file(source, folder / "out.jsonl")
    lines = (folder / "out.jsonl").read_text(encoding="utf-8").split("\n")
    found = [json.loads(line) for line in lines if line]
    assert [{k: v for k, v in row.items() if k in "abcd"} for row in found] == [
        {k: v for k, v in row.items() if k in "abcd"} for row in rows
    ]
    assert {row["city"] for row in found} == {"Paris"}


@settings(max_examples=200, deadline=None)
@given(st.lists(value, min_size=1, max_size=5))
def test_values_of_json_come_as_they_are_written(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("json")
    source = write_jsonl(folder / "in.jsonl", [{"v": v} for v in values if not isinstance(v, dict)])
    if not source.stat().st_size:
        return
    texts = rows_of(source, columns=["v"])["v"].to_pylist()
    kept = [v for v in values if not isinstance(v, dict)]
    for text, one in zip(texts, kept, strict=True):
        if one is None or isinstance(one, str):
            assert text == (one and one.encode("utf-8", "replace").decode())
        else:
            assert json.loads(text) == one


def test_numbers_of_json_get_types_in_parquet_but_ids_do_not(tmp_path):
    rows = [{"id": 7, "views": 3, "score": 1, "ok": True, "tag": "1", "lat": 1, "lon": 2}]
    rows += [{"id": 8, "views": None, "score": 0.5, "ok": False, "lat": 1.5, "lon": 2}]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    cor.label_file(source, tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    types = {name: str(found.schema.field(name).type) for name in found.column_names[:7]}
    assert types == {
        "id": "string", "views": "int64", "score": "double", "ok": "bool", "tag": "string",
        "lat": "double", "lon": "double",
    }  # fmt: skip
    assert found["score"].to_pylist() == [1.0, 0.5]


def test_numbers_of_unknown_size_are_not_rounded(tmp_path):
    big = 12345678901234567890123
    source = write_jsonl(tmp_path / "in.jsonl", [{"n": big, "lat": 1, "lon": 2}])
    cor.label_file(source, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["n"].to_pylist() == [str(big)]


# --- names -------------------------------------------------------------------------------------


def test_one_of_a_pair_is_enough_to_name(tmp_path):
    names = ["id", "breite", "lon", "lat_pred", "lon_pred"]
    assert files.coordinate_columns(names, lat="breite") == ("breite", "lon")
    assert files.coordinate_columns(names, lat="lat_pred") == ("lat_pred", "lon_pred")
    assert files.coordinate_columns(names, lon="lon_pred") == ("lat_pred", "lon_pred")
    with pytest.raises(FileError, match="no column 'x' for lat"):
        files.coordinate_columns(names, lat="x")
    with pytest.raises(FileError, match="found no longitude column among id, lat"):
        files.coordinate_columns(["id", "lat"])


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["lat", "lon", "lat_pred", "lon_pred"], ("lat", "lon")),
        (["gt_lat", "gt_lon", "pred_lat", "pred_lon"], ("gt_lat", "gt_lon")),
        (["pred_lat", "pred_lon"], ("pred_lat", "pred_lon")),
        (["y", "x"], ("y", "x")),
    ],
)
def test_which_pair_counts(names, pair):
    assert files.coordinate_columns(names) == pair


def test_unit_vectors_are_no_degrees():
    with pytest.raises(FileError, match="found no latitude column"):
        files.coordinate_columns(["x", "y", "z"])


def test_sources_in_memory_and_on_disk_say_the_same(tmp_path):
    rng = np.random.default_rng(0)
    n = files.BATCH_ROWS + 17
    table = pa.table({"id": np.arange(n), "lat": rng.uniform(-90, 90, n)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1000)
    for source in (table, table.to_pandas(), tmp_path / "a.parquet"):
        assert rows_of(source).select(["id", "lat"]).equals(table)


def test_text_among_numbers_stays_text(tmp_path):
    rows = [{"v": 1, "w": 1, "lat": 1, "lon": 2}, {"v": "a", "w": True, "lat": 1, "lon": 2}]
    cor.label_file(write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["v"].to_pylist() == ["1", "a"]
    assert found["w"].to_pylist() == ["1", "true"]


def test_a_number_at_the_end_of_a_chunk_goes_on(tmp_path, monkeypatch):
    from geodata.files.readers import jsonrows

    monkeypatch.setattr(jsonrows, "_CHUNK_CHARS", 4)
    (tmp_path / "a.json").write_text('[{"id": 1}, 12345678, 87654321, 1]')
    (batch,) = files.open_source(tmp_path / "a.json").batches(["id"])
    assert batch.table["id"].to_pylist() == ["1", None, None, None]
    assert sorted(batch.bad) == [1, 2, 3]


def test_a_column_that_labels_replace_is_not_there_twice(tmp_path):
    rows = [{"id": "a", "country": "nowhere", "lat": 48.8584, "lon": 2.2945}]
    cor.label_file(write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    text = (tmp_path / "out.jsonl").read_text(encoding="utf-8")
    assert text.count('"country"') == 1
    assert json.loads(text)["country"] == "France"


def test_no_nan_in_json(tmp_path):
    table = pa.table({"id": ["a", "b"], "v": [float("nan"), float("inf")], "w": [1.5, None]})
    files.write_table(table, tmp_path / "a.jsonl")
    found = [json.loads(line, parse_constant=pytest.fail) for line in
             (tmp_path / "a.jsonl").read_text().splitlines()]  # fmt: skip
    assert [row["v"] for row in found] == [None, None]
    assert [row["w"] for row in found] == [1.5, None]


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "tsv", "parquet", "json.gz", "csv.zst"])
def test_what_is_written_is_read(tmp_path, rows, ending):
    table = TABLE.slice(0, rows)
    files.write_table(table, tmp_path / f"a.{ending}")
    if ending.startswith("json") and not rows:
        assert files.open_source(tmp_path / f"a.{ending}").columns == ()
        return
    assert files.read_table(tmp_path / f"a.{ending}").to_pylist() == table.to_pylist()


def test_small_batches_become_whole_row_groups(tmp_path):
    parts = [pa.table({"i": [i]}) for i in range(100)]
    files.write_tables(parts, tmp_path / "a.parquet", parts[0].schema, {"made": "by"})
    found = pq.ParquetFile(tmp_path / "a.parquet")
    assert found.metadata.num_row_groups == 1
    assert json.loads(found.schema_arrow.metadata[b"geodata"]) == {"made": "by"}


def test_a_key_that_comes_late_is_in_sql(tmp_path):
    rows = [{"id": str(i), "lat": 1} for i in range(500)] + [{"id": "z", "lat": 1, "new": "x"}]
    path = write_jsonl(tmp_path / "p.jsonl", rows)
    found = query.run("SELECT count(new) AS n FROM p", files=[path])
    assert found["n"].to_pylist() == [1]
