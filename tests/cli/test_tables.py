"""The verbs that keep a table, and SQL, as a person types them."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from geodata import tables
from geodata.cli import app


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def lake(tmp_path):
    for n in range(3):
        tables.append(tmp_path / "lake" / "photos", pa.table({"n": [n]}))
    return tmp_path / "lake"


def test_the_life_of_a_table(lake):
    photos = lake / "photos"
    run("dataset", "tag", "photos", "paper", "--lake", lake, "--at", 1)
    assert "3 files are 1" in run("dataset", "compact", "photos", "--lake", lake)
    assert "few enough" in run("dataset", "compact", "photos", "--lake", lake)
    told = run("dataset", "restore", "photos", "paper", "--lake", lake)
    assert "version 4: 2 rows, those of paper" in told
    assert tables.open(photos).content_hash == tables.open(photos, 1).content_hash
    assert "checkpoint of version 4" in run("dataset", "checkpoint", "photos", "--lake", lake)
    assert "no name any more" in run("dataset", "untag", "photos", "paper", "--lake", lake)
    assert tables.tags(photos) == {}
    assert "restore, 0 rows" in run("dataset", "history", "photos", "--lake", lake)
    assert "2 rows in" in run("dataset", "verify", "photos", "--lake", lake)


def test_vacuum_says_what_goes_and_what_stays(lake):
    for n in range(4):
        tables.write(lake / "photos", pa.table({"n": [n] * 1000}))
    old = ("dataset", "vacuum", "photos", "--lake", lake)
    assert "photos: 0 files, 0.0 MB removed; tags: none" in run(*old)  # of this week
    run("dataset", "tag", "photos", "paper", "--lake", lake, "--at", 4)
    told = run(*old, "--hours", 0, "--dry-run", "--keep", 3)
    assert "photos: 4 files" in told  # three of the appends and one of the writes
    assert "MB would be removed; tags: paper (4)" in told
    assert tables.open(lake / "photos", 5).rows == 1000
    assert "photos: 4 files" in run(*old, "--hours", 0, "--keep", 3)
    assert [tables.open(lake / "photos", n).rows for n in (3, "paper", None)] == [1000] * 3
    told = run(*old, "--hours", 0)
    assert "photos: 1 files" in told
    with pytest.raises(tables.TableChangedError, match="is gone"):
        tables.open(lake / "photos", 3)
    assert tables.verify(lake / "photos").ok
    assert "no tag 'none'" in str(CliRunner().invoke(app, [*map(str, old), "--keep", "none"])
                                  .exception)  # fmt: skip
    run(*old, "--hours", "-1", code=2)


def test_verify_compares_with_what_was_published(lake):
    told = run("dataset", "verify", "photos", "--lake", lake)
    assert told.splitlines()[-1].startswith("nothing is wrong")
    hashes = [line.split()[-1] for line in told.splitlines()[1:-1]]
    assert [len(one) for one in hashes] == [64, 64]
    for one in hashes:
        run("dataset", "verify", "photos", "--lake", lake, "--expect", one)
    tables.append(lake / "photos", pa.table({"n": [9]}))
    told = run("dataset", "verify", "photos", "--lake", lake, "--expect", hashes[0], code=1)
    assert "this is not what was published" in told
    run("dataset", "verify", "photos", "--lake", lake, "--at", 2, "--expect", hashes[0])


def test_missing_seals_and_hashes_are_an_exit_code(lake):
    write_deltalake(str(lake / "theirs"), pa.table({"n": [1]}))
    told = run("dataset", "verify", "theirs", "--lake", lake, code=1)
    assert "1 commits have no seal (0)" in told
    assert "1 files have no recorded SHA-256" in told
    run("dataset", "compact", "theirs", "--lake", lake)
    run("dataset", "verify", "theirs", "--lake", lake)
    (lake / "photos" / "_seals" / f"{1:020}.sha256").unlink()
    assert "have no seal (1)" in run("dataset", "verify", "photos", "--lake", lake, code=1)


def test_leftovers_are_listed_and_harmless(lake):
    (lake / "photos" / "part-00000000-left.parquet").write_bytes(b"x")
    told = run("dataset", "verify", "photos", "--lake", lake)
    assert "no version uses part-00000000-left.parquet" in told
    assert "(--repair)" in told
    told = run("dataset", "verify", "photos", "--lake", lake, "--repair")
    assert "part-00000000-left.parquet" in told
    assert "it is not an hour old, and stays" in told
    assert "--repair" not in told


def test_sql_prints_as_many_rows_as_asked(lake):
    told = run("sql", "SELECT n FROM photos ORDER BY n", "--lake", lake, "--rows", 2)
    assert told.split()[:3] == ["n", "0", "1"]
    assert "... and more rows" in told
    assert "more rows" not in run("sql", "SELECT n FROM photos", "--lake", lake, "--rows", 3)


def test_sql_writes_what_it_finds(lake, tmp_path):
    out = tmp_path / "out.csv"
    sql = "SELECT n FROM photos_v1 ORDER BY n"
    assert "2 rows" in run("sql", sql, "--lake", lake, "-o", out, "--rows", 0)
    assert out.read_text().split() == ['"n"', "0", "1"]


def test_sql_stops_at_its_limits(lake):
    from geodata.query import QueryLimitError

    many = "range(10000000)"
    endless = f"SELECT count(*) FROM {many} a, {many} b WHERE a.range + b.range = 3"
    with pytest.raises(QueryLimitError, match=r"longer than 0\.2 s"):
        run("sql", endless, "--timeout", 0.2, code=1)
    with pytest.raises(QueryLimitError, match="more memory than 50MB"):
        run("sql", "SELECT list(i) FROM range(100000000) t(i)", "--memory", "50MB", code=1)


def test_the_list_tells_the_recipe_of_the_newest_version(lake):
    from geodata import datasets

    tables.write(lake / "rows", pa.table({"photo_id": ["a", "b"], "lat": [1.0, 2.0],
                                          "lon": [1.0, 2.0]}))  # fmt: skip
    datasets.build("rand", lake, name="mine", inputs={"rows": "rows"}, n=2)
    assert run("dataset", "list", "--lake", lake).splitlines()[0].endswith("2 rows  rand")
    tables.append(lake / "mine", tables.open(lake / "rows").arrow())  # by hand
    assert run("dataset", "list", "--lake", lake).splitlines()[0].endswith("4 rows  -")


def test_what_is_published_is_not_sealed_by_its_hash(lake):
    """That the hash fits makes up for no seal."""
    write_deltalake(str(lake / "theirs"), pa.table({"n": [1]}))
    told = run("dataset", "verify", "theirs", "--lake", lake, code=1)
    (digest,) = [line.split()[-1] for line in told.splitlines() if line.startswith("content hash")]
    told = run("dataset", "verify", "theirs", "--lake", lake, "--expect", digest, code=1)
    assert "have no seal" in told
    assert "this is not what was published" not in told


def test_problems_are_told_on_the_other_stream(lake):
    write_deltalake(str(lake / "theirs"), pa.table({"n": [1]}))
    done = CliRunner().invoke(app, ["dataset", "verify", "theirs", "--lake", str(lake)])
    assert "error: 1 commits have no seal (0)" in done.stderr
    assert "error" not in done.stdout
    assert done.stdout.startswith("theirs, version 0: 1 rows in 1 files")


@pytest.mark.parametrize("at", [(), ("--at", 1)])
def test_a_repair_is_of_the_table_whichever_version_is_looked_at(lake, at):
    import os

    left = lake / "photos" / "part-00000000-left.parquet"
    left.write_bytes(b"x")
    os.utime(left, (1, 1))
    told = run("dataset", "verify", "photos", "--lake", lake, "--repair", *at)
    assert told.startswith("moved part-00000000-left.parquet")
    assert f"version {1 if at else 2}: " in told
    assert not left.exists()


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
def test_an_allocation_needs_what_it_divides_by(lake, allocation):
    words = ["dataset", "build", "rand", "--lake", str(lake), "-n", "1", "--allocation", allocation]
    done = CliRunner().invoke(app, words)
    assert str(done.exception) == (
        f"--allocation {allocation} divides rows among the values of --stratify COLUMN; add it"
    )
    assert tables.names(lake) == ["photos"]
