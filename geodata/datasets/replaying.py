"""Replay a version of a dataset and compare, run its audits again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from geodata import hashing, tables
from geodata.datasets.audits import Audit, run_audits
from geodata.datasets.building import Built
from geodata.datasets.engines import Task
from geodata.datasets.recipes import Made, Recipe, all_parameters, recipe_of
from geodata.tables import (
    DatasetError,
    TableVersion,
    fitted,
    kept_schema,
    open_version,
    reopen,
    software,
)

_Path = str | os.PathLike[str]


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
        Write the rows as a new version, to restore one whose files are damaged; a replay that
        differs is not written.
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
    >>> from geodata.datasets import build
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
    task = Task(note["recipe"], spec, opened, note["seed"], values, path)
    made = task.make()
    replayed = _replayed(made, recorded, note)
    if write:
        number = tables.write(path, replayed, note, schema=made.schema)
    else:
        number = recorded.version
        for _ in replayed:
            pass
    return Built(name, number, recorded.content_hash, made.rows, made.report)


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
    >>> from geodata.datasets import build
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


def _replayed(made: Made, recorded: TableVersion, note: Mapping[str, Any]) -> Iterator[pa.Table]:
    """Yield the rows of a replay, and refuse them in the end if they are not the recorded ones."""
    kept, sums = kept_schema(made.schema), hashing.Sums()
    for table in made.batches:
        sums = sums.plus(hashing.of_table(fitted(table, kept)))
        yield table
    found = hashing.digest(sums, kept)
    if found != recorded.content_hash:
        raise DatasetError(_differs(recorded, note, made, found))


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
