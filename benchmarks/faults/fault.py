"""One deliberate fault: a text that stands in a file, and what is put in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """A change of one place of one file."""

    file: str
    """From the root of the project."""
    start: int
    """Characters before the place."""
    end: int
    instead: str
    kind: str
    function: str = ""
    """Where it lies, as ``Class.method``; empty for the module itself."""
    tests: tuple[str, ...] = ()
    """That should see it; none: those that run the function."""

    def lines(self, whole: str) -> tuple[int, str, str]:
        """Return the line number, the lines that stand there and the lines after the change."""
        first = whole.rfind("\n", 0, self.start) + 1
        last = whole.find("\n", self.end)
        last = len(whole) if last < 0 else last
        after = whole[first : self.start] + self.instead + whole[self.end : last]
        return whole.count("\n", 0, first) + 1, _plain(whole[first:last]), _plain(after)

    def applied(self, whole: str) -> str:
        """Return the file with the fault."""
        return whole[: self.start] + self.instead + whole[self.end :]


def _plain(lines: str) -> str:
    return " ".join(lines.split())


def found_once(root: Path, file: str, there: str) -> int:
    """Return where a text stands in a file.

    Raises
    ------
    LookupError
        If it is not there, or more than once: the code moved on, and the entry must too.
    """
    whole = (root / file).read_text(encoding="utf-8") if (root / file).is_file() else ""
    if whole.count(there) != 1:
        msg = f"{there!r} stands {whole.count(there)} times in {file}, not once; mend the entry"
        raise LookupError(msg)
    return whole.index(there)
