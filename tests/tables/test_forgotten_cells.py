"""Where an id may stand in a file that lies in a lake: in cells, lists, records, dictionaries.

The ids are short: in a table they are looked for in cells only, not in the bytes of the file.
"""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables
from geodata.tables.upkeep import forgetting

TEXTS = ["a", "x1", None, "b"]
PAIRS = pa.map_(pa.string(), pa.string())
CELLS = {
    "text": pa.array(TEXTS),
    "padded": pa.array(["a", " x1\t"]),
    "large": pa.array(TEXTS, pa.large_string()),
    "view": pa.array(TEXTS, pa.string_view()),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "list": pa.array([["a"], None, [], ["b", "x1"]]),
    "large list": pa.array([["a", "x1"]], pa.large_list(pa.string())),
    "fixed list": pa.array([["a", "x1"]], pa.list_(pa.string(), 2)),
    "record": pa.array([{"k": "a"}, {"k": "x1"}, None]),
    "key of a map": pa.array([[("x1", "a")]], PAIRS),
    "item of a map": pa.array([[("a", "x1")]], PAIRS),
    "chat": pa.array([[{"role": "user", "content": [{"text": "x1"}]}]]),
    "words of a list": pa.array([["a"], ["x1"]], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_an_id_is_found_in_cells_of_every_kind(tmp_path, cells):
    pq.write_table(pa.table({"n": range(len(cells)), "c": cells}), tmp_path / "a.parquet")
    assert forgetting._holds(tmp_path / "a.parquet", ["y", "x1"])
    for other in ("x", "1", "X1", "k", "n"):
        assert not forgetting._holds(tmp_path / "a.parquet", [other])


@pytest.mark.parametrize(
    ("name", "held"), [("photo_id", True), ("IMG_ID", True), ("n", False), ("population", False)]
)
def test_a_number_is_an_id_in_a_column_of_ids(tmp_path, name, held):
    """Elsewhere a small number would be everywhere."""
    pq.write_table(pa.table({name: [6, 7, None]}), tmp_path / "a.parquet")
    assert forgetting._holds(tmp_path / "a.parquet", ["7"]) == held
    assert not forgetting._holds(tmp_path / "a.parquet", ["8"])


def test_a_copy_that_holds_an_id_in_a_list_is_removed(tmp_path):
    lake = tmp_path / "lake"
    tables.append(lake / "t", pa.table({"photo_id": ["x1", "y1"]}))
    (lake / "_inputs").mkdir()
    for name, value in (("a", "x1"), ("b", "y1")):
        pq.write_table(pa.table({"images": [[value]]}), lake / "_inputs" / f"{name}.parquet")
    pq.write_table(pa.table({"images": [["x1"]]}), lake / "export.parquet")
    found = tables.forget(lake, ["x1"])
    assert (found.inputs, found.holding) == (("_inputs/a.parquet",), ("export.parquet",))
    assert [path.name for path in (lake / "_inputs").iterdir()] == ["b.parquet"]


def test_where_nobody_is_found_no_file_is_written(tmp_path):
    """Also where the Delta library wrote the log, which has its own way to write JSON."""
    lake = tmp_path / "lake"
    for name in ("t", "u"):
        tables.write(lake / name, pa.table({"photo_id": ["é1", "y1"]}), {"city": "Zürich"})
        tables.append(lake / name, pa.table({"photo_id": ["z1"], "new": [1]}))
        tables.compact(lake / name)

    def state():
        files = (path for path in lake.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}

    before = state()
    found = tables.forget(lake, ["never-there"])
    assert (dict(found.rows), found.missing, found.holding) == ({}, ("never-there",), ())
    assert state() == before
    tables.forget(lake / "t", ["z1"])
    after = state()
    assert {path: told for path, told in after.items() if lake / "u" in path.parents} == {
        path: told for path, told in before.items() if lake / "u" in path.parents
    }
