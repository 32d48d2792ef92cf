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
from geodata.tables.log import LOG, SEALS


def seal(root: Path) -> None:
    """Record the SHA-256 of every commit that has no seal yet; a full disk leaves them without."""
    folder = root / SEALS
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        sealed = {name.removesuffix(".sha256") for name in os.listdir(folder)}  # noqa: PTH208
        names = os.listdir(root / LOG)  # noqa: PTH208, thousands of them
        for name in sorted(names):
            stem = name.removesuffix(".json")
            if stem != name and stem.isdigit() and stem not in sealed:
                seal_file(root, name, stem)


def seal_file(root: Path, name: str, stem: str) -> None:
    """Record the SHA-256 of a file of the log."""
    entry = root / LOG / name
    with entry.open("rb") as file:
        os.fsync(file.fileno())
    files.write_text(root / SEALS / f"{stem}.sha256", sealed_text(entry))


def sealed_text(entry: Path) -> str:
    """Return what the seal of a file of the log says."""
    return hashlib.sha256(entry.read_bytes()).hexdigest() + "\n"
