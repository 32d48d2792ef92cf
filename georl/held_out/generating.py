"""Answers of a model in memory to images."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from georl import models
from georl.config import PredictConfig
from georl.data import Turn, with_image


def generate(
    model: Any,
    processor: Any,
    images: list[Image.Image],
    question: str | list[list[Turn]],
    options: PredictConfig,
) -> list[str]:
    """Return one answer an image.

    Parameters
    ----------
    model, processor
        Of `models.load`.
    images
        RGB images, n of them.
    question
        The user's text beside each image, or n chats with a place for their image.
    options
        ``max_tokens`` and ``temperature`` (0 is greedy).

    Examples
    --------
    >>> from PIL import Image
    >>> from georl import models
    >>> from georl.config import ModelConfig
    >>> model, processor = models.load(ModelConfig(name="tiny"), texts=["Where is this?"])
    >>> photo = Image.new("RGB", (56, 56))
    >>> options = PredictConfig(max_tokens=4)
    >>> len(generate(model, processor, [photo, photo], "Where is this?", options))
    2
    """
    if not images:
        return []
    given: Any = [question] * len(images) if isinstance(question, str) else question
    pairs = zip(given, images, strict=True)
    chats = [with_image(asked, {"type": "image", "image": image}) for asked, image in pairs]
    inputs = processor.apply_chat_template(
        chats,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        processor_kwargs={"padding": True, "padding_side": "left", "return_tensors": "pt"},
    ).to(model.device)
    sampling = {"do_sample": True, "temperature": options.temperature, "top_k": 0}
    with torch.no_grad():
        out = model.generate(
            **inputs,
            max_new_tokens=options.max_tokens,
            suppress_tokens=models.special_ids(processor),
            **(sampling if options.temperature > 0 else {"do_sample": False}),
        )
    new = out[:, inputs["input_ids"].shape[1] :]
    texts: list[str] = processor.batch_decode(new, skip_special_tokens=True)
    return texts
