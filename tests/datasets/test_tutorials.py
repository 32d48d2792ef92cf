"""The tutorials from raw files to records, followed word for word on files that were made up."""

import pyarrow.parquet as pq
import pytest

from geodata import tables
from tests.datasets.raw_files import answers, csv, im2gps3k, mp16, tar_of
from tests.following import follow
from tests.near_duplicates.photos_made import COPIES, jpeg, scene


def mp16_folder(folder, rows):
    table, lat, lon = mp16(rows)
    csv(table, folder / "mp16_places365.csv")
    csv(answers(table, lat, lon), folder / "base_model.csv")
    csv(im2gps3k(table), folder / "im2gps3k.csv")
    picture = jpeg(scene(0, (64, 48))).ljust(5200, b"\0")  # less is Flickr's placeholder
    names = (f"mp16/{name.replace('/', '_')}" for name in table["IMG_ID"].to_pylist())
    tar_of(folder / "mp-16-images.tar", dict.fromkeys(names, picture))


@pytest.mark.parametrize("rows", [2500, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_mp16_hard_from_the_raw_download(tmp_path, monkeypatch, rows):
    monkeypatch.chdir(tmp_path)
    mp16_folder(tmp_path, rows)
    share = rows / 2_500_000
    smaller = [(f" {n}", f" {int(n * share)}") for n in (500_000, 200_000)]
    told = follow("hard.md", smaller)
    assert "same content hash" in "".join(told)
    clean = set(tables.open("lake/clean").arrow(["photo_id"])["photo_id"].to_pylist())
    assert len(clean) < rows
    for name in ("labelled", "rand", "popular", "hard"):
        assert set(tables.open(f"lake/{name}").arrow(["photo_id"])["photo_id"].to_pylist()) <= clean
    assert pq.read_metadata("rand-sft.parquet").num_rows == int(500_000 * share)
    assert pq.read_metadata("hard-grpo.parquet").num_rows == int(200_000 * share)


def test_a_leakage_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table, *_ = mp16(30)
    csv(table, tmp_path / "mp16.csv")
    test = im2gps3k(mp16(300)[0], rows=6, shared=0)
    csv(test, tmp_path / "im2gps3k.csv")
    pictures = {f"mp16/{n.replace('/', '_')}": jpeg(scene(i, (320, 240)), 95)
                for i, n in enumerate(table["IMG_ID"].to_pylist())}  # fmt: skip
    assert min(map(len, pictures.values())) > 5120  # smaller ones are Flickr's placeholder
    tar_of(tmp_path / "mp-16-images.tar", pictures)
    (tmp_path / "im2gps3ktest").mkdir()
    for i, name in enumerate(test["IMG_ID"].to_pylist()):
        copied = COPIES["quality 50"](scene(i if i < 3 else 100 + i, (320, 240)), i)
        (tmp_path / "im2gps3ktest" / name).write_bytes(copied.ljust(6000, b"\0"))
    told = "".join(follow("leakage.md"))
    assert "3  look alike, of 6 compared by picture" in told
    assert "3  of these share no photo id" in told
    assert pq.read_table("leakage/pairs-im2gps3k-photos.parquet").num_rows == 3
