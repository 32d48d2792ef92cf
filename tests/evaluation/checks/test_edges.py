"""Checks just inside and just outside each of their limits, with every word and number they say."""

import re

import numpy as np
import pyarrow as pa
import pytest

from geodata import evaluation
from geodata.evaluation.checks import chance, own_words
from geodata.evaluation.checks.linting import against_truth, lint, near_duplicates, overlap
from geodata.evaluation.checks.reviewing import _agree
from geodata.evaluation.joining import join, read_predictions

from .cases import SPHERE, north, scored

TRUTH = {
    "id": [str(i) for i in range(60)],
    "lat": [10.0 + i / 7 for i in range(60)],
    "lon": [50.0 + i / 3 for i in range(60)],
}


def rows(n, **columns):
    return {name: values[:n] for name, values in (TRUTH | columns).items()}


def said(findings):
    return [str(one) for one in findings]


# the truth beside it


@pytest.mark.parametrize(
    ("same", "answered", "told"), [(19, 19, 0), (20, 20, 1), (20, 40, 1), (20, 41, 0)]
)
def test_a_copied_truth_is_twenty_rows_and_half_of_the_answers(same, answered, told):
    lat = [y + (0.5 if i >= same else 0) for i, y in enumerate(TRUTH["lat"])]
    found = said(against_truth(join(rows(answered, lat=lat), TRUTH)))
    message = (
        f"warning: equals_truth: {same} of {answered} answers are the truth to the last digit "
        "(rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...). "
        "Look whether the columns named as the prediction are the truth."
    )
    assert found == [message] * told


def test_a_truth_is_copied_only_in_both_coordinates():
    for name in ("lat", "lon"):
        other = [value + 0.5 for value in TRUTH[name]]
        assert against_truth(join(rows(60, **{name: other}), TRUTH)) == []


@pytest.mark.parametrize(
    ("n", "start"),
    [
        (1, "warning: swapped_rows: 1 answer is within 25 km"),
        (9, "warning: swapped_rows: 9 answers are within 25 km"),
        (10, "error: swapped_columns: 10 answers are within 25 km"),
    ],
)
def test_swapped_rows_become_columns_beyond_nine_of_twenty(n, start):
    far = [y + 0.1 for y in TRUTH["lat"]]
    lat = [*TRUTH["lon"][:n], *far[n:]]
    lon = [*TRUTH["lat"][:n], *TRUTH["lon"][n:]]
    (found,) = said(against_truth(join(rows(20, lat=lat, lon=lon), rows(20))))
    assert found == (
        f"{start} of the truth once latitude and longitude are swapped, and beyond 1000 km as they "
        f"are (rows {', '.join(map(str, range(1, n + 1)))}). "
        "Write latitude first, or name the columns with lat= and lon=."
    )


def test_a_turned_sign_is_told_in_these_words():
    lon = [-x for x in TRUTH["lon"][:1]] + [x + 0.1 for x in TRUTH["lon"][1:]]
    (found,) = said(against_truth(join(rows(20, lon=lon), TRUTH)))
    assert found == (
        "warning: sign_error: 1 answer is within 25 km of the truth once a sign is turned (rows "
        "1). South and west are negative: look how hemispheres were read."
    )


@pytest.mark.parametrize(
    ("common", "same", "told"), [(19, 19, 0), (20, 20, 1), (20, 18, 1), (20, 17, 0)]
)
@pytest.mark.parametrize("moved", ["lat", "lon"])
def test_near_duplicates_share_twenty_answers_and_nine_tenths_of_them(moved, common, same, told):
    values = [v + (0.25 if i >= same else 0) for i, v in enumerate(TRUTH[moved])]
    second = rows(common, **{moved: values}) | {"id": TRUTH["id"][:common]}
    second = {name: [*column[::-1]] for name, column in second.items()}
    numbers = range(common - same + 1, common - same + 11)
    message = (
        f"warning: near_duplicate: {same} of {common} common answers ({same / common:.1%}) of "
        f"predictions and predictions are the same place (rows {', '.join(map(str, numbers))}, "
        "...). Look whether one model's output was saved under two names."
    )
    assert said(near_duplicates(TRUTH, second)) == [message] * told


def test_answers_that_either_file_lacks_are_not_in_common():
    first = rows(22, lat=[None, *TRUTH["lat"][1:]])
    second = rows(22, lat=[TRUTH["lat"][0], None, *TRUTH["lat"][2:]])
    (found,) = near_duplicates(first, second)
    assert found.message.startswith("20 of 20 common answers (100.0%)")
    assert found.rows[0] == 3


