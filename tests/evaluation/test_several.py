"""K answers a photo in every layout, against a plain loop; and a confidence from end to end."""

import json

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor, evaluation, sphere
from geodata.evaluation.findings import PredictionError

N, K = 120, 4


def _made(seed=0, k=K):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-55, 65, N), rng.uniform(-170, 170, N)
    away = 10 ** rng.uniform(-2, 1.3, (N, k))
    turn = rng.uniform(0, 2 * np.pi, (N, k))
    y = np.clip(lat[:, None] + away * np.sin(turn), -85, 85)
    x = lon[:, None] + np.clip(away * np.cos(turn), -9, 9)
    truth = pa.table({"id": [f"p{i}" for i in range(N)], "lat": lat, "lon": lon})
    return truth, y, x, rng.random((N, k))


def _columns(truth, y, x, sure):
    made = {"id": truth["id"]}
    for k in reversed(range(y.shape[1])):
        made |= {
            f"lat_{k + 1}": y[:, k],
            f"lon_{k + 1}": x[:, k],
            f"confidence_{k + 1}": sure[:, k],
        }
    return pa.table(made)


def _rows(truth, y, x, sure, order=None):
    photo, k = np.divmod(np.arange(y.size), y.shape[1])
    at = np.arange(y.size) if order is None else order
    made = {
        "id": np.array(truth["id"].to_pylist())[photo][at], "lat": y.ravel()[at],
        "lon": x.ravel()[at], "confidence": sure.ravel()[at], "rank": k[at] + 1,
    }  # fmt: skip
    return pa.table(made)


def _list(truth, y, x, sure):
    cells = [
        [{"lat": a, "lon": b, "confidence": c} for a, b, c in zip(*row)]
        for row in zip(y.tolist(), x.tolist(), sure.tolist())
    ]
    return pa.table({"id": truth["id"], "candidates": cells})


def _layouts():
    truth, y, x, _ = made = _made()
    mixed = np.random.default_rng(1).permutation(y.size)
    pairs = pa.table({"id": truth["id"], "guesses": np.stack([y, x], 2).tolist()})
    halves = pa.table({"id": truth["id"], "pred_lat": y.tolist(), "pred_lon": x.tolist()})
    return {
        "columns": _columns(*made),
        "ranked rows": _rows(*made, mixed),
        "rows": _rows(*made).drop_columns(["rank"]),
        "list": _list(*made),
        "pairs": pairs,
        "two lists": halves,
    }


@pytest.mark.parametrize("layout", list(_layouts()))
def test_every_layout_is_a_plain_loop(layout):
    truth, y, x, sure = _made()
    found = evaluation.evaluate(_layouts()[layout], truth, (25, 200), regions=True)
    away = sphere.haversine_km(
        truth["lat"].to_numpy()[:, None], truth["lon"].to_numpy()[:, None], y, x
    )
    between = sphere.haversine_km(y[:, :, None], x[:, :, None], y[:, None], x[:, None])
    rows = np.arange(N)
    medoid = away[rows, between.sum(axis=2).argmin(axis=1)]
    for t in (25.0, 200.0):
        assert found.accuracy[t] == np.mean(away[:, 0] <= t)
        assert found.oracle[t] == np.mean(away.min(axis=1) <= t)
        assert found.candidates["medoid"][t] == np.mean(medoid <= t)
        assert found.candidates["vote"][t] == np.mean(_voted(y, x, away, between) <= t)
        assert found.candidates["first"][t] == found.accuracy[t]
        if layout in ("columns", "ranked rows", "rows", "list"):
            best = away[rows, sure.argmax(axis=1)]
            assert found.candidates["best"][t] == np.mean(best <= t)
    assert (found.candidates.k, found.candidates.k_min) == (K, K)
    assert "several_answers" in {one.code for one in found.findings}


def _voted(y, x, away, between):
    """Vote by country, then region, then city; the medoid of those left."""
    labels = cor.label_table(y.ravel(), x.ravel())
    names = [labels[c].to_pylist() for c in ("country_code", "admin1_code", "city")]
    out = []
    for i in range(N):
        left = list(range(K))
        for column in names:
            mine = [column[i * K + k] or "" for k in left]
            most = max(mine, key=mine.count)
            left = [k for k, name in zip(left, mine) if name == most]
        sums = [between[i][k][left].sum() for k in left]
        out.append(away[i][left[int(np.argmin(sums))]])
    return np.array(out)


