"""What a launcher (torchrun, accelerate launch) told this process, before anything is joined."""

from __future__ import annotations

import os


def world_size() -> int:
    """Return the number of processes that the launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Return whether this is the first process, or the only one: it looks and tells for all."""
    return os.environ.get("RANK", "0") == "0"
