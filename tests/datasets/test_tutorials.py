"""The tutorials from raw files to records, followed word for word on files that were made up."""

from pathlib import Path

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import datasets, photos, tables
from tests.datasets.raw_files import answers, csv, im2gps3k, mp16, tar_of
from tests.near_duplicates.photos_made import COPIES, jpeg, scene
from tests.pages import TUTORIALS, follow


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
    told = follow(TUTORIALS / "hard.md", tmp_path, smaller=smaller)
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
    told = "".join(follow(TUTORIALS / "leakage.md", tmp_path))
    assert "3  look alike, of 6 compared by picture" in told
    assert "3  of these share no photo id" in told
    assert pq.read_table("leakage/pairs-im2gps3k-photos.parquet").num_rows == 3


def holiday(folder, photos=60):
    """Write photos as a phone does, in a folder of folders, with a RAW file and bad ones."""
    rng = np.random.default_rng(3)
    scenes = [scene(i, (96, 72)) for i in range(60)]
    for i in range(photos):
        exif = Image.Exif()
        exif[0x0110] = "Phone"
        lat, lon = float(rng.uniform(36, 60)), float(rng.uniform(0, 30))
        exif[0x8825] = {1: "N", 2: degrees(lat), 3: "E", 4: degrees(lon)}
        path = folder / f"day{i % 3}" / f"IMG_{i:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(scenes[i % 60], exif=exif, xmp=XMP))
    (folder / "IMG_9998.CR2").write_bytes(b"II*\0 raw")
    (folder / "IMG_9999.jpg").write_bytes(jpeg(scene(0, (96, 72))))


def degrees(value):
    whole, part = divmod(value * 60, 60)
    return whole, int(part), round(part % 1 * 60, 4)


XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:RDF><rdf:Description
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""

TINY = (
    "tiny-cpu model.hidden=48 model.layers=2 model.vision_layers=1 "
    "train.max_steps=80 train.warmup_steps=5 train.learning_rate=1e-2 train.batch=8 "
    "train.per_device=8 "
    "data.round_degrees=10"
)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_your_photos_one_gpu(tmp_path, monkeypatch):
    pytest.importorskip("trl", reason="the extra train is not installed")
    monkeypatch.chdir(tmp_path)
    holiday(tmp_path / "holiday")
    told = follow(
        TUTORIALS / "own-photos.md", tmp_path, smaller=[("qwen2.5-vl-3b-1gpu-lora", TINY)]
    )
    assert "1  RAW files (.cr2) are left out; export them as JPEG" in told[0]
    assert "60" in told[0]
    rows = tables.open("lake/photos").arrow().to_pylist()
    assert {r["xmp:Rating"] for r in rows if r["status"] == "ok"} == {"4"}
    assert {r["Model"] for r in rows if r["status"] == "ok"} == {"Phone"}
    split = tables.open("lake/divided").arrow(["split"])["split"].to_pylist()
    assert pq.read_metadata("answers.parquet").num_rows == split.count("test") > 0
    assert "median" in told[-1].lower()


def published_lake(folder, rows=1600):
    """Write photos of Japan and elsewhere, labelled and tagged, with pictures and what was said."""
    rng = np.random.default_rng(4)
    east = np.arange(rows) % 4 > 0
    lat = np.where(east, rng.uniform(33.5, 43.5, rows), rng.uniform(45, 49, rows))
    lon = np.where(east, rng.uniform(131.5, 144.5, rows), rng.uniform(0, 5, rows))
    names = [f"{i}.jpg" for i in range(rows)]
    table = pa.table({"id": names, "image": names, "lat": lat, "lon": lon,
                      "author": [f"a{i}" for i in range(rows)]})  # fmt: skip
    photos.import_(table, folder / "lake" / "photos", licence="CC BY 4.0")
    datasets.build("labelled", folder / "lake")
    tables.tag(folder / "lake" / "labelled", "paper")
    (folder / "photos").mkdir()
    pictures = [jpeg(scene(i, (32, 24))) for i in range(5)]
    for i, name in enumerate(names):
        (folder / "photos" / name).write_bytes(pictures[i % 5])
    csv(pa.table({"photo_id": names, "score": rng.random(rows)}), folder / "scores.csv")
    said = [(name, model, "Japan") for name in names for model in ("a", "b")]
    columns = dict(zip(("photo_id", "model", "answer"), map(list, zip(*said))))
    csv(pa.table(columns), folder / "answers.csv")


@pytest.mark.parametrize("rows", [1600, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_publish_your_dataset(tmp_path, monkeypatch, rows):
    """The exported set is opened by every reader that the page names, as far as it is here."""
    monkeypatch.chdir(tmp_path)
    published_lake(tmp_path, rows)
    follow(TUTORIALS / "publish.md", tmp_path)
    japan = tables.open("lake/japan").rows
    parts = sorted(Path("divided/data").glob("*.parquet"))
    assert {p.name.partition("-")[0] for p in parts} == {"train", "validation", "test"}
    total = sum(pq.read_metadata(p).num_rows for p in parts)
    assert total == tables.open("lake/divided").rows <= japan
    assert duckdb.sql("SELECT count(*) FROM 'divided/data/*.parquet'").fetchall() == [(total,)]
    assert polars.read_parquet("divided/data/*.parquet").height == total
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.read_parquet("divided/data/test-00000-of-00001.parquet")
    assert frame.crs.name == "WGS 84 (CRS84)"
    assert len(frame) == pq.read_metadata("divided/data/test-00000-of-00001.parquet").num_rows
    assert str(tmp_path) not in Path("divided/README.md").read_text()
    assert pq.read_metadata("sft.parquet").num_rows > 0
    assert list(Path("verl").rglob("*.parquet"))


def test_the_exported_set_is_opened_by_datasets(tmp_path, monkeypatch):
    loader = pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    published_lake(tmp_path, 200)
    datasets.build("split", "lake", "divided", "labelled", test=0.2, validation=0.0)
    tables.export("lake/divided", "divided")
    found = loader.load_dataset("parquet", data_dir="divided", cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in found.items()} == {
        p.name.partition("-")[0]: pq.read_metadata(p).num_rows
        for p in Path("divided/data").glob("*.parquet")
    }
