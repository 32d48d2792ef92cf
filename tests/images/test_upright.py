"""A picture as people see it."""

import io

import pytest
from PIL import Image, ImageChops

from geodata.images import upright_rgb


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(turn):
    """Of a red corner at the top left of what is seen, its place in the file by orientation."""
    places = (0, 0), (3, 0), (3, 1), (0, 1), (0, 0), (0, 3), (1, 3), (1, 0)
    size = (4, 2) if turn < 5 else (2, 4)
    made = Image.new("RGB", size)
    made.putpixel(places[turn - 1], (255, 0, 0))
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = turn
    made.save(out, "PNG", exif=exif)
    seen = upright_rgb(Image.open(out))
    wanted = Image.new("RGB", (4, 2))
    wanted.putpixel((0, 0), (255, 0, 0))
    assert ImageChops.difference(seen, wanted).getbbox() is None
    assert seen.size == (4, 2)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "RGB"])
def test_a_picture_has_three_colours(mode):
    image = Image.new(mode, (3, 2))
    assert upright_rgb(image).mode == "RGB"
    assert (upright_rgb(image) is image) == (mode == "RGB")


def test_a_picture_is_decoded_while_its_file_is_open(tmp_path):
    Image.new("RGB", (3, 2), (1, 2, 3)).save(tmp_path / "a.bmp")
    with Image.open(tmp_path / "a.bmp") as image:
        seen = upright_rgb(image)
    assert seen.getpixel((2, 1)) == (1, 2, 3)
