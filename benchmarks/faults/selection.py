"""Which tests could see a fault: those that run its function, the nearest and quickest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from faults.fault import Fault

LOADS_SQL = "geodata/query/objects.py::load_sql"


@dataclass(frozen=True)
class Test:
    """What is known of a test from one run of it."""

    name: str
    seconds: float
    calls: frozenset[str]


def read_tests(calls: Path, root: Path) -> list[Test]:
    """Return the tests that passed, as they last ran; those whose file is gone are left out."""
    last = {}
    for line in calls.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        last[row["test"]] = row
    return [
        Test(name, row["seconds"], frozenset(row["calls"]))
        for name, row in last.items()
        if row["passed"] and (root / name.partition("::")[0]).is_file()
    ]


def selected(fault: Fault, tests: list[Test], root: Path, budget_s: float) -> list[str]:
    """Return names of tests to run, in order, or the folder that mirrors the file's.

    Parameters
    ----------
    fault
        What is changed.
    tests
        Of :func:`read_tests`.
    root
        Of the project.
    budget_s
        Most seconds that all of them may take, as measured; at least one is returned.
    """
    if fault.tests:
        return list(fault.tests)
    function = LOADS_SQL if fault.file.endswith(".sql") else f"{fault.file}::{fault.function}"
    direct = [test for test in tests if function in test.calls]
    module = [t for t in tests if any(c.startswith(f"{fault.file}::") for c in t.calls)]
    told = _those_that_name(Path(fault.file).stem, root) if fault.file.endswith(".sql") else set()

    def distance(test: Test) -> tuple[bool, int, float]:
        file = test.name.partition("::")[0]
        return file not in told, -_shared_parts(fault.file, file), test.seconds

    ordered = sorted(direct, key=distance)
    ordered += sorted(set(module) - set(direct), key=distance)
    if fault.file.endswith(".sql"):  # all of them: each calls the SQL that it is about
        others = [test for test in ordered if not test.name.startswith("tests/sql/")]
        return ["tests/sql", *(test.name for test in _within(others, budget_s))]
    return [t.name for t in _within(ordered, budget_s)] or [_mirror(fault.file, root)]


def _within(tests: list[Test], budget_s: float) -> Iterator[Test]:
    taken = 0.0
    for i, test in enumerate(tests):
        if i == 0 or taken + test.seconds <= budget_s:
            taken += test.seconds
            yield test


def _parts(file: str) -> list[str]:
    """Return what a module and its test share: packages, then the module's own name."""
    parts = list(Path(file).with_suffix("").parts)
    parts[-1] = parts[-1].removeprefix("test_")
    return parts[1:] if parts[0] in ("tests", "geodata") else parts


def _shared_parts(module: str, test: str) -> int:
    if module == test:  # its own examples
        return 9
    pairs = zip(_parts(module), _parts(test), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _those_that_name(stem: str, root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in (root / "tests").rglob("test_*.py")
        if stem in path.read_text(encoding="utf-8")
    }


def _mirror(file: str, root: Path) -> str:
    parts = _parts(file)[:-1]
    while parts and not (root / "tests").joinpath(*parts).is_dir():
        parts.pop()
    return "/".join(["tests", *parts])
