"""Groups that cannot teach, and the curriculum that avoids them.

When all answers of a group earn the same reward every advantage is 0 and the group's tokens
were spent for nothing (Geo-R's "vanishing advantages"). Two remedies, both off by default:

- *drop and replace*: such groups leave the update, and answers to other photos take their
  place, a bounded number of times;
- *curriculum*: where even the worst answer of a group is good, the place becomes a popular
  region, and photos within its radius are drawn less often. This is Geo-R's exclusion of
  popular places made continuous: it follows what the model has learnt so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from torch import Tensor

from georl.config import GroupConfig

Batch = dict[str, Any]
Row = dict[str, Any]

_LEFT_PADDED = ("prompt_ids", "prompt_mask")

_PHOTO = ("id", "country", "lat", "lon")

ROW_MEANS = ("grpo", "dr_grpo", "sapo", "luspo")
"""Losses that divide by the rows of a micro-batch, idle ones included."""


def equal(rewards: Tensor, generations: int, epsilon: float = 1e-6) -> Tensor:
    """Return which groups have one reward only, by the range of the whole group.

    Parameters
    ----------
    rewards
        (B,), the weighted total of each answer; groups are consecutive.
    generations
        Answers in a group.
    epsilon
        Largest range that counts as equal. A threshold on the mean would keep or drop whole
        levels of a continuous reward; a leave-one-out test would keep the winners.

    Returns
    -------
    Tensor of bool, (B / generations,)

    Examples
    --------
    >>> equal(torch.tensor([0.0, 0.0, 0.5, 0.7]), 2)
    tensor([ True, False])
    """
    grouped = rewards.view(-1, generations)
    return (grouped.amax(1) - grouped.amin(1)) < epsilon


def without_gaps(rewards: Tensor, generations: int) -> Tensor:
    """Return rewards with each missing one replaced by the mean of its group's others.

    TRL adds a missing reward as 0, so an answer whose judge failed would stand behind its siblings
    for no fault of its own. With the group's mean it stands where it did without that reward.

    Parameters
    ----------
    rewards
        (B, functions), NaN where a function gave None; groups are consecutive.
    generations
        Answers in a group.

    Returns
    -------
    Tensor, (B, functions)
        NaN only where a whole group has no reward of a function.

    Examples
    --------
    >>> nan = float("nan")
    >>> without_gaps(torch.tensor([[1.0], [nan], [0.5], [nan], [nan], [nan]]), 3).T
    tensor([[1.0000, 0.7500, 0.5000,    nan,    nan,    nan]])
    """
    grouped = rewards.view(-1, generations, rewards.shape[1])
    mean = grouped.nanmean(1, keepdim=True).expand_as(grouped)
    return torch.where(grouped.isnan(), mean, grouped).view_as(rewards)


def take(batch: Batch, rows: Tensor) -> Batch:
    """Return the rows of a TRL batch, images included.

    Parameters
    ----------
    batch
        What ``_generate_and_score_completions`` returns: tensors and lists of B rows, with
        the patches of all images in one tensor.
    rows
        (b,), row numbers.
    """
    out: Batch = {}
    for key, value in _by_row(batch).items():
        if isinstance(value, list):
            out[key] = [value[i] for i in rows.tolist()]
        else:
            out[key] = value if value is None or value.ndim == 0 else value[rows]
    return _flat_images(out)


def join(batches: Sequence[Batch], pad_id: int) -> Batch:
    """Return the rows of several batches as one, padded to the longest prompt and answer."""
    if len(batches) == 1:
        return batches[0]
    prompt = max(batch["prompt_ids"].shape[1] for batch in batches)
    answer = max(batch["completion_ids"].shape[1] for batch in batches)
    wide = [_by_row(_widen(batch, prompt, answer, pad_id)) for batch in batches]
    out: Batch = {}
    first, *_ = wide
    for key, value in first.items():
        if isinstance(value, list):
            out[key] = [item for batch in wide for item in batch[key]]
        elif value is None or value.ndim == 0:
            out[key] = value
        else:
            out[key] = torch.cat([batch[key] for batch in wide])
    if "group" in out:
        shift = np.cumsum([0, *(int(batch["group"].max()) + 1 for batch in batches)])
        out["group"] = torch.cat(
            [b["group"] + int(s) for b, s in zip(batches, shift, strict=False)]
        )
    return _flat_images(out)


def drop_and_replace(trainer: Any, inputs: list[Row]) -> Batch:
    """Score the rows, leave equal groups out and put answers to other photos in their place.

    Every process asks for as many new groups as the one that needs most, so that all stay in
    step. If nothing is left, a few masked rows remain, and the gradient is 0.
    """
    options: GroupConfig = trainer.settings.groups
    batch, alive = _scored(trainer, inputs)
    if not options.drop_equal:
        return batch
    wanted = len(alive)
    kept, left = [_living(batch, alive, trainer)], wanted - int(alive.sum())
    for _ in range(options.tries):
        need = int(trainer.accelerator.gather(torch.tensor([left], device=alive.device)).max())
        if need == 0:
            break
        rows = trainer.curriculum.draw(need, trainer)
        extra, alive = _scored(trainer, rows)
        alive &= alive.cumsum(0) <= left  # no more than there is room for
        left -= int(alive.sum())
        kept.append(_living(extra, alive, trainer))
    log_mean(trainer, "groups/kept", (wanted - left) / wanted)
    return _whole(trainer, batch, [part for part in kept if len(part["advantages"])])


def _scored(trainer: Any, rows: list[Row]) -> tuple[Batch, Tensor]:
    """Return the batch and which of its groups can teach; tell the curriculum and the log.

    A group may lie over several processes where none is dropped, so all are looked at together.
    """
    batch = trainer._score(rows)
    options, size = trainer.settings.groups, trainer.num_generations
    rewards, valid = trainer.rollouts.last
    grouped = rewards.view(-1, size)
    flat = equal(rewards, size, options.epsilon)
    invalid = ~valid.view(-1, size).any(1)
    photos = gather_object([{key: row.get(key) for key in _PHOTO} for row in rows])[::size]
    trainer.curriculum.observe(photos, grouped, trainer)
    trainer.rollouts.keep_groups(trainer, photos, grouped, flat, invalid)
    log_value(trainer, "groups/equal", float(flat.float().mean()))
    log_value(trainer, "groups/invalid", float(invalid.float().mean()))
    alive = ~flat & ~(invalid & options.drop_invalid)
    count = len(rows) // size
    return batch, alive[trainer.accelerator.process_index * count :][:count]


def log_value(trainer: Any, name: str, value: float) -> None:
    """Log a value that every process has alike."""
    trainer._metrics["train"][name].append(value)


def log_mean(trainer: Any, name: str, value: float) -> None:
    """Log the mean over the processes; each of them has to call it."""
    values = gather_object([value])
    log_value(trainer, name, sum(values) / len(values))


def _living(batch: Batch, alive: Tensor, trainer: Any) -> Batch:
    rows = alive.repeat_interleave(trainer.num_generations).nonzero().squeeze(1)
    return take(batch, rows)


def _whole(trainer: Any, scored: Batch, kept: list[Batch]) -> Batch:
    """Join what is kept, and fill up with idle rows that no token of the update comes from.

    Micro-batches must be equally long on every process, or its collectives would not meet.
    ``loss_scale`` undoes what idle rows dilute in the losses that are a mean over rows, so
    that the update does not depend on how the kept groups lie over the processes.
    """
    steps, gather = trainer.args.steps_per_generation, trainer.accelerator.gather
    device = scored["advantages"].device
    have = sum(len(batch["advantages"]) for batch in kept)
    every = gather(torch.tensor([have], device=device))
    length = max(steps, -(-int(every.max()) // steps) * steps)
    parts = kept if have == length else [*kept, _idle(scored, length - have)]
    batch = join(parts, trainer._tokenizer.pad_token_id)
    batch["num_items_in_batch"] = gather(batch["completion_mask"].sum()).sum()
    if trainer.loss_type in ROW_MEANS:
        rows = every.sum().clamp(min=1)
        batch["loss_scale"] = length * trainer.accelerator.num_processes / rows
    return batch


def _idle(scored: Batch, rows: int) -> Batch:
    """Return rows whose answers are masked out: no gradient, no KL, no share of any mean."""
    rest = take(scored, torch.arange(rows))
    masked = {key: torch.zeros_like(rest[key]) for key in ("advantages", "completion_mask")}
    return {**rest, **masked}


def _by_row(batch: Batch) -> Batch:
    """Return the batch with the images as one tensor a row."""
    if "pixel_values" not in batch:
        return batch
    grids = torch.split(batch["image_grid_thw"], batch["num_images"])
    sizes = [int(grid.prod(1).sum()) for grid in grids]
    pixels = torch.split(batch["pixel_values"], sizes)
    return {**batch, "pixel_values": list(pixels), "image_grid_thw": list(grids)}


def _flat_images(batch: Batch) -> Batch:
    if isinstance(batch.get("pixel_values"), list) and batch["pixel_values"]:
        pair = {key: torch.cat(batch[key]) for key in ("pixel_values", "image_grid_thw")}
        return {**batch, **pair}
    return batch


def _widen(batch: Batch, prompt: int, answer: int, pad_id: int) -> Batch:
    """Pad prompts on the left and answers on the right."""
    old_prompt, old_answer = batch["prompt_ids"].shape[1], batch["completion_ids"].shape[1]
    left, right = prompt - old_prompt, answer - old_answer
    out = dict(batch)
    for key, value in batch.items():
        if (
            not isinstance(value, Tensor)
            or value.ndim != 2
            or key in ("pixel_values", "image_grid_thw")
        ):
            continue
        fill = pad_id if key in ("prompt_ids", "completion_ids") else 0
        if key in _LEFT_PADDED:
            sides = (left, 0)
        elif value.shape[1] == old_prompt + old_answer:
            sides = (left, right)
        else:
            sides = (0, right) if value.shape[1] == old_answer else (0, 0)
        out[key] = torch.nn.functional.pad(value, sides, value=fill)
    return out
