"""What a build writes down, what it leaves alone, and what a copy for others holds."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from geodata import SOFTWARE, boundaries, files
from geodata.boundaries import registry
from geodata.boundaries.building import coverage, making, providers
from geodata.boundaries.verifying import sealed
from geodata.files import FileError
from tests.boundaries.sets import cantons, frame, square
from tests.boundary_build import small

CANTONS = {"country": "CH", "admin1": "NAME"}
KM2 = (6371.0 * np.pi / 180) ** 2
"""A square degree on the equator."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return small.build(tmp_path_factory.mktemp("world"))


def test_the_whole_record_of_a_build(tmp_path):
    """A country that its cantons do not fill, two cantons that overlap, three rows left out."""
    columns = {"country": "ISO", "name": "NAME", "level": "LEVEL", "id": "KEY"}
    rows = [
        ("CH", "Land", "country", "1", shapely.box(7, 0, 9, 1)),
        ("CH", "West", "admin1", "2", shapely.box(7, 0, 8, 1)),
        ("CH", "East", "admin1", "3", shapely.box(7.9, 0, 8.5, 1)),
        ("CH", "East", "admin1", "3", shapely.box(8.5, 0, 8.6, 1)),
        ("CH", None, "admin1", "4", shapely.box(7, 0, 8, 1)),
        ("QQ", "No land", "admin1", "5", shapely.box(7, 0, 8, 1)),
        ("CH", "No level", "else", "6", shapely.box(7, 0, 8, 1)),
    ]
    iso, name, level, key, shapes = zip(*rows, strict=True)
    path = tmp_path / "land.parquet"
    frame(shapes, ISO=iso, NAME=name, LEVEL=level, KEY=key).to_parquet(path)
    made = boundaries.build(path, tmp_path / "set", columns=columns, licence="CC0-1.0")
    text = (made.folder / "PROVENANCE.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert text == sealed(record)
    found = record.pop("coverage")
    assert {at: one["overlapping"] for at, one in found.items()} == {"country": 0, "admin1": 1}
    assert {at: one["with_gaps"] for at, one in found.items()} == {"country": 0, "admin1": 1}
    assert found["admin1"]["overlap_km2"] == pytest.approx(0.1 * KM2, rel=1e-3)
    assert found["admin1"]["gap_km2"] == pytest.approx(0.4 * KM2, rel=1e-3)
    outputs = record.pop("outputs")
    assert set(outputs) == {"countries.parquet", "units.parquet", "index.geoindex"}
    for name_, output in outputs.items():
        there = made.folder / name_
        rows_ = {"rows": pq.read_metadata(there).num_rows} if there.suffix == ".parquet" else {}
        size = there.stat().st_size
        assert output == {"sha256": files.sha256(there), "bytes": size} | rows_
    del record["seal"]
    assert record == {
        "name": "set",
        "kind": "file",
        "release": None,
        "licence": "CC0-1.0",
        "shareable": True,
        "url": "",
        "built": datetime.now(UTC).date().isoformat(),
        "inputs": [{"file": "land.parquet", "sha256": files.sha256(path)}],
        "rows": 6,
        "repairs": {"invalid": 0, "empty": 0, "wrapped": 0, "snapped": 0},
        "left_out": {"without_country": 1, "without_name": 1},
        "joined": 1,
        "software": SOFTWARE,
    }
    assert set(made.units["source"].to_pylist()) == {"land.parquet"}


def test_countries_that_overlap_are_told_whatever_their_codes(tmp_path):
    path = tmp_path / "land.parquet"
    shapes = [shapely.box(7, 0, 9, 1), shapely.box(8.9, 0, 10, 1)]
    frame(shapes, ISO=["CH", "FR"], NAME=["A", "B"]).to_parquet(path)
    columns = {"country": "ISO", "name": "NAME", "level": "country"}
    made = boundaries.build(path, tmp_path / "set", columns=columns)
    found = made.provenance["coverage"]
    assert (found["country"]["overlapping"], found["admin1"]["overlapping"]) == (1, 0)
    assert found["country"]["overlap_km2"] == pytest.approx(0.1 * KM2, rel=1e-3)
    assert found["admin1"] == {
        "overlapping": 0, "overlap_km2": 0.0, "with_gaps": 0, "gap_km2": 0.0,
    }  # fmt: skip


def test_the_source_of_many_files_is_the_first_three(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for at, name in enumerate("dbca"):
        cantons(folder, f"{name}.gpkg", [square(at, 0)], (name.upper(),))
    made = boundaries.build(folder, tmp_path / "set", columns=CANTONS)
    assert set(made.units["source"].to_pylist()) == {"a.gpkg, b.gpkg, c.gpkg"}
    assert [one["file"] for one in made.provenance["inputs"]] == [f"{n}.gpkg" for n in "abcd"]
    known = boundaries.build(
        _geoboundaries(tmp_path), tmp_path / "known", kind="geoboundaries", release="2026"
    )
    assert set(known.units["source"].to_pylist()) == {"geoboundaries"}
    assert known.provenance["url"] == "https://www.geoboundaries.org"
    assert known.provenance["licence"] == "CC BY 4.0"


@pytest.mark.parametrize(("licence", "shared"), [("no redistribution", False), ("CC0-1.0", True)])
def test_whether_a_copy_is_allowed_is_said_by_the_licence_that_is_given(tmp_path, licence, shared):
    """What is known of a source lets others have one, its own licence does not."""
    source = _geoboundaries(tmp_path)
    made = boundaries.build(source, tmp_path / "set", kind="geoboundaries", licence=licence)
    assert made.provenance["shareable"] is shared
    plain = boundaries.build(source, tmp_path / "plain", kind="geoboundaries")
    assert plain.provenance["shareable"] is True


def _geoboundaries(folder):
    path = folder / "geo.parquet"
    columns = {"shapeName": ["A"], "shapeGroup": ["CHE"], "shapeType": ["ADM1"]}
    frame([square(0, 0)], **columns).to_parquet(path)
    return path


def test_columns_of_a_known_kind_are_refused(tmp_path):
    with pytest.raises(FileError) as caught:
        boundaries.build(
            _geoboundaries(tmp_path), tmp_path / "x", kind="geoboundaries", columns=CANTONS
        )
    assert str(caught.value) == (
        "the columns of geoboundaries are known; leave out -c/--column (columns=), or build "
        "kind 'file'"
    )


def test_the_last_release_in_a_path_is_the_files_own(tmp_path):
    paths = [Path("/data/gadm36/gadm41_CHE.gpkg"), Path("/data/GADM_4.1/GADM41_DEU.gpkg")]
    assert making.release_of(providers.GADM, paths) == "41"
    assert making.release_of(providers.GADM, [Path("/data/x.gpkg")]) is None
    assert making.release_of(providers.WHOS_ON_FIRST, paths) is None
    overture = Path("/data/overture-2026-09-24.0-CH.parquet")
    assert making.release_of(providers.OVERTURE, [overture]) == "2026-09-24.0"


@pytest.mark.parametrize(("said", "written"), [(None, "41"), ("5.0 beta", "5.0 beta")])
def test_a_release_that_is_said_comes_before_that_of_the_path(tmp_path, said, written):
    path = tmp_path / "gadm41_CHE.parquet"
    frame([square(0, 0)], GID_0=["CHE"], GID_1=["CHE.1_1"], NAME_1=["Aargau"]).to_parquet(path)
    made = boundaries.build(path, tmp_path / "set", kind="gadm", release=said)
    assert made.provenance["release"] == written
    assert set(made.units["release"].to_pylist()) == {written}


# Folders


@pytest.mark.parametrize("target", ["bundled", "a name", "sub/folder"])
def test_where_a_target_is(tmp_path, monkeypatch, target):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    if target == "bundled":
        with pytest.raises(FileError, match=r"^'bundled' is the name of the set that comes along"):
            making.target_folder(target)
    elif target == "a name":
        assert making.target_folder(target) == tmp_path / "home" / "boundaries" / "a name"
        assert (tmp_path / "home" / "boundaries").is_dir()
    else:
        with pytest.raises(FileError, match=r"the folder .*/sub does not exist; create it first$"):
            making.target_folder(target)
        (tmp_path / "sub").mkdir()
        assert making.target_folder(target) == tmp_path / "sub" / "folder"
    assert making.target_folder(Path("bundled")) == tmp_path / "bundled"
    with pytest.raises(FileError, match="is there already and is no boundary set"):
        making.target_folder("..")


def test_an_empty_folder_may_become_a_set(tmp_path):
    (tmp_path / "empty").mkdir()
    assert making.target_folder(tmp_path / "empty") == tmp_path / "empty"


def test_what_others_are_building_is_left_alone(tmp_path):
    """Its number is in the name of its folder; what ended processes left is cleared."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = {
        "running": tmp_path / f".set.{os.getppid()}.part",
        "ended": tmp_path / f".set.{ended.pid}.part",
        "old": tmp_path / f".set.{ended.pid}.old.part",
        "of another": tmp_path / f".other.{ended.pid}.part",
    }
    for folder in left.values():
        folder.mkdir()
    with making.replacing_folder(tmp_path / "set") as part:
        (part / "new").write_text("x")
    assert [name for name, folder in left.items() if folder.exists()] == ["running", "of another"]
    assert (tmp_path / "set" / "new").read_text() == "x"


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "before").write_text("x")
    with pytest.raises(KeyError), making.replacing_folder(folder) as part:
        _half_built(part)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert [path.name for path in folder.iterdir()] == ["before"]
    with making.replacing_folder(folder) as part:
        (part / "whole").write_text("z")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert [path.name for path in folder.iterdir()] == ["whole"]


def test_a_folder_stays_where_the_new_one_cannot_take_its_place(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "before").write_text("x")
    with pytest.raises(FileNotFoundError), making.replacing_folder(folder) as part:
        part.rmdir()  # somebody clears what begins with a dot
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert [path.name for path in folder.iterdir()] == ["before"]


def _half_built(folder):
    (folder / "half").write_text("y")
    raise KeyError


# The registry


def test_a_set_is_found_by_name_before_a_folder_and_opened_anew_when_it_changes(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").mkdir()
    assert registry.find("plain") == Path("plain")  # no set of that name, but a folder
    first = boundaries.build(cantons(tmp_path), tmp_path / "here", columns=CANTONS)
    assert registry.find("here") == Path("here")  # a set is what is meant
    own = boundaries.build(cantons(tmp_path), "here", columns=CANTONS)
    assert registry.find("here") == Path("here")
    assert own.folder == tmp_path / "home" / "boundaries" / "here"
    assert boundaries.load(tmp_path / "here") is first
    time.sleep(0.01)
    again = boundaries.build(
        cantons(tmp_path, "b.gpkg", names=("X", "Y")), tmp_path / "here", columns=CANTONS
    )
    assert again is not first
    assert again.units["name"].to_pylist() == ["X", "Y"]
    (tmp_path / "home" / "boundaries" / "note.txt").write_text("no folder")
    assert list(boundaries.available()) == ["bundled", "here"]


# A copy for others


def test_a_set_that_says_nothing_of_it_may_be_exported(world, tmp_path):
    """As the bundled one; a country's own code stands in the column of all levels."""
    path = boundaries.export(world, tmp_path / "world.geojson")
    whole = json.loads(path.read_text(encoding="utf-8"))
    assert whole["type"] == "FeatureCollection"
    features = {one["properties"]["id"]: one for one in whole["features"]}
    assert list(features) == [
        "AQ", "BM", "GI", "GI/coast", "GI/found", "GI/drawn", "GI/rock", "IM", "NU", "NU/Q5", "XK",
        "BM-A", "BM-B", "BM-L", "GI-G", "GI-H",
    ]  # fmt: skip
    assert features["GI/rock"]["properties"] == {
        "id": "GI/rock", "level": "country", "parent": None, "country": "GI", "code": "GI",
        "name": "Gibraltar", "names": {"en": "Gibraltar"}, "aliases": [], "disputed": True,
        "claims": [{"worldview": "aq", "code": "AQ"}, {"worldview": "bm", "code": "BM"}],
        "source": "country-coder and Natural Earth", "release": "country-coder 5.6.1",
        "licence": "ISC",
    }  # fmt: skip
    golf = features["GI-G"]["properties"]
    assert (golf["country"], golf["code"], golf["level"]) == ("GI", "GI-G", "admin2")
    assert golf["aliases"] == ["Golf Links"]
    assert "Brävo" in path.read_text(encoding="utf-8")
    shape = shapely.from_geojson(json.dumps(features["NU/Q5"]["geometry"]))
    assert shape.equals(shapely.box(12, 0, 12.5, 1))


def test_a_copy_as_geoparquet_says_where_it_reaches(world, tmp_path):
    path = boundaries.export(world, tmp_path / "WORLD.PARQUET")
    assert path.name == "WORLD.PARQUET"
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert geo["columns"]["geometry"]["bbox"] == [0.0, -90.0, 180.0, 7.0]
    read = geopandas.read_parquet(path)
    assert read["country"].tolist()[:3] == ["AQ", "BM", "GI"]
    assert read.loc[read["id"] == "GI-H", "country"].tolist() == ["GI"]


@pytest.mark.parametrize(
    ("name", "box"),
    [("countries.parquet", [0.0, -90.0, 180.0, 7.0]), ("units.parquet", [0.0, 0.0, 8.0, 7.0])],
)
def test_each_table_says_where_it_reaches(world, name, box):
    geo = json.loads(pq.read_schema(world / name).metadata[b"geo"])
    assert geo["columns"]["geometry"]["bbox"] == box
    sides = {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}
    assert geo["columns"]["geometry"]["covering"] == {"bbox": sides}  # rows may be passed over
    (first,) = pq.read_table(world / name, columns=["geometry", "bbox"]).slice(0, 1).to_pylist()
    assert tuple(first["bbox"][side] for side in sides) == pytest.approx(
        shapely.from_wkb(first["geometry"]).bounds
    )


def test_a_description_counts_what_is_marked(world):
    found = boundaries.describe(world)
    assert found.name == "set"
    assert found.regions == {"country": 11, "admin1": 3, "admin2": 2}
    assert (found.disputed, found.approximate) == (4, 1)
    assert found.worldviews == ("un", "aq", "bm")
    assert found.sources == (
        "Natural Earth", "country-coder", "country-coder and Natural Earth",
    )  # fmt: skip
    assert found.releases == ("Natural Earth 4.1.0", "country-coder 5.6.1")
    assert found.licences == ("ISC", "public domain")
    assert found.sha256 == boundaries.load(world).sha256
    assert found.provenance["name"] == "bundled"


# Overlaps and gaps


def test_overlaps_are_counted_by_region_and_gaps_by_country():
    shapes = np.array([shapely.box(i, 0, i + 1.5, 1) for i in (0, 1, 5, 9)], object)
    around = np.array([shapely.box(0, 0, 10, 1), shapely.box(0, 5, 1, 6)], object)
    group = np.array([7, 7, 7, 8])
    found = coverage.measure(shapes, group, around, np.array([7, 9]))
    assert (found.overlapping, found.with_gaps) == (1, 1)  # the second lies over the first
    assert found.overlap_km2 == pytest.approx(0.5 * KM2, rel=1e-3)
    assert found.gap_km2 == pytest.approx((10 - 2.5 - 1.5) * KM2, rel=1e-3)
    both = coverage.measure(shapes, group, around, np.array([7, 8]))
    assert both.with_gaps == 2  # none of the second lies where its country does
    assert both.gap_km2 == pytest.approx((6 + np.cos(np.radians(5.5))) * KM2, rel=1e-3)
    assert coverage.measure(np.array([], object), np.zeros(0, int)) == coverage.Coverage(0, 0.0)
    assert coverage.measure(shapes[:1], group[:1]) == coverage.Coverage(0, 0.0)


@pytest.mark.parametrize(("wide", "counted"), [(2e-6, 1), (5e-7, 0)])
def test_what_is_no_wider_than_rounding_overlaps_nothing(wide, counted):
    shapes = np.array([shapely.box(0, 0, 1, 1), shapely.box(1 - wide, 0, 2, 1)], object)
    assert coverage.measure(shapes, np.zeros(2, int)).overlapping == counted


def test_a_narrow_overlap_from_south_to_north_is_seen():
    """Strips are a tenth of a degree at most: one as high lies over a middle of one."""
    low, high = shapely.box(0, 0, 10, 0.4), shapely.box(0, 0.3, 10, 1)
    found = coverage.measure(np.array([low, high], object), np.zeros(2, int))
    assert found.overlap_km2 == pytest.approx(1.0 * KM2, rel=1e-2)


@pytest.mark.parametrize("south", [0.0, 60.0])
def test_an_overlap_of_three_metres_is_seen_where_there_are_few_edges(south):
    """Strips are as narrow as a million crossings allow, down to a metre."""
    low, high = shapely.box(0, south, 10, south + 0.4), shapely.box(0, south, 10, south + 1)
    high = high.difference(shapely.box(0, south, 10, south + 0.4 - 3e-5))
    found = coverage.measure(np.array([low, high], object), np.zeros(2, int))
    wide = np.cos(np.radians(south + 0.4))
    assert found.overlap_km2 == pytest.approx(3e-4 * wide * KM2, rel=0.4)


@pytest.mark.parametrize("south", [0.0, 60.0])
def test_an_overlap_with_a_slanted_side_is_the_area_under_it(monkeypatch, south):
    """A triangle in a square, in 25 strips: in the middle of each lengths are measured."""
    monkeypatch.setattr(coverage, "_CROSSINGS", 100)
    shapes = [
        shapely.Polygon([(0, south), (2, south), (0, south + 2)]),
        shapely.box(0, south, 2, south + 2),
    ]
    found = coverage.measure(np.array(shapes, object), np.zeros(2, int))
    up = (np.arange(2000) + 0.5) / 1000
    area = ((2 - up) * np.cos(np.radians(south + up))).sum() / 1000
    assert found.overlap_km2 == pytest.approx(area * KM2, rel=5e-4)
    assert found.overlapping == 1


def test_two_gaps_of_a_country_that_begins_at_the_antimeridian_are_of_one_country():
    country, inside = shapely.box(-180, 0, -170, 1), shapely.box(-175, 0, -172, 1)
    one = np.ones(1, int)
    found = coverage.measure(np.array([inside], object), one, np.array([country], object), one)
    assert found.with_gaps == 1
    assert found.gap_km2 == pytest.approx(7 * KM2, rel=1e-3)
