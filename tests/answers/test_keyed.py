"""Coordinates of objects: which fields are one, and which of several objects counts."""

import pytest

from geodata.answers.finding.keyed import keyed_candidates, words_of


def told(text):
    """Return places, doubts, layouts and weights of the coordinates of the objects of a text."""
    found, _ = keyed_candidates(text)
    return [(one.lat, one.lon, one.doubtful, one.how, one.weight) for one in found]


def place(text):
    found = told(text)
    return found[0][:3] if len(found) == 1 else found


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("predictedLatitude_deg", ["predicted", "latitude", "deg"]), ("GPSLat", ["gps", "lat"]),
        ("lat2", ["lat", "2"]), ("Länge", ["lange"]), ("", []), ("широта lat", ["широта", "lat"]),
        ("LOC", ["loc"]), ("a-b.c", ["a", "b", "c"]),
    ],
)  # fmt: skip
def test_words_of_a_key(key, words):
    assert words_of(key) == words


LATS = ("lat", "lats", "latitude", "latitud", "latitudine", "lattitude", "breite", "breitengrad")
LONS = ("lon", "lng", "long", "longitude", "longitud", "longitudine", "longtitude", "länge",
        "längengrad")  # fmt: skip


@pytest.mark.parametrize(
    ("lat", "lon"),
    [*((lat, "lon") for lat in LATS), *(("lat", lon) for lon in LONS),
    ("GPSLatitude", "GPSLongitude"),
     ("LAT", "LNG"), ("predicted_lat", "predicted_lon")],
)  # fmt: skip
def test_halves_have_their_names(lat, lon):
    assert told(f'{{"{lon}": 2.5, "{lat}": "48.5"}}') == [(48.5, 2.5, False, "json", None)]


@pytest.mark.parametrize(
    "text",
    [
        '{"lat": 48.5}', '{"lat_min": 48.5, "lon_min": 2.5}', '{"lat": 48.5, "true_lon": 2.5}',
        '{"lat": null, "lon": 2.5}', '{"lat": "40-50", "lon": 2.5}', '{"lat": [48.5], "lon": 2.5}',
        '{"lat": "48°61\'N", "lon": 2.5}', '{"lat": 48.5, "lon": "2°61\'E"}', '{"x": 2.5}',
        '{"x": 2.5, "y": "z"}', '{"x": "z", "y": 48.5}', '{"x": 2, "y": 48.5}',
        '{"x": 2.5, "y": 48}', '{"name": [48.5, 2.5]}', '{"a": [48.5, 2.5]}',
        '{"point": [1.5]}', '{"point": [1.5, 2.5, 3.5, 4.5]}', '{"point": [1.5, "x"]}',
        '{"point": [1.5, [2.5]]}', '{"point": ["1.5 2.5", 3.5]}', '{"gps": "48, 2"}',
        '{"gps": "48.5 or so 2.5"}', '{"gps": "48.5"}', '{"gps": "1.5, 2.5, 3.5, 4.5"}',
        '{"gps": "POINT(2.5 48.5)"}', '{"gps": "1.5-2.5, 3.5"}', '{"point": ["40-50", 3.5]}',
        '{"lat": "40-50, 48.5", "lon": 2.5}', '{"gps": "48°61\'N, 2°15\'E"}',
        '{"gps": "48.5, 2.5-3.5"}', '{"gps": {"a": 1.5}}', "no object", "{}",
        '{"lat": "x", "lon": "y"}',
    ],
)  # fmt: skip
def test_what_is_no_coordinate(text):
    assert keyed_candidates(text) == ([], [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"lat": "48.5 N", "lon": "2.5 W"}', (48.5, -2.5, False)),
        ('{"lat": "48.5 E", "lon": 2.5}', (48.5, 2.5, True)),
        ('{"lat": "48.5 E 7.5 N", "lon": 2.5}', (7.5, 2.5, False)),
        ('{"lat": 48.5, "lat_direction": "S", "lon": 2.5, "lon_dir": "West"}',
         (-48.5, -2.5, False)),
        ('{"lat": 48.5, "lat_hemisphere": "N", "lon": 2.5, "lon_ref": "east"}', (48.5, 2.5, False)),
        ('{"lat": -48.5, "lat_ref": "S", "lon": 2.5, "long_ref": "w"}', (-48.5, -2.5, False)),
        ('{"lat": "48.5 N", "lat_ref": "S", "lon": 2.5, "ref": "W"}', (48.5, 2.5, False)),
        ('{"lat": 48.5, "lat_ref": "somewhere", "lon": 2.5, "lon_ref": "Wx"}', (48.5, 2.5, False)),
        ('{"latitude": {"degrees": 48, "minutes": 30, "seconds": 36, "direction": "S"}, '
         '"longitude": {"deg": 2, "min": 15, "hem": "W"}}', (-48.51, -2.25, False)),
        ('{"lat": {"value": -48.5}, "lon": {"decimal": 2.5}}', (-48.5, 2.5, False)),
        ('{"lat": {"deg": -48, "min": 30}, "lon": {"value": 2.5, "ref": "W"}}',
         (-48.5, -2.5, False)),
        ('{"lat": 0.5, "lat_ref": "S", "lon": 2.5}', (-0.5, 2.5, False)),
        ('{"lat": 0.5, "lat_ref": " S", "lon": {"deg": 2, "dir": " W"}}', (-0.5, -2.0, False)),
        ('{"lat": 48.5, "lat_street": "S Main", "lon": 2.5}', (48.5, 2.5, False)),
        ('{"lat": {"deg": 0, "min": 30}, "lon": 2.5}', (0.5, 2.5, False)),
        ('{"lat": {"min": 30}, "lon": 2.5}', []), ('{"lat": {"deg": "4 5"}, "lon": 2.5}', []),
        ('{"x": 2.5, "y": 48.5}', (48.5, 2.5, True)), ('{"X": 2.5, "Y": 48.5}', (48.5, 2.5, True)),
        ('{"x": 2.5, "y": 48.5, "lat": 1.5, "lon": 3.5}', (1.5, 3.5, False)),
        ('{"lat": 0.0, "lon": 0.0}', (0.0, 0.0, True)),
        ('{"lat": 12.3456, "lon": -78.9012}', (12.3456, -78.9012, True)),
        ('{"lat": 95.5, "lon": 200.5}', (95.5, 200.5, False)),
    ],
)  # fmt: skip
def test_halves_with_letters_parts_and_neighbours(text, found):
    seen = place(text)
    assert seen == (found if found == [] else (pytest.approx(found[0]), pytest.approx(found[1]),
                                               found[2]))  # fmt: skip


