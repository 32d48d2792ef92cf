"""Which numbers of a text are one coordinate, and how much each looks like an answer."""

import pytest

from geodata.answers.finding.angles import find_angles
from geodata.answers.finding.candidates import (
    KEYED,
    LABELLED,
    WEAK,
    WRITTEN,
    find_candidates,
    is_placeholder,
)
from geodata.answers.texts.blocks import normalise
from geodata.answers.texts.objects import FENCE


def found(text):
    body = normalise(text)
    return find_candidates(body, find_angles(body))


def places(text):
    return [one.place for one in found(text)]


def one(text):
    (candidate,) = found(text)
    return candidate


PAIR = (48.5125, 2.3512)


# which numbers go together


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("48.5125, 2.3512", [PAIR]), ("Latitude: 48.5125\nLongitude: 2.3512", [PAIR]),
        ("Longitude: 2.3512\nLatitude: 48.5125", [PAIR]), ("Latitude: 48.5125", []),
        ("Latitude: 48.5125\nLatitude: 7.5\nLongitude: 2.3512", [(7.5, 2.3512)]),
        ("Latitude: 48.5125 Longitude: 2.3512 Latitude: 7.5 Longitude: 8.5", [PAIR, (7.5, 8.5)]),
        ("Latitude: 40-50. Longitude: 2.3512", []),
        ("Latitude 40 is a guess.\nLongitude: 32.48\nLatitude: -66.16", [(-66.16, 32.48)]),
        ("Latitude 40 is a guess.\nLongitude: 32.48\nLatitude: -66.16\nLongitude: 7.5",
         [(40, 32.48), (-66.16, 7.5)]),
        ("48.5125° N of the equator and 2.3512° E", [PAIR]), ("12 E Main St, 45 N", []),
        ("48.5125° N, 2.3512", [PAIR]), ("48° N, 2.3512", []),
        ("48.5125, 2.3512 E", [PAIR]), ("2.3512 E, 48.5125", [PAIR]),
        ("7.5, 8.5, 48.5125° N", [(7.5, 8.5)]),
        ("48.5125° N of the equator and 2.3512° E, 7.5", [PAIR]),
        ("48.5125 N 2.3512 E 7.5 S 8.5 W", [PAIR, (-7.5, -8.5)]),
        ("1.5 48.5125 2.3512 7.5", [PAIR]), ("1.5 2.5 3.5 4.5", []), ("1.5 2.5 3.5", [(1.5, 2.5)]),
        ("7 48.5125 2.3512", [PAIR]), ("mile 12.5; 40.25, -111.65", [(40.25, -111.65)]),
        ("mile 12.5; 40.25; -111.65", [(12.5, 40.25)]),
        ("1.1111 2.2222 3.3333 4.4444", [(1.1111, 2.2222)]),
        ("here x: 0.5125, 0.3512", [(0.5125, 0.3512)]),
        ("1.111 2.222 3.333", [(1.111, 2.222)]), ("7.5 48.51 2.35", [(7.5, 48.51)]),
        ("1.5 48.512 2.351 7.5", [(48.512, 2.351)]), ("1.51 48.51 2.35 7.51", []),
        ("Latitude: 1.5 Longitude: 2.5, 7.5125, 8.5125", [(1.5, 2.5), (7.5125, 8.5125)]),
        ("Latitude 40 it is.\nLongitude: 30, Latitude: 20-25", [(40.0, 30.0)]),
        ("2.5° E of here. 48.5° N near 49.5° N", [(48.5, 2.5)]),
        ("2.5° E of here. 48.5° N near 3.5° E", [(48.5, 3.5)]),
        ("Latitude 40 it is.\nLongitude: 30, Latitude: 20, 7 E, Longitude: 25", [(20.0, 30.0)]),
        ("the position of the score position 48.5125, 2.3512", [PAIR]),
        ("Latitude 40 it is. Longitude: 30. Then Latitude: 20", [(40.0, 30.0)]),
        (f"Latitude 40 it is. {'y ' * 100}\nLongitude: 30, Latitude: 20-25", [(40.0, 30.0)]),
        ("Latitude: 1.5125, Longitude: 2.5, Latitude: 3.5", [(1.5125, 2.5)]),
        ("Latitude 40 it is.\nLongitude: 30, Latitude: 20, Latitude: 25", [(20.0, 30.0)]),
        ("Longitude 40 it is.\nLatitude: 30, 7, Longitude: 25", [(30.0, 40.0)]),
        ("Longitude 40 it is.\nLatitude: 30, Latitude: 25", [(30.0, 40.0)]),
    ],
)  # fmt: skip
def test_numbers_go_together(text, pairs):
    assert places(text) == pairs


