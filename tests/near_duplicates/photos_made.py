"""Photos for tests: smooth random scenes with an edge and grain, and what copying does to them."""

import io

import numpy as np
from PIL import Image, ImageEnhance


def scene(seed, size=(512, 384)):
    """Return a picture whose spectrum falls as that of photos does."""
    rng = np.random.default_rng(seed)
    width, height = size
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = 1 / np.maximum(np.hypot(fy * height, fx * width), 1) ** 1.2
    grain = rng.normal(size=(3, height, width))
    grain[1:] += grain[0]  # colours go together
    field = np.fft.irfft2(np.fft.rfft2(grain) * fall, s=(height, width))
    field = (field - field.mean()) / field.std()
    horizon = np.arange(height)[:, None] > height * rng.uniform(0.3, 0.7)
    light = 128 + 45 * field + 30 * horizon * rng.choice([-1, 1])
    return Image.fromarray(np.clip(light, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def jpeg(picture, quality=90, **options):
    picture.save(made := io.BytesIO(), "jpeg", quality=quality, **options)
    return made.getvalue()


def cut(picture, share, seed=0):
    """Return a picture without a share of its width and height, at random sides."""
    rng = np.random.default_rng(seed)
    width, height = picture.size
    off_x, off_y = int(width * share), int(height * share)
    x, y = rng.integers(0, off_x + 1), rng.integers(0, off_y + 1)
    return picture.crop((x, y, width - off_x + x, height - off_y + y))


COPIES = {
    "quality 50": lambda p, i: jpeg(p, 50),
    "quality 20": lambda p, i: jpeg(p, 20),
    "half the size": lambda p, i: jpeg(p.resize((p.width // 2, p.height // 2))),
    "a quarter": lambda p, i: jpeg(p.resize((p.width // 4, p.height // 4))),
    "grey": lambda p, i: jpeg(p.convert("L")),
    "brighter": lambda p, i: jpeg(ImageEnhance.Brightness(p).enhance(1.3)),
    "2% cut off": lambda p, i: jpeg(cut(p, 0.02, i)),
    "5% cut off": lambda p, i: jpeg(cut(p, 0.05, i)),
    "10% cut off": lambda p, i: jpeg(cut(p, 0.10, i)),
    "mirrored": lambda p, i: jpeg(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
}
