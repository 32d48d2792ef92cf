"""A name's ending tells the format in capitals as well: ``PHOTOS.CSV`` of a camera."""

import gzip
import json
import tarfile
import zipfile

import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import boundaries, cor, evaluation, files, images, maps, records
from geodata.evaluation import report

PHOTOS = {"id": ["a", "b"], "lat": [48.85, 35.68], "lon": [2.29, 139.69]}
FEATURE = {
    "type": "Feature",
    "properties": {"iso": "CHE", "name": "Wallis"},
    "geometry": {"type": "Polygon", "coordinates": [[[7, 46], [8, 46], [8, 47], [7, 47], [7, 46]]]},
}


@pytest.mark.parametrize("name", ["A.CSV", "A.TSV", "A.JSONL", "A.NDJSON", "A.PARQUET", "A.Pq"])
def test_tables(tmp_path, name):
    files.write_table(files.open_source(PHOTOS).no_rows().schema.empty_table(), tmp_path / name)
    assert files.open_source(tmp_path / name).kind == files.file_format(name.lower())


def test_packed_tables(tmp_path):
    (tmp_path / "A.CSV.GZ").write_bytes(gzip.compress(b"id,lat,lon\na,1,2\n"))
    assert files.read_table(tmp_path / "A.CSV.GZ")["id"].to_pylist() == ["a"]


def test_labels(tmp_path):
    cor.label_file(PHOTOS, tmp_path / "A.GEOJSON")
    cor.label_file(tmp_path / "A.GEOJSON", tmp_path / "B.PARQUET")
    assert json.loads((tmp_path / "A.GEOJSON").read_text())["type"] == "FeatureCollection"
    assert pq.read_table(tmp_path / "B.PARQUET")["country_code"].to_pylist() == ["FR", "JP"]


def test_archives(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    with tarfile.open(tmp_path / "A.TAR", "w") as made:
        made.add(tmp_path / "a.jpg", "a.jpg")
    with zipfile.ZipFile(tmp_path / "A.ZIP", "w") as made:
        made.write(tmp_path / "a.jpg", "a.jpg")
    for name in ("A.TAR", "A.ZIP"):
        assert images.open_archive(tmp_path / name).read("a.jpg")[:2] == b"\xff\xd8"


@pytest.mark.parametrize(("name", "form"), [("R.PARQUET", "parquet"), ("R.JSONL", "llava")])
def test_records(tmp_path, name, form):
    from geodata.records import forms

    assert forms.format_of(tmp_path / name, None) == form
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    labels = cor.label_table({k: v[:1] for k, v in PHOTOS.items()})
    rows = labels.append_column("image", [["a.jpg"]]).rename_columns(
        ["photo_id" if n == "id" else n for n in (*labels.column_names, "image")]
    )
    options = records.Options(image_root=str(tmp_path))
    records.write(rows, tmp_path / name, options=options)
    assert (tmp_path / name).is_file()


def test_maps_and_figures(tmp_path):
    assert [maps.format_of(f"A.{kind}") for kind in ("PNG", "HTML")] == ["png", "html"]
    found = evaluation.evaluate(PHOTOS, PHOTOS, regions=False)
    pytest.importorskip("matplotlib")
    report.write_curves({"a": found}, tmp_path / "A.SVG")
    assert b"<svg" in (tmp_path / "A.SVG").read_bytes()


def test_borders(tmp_path):
    whole = {"type": "FeatureCollection", "features": [FEATURE]}
    (tmp_path / "A.GEOJSON").write_text(json.dumps(whole))
    made = boundaries.build(
        tmp_path / "A.GEOJSON", tmp_path / "own", columns={"country": "iso", "admin1": "name"},
        licence="CC0-1.0", shareable=True,
    )  # fmt: skip
    boundaries.export(made.folder, tmp_path / "A.PARQUET")
    assert pq.read_schema(tmp_path / "A.PARQUET").names
