"""Options that belong together, declared once as a dataclass; and defaults that Python has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from typer.core import TyperCommand


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose dataclass parameters are taken apart into options.

    Typer sees the fields of the dataclass in the place of the parameter; the command gets the
    dataclass again, made of what was given.

    Examples
    --------
    >>> import dataclasses
    >>> @dataclasses.dataclass(frozen=True)
    ... class Place:
    ...     lat: float
    ...     lon: float = 0.0
    >>> @with_groups
    ... def show(name: str, place: Place, loud: bool = False) -> None:
    ...     print(name, place.lat, place.lon)
    >>> list(inspect.signature(show).parameters)
    ['name', 'lat', 'lon', 'loud']
    >>> show(name="here", lat=1.5)
    here 1.5 0.0
    """
    signature = inspect.signature(command, eval_str=True)
    declared = signature.parameters.values()
    groups: dict[str, Any] = {p.name: p.annotation for p in declared if is_dataclass(p.annotation)}
    flat: list[inspect.Parameter] = []
    for parameter in declared:
        group = groups.get(parameter.name)
        if group is None:
            flat.append(parameter)
        else:
            flat += inspect.signature(group, eval_str=True).parameters.values()

    @functools.wraps(command)
    def ungrouped(**given: Any) -> None:
        for name, group in groups.items():
            own = [field.name for field in fields(group) if field.name in given]
            given[name] = group(**{field: given.pop(field) for field in own})
        command(**given)

    # A required option may follow one that has a default: they are given by name.
    flat = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in flat]
    ungrouped.__signature__ = signature.replace(parameters=flat)  # type: ignore[attr-defined]
    return ungrouped


class ShowsDefaults(TyperCommand):
    """A command whose options are None unless given; its help shows what Python takes then."""

    def python_defaults(self) -> Mapping[str, Any]:
        """Return the default of each option by parameter name, read from the Python function."""
        raise NotImplementedError

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help with the defaults, which are read only for this."""
        defaults = self.python_defaults()
        for option in self.params:
            default = defaults.get(option.name or "")
            if default is not None:
                option.default = _shown(default)
        super().format_help(ctx, formatter)


def keyword_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the names and defaults of a function's keyword-only parameters."""
    found = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}


def given(group: Any) -> dict[str, Any]:
    """Return the fields of an option group that were given, by name."""
    values = {field.name: getattr(group, field.name) for field in fields(group)}
    return {name: value for name, value in values.items() if value is not None}


def _shown(default: Any) -> str:
    if isinstance(default, tuple | list):
        return ",".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)
