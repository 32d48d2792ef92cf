"""Which salt an import hashes authors with, so that one table holds one kind of hash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from geodata import tables
from geodata.leakage import Salt, marked_salt

_PLAIN = "sha256"
_LAKES = "sha256 with a salt of the lake"
_OWN = "sha256 with a salt of its own"
_UNMARKED = "sha256 with a salt"
"""What a note said of a salt that was given, when its hashes had no mark."""


def as_salt(salt: str | bytes | Salt | None) -> Salt | None:
    """Return a salt that was given as text or bytes, with its mark."""
    if salt is None or isinstance(salt, Salt):
        return salt
    return marked_salt(salt.encode() if isinstance(salt, str) else salt)


def described(salt: Salt | None, lakes: Salt | None = None) -> str:
    """Return what a note says of the salt: nothing that tells it, but its mark."""
    if salt is None:
        return _PLAIN
    if not salt.mark:
        return _UNMARKED
    return f"{_LAKES if salt == lakes else _OWN}, {salt.mark}"


def salt_for(
    target: str | os.PathLike[str], salt: str | bytes | Salt | Literal[False] | None
) -> tuple[Salt | None, str]:
    """Return the salt of an import into a table, and what the note says of it.

    That is the salt that is given, or what the table began with, or the lake's.

    Raises
    ------
    ValueError
        If the table began with another one, or with one of its own and none is given.
    """
    path = Path(target)
    before = _before(path)
    lakes = tables.lake_salt(path.absolute().parent, make=salt is None and before is None)
    if salt is None:
        chosen = lakes if before is None or before.startswith(_LAKES) else None
    else:
        chosen = as_salt(salt or None)
    if before == _UNMARKED and chosen is not None:
        chosen = Salt(chosen.value)  # as the hashes that are there
    told = described(chosen, lakes)
    if before is None or _mark(before) == _mark(told):
        return chosen, told
    msg = (
        f"{path}: its authors are hashed as {before!r}, and this import would hash them as "
        f"{told!r}: photographers of two imports would not be one; give the same --salt (salt=), "
        "put the lake's _private/salt back, or import into another table"
    )
    raise ValueError(msg)


def _mark(told: str) -> str:
    """Return the part of a note that tells one kind of hash from another."""
    return told.rpartition(", ")[2]


def _before(path: Path) -> str | None:
    """Return what the newest import into a table says of its authors; None where there is none."""
    if not tables.exists(path):
        return None
    notes: list[Any] = [commit.note for commit in tables.history(path)]
    return next((str(note["authors"]) for note in notes if "authors" in note), None)
