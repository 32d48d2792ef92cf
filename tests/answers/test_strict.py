"""The answer that is taught, and Eq. 6 of Geo-R pair by pair."""

import pytest

from geodata import answers
from geodata.answers import parse_strict, render, strict_pair
from geodata.answers.strict import clean_name

MAX, BODY = answers.MAX_CHARS, answers.BODY_CHARS


@pytest.mark.parametrize(
    "text",
    ["(48.5, 2.5)", "( 48.5 , 2.5 )", "(\t48.5\n,\r2.5 )", "(+48.5, 2.5)", "(048.5, 002.5)",
     "(" + " " * 16 + "48.5," + " " * 16 + "2.5)", "x(48.5,2.5)y", "((48.5, 2.5))",
     "(48." + "5" + "0" * 39 + ", 2.5)", "(48.5, 2.5) (91.0, 2.5)", "(48.5, 2.5) (48.5, 180.1)",
     "(1887, 1889) (48.5, 2.5)", "(1887.5, 1.5) (48.5, 2.5)"],
)  # fmt: skip
def test_a_pair_is_valid(text):
    assert strict_pair(text) == (48.5, 2.5)
    assert parse_strict(text).status == "ok"


@pytest.mark.parametrize(
    ("text", "status", "open_"),
    [
        ("(48.5 2.5)", "no_answer", False), ("48.5, 2.5", "no_answer", False),
        ("(.5, 2.5)", "no_answer", False),
        ("(48., 2.5)", "malformed", True), ("(48.5, 2.5e0)", "malformed", True),
        ("(48, 2)", "malformed", True),
        ("(−48.5, 2.5)", "malformed", True), ("(–48.5, 2.5)", "malformed", True),
        ("(48.5°, 2.5)", "no_answer", False), ("(48,5, 2,5)", "no_answer", False),
        ("(" + " " * 17 + "48.5, 2.5)", "no_answer", False), ("(1048.5, 2.5)", "no_answer", False),
        ("(48." + "5" * 41 + ", 2.5)", "no_answer", False),
        ("(48.5, 2.5, 1.5)", "no_answer", False),
        ("(91.5, 2.5)", "out_of_range", False), ("(48.5, 190.5)", "out_of_range", True),
        ("(48.5, 360.5)", "out_of_range", False), ("(48.5, 190.5) (48, 2)", "out_of_range", False),
        ("(48, 2) (49, 3)", "malformed", False), ("(91, 2)", "no_answer", False),
        ("(-91, 2)", "no_answer", False), ("(48, -361)", "no_answer", False),
        ("(90, 360)", "malformed", True),
        ("(48, 361)", "no_answer", False), ("(48.5, 2.5) (48.5, 2.5)", "several", True),
        ("(48.5, 2.5) (48.5, 2.6)", "several", False),
        ("(48.5, 2.5) (48.50, 2.5)", "several", True),
        ("(48.5, 2.5) (48.5, 2.5) (91.5, 2.5)", "several", True), (" \n", "empty", False),
        ("", "empty", False),
        ("a: b", "no_answer", False), ("٤٨", "no_answer", False),
        ("(٤٨.5, 2.5)", "no_answer", False),
        (" " * MAX, "empty", False), (" " * (MAX + 1), "too_long", False),
    ],
)  # fmt: skip
def test_why_there_is_no_pair(text, status, open_):
    found = parse_strict(text)
    assert (found.status, found.ambiguous) == (status, open_)
    assert (found.lat, found.lon, found.how) == (None, None, None)
    assert strict_pair(text) is None


