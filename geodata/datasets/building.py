"""Build a dataset as a new version of a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, overload

from geodata import tables
from geodata.datasets.audits import Audit, run_audits
from geodata.datasets.engines import EmptyDatasetError, Engine, Task, for_lake, here
from geodata.datasets.recipes import all_inputs, all_parameters, asked_for, with_source
from geodata.tables import DatasetError, Input, open_input, software

__all__ = ["Built", "DatasetError", "EmptyDatasetError", "Task", "build", "build_by"]

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Built:
    """A dataset that was built or replayed."""

    name: str
    version: int
    content_hash: str
    rows: int
    report: Mapping[str, Any]
    """What the recipe counted: rows in, rows left out and why."""
    audits: tuple[Audit, ...] = ()
    """What the audits found; empty for a replay, whose rows are those of the version."""

    @property
    def ok(self) -> bool:
        """Whether no audit found a row."""
        return not any(a.offending for a in self.audits)


@overload
def build(
    recipe: str,
    lake: _Path,
    name: str | None = None,
    inputs: Any = None,
    *,
    source: Any = None,
    seed: int = 0,
    **params: Any,
) -> Built: ...
@overload
def build(
    lake: _Path,
    name: str,
    recipe: str,
    inputs: Any = None,
    *,
    source: Any = None,
    seed: int = 0,
    **params: Any,
) -> Built: ...
def build(*asked: Any, source: Any = None, seed: int = 0, **params: Any) -> Built:
    """Build a dataset as a new version of a table of a lake.

    Called as ``build(recipe, lake, name=None, inputs=None, ...)``. The order of earlier releases,
    ``build(lake, name, recipe, inputs=None, ...)``, is understood as well.

    Parameters
    ----------
    recipe
        A key of `geodata.datasets.RECIPES`, or one of `geodata.datasets.register`.
    lake
        Folder of tables, or one in a bucket, ``s3://bucket/lake``: the tables that are read are
        brought over to ``TMPDIR`` meanwhile.
    name
        Table to write; a new version if it is there. By default it is called like the recipe. A
        table that no recipe made is refused.
    inputs
        Role to table (``labelled``, ``labelled@3``, ``labelled@tag``) or file; one text is the
        role ``rows``. Roles that are not given take the recipe's default table. A file is known
        by its hash and name: one of up to 64 MiB is copied into the lake.
    source
        The role ``rows``.
    seed
        Of everything that is random.
    **params
        Of the recipe, see its function: `geodata.datasets.recipes.rand.rand` and so on.

    Returns
    -------
    Built
        With what the audits of ``sql/audits`` found in the new version.

    Raises
    ------
    DatasetError
        For an unknown recipe or parameter, missing columns, or rows that do not suffice.
    EmptyDatasetError
        If no row would be left.
    TableError, FileError
        If an input is not there or was changed, or the disk is full. After any error the table
        is as it was before.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> lake = tempfile.TemporaryDirectory()
    >>> photos = pa.table({"photo_id": ["a", "b", "c"], "lat": [48.9, 35.7, None],
    ...                    "lon": [2.3, 139.7, None]})
    >>> _ = tables.write(lake.name + "/photos", photos)
    >>> made = build("labelled", lake.name)
    >>> made.rows, made.report["match"]
    (3, {'inside': 2, 'nearest': 0, 'none': 0, 'invalid': 1})
    >>> build("filter", lake.name, where="country_code = 'JP'", source="labelled").rows
    1
    >>> sample = build("rand", lake.name, n=1, seed=7)
    >>> sample.report["without_valid_coordinates"], sample.ok
    (1, True)
    >>> lake.cleanup()
    """
    return build_by(here, *asked, source=source, seed=seed, **params)


def build_by(engine: Engine, *asked: Any, source: Any, seed: int, **params: Any) -> Built:
    """Build a dataset as `build` does, its rows made and written by an engine."""
    recipe, lake, name, inputs = asked_for(asked, params)
    engine, lake = for_lake(engine, lake)
    if source is not None:
        inputs = with_source(inputs, source)
    path = tables.path_of(lake, name)
    spec, values = all_parameters(recipe, params, seed)
    opened = {
        role: open_input(lake, role, source)
        for role, source in all_inputs(recipe, spec, inputs).items()
    }
    _check_target(lake, name, opened)
    function = spec.identity()
    made, commit = engine(Task(recipe, spec, opened, seed, values, path))
    for one in opened.values():
        one.keep(lake)
    note = {
        "recipe": recipe,
        "parameters": values,
        "seed": seed,
        "inputs": {role: dict(source.reference) for role, source in opened.items()},
        "report": made.report,
        "code": software(),
        **({} if function is None else {"function": function}),
    }
    version = commit(note)
    written = tables.open(path, version)
    audits = run_audits(written, note, opened)
    return Built(name, version, written.content_hash, written.rows, made.report, audits)


def _check_target(lake: _Path, name: str, opened: Mapping[str, Input]) -> None:
    opened["rows"].table  # noqa: B018, says that a file is none
    used = [i for i in opened.values() if i.version and i.version.path.name == name]
    if used:
        msg = (
            f"the dataset {name!r} would be built from itself ({used[0].label}); choose another "
            "name"
        )
        raise DatasetError(msg)
    path = tables.path_of(lake, name)
    if name in tables.names(lake) and "recipe" not in tables.history(path)[0].note:
        msg = f"the table {name!r} was not built by a recipe; choose another name to keep it"
        raise DatasetError(msg)
