"""What a report is made of, whatever it is written as: sections of sentences, tables, remarks."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """A table whose cells are text as it is shown."""

    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    """A line of one cell is a heading of the lines below it."""
    title: str = ""
    """Empty where the title of the section says it."""
    align: str = ""
    """'l' or 'r', a letter a column; if empty, a column of text and then numbers."""
    strong: Container[int] = ()
    """Numbers of the lines that stand out."""
    bold: Container[tuple[int, int]] = ()
    """Line and column of the cells that stand out."""
    aside: int | None = None
    """Column that a page sets small, beside the column before it."""
    bar: int | None = None
    """Column of percentages that a page draws as bars too."""
    notes: Sequence[str] = ()
    links: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Address to which a cell leads, by line and column."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "align", self.align or "l".ljust(len(self.head), "r"))


@dataclass(frozen=True)
class Remark:
    """A finding in words."""

    severity: str
    code: str
    message: str
    rows: str
    """Empty where it is not about rows."""
    remedy: str


@dataclass(frozen=True)
class Section:
    """A part of a report with a heading; what it has is shown in the order of the fields."""

    name: str
    """Short and fixed: links and pictures go by it."""
    title: str
    about: str = ""
    tables: Sequence[Table] = ()
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True)
class Contents:
    """A whole report."""

    title: str
    about: tuple[str, ...]
    sections: tuple[Section, ...]
    facts: Table | None = None
    """What most readers want: name, number, what to know about it."""
    warned: bool = False
    """Whether the first sentence needs attention."""
    verdict: str = ""
    """How it came out, in one sentence; empty where nothing can be said."""
