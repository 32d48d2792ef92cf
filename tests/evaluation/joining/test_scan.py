"""The scan of both files: rows that are no photos, a truth that cannot be used, words beside."""

import numpy as np
import pyarrow as pa
import pytest

from geodata.evaluation.findings import PredictionError
from geodata.evaluation.joining import join, read_predictions, read_truth
from geodata.evaluation.joining.matches import scan
from geodata.files import source


@pytest.fixture(params=[1, 3, 100])
def small(request, monkeypatch):
    monkeypatch.setattr(source, "BATCH_ROWS", request.param)


def rows(ids, lat=None, lon=None):
    ids = list(ids)
    lat = [1.0 + i for i in range(len(ids))] if lat is None else lat
    return {"id": ids, "lat": lat, "lon": [2.0] * len(ids) if lon is None else lon}


def said(joined):
    return {one.code: str(one) for one in joined.findings}


def refused(predictions, truth):
    with pytest.raises(PredictionError) as told:
        join(predictions, truth)
    return str(told.value)


# summaries at the end


def test_a_summary_of_the_predictions_is_no_photo(small):
    joined = join(rows(["a", "mean", "b", "std", None, "Average"]), rows("ab"))
    assert said(joined) == {
        "footer_rows": "warning: footer_rows: predictions: the last 3 rows are a summary, not "
        "photos, and were left out (rows 4, 5, 6). Write averages to another file.",
        "extra_predictions": "warning: extra_predictions: 1 of 3 predictions are for ids that the "
        "truth does not have: 'mean' (rows 2). "
        "Look whether the truth file is the one that was predicted.",
    }
    assert joined.table(["pred_lat"])["pred_lat"].to_pylist() == [1.0, 3.0]
    assert len(joined.pred_lat) == 3


def test_a_photo_of_the_truth_is_no_summary(small):
    joined = join(rows(["a", "mean", "std"]), rows(["mean", "a"]))
    assert said(joined)["footer_rows"].startswith(
        "warning: footer_rows: predictions: the last 1 rows are a summary"
    )
    assert joined.table(["pred_lat"])["pred_lat"].to_pylist() == [2.0, 1.0]
    joined = join(rows(["a", "std", "mean"]), rows(["mean", "a"]))
    assert "footer_rows" not in said(joined)
    assert joined.table(["pred_lat"])["pred_lat"].to_pylist() == [3.0, 1.0]


@pytest.mark.parametrize("side", ["truth", "predictions"])
def test_eight_rows_at_the_end_may_be_a_summary(small, side):
    def left(n):
        more, few = rows(["a", *(f"mean {i}" for i in range(n))]), rows("a")
        joined = join(few, more) if side == "truth" else join(more, few)
        return len(joined.lat) if side == "truth" else len(joined.pred_lat)

    assert [left(n) for n in (0, 1, 7, 8, 9)] == [1, 1, 1, 1, 2]


def test_a_summary_with_a_place_is_told_by_a_plain_word_only(small):
    joined = join(rows("a"), rows(["a", "max_planck.jpg", "std", "mean"]))
    assert joined.rows == 3
    joined = join(rows("a"), rows(["a", "max_planck.jpg", "std"], [1.0, None, None]))
    assert joined.rows == 1
    assert [(one.code, one.rows, one.count) for one in joined.findings] == [
        ("footer_rows", (2, 3), 2)
    ]


def test_a_damaged_row_at_the_end_is_no_summary(tmp_path, small):
    path = tmp_path / "p.csv"
    path.write_text("lat,lon,id\n1,2,a\n3\n")
    assert set(said(join(path, rows("a")))) == {"damaged", "extra_predictions"}
    assert "p.csv: 1 truth rows have no valid" in refused(rows("a"), path)
    path.write_text("lat,lon,id\n1,2,a\n3,4,\n")
    assert set(said(join(path, rows("a")))) == {"footer_rows"}
    assert join(rows("a"), path).rows == 1


def test_a_file_of_distances_with_a_summary(small):
    joined = join({"id": ["a", "b", "mean"], "distance_km": [1.0, 3.0, 2.0]})
    assert (joined.rows, joined.pred_distance_km.tolist()) == (2, [1.0, 3.0])
    assert "footer_rows" in said(joined)


