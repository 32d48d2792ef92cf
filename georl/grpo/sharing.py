"""Encode a photo and its prompt once for the whole group, in sampling and in the update.

The G answers of a GRPO group share their prompt and image. Stock TRL repeats both G times in
the processor, in the prefill and in every log-probability pass. Here a unique prompt is
prefilled once and its key-value cache repeated, and for the update the answers of a group are
laid behind one copy of the prompt in a single row, each seeing the prompt and itself only, and
each as long as it is::

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

from georl import plan

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
        parts = torch.split(self.pixel_values, self.grid.prod(1).tolist())
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
    """(B, C): index into the flattened (U, L) of each answer's token; of padding, any"""


def unsupported(model: Any) -> str | None:
    """Return why prompts cannot be shared for a model, None where they can."""
    config = getattr(model, "config", None)
    kind = getattr(config, "model_type", None)
    if kind not in FAMILIES:
        return f"it is known how for {' and '.join(FAMILIES)}, and the model is {kind}"
    attention = getattr(config, "_attn_implementation", "")
    if attention not in ("sdpa", "eager"):
        return f"model.attention={attention} takes no mask that lets answers share a prompt"
    return None


def answers_a_row(config: Any, prompt: int, answer: float) -> float:
    """Return how many answers to one prompt a row of a language model should hold.

    Parameters
    ----------
    config
        Of the language model.
    prompt, answer
        Tokens of the prompt, and of an answer on average; see `georl.plan.answers_a_row`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> sizes = dict(hidden_size=3584, intermediate_size=18944, num_attention_heads=28)
    >>> model = SimpleNamespace(**sizes, num_key_value_heads=4)
    >>> round(answers_a_row(model, 632, 1024), 1)
    4.5
    """
    width = config.hidden_size
    keys = width * config.num_key_value_heads // config.num_attention_heads
    inner = config.intermediate_size
    return plan.answers_a_row(width, keys=keys, inner=inner, prompt=prompt, answer=answer)


def rows_of(group: Sequence[int], best: float, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Return the row of each answer, as its prompt and its number there, by `georl.plan.deal`.

    Parameters
    ----------
    group
        Prompt of each answer.
    best
        How many of them a row should hold, of `answers_a_row`.
    lengths
        Tokens of each answer.

    Examples
    --------
    >>> rows_of([7, 7, 7, 8], 2, [90, 40, 30, 5])
    [(7, 0), (7, 1), (7, 1), (8, 0)]
    """
    whose: dict[int, list[int]] = {}
    for at, prompt in enumerate(group):
        whose.setdefault(prompt, []).append(at)
    dealt = {
        prompt: iter(plan.deal([lengths[at] for at in answers], best))
        for prompt, answers in whose.items()
    }
    return [(prompt, next(dealt[prompt])) for prompt in group]


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
        (B, C), answers, padded on the right; an answer may be all padding.
    group
        (B,), the row of each answer, in [0, U).
    dtype
        Type of the attention mask.
    """
    prompts, head = len(prompt_ids), prompt_ids.shape[1] - 1
    lengths = completion_mask.sum(1)
    same = group[:, None] == group[None, :]
    start = head + (torch.tril(same, diagonal=-1) * lengths).sum(1)  # behind its elder siblings
    width = int((start + lengths).max())

    # each answer's own columns: the last prompt token, then all of its tokens but the last
    place = torch.arange(completion_ids.shape[1], device=group.device)
    slots = (start[:, None] + place) * completion_mask  # of what is masked, the row's head
    slots = slots + group[:, None] * width  # (B, C)
    real = completion_mask.bool()
    shifted = torch.cat([prompt_ids[group, -1:], completion_ids[:, :-1]], dim=1)

    input_ids = prompt_ids.new_zeros(prompts, width)
    input_ids[:, :head] = prompt_ids[:, :-1]
    labels = torch.full_like(input_ids, -100)
    step, branch = torch.zeros_like(input_ids), torch.full_like(input_ids, -1)
    answer = torch.arange(len(group), device=group.device)[:, None]
    for flat, values in (
        (input_ids, shifted),
        (labels, completion_ids),
        (step, place.expand_as(slots)),
        (branch, answer.expand_as(slots)),
    ):
        flat.view(-1)[slots[real]] = values[real]

    positions = torch.cat(
        [prompt_positions[:, :, :-1], prompt_positions[:, :, -1:] + step[:, head:]], 2
    )
    mask = _tree_mask(prompt_mask[:, :-1].bool(), branch, dtype)
    return Packed(input_ids, mask, positions, labels, slots)


def _tree_mask(prompt: Tensor, branch: Tensor, dtype: torch.dtype) -> Tensor:
    """Return who may look at whom: the prompt before it, and its own branch before it.

    ``branch`` (U, L) is the answer that a position belongs to, -1 for none.
    """
    count, width = branch.shape
    causal = torch.ones(width, width, dtype=torch.bool, device=branch.device).tril()
    same = (branch[:, :, None] == branch[:, None, :]) & (branch[:, :, None] >= 0)
    real = torch.nn.functional.pad(prompt, (0, width - prompt.shape[1]))  # (U, L): prompt tokens
    itself = torch.eye(width, dtype=torch.bool, device=branch.device)
    sees = causal & (real[:, None, :] | same | itself)
    mask = torch.zeros(count, 1, width, width, dtype=dtype, device=branch.device)
    return mask.masked_fill_(~sees[:, None], torch.finfo(dtype).min)


def prompt_positions(
    model: Any, prompt_ids: Tensor, prompt_mask: Tensor, images: Images | None
) -> Tensor:
    """Return Qwen's three rotary positions of the prompts, (3, U, P)."""
    if images is None:
        flat = (prompt_mask.cumsum(1) - 1).clamp(min=0)
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
    return torch.multinomial(scores.softmax(1), 1).squeeze(1)


def _adjustments(generation: GenerationConfig) -> list[Callable[..., Tensor]]:
    """Return the changes to the logits, in the order of ``generate``."""
    chain: list[Callable[..., Tensor]] = []
    if generation.suppress_tokens:
        chain.append(lp.SuppressTokensLogitsProcessor(generation.suppress_tokens))
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
