"""Many models: who is best, who is level with the best, and tests of hand-made rows."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from geodata import evaluation
from geodata.evaluation.scores import models
from geodata.evaluation.scores.intervals import pairs
from geodata.evaluation.scores.models import Models

IDS = [str(i) for i in range(8)]
TRUTH = {"id": IDS, "lat": [0.0] * 8, "lon": [0.0] * 8, "author": [*"aabbccdd"]}


def answers(*km):
    """Return answers so far north of the truth, None for none."""
    lat = [None if one is None else float(np.degrees(one / 6371.0)) for one in km]
    return {"id": IDS, "lat": lat, "lon": [None if one is None else 0.0 for one in km]}


GOOD = answers(1, 1, 1, 1, 1, 1, 100, 9000)
FAIR = answers(1, 1, 1, 100, 100, None, 1, 100)
POOR = answers(9000, 9000, 9000, 9000, 9000, 9000, 9000, 1)


def test_tests_are_on_the_common_rows_alone():
    found = evaluation.table({"good": GOOD, "fair": FAIR}, TRUTH, (25, 200))
    assert (found.common, found.same_rows, found.first) == (7, False, found.results["good"])
    assert found.common_accuracy == {
        "good": {25.0: 5 / 7, 200.0: 6 / 7}, "fair": {25.0: 4 / 7, 200.0: 1.0}
    }  # fmt: skip
    near, far = found.tests
    assert (near.threshold_km, near.a, near.b) == (25.0, "good", "fair")
    assert (near.only_a, near.only_b, near.difference) == (2, 1, 1 / 7)
    assert (far.only_a, far.only_b, far.difference) == (0, 1, -1 / 7)
    assert (near.p_value, near.p_holm) == (1.0, 1.0)
    assert found.accuracy["fair"] == {25.0: 0.5, 200.0: 7 / 8}
    assert {name: set(one) for name, one in found.intervals.items()} == {
        "good": {25.0, 200.0}, "fair": {25.0, 200.0}
    }  # fmt: skip
    same = evaluation.table({"good": GOOD, "poor": POOR}, TRUTH, (25,))
    assert (same.common, same.same_rows) == (8, True)


def test_authors_are_the_units_of_a_test():
    """Good is ahead by 2, 2, 2 and -1 rows: of 16 signs of the four, 10 sums are 5 or farther."""
    found = evaluation.table({"good": GOOD, "poor": POOR}, TRUTH, (25,), cluster="author")
    (test,) = found.tests
    assert (test.only_a, test.only_b, test.difference) == (6, 1, 5 / 8)
    signs = [a * 2 + b * 2 + c * 2 + d for a in (1, -1) for b in (1, -1) for c in (1, -1)
             for d in (1, -1)]  # fmt: skip
    assert test.p_value == pytest.approx(sum(abs(s) >= 5 for s in signs) / 16)
    plain = evaluation.table({"good": GOOD, "poor": POOR}, TRUTH, (25,)).tests[0]
    assert plain.p_value == pytest.approx(2 * 8 / 2**7)


def test_authors_are_those_of_the_common_rows():
    """One is ahead by two rows each of b and c: of four signs of the two, two are as far."""
    some = answers(None, 1, 9000, 9000, 9000, 9000, 1, 1)
    found = evaluation.table({"all": answers(*[1] * 8), "some": some}, TRUTH, (25,),
                             cluster="author")  # fmt: skip
    (test,) = found.tests
    assert (found.common, test.only_a, test.only_b) == (7, 4, 0)
    assert test.p_value == pytest.approx(0.5)


def test_there_is_no_test_of_one_model_or_without_a_common_row():
    assert evaluation.table({"good": GOOD}, TRUTH).tests == ()
    first = answers(1, 1, None, None, None, None, None, None)
    last = answers(None, None, 1, 1, 1, 1, 1, 1)
    found = evaluation.table({"first": first, "last": last}, TRUTH, (25,))
    assert (found.common, found.tests) == (0, ())
    assert found.common_accuracy == {"first": {25.0: None}, "last": {25.0: None}}
    assert found.best(found.common_accuracy, 25.0) == set()
    assert found.level_with_best(25.0) == set()
    assert found.best(found.accuracy, 25.0) == {"last"}


def made(tests, accuracy):
    found = evaluation.table(dict.fromkeys(accuracy, GOOD), TRUTH, (25, 200))
    shares = {name: {25.0: one, 200.0: 0.9} for name, one in accuracy.items()}
    return dataclasses.replace(found, common_accuracy=shares, tests=tuple(tests))


def outcome(t, a, b, p_holm):
    return models.Tested(t, a, b, 1, 1, 0.0, 0.0, p_holm)


def test_level_with_the_best_are_those_that_no_test_tells_from_it():
    tests = [
        outcome(25.0, "a", "b", 0.05), outcome(25.0, "a", "c", 0.049), outcome(25.0, "b", "c", 1.0),
        outcome(25.0, "d", "a", 0.5), outcome(200.0, "a", "c", 1.0), outcome(25.0, "c", "e", 0.9),
    ]  # fmt: skip
    found = made(tests, {"a": 0.8, "b": 0.7, "c": 0.5, "d": 0.8, "e": None})
    assert found.best(found.common_accuracy, 25.0) == {"a", "d"}
    assert found.level_with_best(25.0) == {"b"}
    assert found.best(found.common_accuracy, 200.0) == set("abcde")
    zeros = made([], {"a": 0.0, "b": 0.0})
    assert zeros.best(zeros.common_accuracy, 25.0) == {"a", "b"}


def test_the_table_as_a_dictionary():
    found = evaluation.table({"good": GOOD, "fair": FAIR}, TRUTH, (25,), benchmark="yfcc4k")
    told = found.as_dict()
    assert {k: told[k] for k in ("schema", "rows", "common_rows")} == {
        "schema": "geodata.table/1", "rows": 8, "common_rows": 7
    }  # fmt: skip
    (line,) = told["models"]["fair"]["thresholds"]
    assert (line["km"], line["accuracy"], line["common_accuracy"]) == (25.0, 0.5, 4 / 7)
    assert line["interval"]["value"] == 0.5
    assert told["models"]["fair"]["result"] == found.results["fair"].as_dict()
    assert told["tests"] == [dataclasses.asdict(one) for one in found.tests]
    assert len(told["published"]) == len(found.published) > 0
    assert isinstance(found, Models)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=5))
def test_many_tests_at_once_are_each_mcnemar(counts):
    expected = [pairs.mcnemar(*pair) for pair in counts]
    assert models._mcnemar(np.array(counts)) == pytest.approx(expected, rel=1e-9)