def test_a_second_is_a_3600th_of_a_degree():
    found = told('{"lat": {"deg": 48, "sec": 45}, "lon": {"deg": 2, "min": 15}}')
    assert found == [(48.0125, 2.25, False, "json", None)]


PAIRS = ("coordinates", "coordinate", "coords", "coord", "gps", "latlng", "latlon", "latlong",
         "location", "loc", "LOC", "position", "point", "place", "answer", "geo", "center",
         "centre", "prediction", "guess", "estimate")  # fmt: skip


@pytest.mark.parametrize("key", PAIRS)
@pytest.mark.parametrize(
    "value", ["[48.5, 2.5]", '["48.5", "2.5"]', '"48.5, 2.5"', '"(48.5, 2.5)"']
)
def test_a_pair_has_its_name(key, value):
    assert told(f'{{"{key}": {value}}}') == [(48.5, 2.5, False, "json", None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"lonlat": [2.5, 48.5]}', (48.5, 2.5, True)),
        ('{"lnglat": [2.5, 48.5]}', (48.5, 2.5, True)),
        ('{"lon_lat": [2.5, 48.5]}', (48.5, 2.5, True)),
        ('{"lat_lon": [48.5, 2.5]}', (48.5, 2.5, False)),
        ('{"gps": [48.5, 2.5, 120.5]}', (48.5, 2.5, False)),
        ('{"gps": "48.5, 2.5, 120"}', (48.5, 2.5, False)),
        ('{"gps": "48° N, 2° E"}', (48.0, 2.0, False)),
        ('{"gps": "2.5 E, 48.5 N"}', (48.5, 2.5, False)),
        ('{"gps": ["2.5 E", "48.5 N"]}', (48.5, 2.5, False)),
        ('{"gps": ["2.5", "48.5 N"]}', (48.5, 2.5, False)),
        ('{"gps": "(lon, lat): 2.5, 48.5"}', (48.5, 2.5, True)),
        ('{"lonlat": ["48.5 N", "2.5 E"]}', (48.5, 2.5, False)),
        ('{"lonlat": ["48.5", "2.5 E"]}', (48.5, 2.5, False)),
        ('{"lonlat": ["48.5 N", "2.5"]}', (48.5, 2.5, False)),
        ('{"lonlat": ["2.5 E", "48.5 N"]}', (48.5, 2.5, False)),
        ('{"gps": [0, 0]}', (0.0, 0.0, True)), ('{"gps": [48, 2]}', (48.0, 2.0, False)),
        ('{"gps": "48°, 2"}', (48.0, 2.0, False)), ('{"gps": "48, 2°"}', []),
        ('{"gps": "48.5, 2"}', []), ('{"gps": "48, 2.5"}', []),
        ('{"gps": ["2.5 E", "48.5"]}', (48.5, 2.5, False)),
    ],
)  # fmt: skip
def test_a_pair_and_its_order(text, found):
    assert place(text) == found