def test_text_files_hold_lists_and_columns_too(tmp_path):
    truth, y, x, _ = made = _made()
    table = _list(*made)
    jsonl = tmp_path / "answers.jsonl"
    jsonl.write_text("\n".join(map(json.dumps, table.to_pylist())), "utf-8")
    words = [[f"I think ({a:.6f}, {b:.6f})." for a, b in zip(*row)] for row in zip(y, x)]
    said = pa.table({"id": truth["id"], "responses": words})
    away = sphere.haversine_km(
        truth["lat"].to_numpy()[:, None], truth["lon"].to_numpy()[:, None], y, x
    )
    for source in (jsonl, said):
        found = evaluation.evaluate(source, truth, (200,), regions=False)
        assert found.oracle[200] == np.mean(away.min(axis=1) <= 200)


def test_varying_k_and_answers_that_are_no_place():
    truth = {"id": ["a", "b", "c"], "lat": [0.0, 10.0, 20.0], "lon": [0.0, 0.0, 0.0]}
    rows = {
        "id": ["a", "a", "b", "b", "b", "d"], "lat": [95.0, 0.0, 50.0, 10.0, None, 1.0],
        "lon": [0.0, 0.0, 0.0, 0.0, None, 1.0],
    }  # fmt: skip
    found = evaluation.evaluate(rows, truth, (25,), regions=False, candidates="rows")
    assert (found.rows, found.scores.answered) == (3, 1)
    assert found.accuracy[25] == 0.0
    assert found.oracle[25] == pytest.approx(2 / 3)
    codes = {one.code: one for one in found.findings}
    assert codes["varying_candidates"].message.startswith("photos have 2 to 3 answers")
    assert found.candidates.intervals["oracle"][25.0].value == found.oracle[25]


def test_a_few_repeated_ids_are_still_refused():
    truth, y, x, _ = _made()
    once = pa.table({"id": truth["id"], "lat": y[:, 0], "lon": x[:, 0]})
    twice = pa.concat_tables([once, once.slice(0, 3).set_column(1, "lat", pa.array([1.0] * 3))])
    with pytest.raises(PredictionError, match="3 rows repeat an id"):
        evaluation.evaluate(twice, truth, regions=False)
    assert evaluation.evaluate(twice, truth, regions=False, candidates="rows").candidates.k == 2
    with pytest.raises(ValueError, match="found no columns of several answers"):
        evaluation.evaluate(once, truth, candidates="columns")


def test_options_are_kept_where_repeated_ids_turn_out_to_be_answers():
    """The rows are read again then, by the confidence and the match that were asked for."""
    truth = {"id": list("abcd"), "lat": [10.0] * 4, "lon": [0.0] * 4}
    rows = {
        "id": list("abcd" * 2), "lat": [10.0, 60.0, 10.0, 60.0, *[10.1] * 4], "lon": [0.0] * 8,
        "surest": [0.9, 0.1, 0.8, 0.2, *[0.5] * 4],
    }  # fmt: skip
    asked = {"regions": False, "lint": False, "confidence_column": "surest"}
    found = evaluation.evaluate(rows, truth, (25,), **asked)
    assert (found.candidates.layout, found.accuracy[25]) == ("rows", 0.5)
    assert found.confidence.curve.source == "confidence of the first answer"
    # the sure ones, a and c, are right: of 1, 2, 3 and 4 answers so many are wrong
    assert found.risk_coverage(25)[1] == pytest.approx([0, 0, 1 / 3, 1 / 2])
    named = rows | {"id": [f"{name}.jpg" for name in rows["id"]]}
    for match, answered in (("auto", 4), ("stem", 4), ("exact", 0)):
        found = evaluation.evaluate(named, truth, (25,), match=match, **asked)
        assert (found.candidates.layout, found.scores.answered) == ("rows", answered)


def test_one_answer_a_photo_is_its_own_oracle():
    truth, y, x, _ = _made()
    found = evaluation.evaluate(
        {"id": truth["id"].to_pylist(), "lat": y[:, 0], "lon": x[:, 0]}, truth, regions=False
    )
    assert found.candidates is None
    assert found.oracle == found.accuracy
    assert found.aurc == {}
    with pytest.raises(ValueError, match="confidence_column="):
        found.risk_coverage(25)


def test_a_confidence_follows_its_row():
    """Rows in another order than the truth, some without an answer."""
    truth, y, x, sure = _made()
    order = np.random.default_rng(2).permutation(N)
    lat = np.where(np.arange(N) % 7, y[:, 0], np.nan)
    preds = pa.table({
        "id": truth["id"].take(order), "lat": lat[order], "lon": x[order, 0],
        "log_prob": np.log(sure[order, 0]),
    })  # fmt: skip
    found = evaluation.evaluate(preds, truth, (25, 200), regions=False)
    there = ~np.isnan(lat)
    away = sphere.haversine_km(truth["lat"].to_numpy(), truth["lon"].to_numpy(), lat, x[:, 0])[
        there
    ]
    wrong = away[np.argsort(-sure[there, 0])] > 200
    coverage, risk = found.risk_coverage(200)
    assert risk == pytest.approx(np.cumsum(wrong) / np.arange(1, len(wrong) + 1))
    assert coverage[-1] == pytest.approx(there.sum() / N)
    assert found.aurc[200] == pytest.approx(risk.mean())
    written = json.loads(found.to_json())["confidence"]
    assert written["source"] == "log_prob"
    assert written["aurc"][1] == {"km": 200.0, "aurc": found.aurc[200]}


