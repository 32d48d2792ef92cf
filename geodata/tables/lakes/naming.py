"""Names of tables: what SQL calls them, and which two names would be one there."""

from __future__ import annotations

import re
from pathlib import Path

from geodata.tables import log
from geodata.tables.errors import TableError

_VERSION = re.compile(r"(.+)_v[0-9]+")


def sql_name(name: str) -> str:
    """Return the name of a table's view: letters that SQL does not take are ``_``.

    Examples
    --------
    >>> sql_name("mp16-hard")
    'mp16_hard'
    """
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def check_new(root: Path) -> None:
    """Refuse a new table that SQL could not tell from one that is there.

    Raises
    ------
    TableError
        If the name differs from another's in case or punctuation only, or is that of a version
        of another (``photos_v0`` beside ``photos``), or the reverse.
    """
    new = sql_name(root.name).casefold()
    if not root.parent.is_dir():
        return
    for other in sorted(root.parent.iterdir()):
        if other.name == root.name or not log.exists(other):
            continue
        old = sql_name(other.name).casefold()
        if new == old or _is_version(new, old) or _is_version(old, new):
            msg = (
                f"{root}: the table {other.name!r} is there, and SQL could not tell the two names "
                f"apart (it ignores case and punctuation, and {other.name}_v0 is its version 0); "
                "choose another name"
            )
            raise TableError(msg)


def _is_version(name: str, of: str) -> bool:
    found = _VERSION.fullmatch(name)
    return found is not None and found[1] == of