@pytest.mark.parametrize(("apart", "together"), [(598, True), (599, True), (620, False)])
def test_labelled_halves_lie_less_than_600_characters_apart(apart, together):
    between = " " + "x" * (apart - 13) + " "
    text = f"Latitude: 48.5125{between}Longitude: 2.3512"
    assert bool(found(text)) is together


@pytest.mark.parametrize("apart", [159, 160])
def test_halves_with_letters_lie_less_than_160_characters_apart(apart):
    between = " of the " + "x" * (apart - 9) + " "
    assert len(between) == apart
    text = f"48.5125°N{between}2.3512°E"
    assert bool(found(text)) is (apart < 160)


@pytest.mark.parametrize("apart", [599, 600])
def test_far_is_600_exactly(apart):
    label = "Longitude: "
    between = " " + "x" * (apart - len(label) - 2) + " "
    text = f"Latitude: 48.5125{between}{label}2.3512"
    assert bool(found(text)) is (apart < 600)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [("48° of N and 2° E", []), ("48 N of it and 2 E", []),
    ("48.5° N of it and 2.5° E", [(48.5, 2.5)]),
     ("48.5 N of it and 2.5 E", []), ("48.51 N of it and 2.51 E", [(48.51, 2.51)]),
     ("48° N of it and 2° E", [(48.0, 2.0)]), ("48.51 N of it and 2 E", []),
     ("2 E of it and 48.51 N", []), ("Latitude 48 of it and 2.51 E", [(48.0, 2.51)])],
)  # fmt: skip
def test_only_what_is_written_as_an_angle_waits_for_its_other_half(text, pairs):
    assert places(text) == pairs


# what a pair looks like


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("x is 48.5125, 2.3512", WRITTEN), ("x is 48.51, 2.3512", WEAK),
        ("x is (48.5, 2.3)", WRITTEN),
        ("x is (48, 2)", WEAK), ("(48.5, 2.3) of it", WRITTEN), ("x is (      48.5, 2.3)", WEAK),
        ("x is [48, 2]", WEAK), ("x is {48, 2}", WEAK),
        ("x is ('48', '2')", WEAK),
        ("x is 48.5, 2.3", WEAK), ("48, 2", WRITTEN), ("(48, 2).", WRITTEN),
        ("located at 48.5, 2.3", WRITTEN),
        ("the gps says 48.5, 2.3", WRITTEN), ("located at (48, 2)", WRITTEN),
        ("x is 48° , 2°", WRITTEN), ("x is 48 N, 2.5 E", WRITTEN), ("x is 48, 2.5 E", WRITTEN),
        ("x is 48.5 N, 2 of it", WRITTEN), ("here it is (48.5 y 2.3)", WRITTEN),
        ("x is 48 N, 2 E", WEAK),
        ("x is 48.5 N, 2 E", WRITTEN), ("lat/lon x 48, 2", WRITTEN),
        ("Coordinates: 48.5, 2.3", LABELLED), ("- Position: (48, 2)", LABELLED),
        ("Latitude: 48, Longitude: 2", LABELLED), ("so lat: 48, lon: 2", LABELLED),
        ("I think that by far the best of all is lat: 48, lon: 2", WRITTEN),
        ("1. Final GPS coordinates: 48.5, 2.3", LABELLED), ("> | Location | 48.5, 2.3", LABELLED),
        ("See it. Location: 48.5, 2.3", WRITTEN), ('"lat": 48, "lon": 2', KEYED),
        ("'gps': (48.5, 2.3)", KEYED), ("'gps': 48.5, 2.3", WRITTEN),
        ("Breite: 48,51 Länge: 2,35", LABELLED), ("Koordinaten: 48.5, 2.3", LABELLED),
        ("Breite: 48.5, 2.3", WRITTEN), ("Breitengrade: 48.5 N, 2.3 (lon)", WRITTEN),
        (f"{'y' * 80} location: 48.5, 2.3", WRITTEN),
        ("It seems to me that we are at about latitude 48 and 2° E of it.", WRITTEN),
        ("It seems to me that we are at N 48 and longitude 2 of it.", WRITTEN),
    ],
)  # fmt: skip
def test_a_pair_has_a_rank(text, rank):
    assert one(text).rank == rank


