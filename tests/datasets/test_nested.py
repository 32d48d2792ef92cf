"""Columns of lists: a recipe that has to compare their values says so, and writes nothing."""

import pyarrow as pa
import pytest

from geodata import datasets, tables

LISTS = pa.array([["x"], None, ["x"]])


@pytest.fixture
def lake(tmp_path):
    rows = pa.table({"photo_id": ["a", "b", "c"], "lat": [1.0, 2, 3], "lon": [1.0, 2, 3],
                     "tags": LISTS, "word": ["x", "y", "z"]})  # fmt: skip
    tables.write(tmp_path / "rows", rows)
    tables.write(tmp_path / "ids", rows.set_column(0, "photo_id", LISTS))
    tables.write(tmp_path / "of", rows.append_column("author", LISTS))
    tables.write(tmp_path / "other", pa.table({"word": ["x"], "tags": [["x"]], "m": [1]}))
    return tmp_path


@pytest.mark.parametrize(
    ("recipe", "inputs", "asked", "told"),
    [
        ("join", {"other": "other"}, {"on": "tags", "columns": "m"}, "rows@0: the column 'tags'"),
        ("annotate", {"annotations": "other"}, {"on": "tags", "values": "m"}, "rows@0: the col"),
        ("annotate", {"annotations": "other"}, {"on": "word", "by": "tags", "values": "m"},
         "other@0: the column 'tags'"),
        ("dedupe", {}, {"by": "word,tags"}, "rows@0: the column 'tags'"),
        ("rand", {}, {"n": 2, "stratify": "tags"}, "rows@0: the column 'tags'"),
        ("split", {"rows": "of"}, {"test": 0.3}, "of@0: the column 'author'"),
        ("popular", {"rows": "ids", "predictions": "rows"}, {}, "ids@0: the column 'photo_id'"),
        ("exclude-benchmark", {"rows": "ids", "benchmark": "rows"}, {}, "ids@0: the column 'phot"),
        ("exclude-benchmark", {"benchmark": "of"}, {"by": "author"}, "of@0: the column 'author'"),
    ],
)  # fmt: skip
def test_lists_are_not_compared(lake, recipe, inputs, asked, told):
    with pytest.raises(datasets.DatasetError, match=told) as caught:
        datasets.build(recipe, lake, "made", {"rows": "rows", **inputs}, **asked)
    assert str(caught.value).endswith(
        "holds list<string>, whose values cannot be told apart here; choose a column of texts or "
        "numbers"
    )
    assert "made" not in tables.names(lake)


def test_a_list_on_the_other_side_is_told_too(lake):
    other = pa.table({"word": LISTS, "m": [1, 2, 3]})
    tables.write(lake / "other", other)
    with pytest.raises(datasets.DatasetError, match="other@1: the column 'word' holds list<string"):
        datasets.build("join", lake, "made", {"rows": "rows", "other": "other"}, on="word")


def test_lists_that_nobody_compares_stay(lake):
    built = datasets.build("dedupe", lake, "made", {"rows": "rows"}, by="word")
    assert built.rows == 3
    assert tables.open(lake / "made").arrow()["tags"].to_pylist() == [["x"], None, ["x"]]
