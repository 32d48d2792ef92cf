"""Recipes of one's own: a Python function, recorded with the hash of its source."""

from __future__ import annotations

import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from geodata import query
from geodata.datasets.recipes.sampling import Made
from geodata.files import as_table
from geodata.tables import DatasetError, Input


def source_hash(function: Callable[..., Any]) -> str:
    """Return SHA-256 of a function's source text.

    Raises
    ------
    DatasetError
        If there is no source, as of a function typed into a prompt.
    """
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        msg = (
            f"{getattr(function, '__qualname__', function)!r}: its source cannot be read, so no "
            "replay could tell whether it is the same; define it in a file"
        )
        raise DatasetError(msg) from error
    return hashlib.sha256(text.encode()).hexdigest()


def roles_of(function: Callable[..., Any]) -> list[str]:
    """Return the inputs of a function, its positional parameters.

    Raises
    ------
    DatasetError
        If the first is not ``rows``, or it takes any number.
    """
    kinds = inspect.signature(function).parameters.values()
    roles = [p.name for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in kinds) or roles[:1] != ["rows"]:
        msg = (
            f"{function.__qualname__}{inspect.signature(function)}: expected def name(rows, "
            "other, ..., *, parameter=default): tables first, 'rows' the first of them, parameters "
            "by keyword, no * or **"
        )
        raise DatasetError(msg)
    return roles


def maker(function: Callable[..., Any], name: str) -> Callable[..., Made]:
    """Return a recipe that hands whole tables to a function and takes a table from it."""
    takes_seed = "seed" in inspect.signature(function).parameters

    def make(inputs: Mapping[str, Input], seed: int, **values: Any) -> Made:
        given = [query.typed_rows(inputs[role].source) for role in roles_of(function)]
        seeded = {"seed": seed} if takes_seed else {}
        made = function(*given, **values, **seeded)
        try:
            table = as_table(made, f"what {name} returns")
        except TypeError as error:
            raise DatasetError(str(error)) from error

        def batches() -> Iterator[pa.Table]:
            yield table

        report = {"rows_in": given[0].num_rows, "rows": table.num_rows}
        return Made(table.schema, batches(), table.num_rows, report, f"{name} returned no row")

    return make
