"""What ``data.table`` names, version by version and word by word (georl.data.sources)."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables
from georl import data
from georl.config import DataConfig, load
from georl.data import DataError, sources


def refused(call, *given):
    with pytest.raises(DataError) as error:
        call(*given)
    return str(error.value)


def test_a_source_is_refused_in_these_words(tmp_path):
    lake = tmp_path / "lake"
    for name in ("b", "a"):
        tables.append(lake / name, pa.table({"photo_id": ["x"]}))
    (tmp_path / "r.json").write_text("[]")
    (tmp_path / "p.csv").write_text("id,lat\n")

    def of(table, **more):
        return refused(sources.open_source, DataConfig(table=str(table), **more))

    assert of(lake) == f"{lake} is a lake; name one of its tables, a, b: data.table={lake / 'a'}"
    assert of(f"{lake / 'a'}@3") == (
        f"{lake / 'a'}@3 is not there; write data.table={lake / 'a'} data.version=3"
    )
    assert ": there is no such file or folder; " in of(f"{lake / 'a'}@x@3")
    for name in ("none.csv", "none@3", "no\0name"):
        assert of(tmp_path / name) == (
            f"{tmp_path / name}: there is no such file or folder; data.table is 'world', a CSV, "
            "TSV, JSONL or Parquet file, a folder of such files, or the folder of a table in a lake"
        )
    versioned = (
        f"data.version is '2', but {tmp_path / 'p.csv'} is no table of a lake, and only those have "
        "versions; set data.version=null, or data.table to the folder of a table"
    )
    assert of(tmp_path / "p.csv", version="2") == versioned
    run = load(None, [f"data.table={tmp_path / 'p.csv'}", "data.version=2"])
    assert refused(data.pinned, run) == versioned
    for more in ({"split": "a"}, {"where": "lat > 0"}):
        assert of(tmp_path / "r.json", **more) == (
            f"{tmp_path / 'r.json'} holds records without columns to choose by; leave data.split "
            "and data.where out, and choose when the records are written (geodata records --split)"
        )
    assert of(tmp_path / "p.csv", where="nothing > 1").endswith(" (data.split, data.where)")


def test_a_run_is_pinned_to_the_number_behind_a_tag(tmp_path, monkeypatch):
    table = tmp_path / "lake" / "a"
    tables.append(table, pa.table({"photo_id": ["x"]}))
    tables.append(table, pa.table({"photo_id": ["y"]}))
    tables.tag(table, "old", 0)
    for given, number in (("data.version=old", "0"), ("data.version=0", "0"), ("seed=3", "1")):
        run = load(None, [f"data.table={table}", "data.limit=5", given])
        found = data.pinned(run)
        assert found.data.version == number
        assert (found.data.limit, found.seed) == (5, run.seed)
    run = load(None, [])
    assert data.pinned(run) is run
    monkeypatch.chdir(tmp_path)
    tables.append(Path("world"), pa.table({"photo_id": ["x"]}))  # a folder of that name
    assert data.pinned(run) is run
    opened = sources.open_source(DataConfig(table=str(table), version="old"))
    assert (opened.label, opened.version.version) == (f"{table}@0", 0)
    assert [t["photo_id"].to_pylist() for t in opened.batches(["photo_id"], 9)] == [["x"]]


def test_rows_of_a_choice_are_those_over_files_and_batches(tmp_path):
    """Three files of five rows; one has none that is wanted."""
    for name, start in (("a", 0), ("b", 5), ("c", 10)):
        rows = "".join(f"{i},{'no' if 5 <= i < 10 else i % 2}\n" for i in range(start, start + 5))
        (tmp_path / f"{name}.csv").write_text("id,kind\n" + rows)
    opened = sources.open_source(DataConfig(table=str(tmp_path), where="kind = '1'"))
    assert opened.schema == pa.schema([("id", pa.string()), ("kind", pa.string())])
    found = [table["id"].to_pylist() for table in opened.batches(["id"], 3)]
    assert [i for part in found for i in part] == ["1", "3", "11", "13"]
    assert all(found)
    assert opened.keep.tolist() == [i in (1, 3, 11, 13) for i in range(15)]
    every = sources.open_source(DataConfig(table=str(tmp_path)))
    parts = [*every.batches(["kind", "id"], 3)]
    assert [table.column_names for table in parts] == [["kind", "id"]] * len(parts)
    assert [i for table in parts for i in table["id"].to_pylist()] == [str(i) for i in range(15)]


def test_rows_of_a_choice_are_read_so_many_at_a_time(tmp_path):
    """Nine rows four at a time; the second part has none that is wanted."""
    table = pa.table({"id": list("abcdefghi"), "kind": [0, 1, 1, 0, 0, 0, 0, 0, 1]})
    pq.write_table(table, tmp_path / "t.parquet")
    whole = sources.open_source(DataConfig(table=str(tmp_path / "t.parquet")))
    assert [part.num_rows for part in whole.batches(["id"], 4)] == [4, 4, 1]
    chosen = sources.open_source(DataConfig(table=str(tmp_path / "t.parquet"), where="kind = 1"))
    assert [part["id"].to_pylist() for part in chosen.batches(["id"], 4)] == [["b", "c"], ["i"]]


def test_a_stamp_is_of_path_size_and_time(tmp_path):
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    for path in paths:
        path.write_text("id\n1\n")
    opened = sources.open_source(DataConfig(table=str(tmp_path)))
    assert json.loads(opened.stamp()) == [
        [str(path.resolve()), 5, path.stat().st_mtime_ns] for path in paths
    ]
    before = opened.stamp()
    os.utime(paths[1], ns=(0, 10**18))
    assert opened.stamp() != before
    turns = [{"from": "human", "value": "<image>?"}, {"from": "gpt", "value": "x"}]
    chats = tmp_path / "r.json"
    chats.write_text(json.dumps([{"id": "a", "image": "a.jpg", "conversations": turns}]))
    opened = sources.open_source(DataConfig(table=str(chats)))
    assert [row[0] for row in json.loads(opened.stamp())] == [str(chats.resolve())]
    table = tmp_path / "lake" / "t"
    tables.append(table, pa.table({"photo_id": ["x"]}))
    opened = sources.open_source(DataConfig(table=str(table)))
    names = [row[0] for row in json.loads(opened.stamp())]
    assert names == [str(path.resolve()) for path in tables.open(table).files]


def test_records_of_others_are_read_so_many_at_a_time(tmp_path):
    """Only the second has coordinates."""
    turns = [{"from": "human", "value": "<image>?"}, {"from": "gpt", "value": "x"}]
    rows = [{"id": name, "image": f"{name}.jpg", "conversations": turns} for name in "abc"]
    rows[1] |= {"lat": 1.5, "lon": 2.5}
    path = tmp_path / "r.json"
    path.write_text(json.dumps(rows))
    opened = sources.open_source(DataConfig(table=str(path)))
    assert {"photo_id", "lat", "lon"} <= {*opened.schema.names}
    assert [part.num_rows for part in opened.batches(["lat"], 2)] == [2, 1]
    (whole,) = opened.batches(["lat", "photo_id"], 9)
    assert whole.to_pydict() == {"lat": [None, 1.5, None], "photo_id": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("table", "root", "home"),
    [("lake", ".", "lake"), ("lake/t", ".", "lake"), ("lake/p.csv", ".", "lake"),
     ("p.csv", ".", "."), ("lake/t", "elsewhere", None), ("lake", "./", "lake")],
)  # fmt: skip
def test_where_relative_images_start_from(tmp_path, monkeypatch, table, root, home):
    monkeypatch.chdir(tmp_path)
    tables.append(Path("lake/t"), pa.table({"photo_id": ["x"]}))
    found = sources.home_of(DataConfig(table=table, image_root=root))
    if (table, root) == ("lake", "./"):
        assert found is None  # it was named
    else:
        assert found == (None if home is None else Path(home))


@pytest.mark.parametrize("name", ["r.jsonl", "r.ndjson", "R.JSONL", "R.NDJSON", "r.json"])
def test_records_of_others_are_known_in_a_file_of_any_of_their_endings(tmp_path, name):
    turns = [{"from": "human", "value": "<image>\nWhere?"}, {"from": "gpt", "value": "Here."}]
    record = {"id": "a", "image": "a.jpg", "conversations": turns}
    (tmp_path / name).write_text(json.dumps([record] if name == "r.json" else record) + "\n")
    opened = sources.open_source(DataConfig(table=str(tmp_path / name)))
    assert (opened.llava, opened.rows) == (tmp_path / name, None)
    assert "messages" in opened.schema.names
    if name != "r.json":
        (tmp_path / name).write_text('{"id": "a", "image": "a.jpg"}\n')
        assert sources.open_source(DataConfig(table=str(tmp_path / name))).llava is None


def test_a_pattern_stands_for_the_files_that_fit_it(tmp_path):
    for name in ("a1.csv", "a2.csv", "b1.csv"):
        (tmp_path / name).write_text(f"id,lat,lon\n{name},1,2\n")
    opened = sources.open_source(DataConfig(table=str(tmp_path / "a*.csv")))
    assert [t["id"].to_pylist() for t in opened.batches(["id"], 9)] == [["a1.csv"], ["a2.csv"]]
    assert sources.home_of(DataConfig(table=str(tmp_path / "a*.csv"))) == tmp_path
    assert "c*.csv" in refused(sources.open_source, DataConfig(table=str(tmp_path / "c*.csv")))
