"""join, annotate, union, dedupe: which row meets which, by hand and in plain Python."""

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import datasets, hashing, tables


@pytest.fixture
def lake(tmp_path):
    rows = pa.table({"photo_id": ["a", None, "b", "c"], "lat": [1.0] * 4, "lon": [2.0] * 4})
    tables.write(tmp_path / "labelled", rows, file_rows=3)
    return tmp_path


def made(lake, recipe, other, **asked):
    tables.write(lake / "other", other)
    role = "annotations" if recipe == "annotate" else "other"
    built = datasets.build(recipe, lake, inputs={role: "other"}, **asked)
    return built.report, tables.open(lake / recipe).arrow()


def test_a_join_by_hand(lake):
    other = pa.table({"photo_id": ["c", None, "x", "a"], "n": [1, 2, None, 4], "w": list("pqrs")})
    report, left = made(lake, "join", other)
    assert left["n"].to_pylist() == [4, None, None, 1]  # an id that is NULL has no partner
    assert left["w"].to_pylist() == ["s", None, None, "p"]
    assert report == {
        "rows_in": 4, "with_a_partner": 2, "without_a_partner": 2,
        "rows_of_the_other_side_unused": 2, "rows": 4,
    }  # fmt: skip
    report, inner = made(lake, "join", other, how="inner", columns=" n ", prefix="their_")
    assert inner.column_names == ["photo_id", "lat", "lon", "their_n"]
    assert (inner["photo_id"].to_pylist(), inner["their_n"].to_pylist()) == (["a", "c"], [4, 1])
    assert (report["rows_in"], report["rows"]) == (4, 2)


def test_a_join_on_another_column_compares_as_text(lake):
    rows = pa.table({"photo_id": ["a", "b"], "number": [7, 8], "lat": [1.0] * 2, "lon": [2.0] * 2})
    tables.write(lake / "labelled", rows)
    other = pa.table({"number": ["8", "9"], "word": ["eight", "nine"], "more": [1, 2]})
    _, got = made(lake, "join", other, on="number", columns=["word"])
    assert got.column_names == ["photo_id", "number", "lat", "lon", "word"]
    assert got["word"].to_pylist() == [None, "eight"]


@pytest.mark.parametrize(
    ("other", "asked", "message"),
    [
        ({"photo_id": ["a", "a", "b", "b", "c"], "n": [1] * 5}, {},
         r"other@0: 2 values of 'photo_id' occur several times, such as '[ab]' 2 times"),
        ({"photo_id": ["a"]}, {}, "other@0 has no column but 'photo_id', so there is nothing"),
        ({"photo_id": ["a"], "n": [1]}, {"columns": "m"}, "other@0 has no column 'm'"),
        ({"photo_id": ["a"], "n": [1]}, {"columns": ["n", "n"]}, "'n' and 'n' are one name"),
        ({"photo_id": ["a"], "n": [1], "m": [2]}, {"columns": "n,N"}, "no column 'N'"),
        ({"id": ["a"], "n": [1]}, {}, "other@0 has no column 'photo_id'"),
        ({"photo_id": ["a"], "Lat": [1]}, {}, "labelled@0 has a column 'lat' already"),
        ({"photo_id": ["a"], "n": [1]}, {"on": "n"}, "labelled@0 has no column 'n'"),
        ({"photo_id": ["a"], "n": [1]}, {"how": "right"}, "expected left or inner"),
    ],
)  # fmt: skip
def test_joins_that_cannot_be(lake, other, asked, message):
    with pytest.raises((datasets.DatasetError, tables.TableError), match=message):
        made(lake, "join", pa.table(other), **asked)
    assert "join" not in tables.names(lake)


def test_ids_that_are_null_do_not_repeat(lake):
    report, _ = made(lake, "join", pa.table({"photo_id": [None, None, "a"], "n": [1, 2, 3]}))
    assert report["with_a_partner"] == 1
    assert report["rows_of_the_other_side_unused"] == 2


