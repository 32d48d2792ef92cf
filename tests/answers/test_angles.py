"""Each number of a text as an angle: its value, what is written beside it, what it belongs to."""

import dataclasses

import pytest

from geodata.answers import parse_tolerant
from geodata.answers.finding.angles import Angle, find_angles
from geodata.answers.texts.blocks import normalise

PLAIN = {field.name: field.default for field in dataclasses.fields(Angle)}


def told(text):
    """Return the value of each angle and what is said of it beyond a bare number."""
    found = []
    for angle in find_angles(normalise(text)):
        more = {
            name: getattr(angle, name)
            for name, default in PLAIN.items()
            if name not in ("value", "start", "end", "decimals")
            and getattr(angle, name) != default
        }  # fmt: skip
        found.append((pytest.approx(angle.value, abs=1e-9), more))
    return found


def one(text):
    ((value, more),) = told(text)
    return value.expected, more


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48", 48), ("7.25", 7.25), ("-7.25", -7.25), ("+7.25", 7.25),
        ("at -7.25", -7.25), ("is - 7.25", 7.25), ("1e2", 100), ("1.5e-1", 0.15), ("007", 7),
        ("0", 0), ("-0", 0), ("999", 999), (": -7.25", -7.25),
    ],
)  # fmt: skip
def test_a_number_has_its_sign(text, value):
    found, more = one(text)
    assert found == value
    assert str(found)[0] != "-" or value < 0
    assert more == ({"minus": True} if "-" in text and not text.startswith(("1", "is")) else {})


@pytest.mark.parametrize(
    "text",
    ["1000", "1.5.2", "a1", "_1", "1a", "12%", "12 %", "12 km", "12km", "5 miles", "3 m", "9 ft",
     "4 kilometres", "12 mph", "3 meters", "7 feet", "5 percent", "3 million", "1.5e123"],
)  # fmt: skip
def test_what_is_no_angle(text):
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("48", 0), ("48.5", 1), ("48.123", 3), ("48°30'", 4), ("48.12345°30'", 5), ("48.5°", 1),
     ("48 30 36 N", 4)],
)  # fmt: skip
def test_decimals_are_counted_and_sixtieths_are_four(text, decimals):
    (angle,) = find_angles(normalise(text))
    assert angle.decimals == decimals


def test_a_bare_number_is_no_more_than_that():
    assert find_angles("7.25") == [Angle(7.25, 0, 4, 2)]


SIXTIETHS = {"marked": True, "degrees": True, "sixtieths": True}


@pytest.mark.parametrize(
    ("text", "value", "more"),
    [
        ("48.5°", 48.5, {"marked": True, "degrees": True}),
        ("48.5 deg", 48.5, {"marked": True, "degrees": True}),
        ("48.5 degrees", 48.5, {"marked": True, "degrees": True}),
        ("48°30'", 48.5, SIXTIETHS), ("48° 30.6 min", 48.51, SIXTIETHS),
        ("48°30'36\"", 48.51, SIXTIETHS),
        ("48 degrees, 30 minutes and 36 seconds", 48.51, SIXTIETHS),
        ("48°30'36''", 48.51, SIXTIETHS), ("-48°30'", -48.5, SIXTIETHS | {"minus": True}),
        ("48°59'59\"", 48 + 3599 / 3600, SIXTIETHS),
        ("48°60'", 49, SIXTIETHS | {"broken": True}),
        ("48°59'60\"", 49, SIXTIETHS | {"broken": True}),
        ("48-30-36N", 48.51, SIXTIETHS | {"axis": "lat"}),
        ("48:30:36 S", -48.51, SIXTIETHS | {"axis": "lat"}),
        ("2 15 0 W", -2.25, SIXTIETHS | {"axis": "lon"}),
        ("48 60 0 N", 49, SIXTIETHS | {"axis": "lat", "broken": True}),
    ],
)  # fmt: skip
def test_degrees_minutes_and_seconds(text, value, more):
    assert one(text) == (pytest.approx(value), more)


