"""Ray: the rows of one process, whoever dies; and what is said where it cannot work."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from geodata import scale, tables
from geodata.cli import app
from geodata.scale.scoring import ScoreSums
from tests.scale.ray_runs import KILLS, N, content, rows

ROOT = Path(__file__).resolve().parents[2]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra [ray] is not installed")
SHARDS = 60
ENV = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "COLUMNS": "80"}
ALONE = {**ENV, "RAY_AUTH_MODE": "disabled"}
"""Of a cluster on loopback that several processes join without a token."""


def ran(what, folder):
    done = subprocess.run(
        [sys.executable, "-m", "tests.scale.ray_runs", what, folder],
        cwd=ROOT,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(told)


@needs_ray
def test_ray_gives_the_rows_of_one_process(tmp_path):
    found = ran("quick", tmp_path)
    expected = found["expected"]
    assert found["labelled"] == expected["labelled"]
    assert found["rows"] == [6666, 6667, 6667]
    assert found["resumed"] == [True] * 3
    assert found["tars"]
    assert "boundaries_sha256" in found["refused"]
    assert "node " in found["refused"]


@needs_ray
def test_datasets_are_built_as_by_one_process(tmp_path):
    found = ran("build", tmp_path)
    assert found.pop("empty")
    found.pop("expected")
    assert set(found) == {"labelled", "rand", "hard", "filter"}
    assert [name for name, same in found.items() if not all(same.values())] == [], found


@needs_ray
def test_what_is_not_built_on_ray_is_said(tmp_path):
    lake = tmp_path / "lake"
    tables.write(lake / "photos", rows().slice(0, 9))
    with pytest.raises(tables.DatasetError, match="'dedupe' is not built on Ray, only labelled"):
        scale.build_on_ray("dedupe", lake)
    with pytest.raises(scale.RayClusterError, match="nobody answers at the Ray"):
        scale.build_on_ray("labelled", lake, address="here")
    dead = ("--address", "here")
    for words in (
        ["dataset", "build", "labelled", "--lake", lake],
        ["dataset", "build", "rand", "--lake", lake, "--from", "photos"],
        ["dataset", "build", "hard", "--lake", lake, "--from", "photos", "--popular", "photos"],
        ["dataset", "build", "filter", "--lake", lake, "--from", "photos", "--where", "lat > 0"],
    ):
        assert "nobody answers at the Ray" in run(*words, "--engine", "ray", *dead)[1]
        assert "give --engine ray too" in run(*words, *dead)[1]
    assert [p.name for p in lake.iterdir()] == ["photos"]


@needs_ray
@pytest.mark.slow
def test_datasets_of_ray_give_the_rows_of_one_process(tmp_path):
    found = ran("datasets", tmp_path)
    expected = found["expected"]
    assert found["hard"] == expected["hard"]
    assert found["note"] == {"by": "ray"}
    assert found["ok"]
    one, other = (
        ScoreSums.read(pa.table({"sums": [text]})) for text in (found["sums"], expected["sums"])
    )
    assert one == other
    assert one.rows == N


@needs_ray
@pytest.mark.slow
def test_workers_that_die_lose_and_double_nothing(tmp_path):
    found = ran("kills", tmp_path)
    assert found["died"] + found["died_in_shards"] == KILLS + 3 == 10
    assert found["labelled"] == found["joined"] == found["expected"]["labelled"]
    assert sum(found["rows"]) == N
    assert found["versions"] == 1


@contextmanager
def cluster():
    """A cluster of two workers that outlives its drivers; its notes are in a folder of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="r", dir="/tmp")  # sockets have short names
    words = ["start", "--head", "--block", f"--port={port}", "--num-cpus=2", f"--temp-dir={folder}"]
    words += ["--include-dashboard=false", "--disable-usage-stats"]
    ray, asked = Path(sys.executable).with_name("ray"), f"127.0.0.1:{port}"
    head = subprocess.Popen([ray, *words], env=ALONE, stdout=subprocess.DEVNULL)
    try:
        status = [ray, "status", f"--address={asked}"]
        for _ in range(40):  # on a busy machine a start takes too long for Ray itself
            if head.poll() is not None:
                head = subprocess.Popen([ray, *words], env=ALONE, stdout=subprocess.DEVNULL)
            time.sleep(2)
            if not subprocess.run(status, env=ALONE, capture_output=True, check=False).returncode:
                break
        yield asked
    finally:
        head.terminate()
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


