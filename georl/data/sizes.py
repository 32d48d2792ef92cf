"""The size of a photo: what the cap of a run makes of it, once, where it is read.

vLLM and a server have their own processor, which does not know ``model.max_pixels``: a photo of
1024x768 is 494 tokens here under a cap of 401,408 pixels and 999 there. A photo whose sides
already are what the processor would make of them is left as it is by both.
"""

from __future__ import annotations

from PIL import Image

from georl.config import ModelConfig

FACTOR = 28
"""Sides are multiples of this in Qwen2(.5)-VL: patches of 14 pixels, merged two by two."""

MIN_PIXELS, MAX_PIXELS = 4 * FACTOR * FACTOR, 16384 * FACTOR * FACTOR
"""The bounds that Qwen2.5-VL comes with."""


def fitted(image: Image.Image, model: ModelConfig) -> Image.Image:
    """Return the image as large as the processor would make it, untouched without a cap.

    Parameters
    ----------
    image
        RGB.
    model
        ``max_pixels`` and ``min_pixels``.

    Raises
    ------
    ValueError
        If one side is more than 200 times the other.

    Examples
    --------
    >>> fitted(Image.new("RGB", (1024, 768)), ModelConfig(max_pixels=401408)).size
    (728, 532)
    >>> fitted(Image.new("RGB", (1024, 768)), ModelConfig()).size
    (1024, 768)
    """
    if model.max_pixels is None and model.min_pixels is None:
        return image
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    height, width = smart_resize(
        image.height,
        image.width,
        factor=FACTOR,
        min_pixels=MIN_PIXELS if model.min_pixels is None else model.min_pixels,
        max_pixels=MAX_PIXELS if model.max_pixels is None else model.max_pixels,
    )
    if (width, height) == image.size:
        return image
    return image.resize((width, height), Image.Resampling.BICUBIC)
