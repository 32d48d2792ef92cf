"""What an answer says, read without trust; and how alike two texts are."""

import pytest
from hypothesis import given, settings, strategies as st

from georl.reasoning import asking, judging, prompt, seeing, similarity

FORM = (
    "<think>{}</think><answer>\nlocalizability: {}\ncountry: {}\ncity: {}\nevidence: {}\n</answer>"
)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *(("0.9", 0.9), ("1", 1.0), ("[0.25]", 0.25), (".5", 0.5), (".1", 0.1), ("80%", 0.8)),
        *(("80 %", 0.8), ("yes", 1.0), ("No.", 0.0), ("**0.7**", 0.7), ("1.5", None)),
        *(("-0.2", None), ("180%", None), ("high", None), ("", None), ("0.5 or 0.6", None)),
        *(("inf", None), ("１", None)),
    ],
)
def test_scores(text, score):
    assert prompt.read(FORM.format("A tram.", text, "Peru", "Lima", "tram")).localizability == score


def test_evidence_is_a_list_of_different_things_of_bounded_length():
    said = prompt.read(FORM.format("A.", 1, "Peru", "Lima", "[tram; red roof ;; tram；sign.]"))
    assert said.evidence == ("tram", "red roof", "sign")
    many = ";".join(f"thing {i}" for i in range(99))
    assert len(prompt.read(FORM.format("A.", 1, "x", "y", many)).evidence) == prompt.MAX_EVIDENCE


def test_lines_do_not_run_into_names():
    said = prompt.read("<think>A tram.</think><answer>country: [Peru] city: [Lima]\n"
                       "**localizability**: 0.5\nevidence: city: wall</answer>")  # fmt: skip
    assert (said.country, said.city, said.localizability) == ("Peru", "Lima", 0.5)
    assert said.evidence == ("city: wall",)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=20), st.text(max_size=50))
def test_anything_is_read_without_an_error(thought, score, name, evidence):
    for text in (thought, FORM.format(thought, score, name, name, evidence)):
        said = prompt.read(text)
        assert said.localizability is None or 0.0 <= said.localizability <= 1.0
        assert said.problem in (None, "unreadable", "addresses_judge")
        assert set(asking.named(said.reasoning, list(said.evidence))) <= set(said.evidence)


def test_reading_is_linear_in_the_text():
    import time

    began = time.monotonic()
    for text in ("localizability: " * 50_000, "<think>" * 50_000, "evidence:" + " ;" * 200_000):
        prompt.read(FORM.format("A.", text, "x", "y", text))
        prompt.read(text)
    assert time.monotonic() - began < 60


def test_only_things_that_the_reasoning_names_are_entities():
    thought = "Yellow trams pass. A </think> sign, in Portuguese."
    assert asking.named(thought, ["yellow tram", "castle", "sign"]) == ["yellow tram", "sign"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_similarity_is_symmetric_and_bounded(one, other):
    score = similarity.by_words(one, other)
    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(similarity.by_words(other, one))
    self = similarity.by_words(one, one)
    assert self == pytest.approx(1.0) or self == 0.0


def test_similarity_of_words_against_an_independent_count():
    """By hand: {yellow, tram, steep} and {tram, steep, hill, steep}."""
    found = similarity.by_words("yellow trams, steep", "TRAM stéep hills of steep")
    assert found == pytest.approx((1 * 1 + 1 * 2) / (3**0.5 * (1 + 4 + 1) ** 0.5))
    assert similarity.by_words("红色的电车在街上", "街上有红色的电车") > 0.6
    assert similarity.by_words("the a of", "the a of") == 0.0


@pytest.mark.parametrize(
    ("thing", "other", "same"),
    [("tram", "red tram", True), ("red tram", "tram", True), ("car", "scarf", False),
     ("<b>tram", "tram", True), ("trams", "tram", True), ("", "tram", False)],
)  # fmt: skip
def test_a_thing_is_part_of_another(thing, other, same):
    assert seeing.is_part(thing, other) is same


def test_distances_of_spots():
    spot = judging.Spot("PT", "Lisbon", 38.7167, -9.1333)
    assert judging.distance(spot, 41.1496, -8.6110) == pytest.approx(274, abs=3)  # Porto
    assert judging.distance(judging.Spot("PT", None, None, None), 1.0, 2.0) is None
