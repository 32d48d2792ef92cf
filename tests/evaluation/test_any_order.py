"""One result however the rows come: answers in any order, in batches of a few, among others.

Forty photos in eight cities are answered in every layout that a file may have. What is told of
them must be the same figure for figure, whatever stands beside what in the files.
"""

import math

import numpy as np
import pyarrow as pa
import pytest

from geodata import evaluation
from geodata.evaluation.joining.sides import joined
from geodata.files import source

CITIES = (
    (48.86, 2.35, "France", "Paris"), (35.68, 139.77, "Japan", "Tokyo"),
    (-33.87, 151.21, "Australia", "Sydney"), (30.04, 31.24, "Egypt", "Cairo"),
    (-1.29, 36.82, "Kenya", "Nairobi"), (28.61, 77.2, "India", "Delhi"),
    (40.42, -3.7, "Spain", "Madrid"), (52.52, 13.4, "Germany", "Berlin"),
)  # fmt: skip
N = 40
HERE = [CITIES[i * 5 % 8] for i in range(N)]
SAID = [CITIES[(i * 5 + (i % 4 == 0)) % 8] for i in range(N)]
PLACES = [(y + i / 1000, x) for i, (y, x, *_) in enumerate(HERE)]
TRUTH = pa.table({
    "id": [f"p{i}" for i in range(N)], "lat": [y for y, _ in PLACES],
    "lon": [x for _, x in PLACES], "who": [f"w{i % 7}" if i % 9 else None for i in range(N)],
    "country": [one[2] for one in HERE], "city": [one[3] for one in HERE],
})  # fmt: skip
IDS = TRUTH["id"].to_pylist()
LAT = [None if i % 11 == 7 else y + (i * i % 9) ** 3 / 50 for i, (y, *_) in enumerate(SAID)]
LON = [None if i % 11 == 7 else x for i, (_, x, *_) in enumerate(SAID)]
SURE = [i * 7 % 20 / 20 for i in range(N)]
NAMES = {"country": [one[2] for one in SAID], "city": [one[3] for one in SAID]}
TEXTS = [
    "I cannot tell." if y is None else f"Country: {c}\n({y:.3f}, {x:.3f})" if i % 3
    else f'{{"lat": {y:.3f}, "lon": {x:.3f}}}'
    for i, (y, x, c) in enumerate(zip(LAT, LON, NAMES["country"], strict=True))
]  # fmt: skip
SECOND = [None if y is None else y + (0.4 if i % 2 else -0.1) for i, y in enumerate(LAT)]


def away_km(lat, lon, y, x):
    """Return the great circle by the law of cosines, which is close enough beyond a metre."""
    a, b, turn = math.radians(lat), math.radians(y), math.radians(x - lon)
    inner = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return 6371 * math.acos(min(1.0, inner))


KM = [
    None if y is None else away_km(*place, y, x)
    for place, y, x in zip(PLACES, LAT, LON, strict=True)
]
"""How far off each answer is, as a file may say beside it."""

LAYOUTS = {
    "columns": {"lat": LAT, "lon": LON, **NAMES, "sure": SURE, "raw_text": TEXTS, "error_km": KM},
    "texts": {"response": TEXTS, "sure": SURE},
    "names": NAMES,
    "distances": {"distance_km": KM, "sure": SURE},
    "a millionth": {"lat": [1e6 * y for y, _ in PLACES], "lon": [1e6 * x for _, x in PLACES]},
    "pairs": {"lat_1": LAT, "lon_1": LON, "lat_2": SECOND, "lon_2": LON, "prob_1": SURE,
              "prob_2": SURE[::-1]},
    "list": {"guesses": [[] if y is None else [[y, x, s], [z, x, 1 - s]]
                         for y, z, x, s in zip(LAT, SECOND, LON, SURE, strict=True)]},
}  # fmt: skip
LAYOUTS = {name: pa.table({"id": IDS, **columns}) for name, columns in LAYOUTS.items()}
LAYOUTS["rows"] = pa.table({
    "id": IDS * 2, "lat": LAT + SECOND, "lon": LON * 2, "rank": [1] * N + [2] * N,
    "sure": SURE + SURE[::-1],
})  # fmt: skip


def told(answers, truth=TRUTH, **more):
    """Return all that a result says, of findings what does not depend on where a row stands."""
    sure = "sure" if "sure" in answers.column_names else None
    found = evaluation.evaluate(
        answers, truth, by=("who", "country", "continent"), cluster="who", regions=True,
        resamples=50, confidence_column=sure, **more,
    ).as_dict()  # fmt: skip
    found["findings"] = {one["code"]: one["count"] for one in found["findings"]}
    return {name: value for name, value in found.items() if name != "made_by"}