# the words beside it


@pytest.mark.parametrize(
    ("value", "number", "fits"),
    [
        (48.8650, "48.86", True), (48.8551, "48.86", True), (48.8651, "48.86", False),
        (48.8549, "48.86", False), (48.0, "48", True), (48.4, "48", False),
        (2.25, "2.3", True), (2.24, "2.3", False), (7.0, "7.000", True), (7.0006, "7.000", False),
    ],
)  # fmt: skip
def test_a_number_is_a_rounded_one(value, number, fits):
    assert own_words._rounds_to(value, number) == fits


@pytest.mark.parametrize(
    ("text", "lat", "lon", "there"),
    [
        ("between 48.86 and 2.35", 48.86, 2.35, True),
        ("between 48.86 and 2.35", 48.86, 3.35, False),
        ("between 48.86 and 2.35", 47.86, 2.35, False),
        ("33.87 and 151.21, southern", -33.87, 151.21, True),
        ("(48.86, 2.35)", 48.8695, 2.3595, True),
        ("(48.86, 2.35)", 48.8705, 2.35, False),
        ("(48.86, 2.35)", 48.86, 2.3605, False),
        ("48.86 and 2.35" + " " * (65_536 - 14), 48.86, 2.35, True),
        ("48.86 and 2.35" + " " * (65_536 - 13), 48.86, 2.35, False),
        ("nothing at all", 1.0, 1.0, False),
    ],
)
def test_an_answer_stands_in_its_text(text, lat, lon, there):
    assert own_words._says(text, lat, lon) == there


WORDED = {
    "id": list("abcd"),
    "lat": [1.5, 10.25, 2.5, None],
    "lon": [2.5, 20.25, 2.5, None],
    "raw_text": ["(48.86, 2.35)", "(10.25, 20.25)", "  ", "(3.5, 4.5)"],
}


@pytest.mark.parametrize(
    ("most", "looked"), [(5, ""), (4, " among the first 4 rows"), (1, " among the first 1 rows")]
)
def test_answers_apart_from_their_text_are_told_with_how_many_were_looked_at(most, looked):
    message = (
        f"warning: not_in_text: 1 answers{looked} appear nowhere in their raw text (rows 1). "
        "Look where these coordinates came from; parse the text again with text=."
    )
    opened = read_predictions(WORDED)
    assert said(own_words.against_words(opened, most)) == [message]
    assert said(own_words.against_text(opened, most)) == [message]


def test_an_answer_near_the_one_that_is_read_in_its_text_stands_there():
    near = {"id": ["a"], "lat": [48.8695], "lon": [2.3595], "raw_text": ["(48.86, 2.35)"]}
    assert own_words.against_text(read_predictions(near), 9) == []


def test_text_is_looked_at_only_where_there_is_text():
    plain = read_predictions({k: v for k, v in WORDED.items() if k != "raw_text"})
    assert own_words.against_text(plain, 5) == own_words.against_words(plain, 5) == []


def boxes(lat, lon):
    """Return "AA" in the north east, "BB" in the south west, and None elsewhere."""
    return [
        "AA" if y > 0 and x > 0 else "BB" if y < 0 and x < 0 else None
        for y, x in zip(lat, lon, strict=True)
    ]


def test_answers_apart_from_their_country_are_told_by_what_would_mend_them():
    table = {
        "id": list("abcdefgh"),
        "lat": [10.0, -10.0, 10.0, -20.0, 10.0, 95.0, None, 5.0],
        "lon": [10.0, 10.0, 30.0, 20.0, -100.0, 5.0, None, 5.0],
        "country": ["A", "B", "B", "A", "B", "B", "A", "Nowhere"],
    }
    codes = {"A": "AA", "B": "BB"}.get
    for most, looked in ((9, ""), (8, " among the first 8 rows")):
        found = own_words.against_words(read_predictions(table), most, resolve=codes, label=boxes)
        assert said(found) == [
            f"warning: sign_error_country: 4 answers{looked} lie in the country that they name "
            "once a sign is turned (rows 2, 3, 4, 5). South and west are negative, latitude comes "
            "first: look how it was parsed."
        ]
    west = table | {"lat": [y and -abs(y) for y in (10.0, 60.0, 10, 20, 10, 5, 7, 5)]}
    asked = []

    def label(lat, lon):
        asked.append(list(zip(lat.tolist(), lon.tolist(), strict=True)))
        return [None] * len(lat)

    found = own_words.against_words(read_predictions(west), 3, resolve=codes, label=label)
    assert said(found) == [
        "info: other_country: 3 answers among the first 3 rows lie outside the country that they "
        "name (rows 1, 2, 3). Nothing to do if the model contradicts itself."
    ]
    assert asked == [
        [(-10, 10), (-60, 10), (-10, 30)],
        [(-10, -10), (-60, -10), (-10, -30)],
        [(10, 10), (60, 10), (10, 30)],
        [(10, -10), (60, -10), (10, -30)],
        [(10, -10), (10, -60), (30, -10)],
    ]