@pytest.mark.parametrize(
    ("text", "value", "axis"),
    [
        ("48.5 N", 48.5, "lat"), ("48.5 S", -48.5, "lat"), ("48.5 E", 48.5, "lon"),
        ("48.5 W", -48.5, "lon"), ("48.5n", 48.5, "lat"), ("48.5s", -48.5, "lat"),
        ("48.5w", -48.5, "lon"), ("N 48.5", 48.5, "lat"), ("S: 48.5", -48.5, "lat"),
        ("W48.5", -48.5, "lon"), ("E=48.5", 48.5, "lon"), ("48.5 (S)", -48.5, "lat"),
        ("48.5 south", -48.5, "lat"), ("48.5 Southern", -48.5, "lat"), ("48.5 sur", -48.5, "lat"),
        ("48.5 sud", -48.5, "lat"), ("48.5 sul", -48.5, "lat"), ("48.5 süd", -48.5, "lat"),
        ("48.5 südlicher", -48.5, "lat"), ("48.5 norte", 48.5, "lat"), ("48.5 nord", 48.5, "lat"),
        ("48.5 nördlich", 48.5, "lat"), ("48.5 northern", 48.5, "lat"), ("48.5 este", 48.5, "lon"),
        ("48.5 est", 48.5, "lon"), ("48.5 ost", 48.5, "lon"), ("48.5 leste", 48.5, "lon"),
        ("48.5 östlicher", 48.5, "lon"), ("48.5 eastern", 48.5, "lon"),
        ("48.5 west", -48.5, "lon"), ("48.5 oeste", -48.5, "lon"), ("48.5 ouest", -48.5, "lon"),
        ("48.5 ovest", -48.5, "lon"), ("48.5 westlich", -48.5, "lon"), ("-48.5 S", -48.5, "lat"),
        ("-48.5 N", 48.5, "lat"), ("-48.5 E", 48.5, "lon"), ("South 48.5", -48.5, "lat"),
    ],
)  # fmt: skip
def test_a_hemisphere_stands_on_either_side(text, value, axis):
    found, more = one(text)
    assert (found, more.pop("axis"), more.pop("marked")) == (value, axis, True)
    assert more == ({"minus": True, "conflict": True} if text.startswith("-") else {})


def test_a_letter_o_is_a_west_that_may_be_an_east():
    assert one("48.5° O") == (-48.5, {"axis": "lon", "marked": True, "degrees": True,
                                      "conflict": True})  # fmt: skip
    assert one("48.5 O") == (48.5, {})  # without a mark it is a letter


def test_a_letter_between_two_numbers_is_of_the_next_one():
    (lat, first), (lon, second) = told("N 48.5 E 2.25")
    assert (lat, lon) == (48.5, 2.25)
    assert (first["axis"], second["axis"]) == ("lat", "lon")
    (lat, first), (lon, second) = told("S 48.5, W 2.25")
    assert (lat, lon) == (-48.5, -2.25)
    _, (lon, second) = told("N 48.5 N, 2.25")
    assert (lon, second) == (2.25, {"linked": True})
    (lat, first), (lon, second) = told("S 48.5 W is a street. 2.25")
    assert (lat, lon, second.get("axis")) == (-48.5, 2.25, None)
    (lat, _), (lon, second) = told("N 48.5 W: -2.25")
    assert (lat, lon, second["conflict"]) == (48.5, -2.25, True)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("Latitude: 48.5", "lat"), ("latitudes 48.5", "lat"), ("lat=48.5", "lat"),
        ("Latitudine 48.5", "lat"), ("latitud: 48.5", "lat"), ("Breite: 48.5", "lat"),
        ("Breitengrad 48.5", "lat"), ("longitude is 48.5", "lon"), ("lon 48.5", "lon"),
        ("lng: 48.5", "lon"), ("long: 48.5", "lon"), ("long = 48.5", "lon"), ("long 48.5", None),
        ("Long 48.5", None),
        ("4 long poles, 48.5", None), ("Länge: 48.5", "lon"), ("Längengrad 48.5", "lon"),
        ("longitudine: 48.5", "lon"), ("lat_deg: 48.5", "lat"), ("lat_min: 48.5", None),
        ("lat uncertainty: 48.5", None), ("lat range 48.5", None), ("lat. 48.5", None),
        ("lat.: 48.5", "lat"), ("lat) 48.5", None), ("lat, 48.5", None), ("lat, is 48.5", None),
        ("lat; 48.5", None),
        ("lat& 48.5", None), ("lat/ 48.5", None), ("lat and 48.5", None),
        ("latitude (in degrees): 48.5", "lat"), ("latitude would be approximately 48.5", "lat"),
        ("latitude of the house 48.5", None),
        ("latitude (of the tower): 48.5", "lat"), ("latitude (tower 48.5", None),
        ("lat_tower: 48.5", "lat"), ("lat_tower of: 48.5", "lat"), ("lat_Tower: 48.5", None),
        ("plat: 48.5", None), ("mlat=48.5", "lat"),
        ("latent: 48.5", None), ("long (east): 48.5", "lon"), ("longitude (x) | 48.5", "lon"),
    ],
)  # fmt: skip
def test_a_label_before_a_number(text, axis):
    *_, (value, more) = told(text)
    assert value == 48.5
    assert (more.get("axis"), more.get("labelled", False)) == (axis, axis is not None)


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("48.5 (latitude)", "lat"), ("48.5 [lng]", "lon"), ("48.5 longitude", "lon"),
        ("48.5° latitude, and", "lat"), ("48.5 for the latitude.", "lat"),
        ("48.5 as long\n", "lon"),
        ("48.5 lat and", "lat"), ("48.5 lat und", "lat"), ("48.5 latitude of", None),
        ("48.5 (latitude", None), ("48.5 lat)", None), ("48.5 lat | x", "lat"),
        ("48.5 as the lon;", "lon"),
    ],
)  # fmt: skip
def test_a_label_behind_a_number(text, axis):
    value, more = one(text)
    assert value == 48.5
    assert (more.get("axis"), more.get("labelled", False)) == (axis, axis is not None)


