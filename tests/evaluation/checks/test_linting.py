"""The linter: one finding for each thing that goes wrong in real prediction files."""

import json

import numpy as np
import pyarrow as pa
import pytest

from geodata import sphere
from geodata.evaluation.checks.linting import _turned, against_truth, lint, near_duplicates, overlap
from geodata.evaluation.checks.own_words import against_words
from geodata.evaluation.findings import PredictionError, failing
from geodata.evaluation.joining import join, read_predictions
from geodata.evaluation.joining.matches.row_checks import constant_answer, placeholders
from geodata.files import FileError
from geodata.leakage import Salt, author_hash

N = 100


def places(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "id": [f"{i}.jpg" for i in range(n)],
            "lat": rng.uniform(-80, 80, n).round(5),
            "lon": rng.uniform(-175, 175, n).round(5),
        }
    )


def with_column(table, name, values):
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def codes(findings):
    return [found.code for found in findings]


def by_code(findings):
    return {found.code: found for found in findings}


def test_a_clean_file_has_no_findings():
    truth = places()
    near = with_column(truth, "lat", truth["lat"].to_numpy() + 0.01)
    assert lint(near, truth) == []


def test_every_finding_names_rows_and_a_remedy_and_is_plain_json():
    truth = places()
    lat = truth["lat"].to_numpy().copy()
    lat[[3, 7]] = 91.0
    found = lint(with_column(truth, "lat", lat), truth)
    assert codes(found) == ["out_of_range", "equals_truth"]
    assert found[0].rows == (4, 8)
    assert found[0].count == 2
    assert found[0].remedy
    assert json.loads(json.dumps(found[0].as_dict()))["rows"] == [4, 8]
    assert "out_of_range" in str(found[0])


def test_strict_fails_on_warnings():
    found = lint({"id": ["a", "b"], "lat": [0.0, 1.0], "lon": [0.0, 2.0]})
    assert codes(found) == ["null_island"]
    assert failing(found) == []
    assert failing(found, strict=True) == found


def test_rows_are_counted_beyond_those_named():
    n = 3000
    found = lint({"id": list(range(n)), "lat": [0.0] * n, "lon": [0.0] * n})
    assert (found[0].rows, found[0].count) == (tuple(range(1, 11)), n)


def test_swapped_headers_show_without_the_truth():
    truth = places()
    swapped = truth.rename_columns(["id", "lon", "lat"])
    assert "out_of_range" in codes(lint(swapped))
    europe = {"id": ["a", "b"], "lat": [100.0, 5.0], "lon": [45.0, 46.0]}
    found = by_code(lint(europe))["swapped_columns"]
    assert (found.severity, found.rows) == ("error", (1,))


def test_swapped_headers_show_beside_the_truth():
    truth = {"id": list("abcd"), "lat": [48.0, 52.0, 40.0, 59.0], "lon": [2.0, 4.0, -3.0, 10.0]}
    swapped = truth | {"lat": truth["lon"], "lon": truth["lat"]}
    found = by_code(lint(swapped, truth))
    assert found["swapped_columns"].severity == "error"
    one = truth | {"lat": [2.0, 52.0, 40.0, 59.0], "lon": [48.0, 4.0, -3.0, 10.0]}
    assert by_code(lint(one, truth))["swapped_rows"].rows == (1,)


@pytest.mark.parametrize("lon", [-120.0, 120.0])
def test_a_longitude_beyond_90_is_no_swapped_latitude(lon):
    """As a latitude it would lie beyond a pole: -120 is the place of -60, half way round."""
    truth = {"id": ["a"], "lat": [np.copysign(60.0, lon)], "lon": [-99.0]}
    answer = {"id": ["a"], "lat": [81.0], "lon": [lon]}
    assert not {"swapped_rows", "swapped_columns"} & set(codes(lint(answer, truth)))


def test_turned_signs_show_beside_the_truth():
    truth = {"id": ["lisbon", "sydney"], "lat": [38.72, -33.87], "lon": [-9.14, 151.21]}
    answers = {"id": ["lisbon", "sydney"], "lat": [38.72, 33.86], "lon": [-9.1, 151.2]}
    found = lint(answers, truth)
    assert codes(found) == ["sign_error"]
    assert found[0].rows == (2,)


