"""Where a run also logs to: what a tracker calls it, and whether it will take it.

wandb asks its server when training begins, with the model loaded: without a key it fails there, and
without a network after two minutes. Both can be told before.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from georl.config import Config, ConfigError, is_first
from georl.http import unreachable

PROJECT = "georl"
"""What runs are filed under; ``WANDB_PROJECT`` names another one for wandb."""

_OFFLINE = "set WANDB_MODE=offline and send the run later with wandb sync"


def names(config: Config) -> dict[str, str]:
    """Return the arguments of TRL that say what trackers call a run: its output folder's name.

    Examples
    --------
    >>> from georl.config import load
    >>> names(load(None, ["output=runs/geo-r"]))
    {'run_name': 'geo-r', 'project': 'georl'}
    """
    return {"run_name": Path(config.output).resolve().name or PROJECT, "project": PROJECT}


def refused(config: Config) -> str | None:
    """Return why a tracker of the run could not start, None if nothing is known.

    wandb is asked on the first process, which alone logs to it, and only where it is to be reached.
    """
    if "wandb" not in config.train.report_to or not is_first():
        return None
    os.environ.setdefault("WANDB_PROJECT", PROJECT)
    wandb: Any = importlib.import_module("wandb")
    settings = wandb.setup().settings
    if settings.mode != "online":
        return None
    server = str(settings.base_url)
    if (reason := unreachable(server)) is not None:
        said: str | None = f"wandb's server {server} cannot be reached ({reason}); {_OFFLINE}"
    else:
        said = _without_key(wandb)
    return said and f"{said}, or take it out of train.report_to"


def _without_key(wandb: Any) -> str | None:
    """Ask for the key as wandb does: at a terminal it lets a person type it."""
    try:
        wandb.login()
    except wandb.Error as error:
        first = str(error).partition("\n")[0].rstrip(".")
        return (
            f"wandb lets nobody in ({first}); run wandb login, or set WANDB_API_KEY, or {_OFFLINE}"
        )
    return None


@contextlib.contextmanager
def explained(trackers: Sequence[str]) -> Iterator[None]:
    """Turn what a tracker raises in the middle of a run into an error that names it.

    Raises
    ------
    ConfigError
        In place of an error that was raised inside one of the trackers.
    """
    try:
        yield
    except Exception as error:
        frames = traceback.walk_tb(error.__traceback__)
        passed = {str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in frames}
        found = [name for name in trackers if name in passed]
        if not found:
            raise
        first = str(error).partition("\n")[0]
        offline = f"{_OFFLINE}, or " if found[0] == "wandb" else ""
        msg = (
            f"{found[0]} failed ({type(error).__name__}: {first}); {offline}take it out of "
            "train.report_to; the run goes on from its last checkpoint"
        )
        raise ConfigError(msg) from error
