"""Usual names in files of several answers, each on its own: none of the lists may lose one."""

import pytest

from geodata.evaluation.joining import read_predictions
from geodata.evaluation.joining.several import lists
from geodata.evaluation.joining.several.confidences import confidence_column
from geodata.evaluation.joining.several.numbered import numbered_confidences
from geodata.evaluation.joining.several.reading import open_answers

SURE = """confidence pred_confidence confidence_score conf certainty probability prob pred_prob
logprob logprobs avg_logprob mean_logprob sum_logprob sequence_logprob log_likelihood logp"""
RANKS = """rank candidate_rank candidate candidate_id candidate_index sample_index sample_idx
attempt trial beam top_k"""
LISTS = """candidates predictions preds guesses answers samples top_k top5 hypotheses proposals
points responses completions outputs generations coordinates locations results"""


@pytest.mark.parametrize("name", SURE.split())
def test_usual_names_of_a_confidence(name):
    """As a column, as numbered columns, and as a key of the answers in a list."""
    one = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
    for written in (name, name.replace("_", " ").title(), name.replace("_", "")):
        assert confidence_column(read_predictions(one | {written: [0.5]})) == written
        assert confidence_column(read_predictions(one | {f"{written} of it": [0.5]})) is None
        numbered = [f"{written}_1", f"{written}_2"]
        assert numbered_confidences(["id", *numbered], 2) == numbered
        assert lists._point({"lat": 1, "lon": 2, written: 0.5}) == (1.0, 2.0, 0.5)


@pytest.mark.parametrize("name", RANKS.split())
def test_usual_names_of_what_orders_the_answers_of_a_photo(name):
    table = {"id": ["a", "a"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    for written in (name, name.replace("_", " ").title()):
        found = open_answers(table | {written: [2, 1]})
        assert (found.layout, found.several.lat.tolist()) == ("rows", [2.0, 1.0])


@pytest.mark.parametrize("name", LISTS.split())
def test_usual_names_of_a_column_of_lists(name):
    for written in (name, name.replace("_", " ").title()):
        found = open_answers({"id": ["a"], written: [[[1.0, 2.0], [3.0, 4.0]]]})
        assert (found.layout, found.several.lat.tolist()) == ("list", [1.0, 3.0])