@pytest.mark.parametrize(
    "pair", [(90.0, 180.0), (-90.0, -180.0), (89.99, 179.99), (0.5, 0.0), (-0.0, -0.5)]
)
def test_the_ends_of_the_earth_are_places(pair):
    found = parse_strict(f"({pair[0]}, {pair[1]})")
    assert (found.lat, found.lon, found.status, found.how) == (*pair, "ok", "pair")
    assert str(found.lat) != "-0.0"
    assert not found.ambiguous


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_text_that_is_read(more):
    text = "(48.5, 2.5)"
    text += "y" * (MAX - len(text) + more)
    assert strict_pair(text) == ((48.5, 2.5) if not more else None)
    assert parse_strict(text).status == ("too_long" if more else "ok")


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("(0.0, 0.0)", True), ("(0.0, 0.5)", False), ("(2.5, 48.5) [lon, lat]", True),
        ("longitude,latitude (2.5, 48.5)", True), ("(2.5, 48.5) lon ,  lat", True),
        ("lon   , lat (2.5, 48.5)", False), ("belon, lat (2.5, 48.5)", False),
        ("lat, lon (2.5, 48.5)", False),
        ("(48.5, 2.5) or (49, 3)", True), ("(48.5, 2.5) in (1887, 1889)", False),
        ("(48.5, 2.5) (−49.5, 3.5)", True), ('{"lat": 48.5} (48.5, 2.5)', False),
        ('{"lat": 48.6} (48.5, 2.5)', True), ("{'latitude' : '48.6'} (48.5, 2.5)", True),
        ('{"lat": 48} (48.5, 2.5)', False), ('{"lon": 48.6} (48.5, 2.5)', False),
    ],
)  # fmt: skip
def test_what_another_reader_could_decide_otherwise(text, open_):
    found = parse_strict(text)
    assert (found.status, found.ambiguous) == ("ok", open_)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Country: Japan", ("Japan", None, None)), ("COUNTRY:\tJapan ", ("Japan", None, None)),
        ("State: Bihar", (None, "Bihar", None)),
        ("state / administrative region: Bihar", (None, "Bihar", None)),
        ("Region: Bihar", (None, "Bihar", None)),
        ("Administrative region: Bihar", (None, "Bihar", None)),
        ("Province: Bihar", (None, "Bihar", None)), ("City: Biei", (None, None, "Biei")),
        ("City or Place: Biei", (None, None, "Biei")), ("Place: Biei", (None, None, "Biei")),
        ("Town: Biei", (None, None, "Biei")), ("        City: Biei", (None, None, "Biei")),
        ("         City: Biei", (None, None, None)), ("City : Biei", (None, None, None)),
        ("My city: Biei", (None, None, None)), ("City: Biei\nCity: Gifu", (None, None, "Gifu")),
        ("City: Biei\nTown: ", (None, None, None)), ("Village: Biei", (None, None, None)),
        ("Country: A\nState: B\nCity: C", ("A", "B", "C")),
    ],
)  # fmt: skip
def test_names_are_the_last_lines(line, names):
    for text in (f"{line}\n(48.5, 2.5)", line):
        found = parse_strict(text)
        assert (found.country, found.admin1, found.city) == names


def test_names_and_doubts_are_read_near_the_end():
    end = "\n(48.5, 2.5)"
    far = "Country: Japan\n" + "y" * (BODY - len(end) - len("ountry: Japan\n")) + end
    assert parse_strict(far).country is None
    assert parse_strict(far.replace("yy", "y", 1)).country == "Japan"
    assert strict_pair("(48.5, 2.5)" + "y" * BODY) == (48.5, 2.5)
    before = "lon, lat (2.5, 48.5)"
    assert not parse_strict(before + "y" * BODY).ambiguous


# render


