"""`benchmarks/hardening.py`: its tests are there, and a row is met only by what it asks."""

import importlib.util

import pytest

from tests.options.finding import ROOT, source_of

SCRIPT = ROOT / "benchmarks" / "hardening.py"
spec = importlib.util.spec_from_file_location("hardening", SCRIPT)
hardening = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hardening)

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="one"><properties><property name="kills" value="{kills}"/>
</properties>{inside}</testcase>
</testsuite></testsuites>"""


def found(folder, kills=200, inside=""):
    (folder / "r.xml").write_text(REPORT.format(kills=kills, inside=inside))
    return hardening.read(folder / "r.xml", 1.0)


def test_there_are_eighteen_rows_and_their_tests_exist():
    assert list(hardening.ROWS) == [f"R{i}" for i in range(1, 19)]
    for name, row in hardening.ROWS.items():
        for test in row.tests:
            here = source_of(test) if "::" in test else (ROOT / "tests" / test).is_file()
            assert here, (name, test)


@pytest.mark.parametrize(
    ("more", "met"),
    [
        ({}, True),
        ({"kills": 199}, False),
        ({"inside": "<failure/>"}, False),
        ({"inside": "<error/>"}, False),
        ({"inside": "<skipped/>"}, False),
    ],
)
def test_a_row_is_met_by_passing_tests_at_the_figure_asked(more, met, tmp_path):
    row = hardening.ROWS["R10"]
    outcome = found(tmp_path, **more)
    assert hardening.met(row, outcome) == met
    shown = hardening.shown("R10", row, outcome)
    assert ("passed" if met else "FAILED") in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_figure_is_the_small_one_unless_all_is_asked(figure, request):
    full = request.config.getoption("--full")
    assert figure("n", ci=1, full=2) == (2 if full else 1)
    assert ("n", 2 if full else 1) in request.node.user_properties
