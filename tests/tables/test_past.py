"""The history of a table in a notebook (geodata.tables)."""

import re
from html.parser import HTMLParser

import pyarrow as pa

from geodata import datasets, tables


class _Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.rows[-1][-1] += data


def cells(history):
    parser = _Cells()
    parser.feed(history._repr_html_())
    assert parser.open == []
    return parser.rows


def test_a_history_is_a_list_and_a_table(tmp_path):
    photos = tmp_path / "photos"
    rows = pa.table({"photo_id": ["a", "b"], "lat": [48.9, 35.0], "lon": [2.3, 135.8]})
    tables.append(photos, rows, note={"source": {"name": "<b>.csv"}})
    tables.append(photos, rows.slice(0, 1))
    tables.tag(photos, "v1", 0)
    tables.compact(photos)
    history = tables.history(photos)
    assert isinstance(history, list)
    assert [commit.version for commit in history] == [2, 1, 0]
    head, *body = cells(history)
    assert head == ["version", "when, UTC", "what", "rows added", "made from", "seed", "tags"]
    assert [row[0] for row in body] == ["2", "1", "0"]
    assert [row[2:4] for row in body] == [["compact", "0"], ["append", "1"], ["append", "2"]]
    assert body[2][4:] == ["<b>.csv", "", "v1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", body[0][1])


def test_a_built_table_names_its_recipe_inputs_and_seed(tmp_path):
    rows = pa.table({"photo_id": ["a", "b"], "lat": [48.9, 35.0], "lon": [2.3, 135.8]})
    tables.append(tmp_path / "photos", rows)
    datasets.build("labelled", tmp_path, seed=7)
    assert cells(tables.history(tmp_path / "labelled"))[1][3:6] == [
        "2",
        "labelled of photos@0",
        "7",
    ]


def test_notes_of_others_are_shown_as_they_are(tmp_path):
    for i, note in enumerate(({"inputs": {"a": 3}}, {"inputs": [1], "recipe": "x"}, {"source": 4})):
        tables.append(tmp_path / "t", pa.table({"a": [i]}), note=note)
    assert [row[4] for row in cells(tables.history(tmp_path / "t"))[1:]] == ["", "x of ", ""]


def test_a_seed_of_zero_is_shown(tmp_path):
    tables.append(tmp_path / "t", pa.table({"a": [1]}), note={"seed": 0})
    tables.append(tmp_path / "t", pa.table({"a": [1]}), note={"seed": 12})
    tables.append(tmp_path / "t", pa.table({"a": [1]}))
    assert [row[5] for row in cells(tables.history(tmp_path / "t"))[1:]] == ["", "12", "0"]
