"""What is said where ids do not fit, row by row and word by word."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata.evaluation.findings import PredictionError
from geodata.evaluation.joining import join
from geodata.evaluation.joining.matches import scan


def rows(ids, lat=None):
    ids = list(ids)
    return {
        "id": ids,
        "lat": lat or [1.0 + i % 600 / 8 for i in range(len(ids))],
        "lon": [2.0] * len(ids),
    }


def said(joined):
    return {one.code: str(one) for one in joined.findings}


def answers(joined):
    return joined.table(["pred_lat"])["pred_lat"].to_pylist()


# rows without a partner


@pytest.mark.parametrize(
    ("lost", "told"),
    [("abc", "'a', 'b', 'c' (rows 2, 3, 4)"), ("abcd", "'a', 'b', 'c', ... (rows 2, 3, 4, 5)")],
)
def test_three_ids_are_named_of_those_without_a_partner(lost, told):
    n = len(lost)
    found = said(join(rows("x"), rows(["x", *lost])))
    assert found == {
        "missing_predictions": f"warning: missing_predictions: {n} of {n + 1} truth rows have no "
        f"prediction and count as wrong: {told}. "
        "Predict every row, or leave it: coverage is printed beside accuracy."
    }
    found = said(join(rows(["x", *lost]), rows("x")))
    assert found == {
        "extra_predictions": f"warning: extra_predictions: {n} of {n + 1} predictions are for ids "
        f"that the truth does not have: {told}. "
        "Look whether the truth file is the one that was predicted."
    }


def test_ten_rows_of_many_are_told_and_sixty_letters_of_an_id():
    lost = [f"{i:02d}" + "y" * 70 for i in range(12)]
    for one in (join(rows("x"), rows(["x", *lost])), join(rows(["x", *lost]), rows("x"))):
        (found,) = one.findings
        assert (found.rows, found.count) == (tuple(range(2, 12)), 12)
        assert found.message.endswith(", ".join(f"'{i:02d}{'y' * 58}'" for i in range(3)) + ", ...")


def test_no_id_in_common_is_told_only_where_there_are_rows_on_both_sides():
    assert said(join(rows(["b", "c"]), rows(["a"])))["no_ids_match"] == (
        "error: no_ids_match: no id of predictions is one of the truth; the truth's first is 'a', "
        "the predictions' first is 'b'. "
        "Name the id columns with id=, or pass match='stem', 'flat' or 'number'."
    )
    (found,) = [f for f in join(rows("bc"), rows("a")).findings if f.code == "no_ids_match"]
    assert (found.rows, found.count) == ((), 1)
    none = pa.table({"id": pa.array([], pa.string()), "lat": pa.array([], pa.float64()),
                     "lon": pa.array([], pa.float64())})  # fmt: skip
    assert list(said(join(none, rows("a")))) == ["missing_predictions"]
    assert list(said(join(rows("b"), none))) == ["extra_predictions"]
    assert said(join(none, none)) == {}
    assert "no_ids_match" not in said(join(rows("ab"), rows("bc")))


# ids that a file repeats


def test_an_answer_that_is_repeated_is_told_once_and_is_no_extra_one():
    twice = rows("abbba", lat=[1.0, 2.0, 2.0, 2.0, 1.0])
    joined = join(twice, rows("ba"))
    assert said(joined) == {
        "duplicate_ids": "warning: duplicate_ids: predictions: 3 rows repeat an id with equal "
        "answers (rows 3, 4, 5). Write each id once."
    }
    assert answers(joined) == [2.0, 1.0]
    assert set(said(join(twice, rows("b")))) == {"duplicate_ids", "extra_predictions"}
    assert join(twice, rows("b")).findings[-1].rows == (1, 5)


def test_the_first_of_those_that_differ_is_named_and_all_are_counted():
    twice = rows("aabbbccd", lat=[1.0, 1.0, 2.0, 3.0, 2.0, 5.0, 6.0, 7.0])
    with pytest.raises(PredictionError) as told:
        join(twice, rows("abc"))
    assert str(told.value) == (
        "duplicate_ids: predictions: 2 rows repeat an id with other answers: 'b' is in rows 3 and 4"
        " (rows 4, 7). Keep one row an id."
    )
    with pytest.raises(PredictionError) as told:
        join(rows("abc"), twice)
    assert str(told.value) == (
        "duplicate_ids: truth: 2 rows repeat an id with other places: 'b' is in rows 3 and 4 "
        "(rows 4, 7). Keep one row an id."
    )
    many = rows("a" * 15, lat=[float(i) for i in range(15)])
    with pytest.raises(PredictionError) as told:
        join(many, rows("a"))
    assert (told.value.finding.rows, told.value.finding.count) == (tuple(range(2, 12)), 14)


@pytest.mark.parametrize("ids", [["a", "a"], [7, 7], ["a", "a", "b"]])
def test_a_place_that_is_repeated_with_another_is_found_beside_answers_that_are(ids):
    """Each row has an answer of its own number: both files repeat the id in the same rows."""
    same, other = [5.0] * len(ids), [5.0, *[6.0] * (len(ids) - 1)]
    with pytest.raises(PredictionError, match="truth: 1 rows repeat an id with other places"):
        join(rows(ids, lat=same), rows(ids, lat=other))
    assert join(rows(ids, lat=same), rows(ids, lat=same)).rows == len(ids)


def test_a_truth_of_which_each_row_has_an_answer_of_its_own_repeats_none(monkeypatch):
    monkeypatch.setattr(sys.modules[join.__module__], "refuse_repeated_truth", None)
    assert answers(join(rows("abc"), rows("bac"))) == [1.125, 1.0, 1.25]
    with pytest.raises(TypeError):
        join(rows("abc"), rows("bax"))


@pytest.mark.parametrize("column", ["lat", "lon", "status"])
def test_answers_are_the_same_in_place_and_status(column):
    cells = {"lat": ["1.0", "1.0"], "lon": ["2.0", "2.0"]}
    if column == "status":
        cells = {"lat": [None, "95"], "lon": [None, "5"]}
    else:
        cells[column][1] = "3.0"
    with pytest.raises(PredictionError, match="1 rows repeat an id with other answers"):
        join({"id": ["a", "a"], **cells}, rows("a"))
    equal = {"id": ["a", "a"], **{name: cells[name][:1] * 2 for name in cells}}
    assert "duplicate_ids" in said(join(equal, rows("a")))


def test_one_file_may_repeat_an_id_with_an_equal_answer_and_place_only():
    both = {"id": ["a", "a"], "lat": [1.0] * 2, "lon": [2.0] * 2, "pred_lat": [3.0] * 2}
    both["pred_lon"] = [4.0] * 2
    assert [one.code for one in join(both).findings] == ["duplicate_ids"] * 2
    for name, what in (
        ("lat", "places"), ("lon", "places"), ("pred_lat", "answers"), ("pred_lon", "answers")
    ):  # fmt: skip
        with pytest.raises(PredictionError, match=f"repeat an id with other {what}"):
            join(both | {name: [7.0, 8.0]})


# other readings of an id


@pytest.mark.parametrize(
    ("mode", "theirs", "ours"),
    [("trim", ["a", "b", "c"], [" a", " b ", "z"]),
     ("stem", ["f/a", "b", "c"], ["a.jpg", "g/b", "z"]),
     ("flat", ["f/a", "b/c", "d"], ["f_a", "b_c", "z"]),
     ("number", ["10", "30", "c"], ["1e1", "3e1", "z"]),
     ("case", ["A", "B", "c"], ["a", "b", "z"])],
)  # fmt: skip
def test_a_reading_under_which_some_ids_match_is_named_and_not_taken(mode, theirs, ours):
    joined = join(rows(ours), rows(theirs))
    assert said(joined)["ids_match_otherwise"] == (
        f"warning: ids_match_otherwise: 0 of 3 truth ids match as text, 2 as '{mode}'. "
        f"Pass match='{mode}' if that is what the ids mean."
    )
    (found,) = [one for one in joined.findings if one.code == "ids_match_otherwise"]
    assert found.count == 2
    assert answers(joined) == [None] * 3
    asked = join(rows(ours), rows(theirs), match=mode)
    assert answers(asked) == [1.0, 1.125, None]
    (found,) = [one for one in asked.findings if one.code == f"ids_matched_by_{mode}"]
    assert (found.count, found.severity) == (2, "warning")


def test_the_reading_that_matches_most_is_named_and_of_equals_the_strictest():
    # one as text; with its blanks cut two; by the stem three; in lower case three as well
    theirs = ["k", "a", "b", "q"]
    ours = ["k", " a", "f/b", "z"]
    told = said(join(rows(ours), rows(theirs)))["ids_match_otherwise"]
    assert "1 of 4 truth ids match as text, 3 as 'stem'" in told
    # the first of the truth is matched by each: its row is number 0
    told = said(join(rows(["F/K", "z"]), rows(["K", "q"])))["ids_match_otherwise"]
    assert "0 of 2 truth ids match as text, 1 as 'stem'" in told


@pytest.mark.parametrize("side", ["truth", "predictions"])
def test_a_reading_is_taken_where_all_ids_of_one_side_match(side):
    more, fewer = rows(["f/a", "f/b", "f/c"]), rows(["a", "b"])
    joined = join(more, fewer) if side == "truth" else join(fewer, more)
    assert "ids_matched_by_stem" in said(joined)
    assert answers(joined)[:2] == [1.0, 1.125]


@pytest.mark.parametrize(("theirs", "ours"), [(["a"], ["f/a", "g/a"]), (["f/a", "g/a"], ["a"])])
def test_a_reading_that_makes_two_ids_one_is_not_taken(theirs, ours):
    joined = join(rows(ours), rows(theirs))
    assert "ids_matched_by_stem" not in said(joined)
    assert answers(joined) == [None] * len(theirs)


def test_all_match_as_text_on_one_side_and_no_other_reading_is_tried(monkeypatch):
    monkeypatch.setattr(scan.Scan, "reread", None)
    assert answers(join(rows(["a", "f/b"]), rows(["a"]))) == [1.0]
    assert answers(join(rows(["a"]), rows(["a", "f/b"]))) == [1.0, None]


@pytest.mark.parametrize(("before", "read"), [(999, True), (1000, False)])
def test_a_thousand_lost_ids_say_whether_a_reading_changes_any(before, read):
    ids = [*(f"q{i}" for i in range(before)), "f/a"]
    told = said(join(rows(["a"]), rows(ids)))
    assert ("ids_matched_by_stem" in told) == read
    told = said(join(rows(ids), rows(["a"])))
    assert ("ids_matched_by_stem" in told) == read


@pytest.mark.parametrize(
    ("theirs", "ours", "read"),
    [
        (["7", "12"], ["007", "012"], True), (["7", "12"], ["07", "012"], False),
        (["7", "0"], ["07", "00"], True), (["0", "12"], ["00", "12"], True),
        (["0", "12"], ["0", "012"], False),
        (["07", "12", "3"], ["7", "12", "3"], False),
    ],
)  # fmt: skip
def test_zeros_go_where_all_ids_of_a_side_are_padded_to_one_length(theirs, ours, read):
    for a, b in ((theirs, ours), (ours, theirs)):
        assert ("ids_matched_by_zeros" in said(join(rows(b), rows(a)))) == read


@pytest.mark.parametrize(("theirs", "ours"), [(["f/07", "f/123"], ["07", "123"])])
def test_other_readings_ask_nothing_of_zeros(theirs, ours):
    for a, b in ((theirs, ours), (ours, theirs)):
        assert "ids_matched_by_stem" in said(join(rows(b), rows(a)))


# ids that are whole numbers


@pytest.mark.parametrize("first", [0, 1])
def test_shards_with_ids_of_several_types_are_joined_as_text(tmp_path, first):
    parts = [pa.table(rows([1, 2])), pa.table(rows(["x3", "007"], lat=[3.0, 4.0]))]
    (tmp_path / "p").mkdir()
    for i, part in enumerate((parts[first], parts[1 - first])):
        pq.write_table(part, tmp_path / "p" / f"a-0000{i}-of-00002.parquet")
    joined = join(tmp_path / "p", rows([1, 2, 7]))
    assert answers(joined) == [1.0, 1.125, None]
    assert answers(join(rows([1, 2, 7]), tmp_path / "p", match="exact")) == (
        [1.0, 1.125, None, None] if first == 0 else [None, None, 1.0, 1.125]
    )


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint32(), pa.uint64()])
@pytest.mark.parametrize("match", ["auto", "exact", "stem", "number"])
def test_whole_numbers_of_any_width_are_the_ids_that_they_are_as_text(kind, match):
    ids = pa.array([3, 100, 7], kind)
    table = pa.table({"id": ids, "lat": [1.0, 2.0, 3.0], "lon": [0.0] * 3})
    assert answers(join(table, rows([7, 5, 3]), match=match)) == [3.0, None, 1.0]
    assert answers(join(table, rows(["7", "5", "3"]), match=match)) == [3.0, None, 1.0]
    nested = {"photo": [{"id": 3}, {"id": 7}], "lat": [1.0, 3.0], "lon": [0.0] * 2}
    assert answers(join(nested, table, match=match)) == [1.0, None, 3.0]
