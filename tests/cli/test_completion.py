"""What a shell completes: tables of the lake, alone and at the end of a query."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from geodata import tables
from geodata.cli.terminal import completion


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mp-16", "mp_hard", "rand"):
        tables.write(tmp_path / "lake" / name, pa.table({"n": [1]}))
    tables.write(tmp_path / "other" / "only", pa.table({"n": [1]}))
    return tmp_path


def asked(**params):
    return SimpleNamespace(params=params)


@pytest.mark.parametrize(
    ("params", "typed", "names"),
    [
        ({}, "", ["mp-16", "mp_hard", "rand"]), ({}, "mp", ["mp-16", "mp_hard"]), ({}, "x", []),
        ({"lake": None}, "r", ["rand"]), ({"lake": "other"}, "", ["only"]),
        ({"lake": "nowhere"}, "", []),
        ({"lake": "x" * 5000}, "", []), ({"lake": "\0"}, "", []), ({"lake": "s3://b/l"}, "", []),
    ],
)  # fmt: skip
def test_tables_that_begin_so(lake, params, typed, names):
    assert completion.tables(asked(**params), typed) == names


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("FROM ", ["mp_16", "mp_hard", "rand"]), ("FROM mp", ["mp_16", "mp_hard"]),
        ("select 1 from ra", ["rand"]), ("FROM rand\nJOIN mp_h", ["mp_hard"]),
        ("FROM rand, m", ["mp_16", "mp_hard"]), ("DESCRIBE r", ["rand"]), ("summarize r", ["rand"]),
        ("SELECT r", []), ("SELECT a FROM rand WHERE r", []), ("FROM x", []), ("FROM", []),
        ("", []),
        ("FROM rand ", []), ("xfrom r", []),
    ],
)  # fmt: skip
def test_a_query_is_completed_where_a_table_stands(lake, typed, found):
    words = typed.rstrip("_abcdefghijklmnopqrstuvwxyz0123456789")
    before = typed if typed.endswith(" ") else words
    assert completion.query(asked(), typed) == [before + name for name in found]
