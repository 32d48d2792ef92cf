"""Encode a photo and its prompt once for the whole group, in sampling and in the update.

The G answers of a GRPO group share their prompt and image. Stock TRL repeats both G times in
the processor, in the prefill and in every log-probability pass. Here a unique prompt is
prefilled once and its key-value cache repeated, and for the update the answers of a group are
laid behind one copy of the prompt in a single row, each seeing the prompt and itself only::

    prompt[:-1] | last, a1, a2, ... | last, b1, b2, ... | ...

The last prompt token is repeated at the head of each answer, because it is the position that
predicts the answer's first token. The result equals the repeated computation up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import GenerationConfig
from transformers.generation import logits_process as lp

FAMILIES = ("qwen2_5_vl", "qwen2_vl")
"""Models whose rotary positions this module can lay out."""


class Images(NamedTuple):
    """The images of unique prompts as Qwen's processor gives them, one image a prompt."""

    pixel_values: Tensor
    """(patches of all images, features)"""
    grid: Tensor
    """(U, 3): time, height, width in patches"""

    def select(self, index: Tensor) -> Images:
        """Return the images of the prompts in ``index``, in that order."""
        parts = torch.split(self.pixel_values, self.grid.prod(-1).tolist())
        return Images(torch.cat([parts[i] for i in index.tolist()]), self.grid[index])

    def arguments(self) -> dict[str, Tensor]:
        """Return what the model calls them."""
        return {"pixel_values": self.pixel_values, "image_grid_thw": self.grid}


class Packed(NamedTuple):
    """Groups of answers, one row a unique prompt."""

    input_ids: Tensor
    """(U, L)"""
    attention_mask: Tensor
    """(U, 1, L, L), added to the attention scores: 0 where a position may look, else lowest"""
    position_ids: Tensor
    """(3, U, L)"""
    shift_labels: Tensor
    """(U, L): the next token where an answer is scored, else -100"""
    slots: Tensor
    """(B, C): index into the flattened (U, L) of each answer's token"""


def supports(model: Any) -> bool:
    """Return whether prompts can be shared for this model: Qwen2(.5)-VL with SDPA or eager."""
    config = getattr(model, "config", None)
    kind = getattr(config, "model_type", None)
    return kind in FAMILIES and getattr(config, "_attn_implementation", "") in ("sdpa", "eager")


