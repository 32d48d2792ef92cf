"""Rewards by name: functions of a configuration, arguments bound and values checked."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from typing import Any

from georl.config import ConfigError, RewardConfig


def bind_rewards(module: Any, config: RewardConfig) -> list[Any]:
    """Return the named functions of a rewards module with their arguments bound.

    Raises
    ------
    ConfigError
        For an unknown name or argument, with what there is.
    """
    bound = []
    known = _reward_names(module)
    for name, weight in config.weights.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            msg = f"unknown reward {name!r} (weight {weight}); {hint}"
            raise ConfigError(msg)
        function = getattr(module, name)
        if not math.isfinite(weight):
            msg = f"rewards.weights has {name}: {weight}; a weight is a finite number"
            raise ConfigError(msg)
        bound.append(_with_arguments(name, function, config.arguments.get(name, {})))
    unused = set(config.arguments) - set(config.weights)
    if unused:
        msg = f"rewards.arguments has {sorted(unused)}, which rewards.weights does not use"
        raise ConfigError(msg)
    if not any(config.weights.values()):
        msg = "rewards.weights are all 0; give at least one reward a weight"
        raise ConfigError(msg)
    return bound


def _reward_names(module: Any) -> list[str]:
    """Return the module's own functions that take completions first."""
    # a face hands its functions on lazily: dir() lists them, vars() what a user has added
    names = dict.fromkeys([*dir(module), *vars(module)])
    own = {n: getattr(module, n) for n in names if n[0] != "_"}
    return [
        n
        for n, f in own.items()
        if inspect.isfunction(f)
        and next(iter(inspect.signature(f).parameters), "") == "completions"
    ]


def _with_arguments(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    known = inspect.signature(function).parameters
    for argument in arguments:
        if argument not in known:
            msg = f"reward {name!r} has no argument {argument!r}; it has {', '.join(known)}"
            raise ConfigError(msg)

    @functools.wraps(function)
    def checked(completions: Any, **columns: Any) -> list[float | None]:
        values: list[float | None] = function(completions, **{**columns, **arguments})
        _check_values(name, values, len(completions), columns.get("id"))
        return values

    if arguments:  # a value that the reward refuses is refused here, before the model is loaded
        try:
            checked(["(0.0, 0.0)"], lat=[0.0], lon=[0.0])
        except ValueError as error:
            msg = f"rewards.arguments of {name}: {error}"
            raise ConfigError(msg) from error
    return checked


def _check_values(name: str, values: Any, answers: int, photos: Any) -> None:
    if len(values) != answers:
        msg = f"reward {name!r} gave {len(values)} values for {answers} answers; give one for each"
        raise ValueError(msg)
    for row, value in enumerate(values):
        if value is not None and not math.isfinite(value):
            where = f"answer {row}" + (f" (photo {photos[row]!r})" if photos else "")
            msg = (
                f"reward {name!r} gave {value} for {where}; give None to leave an answer out, "
                "or a finite number"
            )
            raise ValueError(msg)
