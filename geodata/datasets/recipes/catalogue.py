"""The recipes by name, and what a person asks of one completed with its defaults."""

from __future__ import annotations

import inspect
import numbers
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from geodata.datasets.recipes.dedupe import dedupe
from geodata.datasets.recipes.exclude import exclude_benchmark
from geodata.datasets.recipes.filter import filter_
from geodata.datasets.recipes.join import annotate, join
from geodata.datasets.recipes.label import labelled
from geodata.datasets.recipes.own import maker, roles_of, source_hash
from geodata.datasets.recipes.popular import hard, popular
from geodata.datasets.recipes.rand import rand
from geodata.datasets.recipes.sampling import Made
from geodata.datasets.recipes.split import split
from geodata.datasets.recipes.union import union
from geodata.tables import DatasetError

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Recipe:
    """A way to make a dataset from others."""

    make: Callable[..., Made]
    """Called with the opened inputs by role, the seed, and its own parameters."""
    inputs: Mapping[str, str | None]
    """Role of each input and the table it is by default."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """What versions were made with that were written before a parameter existed."""
    function: Callable[..., Any] | None = None
    """A user's own function, which ``make`` calls."""

    def parameters(self) -> dict[str, Any]:
        """Return the names and defaults of the recipe's own parameters."""
        found = inspect.signature(self.function or self.make).parameters.values()
        own = {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}
        if self.function is not None:
            own.pop("seed", None)
        return own

    def identity(self) -> dict[str, str] | None:
        """Return what tells a user's function from a changed one: its name and source hash."""
        if self.function is None:
            return None
        name = f"{self.function.__module__}.{self.function.__qualname__}"
        return {"name": name, "source_sha256": source_hash(self.function)}


RECIPES: Mapping[str, Recipe] = {
    "labelled": Recipe(labelled, {"rows": "photos"}),
    "rand": Recipe(rand, {"rows": "labelled"}),
    "popular": Recipe(popular, {"rows": "labelled", "predictions": None}),
    "hard": Recipe(hard, {"rows": "labelled", "popular": "popular"}),
    "split": Recipe(split, {"rows": "labelled"}, {"least": 0.0}),
    "exclude-benchmark": Recipe(exclude_benchmark, {"rows": "labelled", "benchmark": None}),
    "dedupe": Recipe(dedupe, {"rows": "photos"}),
    "filter": Recipe(filter_, {"rows": "labelled"}),
    "join": Recipe(join, {"rows": "labelled", "other": None}),
    "annotate": Recipe(annotate, {"rows": "labelled", "annotations": None}),
    "union": Recipe(union, {"rows": "labelled", "other": None}),
}
"""The recipes by name; their functions say what the parameters mean."""

_OWN: dict[str, Recipe] = {}
"""Recipes that a program registered."""


def register(function: _Function, name: str | None = None) -> _Function:
    """Make a function a recipe, for this program, and return it: also as a decorator.

    The function gets whole tables by position, ``rows`` the first, and its parameters by keyword;
    it returns a table. Its name, and SHA-256 of its source text, go into the lineage. What the
    function calls is not part of that text. A replay runs the function that is registered then
    and refuses one whose source changed; it never imports code that a lake names.

    Parameters
    ----------
    function
        ``def recipe(rows, ..., *, parameter=default)``; if it has a keyword ``seed``, it is given.
    name
        Of the recipe, by default that of the function.

    Raises
    ------
    DatasetError
        For a name that a built-in recipe has, or a function of another form.

    Examples
    --------
    >>> def northern(rows, *, least_lat=0.0):
    ...     return rows.filter(rows["lat"].to_numpy() > least_lat)
    >>> _ = register(northern)
    >>> recipe_of("northern").parameters()
    {'least_lat': 0.0}
    """
    called = name or function.__name__
    if called in RECIPES:
        msg = f"the recipe {called!r} is built in; give yours another name: register(f, name=...)"
        raise DatasetError(msg)
    roles: dict[str, str | None] = dict.fromkeys(roles_of(function))
    _OWN[called] = Recipe(maker(function, called), roles, function=function)
    return function


def recipe_of(name: str) -> Recipe | None:
    """Return a built-in or registered recipe by its name, None if there is none."""
    return RECIPES.get(name) or _OWN.get(name)


def all_parameters(
    recipe: str, params: Mapping[str, Any], seed: int
) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe and all its parameters, defaults filled in.

    Raises
    ------
    DatasetError
        For an unknown recipe or parameter, a value of another kind, or a seed that is none.
    """
    spec = recipe_of(recipe)
    if spec is None:
        names = ", ".join([*RECIPES, *_OWN])
        msg = (
            f"there is no recipe {recipe!r}; the recipes are {names}; a function of yours becomes "
            "one with datasets.register"
        )
        raise DatasetError(msg)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
        msg = f"seed={seed!r} must be a whole number from 0 to 2^63 - 1"
        raise DatasetError(msg)
    values = spec.parameters()
    unknown = [name for name in params if name not in values]
    if unknown:
        msg = (
            f"recipe {recipe!r} has no parameter {unknown[0]!r}; it has {', '.join(values)} and "
            "seed"
        )
        raise DatasetError(msg)
    values |= {name: _plain(value) for name, value in params.items()}
    if spec.function is None:
        _check_kinds(spec.make, values)
    missing = [name for name, value in values.items() if value is inspect.Parameter.empty]
    if missing:
        msg = f"recipe {recipe!r} needs the parameter {missing[0]!r}"
        raise DatasetError(msg)
    return spec, values


def _plain(value: Any) -> Any:
    """Return a value as the lineage can keep it: NumPy's numbers and arrays, and paths, in JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _check_kinds(make: Callable[..., Made], values: Mapping[str, Any]) -> None:
    """Refuse a value of another kind than the recipe's annotation says.

    Whole numbers are left to the recipes, which also know their bounds.
    """
    for name, hint in typing.get_type_hints(make).items():
        kinds = set(typing.get_args(hint) or (hint,))
        value = values.get(name)
        if value is None or not kinds & {str, float}:
            continue
        if Sequence[str] in kinds:
            texts = [value] if isinstance(value, str) else value
            fits = isinstance(texts, list | tuple) and all(isinstance(t, str) for t in texts)
            asked = "a text or a list of texts"
        elif str in kinds:
            fits, asked = isinstance(value, str), "a text"
        else:
            fits = isinstance(value, numbers.Real) and not isinstance(value, bool)
            asked = "a number"
        if not fits:
            msg = f"{name}={value!r} must be {asked}"
            raise DatasetError(msg)


def all_inputs(recipe: str, spec: Recipe, inputs: Any) -> dict[str, Any]:
    """Return the source of each input by role, defaults filled in.

    Raises
    ------
    DatasetError
        For a role that the recipe does not have, or one that is not given and has no default.
    """
    given = dict(inputs) if isinstance(inputs, Mapping) else {"rows": inputs}
    given = {role: source for role, source in given.items() if source is not None}
    unknown = [role for role in given if role not in spec.inputs]
    if unknown:
        msg = f"recipe {recipe!r} has no input {unknown[0]!r}; it has {', '.join(spec.inputs)}"
        raise DatasetError(msg)
    found = {role: given.get(role, default) for role, default in spec.inputs.items()}
    missing = [role for role, source in found.items() if source is None]
    if missing:
        msg = (
            f"recipe {recipe!r} needs the input {missing[0]!r}: the name of a table, or a CSV, "
            "TSV, Parquet or JSONL file"
        )
        raise DatasetError(msg)
    return found
