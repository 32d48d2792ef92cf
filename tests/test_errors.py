"""Errors have one root, keep their built-in kinds, and stand on the page that explains them."""

import ast
import builtins
import importlib
from pathlib import Path

import pytest

import geodata
from geodata import tables
from geodata.files import FileError

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "errors.md"


def parents():
    """Return every class of both packages with the last names of its bases, by module and name."""
    return {
        (".".join(path.relative_to(ROOT).with_suffix("").parts), node.name): [
            ast.unparse(base).rpartition(".")[2] for base in node.bases
        ]
        for package in ("geodata", "georl")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }


def built_in(name):
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def errors():
    """Return the classes that are exceptions: by a base that is one, here or in Python."""
    found = {}
    classes = parents()
    while True:
        known = {name for _, name in found}
        more = {
            key: bases
            for key, bases in classes.items()
            if key not in found
            and any(
                built_in(base) or base in known or base.endswith(("Error", "Exception"))
                for base in bases
            )
        }
        if not more:
            return found
        found |= more


ERRORS = errors()
NAMES = {name: bases for (_, name), bases in ERRORS.items()}


def ancestors(name):
    return {name}.union(*(ancestors(base) for base in NAMES.get(name, ())))


def test_there_are_errors_of_both_packages():
    assert {"TableError", "FileError", "PredictionError", "ConfigError"} <= set(NAMES)
    assert len(ERRORS) == len(NAMES), (
        "two classes bear one name; the page could not tell them apart"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_error_has_the_root_and_keeps_a_built_in_kind(name):
    kinds = ancestors(name)
    assert "GeodataError" in kinds
    if not name.startswith("_") and name != "GeodataError":
        assert "ValueError" in kinds


@pytest.mark.parametrize(("module", "name"), ERRORS)
def test_the_page_says_when_it_is_raised_and_what_to_do(module, name):
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    row = next((r for r in rows if len(r) == 5 and r[1].strip().endswith(f".{name}`")), None)
    assert row is not None, f"{module}.{name} is not on {PAGE.name}"
    assert all(len(cell.split()) > 3 for cell in row[2:4])
    place = row[1].strip(" `").rpartition(".")[0]
    assert getattr(importlib.import_module(place), name).__name__ == name


def test_the_page_is_linked():
    assert "\nreference/errors\n" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_one_except_catches_them_and_value_error_still_does(tmp_path):
    assert issubclass(FileError, geodata.GeodataError)
    for kind in (geodata.GeodataError, ValueError, tables.TableError):
        with pytest.raises(kind):
            tables.open(tmp_path / "nothing")
