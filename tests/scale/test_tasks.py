"""What a worker of a dataset does, without a cluster: its rows, its file, how often it is tried."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import datasets, scale, tables
from geodata.scale import cluster, datasets_on_ray
from geodata.scale.agreeing import WorkerMismatchError
from tests.scale.here import Here
from tests.scale.test_batch_functions import photos


def test_tasks_come_in_their_order_and_are_tried_ten_times():
    here, done = Here(), []
    run = datasets_on_ray._Tasks(here, 4, lambda *told: done.append(told))
    assert run.each(pow, [2, 3, 4], 2) == [4, 9, 16]
    assert here.tries == [cluster.TRIES] == [10]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert run.each(pow, [], 2) == []
    assert [run.spans(rows) for rows in (0, 3, 4, 5, 9)] == [
        [], [(0, 3)], [(0, 4)], [(0, 4), (4, 5)], [(0, 4), (4, 8), (8, 9)]
    ]  # fmt: skip


@pytest.mark.parametrize("span", [(0, 4), (2, 7), (4, 9), (8, 9), (0, 9)])
def test_a_part_of_the_rows_is_chosen_by_their_own_marks(tmp_path, span):
    """Rows of two files, and the marks of all rows: those of the part are taken."""
    path = tmp_path / "lake" / "rows"
    tables.append(path, pa.table({"id": ["a", "b", "c", "d", "e"]}))
    version = tables.open(path, tables.append(path, pa.table({"id": ["f", "g", "h", "i"]})))
    rows = (str(path.parent), path.name, version.version, version.content_hash)
    keep = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1], bool)
    out = tmp_path / "lake" / "chosen"
    told = datasets_on_ray._write_chosen(span, rows, keep, str(out))
    (file,) = out.glob("*.parquet")
    found = pq.read_table(file)["id"].to_pylist()
    wanted = [x for i, x in enumerate("abcdefghi") if keep[i] and span[0] <= i < span[1]]
    assert found == wanted
    assert len(told) == 1


# datasets


def a_lake(folder):
    lake = folder / "lake"
    rows = photos(400)
    bad = pa.array([None if i % 50 == 0 else v for i, v in enumerate(rows["lat"].to_pylist())])
    tables.write(lake / "photos", rows.set_column(1, "lat", bad), file_rows=150)
    tables.write(lake / "popular", pa.table({"lat": [0.0, 48.9], "lon": [0.0, 2.3]}))
    return lake


ASKED = {
    "labelled": {"max_offset_km": 5.0},
    "rand": {"n": 70, "seed": 3},
    "hard": {"radius_km": 3000.0, "n": 90, "inputs": {"popular": "popular@0"}},
    "filter": {"where": "photo_id < 'p2'"},
}


@pytest.mark.parametrize("buckets", [1, 5])
def test_datasets_are_those_of_one_process(tmp_path, monkeypatch, buckets):
    """Spans and buckets smaller than the rows, by a path that hangs on where a task starts."""
    ray, lake = Here().stand_in(monkeypatch), a_lake(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("geodata.datasets.recipes.label.BUCKET_ROWS", -(-400 // buckets))
    for recipe, options in ASKED.items():
        told, source = [], {} if recipe == "labelled" else {"source": "labelled"}
        ours = scale.build_on_ray(
            recipe, "lake", f"{recipe}-ray", span_rows=110,
            progress=lambda *tasks, told=told: told.append(tasks), **source, **options,
        )  # fmt: skip
        one = datasets.build(recipe, lake, recipe, **options)
        assert ours.content_hash == one.content_hash
        assert (ours.rows, dict(ours.report)) == (one.rows, dict(one.report))
        there, here = (tables.open(lake / name) for name in (f"{recipe}-ray", recipe))
        assert there.arrow().equals(here.arrow())
        assert tables.verify(there.path).orphans == ()
        assert there.note["seed"] == options.get("seed", 0)
        spans = 4 if recipe == "labelled" else len(told)
        assert told[:spans] == [(i + 1, spans) for i in range(spans)]
        if recipe == "labelled":
            assert told[4:] == [(i + 1, buckets) for i in range(buckets)]
    assert set(ray.tries) == {cluster.TRIES}


def test_only_spans_with_chosen_rows_are_read(tmp_path, monkeypatch):
    Here().stand_in(monkeypatch)
    lake, told = a_lake(tmp_path), []
    datasets.build("labelled", lake)
    rows = tables.open(lake / "labelled").arrow()
    last = rows["photo_id"][-1].as_py()
    made = scale.build_on_ray(
        "filter", lake, span_rows=100, progress=lambda *tasks: told.append(tasks),
        where=f"photo_id = '{last}'",
    )  # fmt: skip
    assert (made.name, made.rows, told) == ("filter", 1, [(1, 1)])


@pytest.mark.parametrize("fails", ["_label", "_sort"])
@pytest.mark.parametrize("known", [False, True])
def test_pieces_of_a_sort_that_failed_are_removed(tmp_path, monkeypatch, fails, known):
    Here().stand_in(monkeypatch)
    lake = a_lake(tmp_path)
    if known:
        datasets.build("labelled", lake)
    before = sorted(path.name for path in lake.rglob("*"))
    seen = []
    original = getattr(datasets_on_ray, fails)

    def failing(value, work):
        original(value, work)
        seen.extend(path.name for path in work.pieces(0))
        raise OSError("no disk")

    monkeypatch.setattr(datasets_on_ray, fails, failing)
    with pytest.raises(OSError, match="no disk"):
        scale.build_on_ray("labelled", lake, "labelled", span_rows=110)
    assert seen
    assert not list(lake.rglob("*.part"))
    if fails == "_label":
        assert sorted(path.name for path in lake.rglob("*")) == before
    else:  # parts that were written and are of no version
        assert known or tables.names(lake) == ["photos", "popular"]


def test_another_node_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    Here().stand_in(monkeypatch)
    lake = a_lake(tmp_path)
    datasets.build("labelled", lake)

    def differ(expected, found):
        raise WorkerMismatchError(f"{len(found)} things")

    monkeypatch.setattr("geodata.scale.agreeing.refuse_differences", differ)
    with pytest.raises(WorkerMismatchError, match="node a: 1 things"):
        scale.build_on_ray("rand", lake, "new", n=5, source="labelled")
    wanted = len(scale.Label().identity())
    with pytest.raises(WorkerMismatchError, match=f"node a: {wanted} things"):
        scale.build_on_ray("labelled", lake, "new")
    assert not (lake / "new").exists()


def test_a_recipe_that_is_not_built_on_ray_is_told(tmp_path):
    with pytest.raises(datasets.DatasetError) as told:
        scale.build_on_ray("dedupe", tmp_path)
    assert str(told.value) == (
        "recipe 'dedupe' is not built on Ray, only labelled, rand, hard, filter; leave the engine "
        "out to build it in one process"
    )


def test_a_piece_is_named_by_its_bucket_and_its_first_row(tmp_path):
    work = datasets_on_ray._Work(("l", "t", 0, "h"), None, np.empty(0), str(tmp_path), "ab")
    pieces = [work.piece(start, bucket) for bucket, start in ((1, 10), (1, 9), (2, 0), (11, 0))]
    for path in pieces:
        path.touch()
    (tmp_path / ".part-cd-000001-000000000000.part").touch()
    assert pieces[0].name == ".part-ab-000001-000000000010.part"
    assert work.pieces(1) == [pieces[1], pieces[0]]
    work.forget(fresh=True)
    assert [path.name for path in tmp_path.iterdir()] == [".part-cd-000001-000000000000.part"]
    work.forget(fresh=False)
    next(tmp_path.iterdir()).unlink()
    work.forget(fresh=False)
    assert tmp_path.is_dir()
    work.forget(fresh=True)
    assert not tmp_path.exists()
