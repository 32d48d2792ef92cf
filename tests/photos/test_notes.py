"""What an import takes by default, what it notes, and batches that differ."""

import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import SOFTWARE, photos, tables
from geodata.files import Batch
from geodata.leakage import marked_salt
from geodata.photos import importing
from geodata.photos.sources import PhotoSource


def csv_file(path, *lines, header="id,lat,lon,author"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_note_says_all_that_the_rows_depend_on(tmp_path):
    path = csv_file(tmp_path / "fotos.csv", "a,1,2,u", "b,,,v", "c,95,2,u")
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "a").write_bytes(b"x")
    target = tmp_path / "out.parquet"
    report = photos.import_(path, target, licence="CC0",
                            images=tmp_path / "pics", min_image_bytes=1)  # fmt: skip
    assert report.made_by == {
        "software": SOFTWARE,
        "step": "photos import",
        "source": {
            "name": "fotos.csv", "format": "csv",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "columns": {"photo_id": "id", "lat": "lat", "lon": "lon", "author": "author"},
        "keep": [],
        "source_name": "fotos",
        "authors": "sha256",
        "licence": "CC0",
        "images": [{"folder": "pics"}],
        "min_image_bytes": 1,
    }  # fmt: skip
    assert (report.target, report.version, report.known_ids) == (str(target), None, 0)
    assert (report.rows, report.beyond_pole, report.repeated_ids) == (3, 1, 0)
    assert report.statuses == {"ok": 1, "missing": 1, "invalid": 1}
    assert list(report.statuses) == ["ok", "missing", "invalid"]
    assert report.raw == {}
    kept = json.loads(pq.read_schema(target).metadata[b"geodata"])
    assert kept == report.made_by


@pytest.mark.parametrize("salt", ["own", b"own", False, None])
def test_a_file_has_the_salt_that_is_given_or_none(tmp_path, salt):
    path = csv_file(tmp_path / "a.csv", "a,1,2,u")
    report = photos.import_(path, tmp_path / "o.parquet", salt=salt)
    (author,) = pq.read_table(tmp_path / "o.parquet")["author"].to_pylist()
    mark = marked_salt(b"own").mark
    if salt:
        assert report.made_by["authors"] == f"sha256 with a salt of its own, {mark}"
        assert author.startswith(f"{mark}:")
    else:
        assert report.made_by["authors"] == "sha256"
        assert author == hashlib.sha256(b"u").hexdigest()


@pytest.mark.parametrize("salt", [None, False, "own"])
def test_a_table_has_the_salt_of_its_lake_or_what_is_given(tmp_path, salt):
    path = csv_file(tmp_path / "a.csv", "a,1,2,u")
    report = photos.import_(path, tmp_path / "lake" / "t", salt=salt)
    told = report.made_by["authors"]
    lakes = tables.lake_salt(tmp_path / "lake")
    assert (lakes is None) == (salt is not None)
    assert (
        told
        == {
            None: lakes and f"sha256 with a salt of the lake, {lakes.mark}",
            False: "sha256",
            "own": f"sha256 with a salt of its own, {marked_salt(b'own').mark}",
        }[salt]
    )
    assert report.target == str(tmp_path / "lake" / "t")


@pytest.mark.parametrize(
    ("source", "format_", "options", "name", "least"),
    [
        ("mp16", "mp16", {}, "mp16", 5120), ("mp16", None, {}, "a", 0),
        ("mp16", "im2gps3k", {"source_name": "own"}, "own", 5120),
        ("mp16", "mp16", {"min_image_bytes": 0}, "mp16", 0),
        ("flickr", None, {}, "flickr", 5120), ("geojson", None, {}, "geojson", 0),
        ("table", None, {}, "photos", 0), ("table", None, {"source_name": "own"}, "own", 0),
    ],
)  # fmt: skip
def test_names_and_least_sizes_by_default(tmp_path, source, format_, options, name, least):
    made = {
        "mp16": lambda: csv_file(tmp_path / "a.csv", "x,1,2", header="IMG_ID,LAT,LON"),
        "flickr": lambda: {"photos": {"photo": [{"id": 1, "latitude": 1, "longitude": 2}]}},
        "geojson": lambda: {"type": "FeatureCollection", "features": []},
        "table": lambda: {"id": ["x"], "lat": [1.0], "lon": [2.0]},
    }[source]()  # fmt: skip
    if source in ("flickr", "geojson"):
        (tmp_path / "d.json").write_text(json.dumps(made))
        made = tmp_path / "d.json"
    report = photos.import_(made, tmp_path / "o.parquet", format=format_, **options)
    assert (report.made_by["source_name"], report.made_by["min_image_bytes"]) == (name, least)


@pytest.mark.parametrize("keep", ["Lat", "h3_3", "STATUS", "z"])
def test_a_name_of_the_schema_is_not_kept(keep):
    rows = {"latitude": [1], "longitude": [2], keep: ["u"]}
    named = {"lat": "latitude", "lon": "longitude"}
    with pytest.raises(ValueError) as told:
        photos.read(rows, keep=[keep], columns=named)
    assert str(told.value) == (
        f"keep: {keep!r} is a name of the photo schema; rename the column in the source"
    )


def test_pictures_are_their_own_images(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    for json_ in (False, True):
        if json_:
            (tmp_path / "a.jpg.json").write_text('{"photoTakenTime": {"timestamp": "1"}}')
        with pytest.raises(ValueError) as told:
            photos.import_(tmp_path, tmp_path / "o.parquet", images=tmp_path)
        assert str(told.value) == (
            "images: the source is the pictures themselves; leave images out"
        )


def source_of(*batches, keep=(), rows=None):
    """A source of tables by role, as they come."""
    columns = {name: name for name in batches[0].column_names if name not in keep}
    return PhotoSource("s", None, "csv", "", columns, keep, rows,
                       lambda _: iter([Batch(table, {}) for table in batches]))  # fmt: skip


def test_batches_are_numbered_on_and_have_the_types_of_the_first():
    first = pa.table({"lat": [1.0, 95.0], "lon": [2.0, 2.0], "n": ["x", None]})
    later = pa.table({"lat": ["96"], "lon": ["2"], "n": pa.nulls(1)})
    opened = source_of(first, later, keep=("n",))
    rules = importing._rules(opened, None, None, None, None, None)
    (one, beyond), (two, more) = importing._batches(opened, rules)
    assert one.schema == two.schema
    assert (beyond, more) == (1, 1)
    assert two.select(["photo_id", "source_row", "n"]).to_pylist() == [
        {"photo_id": "2", "source_row": 2, "n": None}
    ]


def test_progress_is_told_behind_each_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "open_photos", lambda *_: source_of(
        *[pa.table({"photo_id": [f"{i}{n}" for n in range(i)], "lat": [1.0] * i, "lon": [2.0] * i})
          for i in (2, 3, 1)], rows=6))  # fmt: skip
    steps = []
    report = photos.import_("s", tmp_path / "o.parquet",
                            progress=lambda *step: steps.append(step))  # fmt: skip
    assert steps == [(2, 6), (5, 6), (6, 6)]
    assert (report.rows, report.statuses) == (6, {"ok": 6})
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 6
    assert "sha256" not in report.made_by["source"]


def test_a_source_without_a_row_keeps_columns_as_text(tmp_path):
    path = csv_file(tmp_path / "a.csv", header="lat,lon,b,a")
    report = photos.import_(path, tmp_path / "lake" / "t", keep=["b", "a"])
    assert (report.rows, report.version, report.statuses) == (0, 0, {})
    schema = tables.open(tmp_path / "lake" / "t").schema
    assert schema.names == [*photos.SCHEMA.names, "b", "a"]
    assert [schema.field(name).type for name in "ba"] == [pa.string()] * 2
    assert schema.field("h3_3").type == pa.int64()


@pytest.mark.parametrize("target", ["s3://bucket/lake/photos", "lake/photos"])
def test_from_a_bucket_pictures_of_this_machine_are_called_by_their_whole_path(
    tmp_path, monkeypatch, target
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pics").mkdir()
    (tmp_path / "more").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "pics" / "a.jpg")
    csv_file(tmp_path / "a.csv", "a,1,2,u")
    begins = f"{tmp_path}/" if target.startswith("s3:") else "../"
    opened = importing.open_photos("pics")
    rules = importing._rules(opened, None, None, None, None, None)
    assert importing._places(opened, rules, target) == (("pics/", f"{begins}pics/"),)
    (tmp_path / "pics" / "a.jpg.json").write_text('{"photoTakenTime": {"timestamp": "1"}}')
    opened = importing.open_photos("pics")
    assert opened.format == "takeout"
    assert importing._places(opened, rules, target) == (("pics/", f"{begins}pics/"),)
    opened = importing.open_photos("a.csv")
    rules = importing._rules(opened, None, ["more"], None, None, None)
    assert importing._places(opened, rules, target) == (("more/", f"{begins}more/"),)
