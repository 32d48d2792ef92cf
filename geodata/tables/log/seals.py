"""Seals: the SHA-256 of each file of the log, beside it.

They tell damage. They are no signature: whoever can write the table can write a seal, so what
ties a table to what was published is the hash that was published with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from geodata import files
from geodata.tables.log.reading import LOG, SEALS


def seal(root: Path, version: int) -> None:
    """Record the SHA-256 of a commit, and of those just before it that have no seal yet.

    Writers that were killed left those; a full disk leaves them without.
    """
    folder = root / SEALS
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        first = version
        while first and not (folder / f"{first - 1:020}.sha256").exists():
            first -= 1
        for number in range(first, version + 1):
            stem = f"{number:020}"
            if not (folder / f"{stem}.sha256").exists():
                seal_file(root, f"{stem}.json", stem)


def seal_file(root: Path, name: str, stem: str) -> None:
    """Record the SHA-256 of a file of the log."""
    entry = root / LOG / name
    with entry.open("rb") as file:
        os.fsync(file.fileno())
    files.write_text(root / SEALS / f"{stem}.sha256", sealed_text(entry))


def break_seal(root: Path, stem: str) -> None:
    """Remove the seal of a file of the log that is about to be another."""
    (root / SEALS / f"{stem}.sha256").unlink(missing_ok=True)


def sealed_text(entry: Path) -> str:
    """Return what the seal of a file of the log says."""
    return hashlib.sha256(entry.read_bytes()).hexdigest() + "\n"
