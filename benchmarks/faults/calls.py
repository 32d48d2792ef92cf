"""A pytest plugin that notes which functions of the project each test runs.

``mutants.py`` loads it with ``-p benchmarks.faults.calls``. It appends a line of JSON a test to the
file that ``GEODATA_CALLS`` names, once all tests of a test file ran, so a broken run can go on.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path.cwd()
TOPS = ("geodata", "georl")


def processor_s() -> float:
    """Return seconds of the processor, programs that ended included: a loaded machine adds none."""
    return sum(os.times()[:4])


class Calls:
    """What runs while tests run."""

    def __init__(self, target):
        self.target = target
        self.seen, self.shared = set(), {}
        self.file, self.lines, self.failed = None, [], set()

    def trace(self, frame, event, arg):
        """Called at each call of a Python function; None means that its lines are not followed."""
        self.seen.add(frame.f_code)

    def named(self, codes):
        """Return ``file::function`` of codes of the project, nested ones by their outer one."""
        found = set()
        for code in codes.copy():  # threads of a test may still run
            path = Path(code.co_filename)
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in TOPS:
                function = code.co_qualname.partition(".<locals>")[0]
                found.add(f"{path.relative_to(ROOT).as_posix()}::{function}")
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        """Give what a fixture of a file or session runs to every test that asks for it."""
        outer, self.seen = self.seen, set()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self.shared[fixturedef.argname] = frozenset(self.seen)
            self.seen |= outer

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        if item.location[0] != self.file:
            self.write()
            self.file = item.location[0]
        self.seen = set()
        start = processor_s()
        threading.settrace(self.trace)
        sys.settrace(self.trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            for name in item.fixturenames:
                self.seen |= self.shared.get(name, frozenset())
            self.lines.append(
                {
                    "test": item.nodeid,
                    "seconds": round(processor_s() - start, 3),
                    "calls": sorted(self.named(self.seen)),
                }
            )

    def pytest_runtest_logreport(self, report):
        if not report.passed:  # also those that were skipped: they would notice nothing
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self):
        self.write()

    def write(self):
        with self.target.open("a", encoding="utf-8") as out:
            for line in self.lines:
                out.write(json.dumps(line | {"passed": line["test"] not in self.failed}) + "\n")
        self.lines = []


def pytest_configure(config):
    config.pluginmanager.register(Calls(Path(os.environ["GEODATA_CALLS"])))
