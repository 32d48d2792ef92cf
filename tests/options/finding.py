"""Which options the faces of a package have, and the table that says what each of them changes."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
INSIDE = (
    "geodata.cli.", "geodata.files.", "geodata.tables.", "geodata.evaluation.joining.",
    "geodata.evaluation.report.", "geodata.answers.", "geodata.photos.",
)  # fmt: skip
"""Packages whose rooms only they themselves enter: what users get is on their own face."""

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


class Cases:
    """What tests say of the options of a package; each module of cases adds to it.

    Parameters
    ----------
    package
        The package whose faces are looked at.
    modules
        Modules of it that are no packages and are used from outside.
    """

    def __init__(self, package: str, modules: tuple[str, ...] = ()) -> None:
        self.package, self.modules = package, modules
        self.effects: dict[str, Effect] = {}
        """``package.function:keyword`` to what the option changes."""
        self.tests: dict[str, str] = {}
        """... to a test elsewhere that sees what the option changes."""
        self.cost: dict[str, str] = {}
        """... to the reason why it changes what a call costs, and no result."""

    def differs(
        self, function: str, call: Callable[..., Any], **expected: tuple[Any, Any, Any]
    ) -> None:
        """Say what options of a function change: keyword = value, result without it, with it.

        ``call`` gets the place to work in and the option. A result may also be a function, which
        is given what came back and says whether that is right.
        """
        for keyword, (value, plain, changed) in expected.items():
            name = f"{self.package}.{function}:{keyword}"
            self.effects[name] = Effect(call, value, plain, changed)

    def seen_by(self, test: str, *options: str) -> None:
        """Name a test elsewhere: ``function:keyword``, more keywords with commas."""
        for option in options:
            function, _, keywords = option.partition(":")
            for keyword in keywords.split(","):
                self.tests[f"{self.package}.{function}:{keyword}"] = test

    def only_cost(self, function: str, **reasons: str) -> None:
        """Say that an option changes memory, time or size only, and which."""
        named = {f"{self.package}.{function}:{keyword}": why for keyword, why in reasons.items()}
        self.cost.update(named)

    def faces(self) -> Iterator[Any]:
        """Return the package, the packages in it, and its modules that are used from outside."""
        whole = importlib.import_module(self.package)
        yield whole
        for found in pkgutil.walk_packages(whole.__path__, f"{self.package}."):
            if found.ispkg and not found.name.startswith(INSIDE):
                yield importlib.import_module(found.name)
        yield from map(importlib.import_module, self.modules)

    def functions(self, face: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Return the public functions of a face, and the public methods of its classes."""
        public = getattr(face, "__all__", None) or [n for n in vars(face) if not n.startswith("_")]
        for name in public:
            found = getattr(face, name)
            if not str(getattr(found, "__module__", "")).startswith(self.package):
                continue
            if inspect.isclass(found):
                yield from _of_class(name, found)
            elif callable(found):
                yield name, found

    def options(self) -> dict[str, Option]:
        """Return every keyword with a default of every public function, each function once."""
        seen: dict[int, Any] = {}  # kept alive: the number of one that is gone is given again
        options = {}
        for face in self.faces():
            for name, function in self.functions(face):
                one_of = getattr(function, "__func__", function)  # of a class method
                if id(one_of) in seen or not inspect.signature(function).parameters:
                    continue
                seen[id(one_of)] = one_of
                for one in inspect.signature(function).parameters.values():
                    if one.default is not one.empty and one.kind is not one.POSITIONAL_ONLY:
                        found = Option(f"{face.__name__}.{name}", one.name, one.default)
                        options[str(found)] = found
        return options

    def check_all_have_one(self, options: dict[str, Option]) -> None:
        """Fail for an option without a case, with two, and for a case whose option is gone."""
        tables = (self.effects, self.tests, self.cost)
        said = [option for table in tables for option in table]
        missing = options.keys() - set(said)
        assert not missing, (
            f"no test says what these options change: {sorted(missing)}; say it in "
            f"{'tests/options/' if self.package == 'geodata' else 'tests/georl/options/'}, or "
            "name the test that sees it"
        )
        assert set(said) - options.keys() == set(), "no such option"
        assert len(said) == len(options), "an option has two cases"

    def check_effect(self, option: Option, plain: Any, changed: Any) -> None:
        """Call with the option and without, each in its own place; fail if they are not as said."""
        effect = self.effects[str(option)]
        assert effect.value is not option.default
        value = effect.value(changed) if callable(effect.value) else effect.value
        without, with_ = effect.call(plain), effect.call(changed, **{option.keyword: value})
        assert _right(effect.plain, without), without
        assert _right(effect.changed, with_), with_
        assert without != with_

    def check_test(self, option: Option) -> None:
        """Fail unless the test that is named is there and uses the option."""
        test = self.tests[str(option)]
        source = source_of(test)
        assert source is not None, f"{test} is not there"
        assert option.keyword in source


def _of_class(name: str, found: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    if issubclass(found, BaseException):
        return
    if name in OPTIONS or not (dataclasses.is_dataclass(found) or hasattr(found, "_fields")):
        yield name, found
    for method in vars(found):
        if not method.startswith("_") and callable(getattr(found, method, None)):
            yield f"{name}.{method}", getattr(found, method)


def _right(expected: Any, found: Any) -> bool:
    return expected(found) if callable(expected) else bool(expected == found)


GEODATA = Cases("geodata", ("geodata.coords", "geodata.hashing", "geodata.sphere"))
GEORL = Cases("georl", ("georl.sft", "georl.endpoints", "georl.http"))
differs, seen_by, only_cost = GEODATA.differs, GEODATA.seen_by, GEODATA.only_cost


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
