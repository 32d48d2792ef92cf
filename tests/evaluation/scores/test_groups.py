"""Scores of groups, and of all rows, against plain loops over the rows."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from geodata import evaluation

KM = (0.0, 0.5, 1.0, 20.0, 30.0, 199.0, 700.0, 3000.0, None)
THRESHOLDS = (1.0, 25.0, 200.0)


def score(km):
    return 5000 * math.exp(-km / 1492.7)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(KM), st.sampled_from(["a", "b", "c", None])),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(["wrong", "exclude"]),
)
def test_every_number_is_a_plain_count(rows, missing):
    n = len(rows)
    away = [None if km is None else math.degrees(km / 6371.0) for km, _ in rows]
    truth = {"id": list(range(n)), "lat": [0.0] * n, "lon": [0.0] * n, "who": [w for _, w in rows]}
    preds = {"id": list(range(n)), "lat": away, "lon": [None if v is None else 0.0 for v in away]}
    found = evaluation.evaluate(
        preds, truth, THRESHOLDS, by=("who",), missing=missing, regions=False, lint=False,
        resamples=20,
    )  # fmt: skip
    groups = {w: [km for km, who in rows if who == w] for w in {who for _, who in rows}}
    shown = found.scores.by["who"]
    order = sorted(groups, key=lambda w: (-len(groups[w]), w is None, str(w)))
    assert [group.value for group in shown] == order
    for group in shown:
        check(group, groups[group.value], missing)
    whole = [km for km, _ in rows]
    known = [km for km in whole if km is not None]
    assert (found.rows, found.scores.answered) == (n, len(known))
    check_shares(found.scores.correct, found.accuracy, whole, missing)
    assert found.mean_km == (pytest.approx(np.mean(known), abs=1e-6) if known else None)
    assert found.median_km == (pytest.approx(statistics.median(known), abs=1e-6) if known else None)
    if known:
        quantiles = {q: float(np.quantile(known, q)) for q in (0.1, 0.25, 0.5, 0.75, 0.9)}
        assert found.scores.quantiles_km == pytest.approx(quantiles, abs=1e-6)


def check(group, km, missing):
    known = [one for one in km if one is not None]
    assert (group.rows, group.answered) == (len(km), len(known))
    assert group.coverage == len(known) / len(km)
    check_shares(group.correct, group.accuracy, km, missing)
    of = len(km) if missing == "wrong" else len(known)
    points = sum(map(score, known)) / of if of else None
    assert group.geoscore == (pytest.approx(points) if of else None)
    assert group.mean_km == (pytest.approx(np.mean(known), abs=1e-6) if known else None)
    assert group.median_km == (pytest.approx(statistics.median(known), abs=1e-6) if known else None)


def check_shares(correct, accuracy, km, missing):
    known = [one for one in km if one is not None]
    of = len(km) if missing == "wrong" else len(known)
    for t in THRESHOLDS:
        right = sum(one <= t for one in known)
        assert correct[t] == right
        assert accuracy[t] == (right / of if of else None)