@pytest.mark.parametrize(
    "text",
    ["x is 48, 2", "the gps says 48, 2", "the size is 48.5125, 2.3512",
     "confidence 48.5125, 2.3512",
     "price $48.51, 2.35",
     "bbox (48.5, 2.3)", "48 km, 2.5", "the elevation at 148.5125, 2.3512 x", "x is 91.5, 2.3",
     "x is 48.5, 181.5", "score 0.5125, 0.3512", "rating: 4.5125, 3.2111",
     "heading of 48.5125, 2.3512", '"d": 48.5125, 2.3512', "radius 48.5125, 2.3512"],
)  # fmt: skip
def test_what_is_about_something_else_is_no_pair(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "word",
    """confidence score probability ratio size width bbox bounding pixel price temperature elevation
    altitude azimuth bearing heading tilt slope humidity speed aspect likelihood percent height
    distance radius f/ focal rating $ € £""".split(),  # noqa: SIM905
)
def test_words_of_something_else(word):
    assert found(f"its {word} 48.5125, 2.3512") == []
    for pair in ("48.5125° N, 2.3512° E", "48.5125 N, 2.3512", "48.5125, 2.3512 E"):
        assert places(f"its {word} {pair}") == [PAIR]
    assert places(f"its {word} at the position 48.5125, 2.3512") == [PAIR]
    assert places(f"its {word}. 48.5125, 2.3512") == [PAIR]
    assert places(f"its {word} 7 of 48.5125, 2.3512") == [PAIR]


@pytest.mark.parametrize(
    "word",
    """coordinate location gps latter lonely position answer geo: point loc @ estimate guess predict
    boxed""".split(),  # noqa: SIM905
)
def test_words_of_a_place(word):
    assert one(f"its {word} 48.5, 2.3").rank in (WRITTEN, LABELLED)
    assert one("its hut 48.5, 2.3").rank == WEAK


@pytest.mark.parametrize(
    ("text", "rank", "place"),
    [
        ("here x: 2.351, y: 48.512", WRITTEN, (48.512, 2.351)),
        ("here x: 2.3512, y: 48.5125", WRITTEN, PAIR),
        ("here x: 2.35, y: 48.51", WEAK, (48.51, 2.35)),
        ("x: 2.3, y: 48.5", WRITTEN, (48.5, 2.3)),
        ("position x: 2.35, y: 48.51", WRITTEN, (48.51, 2.35)),
        ("position x: 0.5, y: 0.25", WRITTEN, (0.25, 0.5)),
        ("here x: 0.5125, y: 1.5", WEAK, (1.5, 0.5125)),
        ("here x: -2.5, y: 0.5125", WEAK, (0.5125, -2.5)),
        ("here x: 0.5125, y: -2.5", WEAK, (-2.5, 0.5125)),
    ],
)  # fmt: skip
def test_x_and_y_are_a_place_unless_they_are_shares(text, rank, place):
    candidate = one(text)
    assert (candidate.rank, candidate.place, candidate.doubtful) == (rank, place, True)
    assert candidate.how == "labelled"


