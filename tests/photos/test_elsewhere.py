"""Pictures are found from any working directory, and after lake and pictures were moved."""

import contextlib
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from geodata import images, near_duplicates, photos, records, tables
from geodata.cli import app
from geodata.files import FileError
from tests.datasets.test_tutorials import holiday


def run(cwd, *words):
    """Run a command in a folder; return what it said."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


@pytest.fixture
def home(tmp_path):
    """A folder with photos, imported and divided by commands that ran in it."""
    folder = tmp_path / "home"
    (folder / "pics").mkdir(parents=True)
    holiday(folder / "pics" / "holiday", 8)
    (tmp_path / "away").mkdir()
    return folder


def built(home, *more):
    run(home, "photos", "import", *more, "--lake", "lake", "--table", "photos")
    run(home, "dataset", "build", "labelled", "--lake", "lake")
    run(home, "dataset", "build", "filter", "--lake", "lake", "--from", "labelled",
        "--where", "status = 'ok'", "--name", "usable")  # fmt: skip


def test_records_and_hashes_find_the_photos_of_a_folder_from_elsewhere(home, tmp_path):
    built(home, Path("pics", "holiday"))
    named = tables.open(home / "lake" / "usable").arrow(["image"])["image"].to_pylist()
    assert all(name.startswith("../pics/holiday/") for name in named)
    away = tmp_path / "away"
    told = run(
        away, "records", "sft", "--lake", home / "lake", "--from", "usable", "-o", "r.parquet"
    )
    assert "8 records" in told
    paths = [row[0]["path"] for row in pq.read_table(away / "r.parquet")["images"].to_pylist()]
    assert all(Path(path).is_absolute() and Path(path).is_file() for path in paths)
    run(away, "records", "sft", "--lake", home / "lake", "--from", "usable", "-o", "b.parquet",
        "--images", "bytes")  # fmt: skip
    held = [row[0]["bytes"] for row in pq.read_table(away / "b.parquet")["images"].to_pylist()]
    assert all(images.kind_of(content) == "jpg" for content in held)
    told = run(away, "photos", "hash", "usable", "--lake", home / "lake", "--workers", "1")
    assert "8" in told
    assert near_duplicates.hash_photos(home / "lake", "usable", workers=1).known == 8
    moved = tmp_path / "moved"
    home.rename(moved)
    run(away, "records", "sft", "--lake", moved / "lake", "--from", "usable", "-o", "m.parquet")


@pytest.mark.parametrize("form", ["table", "reference", "messages", "llava"])
def test_the_trainer_finds_the_photos_of_a_folder_from_elsewhere(home, tmp_path, form):
    pytest.importorskip("torch")
    from georl.config import load
    from georl.data import photos as opened

    built(home, Path("pics", "holiday"))
    data = home / "lake" / "usable"
    if form != "table":
        data = home / ("r.jsonl" if form == "llava" else "r.parquet")
        more = ("--form", "messages") if form == "messages" else ()
        run(home, "records", "sft", "--lake", "lake", "--from", "usable", "-o", data.name, *more)
    with contextlib.chdir(tmp_path / "away"):
        found = opened(load(None, [f"data.table={data}", "output=out"]), "sft")
        assert found.table.num_rows == 8
        assert [found.reader.image(row).mode for row in found.table.to_pylist()] == ["RGB"] * 8


def test_members_of_a_named_archive_are_found_from_elsewhere(home, tmp_path):
    with tarfile.open(home / "pics.tar", "w") as archive:
        for path in sorted((home / "pics" / "holiday").glob("day*/*.jpg")):
            archive.add(path, f"inside/{path.name}")
    names = [f"IMG_{i:04}.jpg" for i in range(8)]
    rows = pa.table(
        {"photo_id": names, "lat": np.zeros(8) + 48, "lon": np.arange(8.0), "image": names}
    )
    pq.write_table(rows, home / "rows.parquet")
    built(home, "rows.parquet", "--images", "pics.tar", "--images", ".")
    named = tables.open(home / "lake" / "usable").arrow(["image"])["image"].to_pylist()
    assert all(name.startswith("../pics.tar#inside/") for name in named)
    run(tmp_path / "away", "records", "sft", "--lake", home / "lake", "--from", "usable",
        "-o", "r.parquet")  # fmt: skip


def test_a_parquet_file_of_photos_calls_them_from_where_it_lies(home, tmp_path, monkeypatch):
    monkeypatch.chdir(home)
    (home / "out").mkdir()
    photos.import_("pics/holiday", "out/photos.parquet")
    named = pq.read_table("out/photos.parquet")["image"].to_pylist()
    monkeypatch.chdir(tmp_path / "away")
    assert all((home / "out" / name).is_file() for name in named)
    labelled = home / "out" / "l.parquet"
    run(tmp_path / "away", "label", home / "out" / "photos.parquet", "-o", labelled)
    run(tmp_path / "away", "records", "sft", "--from", labelled, "-o", "r.parquet",
        "--missing", "drop")  # fmt: skip


def test_tables_that_name_pictures_from_the_working_directory_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a.png")
    rows = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3], "image": ["a.png"]})
    tables.append("deep/lake/photos", rows)
    made = records.write("photos", "r.parquet", lake="deep/lake")
    assert (made.rows, made.absent) == (1, 0)
    assert pq.read_table("r.parquet")["images"].to_pylist()[0][0]["path"] == "a.png"


def test_bytes_from_outside_the_lakes_surroundings_are_refused(tmp_path, monkeypatch):
    home, secret = tmp_path / "home", tmp_path / "secret"
    home.mkdir()
    secret.mkdir()
    Image.new("RGB", (8, 8)).save(secret / "a.png")
    rows = pa.table(
        {"photo_id": ["a"], "lat": [48.9], "lon": [2.3], "image": ["../../secret/a.png"]}
    )
    tables.append(home / "lake" / "photos", rows)
    monkeypatch.chdir(home)
    options = records.Options(images="bytes")
    with pytest.raises(FileError, match="leads outside"):
        records.write("photos", "r.parquet", lake="lake", options=options)


def test_bytes_come_from_the_folder_or_the_one_beside_it(tmp_path):
    for name in ("home", "other", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(name.encode())
    home, other = tmp_path / "home", tmp_path / "other"
    assert images.confined("a.jpg", home, beside=other) == b"home"
    assert images.confined(other / "a.jpg", home, beside=other) == b"other"
    with pytest.raises(FileError, match=r"leads outside the folder .*home and .*other; only"):
        images.confined("../secret/a.jpg", home, beside=other)
    with pytest.raises(FileError, match="leads outside"):
        images.confined(other / "a.jpg", home)
