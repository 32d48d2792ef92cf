"""A YAML file and ``key=value`` overrides become one frozen configuration, and text again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from georl.config.presets import preset_weights
from georl.config.settings import Config
from georl.config.tree import ConfigError, fill, full_key, plain, put, read_value, read_yaml
from georl.config.untrusted import shown


def load(path: str | os.PathLike[str] | None, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML file and apply ``key=value`` overrides, e.g. ``train.learning_rate=1e-5``.

    A key may leave its block out where the name is in one block only (``learning_rate=1e-5``).

    Parameters
    ----------
    path
        YAML file, the name of a bundled one such as ``tiny-cpu``, or None for the defaults.
    overrides
        Later ones win; values are read as YAML.

    Raises
    ------
    ConfigError
        For a missing file, an unknown key (with the nearest valid one) or a value of the
        wrong type.

    Examples
    --------
    >>> load(None, ["task=grpo", "generations=4", "train.learning_rate=3e-5"]).grpo.generations
    4
    >>> load(None, ["train.bach=1"])
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: unknown key 'train.bach'; did you mean train.batch?
    """
    return fill(Config, _with_preset(tree_of(Config, path, overrides)))


def tree_of(
    root: type, path: str | os.PathLike[str] | None, overrides: Sequence[str], kind: str = ""
) -> dict[str, Any]:
    """Return the tree of a YAML file with overrides put in; keys are completed as in ``root``."""
    tree = read_yaml(Path(path), kind) if path is not None else {}
    for override in overrides:
        key, found, value = override.partition("=")
        if not found:
            msg = f"override {shown(override)} is not key=value, e.g. train.learning_rate=1e-5"
            raise ConfigError(msg)
        put(tree, full_key(root, key.strip()), read_value(value, f"override {shown(override)}"))
    return tree


def _with_preset(tree: dict[str, Any]) -> dict[str, Any]:
    """Write out the weights of ``rewards.preset``, so that a run records them."""
    block = tree.get("rewards")
    if not isinstance(block, dict) or block.get("preset") is None:
        return tree
    given = block.get("weights")
    if not isinstance(given, dict | None):
        return tree  # it is refused with the other values of the wrong type
    weights = preset_weights(str(block["preset"])) | (given or {})
    return tree | {"rewards": block | {"weights": weights}}


def dump(config: Any) -> str:
    """Return the whole resolved configuration as YAML that `load` reads back.

    Examples
    --------
    >>> dump(load(None, ["task=grpo"])).splitlines()[0]
    'task: grpo'
    """
    return yaml.safe_dump(plain(dataclasses.asdict(config)), sort_keys=False, allow_unicode=True)


def replace(config: Config, **changes: Any) -> Config:
    """Return a copy with dotted keys written with two underscores replaced.

    Examples
    --------
    >>> replace(Config(), task="grpo", grpo__generations=4).grpo.generations
    4
    """
    tree = dataclasses.asdict(config)
    for key, value in changes.items():
        put(tree, key.replace("__", "."), value)
    return fill(Config, tree)


def accumulation(config: Config, processes: int) -> int:
    """Return the micro-batches of one optimizer step on each process.

    Examples
    --------
    >>> config = load(None, ["train.batch=64", "train.per_device=4"])
    >>> accumulation(config, processes=8)
    2
    """
    return max(1, config.train.batch // (config.train.per_device * processes))