@pytest.mark.parametrize(
    ("lat", "lon", "options", "pair"),
    [
        (48.8584, 2.2945, {}, "48.858400, 2.294500"), (1.0, 2.0, {"decimals": 1}, "1.0, 2.0"),
        (1.26, 2.34, {"decimals": 1}, "1.3, 2.3"), (1.26, 2.34, {"decimals": 0}, "1.3, 2.3"),
        (1.26, 2.34, {"decimals": 2}, "1.26, 2.34"),
        (1.5, 2.5, {"decimals": 41}, f"1.5{'0' * 39}, 2.5{'0' * 39}"),
        (-0.01, -0.01, {"decimals": 1}, "0.0, 0.0"), (90.0, 180.0, {}, "90.000000, -180.000000"),
        (-89.96, 179.96, {"decimals": 1}, "-90.0, -180.0"),
        (1.3, 190.0, {"decimals": 1}, "1.3, -170.0"),
        (1.3, 2.8, {"round_degrees": 0.5, "decimals": 2}, "1.50, 3.00"),
        (89.0, -179.0, {"round_degrees": 4, "decimals": 1}, "88.0, -180.0"),
        (89.9, 2.0, {"round_degrees": 60.0, "decimals": 1}, "60.0, 0.0"),
        (80.0, 2.0, {"round_degrees": 100.0, "decimals": 1}, "90.0, 0.0"),
        (-80.0, 2.0, {"round_degrees": 100.0, "decimals": 1}, "-90.0, 0.0"),
    ],
)  # fmt: skip
def test_coordinates_are_rounded_and_stay_on_the_earth(lat, lon, options, pair):
    assert render(None, None, None, lat, lon, **options) == f"Coordinates: ({pair})"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (None, ""), ("", ""), (" \n", ""), ("a  b\tc", "a b c"), ("a\x00b", "ab"),
        ("a\ud800b", "ab"),
        ("a\x85b", "a b"), ("a\u2028b\u2029c", "a b c"), ("a\u200bb", "a\u200bb"),
        ("a \x00 b", "a b"),
        ("(1.5, 2.5)", "1.5 2.5"), ("x ( 1.5 ,2.5 ) y", "x 1.5 2.5 y"), ("(1, 2)", "(1, 2)"),
        ("é" * 200, "é" * 200), ("é" * 201, "é" * 200), ("a" * 199 + " b", "a" * 199),
        (" " * 801 + "a", ""), (" " * 799 + "a", "a"), ("((1.5, 2.5), 3.5)", "(1.5 2.5, 3.5)"),
    ],
)  # fmt: skip
def test_a_name_is_fit_for_one_line(name, clean):
    assert clean_name(name) == clean
    assert render(name, None, None, 1, 2).startswith(f"Country: {clean}\n" if clean else "Coord")


# other readings


def test_the_questions_are_told():
    end = "Use only what is visible in the image."
    assert answers.question("location") == (
        f"Where was this photo taken? {end} Answer with the coordinates only, in this form:\n"
        "Coordinates: (latitude, longitude)"
    )
    assert answers.question("cot") == (
        "Where was this photo taken? Think step by step about the clues in it: buildings, signs, "
        f"plants, terrain, light. {end} End with one line in this form:\n"
        "Coordinates: (latitude, longitude)"
    )
    assert answers.question() == answers.question("cor", ("country", "admin1", "city")) == (
        "You are a geographic reasoning agent. Analyse the image and predict where it was taken, at"
        "\nexactly 4 levels:\n1. Country\n2. State / Administrative Region\n3. City or Place\n"
        f"4. Coordinates (latitude, longitude in decimal degrees)\n{end} Answer in this form:\n"
        "Country: ...\nState: ...\nCity: ...\nCoordinates: (latitude, longitude)"
    )  # fmt: skip
    for options, said in (
        (("x",), "unknown prompt 'x'; expected cor, cot, location"),
        (("cor", ["city", "x"]), "unknown level 'x'; expected country, admin1, city"),
    ):
        with pytest.raises(ValueError) as told:
            answers.question(*options)
        assert str(told.value) == said


def test_a_coarse_rounding_does_not_lead_past_a_pole():
    for lat, told in ((89.9, "90.0"), (-89.9, "-90.0")):
        assert render(None, None, None, lat, 0.5, decimals=1, round_degrees=7) == (
            f"Coordinates: ({told}, 0.0)"
        )
