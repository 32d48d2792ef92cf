"""A picture as people see it: turned as its camera says, in three colours."""

from __future__ import annotations

from PIL import ExifTags, Image, ImageOps


def upright_rgb(image: Image.Image) -> Image.Image:
    """Decode an image, with a copy only where it is turned or of another kind.

    Whoever shows a picture to a model calls this: one that trains and one that judges must see the
    same.

    Examples
    --------
    >>> lying = Image.new("L", (4, 2))
    >>> lying.getexif()[0x0112] = 6
    >>> upright_rgb(lying).mode, upright_rgb(lying).size
    ('RGB', (2, 4))
    """
    image.load()
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        image = ImageOps.exif_transpose(image)
    return image if image.mode == "RGB" else image.convert("RGB")
