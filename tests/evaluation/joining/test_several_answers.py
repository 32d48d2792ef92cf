"""Several answers a photo, by hand: which columns hold them, what a cell says, in which order."""

import numpy as np
import pyarrow as pa
import pytest

from geodata.evaluation.joining import read_predictions
from geodata.evaluation.joining.several import lists, reading
from geodata.evaluation.joining.several.confidences import confidence_column, read_numbers
from geodata.evaluation.joining.several.lists import list_columns, read_lists
from geodata.evaluation.joining.several.numbered import numbered_confidences, numbered_pairs
from geodata.evaluation.joining.several.reading import Several, of_rows, open_answers
from geodata.files import FileError, open_source, source

NAN = float("nan")


def plain(values):
    return None if values is None else [None if v != v else v for v in values.tolist()]


def told(several):
    """Return [(answers of a photo)] as (lat, lon, confidence), None for no number."""
    lat, lon, sure = (plain(v) for v in several[1:])
    rows = list(zip(lat, lon, sure or [None] * len(lat), strict=True))
    return [rows[a:b] for a, b in zip(several.start[:-1], several.start[1:], strict=True)]


@pytest.fixture(params=[1, 2, 100])
def small(request, monkeypatch):
    monkeypatch.setattr(source, "BATCH_ROWS", request.param)


# answers of photos


def test_answers_are_counted_owned_and_taken_in_another_order():
    found = Several(np.array([0, 2, 2, 3]), np.array([1.0, 2, 3]), np.array([4.0, 5, 6]),
                    np.array([0.1, 0.2, 0.3]))  # fmt: skip
    assert (found.counts.tolist(), found.owners().tolist()) == ([2, 0, 1], [0, 0, 2])
    again = found.take([2, -1, 1, 0, 2])
    assert told(again) == [[(3, 6, 0.3)], [], [], [(1, 4, 0.1), (2, 5, 0.2)], [(3, 6, 0.3)]]
    assert again.start.dtype == np.int64
    assert told(found._replace(confidence=None).take([0])) == [[(1, 4, None), (2, 5, None)]]
    nobody = Several(np.array([0]), np.empty(0), np.empty(0), None)
    assert told(nobody.take([-1, -1])) == [[], []]
    assert told(found.take([])) == []


# columns by their number


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        ("id lat_1 lon_1 lat_2 lon_2", ["lat_1 lon_1", "lat_2 lon_2"]),
        ("lat10 lon10 lat9 lon9", ["lat9 lon9", "lat10 lon10"]),
        ("lat_1 lon_1", []), ("lat lon", []), ("lat_1 lon_2", []), ("lat_1 lat_2 lon_1", []),
        ("lat_1 lon_1 lat_2 lon_3 lat_3", ["lat_1 lon_1", "lat_3 lon_3"]),
        ("gt_lat_1 gt_lon_1 gt_lat_2 gt_lon_2", []),
        ("pred_1_lat pred_1_lon lat_1 lon_1 pred_2_lat pred_2_lon lat_2 lon_2",
         ["pred_1_lat pred_1_lon", "pred_2_lat pred_2_lon"]),
        ("lat_1_2 lon_1_2 lat_2_2 lon_2_2", []),
        ("lat_99999 lon_99999 lat_1 lon_1", ["lat_1 lon_1", "lat_99999 lon_99999"]),
        ("lat_100000 lon_100000 lat_1 lon_1", []),
        ("flat_1 lon_1 flat_2 lon_2", []),
    ],
)  # fmt: skip
def test_pairs_of_columns_in_order_of_their_numbers(names, pairs):
    assert [" ".join(pair) for pair in numbered_pairs(names.split())] == pairs


def test_a_confidence_for_each_answer_or_none():
    assert numbered_confidences(["conf_2", "id", "prob_1"], 2) == ["prob_1", "conf_2"]
    assert numbered_confidences(["prob_1", "conf_1", "prob_2"], 2) == ["prob_1", "prob_2"]
    assert numbered_confidences(["prob_1", "prob_2", "prob_3"], 2) == []
    assert numbered_confidences(["confidence", "odds_1", "odds_2"], 2) == []
    assert numbered_confidences([], 0) == numbered_confidences(["confidence"], 1) == []


