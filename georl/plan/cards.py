"""Cards that a run may be planned for, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from georl.config import Config, ConfigError, check, replace
from georl.plan.parts import GIB, longest_row, memory
from georl.plan.shapes import Shape


@dataclass(frozen=True)
class Card:
    """Memory in bytes and dense 16-bit operations a second, from the maker's data sheet."""

    name: str
    memory: float
    flops: float


CARDS = {
    card.name: card
    for card in (
        Card("a100-40", 39.4 * GIB, 312e12),
        Card("a100-80", 79.1 * GIB, 312e12),
        Card("h100-80", 79.1 * GIB, 989e12),
        Card("h200-141", 139.8 * GIB, 989e12),
        Card("l40s-48", 44.4 * GIB, 362e12),
        Card("rtx4090-24", 23.5 * GIB, 165e12),
    )
}
"""Memory is what a driver reports as usable, less than the name says."""

RESERVED = 1.6 * GIB
"""CUDA's context, NCCL's buffers and the kernels of libraries."""

FRAGMENTS = 1.05
"""An allocator that is never perfectly packed."""


def card_of(name: str) -> Card:
    """Return a card by its name.

    Raises
    ------
    ConfigError
        If it is not known; lists those that are.

    Examples
    --------
    >>> card_of("A100-80").memory > 79 * 2**30
    True
    """
    found = CARDS.get(name.lower())
    if found is None:
        msg = f"no card {name!r}; there are {', '.join(CARDS)}"
        raise ConfigError(msg)
    return found


def needed(parts: Mapping[str, float]) -> float:
    """Return the bytes that a card must have for parts of a run.

    Examples
    --------
    >>> round(needed({"weights": 8 * GIB, "activations": 4 * GIB}) / GIB, 1)
    14.2
    """
    return sum(parts.values()) * FRAGMENTS + RESERVED


def check_fit(config: Config, shape: Shape, card: Card) -> None:
    """Refuse a run that cannot fit on a card.

    Raises
    ------
    ConfigError
        With what is needed, what there is, and the first change that makes it fit.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import CARDS, KNOWN
    >>> small = ["name=Qwen/Qwen2.5-VL-7B-Instruct", "max_pixels=401408", "per_device=1",
    ...          "dtype=bfloat16", "gradient_checkpointing=true", "lora_rank=64"]
    >>> check_fit(load(None, small), KNOWN["Qwen2.5-VL-7B"], CARDS["h200-141"])
    >>> check_fit(load(None, small[:3]), KNOWN["Qwen2.5-VL-7B"], CARDS["rtx4090-24"])
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: this run needs about 147 GiB and one rtx4090-24 ...
    """
    sampler = _sampler_problem(config, shape, card)
    if sampler is not None:
        raise ConfigError(sampler)
    parts = memory(config, shape, card.memory)
    if needed(parts) <= card.memory:
        return
    largest = max(parts, key=lambda name: parts[name])
    msg = (
        f"this run needs about {needed(parts) / GIB:.0f} GiB and one {card.name} has "
        f"{card.memory / GIB:.0f}: most of it is {largest}, {parts[largest] / GIB:.0f} GiB; "
        f"{_remedy(config, shape, card)}"
    )
    raise ConfigError(msg)


def _sampler_problem(config: Config, shape: Shape, card: Card) -> str | None:
    """Return why vLLM cannot start in its share of the card, None if it can."""
    if config.task != "grpo" or config.grpo.vllm != "colocate":
        return None
    spread, share = config.grpo.vllm_tensor_parallel, config.grpo.vllm_memory
    cache = 2.0 * shape.layers * shape.kv_width * longest_row(config)
    weights = (2.0 * shape.parameters + cache) / spread + 1.5 * GIB
    if weights <= share * card.memory:
        return None
    least = weights / card.memory
    remedy = "set grpo.vllm=server, on cards of its own"
    if least <= 0.7:
        remedy = f"set grpo.vllm_memory={least + 0.05:.2f}, or {remedy.removeprefix('set ')}"
    return (
        f"vLLM gets {share:.0%} of one {card.name}, {share * card.memory / GIB:.0f} GiB, and its "
        f"weights with their workspace alone are {weights / GIB:.0f}; {remedy}"
    )


def _remedy(config: Config, shape: Shape, card: Card) -> str:
    """Return the mildest change of one field that makes the run fit, tried in this order."""
    for path, value in _milder(config):
        changed = replace(config, **{path.replace(".", "__"): value})
        if needed(memory(changed, shape, card.memory)) <= card.memory:
            said = str(value).lower() if isinstance(value, bool) else value
            return f"it fits with {path}={said}"
    return (
        "no single field makes it fit: combine model.gradient_checkpointing=true, "
        "train.per_device=1, model.max_pixels=401408, model.lora_rank=64, or more processes with "
        "train.strategy=fsdp"
    )


def _milder(config: Config) -> list[tuple[str, object]]:
    steps: list[tuple[str, object]] = [("model.gradient_checkpointing", True)]
    size = config.train.per_device // 2
    while size >= 1:
        if _divides(config, size):
            steps.append(("train.per_device", size))
        size //= 2
    steps += [("model.max_pixels", pixels) for pixels in (802_816, 401_408)]
    if config.train.processes > 1:
        steps.append(("train.strategy", "fsdp"))
    return [*steps, ("model.lora_rank", 64)]


def _divides(config: Config, per_device: int) -> bool:
    """Return whether a run with so many rows at once has no problem that it does not have now."""
    return _problems(replace(config, train__per_device=per_device)) <= _problems(config)


def _problems(config: Config) -> set[str]:
    try:
        check(config, max(config.train.processes, 1))
    except ConfigError as error:
        return set(str(error).splitlines())
    return set()
