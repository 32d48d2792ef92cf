"""Photos of more pixels than any model takes in are made smaller; strips are refused by row."""

import io

import numpy as np
import pytest
from PIL import Image

from geodata.images import large
from georl import models
from georl.data import images


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **{"format": "JPEG", **options})
    return buffer.getvalue()


def photo(width, height, mode="RGB"):
    values = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    return Image.fromarray(values).convert(mode)


@pytest.fixture
def small_bounds(monkeypatch):
    monkeypatch.setattr(large, "LARGE_PIXELS", 40 * 20)
    monkeypatch.setattr(images, "_MOST_SIDES", 20 * 10)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_a_large_photo_is_the_mean_of_its_pixels(small_bounds, mode):
    original = photo(60, 30, mode)
    read = images.open_image(encoded(original, format="PNG"), None, "x")
    assert (read.mode, read.size) == ("RGB", (20, 10))
    if mode in ("RGB", "L"):
        blocks = np.asarray(original.convert("RGB"), float).reshape(10, 3, 20, 3, 3).mean((1, 3))
        assert np.abs(np.asarray(read, float) - blocks).max() <= 1


def test_at_the_bound_nothing_is_made_smaller(small_bounds):
    assert images.open_image(encoded(photo(40, 20)), None, "x").size == (40, 20)
    assert images.open_image(encoded(photo(41, 20)), None, "x").size == (14, 7)


@pytest.mark.parametrize("size", [(30, 12), (60, 30)])
def test_a_photo_is_upright_large_or_not(small_bounds, size):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    read = images.open_image(encoded(photo(*size), exif=exif), None, "x")
    assert read.height > read.width


def test_a_damaged_large_photo_is_one_error(small_bounds):
    whole = encoded(photo(60, 30), format="PNG", compress_level=0)
    with pytest.raises(images.DataError, match="row 'x'"):
        images.open_image(whole[: len(whole) // 2], None, "x")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_of_more_pixels_than_pillow_allows_a_jpeg_is_read_at_half_its_size(
    small_bounds, monkeypatch
):
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 60 * 30 - 1)
    assert images.open_image(encoded(photo(60, 30)), None, "x").size == (15, 8)
    with pytest.raises(images.DataError, match=r"60x30 pixels.*MAX_IMAGE_PIXELS; repair"):
        images.open_image(encoded(photo(60, 30), format="PNG"), None, "x")
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 60 * 30)
    assert images.open_image(encoded(photo(60, 30), format="PNG"), None, "x").size == (20, 10)


@pytest.mark.parametrize(("width", "height"), [(1, 200), (200, 1), (2, 401), (401, 2)])
def test_a_strip_is_refused_with_its_row_where_the_processor_would_refuse_the_batch(width, height):
    """At 200 to 1 Qwen's processor takes a photo, beyond it ends whatever it is called by."""
    processor = models.build_processor(models.build_tokenizer(["Where?"]))
    picture, strip = photo(width, height), max(width, height) > 200 * min(width, height)
    if not strip:
        processor.image_processor(images=[picture], return_tensors="pt")
        assert images.open_image(encoded(picture), None, "x").size == (width, height)
        return
    with pytest.raises(ValueError, match="aspect ratio"):
        processor.image_processor(images=[picture], return_tensors="pt")
    with pytest.raises(images.DataError, match=f"row 'x' .*{width}x{height} pixels, more than 200"):
        images.open_image(encoded(picture), None, "x")
