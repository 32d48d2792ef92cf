"""A picture is cut to the bounds of the run as the processor would cut it (georl.data.sizes)."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from georl.config import ModelConfig
from georl.data import sizes


@settings(max_examples=60, deadline=None)
@given(
    st.integers(28, 900),
    st.integers(28, 900),
    st.sampled_from([None, 4 * 784, 12 * 784]),
    st.sampled_from([None, 50 * 784, 300 * 784]),
)
def test_sides_are_those_of_the_processor(width, height, least, most):
    image = Image.new("RGB", (width, height))
    found = sizes.fitted(image, ModelConfig(min_pixels=least, max_pixels=most))
    if least is None and most is None:
        assert found is image
        return
    bounds = {"min_pixels": least or 4 * 784, "max_pixels": most or 16384 * 784}
    tall, wide = smart_resize(height, width, factor=28, **bounds)
    assert found.size == (wide, tall)
    assert sizes.fitted(found, ModelConfig(min_pixels=least, max_pixels=most)) is found


def test_a_picture_keeps_what_it_shows_and_a_strip_is_refused():
    assert (sizes.MIN_PIXELS, sizes.MAX_PIXELS) == (3136, 12_845_056)  # 4 and 16384 tokens
    half = np.zeros((100, 300, 3), np.uint8)
    half[:, 150:] = 200
    found = sizes.fitted(Image.fromarray(half), ModelConfig(max_pixels=784 * 12))
    shown = np.asarray(found)
    assert (shown[:, 0] < 20).all()
    assert (shown[:, -1] > 180).all()
    with pytest.raises(ValueError, match="200"):
        sizes.fitted(Image.new("RGB", (28 * 201, 28)), ModelConfig(max_pixels=784))
