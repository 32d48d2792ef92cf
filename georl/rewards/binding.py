"""Rewards by name: functions of a configuration, arguments bound and values checked."""

from __future__ import annotations

import difflib
import inspect
import math
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader
from pathlib import Path
from typing import Any, NamedTuple

from geodata.errors import GeodataError
from georl.config import ConfigError, RewardConfig
from georl.rewards import by_path, inputs


class RewardError(GeodataError, ValueError):
    """A reward that fails or gives no numbers: names it, the answer and the place in its code."""


class Chosen(NamedTuple):
    """The rewards of a run that were given in Python."""

    functions: list[Any]
    settings: RewardConfig


def bind_rewards(module: Any, config: RewardConfig) -> list[Any]:
    """Return the named functions with their arguments bound and what they give checked.

    Parameters
    ----------
    module
        `georl.rewards`, or another module of rewards.
    config
        Names, weights and arguments. A name with a colon, ``package.module:function``, is a
        function of one's own; the working directory counts among the places it may lie in.

    Raises
    ------
    ConfigError
        For an unknown name or argument, with what there is.

    Examples
    --------
    >>> from georl import rewards
    >>> [geo_r] = bind_rewards(rewards, RewardConfig({"geo_r": 1.0}))
    >>> geo_r(["Coordinates: (48.86, 2.35)"], lat=[48.86], lon=[2.35])
    [1.0]
    """
    known = _rewards_of(module)
    bound = [
        _with_arguments(name, _named(name, weight, known), config.arguments.get(name, {}))
        for name, weight in config.weights.items()
    ]
    unused = set(config.arguments) - set(config.weights)
    if unused:
        msg = f"rewards.arguments has {sorted(unused)}, which rewards.weights does not use"
        raise ConfigError(msg)
    if not any(config.weights.values()):
        msg = "rewards.weights are all 0; give at least one reward a weight"
        raise ConfigError(msg)
    return bound


def bind_given(module: Any, functions: Sequence[Any], config: RewardConfig) -> Chosen:
    """Return rewards given as functions or names, in place of those of a configuration.

    Parameters
    ----------
    module
        As `bind_rewards`.
    functions
        At least one; a name as in ``rewards.weights``, or a callable, which bears its own.
    config
        Says what a name weighs, and its arguments; a name that it does not have weighs 1.

    Raises
    ------
    ConfigError
        As `bind_rewards`; also for two of one name, or what is neither name nor callable.

    Examples
    --------
    >>> from georl import rewards
    >>> def short(completions, **columns):
    ...     return [float(len(text) < 80) for text in completions]
    >>> bind_given(rewards, ["geo_r", short], RewardConfig()).settings.weights
    {'geo_r': 1.0, 'short': 1.0}
    """
    by_name: dict[str, Any] = {}
    for function in functions:
        name = function if isinstance(function, str) else by_path.name_of(function)
        if name in by_name:
            msg = f"two rewards are called {name!r}, so the log could not tell them apart"
            raise ConfigError(f"{msg}; rename one")
        by_name[name] = function
    weights = {name: config.weights.get(name, 1.0) for name in by_name}
    arguments = {name: kept for name, kept in config.arguments.items() if name in by_name}
    settings = RewardConfig(weights, arguments)
    known = _rewards_of(module) | {n: f for n, f in by_name.items() if not isinstance(f, str)}
    bound = [
        _with_arguments(name, _named(name, weight, known), arguments.get(name, {}))
        for name, weight in weights.items()
    ]
    if not any(weights.values()):
        msg = "reward_funcs has no reward with a weight; give at least one"
        raise ConfigError(msg)
    return Chosen(bound, settings)


def valid(functions: Sequence[Any], config: RewardConfig, completions: Sequence[Any]) -> list[bool]:
    """Return which answers a reward that weighs anything can read.

    Strict rewards read the one pair of Geo-R Eq. 6, tolerant ones what
    `geodata.answers.parse_tolerant` reads without doubt, `geo_r_release` its own form. One's own
    reward may say it with an attribute ``valid``, a function of the completions that returns a
    bool for each; without it, it can read everything.

    Parameters
    ----------
    functions
        Of `bind_rewards`.
    config
        Their weights, in the same order.
    completions
        Length n.

    Examples
    --------
    >>> from georl import rewards
    >>> config = RewardConfig({"geo_r": 1.0})
    >>> valid(bind_rewards(rewards, config), config, ["(48.86, 2.35)", "somewhere in France"])
    [True, False]
    """
    found = [False] * len(completions)
    for function, weight in zip(functions, config.weights.values(), strict=True):
        if weight:
            read = getattr(function, "valid", None)
            mine = [True] * len(found) if read is None else read(completions)
            found = [bool(a or b) for a, b in zip(found, mine, strict=True)]
    return found


