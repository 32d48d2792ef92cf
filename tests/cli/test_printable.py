"""What a stranger put into a table or a name of a file does not reach the terminal as an order."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from geodata.cli import app, main

ORDER = "\x1b]0;owned\x07\x9b2J"


def test_cells_of_a_query(tmp_path):
    pq.write_table(pa.table({"a": [ORDER + "Paris"]}), tmp_path / "t.parquet")
    done = CliRunner().invoke(app, ["sql", "SELECT a FROM t", str(tmp_path / "t.parquet")])
    assert done.exit_code == 0
    assert "Paris" in done.output
    assert not set("\x1b\x07\x9b") & set(done.output)


def test_errors(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["geodata", "label", f"none{ORDER}.csv", "-o", "out.csv"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().err
    assert "owned" in told
    assert not set("\x07\x9b") & set(told.replace("\x1b[31m", "").replace("\x1b[0m", ""))
