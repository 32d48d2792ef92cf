"""Anybody's files become a set: levels, parents, repairs, refusals, whole or not there."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata import boundaries, cor
from geodata.boundaries.building import coverage, making, parents
from geodata.boundaries.schema import TABLE_FILES
from geodata.files import FileError
from tests.boundaries.sets import cantons, frame, square, text, whosonfirst

CANTONS = {"country": "CH", "admin1": "NAME"}


@pytest.fixture(scope="module")
def swiss(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swiss")
    return boundaries.build(whosonfirst(folder), folder / "set", kind="whosonfirst")


def middle(shape):
    point = shape.centroid
    return point.y, point.x


def test_every_level_of_the_source_is_a_table(swiss):
    assert swiss.levels == ("country", "admin1", "admin2", "locality", "neighbourhood")
    assert text(swiss.units, ["id", "level", "parent", "name", "code"]) == [
        ("11", "admin1", "1", "Berne", "CH-BE"),
        ("10", "admin1", "1", "Zurich", "CH-ZH"),
    ]
    towns = swiss.table("locality")
    assert text(towns, ["id", "parent", "name", "admin1_name", "admin2_name"]) == [
        ("32", "11", "Anderswo", "Berne", None),
        ("30", "20", "Big Town", "Zurich", "Bezirk"),
        ("31", "20", "Dorf", "Zurich", "Bezirk"),
    ]
    assert swiss.table("neighbourhood")["parent"].to_pylist() == ["30"]
    assert dict(towns["names"][1].as_py()) == {"en": "Big Town", "local": "Grossstadt"}


def test_the_tables_are_geoparquet(swiss):
    for level in swiss.levels:
        read = geopandas.read_parquet(swiss.folder / TABLE_FILES[level])
        assert read.crs.equals("OGC:CRS84")
        assert set(read["level"]) == {level}
        boxes = pq.read_table(swiss.folder / TABLE_FILES[level])["bbox"].to_pylist()
        assert [list(box.values()) for box in boxes] == read.bounds.to_numpy().tolist()
        assert set(read["licence"]) == {"CC BY 4.0 and the licences of its sources"}
    ids = [i for level in swiss.levels for i in swiss.table(level)["id"].to_pylist()]
    assert len(set(ids)) == len(ids)
    above = [p for level in swiss.levels for p in swiss.table(level)["parent"].to_pylist()]
    assert set(above) - {None} <= set(ids)


def test_a_set_is_called_as_its_folder_unless_it_is_given_a_name(swiss):
    from geodata.boundaries.set import open_set

    assert boundaries.load(swiss.folder).name == swiss.folder.name == "set"
    assert open_set(swiss.folder, "mine").name == "mine"
    assert boundaries.load("bundled").name == "bundled"


def test_what_is_said_of_a_known_source_takes_the_place_of_what_is_known(swiss, tmp_path):
    said = {"release": "mine", "licence": "CC0-1.0"}
    source = whosonfirst(tmp_path)
    made = boundaries.build(source, tmp_path / "own", kind="whosonfirst", **said)
    for name, value in said.items():
        assert made.provenance[name] == value != swiss.provenance[name]
    assert set(made.units["licence"].to_pylist()) == {"CC0-1.0"}


@pytest.mark.parametrize(
    ("shape", "admin1", "admin2", "city"),
    [
        (square(0.5, 0.5, 1), "Zurich", "Bezirk", "Dorf"),  # the smaller of two towns
        (square(0, 1.6, 0.3), "Zurich", "Bezirk", "Big Town"),
        (square(2, 0, 1), "Berne", None, "Anderswo"),
    ],
)
def test_a_label_has_the_levels_of_the_set(swiss, shape, admin1, admin2, city):
    lat, lon = middle(shape)
    chain = cor.label(lat, lon, boundaries=swiss)
    assert (chain.country_code, chain.admin1, chain.admin2) == ("CH", admin1, admin2)
    assert (chain.city, chain.city_distance_km) == (city, 0.0)
    row = cor.label_table([lat], [lon], boundaries=swiss).to_pylist()[0]
    assert (row["admin1"], row["admin2"], row["city"]) == (admin1, admin2, city)
    assert row["city_distance_km"] == 0.0


def test_outside_every_town_the_city_is_the_nearest_place(swiss):
    lat, lon = middle(square(3.2, 1.2, 0.5))
    chain = cor.label(lat, lon, boundaries=swiss)
    bundled = cor.label(lat, lon)
    assert chain.admin1 == "Berne"
    assert (chain.city, chain.city_distance_km) == (bundled.city, bundled.city_distance_km)


def test_a_set_stands_for_its_folder(swiss):
    assert os.fspath(swiss) == str(swiss.folder)
    assert boundaries.load(swiss) is boundaries.load(swiss.folder)
    assert cor.label(46.1, 7.1, boundaries=swiss.folder).country_code == "CH"


boxes = st.lists(
    st.tuples(
        st.sampled_from(["admin1", "admin2", "locality"]),
        st.integers(0, 30), st.integers(0, 30), st.integers(1, 12), st.integers(1, 12),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(boxes, st.integers(0, 2**32 - 1))
def test_the_smallest_region_of_each_level_contains_the_point(tmp_path_factory, drawn, seed):
    folder = tmp_path_factory.mktemp("random")
    shapes = [
        shapely.box(7 + w / 20, 46 + s / 20, 7 + (w + a) / 20, 46 + (s + b) / 20)
        for _, w, s, a, b in drawn
    ]
    names = [f"r{i}" for i in range(len(drawn))]
    levels = [level for level, *_ in drawn]
    path = folder / "drawn.parquet"
    frame(shapes, NAME=names, LEVEL=levels).to_parquet(path)
    made = boundaries.build(
        path, folder / "set", columns={"country": "CH", "name": "NAME", "level": "LEVEL"}
    )
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(45.95, 48.2, 300), rng.uniform(6.95, 9.2, 300)
    found = made.containing(lat, lon)
    for level in made.levels[1:]:
        rows = made.table(level, ["name", "geometry"])
        own = [shapely.from_wkb(wkb) for wkb in rows["geometry"].to_pylist()]
        for at in range(300):
            point = shapely.Point(lon[at], lat[at])
            around = [i for i, shape in enumerate(own) if shape.intersects(point)]
            least = min((own[i].area for i in around), default=None)
            got = found[level][at]
            assert (got >= 0) == bool(around)
            assert got < 0 or own[got].area == pytest.approx(least)


# Parents


def region(level, shape, key=None, parents_=(), country="CH", code=None, name="x"):
    return parents.Region(
        level, country, name, (), code, key, tuple(parents_), False, shape, {}, (), ""
    )


def test_parents_are_found_by_key_then_by_place_then_nearest():
    by_level = {level: [] for level in boundaries.LEVELS}
    big, small = region("admin1", square(0, 0, 4), "a"), region("admin1", square(0, 0, 2), "b")
    abroad = region("admin1", square(0, 0, 1), "c", country="FR")
    by_level["admin1"] = [big, small, abroad]
    by_level["admin2"] = [
        region("admin2", square(0, 0, 1), parents_=["a"]),
        region("admin2", square(0, 0, 1)),
        region("admin2", square(9, 0, 1)),
        region("admin2", square(9, 0, 1), country="IT"),
    ]
    by_level["locality"] = [region("locality", square(9, 0, 1), parents_=["none"])]
    found = parents.ancestors(by_level)
    assert [row.get("admin1") for row in found["admin2"]] == [big, small, big, None]
    assert found["locality"][0]["admin2"] is by_level["admin2"][2]
    assert found["locality"][0].get("admin1") is None


# Overlaps and gaps

km2 = 111.194927**2


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(*(st.integers(0, 40) for _ in range(4))).filter(lambda b: b[2] and b[3]),
        min_size=1,
        max_size=6,
    )
)
def test_overlaps_and_gaps_are_the_areas_of_shapely(drawn):
    shapes = np.array(
        [shapely.box(w / 20, s / 20, (w + a) / 20, (s + b) / 20) for w, s, a, b in drawn]
    )
    outer = np.array([shapely.box(0, 0, 4, 4)])
    zero = np.zeros(len(shapes), int)
    found = coverage.measure(shapes, zero, outer, np.zeros(1, int))
    union = shapely.union_all(shapes)
    twice = shapely.union_all(
        [shapes[i].intersection(shapes[j]) for i in range(len(shapes)) for j in range(i)]
        or [shapely.Point()]
    )
    # near the equator a square degree is within half a percent of its area there
    assert found.overlap_km2 == pytest.approx(twice.area * km2, rel=0.01, abs=2)
    assert found.gap_km2 == pytest.approx(outer[0].difference(union).area * km2, rel=0.01, abs=2)
    assert (found.overlapping > 0) == (twice.area > 1e-9)


def test_regions_of_two_countries_do_not_overlap():
    shapes = np.array([square(0, 0, 2), square(1, 0, 2)])
    assert coverage.measure(shapes, np.array([0, 1])).overlapping == 0
    assert coverage.measure(shapes, np.array([0, 0])).overlapping == 1


def test_every_repair_is_in_the_provenance(tmp_path):
    bow = shapely.Polygon([(7, 46), (7.2, 46.2), (7.2, 46), (7, 46.2)])
    odd = shapely.Polygon([(7.5, 46), (7.6, 46), (7.6, 46.1 + 1e-9)])
    path = cantons(tmp_path, shapes=[bow, odd, shapely.box(7.3, 46, 7.4, 46.5), None], names="ABCD")
    made = boundaries.build(path, tmp_path / "set", columns=CANTONS)
    assert made.provenance["repairs"] == {"invalid": 1, "empty": 1, "wrapped": 0, "snapped": 1}
    assert made.units["name"].to_pylist() == ["A", "B", "C"]
    assert boundaries.verify_set(made.folder) == []


def test_another_projection_and_a_country_over_the_antimeridian(tmp_path):
    shapes = [shapely.box(179, -18, 181, -16), shapely.box(177, -18, 179, -16)]
    path = cantons(tmp_path, "fiji.gpkg", shapes, ("East", "West"))
    made = boundaries.build(path, tmp_path / "fiji", columns={"country": "FJ", "admin1": "NAME"})
    assert made.provenance["repairs"]["wrapped"] == 1
    for lon in (179.5, -179.5, 180.0):
        assert cor.label(-17, lon, boundaries=made).admin1 == "East"
    metres = frame([square(0, 0, 2)]).to_crs("EPSG:2056").geometry
    path = cantons(tmp_path, "lv95.gpkg", list(metres), ("Zürich",), crs="EPSG:2056")
    made = boundaries.build(path, tmp_path / "lv95", columns=CANTONS)
    read = geopandas.read_parquet(made.folder / "units.parquet")
    assert read.total_bounds == pytest.approx((7, 46, 7.2, 46.2), abs=1e-6)


# Bad input: one line, nothing half-built


def without_crs(folder):
    path = folder / "plain.shp"
    frame([square(0, 0)], crs=None, NAME=["A"]).to_file(path)
    return path


def swapped(folder):
    turned = [shapely.box(46, 7, 46.2, 7.2), shapely.box(46.2, 7, 46.4, 7.2)]
    return cantons(folder, shapes=turned)


def cut(name):
    def made(folder):
        many = [square(i % 30, i // 30) for i in range(300)]
        path = cantons(folder, name, many, [f"c{i}" for i in range(300)])
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        return path

    return made


def half_parquet(folder):
    path = folder / "half.parquet"
    frame([square(0, 0)], NAME=["A"]).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-50])
    return path


def two_releases(folder):
    old, new = folder / "old", folder / "new"
    old.mkdir(), new.mkdir()
    return [cantons(old), cantons(new, names=("Zürich", "Berne"))]


def nothing(folder):
    (folder / "readme.txt").write_text("no boundaries")
    return folder


BAD = [
    (without_crs, {}, r"names no coordinate system.*crs='EPSG:4326'"),
    (swapped, {}, r"look swapped.*swap_axes=True"),
    (cantons, {"columns": {"country": "CH", "admin1": "NOM"}}, r"NOM.*found \['NAME'\]"),
    (cantons, {"columns": {"land": "CH"}}, r"unknown key 'land'; known are country"),
    (cantons, {"columns": None}, r"say what the columns of the file mean"),
    (cantons, {"columns": {"country": "CH"}}, r"say what the columns of the file mean"),
    (cantons, {"kind": "gadmm"}, r"no boundary provider 'gadmm'.*overture.*file"),
    (cantons, {"crs": "EPSG:2056"}, r"is in WGS 84, not in CH1903\+"),
    (without_crs, {"crs": "no system"}, r"crs 'no system' is no coordinate system"),
    (cut("half.gpkg"), {}, r"half a download"),
    (cut("half.geojson"), {}, r"half a download"),
    (cut("half.shp"), {}, r"half a download"),
    (cut("half.fgb"), {}, r"cannot be read as boundaries"),
    (half_parquet, {}, r"cannot be read as boundaries"),
    (two_releases, {}, r"'Zürich' of CH is drawn in .*two releases mixed"),
    (nothing, {}, r"no boundary file in this folder"),
    (lambda folder: folder / "absent.gpkg", {}, r"found nothing there"),
]


@pytest.mark.parametrize(("make", "options", "told"), BAD)
@pytest.mark.filterwarnings("ignore")
def test_bad_input_is_told_in_one_line_and_leaves_nothing(tmp_path, make, options, told):
    source = tmp_path / "source"
    source.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(FileError, match=told) as error:
        boundaries.build(make(source), out / "set", **{"columns": CANTONS, **options})
    assert "\n" not in str(error.value)
    assert list(out.iterdir()) == []


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_swapped_axes_and_a_missing_system_can_be_said(tmp_path):
    turned = boundaries.build(
        swapped(tmp_path), tmp_path / "turned", columns=CANTONS, swap_axes=True
    )
    assert cor.label(46.1, 7.1, boundaries=turned).admin1 == "Zürich"
    plain = boundaries.build(
        without_crs(tmp_path), tmp_path / "plain", columns=CANTONS, crs="EPSG:4326"
    )
    assert cor.label(46.05, 7.05, boundaries=plain).admin1 == "A"


def test_two_releases_in_the_names_of_files_are_refused(tmp_path):
    provider = making.provider("gadm")
    paths = [tmp_path / "gadm36_CHE.gpkg", tmp_path / "gadm41_CHE.gpkg"]
    with pytest.raises(FileError, match="releases 36 and 41 are mixed"):
        making.release_of(provider, paths)
    assert making.release_of(provider, paths[:1]) == "36"
    earth = [tmp_path / "ne_4.1.0_admin1.parquet", tmp_path / "ne_5.1.2_admin0.parquet"]
    assert making.release_of(making.provider("naturalearth"), earth) == "4.1.0, 5.1.2"


def test_other_files_are_not_replaced_and_sets_are(tmp_path):
    path = cantons(tmp_path)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("years of work")
    with pytest.raises(FileError, match="is there already and is no boundary set"):
        boundaries.build(path, taken, columns=CANTONS)
    first = boundaries.build(path, tmp_path / "set", columns=CANTONS)
    assert cor.label(46.1, 7.1, boundaries=tmp_path / "set").admin1 == "Zürich"
    again = cantons(tmp_path, "b.gpkg", names=("Uri", "Zug"))
    second = boundaries.build(again, tmp_path / "set", columns=CANTONS)
    assert first.sha256 != second.sha256
    assert cor.label(46.1, 7.1, boundaries=tmp_path / "set").admin1 == "Uri"


def test_a_plain_name_goes_among_the_own_sets(tmp_path, monkeypatch):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    made = boundaries.build(cantons(tmp_path), "mine", columns=CANTONS)
    assert made.folder == tmp_path / "home" / "boundaries" / "mine"
    (tmp_path / "home" / "boundaries" / ".left.1.part").mkdir()
    assert list(boundaries.available()) == ["bundled", "mine"]
    assert cor.label(46.1, 7.1, boundaries="mine").admin1 == "Zürich"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()  # a folder of that name that is no set is not meant
    assert boundaries.find("mine") == made.folder
    with pytest.raises(FileError, match="no boundary set 'other'; there are bundled, mine"):
        boundaries.load("other")


SLOW_BUILD = """
import sys, time
from geodata import boundaries
from geodata.boundaries.building import making
def wait(part):
    print(flush=True)
    for _ in range(600): time.sleep(0.1)  # a signal just before one long sleep waits for its end
