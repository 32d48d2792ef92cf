"""What a run holds in the memory of one device, part by part, at the moment of its peak.

A step is fullest either where the loss is taken (all activations and the logits are there, the
gradients only if batches are accumulated) or at the end of the backward pass (all gradients, one
layer's activations). The larger of the two is told; the rest is there all the time.
"""

from __future__ import annotations

import json
from pathlib import Path

from georl.config import Config, ModelConfig, accumulation
from georl.plan.shapes import Shape

GIB = float(1 << 30)
PIXELS_PER_TOKEN = 28 * 28
DEFAULT_MAX_PIXELS = 12_845_056
"""Qwen2.5-VL's own cap, 16,384 image tokens: set model.max_pixels."""

PROMPT_TOKENS, SFT_ANSWER_TOKENS = 120, 60
TEXT_TOKENS = 1024
"""Room for a question that is not known beforehand; 57 KB of cache each for 7B."""
# Bytes that one layer keeps for a token: times width, intermediate width, key and value width.
# Counted in the layers of transformers with saved_tensors_hooks (tests/georl/plan).
_KEPT = {"float32": (32.0, 16.0, 4.0), "autocast": (26.0, 8.0, 2.0), "bfloat16": (20.0, 8.0, 2.0)}
_OF_THE_UPDATE = ("activations", "logits and their gradient")
_LOGITS = 12.0
"""Bytes a logit at the loss: full-precision copy, its softmax, and its gradient."""


def memory(config: Config, shape: Shape, card_bytes: float = 80e9) -> dict[str, float]:
    """Return bytes on one device by what they are for; their sum is the peak.

    Weights that learn are float32 with float32 gradients and two Adam moments, 16 bytes a
    parameter, divided by the processes when sharded. vLLM beside the trainer takes its share of
    the card, `card_bytes`, while the update's activations are not there.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan.shapes import KNOWN
    >>> config = load(None, ["dtype=bfloat16", "strategy=fsdp", "processes=8", "per_device=1",
    ...                      "gradient_checkpointing=true", "max_pixels=400000"])
    >>> parts = memory(config, KNOWN["Qwen2.5-VL-7B"])
    >>> round(parts["weights, gradients, Adam"] / 2**30, 1), round(sum(parts.values()) / 2**30, 1)
    (15.4, 20.7)
    """
    world, shards = max(config.train.processes, 1), _shards(config)
    trained = trained_parameters(config.model, shape)
    frozen = shape.parameters - (0 if config.model.lora_rank else trained)
    held = 2.0 if config.model.lora_rank and config.model.dtype == "bfloat16" else 4.0
    gradients = 4.0 * trained / shards
    out = {
        "weights, gradients, Adam": 12.0 * trained / shards + held * frozen / shards + gradients,
        **_copies(config, shape, trained),
    }
    layers, logits, again = _activations(config, shape)
    parts = accumulation(config, world)
    at_loss = layers + logits + gradients * (parts > 1)
    if at_loss >= gradients + again:
        out["activations"], out["logits and their gradient"] = layers, logits
        if parts == 1:
            out["weights, gradients, Adam"] -= gradients  # they come when the logits are gone
    else:
        out["activations"] = again
    if config.task == "grpo":
        out |= _rollouts(config, shape, shards)
        if config.grpo.vllm == "colocate":
            out = _with_sampler(out, config.grpo.vllm_memory, card_bytes)
    return {name: size for name, size in out.items() if size}


def host_memory(config: Config, shape: Shape) -> dict[str, float]:
    """Return bytes of one machine's main memory: every process reads the weights once.

    Examples
    --------
    >>> from georl.config import load
    >>> config = load(None, ["processes=8", "strategy=fsdp"])
    >>> from georl.plan.shapes import KNOWN
    >>> host_memory(config, KNOWN["Qwen2.5-VL-7B"])["weights while they are loaded"] // 2**30
    30.0
    """
    here = min(max(config.train.processes, 1), 8)
    # sharded ranks but the first build the model without its weights (cpu_ram_efficient_loading)
    copies = 1 if config.train.strategy == "fsdp" else here
    readers = here * config.train.workers
    out = {"weights while they are loaded": 4.0 * shape.parameters * copies}
    if _shards(config) > 1:
        out["a checkpoint on its way to the disk"] = 12.0 * shape.parameters
    out["Python and libraries, a process"] = 3.0 * GIB * here + 0.6 * GIB * readers
    return out


def checkpoint_bytes(config: Config, shape: Shape) -> dict[str, float]:
    """Return bytes on disk: of one checkpoint, of all that are kept, of the final model.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import KNOWN
    >>> found = checkpoint_bytes(load(None, ["lora_rank=64"]), KNOWN["Qwen2.5-VL-7B"])
    >>> {what: round(size / 2**30, 1) for what, size in found.items()}  # GiB
    {'one checkpoint': 1.8, '3 that are kept': 5.4, 'final': 0.6}
    """
    trained = trained_parameters(config.model, shape)
    weights = 4.0 * (trained if config.model.lora_rank else shape.parameters)
    halved = config.model.dtype == "bfloat16" and not config.model.lora_rank
    one = weights + 8.0 * trained
    return {
        "one checkpoint": one,
        f"{config.train.keep_checkpoints} that are kept": one * config.train.keep_checkpoints,
        "final": weights / 2 if halved else weights,
    }


