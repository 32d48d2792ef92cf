"""Joined rows in batches, whatever is asked of them; ids and words of a few rows."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata.evaluation.joining import join, read_predictions
from geodata.evaluation.joining.sides import joined as module
from geodata.evaluation.joining.sides.joined import ids_of, words_of
from geodata.files import open_source, source

TRUTH = {
    "id": list("abcde"), "lat": [1.0, 2.0, 3.0, 4.0, 5.0], "lon": [6.0, 7.0, 8.0, 9.0, 10.0],
    "who": ["v", "w", "x", "y", "z"], "city": list("PQRST"),
}  # fmt: skip
PREDS = {
    "id": list("edcx"), "lat": [50.0, None, 30.0, 0.0], "lon": [51.0, None, 31.0, 0.0],
    "country": ["E", "D", None, "X"],
}  # fmt: skip
WHOLE = {
    "id": list("abcde"), "lat": TRUTH["lat"], "lon": TRUTH["lon"],
    "pred_lat": [None, None, 30.0, None, 50.0], "pred_lon": [None, None, 31.0, None, 51.0],
    "status": ["missing", "missing", "ok", "missing", "ok"],
    "pred_country": [None, None, None, "D", "E"], "who": list("vwxyz"), "city": list("PQRST"),
}  # fmt: skip


@pytest.fixture(params=[1, 2, 3, 100])
def small(request, monkeypatch):
    """Batches of a few rows, as files of millions have them."""
    monkeypatch.setattr(source, "BATCH_ROWS", request.param)
    monkeypatch.setattr(module, "BATCH_ROWS", request.param)
    return request.param


def test_every_choice_of_columns_is_a_part_of_the_whole(small):
    found = join(PREDS, TRUTH)
    assert found.columns == tuple(WHOLE)
    assert found.table().to_pydict() == WHOLE
    for few in itertools.combinations(WHOLE, 2):
        assert found.table(few).to_pydict() == {name: WHOLE[name] for name in few}
    for one in WHOLE:
        sizes = [batch.num_rows for batch in found.batches([one])]
        assert (sum(sizes), max(sizes)) == (5, min(5, small))
    assert found.table(["who", "id"]).column_names == ["who", "id"]


def test_rows_behind_the_last_photo_are_in_no_batch(small):
    footers = [["mean", "total"], [0.0, None], [0.0, None], ["?", "!"], [None, None]]
    truth = {n: [*v, *more] for (n, v), more in zip(TRUTH.items(), footers, strict=True)}
    found = join(PREDS, truth)
    assert found.rows == 5
    for columns in (None, ["pred_lat"], ["id"], ["who"], ["lat", "status"]):
        told = found.table(columns).to_pydict()
        assert told == {name: WHOLE[name] for name in columns or WHOLE}
    assert len(found.lat) == len(found.lon) == len(found.matched) == 5


def test_no_rows_have_the_columns_all_the_same():
    none = pa.table({"id": pa.array([], pa.string()), "lat": pa.array([], pa.float64()),
                     "lon": pa.array([], pa.float64())})  # fmt: skip
    found = join(PREDS, none)
    assert (found.rows, list(found.batches()), found.unanswered()) == (0, [], (0, 0, 0))
    assert found.table().column_names == [
        "id", "lat", "lon", "pred_lat", "pred_lon", "status", "pred_country"
    ]  # fmt: skip
    assert found.table(["status"]).column_names == ["status"]


def test_rows_without_an_answer_by_what_they_have(small):
    status = ["ok", "missing", "unparsable", "invalid", "ambiguous", "refused", "refused"]
    words = ["(1, 2)", "", "a street", "(95, 2)", "(1, 2) or maybe (50, 60)", "I cannot help.",
             "I'm sorry, I can't tell."]  # fmt: skip
    ids = [str(i) for i in range(9)]
    truth = {"id": ids, "lat": [0.0] * 9, "lon": [0.0] * 9}
    found = join({"id": ids[:7][::-1], "text": words[::-1]}, truth)
    assert found.table(["status"])["status"].to_pylist() == [*status, "missing", "missing"]
    assert found.unanswered() == (2, 2, 3)
    assert found.unanswered()._asdict() == {"refused": 2, "unreadable": 2, "missing": 3}


def test_one_file_in_which_row_by_row_is_joined(small):
    both = {"lat": [1.0, 2.0, 3.0], "lon": [4.0, 5.0, 6.0], "pred_lat": [7.0, None, 9.0],
            "pred_lon": [7.5, None, 9.5], "pred_city": ["K", None, "L"]}  # fmt: skip
    found = join(both)
    assert (found.matched, found.has_truth) == (None, True)
    assert found.table().to_pydict() == {
        "id": ["1", "2", "3"], "lat": [1.0, 2.0, 3.0], "lon": [4.0, 5.0, 6.0],
        "pred_lat": [7.0, None, 9.0], "pred_lon": [7.5, None, 9.5],
        "status": ["ok", "missing", "ok"], "pred_city": ["K", None, "L"],
    }  # fmt: skip
    assert found.table(["id"])["id"].to_pylist() == ["1", "2", "3"]
    assert found.unanswered() == (0, 0, 1)
    assert found.ids_at(np.array([0, 2])) == ["1", "3"]


def test_columns_of_shards_are_brought_to_one_type(tmp_path):
    for i, part in enumerate(({"n": [1, 2]}, {"n": [1.5, None]})):
        ids = [f"{i}{k}" for k in range(2)]
        table = pa.table({"id": ids, "lat": [0.0] * 2, "lon": [0.0] * 2, **part})
        pq.write_table(table, tmp_path / f"t-0000{i}-of-00002.parquet")
    found = join(PREDS, tmp_path).table(["id", "n"])
    assert found.to_pydict() == {"id": ["00", "01", "10", "11"], "n": [1.0, 2.0, 1.5, None]}


def test_distances_are_joined_as_places_are(small):
    errors = {"id": list("cax"), "distance_km": [3.5, None, 9.0]}
    found = join(errors, TRUTH)
    assert found.columns[-3:] == ("pred_distance_km", "who", "city")
    assert found.table(["pred_distance_km"])["pred_distance_km"].to_pylist() == [
        None, None, 3.5, None, None
    ]  # fmt: skip
    alone = join({"distance_km": [3.5, None, -1.0]})
    assert (alone.has_truth, alone.rows) == (False, 3)
    assert alone.table(["id", "pred_distance_km", "status"]).to_pylist() == [
        {"id": "1", "pred_distance_km": 3.5, "status": "ok"},
        {"id": "2", "pred_distance_km": None, "status": "missing"},
        {"id": "3", "pred_distance_km": None, "status": "invalid"},
    ]
    assert np.isnan(alone.lat).all()
    assert np.isnan(alone.lon).all()
    assert join(PREDS, TRUTH).table(["id"]).num_rows == 5


def test_columns_of_the_truth_that_are_called_as_ours_are_renamed():
    taken = ("pred_lat", "pred_lon", "status", "pred_distance_km", "pred_country", "pred_admin1",
             "pred_city")  # fmt: skip
    truth = {name: values[:1] for name, values in TRUTH.items()} | {name: ["t"] for name in taken}
    found = join({"id": ["a"], "pred_lat": [1.0], "pred_lon": [1.0], "pred_city": ["K"]}, truth)
    assert found.columns[-len(taken) :] == tuple(f"truth_{name}" for name in taken)
    row = found.table().to_pylist()[0]
    assert [row[f"truth_{name}"] for name in taken] == ["t"] * 7
    assert (row["city"], row["pred_city"], row["pred_lat"]) == ("P", "K", 1.0)


# a few rows


@pytest.mark.parametrize("rows", [[], [0], [4], [0, 1, 4], [2, 3], [0, 1, 2, 3, 4], [1, 1, 3]])
def test_ids_of_a_few_rows(small, rows):
    ids = ["a", None, "", "7", "e"]
    opened = open_source({"key": ids, "n": range(5)})
    assert ids_of(opened, "key", rows) == [ids[row] or None for row in rows]
    assert ids_of(opened, "n", rows) == [str(row) for row in rows]
    assert join(PREDS, TRUTH).ids_at(np.array(rows, int)) == ["abcde"[row] for row in rows]


def test_no_more_is_read_than_the_last_row_asked_for(monkeypatch):
    monkeypatch.setattr(source, "BATCH_ROWS", 2)
    opened = open_source({"key": list("abcdef")})
    read = []
    stream = opened.stream

    def counted(*given):
        for table in stream(*given):
            read.append(table.num_rows)
            yield table

    object.__setattr__(opened, "stream", counted)
    assert ids_of(opened, "key", [0, 3]) == ["a", "d"]
    assert read == [2, 2]
    assert ids_of(opened, "key", []) == []
    assert read == [2, 2]


@pytest.mark.parametrize(
    ("asked", "read"),
    [(["id"], ["id"]), (["who"], ["who"]), (["who", "id", "lat"], ["id", "who"]), (["lat"], None)],
)
def test_only_the_columns_that_are_asked_for_are_read(asked, read):
    joined = join(PREDS, TRUTH)
    seen = []
    stream = joined.truth.source.stream
    object.__setattr__(
        joined.truth.source, "stream", lambda names, n: seen.append(names) or stream(names, n)
    )
    assert joined.table(asked).num_rows == 5
    assert seen == ([] if read is None else [read])
    del seen[:]
    join(PREDS, joined.truth)
    assert seen[0] == ["id", "lat", "lon"]


@pytest.mark.parametrize("rows", [[], [0], [4, 0], [3, 1, 2], [4, 4, 3], [0, 1, 2, 3, 4]])
def test_words_of_a_few_rows_in_any_order(small, rows):
    words = ["(1, 2)", None, "  ", "here", "(3, 4)"]
    table = {"id": list("abcde"), "text": words}
    kept = ["(1, 2)", None, None, "here", "(3, 4)"]
    at = np.array(rows, int)
    assert words_of(read_predictions(table), at) == [kept[row] for row in rows]
    beside = table | {"lat": [1.0] * 5, "lon": [2.0] * 5}
    assert words_of(read_predictions(beside), at) == [kept[row] for row in rows]
    del beside["text"]
    assert words_of(read_predictions(beside), at) == [None] * len(rows)
    numbers = table | {"text": [1, 2, 3, 4, 5]}
    assert words_of(read_predictions(numbers, text="text"), at) == [None] * len(rows)


def test_answers_where_there_are_none():
    none = np.empty(0, np.uint8)
    assert module._gather(none, np.array([-1, -1]), 1).tolist() == [1, 1]
    values = np.array([5, 6, 7])
    assert module._gather(values, np.array([2, 0]), 1).tolist() == [7, 5]
    assert module._gather(values, np.array([2, -1, 0]), 1).tolist() == [7, 1, 5]
