"""What is told of a confidence: every doubt with its words, and the rows that each figure is of."""

import numpy as np
import pyarrow as pa
import pytest

from geodata.evaluation.scores import worth
from geodata.evaluation.scores.confidence import halves, risk
from geodata.evaluation.scores.counting import Scorer, Scoring
from geodata.evaluation.scores.result import Options

NAN = float("nan")


def scored(km, author=None, thresholds=(25.0,), **options):
    table = pa.table({"pred_distance_km": pa.array(km, pa.float64())})
    if author is not None:
        table = table.append_column("author", pa.array(author))
    scorer = Scorer(Scoring(thresholds, **options), by=() if author is None else ("author",))
    scorer.add(table)
    return scorer.finish()


def told(sure, km=None, **options):
    sure = np.asarray(sure, float)
    scores = scored([0.0] * len(sure) if km is None else km, **options)
    none = np.empty(0, bool)
    return [str(f) for f in worth.confidence_of("p", sure, scores, Options(), {}, none)[1]]


def test_answers_without_a_number_are_told_and_taken_last():
    (found,) = told([0.5, NAN, 0.25, NAN, NAN])
    assert found == (
        "warning: confidence_missing: 3 of 5 answers have no p that is a number; they are taken "
        "last. Write a number beside every answer."
    )
    (found,) = told([NAN, NAN])
    assert found.startswith("warning: confidence_missing: 2 of 2 answers")
    assert (
        told([0.5, 0.25, NAN], km=[0.0, 0.0, None]) == []
    )  # a row without an answer needs no confidence
    assert told([]) == []


@pytest.mark.parametrize(("value", "said"), [(0.5, "0.5"), (-0.0, "0"), (1e9, "1e+09")])
def test_one_value_tells_no_answer_from_another(value, said):
    constant = (
        f"warning: confidence_constant: every p is {said}: it tells no answer from another. Look "
        "whether the model was asked for it, or leave the column out."
    )
    assert told([value] * 3) == [constant]
    assert told([NAN, value, value])[1:] == [constant]


RANGE = (
    ": confidence_range: p goes from {} to {}, which is no probability, percentage or "
    "log-probability: only its order is used. Look for answers whose confidence was misread."
)


@pytest.mark.parametrize(
    ("sure", "said", "count"),
    [
        ([0.0, 100.0], None, 0),
        ([0.0, 100.5, 7.0, 300.0], ("warning", 0, 300), 2),
        ([-1e6, -1.0], None, 0),
        ([-1.5e6, -1.0, -2e6], ("error", "-2e+06", -1), 2),
        ([-2e6, -0.0], ("error", "-2e+06", 0), 1),
        ([-0.0, 101.0], ("warning", 0, 101), 1),
        ([0.5, 2e6, 200.0, -3e6], ("error", "-3e+06", "2e+06"), 2),
        ([0.5, 1e6], ("warning", 0.5, "1e+06"), 1),
    ],
)
def test_a_number_that_no_model_says_is_told(sure, said, count):
    _, found = worth.confidence_of(
        "p", np.array(sure), scored([0.0] * len(sure)), Options(), {}, np.empty(0, bool)
    )
    assert [str(f) for f in found] == ([] if said is None else [said[0] + RANGE.format(*said[1:])])
    assert [f.count for f in found] == ([] if said is None else [count])


def test_a_confidence_is_reversed_at_the_middle_threshold():
    """The surest are a third of the answers: wrong at 25 km and near enough at 200."""
    km = [100.0] * 40 + [0.0] * 80
    sure = -np.arange(120.0)
    over = np.mean(np.minimum(1.0, 40 / np.arange(1, 121)))
    said = (
        "warning: confidence_reversed: answers with a higher p are worse: mean risk "
        f"{over:.2f} against 0.33 in no order, at 25 km. Look whether the column is an "
        "uncertainty."
    )
    for thresholds, expected in (
        ((25.0,), [said]), ((1.0, 25.0), [said]), ((1.0, 25.0, 200.0), [said]),
        ((25.0, 200.0), []), ((1.0, 25.0, 200.0, 750.0), []),
    ):  # fmt: skip
        assert told(sure, km, thresholds=thresholds) == expected
    assert told(-sure / 120, km) == []


