"""The recipes by name, and what a person asks of one completed with its defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geodata.datasets.recipes.dedupe import dedupe
from geodata.datasets.recipes.exclude import exclude_benchmark
from geodata.datasets.recipes.label import labelled
from geodata.datasets.recipes.popular import hard, popular
from geodata.datasets.recipes.rand import rand
from geodata.datasets.recipes.sampling import Made
from geodata.datasets.recipes.split import split
from geodata.tables import DatasetError


@dataclass(frozen=True)
class Recipe:
    """A way to make a dataset from others."""

    make: Callable[..., Made]
    """Called with the opened inputs by role, the seed, and its own parameters."""
    inputs: Mapping[str, str | None]
    """Role of each input and the table it is by default."""

    def parameters(self) -> dict[str, Any]:
        """Return the names and defaults of the recipe's own parameters."""
        found = inspect.signature(self.make).parameters.values()
        return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}


RECIPES: Mapping[str, Recipe] = {
    "labelled": Recipe(labelled, {"rows": "photos"}),
    "rand": Recipe(rand, {"rows": "labelled"}),
    "popular": Recipe(popular, {"rows": "labelled", "predictions": None}),
    "hard": Recipe(hard, {"rows": "labelled", "popular": "popular"}),
    "split": Recipe(split, {"rows": "labelled"}),
    "exclude-benchmark": Recipe(exclude_benchmark, {"rows": "labelled", "benchmark": None}),
    "dedupe": Recipe(dedupe, {"rows": "photos"}),
}
"""The recipes by name; their functions say what the parameters mean."""


def all_parameters(
    recipe: str, params: Mapping[str, Any], seed: int
) -> tuple[Recipe, dict[str, Any]]:
    """Return a recipe and all its parameters, defaults filled in.

    Raises
    ------
    DatasetError
        For an unknown recipe or parameter, or a seed that is none.
    """
    if recipe not in RECIPES:
        msg = f"there is no recipe {recipe!r}; the recipes are {', '.join(RECIPES)}"
        raise DatasetError(msg)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
        msg = f"seed={seed!r} must be a whole number from 0 to 2^63 - 1"
        raise DatasetError(msg)
    values = RECIPES[recipe].parameters()
    unknown = [name for name in params if name not in values]
    if unknown:
        msg = (
            f"recipe {recipe!r} has no parameter {unknown[0]!r}; it has {', '.join(values)} and "
            "seed"
        )
        raise DatasetError(msg)
    return RECIPES[recipe], values | dict(params)


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
