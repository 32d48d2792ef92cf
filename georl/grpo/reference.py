"""The model that the KL term looks back at: a copy of the one that the run starts from.

TRL reads it anew by the name in the model's configuration. After LoRA weights were merged that is
the model before them, and of a pinned hub model it is the newest commit.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trl.trainer.grpo_trainer


@contextmanager
def copied_from(model: Any) -> Iterator[None]:
    """While a trainer is made, let TRL take a frozen copy of ``model`` where it would read one."""
    module: Any = trl.trainer.grpo_trainer
    stock = module.create_model_from_path

    def copied(*_: Any, **__: Any) -> Any:
        return copy.deepcopy(model).requires_grad_(False).eval()

    module.create_model_from_path = copied
    try:
        yield
    finally:
        module.create_model_from_path = stock
