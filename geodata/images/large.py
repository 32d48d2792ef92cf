"""Photos so large that one of them is decoded at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

LARGE_PIXELS = 1 << 25
"""Photos of more pixels unfold into hundreds of megabytes."""

_ONE = threading.Lock()


def is_large(image: Image.Image) -> bool:
    """Return whether a photo has more than `LARGE_PIXELS`, as its header says.

    Examples
    --------
    >>> is_large(Image.new("1", (8, 4)))
    False
    """
    return image.width * image.height > LARGE_PIXELS


@contextmanager
def one_large(image: Image.Image) -> Iterator[None]:
    """Wait while another thread of this process is inside with a large photo; small ones pass.

    Examples
    --------
    >>> with one_large(Image.new("1", (8, 4))) as nothing:
    ...     print(nothing)
    None
    """
    if not is_large(image):
        yield
        return
    with _ONE:
        yield
