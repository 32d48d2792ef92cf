"""Load the model and processor of a run: the tiny one, a folder or a pinned hub revision."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    PreTrainedModel,
    ProcessorMixin,
)

from georl import tiny
from georl.config import ConfigError, ModelConfig

LORA_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def load(
    config: ModelConfig, *, texts: Iterable[str] = (), seed: int = 0
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Return the model, in float32 or the compute type, and its processor.

    Parameters
    ----------
    config
        Name, revision, type, attention.
    texts
        For 'tiny': what its tokenizer is trained on.
    seed
        For 'tiny': decides the random weights.

    Raises
    ------
    ConfigError
        If the name is neither a folder with a model nor a hub name that can be read, or the
        model takes no images.
    """
    if config.name == "tiny":
        tokenizer = tiny.build_tokenizer(texts)
        return _prepared(tiny.build_model(tokenizer, config, seed), config), tiny.build_processor(
            tokenizer
        )
    try:
        processor = load_processor(config)
        model = AutoModelForImageTextToText.from_pretrained(
            config.name,
            revision=config.revision,
            dtype=weight_dtype(config),
            attn_implementation=config.attention,
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(_unreadable(config, error)) from error
    return _prepared(model, config), processor


def load_processor(config: ModelConfig) -> ProcessorMixin:
    """Return the processor of a saved model; never a bare tokenizer.

    ``AutoProcessor`` returns a tokenizer without a word where it cannot build the processor,
    and images would then be dropped silently.
    """
    family = AutoConfig.from_pretrained(
        base_name(config.name), revision=config.revision, trust_remote_code=False
    ).model_type
    sizes = {"min_pixels": config.min_pixels, "max_pixels": config.max_pixels}
    given = {name: value for name, value in sizes.items() if value is not None}
    if family == "qwen2_5_vl":
        return tiny.load_processor(config.name, config.revision, **given)
    read: Any = AutoProcessor.from_pretrained
    processor = read(config.name, revision=config.revision, trust_remote_code=False, **given)
    if not isinstance(processor, ProcessorMixin):
        msg = f"model {config.name!r} ({family}) takes no images; choose a vision-language model"
        raise ConfigError(msg)
    return processor


def base_name(name: str) -> str:
    """Return the model that a folder of LoRA weights belongs to, or the name itself."""
    adapter = Path(name) / "adapter_config.json"
    if not adapter.is_file():
        return name
    return str(json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"])


def weight_dtype(config: ModelConfig) -> torch.dtype:
    """Return the type weights are held in: float32 where all of them learn.

    AdamW steps of 1e-5 vanish in bfloat16's 8 bits, so a full fine-tuning keeps float32
    weights and computes in bfloat16 under autocast; frozen weights under LoRA need no more
    than the compute type.
    """
    return torch.bfloat16 if config.dtype == "bfloat16" and config.lora_rank else torch.float32


def lora(config: ModelConfig) -> Any | None:
    """Return the LoRA configuration of the language model's linear layers, or None.

    The vision tower has layers of the same names and is left out.
    """
    if not config.lora_rank:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=list(LORA_LAYERS),
        exclude_modules=r".*visual.*|.*vision.*",
        task_type="CAUSAL_LM",
    )


def vision_tower(model: PreTrainedModel) -> torch.nn.Module | None:
    """Return the module that encodes images, or None if the model does not name one."""
    inner = getattr(model, "model", model)
    for name in ("visual", "vision_tower", "vision_model"):
        tower = getattr(inner, name, None)
        if isinstance(tower, torch.nn.Module):
            return tower
    return None


def special_ids(processor: Any, *, keep: Iterable[int] = ()) -> list[int]:
    """Return the special tokens that must never be sampled: all but the end of a turn.

    A sampled image token has no image, and the next forward pass fails on it.
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    stay = {tokenizer.eos_token_id, *keep}
    return sorted(set(tokenizer.all_special_ids) - stay)


def _prepared(model: PreTrainedModel, config: ModelConfig) -> PreTrainedModel:
    if config.freeze_vision:
        tower = vision_tower(model)
        if tower is None:
            msg = f"model {config.name!r} names no vision tower; set model.freeze_vision=false"
            raise ConfigError(msg)
        tower.requires_grad_(False)
    return model


def _unreadable(config: ModelConfig, error: Exception) -> str:
    where = "folder" if Path(config.name).exists() else "hub name"
    revision = f" at revision {config.revision}" if config.revision else ""
    return (
        f"model.name {config.name!r} ({where}){revision} cannot be loaded: "
        f"{str(error).splitlines()[0]}"
    )
