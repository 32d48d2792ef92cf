"""What a run will be: its resolved configuration, its size, and an estimate of its memory."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.printable import tell
from georl import models
from georl.config import Config, ConfigError, ModelConfig, accumulation, dump

GIB = float(1 << 30)
PIXELS_PER_TOKEN = 28 * 28
DEFAULT_MAX_PIXELS = 12_845_056
"""Qwen2.5-VL's own cap, 16,384 image tokens: set model.max_pixels."""

PROMPT_TOKENS, SFT_ANSWER_TOKENS = 120, 60


@dataclass(frozen=True)
class Shape:
    """The sizes that memory depends on."""

    parameters: int
    vision_parameters: int
    layers: int
    hidden: int
    intermediate: int
    kv_width: int
    """Key and value width of one layer together."""
    vocabulary: int


def describe(config: Config, shape: Shape | None = None) -> str:
    """Return the resolved configuration as YAML, then the plan as comments below it.

    Parameters
    ----------
    config
        The run.
    shape
        Sizes of the model; by default read from its configuration (a folder, or the hub).
    """
    lines = [dump(config)]
    try:
        sizes = shape or model_shape(config.model)
    except ConfigError as error:
        return "\n".join([*lines, f"# no memory estimate: {error}"])
    parts = memory(config, sizes)
    world = max(config.train.processes, 1)
    lines.append(
        f"# parameters: {sizes.parameters / 1e9:.3g} B, "
        f"of them vision {sizes.vision_parameters / 1e9:.3g} B"
    )
    lines.append(
        f"# batch {config.train.batch} = {config.train.per_device} x {accumulation(config, world)} "
        f"accumulated x {world} processes"
    )
    lines.append("# estimated memory of one device (a guide: measure a few steps):")
    lines += [f"#   {name:<42} {size / GIB:8.2f} GiB" for name, size in parts.items()]
    lines.append(f"#   {'total':<42} {sum(parts.values()) / GIB:8.2f} GiB")
    return "\n".join(lines)


def memory(config: Config, shape: Shape) -> dict[str, float]:
    """Return bytes on one device by what they are for.

    Weights that learn are float32 with float32 gradients and two Adam moments: 16 bytes a
    parameter, divided by the processes when sharded. Activations follow Korthikanti et al.
    2022 (34 bytes x tokens x width a layer in 16 bits), one layer of them under gradient
    checkpointing.

    Examples
    --------
    >>> shape = Shape(8_300_000_000, 700_000_000, 28, 3584, 18944, 1024, 152064)
    >>> from georl.config import load
    >>> config = load(None, ["dtype=bfloat16", "strategy=fsdp", "processes=8", "per_device=1",
    ...                      "gradient_checkpointing=true", "max_pixels=400000"])
    >>> round(memory(config, shape)["weights, gradients, Adam"] / 2**30, 1)
    15.5
    """
    model, world = config.model, max(config.train.processes, 1)
    shards = world if config.train.strategy in ("fsdp", "deepspeed") else 1
    trained = _trained(model, shape)
    frozen = shape.parameters - trained if not model.lora_rank else shape.parameters
    frozen_bytes = 2 if model.lora_rank and model.dtype == "bfloat16" else 4
    out = {"weights, gradients, Adam": 16.0 * trained / shards + frozen_bytes * frozen / shards}
    if model.dtype == "bfloat16" and not model.lora_rank:
        block = shape.parameters / shape.layers if shards > 1 else shape.parameters
        out["16-bit working copy"] = 2.0 * block
    tokens = _tokens(config)
    per_layer = 34.0 * tokens * shape.hidden * config.train.per_device
    if model.dtype == "float32":
        per_layer *= 2
    kept = 2.0 * tokens * shape.hidden * config.train.per_device
    layers = shape.layers
    checkpointed = per_layer + layers * kept
    out["activations"] = checkpointed if model.gradient_checkpointing else layers * per_layer
    if config.task == "grpo":
        out |= _rollout_memory(config, shape, tokens, shards)
    return out


def check_memory(config: Config, shape: Shape | None = None) -> None:
    """Refuse a run whose weights alone are more than the device has, before it loads.

    Activations depend on the photos, so where only the whole estimate is too large the run
    goes on after a warning.

    Raises
    ------
    ConfigError
        With the estimate, what there is, and what lowers it.
    """
    import torch

    if shape is None and config.model.name == "tiny":
        return
    parts = memory(config, shape or model_shape(config.model))
    if torch.cuda.is_available():
        have = float(torch.cuda.get_device_properties(0).total_memory)
    else:
        have = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
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


