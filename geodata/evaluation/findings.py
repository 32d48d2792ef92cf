"""What the checks of a prediction file say: one finding each, with rows and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from geodata.errors import GeodataError

Severity = Literal["info", "warning", "error"]

SHOWN = 10
"""A finding names this many rows at most; ``count`` tells how many there are."""


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the score should know."""

    code: str
    """A stable name such as 'duplicate_ids'."""
    severity: Severity
    message: str
    rows: tuple[int, ...]
    """The first rows it is about, counted from 1 without the header; may be empty."""
    count: int
    """How many rows it is about in all."""
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON types."""
        return {**asdict(self), "rows": list(self.rows)}

    def __str__(self) -> str:
        where = f" (rows {', '.join(map(str, self.rows))}" if self.rows else ""
        if where:
            where += ", ...)" if self.count > len(self.rows) else ")"
        return f"{self.severity}: {self.code}: {self.message}{where}. {self.remedy}"


class PredictionError(GeodataError, ValueError):
    """A prediction or truth file that cannot be scored as it is."""

    exit_status = 1

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding).removeprefix("error: "))
        self.finding = finding


def finding(
    code: str,
    severity: Severity,
    message: str,
    remedy: str,
    *,
    rows: Iterable[int] = (),
    count: int | None = None,
) -> Finding:
    """Return a finding about zero-based rows; ``count`` is their number unless given.

    Examples
    --------
    >>> print(finding("null_island", "warning", "2 answers at (0, 0)", "Look.", rows=[0, 6]))
    warning: null_island: 2 answers at (0, 0) (rows 1, 7). Look.
    """
    numbers = [int(row) + 1 for row in rows]
    total = len(numbers) if count is None else int(count)
    return Finding(code, severity, message, tuple(numbers[:SHOWN]), total, remedy)


def with_missing_excluded(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings that say of rows without an answer that they are not counted.

    Examples
    --------
    >>> found = [finding("refused", "info", "2 answers say nothing, and count as wrong", "")]
    >>> with_missing_excluded(found)[0].message
    '2 answers say nothing, and are not counted'
    """
    return [
        replace(one, message=one.message.replace("and count as wrong", "and are not counted"))
        for one in findings
    ]


def errors_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with errors first, then warnings, each once.

    Examples
    --------
    >>> found = [finding(one, one, "", "") for one in ("info", "error", "info")]
    >>> [one.code for one in errors_first(found)]
    ['error', 'info']
    """
    order = ("error", "warning", "info")
    return sorted(dict.fromkeys(findings), key=lambda one: order.index(one.severity))


def failing(findings: Sequence[Finding], *, strict: bool = False) -> list[Finding]:
    """Return the findings that fail a run: the errors and, if strict, the warnings.

    Examples
    --------
    >>> found = finding("null_island", "warning", "1 answer at (0, 0)", "Look.", rows=[0])
    >>> len(failing([found])), len(failing([found], strict=True))
    (0, 1)
    """
    bad = {"error", "warning"} if strict else {"error"}
    return [found for found in findings if found.severity in bad]
