"""Rewards by name: functions of a configuration, arguments bound and values checked."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from importlib.abc import InspectLoader
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
    known = _rewards_of(module)
    for name, weight in config.weights.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            msg = f"unknown reward {name!r} (weight {weight}); {hint}"
            raise ConfigError(msg)
        if not math.isfinite(weight):
            msg = f"rewards.weights has {name}: {weight}; a weight is a finite number"
            raise ConfigError(msg)
        bound.append(_with_arguments(name, known[name], config.arguments.get(name, {})))
    unused = set(config.arguments) - set(config.weights)
    if unused:
        msg = f"rewards.arguments has {sorted(unused)}, which rewards.weights does not use"
        raise ConfigError(msg)
    if not any(config.weights.values()):
        msg = "rewards.weights are all 0; give at least one reward a weight"
        raise ConfigError(msg)
    return bound


def _rewards_of(module: Any) -> dict[str, Any]:
    """Return the functions of a module that take completions first: its own, and added ones.

    A function with a true attribute ``builds_reward`` is called with the arguments first and gives
    the reward. What its source imports from elsewhere is a helper and no reward, whatever it takes.
    """
    # a face hands its functions on lazily: dir() lists them, vars() what a user has added
    names = dict.fromkeys(n for n in (*dir(module), *vars(module)) if n[0] != "_")
    written = _names_in_source(module)
    functions = {n: f for n in names if inspect.isfunction(f := getattr(module, n))}
    return {
        name: function
        for name, function in functions.items()
        if (
            next(iter(inspect.signature(function).parameters), "") == "completions"
            or builds_reward(function)
        )
        and (name not in written or f"{function.__module__}.".startswith(f"{module.__name__}."))
    }


def builds_reward(function: Any) -> bool:
    """Return whether a function makes a reward of its arguments rather than being one."""
    return bool(getattr(function, "builds_reward", False))


def _names_in_source(module: Any) -> set[str]:
    """Return the names that a module's source binds; what is set on it later is none of them."""
    loader = getattr(getattr(module, "__spec__", None), "loader", None)
    code = loader.get_code(module.__name__) if isinstance(loader, InspectLoader) else None
    return set(code.co_names) if code else set()


def _with_arguments(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    known = inspect.signature(function).parameters
    for argument in arguments:
        if argument not in known:
            msg = f"reward {name!r} has no argument {argument!r}; it has {', '.join(known)}"
            raise ConfigError(msg)

    if builds_reward(function):
        function, arguments = function(**arguments), {}
        return _checked(name, function, arguments)
    checked = _checked(name, function, arguments)
    if arguments:  # a value that the reward refuses is refused here, before the model is loaded
        try:
            checked(["(0.0, 0.0)"], lat=[0.0], lon=[0.0])
        except ValueError as error:
            msg = f"rewards.arguments of {name}: {error}"
            raise ConfigError(msg) from error
    return checked


def _checked(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    @functools.wraps(function)
    def checked(completions: Any, **columns: Any) -> list[float | None]:
        values: list[float | None] = function(completions, **{**columns, **arguments})
        _check_values(name, values, len(completions), columns.get("id"))
        return values

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
