"""Which photos are decoded one at a time."""

import threading

import pytest
from PIL import Image

from geodata.images.large import is_large, one_large


@pytest.mark.parametrize(
    ("width", "height", "large"),
    [(8192, 4096, False), (8193, 4096, True), (1, 33_554_432, False), (33_554_433, 1, True)],
)
def test_a_photo_of_more_than_two_to_the_25_pixels_is_large(width, height, large):
    assert is_large(Image.new("1", (width, height))) == large


@pytest.mark.parametrize("large", [False, True])
def test_large_photos_wait_for_each_other_and_small_ones_do_not(large):
    image = Image.new("1", (8193 if large else 8192, 4096))
    order = []

    def second():
        with one_large(image):
            order.append("second")

    other = threading.Thread(target=second)
    with one_large(image):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == (["first", "second"] if large else ["second", "first"])