making.compile_set = wait
boundaries.build(sys.argv[1], sys.argv[2], columns={"country": "CH", "admin1": "NAME"})
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_build_leaves_no_set(tmp_path, sign):
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, cantons(tmp_path), out / "set"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        process.stdout.readline()
        process.send_signal(sign)
        try:
            process.wait(20)
        finally:
            process.kill()
    assert not (out / "set").exists()
    boundaries.build(cantons(tmp_path), out / "set", columns=CANTONS)
    assert [path.name for path in out.iterdir()] == ["set"]  # what was left is cleared


# Real files


def test_natural_earth_claims_are_its_columns(shared, tmp_path):
    path = shared / "boundaries" / "naturalearth" / "ne_5.1.2_10m_admin0.parquet"
    made = boundaries.build(path, tmp_path / "ne", kind="naturalearth")
    source = {
        row["ADM0_A3"]: row for row in pq.read_table(path).drop_columns("geometry").to_pylist()
    }
    own = {code: row["ISO_A2_EH"] for code, row in source.items() if row["ISO_A2_EH"] != "-99"}
    seen = 0
    for row in made.countries.to_pylist():
        views = {
            column[8:].lower(): own.get(value)
            for column, value in source[row["id"]].items()
            if column.startswith("ADM0_A3_")
        }
        claims = {claim["worldview"]: claim["code"] for claim in row["claims"]}
        expected = {view: code for view, code in views.items() if code and code != row["code"]}
        assert claims == expected, row["id"]
        seen += bool(claims)
    assert seen >= 9
    for lat, lon, view, code in (
        (34.4, 73.5, "un", "PK"),
        (26.16, -10.57, "ma", "MA"),
        (26.16, -10.57, "un", "EH"),
        (35.3, 33.4, "un", "CY"),  # no ISO code of its own: the country that most views name
        (9.56, 44.06, "us", "SO"),
        (42.66, 21.16, "ru", "RS"),
        (25.03, 121.56, "cn", "CN"),
        (-51.7, -58.0, "ar", "AR"),
    ):
        assert cor.label(lat, lon, boundaries=made, worldview=view).country_code == code
    names = {row["code"]: dict(row["names"]) for row in made.countries.to_pylist()}
    assert names["JP"]["ja"] == "日本"
    assert names["DE"]["zh-Hant"] == "德國"


