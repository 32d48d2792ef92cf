"""What is handed to Ray and what becomes of its answers, without a cluster."""

import logging
import os
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import cor, files, scale, tables
from geodata.evaluation.scores import Scoring
from geodata.files import FileError
from geodata.scale import cluster, on_ray
from geodata.scale.agreeing import BatchFunction, refuse_differences
from tests.scale.here import Here, Rows, a_node
from tests.scale.test_batch_functions import ROWS, N


@pytest.fixture
def ray(monkeypatch):
    return Here().stand_in(monkeypatch)


class _Stranger(BatchFunction):
    """Made by a driver of another version."""


def stranger():
    return _Stranger(expected={"software": "geodata-georl 0.0.1"})


# connecting


def test_a_cluster_that_this_process_has_is_taken_as_it_is(ray, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # where nobody listens
    assert cluster.connect("127.0.0.1:1") is ray
    assert ray.started == []


def test_without_an_address_a_cluster_is_made_here(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    monkeypatch.setenv("RAY_IGNORE_UNHANDLED_ERRORS", "as asked")
    ray = Here(initialized=False).stand_in(monkeypatch)
    assert cluster.connect(None) is ray
    assert ray.started == [
        {"address": "local", "log_to_driver": False, "logging_level": logging.ERROR,
         "include_dashboard": False}
    ]  # fmt: skip
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_IGNORE_UNHANDLED_ERRORS"] == "as asked"


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("prefix", ["", "ray://"])
def test_a_given_address_comes_before_that_of_the_environment(monkeypatch, listening, prefix):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    ray = Here(initialized=False).stand_in(monkeypatch)
    cluster.connect(prefix + listening)
    assert ray.started == [
        {"address": prefix + listening, "log_to_driver": False, "logging_level": logging.ERROR}
    ]
    monkeypatch.setenv("RAY_ADDRESS", listening)
    cluster.connect(None)
    assert ray.started[-1]["address"] == listening


def test_auto_is_where_the_note_of_this_machine_says_or_here(monkeypatch, listening, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    ray = Here(initialized=False).stand_in(monkeypatch)
    cluster.connect("auto")  # no note: Ray itself says so
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"{listening}\n")
    cluster.connect("auto")
    assert [one["address"] for one in ray.started] == ["auto", "auto"]
    assert "include_dashboard" not in ray.started[0]
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1\n")
    with pytest.raises(cluster.RayClusterError, match=r"address '127\.0\.0\.1:1'"):
        cluster.connect("auto")
    assert len(ray.started) == 2


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "here", "127.0.0.1:no"])
def test_where_nobody_listens_is_told(monkeypatch, address):
    ray = Here(initialized=False).stand_in(monkeypatch)
    with pytest.raises(cluster.RayClusterError) as told:
        cluster.connect(address)
    assert str(told.value).startswith(f"nobody answers at the Ray address {address!r} (")
    assert str(told.value).endswith("of a cluster, such as 10.0.0.1:6379")
    assert ray.started == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionError("another\n  version"), "another version"),
        (ConnectionError("x" * 400), "x" * 300),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_cluster_that_refuses_is_told_in_one_line(monkeypatch, listening, error, reason):
    ray = Here(initialized=False).stand_in(monkeypatch)
    ray.refuses = error
    with pytest.raises(cluster.RayClusterError) as told:
        cluster.connect(listening)
    assert str(told.value) == (
        f"no Ray cluster at {listening}: {reason}; ray status tells, and driver and cluster need "
        "one version of Ray (here 9.9.9) and one token (RAY_AUTH_MODE, ray get-auth-token)"
    )


# asking nodes and gathering


def test_every_node_that_works_is_asked_on_itself(monkeypatch):
    nodes = [
        "a",
        a_node("dead", alive=False),
        a_node("disk", cpus=None),
        a_node("none", cpus=0),
        "b",
    ]
    ray = Here(nodes).stand_in(monkeypatch)
    cluster.check_nodes(ray, BatchFunction())
    assert ray.placed == [("id-a", False), ("id-b", False)]
    assert ray.tries == [cluster.TRIES]
    with pytest.raises(scale.WorkerMismatchError, match=r"^node a: software is 'geodata-georl 0.1"):
        cluster.check_nodes(ray, stranger())


def test_each_of_two_nodes_of_one_machine_is_asked(monkeypatch):
    """As where ``ray start`` ran twice there: they have one address."""
    ray = Here(["a", "a"]).stand_in(monkeypatch)
    asked = []

    class Once(BatchFunction):
        def check(self):
            asked.append(1)
            if len(asked) == 1:
                raise ValueError("no set")

    with pytest.raises(scale.WorkerMismatchError, match="node a: no set"):
        cluster.check_nodes(ray, Once())


