"""``geodata sql`` as a tool: the cookbook, formats, progress, errors, completion."""

import csv
import io
import json
import os
import pty
import shlex
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import query, tables
from geodata.cli.application import app
from geodata.cli.terminal import answers
from geodata.query.mishaps import plain
from tests.pages import ROOT, blocks


def command(text):
    """Run a command and return what it prints, as a page shows it."""
    words = shlex.split(text)
    assert words.pop(0) == "geodata"
    done = CliRunner().invoke(app, words, env={"COLUMNS": "80"})
    assert done.exit_code == 0, (text, done.output, done.exception)
    return "\n".join(line.rstrip() for line in done.stdout.rstrip("\n").split("\n"))


def test_every_query_of_the_cookbook_prints_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (ROOT / "examples").glob("*.csv"):
        shutil.copy(path, tmp_path)
    page = blocks(ROOT / "docs" / "cookbook.md")
    for line in page[0][1].splitlines():
        command(line)
    asked = 0
    for (kind, text), (shown, told) in zip(page[1::2], page[2::2], strict=True):
        assert (kind, shown) == ("sh", "text")
        assert command(text) == told.rstrip("\n"), text
        asked += 1
    assert asked >= 20
    assert pq.read_metadata("japan.parquet").num_rows == 6


ROWS = pa.table(
    {
        "id": ["a", 'b "q", x', "c|\n", None],
        "x": [1.5, float("nan"), float("inf"), None],
        "list": [[1, 2], [], None, [3]],
        "at": [{"lat": 1.0, "lon": None}] * 4,
    }
)


@pytest.fixture
def file(tmp_path):
    pq.write_table(ROWS, tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def printed(file, *more, sql="FROM t"):
    done = CliRunner().invoke(app, ["sql", sql, str(file), *more], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_csv_is_read_back_as_it_was(file):
    back = list(csv.DictReader(io.StringIO(printed(file, "--format", "csv"))))
    assert [r["id"] for r in back] == ["a", 'b "q", x', "c|\n", ""]
    assert [r["x"] for r in back] == ["1.5", "", "inf", ""]  # NaN reads as NULL in SQL
    assert [r["list"] for r in back] == ["[1, 2]", "[]", "", "[3]"]
    assert json.loads(back[0]["at"]) == {"lat": 1.0, "lon": None}


def test_json_is_valid_and_has_every_row(file):
    back = json.loads(printed(file, "--format", "json"))
    assert [r["id"] for r in back] == ROWS["id"].to_pylist()
    assert [r["x"] for r in back] == [1.5, None, None, None]
    assert back[0]["at"] == {"lat": 1.0, "lon": None}
    assert json.loads(printed(file, "--format", "json", sql="FROM t WHERE false")) == []
    many = json.loads(printed(file, "--format", "json", sql="FROM range(5000)"))
    assert [r["range"] for r in many] == list(range(5000))
    assert (
        len(json.loads(printed(file, "--format", "json", "--rows", "7", sql="FROM range(99)"))) == 7
    )


def test_markdown_is_one_line_a_row(file):
    told = printed(file, "--format", "markdown", sql="SELECT id, x FROM t").splitlines()
    assert told[:2] == ["| id | x |", "| --- | ---: |"]
    assert told[2] == "| a | 1.5 |"
    assert "\\|" in told[4]
    assert len(told) == 6
    cut = CliRunner().invoke(app, ["sql", "FROM range(9)", "--format", "markdown", "--rows", "2"])
    assert cut.stdout.splitlines() == ["| range |", "| ---: |", "| 0 |", "| 1 |"]
    assert "more rows" in cut.stderr


def test_a_format_that_is_none_is_refused(file):
    done = CliRunner().invoke(app, ["sql", "FROM t", str(file), "--format", "xml"])
    assert "expected table, csv, json, markdown" in str(done.exception)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.dictionaries(st.just("v"), st.text() | st.none(), min_size=1), max_size=5))