def test_answers_in_columns(small):
    table = {
        "id": ["a", "b", "c"], "lat_2": [3.0, None, 95.0], "lon_2": [4.0, None, 5.0],
        "lat_1": [1.0, None, 7.0], "lon_1": [2.0, None, 8.0], "lat_3": [None, 9.0, 370.0],
        "lon_3": [None, 190.0, 0.0], "prob_1": [0.1, 0.2, 0.3], "prob_2": ["0.4", "x", "0.6"],
        "prob_3": [0.7, 0.8, 0.9],
    }  # fmt: skip
    found = open_answers(table)
    assert (found.layout, found.asked) == ("columns", False)
    assert told(found.several) == [
        [(1, 2, 0.1), (3, 4, 0.4)], [(None, None, 0.2), (9, -170, 0.8)], [(7, 8, 0.3)]
    ]  # fmt: skip
    assert found.predictions.columns.used() == ["id", "lat_1", "lon_1"]
    assert open_answers(table, candidates="columns").asked
    del table["prob_2"]
    assert open_answers(table).several.confidence is None


def test_a_pair_without_a_number_goes_on_beside_those_in_columns():
    table = {"id": ["a"], "pred_lat": [50.0], "pred_lon": [51.0], "lat": [9.0], "lon": [9.5]}
    table |= {"lat_1": [1.0], "lon_1": [2.0], "lat_2": [3.0], "lon_2": [4.0]}
    assert open_answers(table).predictions.columns.lat == "pred_lat"
    assert open_answers(table, with_truth=True).predictions.columns.lat == "pred_lat"
    for name in ("pred_lat", "pred_lon"):
        del table[name]
    assert open_answers(table).predictions.columns.lat == "lat"
    assert open_answers(table, with_truth=True).predictions.columns.lat == "lat_1"


def test_columns_that_are_named_are_no_several_answers():
    table = {"id": ["a"], "lat_1": [1.0], "lon_1": [2.0], "lat_2": [3.0], "lon_2": [4.0],
             "guesses": [[[5.0, 6.0]]], "words": ["(7, 8)"], "off": [1.0]}  # fmt: skip
    assert open_answers(table).layout == "columns"
    for said in ({"lat": "lat_2", "lon": "lon_2"}, {"text": "words"}, {"distance_column": "off"}):
        found = open_answers(table, **said)
        assert (found.layout, found.several) == ("none", None)
    found = open_answers(table, candidates="list")
    assert (found.layout, found.asked, told(found.several)) == ("list", True, [[(5, 6, None)]])
    numbered = {name: table[name] for name in ("id", "lat_1", "lon_1", "lat_2", "lon_2")}
    listed = {name: table[name] for name in ("id", "guesses")}
    for layout, other in (("columns", listed), ("list", numbered)):
        with pytest.raises(ValueError, match=f"found no {layout} of several answers among"):
            open_answers(other, candidates=layout)
    for layout in ("rows", "none"):
        found = open_answers(listed | {"lat": [1.0], "lon": [2.0]}, candidates=layout)
        assert (found.layout, found.several) == ("none", None)
    for layout in ("columns", "list"):
        with pytest.raises(ValueError, match=f"found no {layout} of several answers among"):
            open_answers({"id": ["a"], "lat": [1.0], "lon": [2.0]}, candidates=layout)
        with pytest.raises(ValueError, match="one a row"):
            open_answers(table, candidates=layout, text="words")


