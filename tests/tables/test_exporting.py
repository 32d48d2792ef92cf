"""Exports as other tools open them: splits, GeoParquet, Croissant, a card without folders."""

import json
import math

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from geodata import coords, files, tables
from geodata.tables import data_files
from geodata.tables.exports.exporting import points_wkb


def rows(n=30, **more):
    lat = np.linspace(-80, 80, n).tolist()
    lat[3] = None
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(n)],
            "lat": pa.array(lat, pa.float64()),
            "lon": np.linspace(-179, 179, n),
            "licence": ["CC BY 4.0"] * n,
            **more,
        }
    )


def divided(n=30):
    names = ["train"] * (n - 10) + ["validation"] * 4 + ["test"] * 6
    return rows(n, split=names[::-1])


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def test_each_split_has_files_of_its_own(lake, tmp_path):
    tables.append(lake / "t", divided(), file_rows=7)
    out = tables.export(lake / "t", tmp_path / "out")
    found = {}
    for path in sorted((out / "data").iterdir()):
        table = pq.ParquetFile(path).read()
        (split,) = set(table["split"].to_pylist())
        assert path.name.startswith(f"{split}-")
        assert path.name.endswith(f"-of-{len(list((out / 'data').glob(split + '-*'))):05d}.parquet")
        found.setdefault(split, []).extend(table["photo_id"].to_pylist())
    assert {k: len(v) for k, v in found.items()} == {"train": 20, "validation": 4, "test": 6}
    assert sorted(one for part in found.values() for one in part) == sorted(
        divided()["photo_id"].to_pylist()
    )
    card = (out / "README.md").read_text("utf-8")
    for split in found:
        assert f"  - split: {split}\n    path: data/{split}-*.parquet" in card
    assert "| validation | 4 | 13.33% |" in card
    assert "license: cc-by-4.0" in card
    assert "task_categories:" in card


def test_datasets_gives_the_splits(lake, tmp_path):
    datasets = pytest.importorskip("datasets")
    tables.append(lake / "t", divided())
    out = tables.export(lake / "t", tmp_path / "out")
    for first, more in (("parquet", {"data_dir": str(out)}), (str(out), {})):
        loaded = datasets.load_dataset(first, cache_dir=str(tmp_path / "cache"), **more)
        assert {k: v.num_rows for k, v in loaded.items()} == {
            "train": 20, "validation": 4, "test": 6,
        }  # fmt: skip
        assert set(loaded["test"]["split"]) == {"test"}