def test_the_spread_of_answers_is_a_confidence():
    truth, y, x, _ = _made()
    found = evaluation.evaluate(_layouts()["pairs"], truth, (200,), regions=False)
    between = sphere.haversine_km(y[:, :, None], x[:, :, None], y[:, None], x[:, None])
    spread = between.sum(axis=2).min(axis=1) / K
    away = sphere.haversine_km(truth["lat"].to_numpy(), truth["lon"].to_numpy(), y[:, 0], x[:, 0])
    wrong = away[np.argsort(spread)] > 200
    assert found.risk_coverage(200)[1] == pytest.approx(np.cumsum(wrong) / np.arange(1, N + 1))
    assert found.confidence.curve.source == "agreement of the answers"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.full(N, 0.5), "confidence_constant"),
        (np.append(np.full(N - 1, 0.5), 1e9), "confidence_range"),
        (np.append(np.linspace(0, 1, N - 1), np.nan), "confidence_missing"),
        (["high"] * N, "confidence_missing"),
        (np.arange(N), None),
    ],
)
def test_a_confidence_that_says_little_is_told(values, code):
    truth, y, x, _ = _made()
    preds = {"id": truth["id"].to_pylist(), "lat": y[:, 0], "lon": x[:, 0], "confidence": values}
    found = evaluation.evaluate(preds, truth, regions=False)
    told = {one.code for one in found.findings if one.code.startswith("confidence_")}
    if code is not None:
        assert code in told
    else:
        assert told <= {"confidence_range", "confidence_reversed"}


def test_a_reversed_confidence_is_told():
    truth, y, x, _ = _made()
    away = sphere.haversine_km(truth["lat"].to_numpy(), truth["lon"].to_numpy(), y[:, 0], x[:, 0])
    preds = {
        "id": truth["id"].to_pylist(),
        "lat": y[:, 0],
        "lon": x[:, 0],
        "confidence": away / 1e5,
    }
    found = evaluation.evaluate(preds, truth, regions=False)
    assert "confidence_reversed" in {one.code for one in found.findings}


@pytest.mark.parametrize(
    ("rows", "ahead", "told"), [(100, 3, False), (100, 4, True), (99, 7, False), (101, 7, True)]
)
def test_a_reversed_confidence_is_told_from_5_points_and_100_answers(rows, ahead, told):
    """The surest answers are wrong, then every second one; the mean risk by a plain loop."""
    wrong = np.array([True] * ahead + [i % 2 == 1 for i in range(rows - ahead)])
    over = np.mean([wrong[:k].mean() for k in range(1, rows + 1)]) - wrong.mean()
    assert abs(over - 0.05) < 0.005 or ahead == 7
    ids, zeros = [f"p{i}" for i in range(rows)], [0.0] * rows
    preds = {"id": ids, "lat": 50.0 * wrong, "lon": zeros, "confidence": -1.0 * np.arange(rows)}
    truth = {"id": ids, "lat": zeros, "lon": zeros}
    found = evaluation.evaluate(preds, truth, (25,), regions=False)
    assert (over > 0.05 and rows >= 100) == told
    assert ("confidence_reversed" in {one.code for one in found.findings}) == told


def test_a_photo_with_one_answer_has_no_agreement():
    truth = {"id": ["a", "b"], "lat": [0.0, 10.0], "lon": [0.0, 0.0]}
    rows = {"id": ["a", "b", "b"], "lat": [0.0, 10.0, 50.0], "lon": [0.0] * 3}
    found = evaluation.evaluate(rows, truth, (25,), regions=False, candidates="rows")
    assert found.confidence.curve.unknown == 1


def test_excluded_rows_are_in_no_interval():
    truth, y, x, _ = _made()
    lat = np.where(np.arange(N) % 3, y[:, 0], np.nan)
    preds = {"id": truth["id"].to_pylist(), "lat": lat, "lon": x[:, 0]}
    by = truth.append_column("author", pa.array([i % 30 for i in range(N)]))
    found = evaluation.evaluate(preds, by, missing="exclude", cluster="author", regions=False)
    for t, share in found.accuracy.items():
        assert found.intervals[t].value == pytest.approx(share)