def test_a_partner_may_be_that_of_several_rows(lake):
    """Rows are counted as rows, and what is unused on the other side as what nobody took."""
    rows = pa.table({"photo_id": ["a", "a", "b", "a"], "lat": [1.0] * 4, "lon": [2.0] * 4})
    tables.write(lake / "labelled", rows)
    for how in ("left", "inner"):
        other = pa.table({"photo_id": ["x", "a", "y"], "n": [1, 2, 3]})
        report, got = made(lake, "join", other, how=how)
        assert report == {
            "rows_in": 4, "with_a_partner": 3, "without_a_partner": 1,
            "rows_of_the_other_side_unused": 2, "rows": 4 if how == "left" else 3,
        }  # fmt: skip
        assert got["n"].to_pylist() == ([2, 2, None, 2] if how == "left" else [2, 2, 2])


# annotate


def test_answers_to_a_photo_that_occurs_twice_are_given_to_both(lake):
    rows = pa.table({"photo_id": ["a", "b", "a"], "lat": [1.0] * 3, "lon": [2.0] * 3})
    tables.write(lake / "labelled", rows)
    answers = pa.table({"photo_id": ["a", "x", "a"], "n": [1, 2, 3]})
    report, got = made(lake, "annotate", answers)
    assert [[one["n"] for one in row] for row in got["answers"].to_pylist()] == [[1, 3], [], [1, 3]]
    assert (report["answers"], report["answers_given"], report["answers_of_no_row"]) == (3, 4, 1)


def test_annotations_by_hand(lake):
    answers = pa.table({
        "photo_id": ["c", "a", "c", "x", None, "a"], "who": ["z", "q", None, "z", "q", "p"],
        "says": [1, 2, 3, 4, 5, 6], "other": list("uvwxyz"),
    })  # fmt: skip
    report, got = made(lake, "annotate", answers, by="who", values="says", column="said")
    assert got["said"].to_pylist() == [
        [{"by": "p", "says": 6}, {"by": "q", "says": 2}], [], [],
        [{"by": "z", "says": 1}, {"by": None, "says": 3}],
    ]  # fmt: skip
    assert report == {
        "rows_in": 4, "answers": 6, "answers_given": 4, "answers_of_no_row": 2,
        "by": {"None": 1, "p": 1, "q": 2, "z": 2}, "rows_without_an_answer": 2, "rows": 4,
    }  # fmt: skip
    _, got = made(lake, "annotate", answers, values=["says", "who"])
    assert got["answers"].to_pylist()[0] == [
        {"by": "other", "says": 2, "who": "q"}, {"by": "other", "says": 6, "who": "p"},
    ]  # fmt: skip
    report, got = made(lake, "annotate", answers.slice(1, 2), by="who")
    assert report["rows_without_an_answer"] == 2
    assert report["answers_given"] == 2
    report, got = made(lake, "annotate", answers.slice(1, 1), by="who")
    assert report["rows_without_an_answer"] == 3
    _, got = made(lake, "annotate", answers, by="who", values=["who", "says"])
    assert got["answers"].to_pylist()[0][0] == {"by": "p", "who": "p", "says": 6}