@pytest.mark.parametrize("text", ["here x: 0.5125, y: 0.3512", "here x: 1.0, y: 0.5"])
def test_shares_of_a_picture_are_no_place(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "place", "doubtful"),
    [
        ("x is 48.5125, 2.3512", PAIR, False), ("x is 48.51, 2.35", (48.51, 2.35), True),
        ("2.3512 E, 48.5125 N", PAIR, False), ("2.3512 E, 48.5125", PAIR, False),
        ("2.3512, 48.5125 N", PAIR, False), ("lon, lat: 2.3512, 48.5125", PAIR, True),
        ("2.3512, 48.5125 (lon, lat)", PAIR, True),
        ("(2.3512, 48.5125) [longitude, latitude]", PAIR, True),
        ("lon, lat: 48.5125 N, 2.3512 E", PAIR, False), ("0.0, 0.0", (0.0, 0.0), True),
        ("POINT(2.3512 48.5125)", PAIR, True), ("-48.5125 N, 2.3512 E", PAIR, True),
        ("48.5125 N, -2.3512 E", PAIR, True), ("12.3456, 78.9012", (12.3456, 78.9012), True),
        ("Latitude: 95.5, Longitude: 2.5", (95.5, 2.5), False),
        ("lon | lat\n2.3512 | 48.5125", PAIR, True),
        ("lon, lat: 48.5125 N, 2.3512", PAIR, False), ("lon, lat: 48.5125, 2.3512 E", PAIR, False),
    ],
)  # fmt: skip
def test_which_is_the_latitude(text, place, doubtful):
    candidate = one(text)
    assert (candidate.place, candidate.doubtful) == (place, doubtful)


def test_the_heading_of_a_table_holds_for_its_rows():
    rows = "lon | lat\n2.3512 | 48.5125 |\n\nthen 3.3512 | 49.5125 |"
    assert places(rows) == [PAIR, (49.5125, 3.3512)]
    assert all(candidate.doubtful for candidate in found(rows))


def test_sixtieths_of_sixty_are_no_place():
    assert places("48°30'N, 2°15'E") == [(48.5, 2.25)]
    assert found("48°61'N, 2°15'E") == found("48°30'N, 2°61'E") == []


PLACEHOLDERS = [
    (0.0, 0.0), (12.3456, 123.4567), (12.345678, 123.456789), (12.345678, 98.765432),
    (12.3456, 78.9012), (12.34, 56.78), (12.3456, 65.4321), (1.2345, 6.789), (12.345, 67.89),
    (12.3456, 12.3456), (12.3456, 98.7654), (123.456, 78.91),
]  # fmt: skip


@pytest.mark.parametrize("pair", PLACEHOLDERS)
def test_a_placeholder_is_one_whatever_its_signs(pair):
    lat, lon = pair
    assert is_placeholder(lat, lon)
    assert is_placeholder(-lat, -lon)
    assert not is_placeholder(lat + 1, lon)
    assert not is_placeholder(lat, lon + 1)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("48.5125, 2.3512", "pair"), ("48°30'N, 2°15'E", "dms"), ("48.5° N, 2°15'E", "dms"),
        ("48°30'N, 2.5° E", "dms"),
        ("48.5125 N, 2.3512", "compass"), ("48.5125, 2.3512 E", "compass"),
        ("48.5125°, 2.3512", "compass"),
        ("lat: 48.5125, lon: 2.3512", "labelled"), ("lat: 48.5125, 2.3512", "compass"),
        ("POINT(2.3512 48.5125)", "wkt"), ("geo:48.5125,2.3512", "link"),
        ('"Point", "coordinates": [2.3512, 48.5125]', "geojson"),
        ("https://m.org/@48.5125,2.3512,17z", "link"), ("https://m.org/?q=-48.5125,2.3512", "link"),
        ("https://m.org/?a=b&ll=48.5125,2.3512", "link"),
        ("https://m.org/?query=48.5125,2.3512", "link"),
        ("https://m.org/?center=48.5125,2.3512", "link"),
        ("https://o.org/#map=17/48.5125/2.3512", "link"),
        ("https://m.org/?mlat=48.5125&mlon=2.3512", "link"),
        ("https://m.org/?x=48.5125,2.3512", "pair"),
        ("48.5125 N, 2.3512 (longitude)", "compass"), ("48.5125 y 2.3512", "pair"),
    ],
)  # fmt: skip
def test_how_a_pair_is_written(text, how):
    assert one(text).how == how


