"""Which options the faces of geodata have, and the table that says what each of them changes."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geodata

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("geodata.coords", "geodata.hashing", "geodata.sphere")
"""Modules that are no packages and are used from outside."""

OPTIONS = ("Options",)
"""Data classes whose fields are options; the fields of others are results."""


class Option(NamedTuple):
    """A keyword of a public function, with its default."""

    function: str
    keyword: str
    default: Any

    def __str__(self) -> str:
        return f"{self.function}:{self.keyword}"


class Effect(NamedTuple):
    """A call, a value that is not the default, and what comes back without and with it."""

    call: Callable[..., Any]
    value: Any
    plain: Any
    changed: Any


EFFECTS: dict[str, Effect] = {}
"""``package.function:keyword`` to what the option changes."""

TESTS: dict[str, str] = {}
"""``package.function:keyword`` to a test elsewhere that sees what the option changes."""


COST: dict[str, str] = {}
"""``package.function:keyword`` to the reason why it changes what a call costs, and no result."""


def differs(function: str, call: Callable[..., Any], **expected: tuple[Any, Any, Any]) -> None:
    """Say what options of a function change: keyword = value, result without it, result with it.

    ``call`` gets the place to work in and the option. A result may also be a function, which is
    given what came back and says whether that is right.
    """
    for keyword, (value, plain, changed) in expected.items():
        EFFECTS[f"geodata.{function}:{keyword}"] = Effect(call, value, plain, changed)


def seen_by(test: str, *options: str) -> None:
    """Name a test elsewhere: ``function:keyword``, more keywords with commas."""
    for option in options:
        function, _, keywords = option.partition(":")
        for keyword in keywords.split(","):
            TESTS[f"geodata.{function}:{keyword}"] = test


def only_cost(function: str, **reasons: str) -> None:
    """Say that an option changes memory, time or size only, and which."""
    COST.update({f"geodata.{function}:{keyword}": why for keyword, why in reasons.items()})


def faces() -> Iterator[Any]:
    """Return geodata, its packages and the modules of `MODULES`."""
    yield geodata
    for found in pkgutil.walk_packages(geodata.__path__, "geodata."):
        if found.ispkg:
            yield importlib.import_module(found.name)
    yield from map(importlib.import_module, MODULES)


def functions(face: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return the public functions of a face, and the public methods of its classes."""
    public = getattr(face, "__all__", None) or [n for n in vars(face) if not n.startswith("_")]
    for name in public:
        found = getattr(face, name)
        if not str(getattr(found, "__module__", "")).startswith("geodata"):
            continue
        if inspect.isclass(found):
            if issubclass(found, BaseException):
                continue
            if name in OPTIONS or not (
                dataclasses.is_dataclass(found) or hasattr(found, "_fields")
            ):
                yield name, found
            for method in vars(found):
                if not method.startswith("_") and callable(getattr(found, method, None)):
                    yield f"{name}.{method}", getattr(found, method)
        elif callable(found):
            yield name, found


def options() -> Iterator[Option]:
    """Return every keyword with a default of every public function, each function once."""
    seen: set[int] = set()
    for face in faces():
        for name, function in functions(face):
            if id(function) in seen or not inspect.signature(function).parameters:
                continue
            seen.add(id(function))
            for parameter in inspect.signature(function).parameters.values():
                if parameter.default is not parameter.empty:
                    yield Option(f"{face.__name__}.{name}", parameter.name, parameter.default)


def source_of(test: str) -> str | None:
    """Return the text of a test ``file.py::name`` below tests/, or None if it is not there."""
    file, _, name = test.partition("::")
    path = ROOT / "tests" / file
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    return ast.get_source_segment(text, found[0]) if found else None
