"""Tables in a bucket, against a real S3 server process, with its faults."""

import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import fs
from typer.testing import CliRunner

from geodata import cor, datasets, files, hashing, records, tables
from geodata.cli import app
from geodata.tables import buckets
from geodata.tables.buckets import mirrors, objects
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


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output + str(done.exception or "")


def pictured(n=60):
    """Photos of cities, with authors and pictures that are elsewhere."""
    rng = np.random.default_rng(5)
    return pa.table({
        "photo_id": [f"p{i}" for i in range(n)], "author": [f"a{i % 7}" for i in range(n)],
        "lat": 48.8 + rng.uniform(-3, 3, n), "lon": 2.3 + rng.uniform(-3, 3, n),
        "image": [f"{i}.jpg" for i in range(n)],
    })  # fmt: skip


def test_a_lake_in_a_bucket_is_that_of_a_folder_verb_by_verb(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_table(pictured(), "photos.csv")
    files.write_table(pa.table({"lat": [48.0], "lon": [2.0]}), "popular.csv")
    near = ("--salt", "secret")
    for lake in (bucket, "lake"):
        assert run("photos", "import", "photos.csv", "--lake", lake, *near)[0] == 0
        assert (
            "already: version 0" in run("photos", "import", "photos.csv", "--lake", lake, *near)[1]
        )
        build = ("dataset", "build")
        for words in (("labelled",), ("rand", "-n", 20, "--seed", 3),
                      ("hard", "--from", "labelled", "-n", 9, "--popular", "popular.csv"),
                      ("filter", "--where", "lat > 48", "--name", "north")):  # fmt: skip
            code, said = run(*build, *words, "--lake", lake)
            assert code == 0, said
    here, there = tables.near("lake"), tables.near(bucket)
    assert (
        tables.names(there) == tables.names(here) == ["hard", "labelled", "north", "photos", "rand"]
    )
    for name in tables.names(here):
        one, other = tables.open(here / name), tables.open(there / name)
        assert (one.content_hash, one.rows) == (other.content_hash, other.rows)
        assert one.arrow().equals(other.arrow())
        assert (one.note == other.note) or name == "photos"
    for words in (
        ("dataset", "list"), ("dataset", "audit", "hard"), ("dataset", "rebuild", "hard"),
        ("dataset", "diff", "rand", 0, 0), ("dataset", "card", "rand"),
        ("sql", "SELECT count(*), max(city) FROM north JOIN labelled USING (photo_id)"),
        ("sql", "SELECT count(*) FROM photos_v0"), ("sql", "SHOW TABLES"),
    ):  # fmt: skip
        assert run(*words, "--lake", bucket) == run(*words, "--lake", "lake")
    told = [run("dataset", "verify", "hard", "--lake", lake) for lake in (bucket, "lake")]
    assert told[0][0] == told[1][0] == 0
    (*of_bucket, nothing), of_folder = (said.splitlines() for _, said in told)
    assert of_folder[:2] == of_bucket  # a folder says its SHA-256 too
    assert nothing == "nothing is wrong: files and rows are those that were committed"
    for lake, out in ((bucket, "a"), ("lake", "b")):
        assert run("dataset", "export", "rand", "--lake", lake, "-o", f"export-{out}")[0] == 0
        words = ("records", "sft", "--lake", lake, "--from", "rand", "-o", f"{out}.parquet")
        assert run(*words, "--no-check", "--image-root", ".")[0] == 0
    assert files.sha256("a.parquet") == files.sha256("b.parquet")
    assert "built by a recipe" in run("dataset", "rebuild", "photos", "--lake", bucket)[1]


def test_pictures_of_a_lake_in_a_bucket_start_from_the_current_folder(
    bucket, tmp_path, monkeypatch
):
    """No folder of this machine is beside such a lake; what a row says stays as it is."""
    monkeypatch.chdir(tmp_path)
    rows = pictured(3)
    tables.append(f"{bucket}/rows", rows)
    for i in range(3):
        Image.new("RGB", (8, 6), (i, 0, 0)).save(f"{i}.jpg")
    for how in ("reference", "bytes"):
        options = records.Options(images=how, keep_metadata=True, check="refuse")
        records.write("rows", f"{how}.parquet", lake=bucket, options=options)
        for record in pq.read_table(f"{how}.parquet").to_pylist():
            name = f"{record['photo_id'][1:]}.jpg"
            held = {"bytes": Path(name).read_bytes() if how == "bytes" else None, "path": name}
            assert record["images"] == [held]


def test_a_view_of_a_lake_brings_what_it_is_asked_for(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_table(pa.table({"lat": [48.0], "lon": [2.0]}), "popular.csv")
    for name in ("photos", "others"):
        tables.append(f"{bucket}/{name}", photos())
    near = tables.near(bucket, only="photos")
    assert tables.names(near) == ["photos"]
    assert not list((near / "photos").glob("*.parquet"))
    assert tables.open(near / "photos").arrow().equals(photos())
    datasets.build("labelled", bucket)
    datasets.build("hard", bucket, "hard", {"popular": "popular.csv"}, n=5)
    code = (
        "import sys; from geodata import tables; "
        "print(*[(tables.near(sys.argv[1], inputs=i) / '_inputs').is_dir() for i in (0, 1)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, bucket], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == ["False", "True"]
    (tmp_path / "popular.csv").unlink()
    assert datasets.rebuild(bucket, "hard").rows == 5
    code = "import sys; from geodata import datasets as d; d.audit(*sys.argv[1:], 'hard')"
    for verb in ("audit", "rebuild"):  # in a process that has brought nothing over yet
        asked = [sys.executable, "-c", code.replace("audit", verb), bucket]
        subprocess.run(asked, cwd=ROOT, check=True)


def test_what_a_bucket_cannot_do_is_said_in_one_line(bucket, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_table(pictured(), "photos.csv")
    tables.append(f"{bucket}/photos", photos())
    for words, message in (
        (("photos", "import", "photos.csv"), "a lake in a bucket keeps no salt"),
        (("dataset", "tag", "photos", "paper"), "is an address"),
        (("dataset", "compact", "photos"), "is an address"),
        (("dataset", "restore", "photos", 0), "is an address"),
        (("dataset", "checkpoint", "photos"), "is an address"),
        (("dataset", "rebuild", "photos", "--write"), "is an address"),
        (("dataset", "verify", "photos", "--repair"), "is an address"),
        (("photos", "hash", "photos"), "is an address"),
        (("tables", "forget", "--id", "a"), "is an address"),
        (("dataset", "build", "labelled", "--engine", "ray"), "leave the engine out"),
        (("dataset", "history", "none"), f"{bucket}/none: there is no table"),
        (
            ("dataset", "build", "rand", "--from", "photos@7"),
            f"{bucket}/photos: there is no version",
        ),
    ):
        code, said = run(*words, "--lake", bucket)
        assert code == 2 or "Error" in said or code == 1
        assert message in said
        assert len(said.strip().splitlines()) == 1
    assert "is an address" in run("label", "photos.csv", "-o", f"{bucket}/labelled")[1]
    for words in (("dataset", "list"), ("sql", "SELECT 1")):
        assert "the bucket cannot be read" in run(*words, "--lake", "s3://no-such-bucket/lake")[1]
    assert not list(tmp_path.glob("s3*"))
    plain = ("photos", "import", "photos.csv", "--lake", bucket, "--table", "mine", "--no-salt")
    assert run(*plain)[0] == 0
    again = ("photos", "import", "photos.csv", "--lake", bucket, "--table", "mine", "--again")
    assert "photographers of two imports" in run(*again, "--salt", "other")[1]


@pytest.mark.parametrize("fault", ["500", "cut", "slow", "lost"])
def test_faults_while_a_lake_is_read_and_built_on(bucket, endpoint, monkeypatch, fault):
    tables.append(f"{bucket}/photos", photos())
    with s3_server.faults(endpoint) as (proxy, kind):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        kind.fault, kind.times = fault, 3
        assert datasets.build("labelled", bucket).rows == 50
        assert kind.times < 3
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    report = tables.verify(f"{bucket}/labelled")
    assert (report.ok, report.version, report.rows) == (True, 0, 50)


def test_a_bucket_without_rights_is_said(bucket, endpoint, monkeypatch):
    tables.append(f"{bucket}/photos", photos())
    with s3_server.faults(endpoint) as (proxy, kind):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        kind.fault, kind.times = "403", 10**6
        for work in (
            lambda: tables.open_rows(f"{bucket}/photos"),
            lambda: tables.append(f"{bucket}/photos", photos(3, 90)),
            lambda: tables.near(bucket),
        ):
            with pytest.raises(tables.TableError, match="AWS_ACCESS_KEY_ID"):
                work()
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert tables.verify(f"{bucket}/photos").version == 0


def test_a_clock_that_the_server_does_not_believe_is_said(bucket, endpoint, monkeypatch):
    tables.append(f"{bucket}/photos", photos())
    with s3_server.faults(endpoint) as (proxy, kind):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        kind.fault, kind.times = "skew", 10**6
        for work in (
            lambda: tables.open_rows(f"{bucket}/photos"), lambda: tables.near(bucket),
            lambda: tables.append(f"{bucket}/photos", photos(3, 90)),
        ):  # fmt: skip
            with pytest.raises(tables.TableError, match="a clock that is minutes off"):
                work()
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert tables.verify(f"{bucket}/photos").version == 0


def test_a_bucket_that_may_only_be_read_is_left_as_it_was(bucket, endpoint, monkeypatch):
    tables.append(f"{bucket}/photos", photos())
    with s3_server.faults(endpoint) as (proxy, kind):
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy)
        kind.fault, kind.times, kind.only = "403", 10**6, (b"PUT ", b"POST ")
        assert read(f"{bucket}/photos").num_rows == 50
        with pytest.raises(tables.TableError, match="nothing was committed"):
            datasets.build("labelled", bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert tables.names(tables.near(bucket)) == ["photos"]


def test_damage_in_the_bucket_is_found(bucket):
    tables.append(f"{bucket}/photos", photos())
    opened = buckets.open_bucket(f"{bucket}/photos")
    system, root = buckets.system_of(opened.address)
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


def test_a_bucket_at_google_without_an_answer_is_said(monkeypatch):
    """Arrow alone would ask for a quarter of an hour."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(objects, "_GOOGLE_PATIENCE", timedelta(seconds=1))
    with pytest.raises(tables.TableError, match=r"Could not connect.*GOOGLE_APPLICATION"):
        tables.near("gs://bucket/lake")


def test_tables_of_a_bucket_at_google_are_found_by_their_files(tmp_path, monkeypatch):
    """There a folder is no entry: Arrow lists files only, whatever their depth."""
    for name in ("photos", "b"):
        tables.append(tmp_path / "x" / "lake" / name, photos(3))
    (tmp_path / "x" / "lake" / "_inputs").mkdir()
    (tmp_path / "x" / "lake" / "_inputs" / "a.csv").touch()
    (tmp_path / "x" / "lake" / "notes.txt").touch()
    under = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(objects, "system_of", lambda address: (under, address.partition("://")[2]))
    near = tables.near("gs://x/lake")
    assert tables.names(near) == ["b", "photos"]
    assert tables.open(near / "photos").rows == 3
    assert mirrors._folders("s3://x/lake") == ["b", "photos"]


def test_columns_that_changed_while_rows_were_written(bucket, monkeypatch):
    tables.append(f"{bucket}/log", pa.table({"a": [1]}))
    original, others = objects.upload, [pa.table({"a": [2], "b": ["x"]})]

    def late(*args):
        original(*args)
        while others:
            tables.write(f"{bucket}/log", others.pop())

    monkeypatch.setattr(objects, "upload", late)
    with pytest.raises(tables.TableConflictError, match="columns changed while rows were written"):
        tables.append(f"{bucket}/log", pa.table({"a": [3]}))
    assert read(f"{bucket}/log").to_pylist() == [{"a": 2, "b": "x"}]
    assert tables.verify(f"{bucket}/log").ok


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