@pytest.mark.slow
def test_swiss_municipalities_are_right_inside(shared, tmp_path):
    path = shared / "boundaries" / "whosonfirst-ch" / "wof_ch.parquet"
    made = boundaries.build(path, tmp_path / "ch", kind="whosonfirst")
    rows = made.table("locality", ["name", "geometry"])
    shapes = shapely.from_wkb(rows["geometry"].to_numpy())
    rng = np.random.default_rng(5)
    points, wanted = [], []
    for shape, name in zip(shapes, rows["name"].to_pylist()):
        west, south, east, north = shape.bounds
        tries = rng.uniform((west, south), (east, north), (60, 2))
        inside = tries[shapely.contains_xy(shape, *tries.T)][:10]
        points.append(inside)
        wanted += [name] * len(inside)
    lon, lat = np.concatenate(points).T
    city = cor.label_table(lat, lon, boundaries=made)["city"].to_pylist()
    assert np.mean([a == b for a, b in zip(city, wanted)]) >= 0.99


@pytest.mark.slow
def test_the_osm_set_agrees_with_shapely_at_every_level(shared, tmp_path):
    start = time.time()
    made = boundaries.build(
        shared / "boundaries" / "osm-2020", tmp_path / "osm", kind="country-levels"
    )
    print(f"built in {time.time() - start:.0f} s, index {made.index.nbytes / 1e6:.0f} MB")
    assert made.index.nbytes < 240e6
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000))), rng.uniform(-180, 180, 100_000)
    tree = shapely.STRtree(shapely.points(lon, lat))
    found = made.containing(lat, lon)
    for level in made.levels:
        shapes = shapely.from_wkb(made.table(level, ["geometry"])["geometry"].to_numpy())
        which, point = tree.query(shapes, predicate="intersects")
        order = np.lexsort((which, shapely.area(shapes)[which], point))
        at, first = np.unique(point[order], return_index=True)
        wanted = np.full(len(lat), -1)
        wanted[at] = which[order][first]
        assert np.count_nonzero(wanted != found[level]) == 0, level


