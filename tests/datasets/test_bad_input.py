"""What goes wrong between raw files and records: said in a line, nothing lost, and gone on from."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import datasets, files, photos, records, tables
from geodata.files import FileError
from geodata.tables.lakes import kept_inputs
from tests.near_duplicates.photos_made import jpeg, scene

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = 12


def run(cwd, *words, limit=None, code=0):
    """Run the command in a process of its own, whose files may grow to a limit; what it said."""
    cap = (
        None if limit is None else (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit,) * 2))
    )
    done = subprocess.run(
        [sys.executable, "-m", "geodata", *map(str, words)],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        capture_output=True, text=True, preexec_fn=cap,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path):
    """A folder of pictures, small but for three, and a lake with them labelled."""
    (tmp_path / "pics").mkdir()
    rng = np.random.default_rng(0)
    names = [f"{i:02}.jpg" for i in range(PHOTOS)]
    for i, name in enumerate(names):
        grain = rng.integers(0, 256, (400, 400, 3), np.uint8)
        seen = Image.fromarray(grain) if i % 4 == 3 else scene(i, (64, 48))
        (tmp_path / "pics" / name).write_bytes(jpeg(seen, 95))
    rows = pa.table({"id": names, "image": names, "lat": rng.uniform(40, 50, PHOTOS),
                     "lon": rng.uniform(0, 10, PHOTOS)})  # fmt: skip
    photos.import_(rows, tmp_path / "lake" / "photos", images=tmp_path / "pics")
    datasets.build("labelled", tmp_path / "lake")
    return tmp_path


WRITE = ("records", "sft", "--lake", "lake", "--from", "labelled", "--images", "bytes",
         "--shard-rows", "1", "-o")  # fmt: skip


def held(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def finished(home):
    return list(home.glob(".out.*.partial/data/*.parquet"))


def test_a_file_that_may_not_grow_stops_records_and_the_rest_goes_on(home):
    said = run(home, *WRITE, "out", limit=100_000, code=2)
    assert "no room left while writing records" in said
    assert "free space or choose another disk" in said
    assert not (home / "out").exists()
    there = len(finished(home))
    assert there < PHOTOS
    said = run(home, *WRITE, "out")
    assert f"{PHOTOS} records" in said
    assert (f"{there} files were there from an earlier try" in said) == bool(there)
    run(home, *WRITE, "whole")
    assert held(home / "out") == held(home / "whole")
    assert not list(home.glob(".out.*"))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 500 kB of its own, where that may be made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500k", "none", disk], check=False,
                          capture_output=True)  # fmt: skip
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_stops_records_and_the_rest_goes_on(home, small_disk):
    out = small_disk / "out"
    said = run(home, *WRITE, out, code=2)
    assert "no room left while writing records" in said
    assert not out.exists()
    there = list(small_disk.glob(".out.*.partial/data/*.parquet"))
    assert 0 < len(there) < PHOTOS
    assert not list(small_disk.rglob("*.part"))
    size = "remount,size=9m"
    subprocess.run(["mount", "-o", size, small_disk], check=True)
    said = run(home, *WRITE, out)
    assert f"{len(there)} files were there from an earlier try" in said
    assert sum(pq.read_metadata(p).num_rows for p in out.rglob("*.parquet")) == PHOTOS


def test_pictures_that_vanished_before_records_are_counted_and_left_out_on_request(home):
    for name in ("01.jpg", "05.jpg"):
        (home / "pics" / name).unlink()
    said = " ".join(run(home, *WRITE, "out", code=2).split())
    assert f"2 of {PHOTOS} pictures are not there" in said
    assert "--missing drop" in said
    assert not (home / "out").exists()
    said = run(home, *WRITE, "out", "--missing", "drop")
    assert "10 records" in said
    assert "2 rows left out" in said


def test_pictures_that_vanish_while_records_are_written(home, monkeypatch):
    monkeypatch.chdir(home)
    away, options = home / "away", records.Options(images="bytes")

    def vanish(done, total):
        if done == 4 and not away.exists():
            (home / "pics").rename(away)

    asked = {"lake": "lake", "shard_rows": 1, "options": options}
    with pytest.raises(FileError, match="there is no such picture"):
        records.write("labelled", "out", **asked, progress=vanish)
    assert not (home / "out").exists()
    assert len(finished(home)) == 4
    away.rename(home / "pics")
    made = records.write("labelled", "out", **asked)
    assert (made.rows, made.resumed) == (PHOTOS, 4)
    records.write("labelled", "whole", **asked)
    assert held(home / "out") == held(home / "whole")


def test_a_split_with_nulls_is_never_taken_for_a_part(home):
    rows = tables.open(home / "lake" / "labelled").arrow()
    split = [("train", "test", None)[i % 3] for i in range(PHOTOS)]
    tables.write(home / "lake" / "divided", rows.append_column("split", pa.array(split)))
    asked = ("records", "sft", "--lake", "lake", "--from", "divided", "-o")
    said = " ".join(run(home, *asked, "a.parquet", code=2).split())
    assert "has splits (test 4, train 4, NULL 4 rows); choose one" in said
    assert said.endswith("(split=, where=; --split, --where)")
    assert "4 records" in run(home, *asked, "a.parquet", "--split", "train")
    assert "12 records" in run(home, *asked, "b.parquet", "--split", "all")
    said = " ".join(
        run(home, "dataset", "export", "divided", "--lake", "lake", "-o", "x", code=2).split()
    )
    assert "4 rows have no split (NULL)" in said
    assert "IS NOT NULL" in said
    assert not (home / "x").exists()
    run(home, "dataset", "build", "filter", "--lake", "lake", "--from", "divided", "--name", "sure",
        "--where", "split IS NOT NULL")  # fmt: skip
    run(home, "dataset", "export", "sure", "--lake", "lake", "-o", "x")


def test_a_filter_that_drops_all_rows_leaves_the_version_before(home):
    asked = ("dataset", "build", "filter", "--lake", "lake", "--from", "labelled", "--name", "few")
    run(home, *asked, "--where", "lat > 40")
    before = tables.open(home / "lake" / "few").content_hash
    said = " ".join(run(home, *asked, "--where", "country_code = 'XX'", code=2).split())
    assert "leaves no row" in said
    assert "country_code = 'XX'" in said
    opened = tables.open(home / "lake" / "few")
    assert (opened.version, opened.content_hash) == (0, before)
    said = run(home, "records", "sft", "--lake", "lake", "--from", "few", "-o", "a.parquet",
               "--where", "lat > 89", code=2)  # fmt: skip
    assert "none of its" in " ".join(said.split())
    assert not (home / "a.parquet").exists()


OWN = """
import sys
import pyarrow.compute as pc
from geodata import datasets