def test_coverage_is_a_share_of_the_denominator():
    km, sure = [0.0, 100.0, None, None], np.array([0.9, 0.1, 0.8, NAN])
    for missing, rows in (("wrong", 4), ("exclude", 2)):
        found, _ = worth.confidence_of(
            "p", sure, scored(km, missing=missing), Options(), {}, np.empty(0, bool)
        )
        assert (found.curve.rows, found.curve.answered, found.curve.unknown) == (rows, 2, 0)
        assert found.curve.source == "p"
        coverage, wrong = found.curve.risk_coverage(25.0)
        assert (coverage.tolist(), wrong.tolist()) == ([1 / rows, 2 / rows], [0.0, 0.5])


def test_authors_are_halved_whole_and_the_seed_draws():
    author = ["a"] * 50 + ["b"] * 40 + ["c"] * 30
    rng = np.random.default_rng(0)
    km, sure = rng.uniform(0, 100, 120).tolist(), rng.random(120)
    scores = scored(km, author)

    def held_out(**options):
        found, _ = worth.confidence_of("p", sure, scores, Options(**options), {}, np.empty(0, bool))
        return found.radii[0].held_out

    assert held_out() == 60
    drawn = {held_out(cluster="author", seed=seed) for seed in range(12)}
    assert drawn == {50, 40, 30}


def test_a_photo_without_an_answer_belongs_to_no_half():
    """Twenty of the fifty photos of the first author have none: what is held out are answers."""
    author = ["a"] * 50 + ["b"] * 40 + ["c"] * 30
    km = [None if i < 20 else float(i) for i in range(120)]
    scores, sure = scored(km, author), np.arange(120) / 120
    drawn = set()
    for seed in range(12):
        options = Options(cluster="author", seed=seed)
        found, _ = worth.confidence_of("p", sure, scores, options, {}, np.empty(0, bool))
        drawn.add(found.radii[0].held_out)
    assert drawn == {30, 40}


def test_levels_are_learnt_on_answers_whose_truth_lies_in_a_country():
    """Of 100 rows ten are unanswered and thirty at sea; city is right from 0.5 on, country all."""
    n = 100
    km = [None if i < 10 else 0.0 for i in range(n)]
    sure = np.arange(n) / n
    labelled = np.arange(n) < 70
    right = {
        "country": labelled.copy(), "admin1": sure >= 0.3, "city": labelled & (sure >= 0.5),
    }  # fmt: skip
    found, _ = worth.confidence_of("p", sure, scored(km), Options(), right, labelled)
    assert [one.level for one in found.back_off] == ["city", "admin1", "country"]
    unseen = int((~halves(90, 0)[:60]).sum())
    assert {one.held_out for one in found.back_off} == {unseen}
    assert {one.target for one in found.back_off} == {0.9}
    bars = [one.bar for one in found.back_off]
    assert 0.45 <= bars[0] <= 0.55
    assert 0.25 <= bars[1] <= 0.35
    assert 0.1 <= bars[2] <= 0.2
    assert sum(one.share for one in found.back_off) >= 0.9
    none, _ = worth.confidence_of("p", sure, scored(km), Options(), {}, labelled)
    assert none.back_off == ()
    assert none.radii == found.radii


def test_a_curve_of_nothing_has_no_area():
    found = risk.selective(np.empty((0, 1), bool), [], (25.0,), rows=3)
    assert (found.answered, found.aurc, found.rows) == (0, {25.0: None}, 3)
    assert [part.tolist() for part in found.risk_coverage(25)] == [[], []]
    assert found.accuracy_at(0.1, 25) is None
    assert "array" not in repr(found)


def test_the_accuracy_at_a_coverage_takes_at_least_one_answer():
    found = risk.selective([[True], [False], [False], [True]], [4, 3, 2, 1], (25.0,))
    assert (found.source, found.rows) == ("confidence", 4)
    for coverage, accuracy in ((0.0, 1), (0.1, 1), (0.25, 1), (0.26, 0.5), (0.5, 0.5), (1.0, 0.5)):
        assert found.accuracy_at(coverage, 25) == accuracy
    thirds = risk.selective([[True]] * 3, [1, 2, 3], (25.0,), rows=30)
    assert thirds.accuracy_at(0.1, 25) == 1.0  # 0.1 x 30 is 3.0000000000000004
    assert thirds.accuracy_at(0.11, 25) is None
