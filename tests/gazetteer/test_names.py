"""Names to regions and coordinates: what a name means, and what it must not mean."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import answers, boundaries, cor, gazetteer, sphere
from geodata.boundaries import facts
from geodata.boundary_build import characters, country_names, place_names
from geodata.cli.gazetteer import register
from geodata.evaluation.checks import own_words
from geodata.files import arrays
from geodata.gazetteer.cities import cities, hashed
from geodata.gazetteer.text import key
from geodata.places.places import Places

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NATURAL_EARTH = DATA / "boundaries" / "naturalearth" / "ne_5.1.2_10m_admin0.parquet"

COUNTRIES = {
    "US": ["USA", "U.S.", "US", "us", "U.S.A.", "United States of America", "America", "EE. UU."],
    "NL": ["the Netherlands", "Netherlands (Kingdom of the)", "Holland", "NLD", "Niederlande"],
    "GB": ["UK", "U.K.", "England", "Scotland", "Great Britain", "Vereinigtes Königreich"],
    "KR": ["Korea", "South Korea", "Republic of Korea", "Korea, Republic of", "대한민국"],
    "KP": ["North Korea", "DPRK", "Korea, Democratic People's Republic of"],
    "CZ": ["Czech Republic", "Czechia", "Česko"],
    "CI": ["Ivory Coast", "Côte d'Ivoire", "Cote d’Ivoire", "COTE D IVOIRE"],
    "MM": ["Burma", "Myanmar (Burma)", "Republic of the Union of Myanmar"],
    "TR": ["Turkey", "Türkiye", "Turkiye", "TÜRKİYE"],
    "CD": ["DR Congo", "Congo-Kinshasa", "Congo (the Democratic Republic of the)", "Zaire"],
    "CG": ["Republic of the Congo", "Congo-Brazzaville", "Congo"],
    "NE": ["Niger", "Republic of Niger", "Níger"],
    "NG": ["Nigeria", "Federal Republic of Nigeria"],
    "DM": ["Dominica", "Commonwealth of Dominica"],
    "DO": ["Dominican Republic", "República Dominicana"],
    "GN": ["Guinea"], "GW": ["Guinea-Bissau", "Guinea Bissau"], "GQ": ["Equatorial Guinea"],
    "GE": ["Georgia", "Republic of Georgia"],
    "DE": ["Deutschland", "DEU", "Federal Republic of Germany", "**Germany**"],
    "ES": ["España", "Espana"], "JP": ["日本", "Japan 🇯🇵"], "RU": ["Россия", "Russian Federation"],
    "IQ": ["العراق"], "IR": ["Iran (Islamic Republic of)", "Iran, Islamic Republic of"],
    "BA": ["Bosnia & Herzegovina", "Bosnia-Herzegovina"], "LC": ["St. Lucia", "Saint Lucia"],
    "XK": ["Kosovo"], "TW": ["Taiwan", "Taiwan, Province of China", "Republic of China"],
    "FR": ["la France", "République française"], "IT": ["l'Italie", "l’Italia"],
    "CN": ["China", "PRC", "People's Republic of China"], "NA": ["NA", "Namibia"],
}  # fmt: skip

NO_COUNTRY = [
    "", " ", "Atlantis", "N/A", "na", "no", "in", "None", "unknown", "Nige", "Nigerian", "Paris",
    "Kyoto, Japan", "State of Georgia", "Commonwealth of Virginia", "Democratic Republic",
    "Republic of", "the", "and", "Soviet Union", "Francee", "\x00", "US-CA", "—", "1", "ZZ", "💥",
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "name"), [(code, name) for code, names in COUNTRIES.items() for name in names]
)
def test_countries_by_their_names(code, name):
    assert gazetteer.resolve(name).code == code


@pytest.mark.parametrize("name", NO_COUNTRY)
def test_what_is_no_country(name):
    assert gazetteer.resolve(name) is None


@pytest.mark.parametrize("name", [None, 7, 1.5, b"France", ["France"], {}, "x" * 1_000_000, ["a"]])
def test_bad_input_is_none(name):
    assert gazetteer.resolve(name) is None
    assert gazetteer.resolve(name, level="admin1") is None
    assert gazetteer.resolve("CA", level="admin1", country=name or "") is None
    assert gazetteer.geocode(name) is None
    assert gazetteer.geocode(country="France", city=name or "") is None


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_resolves_or_not_without_an_error(text):
    for level in ("country", "admin1"):
        found = gazetteer.resolve(text, level=level)
        assert found is None or found.level == level
    place = gazetteer.geocode(text)
    assert place is None or (abs(place.lat) <= 90 and abs(place.lon) <= 180)


@settings(deadline=None)
@given(st.sampled_from([n for names in COUNTRIES.values() for n in names if len(n) > 3]), st.data())
def test_spelling_does_not_matter(name, data):
    change = data.draw(
        st.sampled_from(
            [
                str.upper,
                str.lower,
                lambda s: f"  {s}. ",
                lambda s: f"The {s}",
                lambda s: unicodedata.normalize("NFD", s),
                lambda s: unicodedata.normalize("NFC", s),
                lambda s: s.replace(" ", "-"),
            ]
        )
    )
    assert gazetteer.resolve(change(name)) == gazetteer.resolve(name)


def test_every_country_is_found_by_its_name_and_codes():
    rows = boundaries.load().countries.to_pylist()
    for row in rows:
        for name in (row["name"], row["code"], row["alpha3"], f"the {row['name']}"):
            found = gazetteer.resolve(name)
            assert (found.code, found.name, found.country_code) == (
                row["code"], row["name"], row["code"]
            )  # fmt: skip


def test_every_division_is_found_in_its_country():
    for row in boundaries.load().units.to_pylist():
        found = gazetteer.resolve(row["admin1_name"], level="admin1", country=row["country"])
        assert (found.name, found.code) == (row["admin1_name"], row["admin1_code"])
        if row["admin1_code"]:
            assert gazetteer.resolve(row["admin1_code"], level="admin1").name == found.name


def test_names_of_two_countries_are_flagged():
    assert [gazetteer.resolve(n).ambiguous for n in ("Congo", "Korea", "Virgin Islands")] == [
        True
    ] * 3
    assert not gazetteer.resolve("Georgia").ambiguous
    for row in facts.facts_table("country_aliases"):
        found = gazetteer.resolve(row["alias"], level="country")
        assert (found.code, found.ambiguous) == (row["code"], row["also"] != "")
    # Without its form such a name says nothing.
    assert gazetteer.resolve("Islamic Republic of Korea") is None


@pytest.mark.parametrize(
    ("name", "country", "code"),
    [
        ("Bavaria", None, "DE-BY"), ("Bayern", "Deutschland", "DE-BY"),
        ("Catalonia", "ES", "ES-CT"),
        ("Catalunya", None, "ES-CT"), ("Georgia", None, "US-GA"), ("CA", "US", "US-CA"),
        ("ON", "Canada", "CA-ON"), ("NSW", "AU", "AU-NSW"), ("SP", "Brasil", "BR-SP"),
        ("JAL", "Mexico", "MX-JAL"), ("D.C.", "US", "US-DC"), ("us-ca", None, "US-CA"),
        ("Kyoto Prefecture", "JP", "JP-26"), ("Kanagawa-ken", "JP", "JP-14"),
        ("State of São Paulo", "Brazil", "BR-SP"), ("Moscow Oblast", "RU", "RU-MOS"),
        ("Moscow", "RU", "RU-MOW"), ("Kiev Oblast", "UA", "UA-32"), ("Kyiv", "UA", "UA-30"),
        ("England", "UK", "GB-ENG"), ("Greater London", "UK", "GB-ENG"),
        ("Sevilla", "Spain", "ES-AN"), ("Rhône", "FR", "FR-ARA"),
        ("North Rhine Westphalia", "DE", "DE-NW"), ("Ile de France", "France", "FR-IDF"),
        ("CA", None, None), ("or", "US", None), ("US-CA", "CA", None), ("Bavaria", "FR", None),
        ("Bavaria", "Atlantis", None), ("Bavari", "DE", None), ("Province", "IT", None),
    ],
)  # fmt: skip
def test_divisions(name, country, code):
    found = gazetteer.resolve(name, level="admin1", country=country)
    assert (found and found.code) == code


def test_divisions_of_several_countries_are_flagged():
    found = gazetteer.resolve("Punjab", level="admin1")
    assert (found.country_code, found.ambiguous) == ("IN", True)
    assert gazetteer.resolve("Punjab", level="admin1", country="PK").ambiguous is False


def test_wrong_levels_are_refused():
    with pytest.raises(ValueError, match="'city', must be 'country' or 'admin1'"):
        gazetteer.resolve("Paris", level="city")


@pytest.mark.parametrize(
    ("text", "near", "country", "admin1", "level"),
    [
        ("Kyoto, Japan", (35.01, 135.77), "JP", "JP-26", "city"),
        ("Kyoto", (35.01, 135.77), "JP", "JP-26", "city"),
        ("東京, 日本", (35.68, 139.69), "JP", "JP-13", "city"),
        ("Shibuya, Tokyo, Japan", (35.66, 139.70), "JP", "JP-13", "city"),
        ("Paris", (48.86, 2.35), "FR", "FR-IDF", "city"),
        ("Paris, Texas", (33.66, -95.56), "US", "US-TX", "city"),
        ("Austin, TX", (30.27, -97.74), "US", "US-TX", "city"),
        ("San Francisco, CA", (37.77, -122.42), "US", "US-CA", "city"),
        ("Vancouver, CA", (49.25, -123.12), "CA", "CA-BC", "city"),
        ("Washington, D.C.", (38.90, -77.04), "US", "US-DC", "city"),
        ("New York, NY, USA", (40.71, -74.01), "US", "US-NY", "city"),
        ("St. Louis, Missouri", (38.63, -90.20), "US", "US-MO", "city"),
        ("Atlanta, Georgia", (33.75, -84.39), "US", "US-GA", "city"),
        ("Tbilisi, Georgia", (41.69, 44.83), "GE", "GE-TB", "city"),
        ("Bombay, India", (19.07, 72.88), "IN", "IN-MH", "city"),
        ("Köln", (50.94, 6.96), "DE", "DE-NW", "city"),
        ("London, Ontario", (42.98, -81.25), "CA", "CA-ON", "city"),
        ("California, USA", (36.0, -119.5), "US", "US-CA", "admin1"),
        ("Bavaria, Germany", (48.9, 11.5), "DE", "DE-BY", "admin1"),
        ("Korea, Republic of", (36.6, 127.5), "KR", None, "country"),
    ],
)  # fmt: skip
def test_free_text(text, near, country, admin1, level):
    place = gazetteer.geocode(text)
    assert (place.country_code, place.admin1_code, place.level) == (country, admin1, level)
    assert sphere.haversine_km(place.lat, place.lon, *near) < (15 if level == "city" else 150)


@pytest.mark.parametrize("text", ["Atlantis, Japan", "Paris, Atlantis", ",,", "Kyoto, France", " "])
def test_unknown_places_are_none(text):
    assert gazetteer.geocode(text) is None


def test_geocode_by_levels():
    assert gazetteer.geocode(country="Japan", city="Kyoto") == gazetteer.geocode("Kyoto, Japan")
    texas = gazetteer.geocode(country="US", admin1="TX", city="Paris")
    assert (texas.admin1_code, texas.code, texas.name) == ("US-TX", "US", "Paris")
    assert gazetteer.geocode(country="FR", admin1="Texas", city="Paris").admin1_code == "FR-IDF"
    assert gazetteer.geocode(country="FR", admin1="Bretagne", city="Paris") is None
    assert gazetteer.geocode(country="Atlantis", city="Paris") is None
    assert gazetteer.geocode(country="FR", admin1="Atlantis") is None
    assert gazetteer.geocode() is None
    with pytest.raises(ValueError, match="not both"):
        gazetteer.geocode("Paris", country="France")


def test_ambiguity_is_size_and_distance():
    assert [gazetteer.geocode(n).ambiguous for n in ("Springfield", "Cambridge")] == [True, True]
    assert [gazetteer.geocode(n).ambiguous for n in ("Paris", "Tokyo", "London")] == [False] * 3
    assert not gazetteer.geocode("Cambridge, UK").ambiguous


def test_the_largest_place_wins_by_brute_force():
    places = Places.load()
    names = places.names.to_pylist()
    us = places.countries.index("US")
    for name in ("Springfield", "Clinton", "Franklin"):
        rows = [i for i, n in enumerate(names) if n == name and places.country[i] == us]
        best = max(rows, key=lambda i: (places.population[i], -i))
        found = gazetteer.geocode(country="US", city=name)
        assert (found.lat, found.lon) == (places.lat[best], places.lon[best])


def test_a_region_stands_inside_itself():
    codes = boundaries.load().countries["code"].unique().to_pylist()
    points = [gazetteer.geocode(country=code) for code in codes]
    labels = cor.label_table([p.lat for p in points], [p.lon for p in points])
    assert labels["country_code"].to_pylist() == codes
    assert [p.code for p in points] == codes


def test_divisions_stand_inside_themselves():
    codes = sorted({c for c in boundaries.load().units["admin1_code"].to_pylist() if c})[::25]
    points = [gazetteer.geocode(country=code[:2], admin1=code) for code in codes]
    labels = cor.label_table([p.lat for p in points], [p.lon for p in points])
    wrong = [a for a, b in zip(codes, labels["admin1_code"].to_pylist(), strict=True) if a != b]
    assert len(wrong) <= 0.02 * len(codes), wrong  # a place beside a simplified border


def test_codes_are_what_labels_say():
    found = gazetteer.codes(
        country=pa.array(["USA", "France", None, "Atlantis", "Japan", "Deutschland"]),
        admin1=["TX", "Île-de-France", "Texas", "Texas", None, "Bavaria"],
        city=["Paris", "Paris", "Paris", "Paris", "Shibuya", "München"],
    )
    assert found.to_pydict() == {
        "country_code": ["US", "FR", None, None, "JP", "DE"],
        "admin1_code": ["US-TX", "FR-IDF", None, None, None, "DE-BY"],
        "city": ["Paris", "Paris", None, None, "Tokyo", "Munich"],
    }
    tokyo = cor.label(35.6595, 139.7005)
    assert (tokyo.country_code, tokyo.city) == ("JP", "Tokyo")


def test_labels_resolve_to_their_own_codes():
    """Names of labels come back as the codes of the same labels."""
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-0.9, 0.95, 4000))), rng.uniform(-180, 180, 4000)
    labels = cor.label_table(lat, lon)
    labels = labels.filter(labels["country"].is_valid())
    found = gazetteer.codes(country=labels["country"], admin1=labels["admin1"])
    assert found["country_code"].to_pylist() == labels["country_code"].to_pylist()
    assert found["admin1_code"].to_pylist() == labels["admin1_code"].to_pylist()


def test_codes_take_any_column_and_agree_with_resolve():
    names = ["USA", "Niger", None, "Korea", "?"]
    wanted = [None if r is None else r.code for r in gazetteer.resolve_many(names)]
    forms = [
        names,
        tuple(names),
        np.array(names, object),
        pa.array(names),
        pa.array(names, pa.large_string()),
        pa.chunked_array([names[:2], names[2:]]),
        pa.array(names).dictionary_encode(),
    ]
    for form in forms:
        assert gazetteer.codes(country=form)["country_code"].to_pylist() == wanted
    assert gazetteer.codes(country=pa.array([1, 2])).to_pydict()["country_code"] == [None, None]
    assert gazetteer.codes(country=["USA", 7])["country_code"].to_pylist() == ["US", None]
    assert gazetteer.codes(country=pa.array([], pa.string())).num_rows == 0


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"lengths \[1, 2\]"):
        gazetteer.codes(country=["a"], city=["a", "b"])
    with pytest.raises(ValueError, match="wrap one name in a list"):
        gazetteer.codes(country="France")
    with pytest.raises(ValueError, match="all missing"):
        gazetteer.codes()
    with pytest.raises(ValueError, match="one country for each name"):
        gazetteer.resolve_many(["CA"], "admin1", ["US", "US"])


def test_places_of_columns_agree_with_geocode():
    rows = [
        ("Japan", None, "Kyoto"), ("Japan", None, "Kyoto"), ("France", None, None),
        ("France", None, "unknown"), ("France", None, " "), ("France", None, "Atlantis"),
        ("Atlantis", None, "Paris"), ("None", None, "None"), (None, None, "Paris"),
        ("USA", "Texas", "Paris"), ("USA", None, "Springfield"), (None, "Bavaria", None),
    ]  # fmt: skip
    country, admin1, city = (list(column) for column in zip(*rows, strict=True))
    table = gazetteer.places(country=country, admin1=admin1, city=city)
    assert table.num_rows == len(rows)
    for row, found in zip(rows, table.to_pylist(), strict=True):
        names = {"country": row[0], "admin1": row[1], "city": row[2]}
        if row[2] in ("unknown", " "):
            del names["city"]
        place = gazetteer.geocode(**names)
        if place is None:
            assert set(found.values()) == {None}
        else:
            assert found == {name: getattr(place, name) for name in found}
    assert table["level"].to_pylist()[2:6] == ["country", "country", "country", None]


def test_the_release_matches_parts_of_names():
    same = gazetteer.same_by_string
    alike = [("Niger", "Nigeria"), ("Nigeria", " NIGER "), ("Köln", "köln")]
    apart = [("USA", "United States"), ("Oman", "Romania"), ("", ""), (None, "France")]
    assert [same(*pair) for pair in alike + apart] == [True] * 3 + [False] * 4


def test_resolve_many_by_row():
    found = gazetteer.resolve_many(["CA", "CA", None], "admin1", ["US", None, "US"])
    assert [r and r.code for r in found] == ["US-CA", None, None]
    assert [r and r.code for r in gazetteer.resolve_many(["TX"], "admin1", "USA")] == ["US-TX"]


NO_ANSWERS = [
    "None", "none", "NONE", "null", "Null", "unknown", "Unknown.", "[None]", "N/A", "n/a", "nan",
    "NaN", "NAN", "Not specified", '"unknown"', "cannot be determined", "未知",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_words_for_no_answer_are_no_place(text):
    assert gazetteer.geocode(text) is None
    assert gazetteer.geocode(f"{text}, {text}") is None
    assert gazetteer.geocode(country="Italy", city=text) is None
    assert gazetteer.geocode(country=text, city="Rome") is None
    assert gazetteer.resolve(text) is None
    assert gazetteer.codes(country=["Italy"], city=[text])["city"].to_pylist() == [None]


def test_places_that_are_called_almost_like_them():
    assert gazetteer.geocode("Nan, Thailand").name == "Nan"
    assert gazetteer.geocode(country="Namibia").code == gazetteer.resolve("NA").code == "NA"


@pytest.mark.parametrize(
    ("text", "near", "code"),
    [
        ("near Paris, France", (48.86, 2.35), "FR"),
        ("San Francisco Bay Area", (37.77, -122.42), "US"),
        ("Downtown Los Angeles, California", (34.05, -118.24), "US"),
        ("Greater Tokyo Area", (35.69, 139.69), "JP"),
        ("Macau, China", (22.19, 113.55), "MO"), ("Hong Kong, China", (22.34, 114.15), "HK"),
        ("Rio de Janeiro, RJ", (-22.91, -43.18), "BR"), ("Sao Paulo, SP", (-23.55, -46.64), "BR"),
        ("Bogotá D.C.", (4.61, -74.08), "CO"), ("Bogota DC, Colombia", (4.61, -74.08), "CO"),
        ("Santorini, Greece", (36.42, 25.43), "GR"), ("Mallorca, Spain", (39.57, 2.65), "ES"),
        ("纽约", (40.71, -74.01), "US"), ("紐約市", (40.71, -74.01), "US"),
        ("洛杉矶, 美国", (34.05, -118.24), "US"), ("巴黎，法国", (48.86, 2.35), "FR"),
        ("北京市", (39.91, 116.4), "CN"), ("臺北", (25.05, 121.53), "TW"),
        ("台北", (25.05, 121.53), "TW"), ("広島", (34.4, 132.46), "JP"),
        ("廣島", (34.4, 132.46), "JP"),
        ("广岛", (34.4, 132.46), "JP"), ("札幌市", (43.07, 141.35), "JP"),
        ("LA, California", (34.05, -118.24), "US"), ("San Fernando, CA", (34.28, -118.44), "US"),
    ],
)  # fmt: skip
def test_places_as_models_write_them(text, near, code):
    place = gazetteer.geocode(text)
    assert place.country_code == code
    assert sphere.haversine_km(place.lat, place.lon, *near) < 15


@pytest.mark.parametrize("text", ["Bay Area", "near", "Greater Area", "市"])
def test_words_about_surroundings_alone_are_no_place(text):
    assert gazetteer.geocode(text) is None


def test_la_is_a_city_or_a_country_and_says_so():
    alone = gazetteer.geocode("LA")
    assert (alone.name, alone.ambiguous) == ("Los Angeles", True)
    assert gazetteer.geocode(country="USA", city="LA").ambiguous is False
    assert gazetteer.geocode("Vientiane, LA").country_code == "LA"
    assert gazetteer.geocode(country="LA").code == gazetteer.resolve("LA").code == "LA"
    assert gazetteer.resolve("LA, USA") is None
    assert gazetteer.geocode("LA, USA").ambiguous
    # A code that is short for no metropolis abroad stays a country.
    found = [gazetteer.geocode(code) for code in ("BO", "PA", "SG", "HK", "BH", "FR")]
    assert [(p.level, p.code) for p in found] == [
        ("country", code) for code in ("BO", "PA", "SG", "HK", "BH", "FR")
    ]


def test_a_region_given_as_a_city_is_the_region():
    assert gazetteer.geocode(country="Indonesia", city="Bali").code == "ID-BA"
    california = gazetteer.geocode(country="USA", city="California")
    assert (california.level, california.code) == ("admin1", "US-CA")
    assert gazetteer.geocode(country="Mexico", city="Mexico").name == "Mexico City"
    assert gazetteer.geocode(country="US", city="Washington, D.C.").name == "Washington"


def test_a_city_of_the_country_comes_before_a_comparable_one_of_its_territories():
    """As with names, and as who writes "France" means it; the other one is a doubt."""
    found = [gazetteer.geocode(f"{name}, France") for name in ("Saint-Denis", "Saint-Pierre")]
    assert [(p.country_code, p.ambiguous) for p in found] == [("FR", True)] * 2
    assert [p.admin1_code for p in found] == ["FR-IDF", "FR-PAC"]
    assert gazetteer.geocode("Saint-Denis, Réunion").country_code == "RE"
    assert gazetteer.geocode("Saint-Denis").country_code == "RE"  # the largest
    # a tenth of the people is not comparable: nobody means San Juan in Texas
    assert gazetteer.geocode("San Juan, United States").country_code == "PR"
    assert gazetteer.geocode("San Juan, Texas, United States").admin1_code == "US-TX"


def test_territories_are_found_under_their_sovereign():
    assert gazetteer.geocode(country="China", city="Macau").code == "MO"
    assert gazetteer.geocode(country="France", city="Saint-Denis").country_code == "FR"
    assert gazetteer.geocode(country="France", city="Papeete").country_code == "PF"
    assert gazetteer.geocode(country="Laos", city="Macau") is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Republik Irlandia", "IE"), ("タイ王国", "TH"), ("Kıbrıs Cumhuriyeti", "CY"),
        ("Cộng hòa Nam Phi", "ZA"), ("República de Colombia", "CO"), ("Áo", "AT"), ("Bỉ", "BE"),
        ("馬爾他", "MT"), ("马耳他", "MT"), ("馬耳他", "MT"), ("फ़िनलैण्ड", "FI"), ("फिनलैंड", "FI"),
        ("터키", "TR"), ("中华民国", "TW"), ("中華人民共和国", "CN"),
    ],
)  # fmt: skip
def test_countries_in_other_spellings(name, code):
    assert gazetteer.resolve(name).code == code


@pytest.mark.parametrize(
    "name", ["República Dominica", "Kraliyet Kongo", "y", "Republik", "Cộng hòa", "共和国"]
)
def test_a_form_or_two_letters_are_no_country(name):
    assert gazetteer.resolve(name) is None


def test_folding_chinese_characters_is_stable():
    rows = facts.facts_table("han")
    assert not {row["variant"] for row in rows} & {row["simplified"] for row in rows}
    for row in rows[::97]:
        assert key(row["variant"]) == key(row["simplified"])


# ---- the tables and the index


def test_other_names_of_cities_point_at_places():
    for row in facts.facts_table("city_aliases"):
        place = gazetteer.geocode(country=row["country"], city=row["alias"])
        assert (place.name, row["reason"] != "") == (row["name"], True)


def test_all_other_names_of_a_unit_lead_to_it():
    rows = facts.facts_table("aliases")
    for row in rows:
        assert row["alias"] in facts.unit_aliases()[row["code"]]
        assert gazetteer.resolve(row["alias"], "admin1", row["code"][:2]).code == row["code"]
    assert sum(map(len, facts.unit_aliases().values())) == len(rows)


def test_more_country_names_add_and_contradict_nothing(tmp_path):
    tables = [(r["name"], r["code"]) for r in facts.facts_table("more_country_names")]
    known = {key(row["name"]) for row in facts.facts_table("cldr_names")}
    known |= {key(row["alias"]) for row in facts.facts_table("country_aliases")}
    assert not known & {key(name) for name, _ in tables}
    assert all(gazetteer.resolve(name).code == code for name, code in tables)
    iso, old = tmp_path / "iso" / "langs", tmp_path / "old" / "main" / "de"
    iso.mkdir(parents=True)
    old.mkdir(parents=True)
    listed = {"countries": {"FR": ["Frankrych", "France"], "IR": "X-land", "XX": "Nowhere"}}
    listed["countries"] |= {"AE": "Emirates", "GB": "Great Britain"}  # other names of the tables
    (iso / "af.json").write_text(json.dumps(listed), encoding="utf-8")
    main = {"main": {"de": {"localeDisplayNames": {"territories": {"IQ": "X-land", "GE": "Mena"}}}}}
    (old / "territories.json").write_text(json.dumps(main), encoding="utf-8")
    out = country_names.write_more(
        [tmp_path / "old"],
        tmp_path / "iso",
        {"FR", "IR", "IQ", "GE", "AE", "GB"},
        tmp_path / "more.csv",
    )
    assert out.read_text(encoding="utf-8") == "code,name\nFR,Frankrych\n"


def test_aliases_have_a_reason_and_one_country():
    rows = facts.facts_table("country_aliases")
    keys = [key(row["alias"]) for row in rows]
    assert all(row["reason"] for row in rows)
    assert len(keys) == len(set(keys))
    codes = set(boundaries.load().countries["code"].to_pylist())
    assert {row["code"] for row in rows} <= codes
    assert {row["also"] for row in rows if row["also"]} <= codes


def test_country_names_contradict_no_bundled_name():
    names = {key(r["name"]): r["code"] for r in boundaries.load().countries.to_pylist()}
    for table, column in (("cldr_names", "name"), ("country_aliases", "alias")):
        for row in facts.facts_table(table):
            assert names.get(key(row[column]), row["code"]) == row["code"], row


def test_names_of_two_countries_belong_to_neither(tmp_path):
    for language in country_names.LANGUAGE_CODES.split():
        path = tmp_path / "main" / language / "territories.json"
        path.parent.mkdir(parents=True)
        named = {
            "CG": "Kongo",
            "CD": "Kongo",
            "MM": "Myanmar (Burma)",
            "US-alt-short": "US",
            "001": "w",
        }
        content = {"main": {language: {"localeDisplayNames": {"territories": named}}}}
        path.write_text(json.dumps(content), encoding="utf-8")
    out = country_names.write(tmp_path, {"CG", "CD", "MM", "US"}, tmp_path / "names.csv")
    with out.open(encoding="utf-8", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [("MM", "Burma"), ("MM", "Myanmar"), ("MM", "Myanmar (Burma)")]


def test_the_name_index_is_complete_and_reproducible(tmp_path):
    folder = boundaries.BUNDLED
    for name in ("places.bin", "places_names.bin"):
        (tmp_path / name).symlink_to(folder / name)
    built = arrays.load_arrays(place_names.write(tmp_path), verify=True)
    bundled = arrays.load_arrays(folder / "places_keys.bin", verify=True)
    assert built.sha256 == bundled.sha256  # R14
    known, keys = cities(), built.arrays["key"]
    assert (np.diff(keys.astype(object)) >= 0).all()
    for index in range(0, len(known.places), 997):
        assert (index, True) in known.named(known.places.name(index))
        assert hashed(key(known.places.name(index))) in keys


# ---- its users


def test_the_linter_reads_names_with_it():
    assert own_words.country_code("the Netherlands") == "NL"
    assert own_words.country_code("Atlantis") is None


def test_model_outputs_name_known_countries():
    path = DATA / "model_outputs.jsonl"
    if not path.is_file():
        pytest.skip("no model outputs beside the checkout")
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [answers.parse_tolerant(json.loads(line)["text"]).country for line in lines]
    named = [name for name in named if name]
    found = [name for name in named if gazetteer.resolve(name)]
    assert len(named) > 10
    assert len(found) >= 0.85 * len(named), set(named) - set(found)


def test_names_of_natural_earth_mean_the_same_countries():
    """Names in 25 languages, from another source than ours: hardly any is wrong."""
    if not NATURAL_EARTH.is_file():
        pytest.skip("no Natural Earth beside the checkout")
    columns = [n for n in pq.read_schema(NATURAL_EARTH).names if n.startswith("NAME_")]
    columns = [n for n in columns if n not in ("NAME_ALT", "NAME_LONG")]
    right = wrong = total = 0
    for row in pq.read_table(NATURAL_EARTH, columns=["ISO_A2_EH", *columns]).to_pylist():
        if len(row["ISO_A2_EH"] or "") != 2 or row["ISO_A2_EH"] == "-1":
            continue
        for column in columns:
            found = gazetteer.resolve(row[column])
            total += row[column] is not None
            right += found is not None and found.code == row["ISO_A2_EH"]
            wrong += found is not None and found.code != row["ISO_A2_EH"] and not found.ambiguous
    assert right >= 0.97 * total
    assert wrong <= 0.001 * total


def test_the_command():
    import typer

    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    run = CliRunner().invoke(app, ["geocode", "Kyoto, Japan"])
    assert run.exit_code == 0
    assert run.stdout.splitlines()[1] == "Kyoto (city, JP-26, 1,463,723 people)"
    run = CliRunner().invoke(app, ["geocode", "--country", "Japan", "--city", "Kyoto", "--json"])
    assert json.loads(run.stdout)["code"] == "JP"
    run = CliRunner().invoke(app, ["geocode", "Xyzzyville"])
    assert run.exit_code == 1


def test_it_loads_light():
    code = (
        "import sys; from geodata import gazetteer; gazetteer.geocode('Kyoto, Japan'); "
        "sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'geopandas', 'pycountry', "
        "'duckdb', 'polars', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["l'Italie", "The l'Italie", "L’ITALIE", " l'italie."])
def test_an_elided_article_is_no_part_of_a_name(name):
    assert gazetteer.resolve(name).code == "IT"


def test_the_table_of_characters_is_made_of_two_dictionaries(tmp_path):
    (tmp_path / "TSCharacters.txt").write_text(
        "廣\t广\n乾\t干 乾\n一\t一\n𠀀\t广\n", encoding="utf-8"
    )
    (tmp_path / "JPVariants.txt").write_text("廣\t広\n辨\t弁\n瓣\t弁\n一\t一\n", encoding="utf-8")
    out = characters.write(tmp_path, tmp_path / "han.csv")
    assert out.read_text(encoding="utf-8") == "variant,simplified\n乾,干\n広,广\n廣,广\n"


def test_a_code_in_small_letters_is_the_country_unless_it_is_a_word():
    codes = boundaries.load().table("country")["code"].to_pylist()
    told = {code: gazetteer.resolve(code.lower()) for code in codes if code}
    words = {code for code, found in told.items() if found is None}
    assert {found.code for found in told.values() if found} == set(told) - words
    assert {"IN", "IT", "NO", "IS"} <= words
    assert len(words) < len(told) / 5
    assert gazetteer.resolve("usa").code == "US"
    assert gazetteer.resolve("Fr") is None