@needs_ray
@pytest.mark.slow
def test_a_driver_that_dies_five_times_loses_and_doubles_nothing(tmp_path):
    whole = pa.concat_tables([rows()] * 10)
    pq.write_table(whole, tmp_path / "rows.parquet", row_group_size=10_000)
    with cluster() as address:
        words = ["label", "rows.parquet", "-o", "shards", "--engine", "ray", "--address", address]
        command = [sys.executable, "-m", "geodata", *words, "--shards", str(SHARDS)]
        there, killed, until = 0, 0, time.monotonic() + 800
        while killed < 5:
            driver = subprocess.Popen(command, cwd=tmp_path, env=ALONE, stderr=subprocess.DEVNULL)
            before = there
            while there == before and driver.poll() is None:  # it ends where Ray is not up yet
                time.sleep(0.01)
                there = len(list(tmp_path.glob("shards/_shard*")))
            killed += driver.poll() is None
            driver.kill()
            driver.wait()
            time.sleep(5)  # tasks of the dead driver end
            there = len(list(tmp_path.glob("shards/_shard*")))
            assert there < SHARDS
            assert time.monotonic() < until
        again = subprocess.run(command, cwd=tmp_path, env=ALONE, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
    assert "of them there already" in again.stdout
    joined = scale.join_shards(tmp_path / "shards", tmp_path / "lake" / "t")
    assert joined.content_hash == content(scale.Label()(whole))


@needs_ray
@pytest.mark.slow
def test_the_command_scores_on_ray(tmp_path):
    pq.write_table(rows(), tmp_path / "joined.parquet")
    words = ["evaluate", "joined.parquet", "--engine", "ray", "--regions", "--json", "s.json"]
    done = subprocess.run(
        [sys.executable, "-m", "geodata", *words],
        cwd=tmp_path,
        env=ENV,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    expected = scale.ScoreSums.read(scale.Score(regions=True)(rows()))
    assert f"{N:,} truth rows, {expected.answered:,} answered" in done.stdout
    assert json.loads((tmp_path / "s.json").read_text()) == expected.as_dict()


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, str(done.exception)


@needs_ray
def test_what_cannot_work_on_ray_is_said_before_it_starts(tmp_path):
    pq.write_table(rows(), tmp_path / "rows.parquet")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{unused.getsockname()[1]}"
    source, out = tmp_path / "rows.parquet", tmp_path / "out"
    (tmp_path / "a.csv").write_text("id,lat,lon,pred_lat,pred_lon\na,1,2,3,4\n")
    on_ray = ("--engine", "ray")
    for words, message in (
        (["label", source, "-o", out, *on_ray, "--address", dead], "nobody answers at the Ray"),
        (["label", source, "-o", out, *on_ray, "--address", "here"], "nobody answers at the Ray"),
        (["label", source, "-o", out, "--address", dead], "give --engine ray too"),
        (["label", source, "-o", out, "--engine", "spark"], "expected one of ray"),
        (["label", "-", "-o", out, *on_ray], "give FILE and --out FOLDER"),
        (["label", source, "-o", out, *on_ray, "--shards", 0], "0 shards: give how many"),
        (["evaluate", source, "-t", source, *on_ray], "--truth does not work with"),
        (["evaluate", source, "--by", "country", *on_ray], "--by does not work with"),
        (["evaluate", tmp_path / "a.csv", *on_ray], "Ray reads Parquet or a table"),
        (["evaluate", source, *on_ray, "--address", dead], "nobody answers at the Ray"),
    ):
        code, error = run(*words)
        assert code != 0
        assert message in error
    pq.write_table(rows().select(["id", "lat", "lon"]), tmp_path / "truth.parquet")
    assert "join them first" in run("evaluate", tmp_path / "truth.parquet", *on_ray)[1]


@needs_ray
def test_a_cluster_that_was_killed_is_not_waited_for(tmp_path, monkeypatch):
    """What `ray start` notes outlives it; minutes went by until Ray itself gave up."""
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")
    pq.write_table(rows(), tmp_path / "rows.parquet")
    words = ("label", tmp_path / "rows.parquet", "-o", tmp_path / "out", "--engine", "ray")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert "nobody answers at the Ray address '127.0.0.1:9'" in run(*words, "--address", "auto")[1]
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    assert "nobody answers at the Ray address '127.0.0.1:9'" in run(*words)[1]


def test_without_ray_one_line_says_how_to_get_it(tmp_path):
    pq.write_table(rows().slice(0, 10), tmp_path / "rows.parquet")
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError('No module', name='ray')\n")
    done = subprocess.run(
        [sys.executable, "-m", "geodata", "label", "rows.parquet", "-o", "out", "--engine", "ray"],
        cwd=tmp_path,
        env=ENV | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "this needs ray" in done.stderr
    assert "[ray]" in done.stderr


def test_geodata_loads_no_ray():
    code = (
        "import geodata, sys; geodata.scale.Label(); geodata.scale.label_on_ray; "
        "sys.exit('ray' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=ENV, check=False).returncode == 0


def test_parts_become_one_version_and_only_those_that_are_handed_over(tmp_path):
    whole, table = rows(), tmp_path / "lake" / "t"
    parts = [p for i in range(4) for p in tables.write_part(table, whole.slice(i * 5000, 5000), i)]
    tables.write_part(table, whole.slice(0, 5000))  # of a worker that was tried again
    sent = [tables.Part.read(part.text()) for part in parts]
    assert sent == parts
    assert tables.commit_parts(table, sent, {"a": 1}) == 0
    assert tables.open(table).arrow().equals(whole)
    report = tables.verify(table)
    assert report.ok
    assert len(report.orphans) == 1
    assert tables.commit_parts(table, tables.write_part(table, whole.slice(0, 3))) == 1
    assert tables.open(table).rows == 3
    assert tables.open(table, 0).note == {"a": 1}


def test_parts_that_changed_or_differ_are_not_committed(tmp_path):
    table = tmp_path / "lake" / "t"
    (part,) = tables.write_part(table, rows())
    with pytest.raises(tables.TableError, match="no parts"):
        tables.commit_parts(table, [])
    (other,) = tables.write_part(table, pa.table({"lat": ["text"]}))
    with pytest.raises(tables.TableSchemaError, match="lat"):
        tables.commit_parts(table, [part, other])
    file = table / part.file.name
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(tables.TableChangedError, match="write it again"):
        tables.commit_parts(table, [part])
    file.unlink()
    with pytest.raises(tables.TableChangedError, match="write it again"):
        tables.commit_parts(table, [part])
    with pytest.raises(tables.TableNotFoundError):
        tables.open(table)


@needs_ray
@pytest.mark.slow
def test_a_disk_that_fills_on_a_worker_is_one_line_and_the_rest_goes_on(tmp_path):
    """Also where several shards fail: what is left to do is cancelled, not told again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    pq.write_table(rows().select(["id", "lat", "lon"]), tmp_path / "rows.parquet")
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        words = ["label", tmp_path / "rows.parquet", "-o", disk / "shards", "--engine", "ray",
                 "--shards", 4]  # fmt: skip
        command = [sys.executable, "-m", "geodata", *map(str, words)]
        done = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=300)
        assert done.returncode == 2
        assert "no room left while labelling on" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        there = len(list((disk / "shards").glob("_*.json")))
        assert there < 4
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        done = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=300)
        assert f"{N:,} rows in 4 shards" in done.stdout
        assert scale.join_shards(disk / "shards").rows == N
    finally:
        subprocess.run(["umount", disk], check=True)
