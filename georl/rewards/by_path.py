"""A reward of one's own: found by ``package.module:function``, called as TRL calls its own."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from functools import partial
from pathlib import Path
from typing import Any

from georl.config import ConfigError


def load(name: str) -> Any:
    """Import a reward by its name, also from the working directory.

    Parameters
    ----------
    name
        ``package.module:function``. Importing it runs its code: name only what you trust.

    Raises
    ------
    ConfigError
        If the module cannot be imported or has no such callable, with the nearest it has.

    Examples
    --------
    >>> load("georl.rewards:geo_r").__name__
    'geo_r'
    """
    module_name, _, attribute = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last: what is installed comes first
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a person's module may raise anything
        msg = (
            f"reward {name!r}: {module_name!r} cannot be imported ({type(error).__name__}: "
            f"{error}); start where it lies, or install it"
        )
        raise ConfigError(msg) from error
    found = getattr(module, attribute, None)
    if callable(found):
        return found() if inspect.isclass(found) else found
    callables = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
    near = difflib.get_close_matches(attribute, callables, 1, 0.3)
    hint = f"did you mean {module_name}:{near[0]}?" if near else "write package.module:function"
    msg = f"reward {name!r}: {module_name!r} has no function {attribute!r}; {hint}"
    raise ConfigError(msg)


def name_of(function: Any) -> str:
    """Return what a reward is called in the log: its own name, or that of its class.

    Raises
    ------
    ConfigError
        If it cannot be called.
    """
    while isinstance(function, partial):
        function = function.func
    if not callable(function):
        msg = f"reward_funcs has {function!r:.60}; give a function or the name of one"
        raise ConfigError(msg)
    return str(getattr(function, "__name__", type(function).__name__))


def is_async(function: Any) -> bool:
    """Return whether calling it gives something to await."""
    while isinstance(function, partial):
        function = function.func
    called = getattr(function, "__call__", None)  # noqa: B004, that of an instance
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
