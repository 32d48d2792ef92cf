"""A run on one page: its resolved configuration, its size, memory, disk and time."""

from __future__ import annotations

import os

from geodata.printable import tell
from georl.config import Config, ConfigError, accumulation, dump
from georl.plan.cards import Card, needed
from georl.plan.duration import SAMPLED_PER_SECOND, UTILISATION, WITHOUT_VLLM, work
from georl.plan.parts import GIB, checkpoint_bytes, host_memory, memory, tokens_of
from georl.plan.shapes import Shape, model_shape
from georl.plan.sharing import BAR, mean_for_bar, positions


def describe(
    config: Config, shape: Shape | None = None, *, card: Card | None = None, rows: int | None = None
) -> str:
    """Return the resolved configuration as YAML, then the plan as comments below it.

    Parameters
    ----------
    config
        The run.
    shape
        Sizes of the model; by default counted from its configuration.
    card
        What each process runs on; adds whether it fits, and the time.
    rows
        Rows of the training table, for the time of a run that is not limited by steps.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import KNOWN
    >>> text = describe(load(None, ["lora_rank=64"]), KNOWN["Qwen2.5-VL-7B"])
    >>> print([line for line in text.splitlines() if "parameters" in line][0])
    # parameters: 8.29 B, of them vision 0.677 B
    """
    lines = [dump(config)]
    try:
        sizes = shape or model_shape(config.model)
    except ConfigError as error:
        return "\n".join([*lines, f"# no memory estimate: {error}"])
    world = max(config.train.processes, 1)
    size = tokens_of(config)
    lines += [
        f"# parameters: {sizes.parameters / 1e9:.3g} B, "
        f"of them vision {sizes.vision_parameters / 1e9:.3g} B",
        f"# batch {config.train.batch} = {config.train.per_device} x {accumulation(config, world)} "
        f"accumulated x {world} processes",
        f"# tokens of a row at most: image {size['image']:,}, prompt {size['prompt']}, "
        f"answer {size['answer']}",
        *_positions(config, sizes),
        "# estimated memory of one device at its peak:",
    ]
    parts = memory(config, sizes, *([] if card is None else [card.memory]))
    lines += _rows(parts)
    if card is not None:
        lines.append(
            f"#   with CUDA's own and 5% of gaps {needed(parts) / GIB:8.1f} of "
            f"{card.memory / GIB:.1f} GiB of one {card.name}"
        )
    lines += ["# main memory of one machine:", *_rows(host_memory(config, sizes))]
    lines += ["# disk:", *_rows(checkpoint_bytes(config, sizes), total=False)]
    return "\n".join([*lines, *_time(config, sizes, card, rows)])


def check_memory(config: Config, shape: Shape | None = None) -> None:
    """Refuse a run whose weights alone are more than the device has, before it loads.

    Activations depend on the photos, so where only the whole estimate is too large the run
    goes on after a warning.

    Raises
    ------
    ConfigError
        With the estimate, what there is, and what lowers it.

    Examples
    --------
    >>> from georl.config import load
    >>> check_memory(load(None, ["name=tiny"]))  # nothing to say
    """
    import torch

    if shape is None and config.model.name == "tiny":
        return
    try:
        sizes = shape or model_shape(config.model)
    except ConfigError:
        return  # sizes that nobody knows here; loading tells whether the model is there
    if torch.cuda.is_available():
        have = float(torch.cuda.get_device_properties(0).total_memory)
    else:
        have = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    parts = memory(config, sizes, have)
    found = f"on a device that has {have / GIB:.0f}"
    if parts["weights, gradients, Adam"] > have:
        msg = (
            f"weights, gradients and optimizer need {parts['weights, gradients, Adam'] / GIB:.0f} "
            f"GiB {found}; set model.lora_rank=64, or shard over more processes"
        )
        raise ConfigError(msg)
    if sum(parts.values()) > have:
        tell(
            f"warning: about {sum(parts.values()) / GIB:.0f} GiB with the largest images, {found}; "
            "if it runs out, lower train.per_device or model.max_pixels, or set "
            "model.gradient_checkpointing=true (georl plan shows the parts)"
        )


def _positions(config: Config, shape: Shape) -> list[str]:
    """Say how many positions sharing saves, and where its bar is out of reach, why."""
    if config.task != "grpo":
        return []
    found = positions(config, shape)
    if found is None:
        return ["# positions of an update: prompts are not shared, each answer has its own"]
    g, p, c = found.generations, found.prompt, found.answer
    fewer = found.stock / found.shared
    lines = [
        f"# positions of {g} answers in an update: {found.shared:,}, stock TRL {found.stock:,}; "
        f"{fewer:.2f}x fewer"
    ]
    if fewer >= BAR:
        return lines
    lines += [
        "#   with answers that long no layout gives more than",
        f"#   {g} ({p} + {c:,}) / ({p} + {g} x {c:,}) = {found.bound:.2f}x",
    ]
    if mean := mean_for_bar(config, shape):
        lines.append(f"#   {BAR:.0f}x up to {mean:,} tokens on average, the longest {c:,}")
    return lines


def _rows(parts: dict[str, float], *, total: bool = True) -> list[str]:
    shown = {**parts, "total": sum(parts.values())} if total else parts
    return [f"#   {name:<52} {size / GIB:8.2f} GiB" for name, size in shown.items()]


def _time(config: Config, shape: Shape, card: Card | None, rows: int | None) -> list[str]:
    if card is None:
        return ["# time: name the cards, georl plan ... --card a100-80"]
    found = work(config, shape, card, rows)
    if found is None:
        return ["# time: say how many rows the table has, --rows, or set train.max_steps"]
    lines = [
        f"# time: {found.steps:,} steps, {found.rows:,} rows, "
        f"{found.trained_tokens / 1e6:,.0f} M tokens updated in {found.update_s / 3600:,.1f} h "
        f"({UTILISATION:.0%} of {card.flops / 1e12:.0f} TFLOPS)",
    ]
    if config.task == "grpo":
        slower = "" if config.grpo.vllm != "off" else f", {WITHOUT_VLLM:.0f} times slower without"
        lines += [
            f"#   {found.sampled_tokens / 1e6:,.0f} M sampled in {found.sampling_s / 3600:,.1f} h",
            f"#   (7B and a card: vLLM {SAMPLED_PER_SECOND:,.0f} tokens a second{slower})",
        ]
    return [
        *lines,
        f"#   about {found.hours:,.0f} h on {max(config.train.processes, 1)} x {card.name}; "
        "measure some steps before you believe it",
    ]