@pytest.mark.parametrize(
    ("text", "conflict"),
    [("Latitude: 48.5 E", True), ("Latitude: 48.5 S", False), ("48.5 E (latitude)", True),
     ("48.5 N (latitude)", False), ("-48.5 N (latitude)", True),
     ("Latitude: -48.5 N", True), ("Longitude: 2.5 (latitude)", False)],
)  # fmt: skip
def test_a_label_against_a_letter_is_a_conflict(text, conflict):
    _, more = one(text)
    assert more.get("conflict", False) is conflict
    assert more["labelled"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("(lat, lon): 1.5", "lat"), ("lat/lng 1.5", "lat"), ("latitude and longitude: 1.5", "lat"),
        ("lon, lat: 1.5", "lon"), ("Longitude | Latitude | 1.5", "lon"), ("lat lon 1.5", "lat"),
        ("lat: 0.5, lon, lat 1.5", "lon"), ("lon, lat or lat: 1.5", None), ("(x, y) = [1.5", "lon"),
        ("POINT(1.5", "lon"), ("point z (1.5", "lon"),
        ('{"type": "Point", "coordinates": [1.5', "lon"),
    ],
)  # fmt: skip
def test_an_order_is_declared(text, order):
    *_, (_, more) = told(text)
    assert more.get("order") == order
    via = "geojson" if "type" in text else "wkt" if "oint" in text.lower() else None
    assert more.get("via") == via
    assert "labelled" not in more or order is None


@pytest.mark.parametrize(
    ("text", "keyed"),
    [('"lat": 1.5', True), ("'my key' = \"1.5", True), ('"k": [1.5', True), ('"k" 1.5', False),
     ('k: "1.5', False), ('"k": x 1.5', False)],
)  # fmt: skip
def test_a_quoted_key_before_a_number(text, keyed):
    _, more = one(text)
    assert more.get("keyed", False) is keyed


def test_x_and_y_are_a_plane():
    (x, first), (y, second) = told("x: 2.5, y: 48.5")
    assert (x, y) == (2.5, 48.5)
    assert first == {"axis": "lon", "conflict": True, "plane": "x"}
    assert second == {"axis": "lat", "conflict": True, "plane": "y", "linked": True}
    (_, first), (_, second) = told("y=48.5\nx=2.5")
    assert (first["axis"], second["axis"], second["linked"]) == ("lat", "lon", True)
    for between in (", ", " | ", "; ("):
        assert told(f"x: 2.5{between}y: 48.5")[1][1]["axis"] == "lat"
    assert told("x: 2.5, y: (48.5")[1][1]["axis"] == "lat"
    assert "axis" not in told("x: 2.5 || y: 48.5")[1][1]
    for text in ("x: 2, y: 48.5", "x: 2.5 m or so y: 48.5", "x: 2.5, x: 48.5", "ax: 2.5, ay: 48.5"):
        assert all("axis" not in more for _, more in told(text))


