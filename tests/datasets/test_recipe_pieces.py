"""The smaller recipes and their pieces: by hand, at values that are not the defaults."""

import tempfile

import h3
import numpy as np
import pyarrow as pa
import pytest

from geodata import coords, cor, datasets, photos, tables
from geodata.datasets.recipes import label, made_by
from geodata.datasets.recipes.parts_on_disk import PartsOnDisk
from tests.datasets.small_lake import rows


def held(lake, name):
    return tables.open(lake / name).arrow()["photo_id"].to_pylist()


# filter


def test_a_filter_counts_what_is_false_and_what_is_null(lake):
    table = rows(6, word=["a", None, "b", None, None, "a"])
    tables.write(lake / "labelled", table, file_rows=4)
    built = datasets.build("filter", lake, where="word = 'a'")
    assert built.report == {"rows_in": 6, "where_false": 1, "where_null": 3, "rows": 2}
    assert held(lake, "filter") == ["p0", "p5"]
    with pytest.raises(datasets.DatasetError, match=r"needs a condition: where=\"country_code = "):
        datasets.build("filter", lake)
    with pytest.raises(datasets.EmptyDatasetError, match=r"true for none of 6 rows: lat > 90$"):
        datasets.build("filter", lake, where="lat > 90")


# labelled


def order_of(code, cell):
    """Two letters of a country in 16 bits, then the 22 bits of a cell that tell it from others."""
    letters = 0xFFFF if code is None else int.from_bytes(code.encode()[:2].ljust(2, b"\0"), "big")
    return letters << 22 | (cell >> 30) % (1 << 22)


POINTS = [(48.9, 2.3), (-33.9, 151.2), (0.0, -179.9), (89.9, 0.0)]
CELLS = [h3.str_to_int(h3.latlng_to_cell(*p, 5)) for p in POINTS]


@pytest.mark.parametrize("stored", [None, "numbers", "texts"])
def test_rows_are_ordered_by_country_then_cell(stored):
    codes = ["FR", "A", "ABC", None]
    labels = pa.table({"country_code": pa.chunked_array([codes[:2], codes[2:]])})
    cells = [*CELLS[:3], 0]
    if stored == "numbers":
        cells = [CELLS[3], CELLS[0], 0, 0]
        labels = labels.append_column("h3_5", [[CELLS[3], CELLS[0], None, None]])
    if stored == "texts":
        labels = labels.append_column("h3_5", [["a", "b", "c", "d"]])
    lat, lon = (np.array([p[i] for p in POINTS]) for i in range(2))
    points = coords.Coordinates(lat, lon, np.array([True, True, True, False]))
    expected = [order_of(code, cell) for code, cell in zip(codes, cells, strict=True)]
    assert label._order_of(labels, points).tolist() == expected


def test_cells_of_one_country_keep_their_order():
    """What is cut off an H3 index of resolution 5 tells no two cells apart."""
    some = sorted(h3.str_to_int(c) for c in h3.cell_to_children(h3.latlng_to_cell(9, 9, 1), 5))
    lat, lon = (np.array([h3.cell_to_latlng(h3.int_to_str(c))[i] for c in some]) for i in range(2))
    points = coords.Coordinates(lat, lon, np.ones(len(some), bool))
    orders = label._order_of(pa.table({"country_code": ["NE"] * len(some)}), points).tolist()
    assert orders == sorted(set(orders))
    assert len(orders) == 7**4


def test_a_sample_takes_every_so_many_rows_of_each_batch(lake, monkeypatch):
    tables.write(lake / "labelled", rows(13), file_rows=5)
    monkeypatch.setattr(label, "_SAMPLE_ROWS", 4)
    source = tables.open_input(lake, "rows", "labelled")
    assert label._sample(source, 13).lat.tolist() == [0, 3, 5, 8, 10]
    assert label._sample(source, 3).lat.tolist() == list(range(13))
    tables.write(lake / "none", rows(3).slice(0, 0))
    nothing = label._sample(tables.open_input(lake, "rows", "none"), 0)
    assert [len(part) for part in nothing] == [0, 0, 0]


