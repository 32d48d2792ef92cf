"""The reader that most scripts have: which JSON is an answer."""

import pytest

from geodata.answers import BODY_CHARS, MAX_CHARS, parse_json

GOOD = '{"lat": 48.5, "lon": 2.5}'
OTHER = '{"lat": 7.5, "lon": 8.5}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD, f"  {GOOD}\n", f"Sure! {GOOD} Done.", f"```json\n{GOOD}\n```", f"```\n{GOOD}```",
        f"```JSON {GOOD}``` {{x}}", f"```{OTHER}``` ```{GOOD}```",
        '{"latitude": "48.5", "longitude": "2.5"}',
        '{"LAT": 48.5, "Lng": 2.5}', '{"lat": 48.5, "long": 2.5}',
        '{"latitude": 7.5, "lat": 48.5, "lon": 2.5}',
        '{"lat": 48.5, "lon": 2.5, "longitude": 7.5, "lng": 8.5}', f'{{"answer": {GOOD}}}',
        f'{{"lat": 7.5, "answer": {GOOD}}}', f'{{"lon": 7.5, "answer": {GOOD}}}',
        f'{{"n": 5, "a": {{"x": 1}}, "b": {GOOD}, "c": {OTHER}}}',
        f'{{"lat": 48.5, "lon": 2.5, "a": {OTHER}}}',
        '{"lat": null, "latitude": 1, "a": ' + GOOD + "}",
    ],
)  # fmt: skip
def test_an_object_with_both_is_an_answer(text):
    found = parse_json(text)
    assert (found.lat, found.lon, found.status, found.how) == (48.5, 2.5, "ok", "json")
    assert not found.ambiguous


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (None, "not_text"), (b"{}", "not_text"), ("", "empty"), (" \n", "empty"),
        ("Paris", "no_answer"),
        ("lat 48.5", "no_answer"), ("{lat: 48.5, lon: 2.5}", "malformed"),
        ('{"lat": 48.5', "malformed"),
        ("} {", "malformed"), ("{}", "no_answer"), ("[1, 2]", "no_answer"), ("12", "no_answer"),
        (f"[{GOOD}]", "no_answer"), ('{"lat": 48.5}', "no_answer"),
        ('{"a": {"b": ' + GOOD + "}}", "no_answer"),
        ('{"lat": "N48", "lon": 2.5}', "no_answer"), ('{"lat": [1], "lon": 2.5}', "no_answer"),
        ('{"lat": 95, "lon": 2.5}', "out_of_range"), ('{"lat": 48.5, "lon": 190}', "out_of_range"),
        ('{"lat": NaN, "lon": 2.5}', "out_of_range"),
        (f'{{"lat": {"9" * 400}, "lon": 1}}', "no_answer"),
        ("null", "no_answer"), (f"```json\n{GOOD}", "ok"), ("[" * 100_000, "no_answer"),
        ('{"a":' * 9_000 + "1", "malformed"), (f"```{GOOD}``` ```text```", "ok"),
    ],
)  # fmt: skip
def test_what_else_a_text_is(text, status):
    assert parse_json(text).status == status


def test_the_end_of_a_long_text_is_read():
    assert (MAX_CHARS, BODY_CHARS) == (65_536, 16_384)
    assert parse_json("x" * MAX_CHARS + GOOD).status == "ok"
    assert parse_json(GOOD + " " * (MAX_CHARS - len(GOOD))).status == "ok"
    assert parse_json(GOOD + " " * (MAX_CHARS - len(GOOD) + 1)).status == "no_answer"
    fenced = f"{{ ```{GOOD}``` }}"
    assert parse_json(fenced + " " * (BODY_CHARS - len(fenced) + 2)).status == "ok"
    assert parse_json(fenced + " " * BODY_CHARS).status == "malformed"


def test_zero_has_no_sign():
    found = parse_json('{"lat": -0.0, "lon": -0.0}')
    assert (str(found.lat), str(found.lon)) == ("0.0", "0.0")