@pytest.fixture(scope="module")
def plain():
    return {name: told(table) for name, table in LAYOUTS.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_order_of_the_answers_says_nothing(layout, plain):
    answers = LAYOUTS[layout]
    mixed = np.random.default_rng(1).permutation(len(answers))
    assert told(answers.take(mixed)) == plain[layout]
    assert plain[layout]["answered"] == {"a millionth": 0, "names": N}.get(layout, N - 3)
    assert ("likely_unit" in plain[layout]["findings"]) == (layout == "a millionth")
    several = plain[layout]["candidates"]
    held = {"pairs": "columns", "list": "list", "rows": "rows"}.get(layout)
    assert (several and several["layout"], several and several["k"]) == (held, held and 2)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_ids_of_the_answers_may_be_named(layout, plain):
    """What is called id in the file is that of other photos."""
    answers = LAYOUTS[layout]
    named = answers.rename_columns(["key", *answers.column_names[1:]])
    named = named.append_column("id", pa.array(answers["id"].to_pylist()[::-1]))
    assert told(named, pred_id="key") == plain[layout]


@pytest.mark.parametrize("layout", ["columns", "texts", "names", "distances", "pairs", "list"])
def test_the_confidence_may_be_named_in_every_layout(layout):
    answers = LAYOUTS[layout].append_column("mine", pa.array(SURE))
    found = evaluation.evaluate(answers, TRUTH, regions=False, confidence_column="mine")
    curve = found.confidence.curve
    right = [one <= 200.0 for one in found.scores.distances_km]
    ranked = [(s, one) for s, one in zip(np.array(SURE)[found.scores.there], right, strict=True)]
    best = max(s for s, _ in ranked)
    wrong = [not one for s, one in ranked if s == best]
    assert (curve.source, curve.unknown) == ("mine", 0)
    assert curve.risk_coverage(200.0)[1][0] == pytest.approx(sum(wrong) / len(wrong))


@pytest.mark.parametrize(("match", "answered"), [("auto", 37), ("stem", 37), ("exact", 0)])
def test_ids_are_compared_as_told_where_they_turn_out_to_be_repeated(match, answered):
    """Rows without a rank are several answers where most ids repeat: they are joined anew."""
    truth = TRUTH.set_column(0, "id", pa.array([f"f/{name}.jpg" for name in IDS]))
    answers = LAYOUTS["rows"].drop_columns("rank")
    found = evaluation.evaluate(answers, truth, regions=False, match=match)
    assert (found.answered, found.candidates.layout) == (answered, "rows")
    assert "vote" not in found.candidates.accuracy  # no region was asked for


@pytest.mark.parametrize("layout", LAYOUTS)
def test_batches_of_a_few_rows_are_the_whole(layout, plain, monkeypatch):
    for module in (source, joined):
        monkeypatch.setattr(module, "BATCH_ROWS", 7)
    answers = LAYOUTS[layout]
    assert told(answers) == plain[layout]
    mixed = np.random.default_rng(2).permutation(len(answers))
    assert told(answers.take(mixed)) == plain[layout]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_answers_of_other_photos_say_nothing(layout):
    """Half of the truth, and the answers of all: those of the other half are only counted."""
    half = np.random.default_rng(3).permutation(N)[: N // 2]
    truth, wanted = TRUTH.take(half), {IDS[i] for i in half}
    answers = LAYOUTS[layout]
    own = answers.filter(pa.array([name in wanted for name in answers["id"].to_pylist()]))
    found, alone = told(answers, truth), told(own, truth)
    assert found["findings"].pop("extra_predictions") == N // 2
    for one in (found, alone):  # of the file, not of the truth: its texts, and what is odd in it
        del one["readings"], one["findings"]
    assert found == alone


ONE_FILE = {
    "columns": {"pred_lat": "lat", "pred_lon": "lon", "pred_country": "country",
                "pred_city": "city"},
    "texts": {}, "distances": {}, "pairs": {}, "list": {},
    "a millionth": {"pred_lat": "lat", "pred_lon": "lon"},
}  # fmt: skip


@pytest.mark.parametrize("layout", ONE_FILE)
def test_truth_and_answers_may_stand_in_one_file(layout, plain):
    """A row is then its own photo's, and what is the answer goes by other names."""
    both, answers = TRUTH, LAYOUTS[layout]
    for name in answers.column_names[1:]:
        own = next((new for new, old in ONE_FILE[layout].items() if old == name), name)
        both = both.append_column(own, answers[name])
    assert told(both, None) == plain[layout]


def test_a_pair_is_the_same_from_both_ends_and_in_a_table():
    """On the rows that both answered, with authors as the units and without.

    The second has no answer to eight photos of the first, and one to a photo that it has none to.
    """
    answers = LAYOUTS["columns"].select(["id", "lat", "lon"])
    left = [i == 7 or (i % 5 != 1 and y is not None) for i, y in enumerate(LAT)]
    other = {
        "id": IDS,
        "lat": [one[0] + i % 3 / 2 if left[i] else None for i, one in enumerate(SAID)],
        "lon": [one[1] if left[i] else None for i, one in enumerate(SAID)],
    }
    for cluster in (None, "who"):
        options = {"cluster": cluster, "resamples": 50}
        pair = evaluation.compare(answers, other, TRUTH, regions=False, **options)
        back = evaluation.compare(other, answers, TRUTH, regions=False, **options)
        assert (pair.only_a_answered, pair.only_b_answered) == (8, 1)
        assert (back.only_a_answered, back.only_b_answered) == (1, 8)
        table = evaluation.table({"a": answers, "b": other}, TRUTH, **options)
        assert len(table.tests) == len(pair.paired) == len(pair.on_all) == 5
        for one, turned in zip((*pair.paired, *pair.on_all), (*back.paired, *back.on_all)):
            assert (one.only_a, one.only_b) == (turned.only_b, turned.only_a)
            assert one.both == turned.both
            assert one.p_value == turned.p_value
            assert one.difference.value == -turned.difference.value
            if cluster is None:
                assert one.difference.low == pytest.approx(-turned.difference.high)
        for one, test in zip(pair.paired, table.tests, strict=True):
            assert (test.only_a, test.only_b) == (one.only_a, one.only_b)
            assert test.p_value == pytest.approx(one.p_value)
            assert test.difference == pytest.approx(one.difference.value)
            assert table.common_accuracy["b"][one.threshold_km] == pytest.approx(one.accuracy_b)