def unique(keys: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Return the rows at which each distinct key occurs first, and each row's number there.

    Examples
    --------
    >>> unique(["a", "a", "b", "a"])
    ([0, 2], [0, 0, 1, 0])
    """
    number: dict[Any, int] = {}
    first: list[int] = []
    for row, key in enumerate(keys):
        if key not in number:
            number[key] = len(first)
            first.append(row)
    return first, [number[key] for key in keys]


def pack(
    prompt_ids: Tensor,
    prompt_mask: Tensor,
    prompt_positions: Tensor,
    completion_ids: Tensor,
    completion_mask: Tensor,
    group: Tensor,
    dtype: torch.dtype = torch.float32,
) -> Packed:
    """Lay the answers of each group behind one copy of their prompt.

    Parameters
    ----------
    prompt_ids, prompt_mask
        (U, P), unique prompts, padded on the left.
    prompt_positions
        (3, U, P), their rotary positions.
    completion_ids, completion_mask
        (B, C), answers, padded on the right.
    group
        (B,), the prompt of each answer, in [0, U).
    dtype
        Type of the attention mask.
    """
    prompts, length = prompt_ids.shape
    tokens = completion_ids.shape[1]
    branch = _rank_in_group(group)
    branches = int(branch.max()) + 1
    head = length - 1
    width = head + branches * tokens

    # each answer's own columns: the last prompt token, then all of its tokens but the last
    slots = group[:, None] * width + head + branch[:, None] * tokens
    slots = slots + torch.arange(tokens, device=group.device)  # (B, C)
    shifted = torch.cat([prompt_ids[group, -1:], completion_ids[:, :-1]], dim=1)

    input_ids = prompt_ids.new_zeros(prompts, width)
    input_ids[:, :head] = prompt_ids[:, :-1]
    input_ids.view(-1)[slots] = shifted
    labels = torch.full_like(input_ids, -100)
    labels.view(-1)[slots] = completion_ids.masked_fill(completion_mask == 0, -100)

    step = torch.arange(tokens, device=group.device).repeat(branches)
    last = prompt_positions[:, :, -1:]
    positions = torch.cat([prompt_positions[:, :, :-1], last + step], dim=2)
    mask = _tree_mask(prompt_mask[:, :-1].bool(), branches, tokens, dtype)
    return Packed(input_ids, mask, positions, labels, slots)


def _rank_in_group(group: Tensor) -> Tensor:
    """Return how many earlier rows belong to the same group, (B,)."""
    same = group[:, None] == group[None, :]
    return torch.tril(same, diagonal=-1).sum(1)


def _tree_mask(prompt: Tensor, branches: int, tokens: int, dtype: torch.dtype) -> Tensor:
    """Return who may look at whom: the prompt before it, and its own branch before it."""
    count, head = prompt.shape
    width = head + branches * tokens
    device = prompt.device
    own = torch.arange(width, device=device).sub(head).div(tokens, rounding_mode="floor")
    causal = torch.ones(width, width, dtype=torch.bool, device=device).tril()
    in_prompt = torch.arange(width, device=device) < head
    same_branch = (own[:, None] == own[None, :]) & ~in_prompt[None, :]
    real = torch.nn.functional.pad(prompt, (0, width - head))  # (U, L): real prompt tokens
    sees = causal & (
        real[:, None, :] | same_branch | torch.eye(width, dtype=torch.bool, device=device)
    )
    mask = torch.zeros(count, 1, width, width, dtype=dtype, device=device)
    return mask.masked_fill_(~sees[:, None], torch.finfo(dtype).min)


def prompt_positions(
    model: Any, prompt_ids: Tensor, prompt_mask: Tensor, images: Images | None
) -> Tensor:
    """Return Qwen's three rotary positions of the prompts, (3, U, P)."""
    if images is None:
        flat = (prompt_mask.cumsum(-1) - 1).clamp(min=0)
        return flat.expand(3, *flat.shape)
    inner = model.model
    kinds = (prompt_ids == model.config.image_token_id).int()
    positions, _ = inner.get_rope_index(
        prompt_ids, kinds, image_grid_thw=images.grid, attention_mask=prompt_mask
    )
    return torch.as_tensor(positions)


@torch.no_grad()
def sample(
    model: Any,
    prompt_ids: Tensor,
    prompt_mask: Tensor,
    images: Images | None,
    group: Tensor,
    generation: GenerationConfig,
    *,
    compact: bool = True,
) -> Tensor:
    """Sample an answer for each row of ``group`` after one prefill a unique prompt.

    Without ``compact`` it draws the same tokens from the same random state as
    ``model.generate`` on the repeated prompts, up to rounding.

    Parameters
    ----------
    model
        Qwen2(.5)-VL, not sharded.
    prompt_ids, prompt_mask
        (U, P), padded on the left.
    images
        Of the unique prompts.
    group
        (B,), which prompt each answer is to.
    generation
        Temperature, top_p, top_k, min_p, suppressed tokens, EOS ids, length.
    compact
        Let finished answers leave the batch whenever half of it has finished.

    Returns
    -------
    Tensor, (B, T)
        Answers, padded on the right after their end.
    """
    adjust = _adjustments(generation)
    eos = torch.tensor(_listed(generation.eos_token_id), device=prompt_ids.device)
    positions = prompt_positions(model, prompt_ids, prompt_mask, images)
    out = model(
        input_ids=prompt_ids,
        attention_mask=prompt_mask,
        position_ids=positions,
        use_cache=True,
        logits_to_keep=1,
        **(images.arguments() if images else {}),
    )
    cache, logits = out.past_key_values, out.logits[group, -1]
    cache.batch_select_indices(group)
    rows = torch.arange(len(group), device=prompt_ids.device)  # the answers still being written
    mask = None if bool(prompt_mask.all()) else prompt_mask[group]
    position = positions[:, group, -1:]  # (3, rows, 1)
    pad, length = int(generation.pad_token_id), int(generation.max_new_tokens)
    answers = torch.full((len(group), length), pad, device=prompt_ids.device)
    done = torch.zeros(len(rows), dtype=torch.bool, device=prompt_ids.device)
    for at in range(length):
        token = _draw(logits, adjust).masked_fill(done, pad)
        answers[rows, at] = token
        done |= torch.isin(token, eos)
        if bool(done.all()) or at + 1 == length:
            return answers[:, : at + 1]
        position = position + 1
        mask = None if mask is None else torch.nn.functional.pad(mask, (0, 1), value=1)
        if compact and 2 * int(done.sum()) >= len(rows):
            stay = (~done).nonzero().squeeze(1)
            cache.batch_select_indices(stay)
            rows, token, done, position = rows[stay], token[stay], done[stay], position[:, stay]
            mask = None if mask is None else mask[stay]
        out = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
        )
        logits = out.logits[:, -1]
    return answers


def _draw(logits: Tensor, adjust: Sequence[Callable[..., Tensor]]) -> Tensor:
    scores = logits.float()
    for change in adjust:
        scores = change(None, scores)
    return torch.multinomial(scores.softmax(-1), 1).squeeze(1)


def _adjustments(generation: GenerationConfig) -> list[Callable[..., Tensor]]:
    """Return the changes to the logits, in the order of ``generate``."""
    chain: list[Callable[..., Tensor]] = []
    if generation.suppress_tokens:
        chain.append(lp.SuppressTokensLogitsProcessor(generation.suppress_tokens, device="cpu"))
    if generation.temperature not in (None, 1.0):
        chain.append(lp.TemperatureLogitsWarper(generation.temperature))
    if generation.top_k:
        chain.append(lp.TopKLogitsWarper(generation.top_k))
    if generation.top_p is not None and generation.top_p < 1.0:
        chain.append(lp.TopPLogitsWarper(generation.top_p))
    if generation.min_p is not None:
        chain.append(lp.MinPLogitsWarper(generation.min_p))
    return chain


def _listed(ids: int | list[int] | None) -> list[int]:
    return [ids] if isinstance(ids, int) else list(ids or [])