def test_answers_to_no_photo_at_all(lake):
    none = pa.table({"photo_id": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
    report, got = made(lake, "annotate", none)
    assert got["answers"].to_pylist() == [[], [], [], []]
    assert (report["answers"], report["answers_of_no_row"], report["by"]) == (0, 0, {})


def test_a_hundred_givers_are_counted(lake):
    count = 103
    answers = pa.table({"photo_id": ["a"] * count, "n": range(count),
                        "who": [f"m{i:03}" for i in range(count)]})  # fmt: skip
    report, _ = made(lake, "annotate", answers, by="who")
    assert report["by"] == {f"m{i:03}": 1 for i in range(100)}


@pytest.mark.parametrize(
    ("other", "asked", "message"),
    [
        ({"photo_id": ["a"], "n": [1]}, {"column": "LAT"}, "has a column 'lat' already"),
        ({"photo_id": ["a"], "n": [1]}, {"by": "who"}, "other@0 has no column 'who'"),
        ({"photo_id": ["a"], "n": [1]}, {"values": "n,m"}, "other@0 has no column 'm'"),
        ({"photo_id": ["a"], "by": ["x"], "n": [1]}, {}, "would hold 'by' twice"),
        ({"photo_id": ["a"], "by": ["x"], "n": [1]}, {"by": "n", "values": "by"},
         r"would hold 'by' twice, .* choose values= \(--values\), or say with by= \(--by\)"),
        ({"photo_id": ["a"], "n": [1]}, {"values": "n, n"}, "would hold 'n' twice"),
        ({"photo_id": ["a"], "BY": ["x"], "n": [1]}, {}, "would hold 'BY' twice"),
    ],
)  # fmt: skip
def test_annotations_that_cannot_be(lake, other, asked, message):
    with pytest.raises(datasets.DatasetError, match=message):
        made(lake, "annotate", pa.table(other), **asked)


def test_a_column_that_is_called_by_may_say_who(lake):
    answers = pa.table({"photo_id": ["a"], "by": ["x"], "n": [1]})
    _, got = made(lake, "annotate", answers, by="by")
    assert got["answers"].to_pylist()[0] == [{"by": "x", "n": 1}]
    _, got = made(lake, "annotate", answers, values="n")
    assert got["answers"].to_pylist()[0] == [{"by": "other", "n": 1}]


# union


def test_a_union_by_hand(lake):
    other = pa.table({"photo_id": ["z"], "lat": [9.0], "lon": [9.0], "new": [1]})
    report, got = made(lake, "union", other)
    assert got.column_names == ["photo_id", "lat", "lon", "new"]
    assert got["photo_id"].to_pylist() == ["a", None, "b", "c", "z"]
    assert got["new"].to_pylist() == [None] * 4 + [1]
    assert report == {"rows_in": {"labelled@0": 4, "other@0": 1}, "rows": 5}
    with pytest.raises(datasets.DatasetError, match="origin='LON' is a column of the rows already"):
        made(lake, "union", other, origin="LON")
    with pytest.raises(datasets.DatasetError, match="labelled@0 and other@2 do not fit: "):
        made(lake, "union", pa.table({"lat": ["north"]}))


def test_a_table_may_be_put_beside_itself(lake):
    """Both sides have one name then; every row is written and counted twice."""
    inputs = {"rows": "labelled", "other": "labelled"}
    built = datasets.build("union", lake, inputs=inputs, origin="from")
    assert (built.rows, built.report["rows"]) == (8, 8)
    got = tables.open(lake / "union").arrow()
    assert got["photo_id"].to_pylist() == ["a", None, "b", "c"] * 2
    assert got["from"].to_pylist() == ["labelled"] * 8
    assert datasets.rebuild(lake, "union").rows == 8


# dedupe


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([None, 1.0, 91.0]),
              st.integers(0, 2)), min_size=1, max_size=9,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ROWS, st.sampled_from(["photo_id", "photo_id, n", ["n"]]))
def test_of_rows_that_repeat_the_best_stays(tmp_path_factory, rows, by):
    lake = tmp_path_factory.mktemp("lake")
    table = pa.table({
        "photo_id": pa.array([r[0] for r in rows], pa.string()),
        "lat": pa.array([r[1] for r in rows], pa.float64()), "lon": [2.0] * len(rows),
        "n": [r[2] for r in rows], "place": range(len(rows)),
    })  # fmt: skip
    tables.write(lake / "photos", table, file_rows=4)
    built = datasets.build("dedupe", lake, by=by, seed=6)
    content = hashing.sampling_keys(table, 6, table.column_names).tolist()
    names = [n.strip() for n in by.split(",")] if isinstance(by, str) else by
    best, alone = {}, []
    for i, row in enumerate(table.to_pylist()):
        key = tuple(row[n] for n in names)
        if None in key:
            alone.append(i)
            continue
        best[key] = min(best.get(key, (2, 0, 0)), (row["lat"] != 1.0, content[i], i))
    kept = sorted(alone + [i for *_, i in best.values()])
    assert tables.open(lake / "dedupe").arrow()["place"].to_pylist() == kept
    assert built.report == {
        "rows_in": len(rows), "by": names, "rows_that_repeat_another": len(rows) - len(kept),
        "rows_with_null_there": len(alone), "rows": len(kept),
    }  # fmt: skip


@pytest.mark.parametrize("by", ["", "photo_id,", [], ["photo_id", ""]])
def test_columns_that_are_none(lake, by):
    with pytest.raises(datasets.DatasetError, match="names no column; give photo_id, or author"):
        datasets.build("dedupe", lake, source="labelled", by=by)


def test_photos_repeat_by_their_id(lake):
    assert datasets.RECIPES["dedupe"].parameters() == {"by": ("photo_id",)}