def test_any_text_comes_back_from_json_and_csv(rows):
    table = pa.Table.from_pylist(rows, pa.schema([("v", pa.string())]))
    assert json.loads("".join(answers.as_json(table.schema, iter([table])))) == rows
    text = "".join(answers.as_csv(table.schema, iter([table])))
    back = list(csv.reader(io.StringIO(text, newline="")))
    assert [r[0] if r else "" for r in back[1:]] == [r["v"] or "" for r in rows]


def test_a_pipe_gets_the_answer_while_the_terminal_gets_the_progress():
    """The progress bar is drawn on a terminal; what is printed goes past it, into the pipe."""
    ours, theirs = pty.openpty()
    code = "from geodata.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "sql", "SELECT 7 AS seven", "--format", "csv"],
        stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    assert done.stdout == b"seven\n7\n"
    drawn = os.read(ours, 100_000)
    os.close(ours)
    assert b"seven" not in drawn


LONG = "SELECT sum(md5(i::VARCHAR)[1:2] = 'ab') FROM range(4_000_000) t(i)"


def test_a_long_query_says_how_far_it_is():
    seen = []
    query.run(LONG, threads=1, progress=seen.append)
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert 0 <= seen[0] < 100
    with pytest.raises(query.QueryLimitError):
        query.run(LONG.replace("4_000", "9_000_000"), timeout_s=0.3, progress=seen.append)


def test_an_error_names_what_there_is_and_nothing_of_the_engine(tmp_path):
    tables.append(tmp_path / "photos", pa.table({"a": [1]}))
    with pytest.raises(query.QueryError) as error:
        query.run("FROM fotos", lake=tmp_path)
    told = str(error.value)
    assert "did you mean photos? the tables are: photos" in told
    assert "pg_" not in told
    assert "duckdb_" not in told
    with pytest.raises(
        query.QueryError, match=r'column "b" not found[\s\S]*Candidate bindings: "a"'
    ):
        query.run("SELECT b FROM photos", lake=tmp_path)


def test_traces_and_held_names_are_left_out():
    told = plain(
        "INTERNAL Error: no vector\n\nStack Trace:\n\n0x12 duckdb::f\nThis error signals", ["t"]
    )
    assert told == "INTERNAL Error: no vector\nthe tables are: t"
    assert "held://" not in plain("Invalid Error: held://data/a/0.parquet is cut short", [])
    assert plain("x", []).endswith("the tables are: (none)")


def test_a_file_that_is_cut_short_is_told_without_the_engine(tmp_path):
    tables.append(tmp_path / "photos", pa.table({"a": list(range(10_000))}))
    data = next((tmp_path / "photos").glob("*.parquet"))
    size = data.stat().st_size
    data.write_bytes(b"\0" * size)
    with pytest.raises(ValueError) as error:
        query.run("FROM photos", lake=tmp_path)
    assert "Stack" not in str(error.value)
    assert "held://" not in str(error.value)


def completed(words, monkeypatch, capsys):
    """Return what bash is offered for the last of some words."""
    monkeypatch.setenv("_GEODATA_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv(
        "COMP_CWORD", str(len(shlex.split(words + '"' * (words.count('"') % 2))) - 1)
    )
    with pytest.raises(SystemExit):
        app(prog_name="geodata")
    return [word for word in capsys.readouterr().out.split("\n") if word]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("geodata dataset history --lake lake ph", ["photos"]),
        ("geodata dataset history --lake elsewhere mi", ["mine"]),
        ("geodata dataset history l", ["labelled"]),  # of the folder 'lake' here
        ("geodata dataset build rand --lake lake --from la", ["labelled"]),
        ('geodata sql --lake lake "SELECT * FROM ph', ["SELECT * FROM photos"]),
        (
            'geodata sql --lake lake "SELECT lat FROM photos, la',
            ["SELECT lat FROM photos, labelled"],
        ),
        ('geodata sql --lake lake "SELECT ph', []),
        ("geodata dataset history --lake nowhere ph", []),
    ],
)
def test_names_of_tables_are_completed(tmp_path, monkeypatch, capsys, words, offered):
    monkeypatch.chdir(tmp_path)
    for place in ("lake/photos", "lake/labelled", "elsewhere/mine"):
        tables.append(tmp_path / place, pa.table({"a": [1]}))
    assert completed(words, monkeypatch, capsys) == offered
