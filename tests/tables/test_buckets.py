"""Tables in a bucket, against a real S3 server process, with its faults."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from geodata import cor, files, hashing, tables
from geodata.cli import app
from geodata.tables import buckets
from tests.tables import s3_server

pytestmark = pytest.mark.skipif(find_spec("moto") is None, reason="moto[server] is not installed")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def endpoint():
    with s3_server.server() as found:
        yield found


@pytest.fixture
def bucket(endpoint, monkeypatch, request):
    for key, value in (s3_server.KEYS | {"AWS_ENDPOINT_URL": endpoint}).items():
        monkeypatch.setenv(key, value)
    return f"s3://bucket/{request.node.name.replace('[', '-').replace(']', '')}"


def photos(n=50, first=0):
    rng = np.random.default_rng(first)
    return pa.table({
        "photo_id": [f"p{first + i}" for i in range(n)],
        "lat": rng.uniform(-60, 60, n), "lon": rng.uniform(-180, 180, n),
    })  # fmt: skip


def read(address):
    return pa.concat_tables(tables.open_rows(address).tables())


def test_a_bucket_holds_the_table_that_a_folder_holds(bucket, tmp_path):
    for where in (bucket, str(tmp_path)):
        assert tables.append(f"{where}/photos", photos(), {"source": "a"}) == 0
        assert tables.append(f"{where}/photos", photos(30, 50), file_rows=10) == 1
        assert tables.write(f"{where}/photos", photos(7, 200)) == 2
    for version in (0, 1, 2):
        there = buckets.open_bucket(f"{bucket}/photos@{version}")
        here = tables.open(tmp_path / "photos", version)
        assert (there.rows, there.content_hash) == (here.rows, here.content_hash)
        assert read(f"{bucket}/photos@{version}").equals(here.arrow())
    assert read(f"{bucket}/photos").equals(photos(7, 200))
    report = tables.verify(f"{bucket}/photos")
    assert report.ok
    assert (report.version, report.rows) == (2, 7)
    assert report.content_hash == tables.verify(tmp_path / "photos").content_hash
    assert not tables.verify(f"{bucket}/photos", 1, expect=report.content_hash).ok
    assert tables.open_rows(f"{bucket}/photos").columns == ("photo_id", "lat", "lon")


def test_what_is_not_there_or_does_not_fit_is_told(bucket, monkeypatch):
    with pytest.raises(tables.TableNotFoundError, match="there is no table"):
        tables.open_rows(f"{bucket}/photos")
    tables.append(f"{bucket}/photos", photos())
    with pytest.raises(tables.VersionNotFoundError, match="no version 5"):
        tables.open_rows(f"{bucket}/photos@5")
    with pytest.raises(tables.TableError, match="no tags"):
        tables.open_rows(f"{bucket}/photos@paper")
    with pytest.raises(tables.TableSchemaError, match="no column 'city'"):
        tables.append(f"{bucket}/photos", pa.table({"city": ["Paris"]}))
    with pytest.raises(tables.TableError, match="give a path"):
        tables.open(f"{bucket}/photos")
    with pytest.raises(tables.TableError):
        tables.append("s3://no-such-bucket/photos", photos())
    assert read(f"{bucket}/photos").equals(photos())


def test_labels_and_scores_read_a_bucket(bucket, tmp_path):
    tables.append(f"{bucket}/photos", photos())
    done = CliRunner().invoke(
        app, ["label", f"{bucket}/photos", "-o", str(tmp_path / "labelled.parquet")]
    )
    assert done.exit_code == 0, done.exception
    expected = cor.label_table(photos())
    found = files.read_table(tmp_path / "labelled.parquet")
    assert hashing.of_table(found) == hashing.of_table(expected)
    truth = photos().rename_columns(["id", "lat", "lon"])
    tables.append(f"{bucket}/truth", truth)
    files.write_table(truth, tmp_path / "preds.parquet")
    words = ["evaluate", str(tmp_path / "preds.parquet"), "--truth", f"{bucket}/truth"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.exception
    assert "100.0" in done.output


def test_damage_in_the_bucket_is_found(bucket):
    tables.append(f"{bucket}/photos", photos())
    opened = buckets.open_bucket(f"{bucket}/photos")
    system, root = buckets._system(opened.address)
    path = f"{root}/{opened.files[0].name}"
    with system.open_input_file(path) as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    with system.open_output_stream(path) as sink:
        sink.write(bytes(data))
    report = tables.verify(f"{bucket}/photos")
    assert not report.ok
    assert "SHA-256" in report.problems[0]
    system.delete_file(path)
    assert "cannot be read" in tables.verify(f"{bucket}/photos").problems[0]


@pytest.mark.parametrize("fault", ["500", "cut", "slow", "lost"])
@pytest.mark.parametrize("skip", [0, 3])
def test_faults_of_the_server_lose_and_double_nothing(bucket, endpoint, monkeypatch, fault, skip):
    with s3_server.faults(endpoint) as (proxy, kind):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        tables.append(f"{bucket}/photos", photos())
        kind.fault, kind.times = fault, 2 + skip
        tables.append(f"{bucket}/photos", photos(30, 50))
        assert kind.times < 2 + skip  # some of them were met
        kind.fault, kind.times = fault, 2
        assert read(f"{bucket}/photos").num_rows == 80
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert read(f"{bucket}/photos").equals(pa.concat_tables([photos(), photos(30, 50)]))
    report = tables.verify(f"{bucket}/photos")
    assert (report.ok, report.version) == (True, 1)


_WRITER = """
import sys
import pyarrow as pa
from geodata import tables
address, writer, commits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(commits):
    tables.append(address, pa.table({"writer": [writer], "i": [i]}))
"""


@pytest.mark.parametrize(("writers", "each"), [(3, 3), pytest.param(5, 20, marks=pytest.mark.slow)])
def test_writers_at_the_same_time_lose_nothing(bucket, writers, each):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, f"{bucket}/log", str(w), str(each)], cwd=ROOT
        )
        for w in range(writers)
    ]
    assert [process.wait(timeout=400) for process in processes] == [0] * writers
    found = read(f"{bucket}/log").to_pylist()
    assert sorted((row["writer"], row["i"]) for row in found) == [
        (w, i) for w in range(writers) for i in range(each)
    ]
    opened = buckets.open_bucket(f"{bucket}/log")
    assert opened.version == writers * each - 1
    assert tables.verify(f"{bucket}/log").ok
