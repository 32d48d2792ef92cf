"""The light part of a table, column by column, and every word about rows that are refused."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl.config import DataConfig, load
from georl.data import DataError, rows, sources


def light(tmp_path, columns, image=None, *, coordinates="needed", **config):
    """Return the light columns of a Parquet file, and which rows have no coordinates."""
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, tmp_path / "t.parquet")
    data = DataConfig(table=str(tmp_path / "t.parquet"), **config)
    found, bad = rows.light_columns(sources.open_source(data), data, image, coordinates=coordinates)
    return found, bad.tolist()


def refused(*given, **more):
    with pytest.raises(DataError) as caught:
        light(*given, **more)
    return str(caught.value)


def test_labels_are_text_and_what_rewards_read_is_as_it_was(tmp_path):
    given = {
        "other": [b"x", b"y"],
        "IMG_ID": [7, 8],
        "Latitude": ["48.5", "91"],
        "longitude": [2, 3],
        "country": pa.array(["France", None]).dictionary_encode(),
        "admin1_code": [11, None],
        "Entities": ["a", "b"],  # another name
        "entities": [["tram", "sea"], None],
        "photo": pa.array(["a.jpg", None], pa.large_string()),
    }
    found, bad = light(tmp_path, given, "photo")
    assert found.schema.names == [
        "id", "lat", "lon", "country", "admin1_code", "entities", "image"
    ]  # fmt: skip
    assert [str(field.type) for field in found.schema] == [
        "string", "double", "double", "string", "string", "list<element: string>", "string"
    ]  # fmt: skip
    assert bad == [False, True]
    first = found.to_pylist()[0]
    assert first == {
        "id": "7", "lat": 48.5, "lon": 2.0, "country": "France", "admin1_code": "11",
        "entities": ["tram", "sea"], "image": "a.jpg",
    }  # fmt: skip
    assert found["entities"].to_pylist()[1] is None
    assert found["image"].to_pylist() == ["a.jpg", None]


def test_every_row_without_a_place_on_earth_is_marked(tmp_path):
    lat = [90.0, -90.0, 90.1, None, 1.0, float("nan"), 1.0]
    lon = [180.0, -180.0, 0.0, 0.0, None, 0.0, 361.0]
    _, bad = light(tmp_path, {"lat": lat, "lon": lon})
    assert bad[:6] == [False, False, True, True, True, True]
    assert len(bad) == 7


def test_coordinates_are_read_as_they_are_needed(tmp_path):
    located = {"id": ["a"], "lat": [95.0], "lon": [2.0]}
    found, bad = light(tmp_path, located, coordinates="unused")
    assert (found.column_names, bad) == (["id"], [False])
    found, bad = light(tmp_path, located, coordinates="optional")
    assert (found.column_names, bad) == (["id", "lat", "lon"], [True])
    found, bad = light(tmp_path, {"id": ["a"]}, coordinates="optional")
    assert (found.column_names, bad) == (["id"], [False])
    for name in ("lat", "lon"):  # a column that was named must be there
        told = refused(tmp_path, {"id": ["a"]}, coordinates="optional", **{name: "y"})
        assert told.startswith(f"{tmp_path / 't.parquet'}, with columns id: ")
        assert "'y'" in told
        assert told.endswith("; data.lat and data.lon name them")
    assert "found no latitude column" in refused(tmp_path, {"id": ["a"], "lon": [1.0]})
    found, _ = light(tmp_path, {"y": [1.0], "x": [2.0], "lat": [3.0]}, lat="y", lon="x")
    assert found.select(["lat", "lon"]).to_pylist() == [{"lat": 1.0, "lon": 2.0}]


def test_ids_name_the_rows_or_are_their_numbers(tmp_path):
    located = {"lat": [1.0] * 3, "lon": [2.0] * 3}
    assert light(tmp_path, located)[0]["id"].to_pylist() == ["0", "1", "2"]
    named = {**located, "name": ["x", "y", "z"], "id": ["1", "2", "3"]}
    assert light(tmp_path, named)[0]["id"].to_pylist() == ["1", "2", "3"]
    assert light(tmp_path, named, id="name")[0]["id"].to_pylist() == ["x", "y", "z"]
    for ids in (["a", "a", "b"], ["a", None, "b"], ["a", None, None]):
        assert refused(tmp_path, {**located, "photo_id": ids}) == (
            "column 'photo_id' does not name the rows: ids repeat or are missing"
        )
    # all columns are told, also those that nothing reads: the id may be among them
    assert refused(tmp_path, {**located, "name": ["x", "y", "z"]}, id="nmae") == (
        f"{tmp_path / 't.parquet'} has no column 'nmae' for the id; set data.id to one of lat, "
        "lon, name"
    )


def test_rows_are_counted_where_no_column_is_of_use(tmp_path):
    found, bad = light(tmp_path, {"other": [1, 2, 3], "more": [4, 5, 6]}, coordinates="unused")
    assert found.to_pydict() == {"id": ["0", "1", "2"]}
    assert bad == [False] * 3
    found, _ = light(tmp_path, {"other": [1, 2, 3]}, coordinates="unused", limit=2)
    assert found.to_pydict() == {"id": ["0", "1"]}


def test_a_table_of_no_rows_has_its_columns(tmp_path):
    empty = {name: pa.array([], pa.float64()) for name in ("lat", "lon", "other")}
    found, bad = light(tmp_path, empty)
    assert (found.schema.names, found.num_rows, bad) == (["id", "lat", "lon"], 0, [])


def test_columns_that_records_of_others_leave_empty_are_not_there(tmp_path):
    """Of two records one names its country, and none a city or a place."""
    turns = [{"from": "human", "value": "<image>?"}, {"from": "gpt", "value": "x"}]
    made = [{"id": name, "image": "a.jpg", "conversations": turns} for name in "ab"]
    made[1]["country"] = "Gabon"
    path = tmp_path / "r.json"
    path.write_text(json.dumps(made))
    data = DataConfig(table=str(path))
    found, _ = rows.light_columns(sources.open_source(data), data, coordinates="optional")
    assert found.to_pydict() == {"id": ["a", "b"], "country": [None, "Gabon"]}


# ---- the rows that cannot be used


def run_of(tmp_path, *more):
    return load(None, [f"output={tmp_path / 'run'}", f"predict.output={tmp_path / 'p.csv'}", *more])


def three(tmp_path, *more):
    """Of five rows one has no place, two no image, one of these no place either, one a bad one."""
    table = pa.table({"id": list("abcde")})
    bad = np.array([True, True, False, False, False])
    problems = [None, "missing", "missing", "is empty", None]
    references = ["a.jpg", None, "c.jpg", "d.jpg", "e.jpg"]
    return rows.usable(table, bad, problems, references, run_of(tmp_path, *more))


TOLD = (
    "2 of 5 rows have no valid coordinates: row 0 (id 'a'), row 1 (id 'b'); correct them (geodata "
    "label says what is wrong with each), or set data.skip_missing=true to go on without them",
    "2 of 5 images are missing (row 'b', c.jpg); fetch them, set data.image_root, or set "
    "data.skip_missing=true to go on without these rows",
    "1 of 5 images cannot be used: d.jpg is empty; repair them, or set data.skip_missing=true to "
    "go on without these rows",
)


def test_rows_that_cannot_be_used_are_refused_in_these_words(tmp_path, capsys):
    with pytest.raises(DataError) as caught:
        three(tmp_path)
    assert str(caught.value) == "\n".join(TOLD)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "run").exists()  # four are told in full


def test_a_run_goes_on_without_them_in_these_words(tmp_path, capsys):
    assert three(tmp_path, "data.skip_missing=true")["id"].to_pylist() == ["e"]
    told = capsys.readouterr().out.split()
    assert told == " ".join(("going on without 4 of 5 photos:", *TOLD)).split()


def test_a_prediction_is_refused_for_what_it_cannot_ask_about_alone(tmp_path):
    with pytest.raises(DataError) as caught:
        three(tmp_path, "task=predict")
    assert str(caught.value) == "\n".join(TOLD[:2])


def test_the_file_says_of_each_row_what_is_wrong_with_it(tmp_path):
    """First what is wrong with the place; every row once, in the order of the table."""
    table = pa.table({"id": [f"é{i}" for i in range(7)]})
    bad = np.arange(7) % 2 == 0
    problems = ["is empty", "missing", None, "is empty", None, "missing", "missing"]
    references = [None, "1.jpg", None, "3.jpg", None, "5.jpg", "6.jpg"]
    with pytest.raises(DataError) as caught:
        rows.usable(table, bad, problems, references, run_of(tmp_path))
    target = tmp_path / "run" / "unusable_photos.jsonl"
    deep = run_of(tmp_path, f"output={tmp_path / 'not' / 'yet' / 'there'}")
    with pytest.raises(DataError, match="not/yet/there"):
        rows.usable(table, bad, problems, references, deep)
    assert str(caught.value).splitlines()[-1] == f"all are listed in {target}"
    text = target.read_text("utf-8")
    assert "é3" in text
    assert [tuple(json.loads(line).values()) for line in text.splitlines()] == [
        ("é0", None, "no valid coordinates"),
        ("é1", "1.jpg", "missing"),
        ("é2", None, "no valid coordinates"),
        ("é3", "3.jpg", "is empty"),
        ("é4", None, "no valid coordinates"),
        ("é5", "5.jpg", "missing"),
        ("é6", "6.jpg", "no valid coordinates"),
    ]
    asked = run_of(tmp_path, "task=predict")
    with pytest.raises(DataError, match="all are listed in"):
        rows.usable(table, bad | True, problems, references, asked)
    assert len((tmp_path / "unusable_photos.jsonl").read_text("utf-8").splitlines()) == 7