def _named(name: str, weight: float, known: dict[str, Any]) -> Any:
    if not math.isfinite(weight):
        msg = f"rewards.weights has {name}: {weight}; a weight is a finite number"
        raise ConfigError(msg)
    if name in known:
        return known[name]
    if ":" in name:
        return by_path.load(name)
    near = difflib.get_close_matches(name, known, 1, 0.3)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    msg = f"unknown reward {name!r} (weight {weight}); {hint}"
    raise ConfigError(msg)


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
    """Return the function as TRL calls it, async if it is, with its name and its reading."""
    _check_arguments(name, function, arguments)
    if builds_reward(function):
        with _fitting(name):
            function, arguments = function(**arguments), {}

    def checked(completions: Any, **columns: Any) -> list[float | None]:
        with _told(name, len(completions)):
            values = function(completions, **{**columns, **arguments})
        return _numbers(name, values, len(completions), columns.get("id"))

    async def awaited(completions: Any, **columns: Any) -> list[float | None]:
        with _told(name, len(completions)):
            values = await function(completions, **{**columns, **arguments})
        return _numbers(name, values, len(completions), columns.get("id"))

    called: Any = awaited if by_path.is_async(function) else checked
    called.__name__, called.__doc__ = name, function.__doc__
    called.valid = _reading(name, function, arguments)
    return called


def _check_arguments(name: str, function: Any, arguments: dict[str, Any]) -> None:
    known = inspect.signature(function).parameters
    for argument in arguments:
        if argument not in known:
            msg = f"reward {name!r} has no argument {argument!r}; it has {', '.join(known)}"
            raise ConfigError(msg)
    if not arguments or not _is_ours(function) or builds_reward(function):
        return
    with _fitting(name):
        function(["(0.0, 0.0)"], lat=[0.0], lon=[0.0], **arguments)


@contextmanager
def _fitting(name: str) -> Iterator[None]:
    """Refuse a value that the reward refuses, before the model is loaded."""
    try:
        yield
    except ConfigError:
        raise
    except (ValueError, TypeError) as error:
        kind = "; YAML reads 1e3 as text, write 1000.0" if isinstance(error, TypeError) else ""
        msg = f"rewards.arguments of {name}: {error}{kind}"
        raise ConfigError(msg) from error


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("georl.rewards.")


def _reading(name: str, function: Any, arguments: dict[str, Any]) -> Any:
    """Return the function that says which completions a reward can read, None for all."""
    said = getattr(function, "valid", None)
    if said is not None or str(getattr(function, "__module__", "")) != "georl.rewards.geo":
        return said  # the others read words, or say themselves what they read
    if arguments.get("tolerant"):
        return lambda completions: [pair is not None for pair in inputs.tolerant_pairs(completions)]
    if name == "geo_r_release":
        return lambda completions: [
            inputs.release_pair(text) is not None for text in inputs.texts(completions)
        ]
    return lambda completions: [pair is not None for pair in inputs.strict_pairs(completions)]


@contextmanager
def _told(name: str, answers: int) -> Iterator[None]:
    """Give what a reward raises its name and the line it was raised at."""
    try:
        yield
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        msg = f"reward {name!r} failed on {answers} answers: {type(error).__name__}: {error}"
        raise RewardError(f"{msg} ({where})") from error


def _numbers(name: str, values: Any, answers: int, photos: Any) -> list[float | None]:
    """Return what a reward gave as floats and None, one for each answer."""
    try:
        given = list(values)
    except TypeError:
        msg = f"reward {name!r} gave {values!r:.60}; give a list of a number or None for each"
        raise RewardError(f"{msg} of the {answers} answers") from None
    if len(given) != answers:
        msg = f"reward {name!r} gave {len(given)} values for {answers} answers; give one for each"
        raise RewardError(msg)
    found: list[float | None] = []
    for row, value in enumerate(given):
        number = _number(value)
        if number is not None and not math.isfinite(number):
            where = f"answer {row}" + (f" (photo {photos[row]!r})" if photos else "")
            msg = (
                f"reward {name!r} gave {value!r:.60} for {where}; give None to leave an answer "
                "out, or a finite number"
            )
            raise RewardError(msg)
        found.append(number)
    return found


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError, RuntimeError):
        return math.nan
