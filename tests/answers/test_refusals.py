"""Refusals in twelve languages, measured on sentences, and what only looks like one."""

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from geodata.answers import LANGUAGES, is_refusal

SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "refusals.jsonl")
    .read_text("utf-8")
    .split("\n")
    if line
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_are_recognised(language):
    said = [row for row in SENTENCES if row["lang"] == language]
    assert sum(row["refusal"] for row in said) >= 5
    assert [row["text"] for row in said if row["refusal"] and not is_refusal(row["text"])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_are_no_refusals(language):
    said = [row for row in SENTENCES if row["lang"] == language and not row["refusal"]]
    assert len(said) >= 3
    assert [row["text"] for row in said if is_refusal(row["text"])] == []


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ('{"latitude": null, "longitude": null}', True),
        ("Latitude: N/A\nLongitude: N/A", True),
        ("I can't tell. Coordinates: (48.85, 2.29)", False),
        ("I cannot help with that.\nCountry: France", False),
        ("<think>I cannot determine the location.</think>It is Paris.", False),
        ("<think>Paris?</think>I cannot determine the location.", True),
        ("(95.1, 10.5)", False),
        ("", False),
        (None, False),
        (12.5, False),
    ],
)
def test_what_a_refusal_is(text, refused):
    assert is_refusal(text) is refused


MORE = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "refusals_more.jsonl")
    .read_text("utf-8")
    .split("\n")
    if line
]
"""Sentences written to widen the patterns, and such as were written after them: held out."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_more_ways_to_decline_are_recognised(language):
    said = [row for row in MORE if row["lang"] == language and not row["held_out"]]
    assert sum(row["refusal"] for row in said) >= 15
    wrong = [row["text"] for row in said if is_refusal(row["text"]) != row["refusal"]]
    assert wrong == []


def test_nine_in_ten_refusals_that_no_pattern_was_written_for_are_recognised():
    said = [row for row in MORE if row["held_out"]]
    refusals = [is_refusal(row["text"]) for row in said if row["refusal"]]
    assert len(refusals) >= 37
    assert sum(refusals) >= 0.9 * len(refusals)
    assert not any(is_refusal(row["text"]) for row in said if not row["refusal"])


FRESH = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "refusals_fresh.jsonl")
    .read_text("utf-8")
    .split("\n")
    if line
]
"""Four sets of 120: each was written and measured before the rule was mended by it. The last one
gave 49 of 60 refusals and one false alarm."""


@pytest.mark.parametrize("part", "ABCD")
def test_refusals_in_other_words_are_recognised(part):
    said = [row for row in FRESH if row["set"] == part]
    missed = [row["text"] for row in said if row["refusal"] and not is_refusal(row["text"])]
    assert len(said) == 120
    assert len(missed) <= 2, missed
    assert [row["text"] for row in said if not row["refusal"] and is_refusal(row["text"])] == []


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I cannot say where this is.", True),
        ("I cannot say where this is. It is Lima.", False),
        ("I cannot say where this is, Lima perhaps.", False),
        ("This is Lima, I cannot say where in it.", False),
        ("I cannot say where this is. I'm sorry.", True),
        ("I cannot say where this is. Please send it to OpenAI.", True),
        ("No clue about the place " + "at all " * 80 + "here.", True),
        ("No sign of it. " + "The road goes on. " * 40 + "No evidence of a country.", False),
        ("Ich kann den Ort nicht nennen. Das Land ist Norwegen.", False),
        ("Ohne Hinweise bleibt der Ort offen.", True),
        ("Ich kann den Ort nicht nennen, kein Hinweis aber Norwegen", False),
        ("Ich kann den Ort nicht nennen, kein Hinweis aber Norwegen passt gut.", False),
        ("Ich kann den Ort nicht nennen, kein Hinweis", True),
        ("The note has a Lieu: inconnu.", True),
        ("Ich kann den Ort nicht nennen,     aber Norwegen.", False),
        ("I cannot say where this is, Lima perhaps. I cannot say where this is.", False),
        ("I cannot say where this is. A best guess is of no use: I cannot say where.", True),
        ("The road is long.", False),
        (
            "I cannot say where this is; if you tell me the City or Country name I may do more.",
            True,
        ),
        ("I cannot say where this is; I don't know whether it is Spain or Italy.", True),
    ],
)
def test_what_is_lacking_must_be_what_was_asked_for_and_no_place_be_named(text, refused):
    assert is_refusal(text) is refused


def test_real_answers_are_refusals_only_where_a_person_says_so(shared):
    rows = (shared / "model_outputs.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, rows):
        if is_refusal(row["text"]):
            assert row["human"] is None, row["id"]


@pytest.mark.parametrize("text", [None, b"I cannot say where this is.", 7])
def test_what_is_no_text_is_no_refusal(text):
    assert is_refusal(text) is False


@given(st.text(max_size=300))
def test_any_text_is_one_or_is_not(text):
    assert is_refusal(text) in (True, False)


def test_a_refusal_in_a_long_text_takes_linear_time():
    for unit in ("cannot ", "no puedo ", "не могу ", "I don't know ", "a", "无法", "kann nicht "):
        assert is_refusal(unit * (200_000 // len(unit))) in (True, False)


def test_real_answers_with_a_coordinate_are_no_refusals(shared):
    for line in (shared / "model_outputs.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert not (row["human"] and is_refusal(row["text"])), row["id"]


@pytest.mark.parametrize(("apart", "refused"), [(0, True), (1, False)])
def test_a_refusal_is_looked_for_in_3000_characters_at_either_end(apart, refused):
    said = "Location: unknown"
    beside = "-" * (3000 - len(said) + apart)
    assert is_refusal(beside + said + "-" * 4000) is refused
    assert is_refusal("-" * 4000 + said + beside) is refused
    assert is_refusal(said + "-" * (6000 - len(said) + apart) + said) is True


@pytest.mark.parametrize(("length", "refused"), [(600, True), (601, False)])
def test_single_words_judge_an_answer_of_600_characters(length, refused):
    said = "No clue about the place. "
    assert is_refusal(said + "-" * (length - len(said))) is refused


@pytest.mark.parametrize(("more", "refused"), [("", True), ("-", False)])
def test_of_a_text_of_6000_characters_nothing_is_left_out(more, refused):
    said = "Location: unknown"
    text = "-" * 2995 + said + "-" * (3005 - len(said)) + more
    assert is_refusal(text) is refused