def test_buckets_end_at_quantiles_of_the_sample(monkeypatch):
    engine = cor.labeller("bundled", "un", "own", cor.MAX_OFFSET_KM)
    lat = np.array([48.9, 35.7, -33.9, 40.7, 19.4, 55.7, 52.5])
    lon = np.array([2.3, 139.7, 151.2, -74.0, -99.1, 37.6, 13.4])
    points = coords.arrays(lat, lon)
    order = np.sort(label._order_of(engine.table(points), points)).tolist()
    monkeypatch.setattr(label, "BUCKET_ROWS", 10)
    assert label._cuts(engine, points, 10).tolist() == []
    assert label._cuts(engine, points, 11).tolist() == [order[3]]
    assert label._cuts(engine, points, 31).tolist() == [order[1], order[3], order[5]]
    assert label._cuts(engine, coords.arrays(lat[:0], lon[:0]), 99).tolist() == []
    twice = coords.arrays(np.repeat(lat[:1], 9), np.repeat(lon[:1], 9))
    assert len(label._cuts(engine, twice, 99)) == 1  # equal cuts are one


def test_rows_go_into_the_bucket_that_their_order_begins():
    table = pa.table({"n": range(5), "match": ["inside", "none", "inside", "nearest", "inside"]})
    batch = label.Batch(table, np.array([5, 20, 9, 10, 10]))
    parts = {i: t["n"].to_pylist() for i, t in batch.buckets(np.array([3, 10, 15]))}
    assert parts == {1: [0, 2], 2: [3, 4], 3: [1]}
    assert batch.matches() == {"inside": 3, "none": 1, "nearest": 1}
    ((_, whole),) = batch.buckets(np.array([], np.int64))
    assert label.sorted_rows(whole)["n"].to_pylist() == [0, 2, 3, 4, 1]
    assert label.sorted_rows(whole).column_names == ["n", "match"]


def test_rows_that_are_equal_in_order_stay_as_they_came():
    order = [i * 7 % 5 for i in range(900)]
    table = pa.table({"n": range(900), "__order": order})
    assert label.sorted_rows(table)["n"].to_pylist() == sorted(range(900), key=order.__getitem__)


def test_labelled_by_hand(lake):
    table = rows(4).set_column(1, "lat", pa.array([48.9, 30.0, None, 47.9]))
    table = table.set_column(2, "lon", pa.array([2.3, -40.0, 2.3, -5.6]))
    tables.write(lake / "photos", table)
    built = datasets.build("labelled", lake, "named", max_offset_km=20.0)
    assert built.report["match"] == {"inside": 1, "nearest": 1, "none": 1, "invalid": 1}
    assert (built.report["rows_in"], built.report["rows"]) == (4, 4)
    codes = tables.open(lake / "named").arrow()["country_code"].to_pylist()
    assert codes == ["FR", "FR", None, None]
    nearer = datasets.build("labelled", lake, "named", max_offset_km=1.0)
    assert nearer.report["match"] == {"inside": 1, "nearest": 0, "none": 2, "invalid": 1}
    assert built.report["made_by"]["boundaries_sha256"]
    view = datasets.build("labelled", lake, "named", worldview="in", dependencies="sovereign")
    assert view.report["made_by"]["worldview"] == "in"
    assert view.report["made_by"]["dependencies"] == "sovereign"


def test_rows_are_sorted_on_the_disk_of_their_lake(lake, monkeypatch):
    """It has room for them: they are to be written there."""
    monkeypatch.setattr(tempfile, "tempdir", str(lake / "no such folder"))
    made = label.labelled({"rows": tables.open_input(lake, "rows", "labelled")}, 0)
    assert sum(batch.num_rows for batch in made.batches) == 8


# parts on disk


def test_parts_are_freed_when_they_are_taken_and_closed_when_left(tmp_path):
    parts = PartsOnDisk(3, tmp_path)
    with parts as same:
        assert same is parts
        assert len(parts) == 3
        parts.add(0, pa.table({"a": [1]}))
        parts.add(2, pa.table({"a": [2]}))
        open_ = list(parts._files)
        assert parts.take(0)["a"].to_pylist() == [1]
        assert open_[0].closed
        parts.add(0, pa.table({"a": [3]}))  # a part may be filled again
        assert parts.take(0)["a"].to_pylist() == [3]
    assert open_[2].closed


