"""A finished model on disk in the type that it was trained to compute in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from geodata.files import replacing, write_text
from georl.config import ModelConfig


def halve(folder: Path, config: ModelConfig) -> None:
    """Rewrite a model's float32 weights as bfloat16, where that is what the run computed in.

    A full fine-tuning holds float32 weights, because small steps vanish in bfloat16's 8 bits, and
    computes with their bfloat16 copies: a model that is only used needs no more than these, 17 GB
    for 7B in place of 33. Checkpoints stay float32; so do LoRA weights, which are small.

    Parameters
    ----------
    folder
        As ``save_pretrained`` wrote it, in one file or several, not sealed yet.
    config
        Of the run.
    """
    if config.dtype != "bfloat16" or config.lora_rank:
        return
    from safetensors.torch import load_file, save_file

    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        tensors = {name: _halved(value) for name, value in load_file(path).items()}
        total += sum(value.nbytes for value in tensors.values())
        with replacing(path) as beside:
            save_file(tensors, beside, metadata={"format": "pt"})
    _note(folder / "config.json", lambda settings: settings | {"dtype": "bfloat16"})
    index = folder / "model.safetensors.index.json"
    _note(index, lambda found: found | {"metadata": found["metadata"] | {"total_size": total}})


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value.to(torch.bfloat16) if value.dtype == torch.float32 else value


def _note(path: Path, change: Any) -> None:
    """Change a JSON file where there is one."""
    if path.is_file():
        content = change(json.loads(path.read_text(encoding="utf-8")))
        write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")