def test_turned_and_swapped_rows_are_those_that_a_measure_of_all_finds():
    """Few rows are measured; the rule is the same as if all were."""
    rng = np.random.default_rng(0)
    n = 20_000
    lat, lon = rng.uniform(-89.9, 89.9, n), rng.uniform(-180, 180, n)
    near = rng.normal(0, 0.15, (2, n))
    kinds = [(lat, lon), (-lat, lon), (lat, -lon), (-lat, -lon), (lon, lat), (lon, -lat)]
    chosen = rng.integers(0, len(kinds), n)
    y = np.clip(np.choose(chosen, [k[0] for k in kinds]) + near[0], -90, 90)
    x = np.choose(chosen, [k[1] for k in kinds]) + near[1]
    y[::50], x[::50] = np.nan, np.nan
    far = sphere.haversine_km(lat, lon, y, x) > 1000
    turned = [sphere.haversine_km(lat, lon, a * y, b * x) for a, b in ((-1, 1), (1, -1), (-1, -1))]
    crossed = sphere.haversine_km(lat, lon, np.where(np.abs(x) <= 90, x, np.nan), y)
    sign, swapped = _turned(lat, lon, y, x)
    np.testing.assert_array_equal(sign, far & (np.fmin.reduce(turned) <= 25))
    np.testing.assert_array_equal(swapped, far & (crossed <= 25))
    assert min(sign.sum(), swapped.sum()) > 500


def test_copied_truth_shows():
    truth = places(40)
    assert codes(lint(truth, truth)) == ["equals_truth"]


def test_placeholders():
    lat = np.array([12.3456, -12.3456, 1.2345, 12.34, 45.6789, 12.345, 12.35, 48.8584, np.nan])
    lon = np.array([123.4567, 123.4567, 2.3456, 56.78, 12.3456, 67.89, 12.34, 2.3456, 1.0])
    assert placeholders(lat, lon).tolist() == [True] * 6 + [False] * 3


def test_placeholders_equal_a_plain_search():
    rng = np.random.default_rng(1)
    lat = np.concatenate(
        [rng.uniform(-90, 90, 20_000).round(4), rng.uniform(12, 13, 5000).round(4)]
    )
    lon = np.full(len(lat), 123.4567)
    plain = [str(abs(v)).replace(".", "") for v in lat.tolist()]
    expected = [len(d) >= 4 and d in "123456789" for d in plain]
    assert placeholders(lat, lon).tolist() == expected


def test_constant_answers():
    lat, lon = np.arange(50.0), np.arange(50.0)
    assert constant_answer(lat, lon) == []
    lat[10:30], lon[10:30] = 48.8566, 2.3522
    found = constant_answer(lat, lon)[0]
    assert (found.code, found.count, found.rows[0]) == ("constant_answer", 20, 11)
    big = np.tile([48.8566, 1.0, 2.0], 200_000)
    assert constant_answer(big, big)[0].count == 200_000


def test_duplicates_are_a_finding_here_and_an_error_there():
    truth = places()
    twice = pa.concat_tables([truth, with_column(truth, "lat", truth["lat"].to_numpy() / 2)])
    with pytest.raises(PredictionError, match="100 rows repeat an id"):
        join(twice, truth)
    found = lint(twice, truth)
    assert (found[0].code, found[0].severity, found[0].count) == ("duplicate_ids", "error", 100)
    assert failing(found)


def test_answers_that_are_not_in_their_text():
    table = {
        "id": list("abcdef"),
        "lat": [48.8584, 48.86, -33.8568, 1.5, 40.4461, None],
        "lon": [2.2945, 2.29, 151.2153, 2.5, -79.9822, None],
        "raw_text": [
            "about (48.8584, 2.2945)",
            "48.8584, 2.2945",
            "33.8568° S, 151.2153° E",
            "(48.86, 2.35)",
            "40°26'46\"N 79°58'56\"W",
            "(1.0, 2.0)",
        ],
    }
    found = lint(table)
    assert codes(found) == ["empty_answers", "not_in_text"]
    assert found[1].rows == (4,)


def box_label(lat, lon):
    """Four countries as boxes, coarse but real: enough to tell hemispheres apart."""
    boxes = {
        "PT": (36.9, 42.2, -9.6, -6.1),
        "AU": (-39.2, -10.6, 113.3, 153.7),
        "JP": (30.9, 45.6, 129.4, 145.9),
        "FR": (42.3, 51.1, -4.8, 8.3),
    }

    def code(y, x):
        inside = (c for c, (s, n, w, e) in boxes.items() if s <= y <= n and w <= x <= e)
        return next(inside, None)

    return [code(y, x) for y, x in zip(lat, lon, strict=True)]


NAMES = {"Portugal": "PT", "Australia": "AU", "Japan": "JP", "France": "FR"}


def test_signs_against_the_named_country():
    table = {
        "id": list("abcdef"),
        "lat": [38.72, 33.87, 35.68, 2.35, 60.0, 48.85],
        "lon": [9.14, 151.21, 139.69, 48.85, 10.0, 2.35],
        "country": ["Portugal", "Australia", "Japan", "France", "France", "Atlantis"],
    }
    opened = read_predictions(table)
    found = by_code(against_words(opened, 100, resolve=NAMES.get, label=box_label))
    assert found["sign_error_country"].rows == (1, 2)
    assert found["swapped_country"].rows == (4,)
    assert found["other_country"].rows == (5,)
    assert found["other_country"].severity == "info"


