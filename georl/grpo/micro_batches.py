"""Which answers come into one micro-batch: whole groups, so that they can share their prompt.

TRL shuffles the answers of a batch before it cuts them into micro-batches, and so tears groups
apart: of eight answers in a micro-batch hardly two have a prompt in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import trl.trainer.grpo_trainer
from torch import Tensor


@contextmanager
def together(steps: int) -> Iterator[None]:
    """While a batch is prepared, let TRL shuffle groups where it would shuffle rows.

    Parameters
    ----------
    steps
        Micro-batches that the batch is cut into.
    """
    module: Any = trl.trainer.grpo_trainer
    stock = module.shuffle_sequence_dict

    def by_group(batch: dict[str, Any]) -> dict[str, Any]:
        if "group" not in batch:
            found: dict[str, Any] = stock(batch)
            return found
        rows = order(batch["group"], batch["completion_mask"].any(1), steps)
        return {key: _taken(value, rows) for key, value in batch.items()}

    module.shuffle_sequence_dict = by_group
    try:
        yield
    finally:
        module.shuffle_sequence_dict = stock


def order(group: Tensor, real: Tensor, steps: int) -> Tensor:
    """Return the rows of a batch in random order, with each group in one piece.

    It draws what TRL draws for rows, so that sampling goes on from the same random state: groups
    come in the order of their first row in TRL's permutation.

    Parameters
    ----------
    group
        (B,), the number of each row's prompt.
    real
        (B,), False for idle rows, which fill a batch up (`georl.grpo.groups`). They are dealt
        evenly over the micro-batches, as some losses are a mean over what is in one.
    steps
        Micro-batches, each of B / steps rows.

    Returns
    -------
    Tensor, (B,)

    Examples
    --------
    >>> rows = order(torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]), torch.ones(8).bool(), 4)
    >>> (rows // 2).view(4, 2).diff(dim=1).any().item(), sorted(rows.tolist())
    (False, [0, 1, 2, 3, 4, 5, 6, 7])
    """
    drawn = torch.randperm(len(group))
    first: dict[int, int] = {}
    numbers = group.tolist()
    for row in drawn.tolist():
        first.setdefault(numbers[row], len(first))
    rows = sorted(range(len(numbers)), key=lambda row: first[numbers[row]])
    alive = real.tolist()
    kept, idle = [row for row in rows if alive[row]], [row for row in rows if not alive[row]]
    size, out = len(rows) // steps, list[int]()
    for step in range(steps):
        part = kept[len(kept) * step // steps : len(kept) * (step + 1) // steps]
        fill = size - len(part)
        out += part + idle[:fill]
        idle = idle[fill:]
    return group.new_tensor(out)


def _taken(value: Any, rows: Tensor) -> Any:
    """Return the rows of one entry of a batch; a number stays as it is."""
    if value is None or (isinstance(value, Tensor) and value.ndim == 0):
        return value
    return value[rows] if isinstance(value, Tensor) else [value[row] for row in rows.tolist()]