@pytest.mark.parametrize("error", [OSError("no disk"), ValueError("no set")])
def test_a_node_that_cannot_look_is_named(ray, error):
    class Blind(BatchFunction):
        def check(self):
            raise error

    with pytest.raises(scale.WorkerMismatchError, match=f"node a: {error}"):
        cluster.check_nodes(ray, Blind())


def test_what_a_task_raised_is_raised_and_the_rest_is_cancelled(ray):
    def made(value):
        if value == 2:
            raise KeyError(value)
        return value

    task = ray.remote(1)(made)
    waiting, seen = [task.remote(value) for value in (0, 1, 2, 3)], []
    with pytest.raises(KeyError):
        seen.extend(value for _, value in cluster.results(ray, waiting))
    assert (seen, ray.cancelled) == ([3], [0, 1])
    ray.cancelled.clear()
    assert [value for _, value in cluster.results(ray, waiting[:2])] == [1, 0]
    assert ray.cancelled == []


def test_an_end_of_a_task_that_is_no_error_of_python_is_told_as_ray_tells_it(ray):
    class Reference:
        value = ray.exceptions.RayTaskError("a text, no exception")

    with pytest.raises(ray.exceptions.RayTaskError):
        cluster.got(ray, Reference)


# shards


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder to work in, with the rows as a file of it."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(ROWS, "rows.parquet", row_group_size=70)
    return tmp_path


def test_shards_of_a_cluster_are_those_of_one_process(ray, there):
    told = []
    made = scale.label_on_ray(
        "rows.parquet", "out", 3, progress=lambda *rows: told.append(rows), worldview="in"
    )
    assert [str(one.shard) for one in made] == ["1/3", "2/3", "3/3"]
    assert [one.resumed for one in made] == [False] * 3
    assert told == [(80, N), (160, N), (240, N)]
    assert ray.tries == [cluster.TRIES, cluster.TRIES]
    whole = pa.concat_tables(pq.read_table(one.path) for one in made)
    assert whole.equals(cor.label_table(ROWS, worldview="in").cast(whole.schema))
    assert all(one.path.parent == there / "out" for one in made)
    (there / "out" / "_shard-00002-of-00003.json").unlink()
    again = scale.label_on_ray("rows.parquet", "out", 3, worldview="in")
    assert [one.resumed for one in again] == [True, False, True]
    told.clear()
    scale.label_on_ray(
        "rows.parquet", "out", 3, progress=lambda *rows: told.append(rows), worldview="in"
    )
    assert told == [(80, N), (160, N), (240, N)]  # those that were there are done, too
    with pytest.raises(scale.ShardError, match="another number of shards"):
        scale.label_on_ray("rows.parquet", "out", 2, worldview="in")


@pytest.mark.parametrize("shards", [0, -1])
def test_a_number_of_shards_is_one_or_more(ray, there, shards):
    with pytest.raises(scale.ShardError, match=f"^{shards} shards: give how many files"):
        scale.label_on_ray("rows.parquet", "out", shards)
    assert ray.placed == []
    assert scale.label_on_ray("rows.parquet", "out", 1)[0].rows == N


def test_another_job_and_another_node_are_refused_before_a_task_runs(ray, there, monkeypatch):
    scale.label_on_ray("rows.parquet", "out", 2)
    ray.placed.clear()
    with pytest.raises(scale.ShardError, match="another number"):
        scale.label_on_ray("rows.parquet", "out", 3)
    assert ray.placed == []

    def differ(expected, found):
        refuse_differences({"software": "other"}, found)

    monkeypatch.setattr("geodata.scale.agreeing.refuse_differences", differ)
    with pytest.raises(scale.WorkerMismatchError, match=r"^node a: software is"):
        scale.label_on_ray("rows.parquet", "new", 2)
    assert ray.placed == [("id-a", False)]
    assert list((there / "new").iterdir()) == []


def test_rows_in_memory_and_addresses_stay_as_they_are(there):
    assert on_ray._everywhere("a/../b") == f"{there}/b"
    assert on_ray._everywhere(there / "b") == f"{there}/b"
    assert on_ray._everywhere("s3://a/b") == on_ray._everywhere(Path("s3://a/b")) == "s3://a/b"
    assert on_ray._everywhere("http://a/b") == "http://a/b"
    assert on_ray._everywhere(ROWS) is ROWS


# batches of datasets


@pytest.mark.parametrize(("asked", "size"), [({}, 131_072), ({"batch_rows": 7}, 7)])
def test_batches_reach_a_function_as_arrow(ray, asked, size):
    made = scale.map_dataset(Rows(ROWS), scale.Label(), **asked)
    ((function, options),) = made.maps
    assert options == {"batch_format": "pyarrow", "batch_size": size, "zero_copy_batch": True}
    assert function(ROWS).equals(cor.label_table(ROWS))
    with pytest.raises(scale.WorkerMismatchError, match="node a"):
        scale.map_dataset(Rows(ROWS), stranger())


