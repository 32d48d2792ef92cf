"""Checkpoints that are whole or refused, and the newest one that a run may go on from.

The trainer writes a checkpoint's files in place. When all are there, a manifest with the
SHA-256 of each and then the marker COMPLETE, which holds the manifest's own hash, seal it. A
folder without the marker was cut short; one whose hashes differ is damaged; both are passed
over for an older one, with a word about why.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from geodata.errors import GeodataError
from geodata.files import sha256, write_text
from geodata.printable import tell
from georl.config import Config, ConfigError, plain

MANIFEST, MARKER = "manifest.json", "COMPLETE"

_NAME = re.compile(r"checkpoint-([0-9]{1,9})")


class CheckpointError(GeodataError, ValueError):
    """A checkpoint that is not whole: names the folder, the file and the difference."""


_FREE = frozenset(
    {
        "output",
        "model.attention",
        "model.gradient_checkpointing",
        "data.image_root",
        "data.cache",
        "train.per_device",
        "train.logging_steps",
        "train.save_steps",
        "train.keep_checkpoints",
        "train.push_to",
        "data.dataset",
        "train.eval_steps",
        "train.best_metric",
        "data.eval_table",
        "data.eval_split",
        "data.eval_rows",
        "train.resume",
        "train.report_to",
        "train.workers",
        "train.strategy",
        "train.processes",
        "grpo.vllm",
        "grpo.vllm_memory",
        "grpo.vllm_max_length",
        "grpo.vllm_tensor_parallel",
        "grpo.vllm_url",
        "grpo.share_prompts",
        "grpo.rollout_samples",
    }
)
"""Settings that a resumed run may change: where it writes, how it logs and is judged, how
it is laid out."""


def identity(config: Config) -> dict[str, Any]:
    """Return what must be the same for a run to go on: every setting its weights depend on.

    Returns
    -------
    dict
        Dotted key -> value. A run that goes on longer, or with another batch per device, is
        another run in the first case (the schedule changes) and the same in the second. The
        seal of the model it starts from is among them: a folder may have been trained anew
        under its old name, and LoRA weights fit one base only.
    """
    unused = {"predict"} if config.task == "grpo" else {"predict", "grpo", "groups", "curriculum",
                                                        "rewards"}  # fmt: skip
    parts: dict[str, Any] = {"model.seal": _seal_of(Path(config.model.name))}
    for name, value in plain(dataclasses.asdict(config)).items():
        if isinstance(value, dict):
            parts |= {f"{name}.{key}": kept for key, kept in value.items() if name not in unused}
        else:
            parts[name] = value
    return {key: value for key, value in parts.items() if key not in _FREE}


def seal(folder: Path, own: Mapping[str, Any]) -> str:
    """Write the manifest and the marker of a finished folder; return the manifest's SHA-256.

    Parameters
    ----------
    folder
        With every file in place.
    own
        `identity` of the run, kept in the manifest.
    """
    (folder / MARKER).unlink(missing_ok=True)
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    hashes = _hashes(folder, [name for name in names if name != MANIFEST])
    text = json.dumps({"run": dict(own), "files": hashes}, indent=1, sort_keys=True)
    write_text(folder / MANIFEST, text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    write_text(folder / MARKER, digest + "\n")
    return digest


def verify(folder: Path) -> dict[str, Any]:
    """Check every byte of a sealed folder and return its manifest.

    Raises
    ------
    CheckpointError
        If the marker is missing, or a file is missing, added to the manifest or changed.
    """
    content = manifest(folder)
    listed = content["files"]
    for name in listed:
        if not (folder / name).is_file():
            msg = f"{folder / name} is missing, though the manifest lists it"
            raise CheckpointError(msg)
    found = _hashes(folder, list(listed))
    for name, expected in listed.items():
        if found[name] != expected:
            msg = f"{folder / name} is damaged: its SHA-256 is not the manifest's"
            raise CheckpointError(msg)
    return content


def _hashes(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of each file; a checkpoint of 100 GB takes a minute a core.

    In threads, as hashing lets Python's lock go: the other processes of the run wait for the seal,
    and their cores are free.
    """
    with ThreadPoolExecutor(min(8, len(os.sched_getaffinity(0)))) as pool:
        return dict(zip(names, pool.map(lambda name: sha256(folder / name), names), strict=True))


def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a sealed folder, itself checked against the marker."""
    path = folder / MANIFEST
    if _seal_of(folder) is None or not path.is_file():
        msg = f"{folder} has no {MARKER} marker: it was cut short while being written"
        raise CheckpointError(msg)
    text = path.read_bytes()
    if hashlib.sha256(text).hexdigest() != _seal_of(folder):
        msg = f"{path} does not match {MARKER}: one of the two is damaged"
        raise CheckpointError(msg)
    content: dict[str, Any] = json.loads(text)
    return content


def _seal_of(folder: Path) -> str | None:
    """Return what stands in the marker of a folder, None where there is none."""
    marker = folder / MARKER
    if not marker.is_file():
        return None
    return marker.read_text(encoding="utf-8", errors="replace").strip()


def newest(output: Path, own: Mapping[str, Any]) -> Path | None:
    """Return the newest verified checkpoint of this run, or None if there is none.

    Damaged and unfinished ones are named and passed over.

    Raises
    ------
    ConfigError
        If the checkpoint belongs to another run: says which settings differ.
    """
    for folder in reversed(listed(output)):
        try:
            content = verify(folder)
        except CheckpointError as error:
            tell(f"passing over {folder.name}: {error}")
            continue
        _same_run(folder, content["run"], json.loads(json.dumps(dict(own))))
        return folder
    return None


def refuse_other(output: Path, own: Mapping[str, Any]) -> None:
    """Refuse the folder of another run by its newest manifest, without reading any weights.

    Raises
    ------
    ConfigError
        As `newest`, which then also looks at every byte.
    """
    for folder in reversed(listed(output)):
        with contextlib.suppress(CheckpointError):
            _same_run(folder, manifest(folder)["run"], json.loads(json.dumps(dict(own))))
            return


def listed(output: Path) -> list[Path]:
    """Return the checkpoint folders of a run in the order of their steps."""
    if not output.is_dir():
        return []
    found = [(int(m[1]), p) for p in output.iterdir() if (m := _NAME.fullmatch(p.name))]
    return [path for _, path in sorted(found)]


def step_of(folder: Path) -> int:
    """Return the optimizer step of a checkpoint folder, from its name.

    Examples
    --------
    >>> step_of(Path("out/checkpoint-40"))
    40
    """
    return int(folder.name.removeprefix("checkpoint-"))


def prune(output: Path, keep: int) -> None:
    """Delete the oldest checkpoints beyond ``keep``; called after a new one is sealed."""
    for folder in listed(output)[: -max(keep, 1)]:
        delete(folder)


def delete(folder: Path) -> None:
    """Delete a sealed folder so that no moment leaves a part of it that looks whole."""
    (folder / MARKER).unlink(missing_ok=True)  # first: a half-deleted folder is not whole
    shutil.rmtree(folder)


def _same_run(folder: Path, stored: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    keys = sorted({*stored, *own})
    changed = [
        f"{k}: {stored.get(k)!r} there, {own.get(k)!r} now"
        for k in keys
        if stored.get(k) != own.get(k)
    ]
    if changed:
        msg = (
            f"{folder} belongs to another run ({'; '.join(changed)}); set another output, or "
            "train.resume=false to start over in this one"
        )
        raise ConfigError(msg)
