"""Ask the hub once whether it is there, before libraries ask it many times."""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache

from georl.config import ConfigError
from georl.http import unreachable


def reach(name: str, revision: str | None) -> None:
    """Return if a model lies here or its hub answers, whatever it answers.

    Without a network the libraries ask for each of a model's files and again after a pause: that
    a name is mistyped would be told after half a minute.

    Parameters
    ----------
    name
        Folder, or hub name.
    revision
        Commit of a hub model.

    Raises
    ------
    ConfigError
        If there is no such folder, nothing of the model was downloaded before, and the hub cannot
        be reached within `georl.http.REACH_S` seconds.

    Examples
    --------
    >>> import tempfile
    >>> reach(tempfile.gettempdir(), None)
    """
    if Path(name).exists() or constants.is_offline_mode() or "/" not in name:
        return  # a folder, or libraries that do not ask either
    if isinstance(try_to_load_from_cache(name, "config.json", revision=revision), str):
        return
    hub = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    # what it says of the model is told by those who load it
    if (reason := unreachable(f"{hub}/api/models/{name}")) is not None:
        msg = (
            f"model {name!r} is no folder here and the hub at {hub} cannot be reached ({reason}); "
            "correct the folder's name, or download the model where there is a network"
        )
        raise ConfigError(msg)
