"""The sizes of a model, counted from its configuration alone: no weights, no torch, no network.

Qwen2.5-VL is counted layer by layer. Another family is counted by transformers, where that is
installed; else its name has to tell the size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georl.config import ConfigError, ModelConfig, base_name

TINY_VOCABULARY = 600
PATCH, MERGE, FRAMES = 14, 2, 2


@dataclass(frozen=True)
class Shape:
    """The sizes that memory and time depend on."""

    parameters: int
    vision_parameters: int
    layers: int
    hidden: int
    intermediate: int
    kv_width: int
    """Key and value width of one layer together."""
    vocabulary: int
    tied: bool = True
    """The output layer is the embedding."""
    vision_layers: int = 32
    vision_hidden: int = 1280
    vision_intermediate: int = 3420

    @property
    def root(self) -> int:
        """Parameters outside the layers that sharding wraps: embedding, output, vision ends."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def block(self) -> int:
        """Parameters of one layer of the language model."""
        outside = self.root + self.vision_parameters
        return max(self.parameters - outside, 0) // max(self.layers, 1)


def model_shape(config: ModelConfig) -> Shape:
    """Count a model's sizes from its configuration.

    Raises
    ------
    ConfigError
        If there is no configuration to count, and the name tells no size.

    Examples
    --------
    >>> model_shape(ModelConfig(name="Qwen/Qwen2.5-VL-7B-Instruct", revision="x")).parameters
    8292166656
    """
    if config.name == "tiny":
        return qwen2_5_vl(_tiny(config))
    name = base_name(config.name)
    known = next((sizes for known, sizes in KNOWN.items() if known in name), None)
    stored = Path(name) / "config.json"
    if stored.is_file():
        return _of_file(stored)
    if Path(name).is_dir():
        msg = f"{name} holds no config.json, so it is no model; name a folder that was saved"
        raise ConfigError(msg)
    return known or _by_name(name)


def qwen2_5_vl(content: Mapping[str, Any]) -> Shape:
    """Count a Qwen2.5-VL from the content of its ``config.json``.

    Source: the layers of ``transformers`` ``modeling_qwen2_5_vl``; a test counts them there.
    """
    text = {**content, **(content.get("text_config") or {})}
    vision = content["vision_config"]
    h, i, layers = text["hidden_size"], text["intermediate_size"], text["num_hidden_layers"]
    kv = 2 * text["num_key_value_heads"] * (h // text["num_attention_heads"])
    tied = bool(content.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))
    block = 2 * h * h + h + h * kv + kv + 3 * h * i + 2 * h
    words = text["vocab_size"] * h
    language = words * (1 if tied else 2) + layers * block + h
    seen = _tower(vision, h)
    return Shape(
        parameters=language + seen,
        vision_parameters=seen,
        layers=layers,
        hidden=h,
        intermediate=i,
        kv_width=kv,
        vocabulary=text["vocab_size"],
        tied=tied,
        vision_layers=vision.get("depth", 32),
        vision_hidden=vision.get("hidden_size", 1280),
        vision_intermediate=vision.get("intermediate_size", 3420),
    )


def _tower(vision: Mapping[str, Any], out: int) -> int:
    v, i = vision.get("hidden_size", 1280), vision.get("intermediate_size", 3420)
    patch = vision.get("patch_size", PATCH)
    embed = 3 * FRAMES * patch * patch * v
    block = 3 * v * v + 3 * v + v * v + v + 3 * v * i + 2 * i + v + 2 * v
    wide = v * MERGE**2
    merger = v + wide * wide + wide + wide * out + out
    return int(embed + vision.get("depth", 32) * block + merger)


def _tiny(config: ModelConfig) -> dict[str, Any]:
    width = config.hidden
    vision = {
        "depth": config.vision_layers,
        "hidden_size": width,
        "intermediate_size": 3 * width,
    }
    return {
        "vocab_size": TINY_VOCABULARY,
        "hidden_size": width,
        "intermediate_size": 3 * width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
        "vision_config": vision,
    }


def _of_file(path: Path) -> Shape:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"{path} is damaged ({str(error)[:80]}); copy the model again"
        raise ConfigError(msg) from None
    try:
        if isinstance(content, dict) and content.get("model_type") == "qwen2_5_vl":
            return qwen2_5_vl(content)
        return _by_transformers(path.parent)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        msg = (
            f"{path} tells no sizes of a vision-language model ({reason.partition(chr(10))[0][:80]}"
            "); name another model, or copy it again"
        )
        raise ConfigError(msg) from error


def _by_transformers(folder: Path) -> Shape:
    """Count any model without its weights; needs torch and transformers."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from georl import models

    with torch.device("meta"):
        empty: Any = AutoModelForImageTextToText.from_config
        model = empty(AutoConfig.from_pretrained(folder, trust_remote_code=False))
    text = model.config.get_text_config()
    tower = models.vision_tower(model)
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    words, out = model.get_input_embeddings(), model.get_output_embeddings()
    return Shape(
        parameters=sum(p.numel() for p in model.parameters()),
        vision_parameters=sum(p.numel() for p in tower.parameters()) if tower is not None else 0,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=text.intermediate_size,
        kv_width=2 * text.num_key_value_heads * head,
        vocabulary=text.vocab_size,
        tied=out is None or out.weight is words.weight,
    )


# From the models' published configurations.
KNOWN = {
    "Qwen2.5-VL-3B": Shape(3_754_622_976, 668_684_288, 36, 2048, 11008, 512, 151936),
    "Qwen2.5-VL-7B": Shape(8_292_166_656, 676_550_144, 28, 3584, 18944, 1024, 152064, tied=False),
}


def _by_name(name: str) -> Shape:
    """Guess the sizes of a model of which only the number of parameters is told."""
    size = re.search(r"(\d+(?:\.\d+)?)B\b", name)
    if size is None:
        msg = (
            f"the sizes of {name!r} are not known here; download it and give model.name its "
            "folder, or a name that says its size, such as Qwen2.5-VL-7B"
        )
        raise ConfigError(msg)
    billions = float(size[1])
    width = int(1280 * billions**0.5)
    return Shape(int(billions * 1e9), 0, 32, width, 4 * width, 1024, 152064)
