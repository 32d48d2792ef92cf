"""popular and hard, by hand: who counts as localized, what thins, what is far."""

import h3
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import datasets, hashing, sphere, tables
from geodata.datasets.recipes import popular as recipe

KM = 6371.0 * np.pi / 180  # of one degree of latitude


def rows(**more):
    """Five usable rows on a meridian, one without a place and one without a picture."""
    return pa.table(
        {
            "photo_id": list("abcdefg"),
            "lat": pa.array([0.0, 10, 20, 30, 40, None, 50]),
            "lon": [5.0] * 7,
            "status": ["ok"] * 6 + ["photo_unavailable"],
            **more,
        }
    )


OFF = {"a": 0.005, "b": 0.2, "c": 1.0, "d": 30.0, "g": 0.0, "f": 0.0}
"""Degrees that the model is off; it says nothing of e."""


@pytest.fixture
def lake(tmp_path):
    tables.write(tmp_path / "labelled", rows(), file_rows=3)
    lats = dict(zip(rows()["photo_id"].to_pylist(), rows()["lat"].to_pylist(), strict=True))
    answers = {"id": list(OFF), "lat": [(lats[i] or 0) + off for i, off in OFF.items()],
               "lon": [5.0] * len(OFF)}  # fmt: skip
    tables.write(tmp_path / "answers", pa.table(answers))
    return tmp_path


def popular(lake, **asked):
    built = datasets.build("popular", lake, inputs={"predictions": "answers"}, **asked)
    return built, tables.open(lake / "popular").arrow().to_pylist()


def test_popular_by_hand(lake):
    built, got = popular(lake)
    assert [r["photo_id"] for r in got] == ["a", "b"]
    assert [r["pred_lat"] for r in got] == [0.005, 10.2]
    assert [r["pred_lon"] for r in got] == [5.0, 5.0]
    assert [r["error_km"] for r in got] == pytest.approx([0.005 * KM, 0.2 * KM], rel=1e-6)
    assert built.report == {
        "rows_in": 7, "without_valid_coordinates": 1, "with_another_status_than_ok": 1,
        "with_prediction": 4, "localized": 2, "rows": 2,
        "if_localized_means": [
            {"within_km": 1.0, "popular_points": 1, "exclude_km": 200.0, "kept_rows": 4},
            {"within_km": 25.0, "popular_points": 2, "exclude_km": 200.0, "kept_rows": 3},
            {"within_km": 200.0, "popular_points": 3, "exclude_km": 200.0, "kept_rows": 2},
        ],
    }  # fmt: skip


def test_a_radius_of_ones_own_is_counted_among_the_others(lake):
    built, got = popular(lake, radius_km=150, exclude_km=11 * KM)
    assert [r["photo_id"] for r in got] == ["a", "b", "c"]
    means = built.report["if_localized_means"]
    assert [m["within_km"] for m in means] == [1.0, 25.0, 150.0, 200.0]
    assert [m["kept_rows"] for m in means] == [3, 2, 1, 1]  # neighbours ten degrees on are near
    assert {m["exclude_km"] for m in means} == {11 * KM}


def test_an_answer_exactly_at_the_radius_is_localized(lake):
    assert len(popular(lake, radius_km=KM + 1e-6)[1]) == 3
    assert len(popular(lake, radius_km=KM - 1e-6)[1]) == 2
    a, none = sphere.threshold_a(25), np.empty(0)
    apart = np.array([a, np.nextafter(a, 0), np.nextafter(a, 1), np.nan])
    found = recipe._Localized(none, none, none, none, none, none, none, apart)
    assert found.within(25).tolist() == [True, True, False, False]


def test_some_of_the_popular_rows(lake):
    built, got = popular(lake, radius_km=150, n=2, seed=4)
    keys = hashing.sampling_keys(rows(), 4)[:3]
    assert {r["photo_id"] for r in got} == {"abc"[i] for i in np.argsort(keys)[:2]}
    assert (built.rows, built.report["rows"], built.report["localized"]) == (2, 2, 3)
    with pytest.raises(datasets.DatasetError, match=r"n=4 rows .* 3 of labelled@0 are localized "
                                                    r"within 150 km; choose n=3"):  # fmt: skip
        popular(lake, radius_km=150, n=4)
    with pytest.raises(datasets.DatasetError, match="within 150 km and first in their cell of res"):
        popular(lake, radius_km=150, n=4, thin=2)
    with pytest.raises(datasets.EmptyDatasetError, match=r"prediction is within 0\.5 km of its"):
        popular(lake, radius_km=0.5, n=1)


@pytest.mark.parametrize("thin", [-1, 16, True])
def test_resolutions_that_are_none(lake, thin):
    with pytest.raises(datasets.DatasetError, match=f"thin={thin} is not an H3 resolution"):
        popular(lake, thin=thin)