def test_swapped_columns_are_told_alone():
    """Distances that were right before the columns changed places would only hide the cause."""
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-80, 20, 60), rng.uniform(30, 89, 60)
    truth = {"id": [str(i) for i in range(60)], "lat": lat, "lon": lon}
    said = {"lat": lon, "lon": lat, "distance_km": np.zeros(60)}
    assert codes(lint(truth | said, truth)) == ["swapped_columns"]
    mixed = rng.permutation(60)
    turned = {"lat": lat[mixed], "lon": lon[mixed], "distance_km": np.zeros(60)}
    assert codes(lint(truth | turned, truth)) == ["at_chance", "distance_column"]


def test_what_a_sign_explains_is_not_called_swapped_too():
    """Turned or swapped, (-15, 15) is the same place in Senegal: it is told once, as a sign."""

    def label(lat, lon):
        return ["SN" if 12 < y < 17 and -17 < x < -11 else None for y, x in zip(lat, lon)]

    table = {"id": ["a"], "lat": [-15.0], "lon": [15.0], "country": ["Senegal"]}
    found = lint(table, resolve={"Senegal": "SN"}.get, label=label)
    assert codes(found) == ["sign_error_country"]


def test_signs_against_a_country_named_in_text():
    table = {"id": ["a"], "response": ["Country: Portugal\nCoordinates: (38.72, 9.14)"]}
    found = lint(table, resolve=NAMES.get, label=box_label)
    assert "sign_error_country" in codes(found)


def test_near_duplicates():
    first = places(1000)
    lat = first["lat"].to_numpy().copy()
    lat[:9] += 1
    second = with_column(first, "lat", lat)
    shuffled = second.take(pa.array(np.random.default_rng(3).permutation(1000)))
    found = near_duplicates(first, shuffled)
    assert found[0].count == 991
    assert "99.1%" in found[0].message
    assert near_duplicates(first, places(1000, seed=1)) == []
    (told,) = lint(first, against=[shuffled])
    assert told == found[0]
    other = {name: values[::-1] for name, values in first.to_pydict().items()}
    pair = lint(first, against=[second, other])
    assert codes(pair) == ["near_duplicate", "near_duplicate"]
    assert (pair[0].rows[0], pair[0].count, pair[1].count) == (10, 991, 1000)
    assert codes(lint(first, first, against=[second]))[-1] == "near_duplicate"


def test_overlap_of_training_and_test():
    train = places(50)
    train = train.append_column("AUTHOR", pa.array([f"{i % 5}@N00" for i in range(50)]))
    test = pa.table(
        {
            "id": ["a/7.jpg", "new", "other", "none"],
            "lat": [1.0, train["lat"][3].as_py(), 2.0, 3.0],
            "lon": [1.0, train["lon"][3].as_py(), 2.0, 3.0],
            "author": ["x@N00", "y@N00", "3@N00", None],
        }
    )
    found = by_code(overlap(train, test))
    assert found["id_overlap"].rows == (1,)
    assert found["coordinate_overlap"].rows == (2,)
    assert found["author_overlap"].rows == (3,)
    assert overlap(train.slice(0, 0), test) == []
    with pytest.raises(ValueError, match="no column 'who' for author"):
        overlap(train, test, author="who")
    everything = codes(lint(test.select(["id", "lat", "lon"]), test, train=train))
    assert {"id_overlap", "author_overlap", "coordinate_overlap"} <= set(everything)


def test_photographers_under_two_salts_are_told_apart_test_first():
    test = {"id": ["b"], "lat": [5.0], "lon": [6.0], "author": ["plain"]}
    salted = author_hash("me", Salt(b"pepper", "0a1b2c3d"))
    (found,) = overlap({"id": ["a"], "lat": [1.0], "lon": [2.0], "author": [salted]}, test)
    assert str(found) == (
        "warning: author_not_compared: photographers are not compared: their ids are hashed with "
        "different salts (none; 0a1b2c3d). Please import both into one lake, or both with one "
        "--salt."
    )


def test_ids_are_compared_as_it_is_asked():
    truth, answers = places(40), places(40)
    answers = with_column(answers, "id", [f"photos/{i}.jpg" for i in range(40)])
    assert "equals_truth" in codes(lint(answers, truth))
    exact = codes(lint(answers, truth, match="exact"))
    assert "equals_truth" not in exact
    assert "no_ids_match" in exact


def test_training_rows_need_a_truth_to_be_compared_with():
    rows = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
    with pytest.raises(ValueError, match=r"training rows are compared with the truth, and there"):
        lint(rows, train=rows)
    assert "id_overlap" in codes(lint(rows, rows, train=rows))


def test_against_truth_of_nothing_is_nothing():
    truth = {"id": ["a"], "lat": [0.0], "lon": [0.0]}
    empty = pa.table({"id": pa.array([], pa.string()), "lat": [], "lon": []})
    assert against_truth(join(empty, truth)) == []


def test_unreadable_files_raise(tmp_path):
    with pytest.raises(FileError, match="expected a csv file, found nothing there"):
        lint(tmp_path / "absent.csv")
