"""What a shell completes: the names of tables, also as the last word of a query.

``geodata --install-completion`` switches it on. The tables are those of ``--lake`` where it stands
before the word, else of a folder ``lake`` here.
"""

from __future__ import annotations

import re
from typing import Any

_LAST_WORD = re.compile(r"^(?P<before>.*?)(?P<word>[A-Za-z_]\w*)?$", re.DOTALL)
_BEFORE_A_TABLE = re.compile(r"\b(?:from|join|describe|summarize)\s+$|,\s*$", re.IGNORECASE)


def tables(ctx: Any, incomplete: str) -> list[str]:
    """Return the tables whose names begin so."""
    return [name for name in _names(ctx) if name.startswith(incomplete)]


def query(ctx: Any, incomplete: str) -> list[str]:
    """Return the query with its last word, where a table's name stands, completed."""
    from geodata.tables import sql_name

    parts = _LAST_WORD.match(incomplete)
    if parts is None or not _BEFORE_A_TABLE.search(parts["before"]):
        return []
    word = parts["word"] or ""
    names = map(sql_name, _names(ctx))
    return [parts["before"] + name for name in names if name.startswith(word)]


def _names(ctx: Any) -> list[str]:
    """Return the tables of the lake; none where there is no lake: a shell asked, not a person."""
    from geodata import tables as lakes

    try:
        return lakes.names(ctx.params.get("lake") or "lake")
    except (ValueError, OSError):
        return []
