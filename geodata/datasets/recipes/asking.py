"""What a call of `geodata.datasets.build` asks for, in either order of its arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geodata.datasets.recipes.catalogue import recipe_of
from geodata.tables import DatasetError

_Path = str | os.PathLike[str]

_NEW, _OLD = ("recipe", "lake", "name", "inputs"), ("lake", "name", "recipe", "inputs")


def asked_for(asked: tuple[Any, ...], params: dict[str, Any]) -> tuple[str, _Path, str, Any]:
    """Return recipe, lake, name and inputs, given in either order; takes them out of ``params``."""
    names = _NEW if "recipe" not in params and _recipe_comes_first(asked) else _OLD
    if len(asked) > len(names):
        msg = f"build takes {', '.join(_NEW)} by position, got {len(asked)} values"
        raise TypeError(msg)
    given = dict(zip(names, asked, strict=False))
    for word in _NEW:
        if word in params:
            if word in given:
                msg = f"build got {word!r} twice, by position and by name"
                raise TypeError(msg)
            given[word] = params.pop(word)
    missing = [word for word in ("recipe", "lake") if given.get(word) is None]
    if missing:
        msg = f"build needs {missing[0]!r}: build(recipe, lake, name=None, inputs=None, ...)"
        raise TypeError(msg)
    recipe = given["recipe"]
    name = given.get("name") or str(recipe).replace("-", "_")
    return recipe, given["lake"], name, given.get("inputs")


def _recipe_comes_first(asked: tuple[Any, ...]) -> bool:
    """Return whether the first of the values is the recipe, the third else."""
    first, second, third = (*asked, None, None, None)[:3]
    if third is None:
        return bool(asked)
    if not isinstance(first, str) or recipe_of(first) is None:
        return False
    if not isinstance(third, str) or recipe_of(third) is None:
        return True
    # build("rand", "lake", "rand"), or a lake that is called like a recipe
    return Path(second).is_dir() or not Path(first).is_dir()


def with_source(inputs: Any, source: Any) -> Any:
    """Return the inputs with ``source`` as the role ``rows``."""
    given = dict(inputs) if isinstance(inputs, Mapping) else {}
    if "rows" in given or (inputs is not None and not isinstance(inputs, Mapping)):
        msg = f"the rows are given twice, source={source!r} and inputs={inputs!r}"
        raise DatasetError(msg)
    return {**given, "rows": source}