def test_a_point_of_geojson_has_its_longitude_first():
    text = '{"type": "Point", "coordinates": [2.5, 48.5]}'
    assert told(text) == [(48.5, 2.5, True, "geojson", None)]
    other = '{"type": "Line", "coordinates": [2.5, 48.5]}'
    assert told(other) == [(2.5, 48.5, False, "json", None)]
    for text in (
        '{"Type": "Point", "loc": [2.5, 48.5]}',
        "{type: Point , coordinates: [2.5, 48.5]}",
    ):
        assert told(text)[0][:4] == (48.5, 2.5, True, "geojson")
    name = '{"name": "Point", "coordinates": [48.5, 2.5]}'
    assert told(name) == [(48.5, 2.5, False, "json", None)]


SIDE = '"other": {"lat": 1.5, "lon": 2.5}'


@pytest.mark.parametrize(
    ("text", "lats"),
    [
        ('{"lat": 5.5, "lon": 2.5, "final": {"lat": 1.5, "lon": 2.5}}', [1.5]),
        ('{"a": {"lat": 1.5, "lon": 2.5}, "lat": 5.5, "lon": 2.5}', [5.5]),
        (f'{{"a": {{"lat": 5.5, "lon": 2.5}}, {SIDE}}}', [5.5]), (f"{{{SIDE}}}", [1.5]),
        ('{"a": {"lat": 5.5, "lon": 2.5}, "b": {"lat": 6.5, "lon": 2.5}}', [5.5, 6.5]),
        ('{"a": {"c": {"lat": 5.5, "lon": 2.5}}, "b": {"lat": 6.5, "lon": 2.5}}', [6.5]),
        ('{"l": [{"lat": 5.5, "lon": 2.5}, {"lat": 6.5, "lon": 2.5}]}', [5.5, 6.5]),
        ('{"best_lat": 5.5, "best_lon": 2.5, "lat": 6.5, "lon": 2.5}', [5.5]),
        ('{"alternative_lat": 5.5, "alternative_lon": 2.5, "lat": 6.5, "lon": 2.5}', [6.5]),
        ('{"best": {"other": {"lat": 5.5, "lon": 2.5}}, "lat": 6.5, "lon": 2.5}', [5.5]),
        ('{"lat": 5.5, "lon": 2.5} {"lat": 6.5, "lon": 2.5}', [5.5, 6.5]),
    ],
)  # fmt: skip
def test_of_several_the_final_and_the_outermost_count(text, lats):
    assert [one[0] for one in told(text)] == lats


FINAL = "final best refined revised corrected definitive top primary main"
ASIDE = """alternative alternatives alternate other others backup second secondary third runner
rejected initial previous prior earlier bbox bounds northeast southwest northwest southeast truth gt
ground nearby landmark landmarks reference example corner candidates hypotheses confidence
uncertainty error accuracy std margin range radius"""


@pytest.mark.parametrize(("word", "lat"), [*((one, 1.5) for one in FINAL.split()),
                                           *((one, 5.5) for one in ASIDE.split())])  # fmt: skip
def test_words_that_call_a_place_final_or_set_it_aside(word, lat):
    text = f'{{"{word}": {{"lat": 1.5, "lon": 2.5}}, "plain": {{"a": {{"lat": 5.5, "lon": 2.5}}}}}}'
    assert [one[0] for one in told(text)] == [lat]


NO_ANGLE = """min max minimum maximum range delta error std uncertainty confidence interval bounds
reasoning reason explanation direction dir hemisphere ref accuracy precision band d bbox box pixel
size name names source type format note notes clues"""


@pytest.mark.parametrize("word", NO_ANGLE.split())
def test_words_beside_a_latitude_that_make_it_none(word):
    assert told(f'{{"lat_{word}": 1.5, "lon_{word}": 2.5}}') == []
    assert told(f'{{"location_{word}": [1.5, 2.5]}}') == []


@pytest.mark.parametrize(
    ("key", "value", "weight"),
    [
        *((key, "0.75", 0.75) for key in ("probability", "prob", "confidence", "score",
          "likelihood", "p", "weight", "certainty", "my_score")),
        ("confidence", '"80%"', 80.0), ("confidence", '"high"', None), ("score_max", "0.5", None),
        ("score", "[0.5]", None),
    ],
)  # fmt: skip
def test_an_object_says_how_likely_it_is(key, value, weight):
    assert told(f'{{"lat": 1.5, "lon": 2.5, "{key}": {value}}}')[0][4] == weight


def test_candidates_and_objects_know_where_they_are():
    text = 'So: {"lat": 48.5, "lon": 2.5, "n": 1} and {"a": "b"} {"gps": "1.5, 3.5"}'
    found, spans = keyed_candidates(text)
    assert [text[one.start : one.end] for one in found] == ['48.5, "lon": 2.5', "1.5, 3.5"]
    assert [text[a:b] for a, b in spans] == [
        '{"lat": 48.5, "lon": 2.5, "n": 1}', '{"gps": "1.5, 3.5"}',
    ]  # fmt: skip
    assert [one.stop for one in found] == [end for _, end in spans]
    assert {one.rank for one in found} == {3}
    turned, _ = keyed_candidates('{"lon": 2.5, "lat": 48.5}')
    assert (turned[0].start, turned[0].end) == (8, 24)