def test_one_file_with_a_summary(small):
    both = rows(["a", "b", "mean"]) | {"pred_lat": [7.0, 8.0, 9.0], "pred_lon": [7.5, 8.5, 9.5]}
    joined = join(both)
    assert joined.table(["id", "pred_lat"]).to_pydict() == {
        "id": ["a", "b"],
        "pred_lat": [7.0, 8.0],
    }
    assert (len(joined.pred_lat), [one.code for one in joined.findings]) == (2, ["footer_rows"])


# a truth that cannot be used


def test_places_that_are_none_are_counted_and_ten_are_named(small):
    lat = [95.0 if i % 2 else 1.0 for i in range(30)]
    told = refused(rows("a"), rows([str(i) for i in range(30)], lat))
    assert told == (
        "truth_coordinates: truth: 15 truth rows have no valid latitude and longitude: row 2 has "
        "(95.0, 2.0) (rows 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, ...). "
        "Complete or remove these rows; latitude lies in [-90, 90]."
    )


def test_summaries_are_not_counted_among_the_places_that_are_none(small):
    ids = ["a", "b", "c", "mean", None, "total"]
    told = refused(rows("a"), rows(ids, [1.0, None, 3.0, None, None, 6.0]))
    assert "truth: 1 truth rows have no valid" in told
    assert "row 2 has (None, 2.0) (rows 2)." in told
    lat = [None] * 12 + [1.0, *[None] * 8]
    told = refused(rows("a"), rows([f"p{i}" for i in range(13)] + ["std"] * 8, lat))
    assert "truth: 12 truth rows" in told
    assert "(rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)." in told
    lat = [1.0] * 5 + [None] * 9
    told = refused(rows("a"), rows([f"p{i}" for i in range(6)] + ["std"] * 8, lat))
    assert "truth: 1 truth rows" in told
    assert "row 6 has (None, 2.0) (rows 6)." in told


def test_a_truth_that_was_damaged_is_refused_with_the_reason(tmp_path, small):
    path = tmp_path / "t.csv"
    path.write_text("id,lat,lon\na,1,2\nb,3\nc,4,5\nd,95,5\n")
    told = refused(rows("a"), path)
    assert "t.csv: 2 truth rows have no valid latitude and longitude: row 2 has 2 fields" in told
    assert "(rows 2, 4)." in told
    told = refused(rows("a"), rows("a", ["x" * 90]))
    assert "row 1 has ('" + "x" * 78 + " (rows 1)." in told


def test_rows_without_an_id_are_refused_and_ten_are_named(small):
    ids = [None if i % 3 == 1 else str(i) for i in range(60)]
    assert refused(rows("a"), rows(ids)) == (
        "truth_ids: truth: truth rows without an id (rows 2, 5, 8, 11, 14, 17, 20, 23, 26, 29). "
        "Give every truth row an id."
    )
    assert join(rows("a"), rows(["a", "b", None])).rows == 2
    told = refused(rows("a"), rows([None, "b", None]))
    assert "without an id (rows 1)." in told


# what is given


def test_columns_and_opened_sides_may_be_given():
    truth = {"key": ["b", "a"], "north": [1.0, 2.0], "east": [3.0, 4.0], "id": ["x", "y"],
             "lat": [9.0, 9.0], "lon": [9.0, 9.0]}  # fmt: skip
    named = {"id": "key", "lat": "north", "lon": "east"}
    for joined in (
        join(rows("ab"), truth, **named),
        join(read_predictions(rows("ab")), read_truth(truth, **named)),
    ):
        told = joined.table(["id", "lat", "lon", "pred_lat"]).to_pydict()
        assert told == {
            "id": ["b", "a"],
            "lat": [1.0, 2.0],
            "lon": [3.0, 4.0],
            "pred_lat": [2.0, 1.0],
        }
    both = truth | {"pred_lat": [5.0, 6.0], "pred_lon": [7.0, 8.0]}
    told = join(both, **named).table(["id", "lat", "pred_lat"]).to_pydict()
    assert told == {"id": ["b", "a"], "lat": [1.0, 2.0], "pred_lat": [5.0, 6.0]}


def test_an_unknown_way_to_match_is_refused_with_those_there_are():
    with pytest.raises(ValueError) as told:
        join(rows("a"), rows("a"), match="fuzzy")
    assert str(told.value) == (
        "match='fuzzy' is unknown; choose auto, exact, trim, stem, flat, number, endings, case, "
        "zeros"
    )