@pytest.mark.parametrize(
    ("after", "weight"),
    [
        (" (75%)", 0.75), (" - 7.5 %", 0.075), (", confidence: 0.75", 0.75), (" (p = .5)", 0.5),
        (" probability 1.0", 1.0), (" likelihood=0.25", 0.25), (" confidence 75", None), ("", None),
        ("\n75%", None), (" " + "x" * 59 + "75%", 0.75), (" " + "x" * 60 + "75%", None),
        (" 100%", 1.0), (" confidence: 0.75, 80%", 0.75),
    ],
)  # fmt: skip
def test_the_rest_of_the_line_says_how_likely_it_is(after, weight):
    candidate = one(f"48.5125° N, 2.3512° E{after}")
    assert candidate.weight == (weight and pytest.approx(weight))


def test_a_candidate_knows_where_it_stands():
    text = "so it is 48.5125, 2.3512 there"
    candidate = one(text)
    assert text[candidate.start : candidate.end] == "48.5125, 2.3512"
    assert candidate.stop == 0


@pytest.mark.parametrize("word", ["Most probable", "Probably", "Probablemente", "Probabile"])
def test_what_is_probable_is_a_place_and_a_probability_is_none(word):
    assert places(f"{word}: 48.5125, 2.3512") == [PAIR]
    for said in ("probability", "probabilidad", "probabilité", "probabilità"):
        assert found(f"its {said}: 48.5125, 2.3512") == []


def test_coordinates_have_their_name_in_german():
    assert [one(f"{word}: 48.5, 2.3").rank for word in ("Koordinaten", "GPS-Koordinate")] == [2, 2]


@pytest.mark.parametrize(("blanks", "said"), [(55, True), (56, False)])
def test_what_numbers_are_about_stands_in_60_characters_before(blanks, said):
    assert (found(f"score{' ' * blanks}48.5125, 2.3512") == []) is said


@pytest.mark.parametrize(("letters", "rank"), [(78, LABELLED), (79, WRITTEN)])
def test_a_line_with_a_label_begins_less_than_90_characters_before(letters, rank):
    assert one(f"so\n{'y' * letters} location: 48.5, 2.3").rank == rank


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("x is (48.5, 2.3   )", WRITTEN), ("x is (48.5, 2.3    )", WEAK),
        ("x is (   48.5, 2.3)", WRITTEN), ("x is (    48.5, 2.3)", WEAK),
        ("x is (48.5, 2.3", WEAK), ("x is 48.5, 2.3)", WEAK), ("x is [+48.5, 2.3']", WRITTEN),
        ("x is 48.512, 2.351", WRITTEN), ("x is 48.512, 2.35", WEAK),
    ],
)  # fmt: skip
def test_brackets_stand_near(text, rank):
    assert one(text).rank == rank


@pytest.mark.parametrize("around", ["{}", "({})", "[{}]", "{{{}}}", "= {}", ": {}", "\t{}\n", "{}.",
                                    f"{FENCE}{{}}{FENCE}", "+{}", "- {}"])  # fmt: skip
def test_two_numbers_alone_are_a_place(around):
    body = around.format("48, 2")
    (candidate,) = find_candidates(body, find_angles(body))
    assert candidate.rank == WRITTEN
    body = around.format("48, 2") + " z"
    assert all(one.rank != WRITTEN for one in find_candidates(body, find_angles(body)))
