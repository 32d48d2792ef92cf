"""Build a dataset, replay one and compare, run its audits again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from geodata import hashing, tables
from geodata.datasets.audits import Audit, run_audits
from geodata.datasets.engines import EmptyDatasetError, Engine, Task, for_lake, here, not_empty
from geodata.datasets.recipes import (
    Made,
    Recipe,
    all_inputs,
    all_parameters,
    asked_for,
    recipe_of,
    with_source,
)
from geodata.tables import (
    DatasetError,
    Input,
    TableVersion,
    fitted,
    kept_schema,
    open_input,
    open_version,
    reopen,
    software,
)

__all__ = [
    "Built",
    "DatasetError",
    "EmptyDatasetError",
    "Task",
    "audit",
    "build",
    "build_by",
    "rebuild",
]

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
    >>> rebuild(lake.name, "rand").content_hash == sample.content_hash
    True
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


def rebuild(
    lake: _Path,
    name: str,
    version: int | str | None = None,
    *,
    write: bool = False,
    look_in: Sequence[_Path] = (),
) -> Built:
    """Replay a version from what its commit recorded, and compare the content hash.

    Parameters
    ----------
    version
        Number or tag, the latest by default.
    write
        Write the rows as a new version, to restore one whose files are damaged.
    look_in
        Folders where files that it was built from are now; they are known by their hash. The lake
        keeps small ones itself.

    Returns
    -------
    Built
        With the replayed content hash, which is the recorded one.

    Raises
    ------
    DatasetError
        If the version was not built by a recipe, an input changed, or the replay differs; the
        message says what else differs, such as versions of software.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> lake = tempfile.TemporaryDirectory()
    >>> photos = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3]})
    >>> _ = tables.write(lake.name + "/photos", photos)
    >>> made = build("labelled", lake.name)
    >>> rebuild(lake.name, "labelled").content_hash == made.content_hash
    True
    >>> lake.cleanup()
    """
    if write:
        tables.refuse_address(lake)
    lake = tables.near(lake, inputs=True)
    path = tables.path_of(lake, name)
    recorded = open_version(path, version, check=not write)
    note = _recipe_note(recorded)
    spec, values = _recorded(note)
    opened = {role: reopen(lake, role, ref, look_in) for role, ref in note["inputs"].items()}
    made = _made(note["recipe"], spec, opened, note["seed"], values)
    if write:
        number = tables.write(path, made.batches, note, schema=made.schema)
        found = tables.open(path, number).content_hash
    else:
        number, found = recorded.version, _content_hash(made)
    if found != recorded.content_hash:
        raise DatasetError(_differs(recorded, note, made, found))
    return Built(name, number, found, made.rows, made.report)


def _recorded(note: Mapping[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe of a note and its parameters, those of its time where it lacks some."""
    known = recipe_of(note["recipe"])
    before = {} if known is None else dict(known.before)
    spec, values = all_parameters(note["recipe"], {**before, **note["parameters"]}, note["seed"])
    function, recorded = spec.identity(), note.get("function")
    if function is not None and recorded is not None:
        now, then = function["source_sha256"], str(recorded.get("source_sha256"))
        if now != then:
            msg = (
                f"the function {function['name']} of recipe {note['recipe']!r} changed: its source "
                f"has SHA-256 {now[:12]}, the dataset was built with {then[:12]}; register the one "
                "of that time, or build the dataset again"
            )
            raise DatasetError(msg)
    return spec, values


def audit(
    lake: _Path,
    name: str,
    version: int | str | None = None,
    *,
    look_in: Sequence[_Path] = (),
) -> tuple[Audit, ...]:
    """Run the audits that fit a dataset's recipe and return what they find.

    Raises
    ------
    DatasetError
        If the version was not built by a recipe, or an input that an audit needs changed.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> lake = tempfile.TemporaryDirectory()
    >>> photos = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3]})
    >>> _ = tables.write(lake.name + "/photos", photos)
    >>> _ = build("labelled", lake.name)
    >>> [(found.name, found.offending) for found in audit(lake.name, "labelled")]
    [('dataset_duplicate_ids', 0), ('dataset_null_country', 0)]
    >>> lake.cleanup()
    """
    lake = tables.near(lake, inputs=True)
    opened = tables.open(tables.path_of(lake, name), version)
    note = _recipe_note(opened)
    return run_audits(
        opened,
        note,
        {role: reopen(lake, role, ref, look_in) for role, ref in note["inputs"].items()},
    )


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


def _made(
    recipe: str, spec: Recipe, opened: Mapping[str, Input], seed: int, values: Mapping[str, Any]
) -> Made:
    return not_empty(recipe, spec.make(opened, seed, **values))


def _content_hash(made: Made) -> str:
    kept = kept_schema(made.schema)
    sums = (hashing.of_table(fitted(t, kept)) for t in made.batches)
    return hashing.digest(hashing.combine(sums), kept)


def _recipe_note(version: TableVersion) -> dict[str, Any]:
    note = version.note
    if "recipe" not in note:
        msg = (
            f"{version.path.name}@{version.version} was not built by a recipe, so there is nothing "
            "to replay or audit; its history says where it came from"
        )
        raise DatasetError(msg)
    return note


def _differs(recorded: TableVersion, note: Mapping[str, Any], made: Made, found: str) -> str:
    then = {**note.get("code", {}), **note.get("report", {}).get("made_by", {})}
    now = {**software(), **made.report.get("made_by", {})}
    changed = [f"{k} was {then.get(k)} and is {v}" for k, v in now.items() if then.get(k) != v]
    return (
        f"{recorded.path.name}@{recorded.version}: the replay has content hash {found[:12]}, "
        f"recorded is {recorded.content_hash[:12]}; "
        f"{'; '.join(changed) or 'software and boundaries are of the same version'}"
    )