def test_a_longitude_beyond_a_pole_is_not_tried_as_a_latitude():
    *_, (how, y, x) = own_words._turns(np.array([1.0, 2.0, 3.0]), np.array([90.0, 90.5, -91.0]))
    assert (how, y.tolist(), x.tolist()) == ("swap", [90.0, 2.0, 3.0], [1.0, 90.5, -91.0])


def test_swapped_answers_in_a_country_are_told():
    def label(lat, lon):
        return ["AA" if y > 40 else None for y in lat]

    table = {"id": ["a"], "lat": [10.0], "lon": [50.0], "country": ["A"]}
    found = own_words.against_words(
        read_predictions(table), 9, resolve={"A": "AA"}.get, label=label
    )
    assert said(found) == [
        "warning: swapped_country: 1 answers lie in the country that they name once latitude and "
        "longitude are swapped (rows 1). South and west are negative, latitude comes first: look "
        "how it was parsed."
    ]


def test_of_two_ways_to_mend_an_answer_the_first_is_told():
    """A sign that was lost is likelier than two columns that were swapped."""
    table = {"id": ["a", "b"], "lat": [10.0, 10.0], "lon": [50.0, 60.0], "country": ["A", "A"]}
    for there in (
        [(10, -50), (50, 10), (60, 10)], [(-10, 50), (50, 10), (60, 10)],
        [(-10, -50), (50, 10), (60, 10)],
    ):  # fmt: skip

        def label(lat, lon, there=there):
            return ["AA" if place in there else None for place in zip(lat, lon, strict=True)]

        found = own_words.against_words(
            read_predictions(table), 9, resolve={"A": "AA"}.get, label=label
        )
        assert [(one.code, one.rows) for one in found] == [
            ("sign_error_country", (1,)), ("swapped_country", (2,))
        ]  # fmt: skip


def test_a_country_is_known_by_any_name_or_not_at_all():
    assert own_words.country_code("Deutschland") == "DE"
    assert own_words.country_code("Atlantis") is None
    assert own_words.country_code("Georgia") == "GE"
    assert own_words.country_code("Paris") is None
    assert own_words.country_codes(np.array([48.86, 0.0]), np.array([2.35, -130.0])) == ["FR", None]


# a careful reviewer


@pytest.mark.parametrize(
    ("theirs", "ours", "agree"),
    [
        (1.0, 0.0, True), (1.01, 0.0, False), (50.9, 50.0, True), (51.1, 50.0, False),
        (1020.0, 1000.0, True), (1020.1, 1000.0, False), (980.0, 1000.0, True),
        (979.9, 1000.0, False), (np.nan, 1.0, False),
    ],
)  # fmt: skip
def test_two_distances_agree_within_a_kilometre_or_a_fiftieth(theirs, ours, agree):
    assert bool(_agree(np.array([theirs]), np.array([ours]))[0]) == agree


def own(n, off, factor=1.0, name="distance_km"):
    """Return findings on a file whose own distances are right but for some rows, 3,000 km off."""
    lat, lon = np.linspace(-60, 60, n), np.linspace(-170, 170, n)
    y, x = north(lat, lon, 100.0)
    table = {"id": [str(i) for i in range(n)], "lat": y, "lon": x}
    table[name] = [(3000.0 if i < off else 100.0) * factor for i in range(n)]
    truth = {"id": table["id"], "lat": lat, "lon": lon}
    found = evaluation.evaluate(table, truth, regions=False).findings
    return [str(one) for one in found if one.code == "distance_column"]