def test_progress_goes_up_to_the_end(tmp_path):
    told = []
    boundaries.build(
        cantons(tmp_path),
        tmp_path / "set",
        columns=CANTONS,
        progress=lambda *step: told.append(step),
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_provenance_names_source_release_licence(tmp_path):
    path = cantons(tmp_path)
    made = boundaries.build(
        path, tmp_path / "set", columns=CANTONS, release="2026", licence="CC BY 4.0"
    )
    record = json.loads((made.folder / "PROVENANCE.json").read_text())
    assert record["inputs"][0]["file"] == path.name
    assert (record["release"], record["licence"], record["shareable"]) == (
        "2026",
        "CC BY 4.0",
        True,
    )
    assert set(made.units["release"].to_pylist()) == {"2026"}
    assert Counter(made.units["licence"].to_pylist()) == {"CC BY 4.0": 2}


@pytest.mark.parametrize("view", ["ru", "RU", "Ru"])
def test_a_worldview_in_any_case_of_letters(view):
    assert cor.label(44.95, 34.10, worldview=view).country_code == "RU"


def test_a_region_counts_in_its_own_country_and_in_territories(tmp_path):
    island, home = square(0, 0, 4), square(6, 0, 4)
    rows = [
        ("country", "PR", "Island", island), ("country", "US", "Home", home),
        ("country", "FR", "France", square(12, 0)), ("admin1", "FR", "Bretagne", square(12, 0)),
        ("admin1", "US", "State", square(0, 0, 2)), ("admin1", "US", "Other", home),
        ("admin2", "US", "County", square(0, 0, 1)), ("admin2", "FR", "Abroad", square(1, 1, 1)),
    ]  # fmt: skip
    level, country, name, shapes = zip(*rows)
    path = tmp_path / "levels.parquet"
    frame(shapes, LEVEL=level, ISO=country, NAME=name).to_parquet(path)
    made = boundaries.build(
        path, tmp_path / "set", columns={"country": "ISO", "name": "NAME", "level": "LEVEL"}
    )
    lat, lon = zip(*(middle(square(0, 0, 1)), middle(square(1, 1, 1)), middle(square(3, 3, 1))))
    found = made.locate(np.array(lat), np.array(lon))
    codes = made.countries["code"].to_pylist()
    assert [codes[row] for row in found.country[:1]] == ["PR"]
    assert found.unit.tolist() == [-1, -1, -1]  # a state of the US is none of Puerto Rico
    admin2 = [*made.table("admin2")["name"].to_pylist(), None]
    assert [admin2[row] for row in found.deeper["admin2"]] == ["County", None, None]
    around = made.containing(np.array(lat), np.array(lon))
    admin1 = [*made.units["name"].to_pylist(), None]
    assert [admin1[row] for row in around["admin1"]] == ["State", "State", None]
    assert cor.label(lat[0], lon[0], boundaries=made).admin2 == "County"


def test_overlaps_are_square_kilometres_anywhere():
    shapes = np.array([square(0, 0, 2), square(1, 0, 2)])
    found = coverage.measure(shapes, np.zeros(2, int))
    assert found.overlap_km2 == pytest.approx(0.02 * km2 * np.cos(np.radians(46.1)), rel=0.01)
