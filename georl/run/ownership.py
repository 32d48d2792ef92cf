"""Whose folder an output is: a run writes into its own, and never deletes what another made.

The first file of a run says that the folder is its own; a lock says that it is at work there.
What an earlier run left, and a new one replaces, is moved aside.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from geodata.files import write_text
from geodata.printable import tell
from georl.config import ConfigError, is_first
from georl.run import checkpoints
from georl.run.checkpoints import CheckpointError
from georl.run.record import GROUPS, METRICS, ROLLOUTS

OWNER, LOCK, REPLACED = "run.json", "run.lock", "replaced"

MODELS = ("final", "best", "best.part", "best.old")
"""Folders of models that a run writes beside its checkpoints; the last two while the best changes,
and a killed run leaves them."""

RECORD = (METRICS, GROUPS, ROLLOUTS, "rollouts.parquet", "curves.png", "config.yaml", "README.md")
"""What a run writes beside its models."""

PATIENCE_S = 3.0
"""A run that was killed may leave workers that hold its lock for a moment."""

_held: dict[Path, FileLock] = {}
"""Locks of this process, until it ends."""


def refuse_foreign(output: Path) -> None:
    """Refuse a folder in which this run would replace what no run of georl made, or one at work.

    Nothing is written.

    Raises
    ------
    ConfigError
        With the file or folder, and what to do.
    """
    if not output.exists():
        return
    if not output.is_dir():
        msg = f"output {str(output)!r} is a file; set another output"
        raise ConfigError(msg)
    foreign = _foreign(output)
    if foreign:
        msg = (
            f"{output} holds {', '.join(foreign)}, which no run of georl made and this one would "
            "replace; set another output, or move them away"
        )
        raise ConfigError(msg)
    if is_first() and (output / LOCK).exists() and output.resolve() not in _held:
        _lock(output).release()


def _foreign(output: Path) -> list[str]:
    """Return what would be replaced and is not known to be ours; nothing in a marked folder."""
    if _owner(output) is not None:
        return []
    models = [*checkpoints.listed(output), *(output / name for name in MODELS)]
    there = [path for path in models if os.path.lexists(path)]
    strange = [path for path in there if not _is_sealed(path)]
    sealed = len(there) > len(strange)
    record = [output / name for name in RECORD if os.path.lexists(output / name)]
    return sorted(path.name for path in [*strange, *([] if sealed else record)])


def _is_sealed(folder: Path) -> bool:
    try:
        return "run" in checkpoints.manifest(folder)
    except (CheckpointError, OSError, ValueError):
        return False


def take(output: Path) -> None:
    """Hold the lock of an output folder until this process ends.

    Raises
    ------
    ConfigError
        If another process holds it.
    """
    output.mkdir(parents=True, exist_ok=True)
    if output.resolve() not in _held:
        _held[output.resolve()] = _lock(output)


def _lock(output: Path) -> FileLock:
    lock = FileLock(output / LOCK)
    try:
        lock.acquire(timeout=PATIENCE_S)
    except Timeout:
        msg = f"another run is at work in {output}; wait for its end, or set another output"
        raise ConfigError(msg) from None
    return lock


def claim(output: Path, own: Mapping[str, Any], step: int) -> None:
    """Write this run's mark, after moving aside what another run left in the folder.

    Parameters
    ----------
    output
        Taken by `take`.
    own
        `georl.run.checkpoints.identity` of the run.
    step
        Of the checkpoint that the run goes on from; -1 starts over. Later ones leave the place
        where they are written again: what is whole is moved aside, and what was cut short while
        being written is deleted, since nobody can use it.
    """
    refuse_foreign(output)
    digest = hashlib.sha256(json.dumps(dict(own), sort_keys=True).encode()).hexdigest()
    moved = []
    for folder in checkpoints.listed(output):
        if checkpoints.step_of(folder) <= step:
            continue
        if (folder / checkpoints.MARKER).exists():
            moved.append(folder)
        else:
            tell(f"deleting {folder}, which was cut short while being written")
            checkpoints.delete(folder)
    if _owner(output) != digest:
        moved += [output / name for name in (*MODELS, *(RECORD if step < 0 else ()))]
    _aside(output, moved)
    write_text(output / OWNER, json.dumps({"made_by": "georl", "run": digest}) + "\n")


def _aside(output: Path, paths: list[Path]) -> None:
    moved = [path for path in paths if os.path.lexists(path)]
    if not moved:
        return
    replaced = output / REPLACED
    replaced.mkdir(exist_ok=True)
    taken = [int(path.name) for path in replaced.iterdir() if path.name.isdecimal()]
    target = replaced / str(max(taken, default=0) + 1)
    target.mkdir()
    for path in moved:
        path.rename(target / path.name)
    tell(f"moved {', '.join(path.name for path in moved)} of an earlier run to {target}")


def _owner(output: Path) -> str | None:
    """Return the mark of the run that made a folder, None where there is none of ours."""
    try:
        content = json.loads((output / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(content, dict) and content.get("made_by") == "georl"
    return str(content.get("run")) if ours else None
