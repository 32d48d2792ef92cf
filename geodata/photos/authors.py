"""Which salt an import hashes authors with, so that one table holds one kind of hash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from geodata import tables
from geodata.leakage import Salt

_PLAIN = "sha256"
_OWN = "sha256 with a salt"


def as_salt(salt: str | bytes | Salt | None) -> Salt | None:
    """Return a salt that was given as text or bytes; it has no mark."""
    if salt is None or isinstance(salt, Salt):
        return salt
    return Salt(salt.encode() if isinstance(salt, str) else salt)


def described(salt: Salt | None) -> str:
    """Return what a note says of the salt: nothing that tells it."""
    if salt is None:
        return _PLAIN
    return f"{_OWN} of the lake, {salt.mark}" if salt.mark else _OWN


def salt_for(
    target: str | os.PathLike[str],
    salt: str | bytes | Salt | Literal[False] | None,
    *,
    into_file: bool,
) -> Salt | None:
    """Return the salt of an import: what is given, what the table began with, or the lake's.

    Raises
    ------
    ValueError
        If the table began with a salt of somebody's own and none is given.
    """
    if salt is False or (salt is None and into_file):
        return None
    if salt is not None:
        return as_salt(salt)
    path = Path(target)
    before = _before(path)
    if before == _PLAIN:
        return None
    if before == _OWN:
        msg = (
            f"{path}: its authors are hashed with a salt that was given, and none is given now: "
            "photographers of two imports would not be one; give the same --salt (salt=)"
        )
        raise ValueError(msg)
    return tables.lake_salt(path.absolute().parent, make=True)


def _before(path: Path) -> str | None:
    """Return what the newest import into a table says of its authors; None where there is none."""
    if not tables.exists(path):
        return None
    notes: list[Any] = [commit.note for commit in tables.history(path)]
    return next((str(note["authors"]) for note in notes if "authors" in note), None)
