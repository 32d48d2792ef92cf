"""How an answer of SQL is printed: cells, CSV, JSON, Markdown, and what a terminal gets."""

import io
import sys

import pyarrow as pa
import pytest

from geodata.cli.terminal import answers

TABLE = pa.table({
    "n": pa.array([1, None], pa.int64()), "x": [1.23456789, float("-inf")],
    "word": ["a|b\\c\nd", "\x1b[2J"], "deep": [{"v": [float("nan"), 2.0]}, None],
})  # fmt: skip


def test_csv_line_by_line():
    given = list(answers.as_csv(TABLE.schema, iter([TABLE.slice(0, 1), TABLE.slice(1)])))
    assert given == [
        "n,x,word,deep\n",
        '1,1.23456789,"a|b\\c\nd","{""v"": [null, 2.0]}"\n',
        ",-inf,\x1b[2J,\n",
    ]
    assert list(answers.as_csv(pa.schema([("v", pa.string())]), iter([]))) == ["v\n"]
    odd = pa.table({"v": ["a\rb", 'say "x"', "a,b", "ä"]})
    assert "".join(answers.as_csv(odd.schema, iter([odd]))) == (
        'v\n"a\rb"\n"say ""x"""\n"a,b"\nä\n'
    )


def test_json_over_batches():
    rows = TABLE.select(["n", "x"])
    parts = list(answers.as_json(rows.schema, iter([rows.slice(0, 1), rows.slice(0, 0), rows])))
    assert "".join(parts) == (
        '[\n{"n": 1, "x": 1.23456789},\n{"n": 1, "x": 1.23456789},\n{"n": null, "x": null}\n]\n'
    )
    assert "".join(answers.as_json(rows.schema, iter([]))) == "[]\n"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (float("inf"), "null"), (float("-inf"), "null"), (float("nan"), "null"), (1e308, "1e+308"),
        (0.0, "0.0"), ({"a": [float("nan"), {"b": float("inf")}]}, '{"a": [null, {"b": null}]}'),
        ("ä", '"ä"'), (10**30, str(10**30)), (b"x", "\"b'x'\""),
    ],
)  # fmt: skip
def test_values_that_json_has(value, json):
    assert answers._json(value) == json


def test_markdown_line_by_line():
    rows = TABLE.rename_columns(["a|b", "x", "word", "deep"])
    assert list(answers.as_markdown(rows.schema, rows)) == [
        "| a\\|b | x | word | deep |\n",
        "| ---: | ---: | --- | --- |\n",
        "| 1 | 1.23457 | a\\|b\\\\c d | {'v': [nan, 2.0]} |\n",
        "| NULL | -inf | \\\\x1b[2J | NULL |\n",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "NULL"), (2.0, "2"), (123456.789, "123457"), (1234567, "1234567"), (True, "True"),
     ("a\x07", "a\\x07"), ([1.23456789], "[1.23456789]")],
)  # fmt: skip
def test_cells_are_for_eyes(value, shown):
    assert answers.cell(value) == shown


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        (pa.int8(), True), (pa.uint64(), True), (pa.float64(), True), (pa.float32(), True),
        (pa.decimal128(5, 2), True), (pa.string(), False), (pa.bool_(), False),
        (pa.list_(pa.int64()), False), (pa.date32(), False), (pa.float16(), False),
    ],
)  # fmt: skip
def test_numbers_stand_to_the_right(kind, right):
    assert answers.is_number(kind) is right


class Screen(io.StringIO):
    def __init__(self, tty):
        super().__init__()
        self.tty = tty

    def isatty(self):
        return self.tty


@pytest.mark.parametrize(("tty", "printed"), [(True, "a\\x1b\nb\tc\nd"), (False, "a\x1b\nb\tc\nd")])
def test_a_terminal_gets_nothing_that_it_obeys(monkeypatch, tty, printed):
    monkeypatch.setattr(sys, "stdout", Screen(tty))
    answers.write(iter(["a\x1b\nb\tc\n", "d"]))
    assert sys.stdout.getvalue() == printed


def test_formats_for_programs_are_whole():
    assert {f: answers.is_whole(f) for f in answers.FORMATS} == {
        "table": False, "csv": True, "json": True, "markdown": False,
    }  # fmt: skip
    assert answers.SHOWN == 40
    for one in answers.FORMATS:
        answers.check(one)