# what is kept


def test_keys_and_columns_are_given_once(small):
    opened = read_predictions(rows([7, None, 9]))
    kept = scan.Scan(opened.source, "id", True)
    scan.scan_predictions(kept, opened)
    assert kept.keys().tolist() == [7, (1 << 63) + 1, 9]
    assert kept.keys().tolist() == []
    assert kept.column_of("lat", np.float64).tolist() == [1.0, 2.0, 3.0]
    none = kept.column_of("lat", np.float64)
    assert (none.tolist(), none.dtype) == ([], np.float64)
    assert kept.no_id == [1]
    assert kept.last == [("7", True, False), (None, True, False), ("9", True, False)]
    assert kept.ids_at([0, 2]) == ["7", "9"]
    again = kept.reread("stem", 2)
    assert len(again) == 2
    assert again[0] != again[1]


def test_rows_without_an_id_are_told_apart_when_they_are_read_again(small):
    kept = scan.Scan(read_predictions(rows(["a.jpg", None, None, None])).source, "id", False)
    again = kept.reread("stem", 4)
    assert len(set(again.tolist())) == 4
    assert kept.reread("stem", 3).tolist() == again[:3].tolist()


def test_the_places_of_a_few_rows(small):
    truth = read_truth(
        rows("abcde", ["1", "2", "33°30'S", "4", "5"], ["6", "7", "9°W", "8", "370"])
    )
    kept = scan.Scan(truth.source, "id", False)
    found = kept.places(truth.columns, np.array([1, 2]))
    assert found == {1: (2.0, 7.0), 2: (-33.5, -9.0)}
    assert kept.places(truth.columns, np.array([0, 3])) == {0: (1.0, 6.0), 3: (4.0, 8.0)}
    assert kept.places(truth.columns, np.array([], int)) == {}


def test_floating_ids_are_told_by_their_column_or_the_first(small):
    told = said(join(rows([1.0, 2.0]), rows([1, 2])))["float_ids"]
    assert (
        "2 ids are written as floating-point numbers, such as a column of type double (rows 1, 2)"
        in told
    )
    told = said(join(rows(["x", "20.0", "3e1"]), rows(["x", "20", "30"])))["float_ids"]
    assert "2 ids are written as floating-point numbers, such as '20.0' (rows 2, 3)." in told
    assert "float_ids" not in said(join(rows([1, 2]), rows([1, 2])))
    assert "float_ids" not in said(join(rows([1, 2]), rows(["1", "2"])))


def test_words_beside_coordinates_are_read_where_there_are_none(small, monkeypatch):
    words = ["(1, 2)", "", "I cannot help.", "a street", None, "(5, 6)", "I'm sorry, I can't tell."]
    lat = [1.0, None, None, None, None, None, 95.0]
    table = rows("abcdefg", lat, [2.0, *[None] * 5, 95.0]) | {"raw_text": words}
    joined = join(table, rows("abcdefg"))
    assert joined.table(["status"])["status"].to_pylist() == [
        "ok", "missing", "refused", "unparsable", "missing", "missing", "invalid"
    ]  # fmt: skip
    assert [(one.code, one.rows, one.count) for one in joined.findings] == [
        ("out_of_range", (7,), 1), ("unparsable", (4,), 1), ("refused", (3,), 1),
        ("empty_answers", (2, 5, 6), 3),
    ]  # fmt: skip
    assert joined.table(["pred_lat"])["pred_lat"].to_pylist() == [1.0, *[None] * 6]
    numbers = table | {"raw_text": list(range(7))}
    assert "unparsable" not in said(join(numbers, rows("abcdefg")))
    monkeypatch.setattr(scan, "status_of_words", None)
    full = rows("abc") | {"raw_text": ["I cannot help."] * 3}
    assert said(join(full, rows("abc"))) == {}


def test_an_empty_file_keeps_its_kinds():
    none = pa.table({"id": pa.array([], pa.string()), "lat": pa.array([], pa.float64()),
                     "lon": pa.array([], pa.float64())})  # fmt: skip
    joined = join(none, rows("ab"))
    assert joined.matched.tolist() == [-1, -1]
    assert (joined.pred_status.dtype, joined.pred_lat.dtype) == (np.uint8, np.float64)
    assert joined.cuts == (2,)
    assert join(none, none).cuts == ()