def tokens_of(config: Config) -> dict[str, int]:
    """Return the tokens of one row at most: image, prompt, answer.

    Examples
    --------
    >>> from georl.config import load
    >>> tokens_of(load(None, ["task=grpo", "name=Qwen/Qwen2.5-VL-7B-Instruct", "max_pixels=401408",
    ...                       "grpo.max_tokens=128"]))
    {'image': 512, 'prompt': 120, 'answer': 128}
    """
    image = max(1, largest_image(config.model) // PIXELS_PER_TOKEN)
    answer = config.grpo.max_tokens if config.task == "grpo" else SFT_ANSWER_TOKENS
    return {"image": image, "prompt": PROMPT_TOKENS, "answer": answer}


def longest_row(config: Config) -> int:
    """Return the tokens that a sampler needs room for: prompt, image and answer.

    The question's bytes bound its tokens from above, and the template adds some; records bring
    questions of their own, for which `TEXT_TOKENS` are kept.

    Examples
    --------
    >>> from georl.config import load
    >>> longest_row(load(None, ["name=7B", "max_pixels=401408", "grpo.max_tokens=128"]))
    1664
    >>> longest_row(load(None, ["grpo.vllm_max_length=4096"]))
    4096
    """
    if config.grpo.vllm_max_length is not None:
        return config.grpo.vllm_max_length
    image = -(-largest_image(config.model) // PIXELS_PER_TOKEN)
    asked = len((config.data.question or "").encode()) + 64
    return image + max(TEXT_TOKENS, asked) + config.grpo.max_tokens


def largest_image(model: ModelConfig) -> int:
    """Return the pixels of the largest image that the processor lets through."""
    if model.name == "tiny":
        return 56 * 56
    stored = Path(model.name) / "preprocessor_config.json"
    if model.max_pixels is None and stored.is_file():
        content = json.loads(stored.read_text(encoding="utf-8"))
        cap = content.get("max_pixels") or content.get("size", {}).get("longest_edge")
        return int(cap or DEFAULT_MAX_PIXELS)
    return model.max_pixels or DEFAULT_MAX_PIXELS


def trained_parameters(model: ModelConfig, shape: Shape) -> int:
    """Return how many parameters learn."""
    if model.lora_rank:
        # rank x (inputs + outputs) of q, k, v, o and the three of the MLP
        widths = 2 * (shape.hidden + shape.hidden) + 2 * (shape.hidden + shape.kv_width // 2)
        mlp = 3 * (shape.hidden + shape.intermediate)
        return model.lora_rank * shape.layers * (widths + mlp)
    return shape.parameters - (shape.vision_parameters if model.freeze_vision else 0)


def _shards(config: Config) -> int:
    sharded = config.train.strategy in ("fsdp", "deepspeed")
    return max(config.train.processes, 1) if sharded else 1


def _copies(config: Config, shape: Shape, trained: int) -> dict[str, float]:
    """Return what stands beside the weights: copies in 16 bits, gathered layers, buckets."""
    half = config.model.dtype == "bfloat16"
    if _shards(config) > 1:
        width = 2.0 if half else 4.0
        root = width * shape.root
        return {
            "two layers gathered": 2 * width * shape.block,
            "embedding and output gathered, and their gradient": 2 * root,
        }
    out = {}
    if half and not config.model.lora_rank:
        out["16-bit working copy"] = 2.0 * shape.parameters
    if config.train.processes > 1:
        out["buckets in which gradients are averaged"] = 4.0 * trained
    return out


def _activations(config: Config, shape: Shape) -> tuple[float, float, float]:
    """Return bytes of the layers at the loss, of the logits, and of what backward makes again."""
    model, rows = config.model, config.train.per_device
    size = tokens_of(config)
    tokens = float(sum(size.values()) * rows)
    kind = "float32"
    if model.dtype == "bfloat16":
        kind = "bfloat16" if model.lora_rank or _shards(config) > 1 else "autocast"
    by_width, by_inner, by_kv = _KEPT[kind]
    value = 4.0 if kind == "float32" else 2.0
    layer = tokens * (
        by_width * shape.hidden + by_inner * shape.intermediate + by_kv * shape.kv_width
    )
    seen = 0.0
    if not (model.freeze_vision or model.lora_rank):
        patches = 4.0 * size["image"] * rows
        seen = patches * (
            by_width * shape.vision_hidden
            + by_inner * shape.vision_intermediate
            + by_kv * 2 * shape.vision_hidden
        )
    if model.gradient_checkpointing:
        kept = tokens * shape.layers * value * shape.hidden
        if seen:
            kept += 4.0 * size["image"] * rows * shape.vision_layers * value * shape.vision_hidden
        again = kept + max(layer, seen)
    else:
        kept = again = shape.layers * layer + shape.vision_layers * seen
    scored = size["answer"] if config.task == "grpo" else sum(size.values())
    return kept, _LOGITS * scored * rows * shape.vocabulary, again


def _with_sampler(parts: dict[str, float], share: float, card_bytes: float) -> dict[str, float]:
    """Put vLLM in place of the update's parts, where it is larger: one sleeps in the other's."""
    update = {name: size for name, size in parts.items() if name in _OF_THE_UPDATE}
    sampler = share * card_bytes
    if sampler <= sum(update.values()):
        return parts
    stay = {name: size for name, size in parts.items() if name not in update}
    return stay | {f"vLLM, {share:.0%} of the card; asleep in the update": sampler}


def _rollouts(config: Config, shape: Shape, shards: int) -> dict[str, float]:
    out: dict[str, float] = {}
    tokens = sum(tokens_of(config).values())
    if config.grpo.beta and not config.model.lora_rank:
        out["reference model"] = 4.0 * shape.parameters / shards
    if config.grpo.vllm == "off":
        rows = config.train.batch // max(config.train.processes, 1)
        value = 2.0 if config.model.dtype == "bfloat16" else 4.0
        out["key-value cache of sampling"] = value * shape.layers * shape.kv_width * tokens * rows
    return out