# lists in a cell


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        ([[1, 2], [3, 4, 0.5]], [(1, 2, None), (3, 4, 0.5)]),
        ([[1, 2], None, [3], "x"], [(1, 2, None)] + [(None, None, None)] * 3),
        ([{"lat": 1, "lon": 2, "prob": 0.25}, {"latitude": "3", "lng": "4"}],
         [(1, 2, 0.25), (3, 4, None)]),
        ([{"lat": 1, "lon": 2, "logprob": -1, "confidence": 0.5}], [(1, 2, 0.5)]),
        ([{"pred_lat": 1}, {"lat": 1, "lon": True}], [(1, None, None), (1, None, None)]),
        (["(1, 2)", "no idea"], [(1, 2, None), (None, None, None)]),
        ('[[1, 2], ["3", "4"]]', [(1, 2, None), (3, 4, None)]),
        (' [{"lat": 1, "lon": 2}]', [(1, 2, None)]),
        ([[None, 2], ["x", "y"]], []), ([1, 2], []), ([], []), ("[1, ", []), ("(1, 2)", []),
        ("[" * 100_000, []), ("[" * 100_000 + "]" * 100_000, []), ("nan", []), ('"x"', []),
        (None, []), ({"lat": 1, "lon": 2}, []), ('{"lat": 1}', []), (["no", "nothing"], []),
        (((1, 2), (3, 4)), [(1, 2, None), (3, 4, None)]), ([[1, 2, None]], [(1, 2, None)]),
        ([None, [1, 2]], []),
    ],
)  # fmt: skip
def test_the_answers_of_a_cell(cell, points):
    found = [tuple(None if v != v else v for v in point) for point in lists._points(cell)]
    assert found == points


def test_latitudes_in_one_cell_and_longitudes_in_another():
    def of(lat, lon):
        return [point[:2] for point in lists._points(lat, lon)]

    assert of([1, 2], [3, 4]) == [(1, 3), (2, 4)]
    assert of("[1, 2]", "[3, 4]") == [(1, 3), (2, 4)]
    assert of([1, 2], [3]) == of([], []) == of(None, None) == of([], None) == []
    assert np.isnan(lists._points([1], [3])[0][2])


def test_another_layout_is_refused_and_the_columns_are_told():
    rows = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
    with pytest.raises(ValueError) as told_:
        open_answers(rows, candidates="many")
    assert str(told_.value) == (
        "candidates='many' is unknown; choose auto, rows, columns, list, none"
    )
    with pytest.raises(ValueError) as told_:
        open_answers(rows, candidates="list", lat="lat", lon="lon")
    assert str(told_.value) == (
        "predictions: found no list of several answers among ['id', 'lat', 'lon']; columns that "
        "are named for the answer hold one a row"
    )


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"guesses": [[[1.0, 2.0]]]}, ["guesses"]), ({"notes": [[[1.0, 2.0]]]}, []),
        ({"guesses": [["x"]], "top_5": [["(1, 2)"]]}, ["top_5"]),
        ({"guesses": ["[[1, 2]]"]}, ["guesses"]), ({"guesses": ["(1, 2)"]}, []),
        ({"lat": [[1.0]], "lon": [[2.0]]}, ["lat", "lon"]), ({"lat": [1.0], "lon": [2.0]}, []),
        ({"lat": [[1.0]], "lon": [2.0]}, []), ({"lat": [[1.0, 2.0]], "lon": [[2.0]]}, []),
        ({"pred_lat": [[1.0]], "lon": [[2.0]]}, []),
        ({"gt_lat": [[1.0]], "gt_lon": [[2.0]]}, ["gt_lat", "gt_lon"]),
        ({"a_lat": [[1.0]], "a_lon": [[]], "pred_lon": [[5.0]], "pred_lat": [[4.0]]},
         ["pred_lat", "pred_lon"]),
        ({"lat": ["[1]"], "lon": ["[2]"]}, []),
    ],
)  # fmt: skip
def test_columns_that_hold_lists(columns, found):
    assert list_columns(open_source({"id": ["a"], **columns})) == found


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2)]
)
def test_latitudes_and_longitudes_in_lists_of_every_kind(kind):
    """A frame of polars has large lists, a column of arrays has lists of one size."""
    rows = {"id": ["a"], "lat": pa.array([[1.0, 3.0]], kind), "lon": pa.array([[2.0, 4.0]], kind)}
    found = open_answers(pa.table(rows))
    assert (found.layout, told(found.several)) == ("list", [[(1, 2, None), (3, 4, None)]])


@pytest.mark.parametrize(("empty", "seen"), [(99, True), (100, False)])
def test_the_first_hundred_rows_say_whether_there_are_lists(empty, seen):
    cells = [None] * empty + [[[1.0, 2.0]]]
    found = list_columns(open_source({"id": [str(i) for i in range(empty + 1)], "guesses": cells}))
    assert found == ["guesses"] * seen
    none = pa.table({"guesses": pa.array([], pa.list_(pa.list_(pa.float64())))})
    assert list_columns(open_source(none)) == []