def _rollout_memory(config: Config, shape: Shape, tokens: int, shards: int) -> dict[str, float]:
    out: dict[str, float] = {}
    if config.grpo.beta and not config.model.lora_rank:
        out["reference model"] = 4.0 * shape.parameters / shards
    if config.grpo.vllm == "off":
        rows = config.train.batch // max(config.train.processes, 1)
        out["key-value cache of sampling"] = 2.0 * shape.layers * shape.kv_width * tokens * rows
    elif config.grpo.vllm == "colocate":
        out[f"vLLM ({config.grpo.vllm_memory:.0%} of 80 GB; sleeps in the update)"] = (
            config.grpo.vllm_memory * 80e9
        )
    return out


def _trained(model: ModelConfig, shape: Shape) -> int:
    if model.lora_rank:
        # rank x (inputs + outputs) of q, k, v, o and the three of the MLP
        widths = 4 * shape.hidden + 2 * shape.kv_width // 2 + 2 * shape.hidden
        mlp = 3 * (shape.hidden + shape.intermediate)
        return model.lora_rank * shape.layers * (widths + mlp)
    return shape.parameters - (shape.vision_parameters if model.freeze_vision else 0)


def _tokens(config: Config) -> int:
    image = max(1, _largest_image(config.model) // PIXELS_PER_TOKEN)
    answer = config.grpo.max_tokens if config.task == "grpo" else SFT_ANSWER_TOKENS
    return image + PROMPT_TOKENS + answer


def _largest_image(model: ModelConfig) -> int:
    """Return the pixels of the largest image that the processor lets through."""
    if model.name == "tiny":
        return 56 * 56
    stored = Path(model.name) / "preprocessor_config.json"
    if model.max_pixels is None and stored.is_file():
        content = json.loads(stored.read_text(encoding="utf-8"))
        cap = content.get("max_pixels") or content.get("size", {}).get("longest_edge")
        return int(cap or DEFAULT_MAX_PIXELS)
    return model.max_pixels or DEFAULT_MAX_PIXELS


def model_shape(config: ModelConfig) -> Shape:
    """Read a model's sizes from its configuration, without its weights.

    Raises
    ------
    ConfigError
        If the configuration can be read neither from a folder nor from the hub, and the name
        does not tell the size.
    """
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    if config.name == "tiny":
        tokenizer = models.build_tokenizer(["Where?"])
        with torch.device("meta"):
            return _shape_of(models.build_model(tokenizer, config))
    try:
        loaded = AutoConfig.from_pretrained(
            models.base_name(config.name),
            revision=models.base_revision(config),
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        return _shape_by_name(config.name, error)
    with torch.device("meta"):
        empty: Any = AutoModelForImageTextToText.from_config
        return _shape_of(empty(loaded))


def _shape_of(model: Any) -> Shape:
    text = model.config.get_text_config()
    tower = models.vision_tower(model)
    head = text.hidden_size // text.num_attention_heads
    return Shape(
        parameters=sum(p.numel() for p in model.parameters()),
        vision_parameters=sum(p.numel() for p in tower.parameters()) if tower is not None else 0,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=text.intermediate_size,
        kv_width=2 * text.num_key_value_heads * head,
        vocabulary=text.vocab_size,
    )


# From the models' published configurations, for a plan without network.
_KNOWN = {
    "Qwen2.5-VL-3B": Shape(3_754_622_976, 668_684_288, 36, 2048, 11008, 512, 151936),
    "Qwen2.5-VL-7B": Shape(8_292_166_656, 676_550_144, 28, 3584, 18944, 1024, 152064),
}


def _shape_by_name(name: str, error: Exception) -> Shape:
    for known, shape in _KNOWN.items():
        if known in name:
            return shape
    size = re.search(r"(\d+(?:\.\d+)?)B\b", name)
    if size is None:
        msg = f"{name!r} cannot be read ({str(error).splitlines()[0]})"
        raise ConfigError(msg) from error
    billions = float(size[1])
    return Shape(
        int(billions * 1e9),
        0,
        32,
        int(1280 * billions**0.5),
        int(5120 * billions**0.5),
        1024,
        152064,
    )
