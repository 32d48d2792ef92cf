"""The tool that breaks the code on purpose: its faults are real ones, evenly drawn."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULE = '''"""Words with 1 < 2 and not x."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

NEAR = 25.0


def near(lat: float, lon: int | None = 3, *, strict: bool = False) -> bool:
    """Return 1 < 2."""
    if lat < 0 or not lon:
        msg = f"{lat} < {lon}: give 2 numbers"
        raise ValueError(msg, 7)
    found = [x for x in range(lon) if min(x, lat) in "ß" and x - 1]
    found.sort(key=abs, reverse=True)
    return sorted(found)[0] == pair(lat, lon, strict=strict) == zip(lon, lon, strict=True)
'''


@pytest.fixture
def faults(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from faults import fault, python, sql

    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "m.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "a" / "m.sql").write_text("-- a <= b\nSELECT a AND b <= 2.5 -- 1", encoding="utf-8")
    return tmp_path, fault, python, sql


def test_each_fault_is_one_change_that_runs(faults):
    root, _, python, _ = faults
    made = list(python.python_faults(root, "a"))
    changed = {fault.applied(MODULE) for fault in made}
    whole = ast.dump(ast.parse(MODULE))
    assert len(changed) == len(made) > 25
    assert all(ast.dump(ast.parse(text)) != whole for text in changed)
    kinds = Counter(fault.kind for fault in made)
    assert kinds["comparison"] == 4
    assert kinds["arguments swapped"] == 2  # min(x, lat), pair(lat, lon); not zip(lon, lon)
    assert kinds["keyword dropped"] == 2  # key, reverse; strict is left alone
    assert kinds["call removed"] == 1


def test_words_types_and_errors_are_left_alone(faults):
    root, _, python, _ = faults
    for fault in python.python_faults(root, "a"):
        for line in ('"""Return 1 < 2."""', "msg = f", "raise ValueError(msg, 7)", "int | None"):
            assert line in fault.applied(MODULE)
        assert fault.applied(MODULE).startswith(MODULE[: MODULE.index("NEAR")])
        assert fault.function == ("" if "NEAR" in fault.lines(MODULE)[1] else "near")


def test_a_fault_says_its_line_before_and_after(faults):
    root, _, python, _ = faults
    found = {fault.lines(MODULE) for fault in python.python_faults(root, "a")}
    assert (8, "NEAR = 25.0", "NEAR = 37.5") in found
    assert (13, "if lat < 0 or not lon:", "if (lat <= 0) or not lon:") in found


def test_sql_is_changed_outside_its_comments(faults):
    root, _, _, sql = faults
    whole = (root / "a" / "m.sql").read_text(encoding="utf-8")
    found = {fault.applied(whole).split("\n")[1] for fault in sql.sql_faults(root, "a")}
    assert found == {
        "SELECT a OR b <= 2.5 -- 1",
        "SELECT a AND b < 2.5 -- 1",
        "SELECT a AND b <= 4.75 -- 1",
    }


def test_an_entry_that_fits_no_longer_is_an_error(faults):
    root, fault, _, _ = faults
    assert fault.found_once(root, "a/m.py", "NEAR") == MODULE.index("NEAR")
    for gone in ("FAR", "lat"):
        with pytest.raises(LookupError, match="mend the entry"):
            fault.found_once(root, "a/m.py", gone)


def test_what_is_said_to_change_nothing_still_stands_in_the_code(monkeypatch):
    """A reason whose lines are gone would stop the next campaign."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from faults.equivalent import EQUIVALENT, reasons

    assert len(reasons(ROOT)) == len(EQUIVALENT) > 5


def test_the_faults_written_by_hand_stand_in_the_code(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from faults.written import FAULTS, written_faults

    assert [fault.kind for fault in written_faults(ROOT)] == [name for name, *_ in FAULTS]
