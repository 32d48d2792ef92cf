"""Load the model and processor of a run: the tiny one, a folder or a pinned hub revision."""

from __future__ import annotations

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
from transformers.utils.peft_utils import find_adapter_config_file

from georl.config import (
    ConfigError,
    ModelConfig,
    base_name as base_name,
    base_revision as base_revision,
    stored_adapter,
    unpinned_base,
)
from georl.models import tiny
from georl.models.reaching import reach

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
        If the name is neither a folder with a model nor a hub name that can be read, the
        model takes no images, a folder of LoRA weights has another rank than asked for, or they
        belong to a hub model without a pinned commit.

    Notes
    -----
    A folder of LoRA weights with ``lora_rank`` set goes on with these very weights; without it
    they are merged into the model they belong to.

    Examples
    --------
    >>> model, processor = load(ModelConfig(name="tiny"), texts=["Country: France"])
    >>> model.config.model_type, len(processor.tokenizer) == model.config.text_config.vocab_size
    ('qwen2_5_vl', True)
    """
    if config.name == "tiny":
        tokenizer = tiny.build_tokenizer(texts)
        return _prepared(tiny.build_model(tokenizer, config, seed), config), tiny.build_processor(
            tokenizer
        )
    adapter = stored_adapter(config.name)
    if adapter is not None:
        _check_rank(config, adapter)
    if (unpinned := unpinned_base(config.name)) is not None:
        raise ConfigError(unpinned)
    try:
        reach(base_name(config.name), base_revision(config))
        processor = load_processor(config)
        _refuse_hub_adapter(config)
        model = AutoModelForImageTextToText.from_pretrained(
            base_name(config.name),
            revision=base_revision(config),
            dtype=weight_dtype(config),
            attn_implementation=config.attention,
            trust_remote_code=False,
        )
    except ConfigError:
        raise
    except (OSError, ValueError, RecursionError) as error:  # the last of nested JSON
        raise ConfigError(_unreadable(config, error)) from error
    if adapter is None:
        return _prepared(model, config), processor
    return _adapted(model, config), processor


def load_processor(config: ModelConfig) -> ProcessorMixin:
    """Return the processor of a saved model; never a bare tokenizer.

    ``AutoProcessor`` returns a tokenizer without a word where it cannot build the processor,
    and images would then be dropped silently.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> model, processor = load(ModelConfig(name="tiny"), texts=["Country: France"])
    >>> model.save_pretrained(folder.name)
    >>> _ = processor.save_pretrained(folder.name)
    >>> type(load_processor(ModelConfig(name=folder.name))).__name__
    'Qwen2_5_VLProcessor'
    >>> folder.cleanup()
    """
    family = AutoConfig.from_pretrained(
        base_name(config.name), revision=base_revision(config), trust_remote_code=False
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


def _refuse_hub_adapter(config: ModelConfig) -> None:
    """Refuse LoRA weights on the hub: transformers would follow them to a model without a pin."""
    if Path(config.name).exists():
        return
    if find_adapter_config_file(config.name, revision=config.revision) is not None:
        msg = (
            f"{config.name!r} is a hub name of LoRA weights, which name their model themselves; "
            "download them into a folder, pin the model's revision in their adapter_config.json, "
            "and set model.name to the folder"
        )
        raise ConfigError(msg)


def _check_rank(config: ModelConfig, adapter: dict[str, Any]) -> None:
    if config.lora_rank and config.lora_rank != adapter["r"]:
        msg = (
            f"{config.name} holds LoRA weights of rank {adapter['r']} and model.lora_rank is "
            f"{config.lora_rank}; set model.lora_rank={adapter['r']} to go on with them, or 0 to "
            "merge them and train every parameter"
        )
        raise ConfigError(msg)


def _adapted(model: PreTrainedModel, config: ModelConfig) -> Any:
    """Return the model with the stored LoRA weights: to go on with, or merged into it.

    A trainer given such a folder and a new LoRA configuration would put a second adapter beside
    the first and train and save that one alone, so that what was learnt before is lost.
    """
    from peft import PeftModel

    load: Any = PeftModel.from_pretrained
    try:
        if config.lora_rank:
            return load(_prepared(model, config), config.name, is_trainable=True)
        merged = load(model, config.name).merge_and_unload()
    except RuntimeError as error:
        if "size mismatch" not in str(error):
            raise
        msg = (
            f"the LoRA weights in {config.name} were made for a model of other sizes than "
            f"{base_name(config.name)}, which adapter_config.json names; write there the model "
            "that they were trained on"
        )
        raise ConfigError(msg) from error
    return _prepared(merged.requires_grad_(True), config)


def weight_dtype(config: ModelConfig) -> torch.dtype:
    """Return the type weights are held in: float32 where all of them learn.

    AdamW steps of 1e-5 vanish in bfloat16's 8 bits, so a full fine-tuning keeps float32
    weights and computes in bfloat16 under autocast; frozen weights under LoRA need no more
    than the compute type.
    """
    return torch.bfloat16 if config.dtype == "bfloat16" and config.lora_rank else torch.float32


def lora(config: ModelConfig, dropout: float = 0.0) -> Any | None:
    """Return the LoRA configuration of the language model's linear layers, or None.

    ``dropout`` is that of a run which leaves it open.

    The vision tower has layers of the same names and is left out. A folder of LoRA weights
    brings its own configuration.

    Examples
    --------
    >>> lora(ModelConfig(lora_rank=64, lora_alpha=128)).r
    64
    >>> lora(ModelConfig(lora_rank=0)) is None
    True
    """
    if not config.lora_rank or stored_adapter(config.name) is not None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=dropout if config.lora_dropout is None else config.lora_dropout,
        target_modules=list(LORA_LAYERS),
        exclude_modules=r".*visual.*|.*vision.*",
        task_type="CAUSAL_LM",
        revision=config.revision,
    )


def vision_tower(model: PreTrainedModel) -> torch.nn.Module | None:
    """Return the module that encodes images, or None if the model does not name one.

    Examples
    --------
    >>> model = tiny.build_model(tiny.build_tokenizer(["Country: France"]))
    >>> type(vision_tower(model)).__name__
    'Qwen2_5_VisionTransformerPretrainedModel'
    """
    inner = getattr(model, "model", model)
    for name in ("visual", "vision_tower", "vision_model"):
        tower = getattr(inner, name, None)
        if isinstance(tower, torch.nn.Module):
            return tower
    return None


def special_ids(processor: Any) -> list[int]:
    """Return the special tokens that must never be sampled: all but the end of a turn.

    A sampled image token has no image, and the next forward pass fails on it.

    Examples
    --------
    >>> tokenizer = tiny.build_tokenizer(["Country: France"])
    >>> tokenizer.pad_token_id in special_ids(tokenizer)
    True
    >>> tokenizer.eos_token_id in special_ids(tokenizer)
    False
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    return sorted(set(tokenizer.all_special_ids) - {tokenizer.eos_token_id})


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