def test_two_lists_in_a_text_file(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id": "a", "lat": [1, 2], "lon": [3, 4]}\n{"id": "b", "lat": [5], "lon": [6]}\n'
    )
    found = open_answers(path)
    assert found.layout == "list"
    assert told(found.several) == [[(1, 3, None), (2, 4, None)], [(5, 6, None)]]
    csv = tmp_path / "a.csv"
    csv.write_text('id,lat,lon\na,"[1]","[2]"\n')
    assert list_columns(open_source(csv)) == []


def test_lists_of_all_rows_and_what_stands_beside_them(small):
    table = {
        "id": ["a", "b", "c", "d"], "who": ["x", "y", "z", "w"],
        "guesses": [[[1.0, 2.0, 0.5], [3.0, 190.0]], None, [[95.0, 5.0]], [[7.0, 8.0]]],
    }  # fmt: skip
    rest, parts = read_lists(open_source(table), ["guesses"], ["id", "who"])
    assert rest.to_pydict() == {name: table[name] for name in ("id", "who")}
    assert parts[0].tolist() == [0, 2, 2, 3, 4]
    assert told(Several(*parts)) == [
        [(1, 2, 0.5), (3, -170, None)], [], [(None, None, None)], [(7, 8, None)]
    ]  # fmt: skip
    found = open_answers(table)
    assert found.predictions.columns.used() == ["id", "pred_lat", "pred_lon"]
    rows = pa.concat_tables(
        [b.table for b in found.predictions.source.batches()], promote_options="permissive"
    )
    assert rows.to_pydict() == rest.to_pydict() | {
        "pred_lat": [1.0, None, None, 7.0], "pred_lon": [2.0, None, None, 8.0]
    }  # fmt: skip
    assert found.predictions.source.name == "predictions"
    table["guesses"] = [[[1.0, 2.0]]] + [None] * 3
    assert open_answers(table).several.confidence is None
    none = open_source(pa.table({"guesses": pa.array([], pa.list_(pa.list_(pa.float64())))}))
    empty, parts = read_lists(none, ["guesses"], [])
    assert (empty.num_rows, [plain(part) for part in parts]) == (0, [[0], [], [], None])


# rows with one id


RANKED = {
    "id": ["b", "a", None, "b", "a", None, "b"], "lat": [1.0, 2, 3, 4, 5, 6, 7],
    "lon": [9.0] * 7, "rank": [3, 2, 1, 1, 1, 1, 2],
    "conf": ["0.1", "0.2", "x", "0.4", "0.5", "", "1"],
}  # fmt: skip


def test_rows_in_the_order_of_their_rank_or_of_the_file(small):
    found = open_answers(RANKED)
    assert (found.layout, found.asked) == ("rows", False)
    assert told(found.several) == [
        [(4, 9, 0.4), (7, 9, 1.0), (1, 9, 0.1)], [(5, 9, 0.5), (2, 9, 0.2)],
        [(3, 9, None)], [(6, 9, None)],
    ]  # fmt: skip
    rows = next(iter(found.predictions.source.batches(["id", "lat"]))).table
    assert rows["id"].to_pylist()[:1] == ["b"]
    assert rows["lat"].to_pylist()[:1] == [4.0]
    by_file = of_rows(read_predictions(RANKED))
    assert [[one[0] for one in photo] for photo in told(by_file.several)] == [
        [1, 4, 7], [2, 5], [3], [6]
    ]  # fmt: skip
    other = open_answers(RANKED | {"order": [1, 1, 1, 2, 2, 1, 3]}, rank="order")
    assert [photo[0][0] for photo in told(other.several)] == [1, 2, 3, 6]
    sure = {name: values for name, values in RANKED.items() if name != "conf"}
    assert open_answers(sure).several.confidence is None
    named = open_answers(sure | {"odds": list(range(7))}, confidence="odds")
    assert [one[2] for one in told(named.several)[0]] == [3, 6, 0]


def test_many_answers_of_a_photo_stay_in_the_order_of_the_file():
    table = {"id": [f"{i % 7}" for i in range(700)], "lat": np.arange(700) / 10, "lon": [5.0] * 700}
    found = open_answers(table, candidates="rows").several
    assert found.lat.tolist() == [(i * 7 + photo) / 10 for photo in range(7) for i in range(100)]