@datasets.register
def northern(rows, *, above=45.0):
    return rows.filter(pc.greater(rows["lat"], above))


print(getattr(datasets, sys.argv[1])(*sys.argv[2:]).content_hash)
"""


def own(home, *words, code=0):
    done = subprocess.run(
        [sys.executable, "own.py", *words], cwd=home, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout.strip() + done.stderr


def test_a_recipe_whose_function_changed_is_not_replayed(home):
    (home / "own.py").write_text(OWN)
    first = own(home, "build", "northern", "lake", "north", "labelled")
    assert own(home, "rebuild", "lake", "north") == first
    (home / "own.py").write_text(OWN.replace('"lat"], above', '"lat"], above + 0.0'))
    said = own(home, "rebuild", "lake", "north", code=1)
    assert "northern of recipe 'northern' changed: its source" in said
    assert "build the dataset again" in said
    assert tables.open(home / "lake" / "north").version == 0
    own(home, "build", "northern", "lake", "north", "labelled")  # what the message says to do
    assert own(home, "rebuild", "lake", "north") == own(home, "rebuild", "lake", "north")
    said = run(home, "dataset", "rebuild", "north", "--lake", "lake", code=2)
    assert "northern" in said
    (home / "own.py").write_text(OWN)
    assert own(home, "rebuild", "lake", "north", "0") == first


def test_a_file_that_is_written_while_a_dataset_is_made_from_it(home, monkeypatch):
    """Its hash is in the commit, so its rows have to be those of the hash."""
    scores = home / "scores.csv"
    scores.write_text("photo_id,score\n" + "".join(f"{i:02}.jpg,{i}\n" for i in range(PHOTOS)))
    asked = ("join", home / "lake", "scored", {"rows": "labelled", "other": str(scores)})
    original = tables.write

    def late(*args, **options):
        scores.write_text(scores.read_text() + "99.jpg,1\n")
        return original(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("geodata.tables.write", late)
        with pytest.raises(datasets.DatasetError, match="was written while the dataset was made"):
            datasets.build(*asked)
    assert not tables.exists(home / "lake" / "scored")
    assert datasets.build(*asked).rows == PHOTOS
    assert datasets.rebuild(home / "lake", "scored").rows == PHOTOS


def test_a_file_that_was_written_before_it_is_kept_is_not_kept(home):
    path = home / "a.csv"
    path.write_text("a\n1\n")
    named = {"file": "a.csv", "sha256": files.sha256(path), "bytes": 4}
    path.write_text("a\n2\n")
    with pytest.raises(FileError, match="written meanwhile"):
        kept_inputs.keep(home / "lake", named, path)
    assert not list((home / "lake" / "_inputs").iterdir())
