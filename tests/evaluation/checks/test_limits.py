"""Checks at the size where they begin, or end, to look: shares of many rows, and rows that many."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import evaluation, sphere
from geodata.evaluation.checks import chance, linting, own_words, reviewing, units
from geodata.evaluation.joining import join, read_predictions


def places(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-60, 60, n), rng.uniform(-170, 170, n)


def at_chance(truth, answers, ids=None):
    """Return the findings of answers beside a truth, both as latitudes and longitudes."""
    n = len(truth[0])
    names = [str(i) for i in range(n)] if ids is None else ids
    rows = ({"id": names, "lat": y, "lon": x} for y, x in (answers, truth))
    return chance.against_chance(join(*rows), truth, answers)


def points(truth, answers):
    """Return the mean points of answers."""
    return float(np.mean(np.exp(-sphere.haversine_km(*truth, *answers) / 1492.7)))


def shuffles(truth, answers, times=99):
    """Return the points of the answers in so many orders, drawn as the check draws them."""
    rng = np.random.default_rng([0, 5000])
    orders = [rng.permutation(len(truth[0])) for _ in range(times)]
    return [points(truth, (answers[0][i], answers[1][i])) for i in orders]


def mixed(seed, right):
    """Return a truth of 60 places, and answers of which so many are right, the others shuffled."""
    truth = places(60, seed)
    rest = np.random.default_rng(seed + 99).permutation(60 - right)
    order = np.concatenate([np.arange(right), right + rest])
    return truth, (truth[0][order], truth[1][order])


@pytest.mark.parametrize("seed", range(3))
def test_at_chance_says_how_many_shuffles_are_as_good(seed):
    truth, answers = mixed(seed, 0)
    own, others = points(truth, answers), shuffles(truth, answers)
    (found,) = at_chance(truth, answers)
    assert found.code == "at_chance"
    as_good = sum(one >= own for one in others)
    assert f"shuffled: {as_good} of 99 shuffles score as high (mean GeoScore" in found.message
    assert f"(mean GeoScore {5000 * own:,.0f})" in found.message
    assert found.count == 60


def test_better_than_chance_is_four_standard_deviations():
    """Of many files each is told as the plain rule says; some lie between three and six."""
    told, beyond = [], []
    for seed in range(12):
        for right in (4, 6, 8):
            truth, answers = mixed(seed, right)
            others = shuffles(truth, answers)
            own = points(truth, answers)
            beyond.append((own - np.mean(others)) / np.std(others))
            told.append(bool(at_chance(truth, answers)))
    assert told == [one <= 4.0 for one in beyond]
    assert sum(3.0 < one <= 4.0 for one in beyond) >= 2
    assert sum(4.0 < one < 6.0 for one in beyond) >= 5


@pytest.mark.parametrize("n", [30, 60])
def test_shuffled_answers_are_not_called_moved(n):
    """It is an error where it is said, and some of ten orders fits any shuffle a little."""
    for seed in range(60):
        truth = places(n, seed)
        order = np.random.default_rng(seed + 1000).permutation(n)
        found = at_chance(truth, (truth[0][order], truth[1][order]))
        assert "rows_out_of_order" not in {one.code for one in found}


def test_another_order_is_six_standard_deviations_above_shuffles():
    told, expected, beyond = [], [], []
    for seed in range(8):
        for moved in (5, 7, 9, 11):
            truth, rows = places(60, seed), np.arange(60)
            rest = np.random.default_rng(seed).permutation(60)
            order = np.where(rows < moved, rows + 1, rest)
            answers = truth[0][order], truth[1][order]
            others = shuffles(truth, answers)
            later = points((truth[0][1:], truth[1][1:]), (answers[0][:-1], answers[1][:-1]))
            own = points(truth, answers)
            if own > np.mean(others) + 4 * np.std(others):
                continue
            (found,) = at_chance(truth, answers)
            beyond.append((later - np.mean(others)) / np.std(others))
            expected.append(beyond[-1] > 6.0 and later > 2 * own)
            told.append("1 row later" in found.message)
            if told[-1]:
                assert f"1 row later: mean GeoScore {5000 * later:,.0f}, by" in found.message
    assert told == expected
    assert sum(told) < sum(one > 6.0 for one in beyond)
    assert sum(4.0 < one < 6.0 for one in beyond) >= 3
    assert sum(6.0 < one < 9.0 for one in beyond) >= 3


# how many rows are looked at


def test_orders_by_id_are_tried_up_to_200_000_rows():
    for n, tried in ((200_000, True), (200_001, False)):
        lat, lon = places(n)
        joined = join({"id": np.arange(n), "lat": lat, "lon": lon},
                      {"id": np.arange(n), "lat": lat, "lon": lon})  # fmt: skip
        names = [how for how, *_ in chance._orders(joined, (lat, lon), (lat, lon))]
        assert ("once the truth is sorted by id" in names) == tried
        some = (lat[:9], lon[:9])
        less = [how for how, *_ in chance._orders(joined, some, some)]
        assert len(less) == len(names) - 2 * tried


@pytest.mark.parametrize(("row", "told"), [(199_999, True), (200_000, False)])
def test_lint_reads_the_words_of_200_000_answers(row, told):
    n = 200_001
    lat, lon = places(n)
    text = pa.array(["(12.3, 45.6)" if i == row else None for i in range(n)], pa.string())
    table = pa.table({"id": np.arange(n), "lat": lat, "lon": lon, "raw_text": text})
    found = own_words.against_words(read_predictions(table), linting.CHECK_ROWS)
    assert [str(one) for one in found] == [
        "warning: not_in_text: 1 answers among the first 200000 rows appear nowhere in their raw "
        "text (rows 200000). Look where these coordinates came from; parse the text again with "
        "text=."
    ] * told


def test_an_answer_beyond_the_first_batch_is_an_answer():
    n = 131_073
    lat, lon = places(n)
    truth = {"id": np.arange(n), "lat": lat, "lon": lon}
    for last, told in (([lat[-1]], False), ([None], True)):
        answers = pa.table({"id": [n - 1], "lat": pa.array(last, pa.float64()), "lon": lon[-1:]})
        found = evaluation.evaluate(answers, truth, regions=False).findings
        assert ("nothing_scored" in {one.code for one in found}) == told


def test_the_first_200_000_rows_and_the_rest_of_their_batch_are_checked():
    n = 300_000
    lat, lon = places(n)
    rows = {"id": np.arange(n), "lat": lat, "lon": lon}
    found = linting._first_rows(join(rows, rows))
    assert [len(part) for part in found] == [2 * 131_072] * 4
    assert found[0][-1] == lat[2 * 131_072 - 1]


def test_a_truth_of_which_a_part_alone_may_be_radians_is_in_degrees():
    lat, lon = np.linspace(-1.5, 40.0, 24), np.linspace(-3.0, 90.0, 24)
    truth = {"id": np.arange(24), "lat": lat, "lon": lon}
    answers = truth | {"lat": np.radians(lat), "lon": np.radians(lon)}
    found = evaluation.evaluate(answers, truth, regions=False).findings
    assert "likely_unit" in {one.code for one in found}


def test_a_column_of_distances_may_be_empty():
    lat, lon = places(60)
    truth = {"id": np.arange(60), "lat": lat, "lon": lon}
    answers = pa.table(truth | {"distance_km": pa.nulls(60, pa.float64())})
    found = evaluation.evaluate(answers, truth, regions=False).findings
    assert {one.code for one in found} == {"equals_truth"}


@pytest.mark.parametrize(
    ("lat", "x", "told"),
    [(89.9, 90.0, 1), (-89.9, -90.0, 1), (89.95, 90.1, 0), (-89.95, -90.1, 0)],
)
def test_a_swapped_latitude_ends_at_the_pole(lat, x, told):
    """Beyond it a longitude is no latitude, though the way over the pole would be short."""
    truth, answer = (np.array([lat]), np.array([20.0])), (np.array([20.0]), np.array([x]))
    assert linting._turned(*truth, *answer)[1].sum() == told


def test_a_country_named_beyond_the_first_batch_is_compared():
    n = 131_080
    lat, lon = places(n)
    country = pa.array([None] * (n - 1) + ["A"])
    table = pa.table({"id": np.arange(n), "lat": lat, "lon": lon, "country": country})
    found = own_words.against_words(
        read_predictions(table), n + 1, resolve={"A": "AA"}.get, label=lambda y, x: [None] * len(y)
    )
    assert [(one.code, one.rows) for one in found] == [("other_country", (n,))]


def test_answers_of_other_photos_are_no_order_of_the_truth():
    """Row by row only as many are laid side by side as both files have."""
    truth = places(60)
    for given_ in (90, 40):
        lat, lon = places(given_, 1)
        order = np.random.default_rng(0).permutation(60)[: min(given_, 60)]
        lat[-len(order) :], lon[-len(order) :] = truth[0][order], truth[1][order]
        ids = [f"x{i}" for i in range(given_ - len(order))] + [f"p{i}" for i in range(len(order))]
        rows = {"id": [f"p{i}" for i in range(60)], "lat": truth[0], "lon": truth[1]}
        found = evaluation.evaluate({"id": ids, "lat": lat, "lon": lon}, rows, regions=False)
        assert "at_chance" in {one.code for one in found.findings}


@pytest.mark.parametrize(
    ("lat", "lon", "n", "inside"),
    [
        (np.pi / 2, np.pi, 20, True), (-np.pi / 2, -np.pi, 20, True), (0.1, 0.1, 19, False),
        (1.571, 0.0, 20, False), (-1.571, 0.0, 20, False), (-1.2, 0.0, 20, True),
        (0.0, 3.142, 20, False), (0.0, -3.142, 20, False),
    ],
)  # fmt: skip
def test_radians_end_at_the_pole_and_at_the_antimeridian(lat, lon, n, inside):
    nothing = [np.nan] * 3
    found = units._radian_range(np.array([lat] * n + nothing), np.array([lon] * n + nothing))
    assert found is inside


def test_metres_are_more_than_degrees_go():
    metres = np.array([360.0, 360.5, -360.0, -360.5])
    read = {name: lat for name, lat, _ in units._readings(metres, metres)}
    assert np.isnan(read["EPSG:3857 metres"]).tolist() == [True, False, True, False]
    assert read["EPSG:3857 metres"][1] == pytest.approx(np.degrees(360.5 / 6378137.0))


def test_near_and_far_hold_their_own_ends(monkeypatch):
    lat, lon, y, x = (np.array([v]) for v in (38.72, -9.14, -38.7, -9.1))
    away = float(sphere.haversine_km(lat, lon, y, x)[0])
    near = float(sphere.haversine_km(lat, lon, -y, x)[0])
    for name, value, told in (
        ("NEAR_KM", near, 1), ("NEAR_KM", np.nextafter(near, 0), 0),
        ("FAR_KM", away, 0), ("FAR_KM", np.nextafter(away, 0), 1),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(linting, name, value)
            assert linting._turned(lat, lon, y, x)[0].sum() == told, (name, value)


@pytest.mark.parametrize(
    ("lat", "lon", "unit"),
    [
        (10.0, 360.0, "degrees, longitude first,"), (10.0, -360.0, "degrees, longitude first,"),
        (10.0, 360.5, None), (10.0, -360.5, None), (10.0, -720.0, None),
        (90.0, 5.0, "degrees, longitude first,"), (-90.0, 5.0, "degrees, longitude first,"),
        (90.5, 5.0, None), (-90.5, 5.0, None),
    ],
)  # fmt: skip
def test_numbers_off_the_globe_are_in_no_unit(lat, lon, unit):
    raw, none = (np.full(12, lon), np.full(12, lat)), np.full(12, np.nan)
    assert units._unit((raw[1], raw[0]), (none, none), raw) == unit


# shares of many rows


@pytest.mark.parametrize(
    ("groups", "told"),
    [([48], 0), ([49], 0), ([50], 50), ([2] * 24, 0), ([2] * 25, 50), ([3] * 17, 51)],
)
def test_a_twentieth_of_many_rows_repeats_places(groups, told):
    lat, lon = places(1000)
    at = 0
    for size in groups:
        lat[at : at + size], lon[at : at + size] = lat[at], lon[at]
        at += size
    found = reviewing._repeated((lat, lon))
    assert [one.count for one in found] == [told] * bool(told)
    if told:
        assert f"there are {1000 - sum(groups) + len(groups)} places" in found[0].message


@pytest.mark.parametrize("signs", [(1, -1), (-1, 1)])
def test_the_equator_and_the_meridian_have_one_zero(signs):
    """-0.0 is written in other bits than 0.0: five pairs of rows differ in nothing else."""
    lat, lon = places(100)
    other = np.repeat(np.arange(5.0), 2)
    zeros = np.tile(np.array(signs) * 0.0, 5)
    for one, two in ((zeros, other), (other, zeros)):
        lat[:10], lon[:10] = one, two
        assert [found.count for found in reviewing._repeated((lat, lon))] == [10]


def test_all_rows_may_be_one_place():
    (found,) = reviewing._repeated((np.full(20, 5.0), np.full(20, 6.0)))
    assert found.count == 20
    assert "there are 1 places" in found.message


def test_a_place_repeats_in_both_coordinates():
    lat, lon = places(100)
    for one, other in ((lat, lon), (lon, lat)):
        same = np.concatenate([np.full(30, 5.0), one[30:]])
        assert reviewing._repeated((same, other)) == reviewing._repeated((other, same)) == []
