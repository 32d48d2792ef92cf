"""How many token positions an update goes over: as stock TRL does, and with prompts shared.

Stock TRL repeats the prompt, image tokens with it, before each of the G answers of a group and
pads every answer to the longest: G (P + L) positions. Shared, a group is laid in n rows of one
prompt each, answers as long as they are: n P + G C, with C their mean, and what pads the shorter
rows to the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from georl.config import Config
from georl.plan.parts import tokens_of
from georl.plan.shapes import Shape

BAR = 3.0
"""How many times fewer positions sharing is meant to need."""


@dataclass(frozen=True)
class Positions:
    """Of one group in an update, where every answer is as long as it may be."""

    generations: int
    prompt: int
    answer: int
    rows: int
    """That the group is laid in, each with one copy of the prompt."""

    @property
    def stock(self) -> int:
        """Positions of stock TRL."""
        return self.generations * (self.prompt + self.answer)

    @property
    def shared(self) -> int:
        """Positions with prompts shared."""
        return self.rows * self.prompt + self.generations * self.answer

    @property
    def bound(self) -> float:
        """How many times fewer there would be with the prompt there once: no layout gives more."""
        return self.stock / (self.prompt + self.generations * self.answer)


def positions(config: Config, shape: Shape) -> Positions | None:
    """Return the positions of a GRPO run, None where prompts are not shared.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import KNOWN
    >>> found = positions(load("globe-7b-8xa100"), KNOWN["Qwen2.5-VL-7B"])
    >>> found.stock, found.shared, round(found.bound, 2)
    (26496, 18912, 1.56)
    """
    sharded = config.train.strategy in ("fsdp", "deepspeed") and config.grpo.vllm == "off"
    if config.task != "grpo" or not config.grpo.share_prompts or sharded:
        return None
    size, group = tokens_of(config), config.grpo.generations
    prompt = size["image"] + size["prompt"]
    best = answers_a_row(
        shape.hidden, shape.kv_width // 2, shape.intermediate, prompt, size["answer"]
    )
    return Positions(group, prompt, size["answer"], rows(group, best))


def mean_for_bar(config: Config, shape: Shape) -> int:
    """Return the mean tokens of answers up to which sharing is `BAR` times fewer, 0 for none.

    One answer, to which stock TRL pads the others, is taken to be as long as it may be, and the
    others alike.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import KNOWN
    >>> mean_for_bar(load("globe-7b-8xa100"), KNOWN["Qwen2.5-VL-7B"])
    457
    """
    full = positions(config, shape)
    if full is None:
        return 0
    sizes = shape.hidden, shape.kv_width // 2, shape.intermediate
    others = full.generations - 1
    for other in range(full.answer, 0, -1):
        mean = (full.answer + others * other) / full.generations
        best = answers_a_row(*sizes, full.prompt, mean)
        lengths = [full.answer, *[other] * others]
        held = [0] * rows(full.generations, best)
        for length, row in zip(lengths, deal(lengths, best), strict=True):
            held[row] += length
        if BAR * len(held) * (full.prompt + max(held)) <= full.stock:
            return int(mean)
    return 0


def answers_a_row(width: int, keys: int, inner: int, prompt: int, answer: float) -> float:
    """Return how many answers to one prompt a row should hold, by what the update then costs.

    Parameters
    ----------
    width, keys, inner
        Of a layer: hidden size, that of keys, which is that of values, and of the MLP.
    prompt
        Tokens of the prompt, P.
    answer
        Tokens of an answer on average, C.

    Notes
    -----
    A row of k answers has P + k C positions. A position costs L = h + kv + 1.5 i times what it
    costs to look at one other (width h, keys and values kv, inner width i of the MLP), so an answer
    costs (P + k C) / k (1 + (P + k C) / L), least at k = sqrt(P (L + P)) / C: long answers would
    look past each other for nothing.

    Examples
    --------
    >>> [round(answers_a_row(3584, 512, 18944, 632, answer), 1) for answer in (128, 1024)]
    [35.8, 4.5]
    """
    look = width + keys + 1.5 * inner
    return float((prompt * (look + prompt)) ** 0.5 / max(answer, 1.0))


def rows(count: int, best: float) -> int:
    """Return over how many rows answers to one prompt are dealt, so that they cost least.

    Parameters
    ----------
    count
        Answers to the prompt.
    best
        How many a row should hold, of `answers_a_row`.

    Notes
    -----
    What an answer costs in a row of k is A / k + B k and a part without k, least at best =
    sqrt(A / B). So n rows cost less than n + 1 where count^2 / (n (n + 1)) < best^2.

    Examples
    --------
    >>> rows(16, 15.2), rows(16, 4.5), rows(16, 35.8)
    (1, 4, 1)
    """
    n = 1
    while n < count and n * (n + 1) * best**2 < count**2:
        n += 1
    return n


def deal(lengths: Sequence[int], best: float) -> list[int]:
    """Return the row of each answer to a prompt: `rows` of them, about equally long.

    The longest first, each into the row that is shortest so far, as all rows are padded to the
    longest.

    Parameters
    ----------
    lengths
        Tokens of each answer.
    best
        How many answers a row should hold, of `answers_a_row`.

    Examples
    --------
    >>> deal([90, 40, 30], 2)
    [0, 1, 1]
    """
    held = [0] * rows(len(lengths), best)
    number: dict[int, int] = {}
    for at in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        number[at] = held.index(min(held))
        held[number[at]] += max(lengths[at], 1)
    return [number[at] for at in range(len(lengths))]
