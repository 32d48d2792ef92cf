"""Faults that change nothing that anybody could see, with the reason: they are not counted.

An entry names the file, the lines as they stand (blanks between words as one) and the lines with
the fault. It must fit: the lines are looked for whenever faults are drawn.
"""

from __future__ import annotations

from pathlib import Path

EQUIVALENT: tuple[tuple[str, str, str, str], ...] = ()  # (file, there, instead, why)


def reasons(root: Path) -> dict[tuple[str, str, str], str]:
    """Return why each fault of the list changes nothing.

    Raises
    ------
    LookupError
        If the lines of an entry are not in its file any more.
    """
    for file, there, _, _ in EQUIVALENT:
        path = root / file
        if not path.is_file() or there not in " ".join(path.read_text(encoding="utf-8").split()):
            msg = f"{there!r} does not stand in {file}; mend or remove the entry"
            raise LookupError(msg)
    return {entry[:3]: entry[3] for entry in EQUIVALENT}
