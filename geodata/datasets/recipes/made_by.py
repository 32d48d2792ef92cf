"""Which boundary set labelled the rows of a table, as the notes of its versions tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geodata import tables
from geodata.tables import DatasetError, Input, TableVersion

_SEEN = ("boundaries_sha256", "worldview", "dependencies", "lang")
"""What changes the names of a label; places and software change them too, but not their meaning."""


def labelled_by(version: TableVersion) -> Mapping[str, Any] | None:
    """Return what labelled the rows of a version; None where no note tells.

    The recipe ``labelled`` notes it; behind the others, the version they began from is asked.
    """
    asked: set[tuple[str, int]] = set()
    while (version.path.name, version.version) not in asked:  # a stranger's notes may go round
        asked.add((version.path.name, version.version))
        made_by = version.note.get("report", {}).get("made_by")
        if isinstance(made_by, Mapping) and "boundaries_sha256" in made_by:
            return made_by
        rows = version.note.get("inputs", {}).get("rows", {})
        if "table" not in rows or "version" not in rows:
            return None
        try:
            version = tables.open_version(version.path.parent / rows["table"], rows["version"])
        except tables.TableError:  # what it was made of was cleared away
            return None
    return None


def refuse_two_sets(one: Input, other: Input) -> None:
    """Refuse rows that two boundary sets, or two views of the world, have labelled.

    Raises
    ------
    DatasetError
        If both have labels and their notes tell that they differ.
    """
    if not all("country_code" in part.columns for part in (one, other)):
        return
    first, second = labelled_by(one.table), labelled_by(other.table)
    if not first or not second or all(first.get(key) == second.get(key) for key in _SEEN):
        return
    msg = (
        f"{one.label} is labelled with {_said(first)}, {other.label} with {_said(second)}: one "
        "name would mean two things; put the rows together first and label them then (geodata "
        "dataset build union --from photos, then labelled)"
    )
    raise DatasetError(msg)


def _said(made_by: Mapping[str, Any]) -> str:
    parts = [f"{made_by['boundaries']} {made_by['boundaries_sha256'][:12]}"]
    parts += [f"{key} {made_by[key]}" for key in _SEEN[1:] if made_by.get(key)]
    return ", ".join(parts)