@pytest.mark.parametrize("thin", [0, 15])
def test_resolutions_at_the_ends(lake, thin):
    assert len(popular(lake, thin=thin)[1]) == 2


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.001, 60.0]), st.integers(0, 2), st.booleans(),
                  st.booleans()), max_size=9,
    ), st.sampled_from([0, 3, 9]),
)  # fmt: skip
def test_of_a_cell_the_smallest_key_stays_and_of_equal_ones_the_first(parts, thin):
    lat, key, fit, right = (np.array([p[i] for p in parts], kind) for i, kind in
                            enumerate((float, np.uint64, bool, bool)))  # fmt: skip
    lat, right = lat[fit], right[fit]
    found = recipe._Localized(fit, fit, key, lat, lat * 0, lat, lat, lat)
    first = {}
    for i in np.flatnonzero(right).tolist():
        cell = h3.latlng_to_cell(lat[i], 0.0, thin)
        first[cell] = min(first.get(cell, (9, 9)), (key[fit][i], i))
    got = recipe._first_of_cell(found, right, thin)
    assert np.flatnonzero(got).tolist() == sorted(i for _, i in first.values())
    whole = found.rows(got)
    assert np.flatnonzero(whole).tolist() == np.flatnonzero(fit)[got].tolist()


def test_distances_of_many_rows_are_reckoned_in_steps(lake, monkeypatch):
    whole = popular(lake)[0].content_hash
    monkeypatch.setattr(recipe, "_STEP", 2)
    assert popular(lake)[0].content_hash == whole


def test_a_table_of_which_nothing_can_be_used_has_no_popular_rows(lake):
    none = rows().set_column(3, "status", pa.array(["missing"] * 7))
    tables.write(lake / "labelled", none)
    with pytest.raises(datasets.EmptyDatasetError, match="no prediction is within 25 km"):
        popular(lake)


def test_answers_to_other_photos_only(lake):
    tables.write(lake / "answers", pa.table({"id": ["x"], "lat": [0.0], "lon": [5.0]}))
    with pytest.raises(datasets.DatasetError, match=r"no id of answers.* is a photo_id of "
                                                    r"labelled@0, whose first is 'a'"):  # fmt: skip
        popular(lake)


# hard


def hard(lake, places, **asked):
    table = pa.table(
        {"lat": pa.array(places, pa.float64()), "lon": pa.array([5.0] * len(places), pa.float64())}
    )
    tables.write(lake / "popular", table)
    built = datasets.build("hard", lake, **asked)
    return built, tables.open(lake / "hard").arrow()["photo_id"].to_pylist()


def test_hard_by_hand(lake):
    built, got = hard(lake, [0.0, 21.0, 50.0])
    assert got == ["b", "d", "e"]
    assert built.report == {
        "rows_in": 7, "without_valid_coordinates": 1, "with_another_status_than_ok": 1,
        "popular_points": 3, "near_a_popular_point": 2, "far_from_all": 3, "rows": 3,
    }  # fmt: skip
    assert tables.open(lake / "hard").note["parameters"] == {"radius_km": 200.0, "n": None}
    assert "c" not in hard(lake, [21.0], radius_km=KM + 1e-6)[1]
    assert "c" in hard(lake, [21.0], radius_km=KM - 1e-6)[1]


def test_some_of_the_hard_rows(lake):
    built, got = hard(lake, [0.0, 21.0], n=2, seed=8)
    keys = dict(zip("abcdefg", hashing.sampling_keys(rows(), 8).tolist(), strict=True))
    assert set(got) == set(sorted("bde", key=keys.get)[:2])
    assert (built.rows, built.report["rows"], built.report["far_from_all"]) == (2, 2, 3)
    told = r"n=4 rows are wanted, 3 of labelled@0 are farther than 200 km from every popular point"
    with pytest.raises(datasets.DatasetError, match=told):
        hard(lake, [0.0, 21.0], n=4)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([], r"popular@0 has no rows; without popular points every row would be hard"),
        ([0.0, None, 91.0, 3.0], r"popular@0: 2 of its rows have no valid coordinates"),
    ],
)
def test_places_that_are_none(lake, places, message):
    with pytest.raises(datasets.DatasetError, match=message):
        hard(lake, places)


def test_why_no_row_is_hard(lake):
    with pytest.raises(datasets.EmptyDatasetError, match="every row is within 9000 km of a pop"):
        hard(lake, [20.0], radius_km=9000, n=3)
    tables.write(lake / "labelled", rows().slice(5))
    with pytest.raises(datasets.EmptyDatasetError, match="no row of labelled@1 has valid coord"):
        hard(lake, [20.0])