@pytest.mark.parametrize("batch_rows", [7, 100, 1000])
def test_scores_of_batches_are_those_of_all_rows(ray, batch_rows):
    near = Scoring((5.0, 50.0), strict=True, missing="exclude")
    whole = scale.ScoreSums.read(scale.Score(near, regions=True)(ROWS))
    found = scale.score_dataset(Rows(ROWS), near, regions=True, batch_rows=batch_rows)
    assert found == whole
    assert found.regions["country"].answered > 0
    plain = scale.score_dataset(Rows(ROWS), batch_rows=batch_rows)
    assert (plain.scoring, plain.rows, plain.regions) == (Scoring(), N, {})


def test_no_rows_are_scored_with_the_rule_that_was_asked(ray):
    near = Scoring((5.0,))
    assert scale.score_dataset(Rows(ROWS.slice(0, 0)), near) == scale.ScoreSums(near)


def test_a_file_is_scored_by_its_usual_columns_or_those_named(ray, there, monkeypatch):
    monkeypatch.setattr(logging.getLogger("ray.data"), "level", logging.INFO)
    near = Scoring((5.0,))
    whole = scale.ScoreSums.read(scale.Score(near, regions=True)(ROWS))
    assert scale.score_file("rows.parquet", near, regions=True) == whole
    assert ray.read == [
        ([f"{there}/rows.parquet"], ["lat", "lon", "pred_lat", "pred_lon"]),
    ]
    assert logging.getLogger("ray.data").level == logging.WARNING
    same = scale.score_file("rows.parquet", pred=("lat", "lon"))
    assert (same.rows, same.answered, same.accuracy[1.0]) == (N, N, 1.0)
    assert same.regions == {}
    assert ray.read[-1][1] == ["lat", "lon"]
    pq.write_table(ROWS.rename_columns(["id", "lat", "lon", "y", "x", "i"]), "named.parquet")
    for given in ({"pred": ("y", "x")}, {"pred": ("y", "x"), "truth": ("lat", "lon")}):
        assert scale.score_file("named.parquet", near, regions=True, **given) == whole


def test_a_table_of_a_lake_is_scored_file_by_file(ray, there):
    lake = there / "at@home"
    tables.write(lake / "joined", ROWS, file_rows=100)
    tables.append(lake / "joined", ROWS.slice(0, 5))
    assert scale.score_file(f"{lake}/joined@0").rows == N
    assert len(ray.read[0][0]) == 3
    assert scale.score_file(f"{lake}/joined@1").rows == N + 5


def test_what_ray_does_not_read_or_find_is_told(ray, there):
    files.write_table(ROWS.slice(0, 2), there / "a.csv")
    with pytest.raises(
        FileError, match=r"a\.csv: Ray reads Parquet or a table of a lake here, not csv"
    ):
        scale.score_file("a.csv")
    for kept, usual in (
        (["lat", "lon"], "pred_lat and pred_lon"),
        (["pred_lat", "pred_lon"], "lat and lon"),
    ):
        pq.write_table(ROWS.select(kept), "part.parquet")
        with pytest.raises(
            FileError, match=rf"part\.parquet has no columns such as {usual}; on Ray"
        ):
            scale.score_file("part.parquet")
    with pytest.raises(FileError, match=r"rows\.parquet"):
        scale.score_file("rows.parquet", truth=("lat", None), pred=(None, "none"))
    assert ray.read == []


def test_batches_become_one_version_of_a_table(ray, there):
    tables.write(there / "lake" / "t", ROWS.slice(0, 3))
    number = scale.write_dataset(Rows(ROWS), "lake/t", {"by": "hand"}, batch_rows=100)
    opened = tables.open(there / "lake" / "t", number)
    assert (number, opened.note) == (1, {"by": "hand"})
    assert opened.arrow().sort_by("image").equals(ROWS.sort_by("image"))
    assert len(opened.files) == 3
    assert tables.verify(opened.path).orphans == ()
    scale.write_dataset(Rows(ROWS), "lake/t")
    assert len(tables.open(there / "lake" / "t").files) == 1


def test_a_batch_without_rows_makes_no_file(there):
    writer = on_ray._PartWriter(str(there / "lake" / "t"))
    made = writer(ROWS.slice(0, 0))
    assert (made.num_rows, made.schema) == (0, pa.schema([("part", pa.string())]))
    assert not (there / "lake").exists()
    assert writer(ROWS.slice(0, 1)).num_rows == 1
