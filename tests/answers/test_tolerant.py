"""What a text is without a coordinate, and when one that was read is in doubt."""

import pytest

from geodata.answers import MAX_CHARS, parse_tolerant


def told(text):
    found = parse_tolerant(text)
    return found.status, found.ambiguous


@pytest.mark.parametrize(
    ("text", "status", "open_"),
    [
        ("48.5125, 2.3512", "ok", False), ("  ", "empty", False),
        ("<think>48.5125, 2.3512</think>", "ok", True),
        ("<think>48.5125, 2.3512", "ok", True),
        ("<think>1.5125, 2.3512</think>48.5125, 2.3512", "ok", False),
        ("0.0000, 0.0000", "ok", True), ("95.5125 N, 2.3512", "out_of_range", False),
        ("lat: 95.5, lon: 2.5", "out_of_range", False), ("-95.5 N, 2.5 E", "out_of_range", True),
        ("lat: 48.5, lon: 180.5", "out_of_range", False), ("lat: 48.5, lon: 180.0", "ok", False),
        ("40°N to 50°N", "range", True), ("40 to 50", "no_answer", False),
        ("48°61'N", "malformed", False),
        ("lat: 40-50, 48°61'N", "range", True), ("Latitude: 48.5", "malformed", False),
        ("48.5°", "no_answer", False),
        ("48.5 N", "malformed", False), ("48.5, lat", "truncated", False),
        ("(48.5,", "truncated", False),
        ("[48.5, -", "truncated", False), ('{"lat": 48.5, "lon": "', "truncated", False),
        ("48.5:", "truncated", False), ("40°-50°", "range", True),
        ("48.5 and longitude=", "truncated", False), ("48.5 along", "no_answer", False),
        ("48.5 x (", "truncated", False),
        ("48.5 " + "x" * 53 + "(", "truncated", False),
        ("48.5 " + "x" * 58 + "(", "no_answer", False),
        ("Paris", "no_answer", False), ("(", "no_answer", False), ("12.5", "no_answer", False),
    ],
)  # fmt: skip
def test_what_a_text_is(text, status, open_):
    assert told(text) == (status, open_)


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("(48.5125, 2.3512", True), ("[48.5125, 2.3512", True), ('{"gps": (48.5125, 2.3512', True),
        ("(48.5125, 2.3512)", False), ("(48.5125, 2.3512 .", True), ("(x) 48.5125, 2.3512", False),
        ("(48.5125, 2.3512 is it", False), ('{"lat": 48.5125, "lon": 2.3512', True),
        ('{"lat": 48.5125, "lon": "2.3512"', True),
        ('{"lat": 48.5125, "lon": 2.3512, "x": 1', False),
    ],
)  # fmt: skip
def test_a_place_in_open_brackets_may_be_cut(text, open_):
    assert told(text) == ("ok", open_)


@pytest.mark.parametrize(
    ("after", "status"),
    [
        ('{"lat": null}', "no_answer"), ('{"coordinates": []}', "no_answer"),
        ('{"latitude": "unknown"}', "no_answer"),
        ("{'coordinate' : none}", "no_answer"), ('{"lat": NaN}', "no_answer"),
        ('{"lat": "about 5"}', "ok"),
        ('{"lon": null}', "ok"), ("lat: null", "ok"), ('{"lat": nullable}', "ok"),
    ],
)  # fmt: skip
def test_a_later_object_may_take_an_answer_back(after, status):
    assert told(f"It is at 48.5125, 2.3512.\n{after}")[0] == status
    assert told(f"{after}\nIt is at 48.5125, 2.3512.")[0] == "ok"
    assert told(f'{{"a": {{"lat": 48.5, "lon": 2.5}}, "lat": null}} {after}')[0] == status


def test_names_are_those_of_the_answer_block_or_of_the_text():
    text = "Country: Peru\n<answer>{}48.5125, 2.3512</answer>\nCity: Lima"
    found = parse_tolerant(text.format("City: Cusco\n"))
    assert (found.country, found.city) == (None, "Cusco")
    found = parse_tolerant(text.format(""))
    assert (found.country, found.city) == ("Peru", "Lima")


@pytest.mark.parametrize("text",
 ["Country: Peru\n40°N to 50°N", "Country: Peru\nlat: 95.5, lon: 2.5",
                                  "Country: Peru\n(48.5,", "Country: Peru\n48°61'N",
                                  "Country: Peru"])  # fmt: skip
def test_names_are_read_without_a_coordinate(text):
    found = parse_tolerant(text)
    assert (found.country, found.lat, found.how) == ("Peru", None, None)


def test_objects_with_a_place_are_not_read_twice():
    found = parse_tolerant('{"lat": 48.5, "lon": 2.5} is near 48.5, 2.5 and 7.5')
    assert (found.lat, found.lon, found.how) == (48.5, 2.5, "json")
    found = parse_tolerant('{"note": "near 1.5125, 2.3512"} so 48.5125, 2.3512')
    assert found.lat == 48.5125


def test_the_last_characters_of_a_text_are_searched():
    assert parse_tolerant("<answer>" + "x" * MAX_CHARS + " 48.5125, 2.3512").lat == 48.5125
    end = "</think> 48.5125, 2.3512"
    text = "<think>" + "1.5, 2.5 " * 9000
    assert told(text + end) == ("ok", False)


def test_zero_has_no_sign():
    parts = '{"lat": {"deg": 0, "dir": "S"}, "lon": {"deg": 0, "dir": "W"}}'
    for text in ("lat: -0.0, lon: -0.0", parts):
        found = parse_tolerant(text)
        assert (str(found.lat), str(found.lon)) == ("0.0", "0.0")


@pytest.mark.parametrize("more", ["± 5 km", "±1000 m", "+/- 0.5 miles", "± 0.01°", "± 0.01"])
@pytest.mark.parametrize(
    "pair", ["48°30'45\"N 2°21'4.32\"E", "48.5125, 2.3512", "48.5125 N, 2.3512 E"]
)
def test_a_tolerance_behind_a_place_is_no_part_of_it(pair, more):
    found = parse_tolerant(f"{pair} {more}")
    assert (found.lat, found.lon) == pytest.approx((48.5125, 2.3512))


def test_objects_and_prose_are_read_in_their_order():
    text = 'Final answer: {"lat": 48.5, "lon": 2.5}, {"lat": 7.5, "lon": 8.5}.'
    assert parse_tolerant(text + " y" * 150 + " 1.5125, 2.3512").lat == 48.5


def test_prose_behind_an_object_is_where_it_is():
    text = "y " * 150 + '{"lat": 48.5, "lon": 2.5} and the final answer: 7.5125, 8.5125'
    assert parse_tolerant(text).lat == 7.5125