@pytest.mark.parametrize(
    ("text", "ranged"),
    [
        ("40-50", True), ("40 - 50", True), ("40 to 50", True), ("40 To 50", True),
        ("40 through 50", True),
        ("40 until 50", True), ("40 bis 50", True), ("40 hasta 50", True), ("40 a 50", True),
        ("40 à 50", True), ("40, 50", False), ("40 -50", False), ("40 and 50", False),
        ("between 40 and 50", True), ("from 40 y 50", True), ("entre 40 et 50", True),
        ("zwischen 40 und 50", True), ("40 N, 50 N", True), ("40 N and 50 N", True),
        ("40 N to 50 E", False), ("between 40 N and 50 E", False), ("40 N e 50", False),
        ("between 40 N and 50", True), ("ranging 40, 50", False),
        ("Latitude: 40 Latitude: 50", False), ("40 or 50", False), ("40 N or 50 N", False),
        ("40 N, 50 (lat)", False),
    ],
)  # fmt: skip
def test_two_numbers_that_are_a_range(text, ranged):
    (_, first), (_, second) = told(text)
    assert (first.get("ranged", False), second.get("ranged", False)) == (ranged, ranged)
    assert not (ranged and second.get("linked"))


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("1.5, 2.5", True), ("1.5 2.5", True), ("1.5\n2.5", True), ("1.5\n\n2.5", False),
        ("1.5 and 2.5", True), ("1.5 x 2.5", True), ("1.5 | 2.5", True), ("1.5 near 2.5", True),
        ("1.5 house 2.5", False), ("1.5. 2.5", False), ("1.5 ! 2.5", False), ("1.5 @ 2.5", False),
        ("1.5 # 2.5", False), ("1.5 ? 2.5", False), ("(1.5), (2.5)", False), ("[1.5] [2.5]", False),
        ("(1.5), near (2.5)", True), ("{1.5} {2.5}", False), ("1.5 (2.5)", True),
        ("(1.5) 2.5", True),
        ("1.5" + " " * 61 + "2.5", True), ("1.5" + " " * 62 + "2.5", False),
        ("0.8\nLatitude: 2.5", False), ("Longitude: 0.8\nLatitude: 2.5", True), ("1.5; 2.5", True),
    ],
)  # fmt: skip
def test_what_stands_between_two_numbers_of_a_pair(text, linked):
    _, (_, second) = told(text)
    assert second.get("linked", False) is linked
    assert second.get("apart", False) is (";" in text)


@pytest.mark.parametrize(
    ("text", "between"),
    [("between 40", True), ("from 40", True), ("ranging 40", True), ("range: 40", True),
     ("between the poles at 40", True), ("von 40", True), ("fromage 40", False),
     ("between " + "x" * 50 + " 40", False)],
)  # fmt: skip
def test_a_word_of_ranges_before_a_number(text, between):
    _, more = one(text)
    assert more.get("between", False) is between


def test_one_bullet_may_be_a_sign():
    assert told("- 12.5, 77.5") == [(12.5, {"conflict": True}), (77.5, {"linked": True})]
    (_, first), (_, second) = told("- 12.5\n- 77.5")
    assert ("conflict" in first, "conflict" in second) == (False, False)
    assert one("- 12.5 N")[1].get("conflict") is None


@pytest.mark.parametrize("text", ["48.5125° N, 2.3512° E - 75 %", "48.5125, 2.3512 - 75 % sure"])
def test_a_share_behind_a_place_is_no_range(text):
    answer = parse_tolerant(text)
    assert (answer.status, answer.lat, answer.lon) == ("ok", 48.5125, 2.3512)


@pytest.mark.parametrize(("blanks", "labelled"), [(151, True), (152, False)])
def test_a_label_is_looked_for_in_160_characters(blanks, labelled):
    _, more = one("latitude:" + " " * blanks + "48.5")
    assert more.get("labelled", False) is labelled


def test_a_declared_order_counts_before_a_label_behind():
    value, more = one("lon, lat: 2.5 (latitude)")
    assert (value, more) == (2.5, {"order": "lon"})