def test_of_equal_ranks_the_first_in_the_file_goes_first():
    rows = {"id": ["a"] * 4, "lat": [1.0, 2, 3, 4], "lon": [0.0] * 4, "rank": [2, 1, 2, 1]}
    assert [one[0] for one in told(open_answers(rows).several)[0]] == [2, 4, 1, 3]


@pytest.mark.parametrize(
    ("ids", "least", "several"),
    [("aabb", 0.0, True), ("abcd", 0.0, False), ("aabcd", 0.25, True), ("aabcd", 0.26, False),
     ("aabb", 1.0, True)],
)  # fmt: skip
def test_a_share_of_ids_with_several_rows_makes_them_answers(ids, least, several):
    n = len(ids)
    predictions = read_predictions({"id": list(ids), "lat": [1.0] * n, "lon": [2.0] * n})
    assert (of_rows(predictions, least=least) is not None) == several
    assert reading.REPEATED_SHARE == 0.8


def test_what_is_no_several_answers_is_one_answer_a_row():
    once = {"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    for said in ({}, {"candidates": "rows"}, {"candidates": "none"}):
        found = open_answers(once | {"rank": [1, 1]}, **said)
        assert (found.several, found.layout) == (None, "none")
        assert found.asked == (said.get("candidates") == "rows")
    twice = {"id": ["a", "a"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    assert open_answers(twice).several is None
    assert open_answers(twice | {"rank": [1, 2]}, candidates="none").several is None
    assert open_answers(twice, candidates="rows").several.counts.tolist() == [2]
    assert open_answers({"id": ["a", "a"], "error_km": [1.0, 2.0], "rank": [1, 2]}).several is None
    with pytest.raises(FileError, match="no column 'place' for rank"):
        open_answers(twice, rank="place")
    both = {"pred_lat": [1.0], "pred_lon": [2.0], "lat": [3.0], "lon": [4.0], "rank": [1]}
    assert open_answers(both, with_truth=True).several is None
    empty = pa.table({name: pa.array([], pa.float64()) for name in ("id", "lat", "lon", "rank")})
    assert open_answers(empty).several is None
    opened = read_predictions(twice | {"rank": [2, 1]})
    assert plain(open_answers(opened).several.lat) == [2.0, 1.0]


def test_the_first_answer_is_known_by_the_file_that_it_came_from(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,lat,lon,rank\na,1,2,1\na,3,4,2\n")
    found = open_answers(path, encoding="latin-1")
    assert found.predictions.source.identity() == open_source(path).identity()
    assert found.predictions.source.name == str(path)
    kept = open_answers({"id": ["a", "a"], "response": ["(1, 2)", "(3, 4)"], "rank": [2, 1]})
    assert kept.predictions.columns.text == "response"
    assert plain(kept.several.lat) == [3.0, 1.0]
    words = {"id": ["a"] * 2, "lat": [1.0] * 2, "lon": [2.0] * 2, "raw": ["x"] * 2, "rank": [1, 2]}
    assert open_answers(words).predictions.checked_text == "raw"


# a confidence


def test_a_confidence_by_name_or_as_it_is_usually_called(small):
    table = {"id": ["a", "b", "c"], "lat": [1.0] * 3, "lon": [2.0] * 3}
    table |= {"prob": ["1e-3", "high", None], "Confidence": [1, 2, None], "odds": [True] * 3}
    opened = read_predictions(table)
    assert confidence_column(opened) == "Confidence"
    assert confidence_column(opened, "prob") == "prob"
    with pytest.raises(FileError, match="no column 'sure' for confidence"):
        confidence_column(opened, "sure")
    assert plain(read_numbers(opened, "prob")) == [0.001, None, None]
    assert plain(read_numbers(opened, "Confidence")) == [1.0, 2.0, None]
    assert plain(read_numbers(opened, "odds")) == [None] * 3
    assert confidence_column(read_predictions({n: table[n] for n in ("id", "lat", "lon")})) is None
    none = pa.table({name: pa.array([], pa.float64()) for name in ("id", "lat", "lon", "prob")})
    assert plain(read_numbers(read_predictions(none), "prob")) == []
