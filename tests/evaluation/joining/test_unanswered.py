"""Refused, missing, unreadable and wrong are four things, and all rows are one of them."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from geodata.evaluation import evaluate, report
from tests.evaluation.report.cases import printed

WORDS = {
    "right": "It is at (48.86, 2.35).",
    "wrong": "Latitude: -33.86\nLongitude: 151.21",
    "refused": "I'm sorry, but I cannot help with locating this photo.",
    "unreadable": "A street in a town with yellow lines.",
    "range": "Latitude between 40 and 50, longitude between 0 and 10",
    "outside": "(95.5, 190.5)",
    "empty": " ",
    "null": None,
}
TRUTH = {"id": [*WORDS, "absent"], "lat": [48.86] * 9, "lon": [2.35] * 9}


def counts(result):
    return result.answered, result.refused, result.unreadable, result.missing


def test_words_are_told_apart():
    result = evaluate({"id": list(WORDS), "text": list(WORDS.values())}, TRUTH, regions=False)
    assert counts(result) == (2, 1, 3, 3)
    assert result.accuracy[25] == pytest.approx(1 / 9)
    assert "refused" in [found.code for found in result.findings]


def test_words_beside_coordinates_say_why_there_are_none():
    preds = {
        "id": list(WORDS),
        "lat": [48.86, -33.86, None, None, None, 95.5, None, None],
        "lon": [2.35, 151.21, None, None, None, 190.5, None, None],
        "raw_text": list(WORDS.values()),
    }
    result = evaluate(preds, TRUTH, regions=False)
    assert counts(result) == (2, 1, 3, 3)
    rows = {f.code: f.rows for f in result.findings if f.code in ("refused", "unparsable")}
    assert rows == {"refused": (3,), "unparsable": (4, 5)}


def test_rows_that_are_not_asked_about_are_not_counted():
    preds = {"id": ["a", "b", "c"], "text": ["(1.0, 2.0)", WORDS["refused"], WORDS["refused"]]}
    truth = {"id": ["b", "x"], "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    assert counts(evaluate(preds, truth, regions=False)) == (0, 1, 0, 1)


def test_every_form_says_what_the_denominator_is(tmp_path):
    preds = {"id": list(WORDS), "text": list(WORDS.values())}
    for missing, of, said in (
        ("wrong", 9, "1 refused, 3 unreadable, 3 missing; all of them count as wrong"),
        ("exclude", 2, "1 refused, 3 unreadable, 3 missing; none of them is in the denominator"),
    ):
        result = evaluate(preds, TRUTH, regions=False, missing=missing)
        whole = json.loads(result.to_json())
        assert whole["denominator"] == of
        assert [whole[k] for k in ("answered", "refused", "unreadable", "missing")] == [2, 1, 3, 3]
        report.write_markdown(result, tmp_path / "a.md")
        report.write_html(result, tmp_path / "a.html")
        shown = " ".join(printed(report.print_evaluation, result).split())
        for text in (shown, *((tmp_path / f"a.{end}").read_text() for end in ("md", "html"))):
            assert said in text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, "absent"]), min_size=1, max_size=30))
def test_rows_are_the_sum_of_the_four(kinds):
    rows = [(f"{i}", WORDS[kind]) for i, kind in enumerate(kinds) if kind != "absent"]
    rows = rows or [("other", "x")]
    truth = {"id": [str(i) for i in range(len(kinds))], "lat": [48.86] * len(kinds)}
    truth["lon"] = [2.35] * len(kinds)
    preds = {"id": [one for one, _ in rows], "text": [text or "" for _, text in rows]}
    result = evaluate(preds, truth, regions=False)
    assert result.rows == sum(counts(result)) == len(kinds)
    assert result.refused == kinds.count("refused")
    assert result.unreadable == sum(kinds.count(k) for k in ("unreadable", "range", "outside"))
    assert result.answered == kinds.count("right") + kinds.count("wrong")


def test_rows_without_an_answer_are_not_counted_where_they_are_excluded():
    """Each finding says what the score does, with the same numbers otherwise."""
    preds = {"id": [*WORDS, "other"], "text": [*WORDS.values(), "48.8, 2.3"]}
    wrong, excluded = (
        evaluate(preds, TRUTH, missing=missing, text="text").findings
        for missing in ("wrong", "exclude")
    )
    said = [one.message for one in wrong if "and count as wrong" in one.message]
    assert len(said) >= 3
    assert [one.message for one in excluded] == [
        one.message.replace("and count as wrong", "and are not counted") for one in wrong
    ]
    assert [(one.code, one.rows, one.count) for one in excluded] == [
        (one.code, one.rows, one.count) for one in wrong
    ]


@pytest.mark.parametrize("missing", [None, ""])
def test_an_answer_without_an_id_is_told_as_that(missing):
    """The text None can be an id, and then it is quoted as one."""
    truth = {"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    answers = {"id": ["a", missing, "None"], "lat": [1.0, 2.0, 3.0], "lon": [3.0, 4.0, 5.0]}
    found = {one.code: one.message for one in evaluate(answers, truth).findings}
    assert found["extra_predictions"].endswith("the truth does not have: no id, 'None'")
    none = {"id": [missing, "z"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    found = {one.code: one.message for one in evaluate(none, truth).findings}
    assert found["no_ids_match"].endswith("truth's first is 'a', the predictions' first is no id")


def test_a_missing_id_says_nothing_of_how_numbers_are_padded():
    truth = {"id": ["7", "12"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    answers = {"id": ["007", "012", None], "lat": [1.0, 2.0, 5.0], "lon": [3.0, 4.0, 6.0]}
    result = evaluate(answers, truth)
    assert "ids_matched_by_zeros" in {one.code for one in result.findings}
    assert result.scores.answered == 2