def test_a_distance_that_the_file_has_is_compared():
    assert own(1000, 0) == own(1001, 1) == []
    assert own(1000, 1) == [
        "warning: distance_column: 1 of 1000 rows disagree with the file's own 'distance_km': "
        "truth row 1 is 100.0 km off, distance_km says 3,000.0 (rows 1). "
        "Look whether the file was scored on this truth, and how ids are joined."
    ]
    for unit, factor in (("metres", 1000.0), ("miles", 0.621371)):
        assert own(200, 1, factor) == [
            f"info: distance_column: column 'distance_km' agrees with what is measured once read "
            f"as {unit}. Nothing to do: distances are measured anew, in km."
        ]
    assert own(200, 2, 1000.0)[0].startswith("warning: distance_column: 200 of 200 rows")
    assert own(200, 0, 1.0202)[0].startswith("warning: distance_column: 200 of 200 rows")
    assert own(200, 0, 1.0198) == []


def test_nothing_scored_is_told_in_these_words():
    truth = rows(3)
    assert scored([None] * 3, [None] * 3, truth)[0] == (
        "error: nothing_scored: none of 3 truth rows has a valid answer: every figure is zero. "
        "Look at the other findings: ids, columns, units."
    )


def test_places_that_repeat_are_told_in_these_words():
    truth = rows(60, lat=[1.0] * 10 + TRUTH["lat"][10:], lon=[2.0] * 10 + TRUTH["lon"][10:])
    found = scored([y + 0.1 for y in truth["lat"]], truth["lon"], truth)
    assert (
        "info: truth_repeats_places: 10 of 60 truth rows have the very coordinates of another row: "
        "there are 51 places, and rows of one are not independent "
        "(rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10). Resample by photographer or place with cluster=."
    ) in found


# chance


def test_points_of_answers_are_those_of_the_geoscore():
    truth = np.zeros(4), np.zeros(4)
    answers = np.array([0.0, 0.0, 0.0, np.nan]), np.array([0.0, 90.0, 180.0, np.nan])
    quarter = 6371.0 * np.pi / 2
    points = [1.0, np.exp(-quarter / 1492.7), np.exp(-2 * quarter / 1492.7), 0.0]
    assert chance._points(truth, answers) == pytest.approx(sum(points) / 4, rel=1e-12)
    assert chance._points((np.empty(0),) * 2, (np.empty(0),) * 2) == 0.0


def test_answers_that_are_right_at_the_one_place_of_the_truth_are_at_chance_too():
    place = {"id": TRUTH["id"], "lat": [30.0] * 60, "lon": [100.0] * 60}
    (told,) = [one for one in scored(place["lat"], place["lon"], place) if "at_chance" in one]
    assert "99 of 99 shuffles score as high (mean GeoScore 5,000)" in told


def test_every_other_arrangement_is_tried():
    truth = {"id": ["c", "a", "d", "b"], "lat": [1.0, 2.0, 3.0, 4.0], "lon": [5.0, 6.0, 7.0, 8.0]}
    given = {"id": ["b", "d", "a", "c"], "lat": [40.0, 30.0, 20.0, 10.0], "lon": [8, 7, 6, 5]}
    joined = join(given, truth)
    answers = np.array([10.0, 20.0, 30.0, 40.0]), np.array([5.0, 6.0, 7.0, 8.0])
    here = np.array(truth["lat"]), np.array(truth["lon"])
    found = {
        how: (rows_.tolist(), [part.tolist() for part in places])
        for how, rows_, places in chance._orders(joined, here, answers)
    }
    assert found == {
        "1 row later": ([1, 2, 3], [[10, 20, 30], [5, 6, 7]]),
        "1 row earlier": ([0, 1, 2], [[20, 30, 40], [6, 7, 8]]),
        "2 rows later": ([2, 3], [[10, 20], [5, 6]]),
        "2 rows earlier": ([0, 1], [[30, 40], [7, 8]]),
        "3 rows later": ([3], [[10], [5]]),
        "3 rows earlier": ([0], [[40], [8]]),
        "in reverse order": ([3, 2, 1, 0], [[10, 20, 30, 40], [5, 6, 7, 8]]),
        "row by row, whatever the ids": ([0, 1, 2, 3], [[40, 30, 20, 10], [8, 7, 6, 5]]),
        "once the truth is sorted by id": ([1, 3, 0, 2], [[10, 20, 30, 40], [5, 6, 7, 8]]),
        "once the answers are sorted by id": ([0, 1, 2, 3], [[20, 40, 10, 30], [6, 8, 5, 7]]),
    }


