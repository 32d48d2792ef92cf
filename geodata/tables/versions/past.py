"""What happened to a table: its commits, and how a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geodata.printable import html

HEAD = ("version", "when, UTC", "what", "rows added", "made from", "seed", "tags")


@dataclass(frozen=True)
class Commit:
    """One entry of a table's history."""

    version: int
    time: datetime
    """When it was committed, UTC."""
    kind: str
    """``append``, ``write``, ``schema``, ``compact``, ``restore``, ``forget``, or what another tool
    calls it."""
    rows_added: int | None
    """Rows written with it; None where another tool did not say."""
    note: dict[str, Any]
    tags: tuple[str, ...]
    software: dict[str, str]


class History(list[Commit]):
    """The commits of a table, newest first.

    Examples
    --------
    >>> from datetime import UTC
    >>> one = Commit(0, datetime(2026, 11, 29, tzinfo=UTC), "append", 12_000, {}, ("v1",), {})
    >>> "<td>12,000</td>" in History([one])._repr_html_()
    True
    """

    def _repr_html_(self) -> str:
        """Return the history as a table, for a notebook."""
        head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
        rows = "".join(map(_row, self))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(commit: Commit) -> str:
    note = commit.note
    added = "" if commit.rows_added is None else f"{commit.rows_added:,}"
    recipe = f"{note['recipe']} of " if "recipe" in note else ""
    cells = (
        f"{commit.time:%Y-%m-%d %H:%M:%S}",
        commit.kind,
        added,
        recipe + ", ".join(_made_from(note)),
        note.get("seed", ""),
        ", ".join(commit.tags),
    )
    shown = "".join(f"<td>{html(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{commit.version}</th>{shown}</tr>'


def _made_from(note: dict[str, Any]) -> list[str]:
    """Return the names of a note's inputs; a note may say anything."""
    inputs, source = note.get("inputs"), note.get("source")
    if isinstance(inputs, dict):
        given = [one for one in inputs.values() if isinstance(one, dict)]
        return [
            str(one["file"]) if one.get("file") else f"{one.get('table')}@{one.get('version')}"
            for one in given
        ]
    return [str(source.get("name"))] if isinstance(source, dict) else []