def test_rows_without_a_split_or_with_a_path_in_it_are_refused(lake, tmp_path):
    names = [None, "../../x", *["train"] * 28]
    tables.append(lake / "t", rows(split=names))
    with pytest.raises(tables.TableError, match=r"1 rows have no split \(NULL\)"):
        tables.export(lake / "t", tmp_path / "out")
    tables.append(lake / "u", rows(split=["train", *names[1:]]))
    with pytest.raises(tables.TableError, match=r"split '\.\./\.\./x' is no part of a file's name"):
        tables.export(lake / "u", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lake"]
    # a column of that name that divides nothing, and one that is no text
    tables.append(lake / "v", rows(split=pa.nulls(30, pa.string())))
    tables.append(lake / "w", rows(split=list(range(30))))
    for name in "vw":
        out = tables.export(lake / name, tmp_path / name)
        assert [p.name for p in (out / "data").iterdir()] == ["train-00000-of-00001.parquet"]


def test_geopandas_duckdb_and_polars_read_the_points(lake, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    tables.append(lake / "t", rows())
    out = tables.export(lake / "t", tmp_path / "out")
    path = out / "data" / "train-00000-of-00001.parquet"
    frame = geopandas.read_parquet(path)
    assert frame.crs.equals("OGC:CRS84")
    expected = rows().to_pylist()
    for point, row in zip(frame.geometry, expected, strict=True):
        if row["lat"] is None:
            assert point is None
        else:
            assert (point.y, point.x) == (row["lat"], row["lon"])
    meta = json.loads(pq.ParquetFile(path).metadata.metadata[b"geo"])
    assert meta["version"] == "1.1.0"
    assert meta["columns"]["geometry"]["bbox"] == list(frame.total_bounds)
    counted = duckdb.sql(f"SELECT count(geometry), typeof(any_value(geometry)) FROM '{path}'")
    n, kind = counted.fetchall()[0]
    assert n == 29
    assert kind.startswith(("GEOMETRY", "BLOB"))
    assert pl.read_parquet(path).height == 30


def test_the_box_of_a_file_is_that_of_all_that_was_read_of_it(lake, tmp_path, monkeypatch):
    """A file is read so many rows a time; the ends may lie in any of them."""
    read = data_files.read
    monkeypatch.setattr(data_files, "read", lambda file, schema, *_: read(file, schema, 2))
    lat, lon = [10.0, 0.0, 80.0, -70.0, 5.0, 6.0], [3.0, -9.0, 0.0, 1.0, 170.0, 4.0]
    for turn in (1, -1):
        path = lake / ("t" if turn == 1 else "u")
        tables.append(path, pa.table({"lat": lat[::turn], "lon": lon[::turn]}))
        (file,) = (tables.export(path, tmp_path / path.name) / "data").iterdir()
        geo = json.loads(pq.ParquetFile(file).metadata.metadata[b"geo"])
        assert geo["columns"]["geometry"]["bbox"] == [-9.0, -70.0, 170.0, 80.0]
        assert pq.read_table(file)["lat"].to_pylist() == lat[::turn]


def test_rows_that_are_none_are_exported_with_their_columns(lake, tmp_path):
    tables.append(lake / "t", rows().slice(0, 0))
    (path,) = (tables.export(lake / "t", tmp_path / "out") / "data").iterdir()
    found = pq.read_table(path)
    assert path.name == "train-00000-of-00001.parquet"
    assert (found.num_rows, found.column_names) == (0, [*rows().column_names, "geometry"])
    geo = json.loads(pq.ParquetFile(path).metadata.metadata[b"geo"])
    assert "bbox" not in geo["columns"]["geometry"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_to_a_folder_is_followed(lake, tmp_path, is_there):
    """As links given as output are elsewhere; a large disk is often behind one."""
    tables.append(lake / "t", rows())
    real, out = tmp_path / "disk" / "real", tmp_path / "out"
    (real if is_there else real.parent).mkdir(parents=True)
    out.symlink_to(real)
    assert tables.export(lake / "t", out) == out
    assert out.is_symlink()
    assert {"README.md", "data"} <= {path.name for path in real.iterdir()}
    assert [path.name for path in real.parent.iterdir()] == ["real"]
    with pytest.raises(tables.TableError, match=f"^{out} exists and is not an empty folder"):
        tables.export(lake / "t", out)


@pytest.mark.parametrize("out", [".", "../here", "../link"])
def test_the_working_folder_is_not_replaced(lake, tmp_path, monkeypatch, out):
    """Who stands in it would look into the folder that is gone."""
    tables.append(lake / "t", rows())
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to("here")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(tables.TableError, match="is the working folder; name a new one in it"):
        tables.export(lake / "t", out)
    assert list((tmp_path / "here").iterdir()) == []
    assert tables.export(lake / "t", "new").joinpath("README.md").is_file()


def test_coordinates_that_are_texts_are_points_too(lake, tmp_path):
    text = {"lat": ["48.5", "x", None, " -3 "], "lon": ["2.25", "1", "1", "-170.5"]}
    tables.append(lake / "t", pa.table(text))
    out = tables.export(lake / "t", tmp_path / "out")
    (path,) = (out / "data").iterdir()
    found = pq.read_table(path)
    assert found.select(["lat", "lon"]).to_pydict() == text
    points = shapely.from_wkb(found["geometry"].to_pylist())
    assert [p and (p.y, p.x) for p in points] == [(48.5, 2.25), None, None, (-3.0, -170.5)]
    geo = json.loads(pq.ParquetFile(path).metadata.metadata[b"geo"])
    assert geo["columns"]["geometry"]["bbox"] == [-170.5, -3.0, 2.25, 48.5]
    assert tables.draw_map(lake / "t", tmp_path / "map.svg") == 2
    assert (out / "map.png").is_file()


def test_the_note_of_a_card_is_in_the_letters_it_was_written_in(lake, tmp_path):
    note = {"parameters": {"place": "São Paulo", "by": ["Łukasz"], "a": 1}}
    tables.append(lake / "t", rows(), note=note)
    card = (tables.export(lake / "t", tmp_path / "out") / "README.md").read_text(encoding="utf-8")
    told = '{\n  "a": 1,\n  "by": [\n    "Łukasz"\n  ],\n  "place": "São Paulo"\n}'
    assert f"## Parameters\n\n```json\n{told}\n```" in card


@pytest.mark.parametrize("split", [None, "train", "test"])
def test_the_card_of_an_export_names_the_files_of_its_only_split(lake, tmp_path, split):
    more = {} if split is None else {"split": [split] * 30}
    tables.append(lake / "t", rows(**more))
    out = tables.export(lake / "t", tmp_path / "out")
    named = split or "train"
    card = (out / "README.md").read_text("utf-8")
    told = card.partition("configs:\n")[2].partition("---")[0]
    assert told == (
        "- config_name: default\n  data_files:\n"
        f"  - split: {named}\n    path: data/{named}-*.parquet\n"
    )
    assert [p.name for p in (out / "data").iterdir()] == [f"{named}-00000-of-00001.parquet"]
    assert pq.read_table(out / "data").num_rows == 30


@pytest.mark.parametrize("name", ["geometry", "Geometry", "GEOMETRY"])
def test_a_geometry_of_ones_own_stays(lake, tmp_path, name):
    """In whichever case: SQL would not tell two of that name apart."""
    tables.append(lake / "t", rows(**{name: ["POINT (1 2)"] * 30}))
    out = tables.export(lake / "t", tmp_path / "out")
    table = pq.read_table(out / "data")
    assert table.column_names == [*rows().column_names, name]
    assert set(table[name].to_pylist()) == {"POINT (1 2)"}
    assert b"geo" not in (table.schema.metadata or {})


def test_points_are_what_shapely_makes_of_them():
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500)
    lat[7], lon[9] = math.nan, math.inf
    points = coords.arrays(lat, lon)
    for i, made in enumerate(points_wkb(points).to_pylist()):
        if i in (7, 9):
            assert made is None
        else:
            assert made == shapely.to_wkb(shapely.Point(lon[i], lat[i]), byte_order=1)


REQUIRED = {"@context", "@type", "conformsTo", "name", "description", "license", "url",
            "distribution", "recordSet"}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what mlcroissant reads with
@pytest.mark.parametrize("file_rows", [7, 100])
def test_croissant_describes_every_file_and_column(lake, tmp_path, file_rows):
    """Against the required fields of the specification, and mlcroissant where it is installed."""
    more = {"tags": [["a", "b"]] * 30, "when": pa.array([0] * 30, pa.timestamp("us"))}
    table = divided()
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    tables.append(lake / "t", table, file_rows=file_rows)
    out = tables.export(lake / "t", tmp_path / "out")
    told = json.loads((out / "croissant.json").read_text("utf-8"))
    assert told.keys() >= REQUIRED
    assert told["license"] == ["CC BY 4.0"]
    objects = {d["@id"]: d for d in told["distribution"]}
    for path in (out / "data").iterdir():
        found = objects[f"data/{path.name}"]
        assert found["sha256"] == files.sha256(path)
        assert found["contentSize"] == f"{path.stat().st_size} B"
    assert [r["name"] for r in told["recordSet"]] == ["train", "validation", "test"]
    for record in told["recordSet"]:
        assert [f["source"]["extract"]["column"] for f in record["field"]] == table.column_names
        for one in record["field"]:
            (used,) = [v["@id"] for k, v in one["source"].items() if k.startswith("file")]
            assert used in objects
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(jsonld=str(out / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    for record in told["recordSet"]:
        read = [one[f"{record['name']}/photo_id"] for one in dataset.records(record["name"])]
        kept = table.filter(pc.equal(table["split"], record["name"]))
        assert [one.decode() for one in read] == kept["photo_id"].to_pylist()


def test_a_card_tells_no_folder(lake, tmp_path):
    note = {"inputs": {"p": {"file": "/home/me/secret/preds.csv", "sha256": "ab"}},
            "parameters": {"boundaries": r"C:\sets\mine", "by": ["lat/lon"]}}  # fmt: skip
    tables.append(lake / "t", rows(), note=note)
    out = tables.export(lake / "t", tmp_path / "out")
    made = tables.write_card(lake / "t", tmp_path / "new" / "folder")
    for text in (made.read_text("utf-8"), (out / "croissant.json").read_text("utf-8")):
        assert "secret" not in text
        assert "preds.csv" in text
        assert "lat/lon" in text
        assert "sets" not in text


@pytest.mark.parametrize("file_rows", [0, -1, True, 1.5, "9", None])
def test_rows_of_a_file_are_a_whole_number_above_none(lake, file_rows):
    """Whoever is refused leaves nothing, neither a folder nor a version."""
    told = f"file_rows {file_rows!r} must be a whole number above 0"
    for call in (tables.append, tables.write):
        with pytest.raises(tables.TableError, match=told):
            call(lake / "new", rows(), file_rows=file_rows)
    assert not lake.exists()
    tables.append(lake / "t", rows(), file_rows=1)
    for call in (tables.append, tables.write):
        with pytest.raises(tables.TableError, match=told):
            call(lake / "t", rows(), file_rows=file_rows)
    with pytest.raises(tables.TableError, match=told):
        tables.compact(lake / "t", file_rows=file_rows)
    assert (tables.open(lake / "t").version, len(tables.open(lake / "t").files)) == (0, 30)