@pytest.mark.parametrize("more", [0, 1, 2])
def test_of_many_answers_each_is_looked_at_once(more):
    """Of so many and one all but one are; a tenth of them is right, the others on the far side."""
    n, right = chance.ROWS + more, 500
    truth = {
        "id": [str(i) for i in range(n)],
        "lat": [30.0] * right + [-30.0] * (n - right),
        "lon": [100.0] * right + [-80.0] * (n - right),
    }
    (told,) = [one for one in scored([30.0] * n, [100.0] * n, truth) if "at_chance" in one]
    score = int(re.search(r"mean GeoScore (\d+)", told)[1])
    assert right - more <= score <= right


@pytest.mark.parametrize(("n", "told"), [(29, 0), (30, 1)])
def test_chance_is_told_from_thirty_answers_on(n, told):
    rng = np.random.default_rng(0)
    truth = {
        "id": [str(i) for i in range(40)],
        "lat": rng.uniform(-60, 60, 40),
        "lon": rng.uniform(-170, 170, 40),
    }
    lat = [30.0] * n + [None] * (40 - n)
    lon = [100.0] * n + [None] * (40 - n)
    found = [one for one in scored(lat, lon, truth) if "at_chance" in one]
    score = 5000 * np.mean(
        np.exp(
            -np.array(
                [
                    SPHERE.inv(100, 30, x, y)[2] / 1000
                    for y, x in zip(truth["lat"][:n], truth["lon"][:n], strict=True)
                ]
            )
            / 1492.7
        )
    )
    assert (
        found
        == [
            "warning: at_chance: the answers are no better than the same answers shuffled: 99 of "
            f"99 shuffles score as high (mean GeoScore {score:,.0f}). "
            "Look whether answers and truth are of the same photos."
        ]
        * told
    )


def test_rows_that_were_moved_are_told_with_both_scores():
    rng = np.random.default_rng(0)
    truth = {
        name: rng.uniform(-high, high, 60).tolist() for name, high in (("lat", 60), ("lon", 170))
    }
    truth["id"] = TRUTH["id"]
    lat, lon = (truth[name][1:] + truth[name][:1] for name in ("lat", "lon"))
    by_ids = 5000 * chance._points((truth["lat"], truth["lon"]), (np.array(lat), np.array(lon)))
    assert scored(lat, lon, truth) == [
        "error: rows_out_of_order: the answers fit the truth 1 row later: mean GeoScore 5,000, by "
        f"their ids {by_ids:,.0f}, which is chance. "
        "Write the id beside each answer when it is made, not afterwards."
    ]


# training rows


def test_what_training_and_test_share_is_told_in_these_words():
    train = {"id": ["a", "b"], "lat": [1.5, 2.5], "lon": [3.5, 4.5], "author": ["u", None]}
    test = pa.table(
        {
            "id": ["a", "x", "y"],
            "lat": [9.0, 2.5, 8.0],
            "lon": [9.0, 4.5, 8.0],
            "author": ["v", None, "u"],
        }
    )
    assert said(overlap(train, test)) == [
        "warning: id_overlap: 1 of 3 test rows are photos that the training rows have too (rows 1)."
        " Remove them from the training rows.",
        "warning: author_overlap: 1 of 3 test rows are photos by photographers that the training "
        "rows have too (rows 3). Split by photographer, or leave these out.",
        "warning: coordinate_overlap: 1 of 3 test rows are places that the training rows have too "
        "(rows 2). Exclude a radius around the test from the training rows.",
    ]
    told = {one.code for one in lint(test, test, train=train)}
    assert {"id_overlap", "author_overlap", "coordinate_overlap"} <= told
    named = [{**train, "who": ["u", None]}, {**test.to_pydict(), "who": ["q", "u", "q"]}]
    found = {one.code: one.rows for one in overlap(*named, author="who")}
    assert found["author_overlap"] == (2,)
    told = {one.code: one.rows for one in lint(*named[1:] * 2, train=named[0], author="who")}
    assert told["author_overlap"] == (2,)
    moved = {"id": ["z"], "lat": [1.5], "lon": [3.5], "author": ["q"]}
    assert [one.code for one in overlap(train, moved)] == ["coordinate_overlap"]
    beside = {"id": ["z"], "lat": [1.5], "lon": [4.5]}  # of two places one coordinate each
    assert overlap(train, beside) == []