def test_parts_lie_packed_in_the_folder_that_is_given(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    with PartsOnDisk(1, tmp_path) as parts:
        parts.add(0, pa.table({"n": np.zeros(100_000, np.int64)}))
        assert parts._files[0].tell() < 100_000  # of 800,000 bytes
        assert parts.take(0).num_rows == 100_000


# exclude-benchmark


def clean(lake, bench, **asked):
    tables.write(lake / "bench", bench)
    built = datasets.build("exclude-benchmark", lake, inputs={"benchmark": "bench"}, **asked)
    return built.report, held(lake, "exclude_benchmark")


@pytest.fixture
def authors(lake):
    table = rows(6, author=["a", "b", None, "d", "e", "f"])
    tables.write(lake / "labelled", table, file_rows=4)
    return lake


BENCH = pa.table({"photo_id": ["p0", "x", "y"], "author": ["q", "b", None],
                  "lat": [70.0, 80.0, 3.0], "lon": [2.0] * 3})  # fmt: skip


def test_what_is_shared_by_each_rule(authors):
    report, kept = clean(authors, BENCH)
    assert kept == ["p2", "p4", "p5"]
    assert report == {
        "rows_in": 6, "benchmark_rows": 3, "dropped": 3, "rows": 3,
        "rows_that_share": {"photo_id": 1, "author": 1, "coordinate": 1, "radius": 1},
    }  # fmt: skip
    assert clean(authors, BENCH, by="author")[1] == ["p0", "p2", "p3", "p4", "p5"]
    assert clean(authors, BENCH, by=["coordinate", "photo_id"])[1] == ["p1", "p2", "p4", "p5"]
    report, kept = clean(authors, BENCH, by=" radius , author", radius_km=112.0)
    assert kept == ["p0", "p5"]
    assert report["rows_that_share"] == {"radius": 3, "author": 1}


def test_a_test_row_is_near_within_a_kilometre(authors):
    for off, dropped in ((0.0089, 1), (0.0095, 0)):  # 0.99 and 1.06 km
        bench = pa.table({"lat": [2.0 + off], "lon": [2.0]})
        assert clean(authors, bench, by="radius")[0]["dropped"] == dropped


def test_a_rule_whose_column_is_missing_is_not_applied(authors):
    report, kept = clean(authors, BENCH.select(["author"]))
    assert report["rows_that_share"] == {
        "photo_id": None, "author": 1, "coordinate": None, "radius": None,
    }  # fmt: skip
    assert kept == ["p0", "p2", "p3", "p4", "p5"]
    with pytest.raises(
        datasets.DatasetError,
        match=r"bench@1 shares no column with labelled@1 for "
        r"the rules photo_id; its columns are author",
    ):
        clean(authors, BENCH.select(["author"]), by="photo_id")


def test_a_test_set_without_rows_excludes_nothing_and_is_told(authors):
    for by in ("photo_id", ["author", "radius"]):
        with pytest.raises(datasets.DatasetError, match=r"^bench@[0-9] has no rows$"):
            clean(authors, BENCH.slice(0, 0), by=by)
    tables.write(authors / "labelled", rows(2).slice(0, 0))
    with pytest.raises(datasets.DatasetError, match=r"^labelled@[0-9] has no rows$"):
        clean(authors, BENCH)


def test_a_test_row_without_a_place_is_near_nothing(authors):
    bench = BENCH.set_column(2, "lat", pa.array([None, 91.0, 3.0]))
    report, _ = clean(authors, bench, by="radius", radius_km=300.0)
    assert report["rows_that_share"] == {"radius": 5}
    here = rows(2).set_column(1, "lat", pa.array([None, 3.0]))
    tables.write(authors / "labelled", here)
    assert clean(authors, bench, by=["radius"])[1] == ["p0"]


@pytest.mark.parametrize("by", ["", [], "photo_id,place", ["photo"]])
def test_rules_that_are_none(authors, by):
    with pytest.raises(datasets.DatasetError, match="must be some of photo_id, author, coordinate"):
        clean(authors, BENCH, by=by)


def test_a_radius_that_is_none(authors):
    with pytest.raises(ValueError, match="radius_km"):
        clean(authors, BENCH, by="photo_id", radius_km=-1.0)


def test_every_row_shares_something(authors):
    told = r"every row shares something with bench@0: \{'radius': 6\}"
    with pytest.raises(datasets.EmptyDatasetError, match=told):
        clean(authors, BENCH, by="radius", radius_km=9000.0)


def test_a_file_with_the_columns_of_photos_is_read_as_it_is(authors, tmp_path):
    import pyarrow.parquet as pq

    photo = next(photos.read({"id": ["p3"], "lat": [50.0], "lon": [2.0]}))
    pq.write_table(photo, tmp_path / "b.parquet")
    (tmp_path / "b.csv").write_text("id,lat,lon\np3,50,2\n")
    for name in ("b.parquet", "b.csv"):
        built = datasets.build("exclude-benchmark", authors, name[0] + name[2:5],
                               inputs={"benchmark": tmp_path / name})  # fmt: skip
        assert built.report["rows_that_share"]["photo_id"] == 1
        assert built.report["rows_that_share"]["coordinate"] == 0


def test_photographers_of_an_exported_table_are_those_that_the_lake_knows(tmp_path):
    """They are under its salt already: hashed once more they would be nobody."""
    import pyarrow.parquet as pq

    lake = tmp_path / "lake"
    table = {"id": ["p0", "p1", "p2"], "author": ["ann", "bob", None], "lat": [1.0, 2.0, 3.0],
             "lon": [5.0] * 3}  # fmt: skip
    photos.import_(table, lake / "photos")
    exported = tables.open(lake / "photos").arrow()
    other = exported.set_column(0, "photo_id", pa.array(["x", "y", "z"])).slice(1)
    assert exported.column_names[0] == "photo_id"
    pq.write_table(other, tmp_path / "b.parquet")
    (tmp_path / "b.csv").write_text("id,author,lat,lon\ny,bob,50,5\nz,,60,5\n")
    for name in ("b.parquet", "b.csv"):
        built = datasets.build("exclude-benchmark", lake, "clean", by="photo_id,author",
                               inputs={"rows": "photos", "benchmark": tmp_path / name})  # fmt: skip
        assert built.report["rows_that_share"] == {"photo_id": 0, "author": 1}
        assert held(lake, "clean") == ["p0", "p2"]
        assert "not_compared" not in built.report


# which set labelled


def noted(lake, name, note):
    tables.write(lake / name, rows(1, country_code=["FR"]), note=note)
    return tables.open(lake / name)


def came_from(name, version=0):
    return {"inputs": {"rows": {"table": name, "version": version}}}


def test_what_labelled_is_found_behind_other_recipes(lake):
    made = {"boundaries": "b", "boundaries_sha256": "1" * 64, "worldview": "un"}
    first = noted(lake, "a", {"report": {"made_by": made}})
    noted(lake, "b", came_from("a"))
    noted(lake, "b", came_from("b", 1))
    assert made_by.labelled_by(first) == made
    assert made_by.labelled_by(noted(lake, "c", came_from("b"))) == made
    assert made_by.labelled_by(noted(lake, "d", came_from("b", 1))) is None  # it names itself
    noted(lake, "b", came_from("a"))  # the third; the fourth comes from the first
    assert made_by.labelled_by(noted(lake, "b", came_from("b"))) == made
    noted(lake, "a", came_from("b", 3))
    assert made_by.labelled_by(noted(lake, "a", came_from("a", 1))) == made
    assert made_by.labelled_by(noted(lake, "e", came_from("gone"))) is None
    assert made_by.labelled_by(noted(lake, "f", {"inputs": {"rows": {"table": "a"}}})) is None
    assert made_by.labelled_by(noted(lake, "g", {"inputs": {"rows": {"version": 0}}})) is None
    other = {"report": {"made_by": {"software": "x"}}, **came_from("a")}
    assert made_by.labelled_by(noted(lake, "h", other)) == made
    assert made_by.labelled_by(noted(lake, "i", {"report": {"made_by": "me"}})) is None


@pytest.mark.parametrize(
    ("key", "said"),
    [("boundaries_sha256", "b 2{12}, worldview un, lang ja"), ("worldview", "worldview 2"),
     ("dependencies", "dependencies 2"), ("lang", "lang 2")],
)  # fmt: skip
def test_two_sets_or_views_are_told(lake, key, said):
    made = {"boundaries": "b", "boundaries_sha256": "1" * 64, "worldview": "un", "lang": "ja"}
    noted(lake, "one", {"report": {"made_by": made}})
    noted(lake, "other", {"report": {"made_by": made | {"places": "x"}}})
    one, other = (tables.open_input(lake, "rows", name) for name in ("one", "other"))
    made_by.refuse_two_sets(one, other)
    changed = made | {key: "2" * 64 if key == "boundaries_sha256" else "2"}
    noted(lake, "third", {"report": {"made_by": changed}})
    third = tables.open_input(lake, "rows", "third")
    with pytest.raises(datasets.DatasetError, match=f"one@0 is labelled with b 1{{12}}.*{said}"):
        made_by.refuse_two_sets(one, third)
    made_by.refuse_two_sets(tables.open_input(lake, "rows", "labelled"), third)
