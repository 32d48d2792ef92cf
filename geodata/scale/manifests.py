"""What lies beside a shard: what it is a shard of, how it was made, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geodata import files
from geodata.scale.dealing import Shard, ShardError

SCHEMA = "geodata.shard/1"


@dataclass(frozen=True)
class Manifest:
    """One finished shard.

    Attributes
    ----------
    shard : Shard
    about : dict
        What all shards of a job share: kind, input with its hash, rows in all, options with the
        hash of the boundary set, versions.
    rows : int
        Rows of this shard.
    files : dict of str to str
        Its files by name, with their SHA-256.
    more : dict
        What was counted.
    """

    shard: Shard
    about: Mapping[str, Any]
    rows: int
    files: Mapping[str, str]
    more: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Put it beside the shard, last of all: a shard without it is not finished."""
        plain = {
            "schema": SCHEMA, "shard": self.shard.number, "of": self.shard.count,
            "about": self.about, "rows": self.rows, "files": self.files, "more": self.more,
        }  # fmt: skip
        files.write_text(path_of(folder, self.shard), json.dumps(plain, indent=2) + "\n")

    def problem(self, folder: Path) -> str:
        """Return what is wrong with the files of the shard, empty if nothing."""
        for name, digest in self.files.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is gone"
            if files.sha256(path) != digest:
                return f"{name} is not what was written"
        return ""


def path_of(folder: Path, shard: Shard) -> Path:
    """Return where the manifest of a shard lies; readers of the folder pass over such names."""
    return folder / f"_{shard.name}.json"


def read_all(folder: Path) -> list[Manifest]:
    """Return the manifests in a folder by number, all of one job.

    Raises
    ------
    ShardError
        If one cannot be read, or two are of different jobs.
    """
    found = sorted((_read(path) for path in folder.glob("_shard-*.json")), key=_number)
    for one in found[1:]:
        refuse_another_job(found[0], one.shard, one.about, folder)
    return found


def refuse_another_job(
    known: Manifest, shard: Shard, about: Mapping[str, Any], folder: Path
) -> None:
    """Refuse a shard that is of another job than one that is there.

    Raises
    ------
    ShardError
        Naming what differs.
    """
    if known.shard.count != shard.count:
        msg = (
            f"{folder} holds shard {known.shard}, and {shard} is of another number of shards; keep "
            "one number, or write to another folder"
        )
        raise ShardError(msg)
    difference = _difference(known.about, json.loads(json.dumps(about)))
    if difference:
        msg = (
            f"{folder}: shard {shard} differs from shard {known.shard}: {difference}; make all "
            "shards from the same input with the same options, or write to another folder"
        )
        raise ShardError(msg)


def numbers(found: Sequence[int]) -> str:
    """Return numbers for a message, the first twenty.

    Examples
    --------
    >>> numbers([3]), numbers(range(1, 24))
    ('3', '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 3 more')
    """
    shown = ", ".join(map(str, found[:20]))
    return shown if len(found) <= 20 else f"{shown} and {len(found) - 20} more"


def _number(manifest: Manifest) -> int:
    return manifest.shard.number


def _read(path: Path) -> Manifest:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        shard = Shard(int(plain["shard"]), int(plain["of"]))
        manifest = Manifest(
            shard, plain["about"], int(plain["rows"]), plain["files"], plain["more"]
        )
        if plain["schema"] != SCHEMA or path.name != f"_{shard.name}.json":
            msg = f"it says {plain['schema']}, {shard}"
            raise ValueError(msg)
        parts = ("about", "files", "more")
        if wrong := [part for part in parts if not isinstance(plain[part], dict)]:
            msg = f"{wrong[0]!r} is no object"
            raise ValueError(msg)
        if not all(isinstance(digest, str) for digest in manifest.files.values()):
            msg = "a file has no SHA-256"
            raise ValueError(msg)
        if any(Path(name).is_absolute() or ".." in Path(name).parts for name in manifest.files):
            msg = "it names files of other folders"
            raise ValueError(msg)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is no manifest of a shard ({error}); remove it and make the shard again"
        raise ShardError(msg) from error
    return manifest


def _difference(one: Mapping[str, Any], other: Mapping[str, Any], where: str = "") -> str:
    """Return the first thing in which two jobs differ."""
    for key in dict.fromkeys([*one, *other]):
        a, b = one.get(key), other.get(key)
        if a == b:
            continue
        name = f"{where}{key}"
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            return _difference(a, b, f"{name} ")
        return f"{name} is {_short(b)}, there {_short(a)}"
    return ""


def _short(value: Any) -> str:
    return value[:12] if isinstance(value, str) and len(value) == 64 else repr(value)[:120]
