"""Two perceptual hashes of a picture: a short one to search by and a long one to be sure.

pHash of the library ImageHash: the signs of the lowest frequencies of the grey picture against
their median, 8 x 8 of 32 x 32 and 16 x 16 of 64 x 64 pixels. Two pictures are near if few bits
differ. Recompressed and resized pictures differ in hardly a bit, cut ones in some; the short hash
forgives more, the long one tells apart what is alike by chance.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np

from geodata.files import FileError

COARSE_SIDE, FINE_SIDE = 8, 16
FINE_BITS = FINE_SIDE**2
FINE_BYTES = FINE_BITS // 8
_DECODED = (64, 64)
"""A JPEG is decoded at the least of its scales that has so many pixels: an eighth for 1 Mpx."""


class Fingerprint(NamedTuple):
    """The hashes of one picture."""

    coarse: int
    """64 bits, from 0 to 2^64 - 1."""
    fine: bytes
    """256 bits."""


def fingerprint(picture: bytes) -> Fingerprint:
    """Return the perceptual hashes of an encoded picture, turned upright as its EXIF says.

    Raises
    ------
    FileError
        If it is no picture that can be read, or ImageHash is not installed.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> picture = Image.effect_mandelbrot((320, 240), (-2, -1, 1, 1), 100)
    >>> def jpeg(quality):
    ...     picture.save(made := io.BytesIO(), "jpeg", quality=quality)
    ...     return made.getvalue()
    >>> fingerprint(jpeg(90)).coarse == fingerprint(jpeg(30)).coarse
    True
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    phash = _library().phash
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            opened.draft("L", _DECODED)
            grey = ImageOps.exif_transpose(opened).convert("L")
            coarse, fine = (
                np.packbits(phash(grey, hash_size=side).hash.ravel()).tobytes()
                for side in (COARSE_SIDE, FINE_SIDE)
            )
    except UnidentifiedImageError as error:  # its own words hold an address in memory
        msg = "cannot be read as a picture: of no kind that Pillow knows"
        raise FileError(msg) from error
    except Exception as error:  # the parsers of Pillow raise whatever they stumble over
        why = str(error).splitlines()[0] if str(error) else ""
        msg = f"cannot be read as a picture: {type(error).__name__}: {why}"[:200]
        raise FileError(msg) from error
    return Fingerprint(int.from_bytes(coarse), fine)


def software() -> dict[str, str]:
    """Return what makes the hashes, for lineage."""
    import PIL

    return {"hash": "pHash 64 and 256", "imagehash": str(_library().__version__),
            "pillow": PIL.__version__}  # fmt: skip


def _library() -> Any:
    try:
        import imagehash
    except ImportError as error:
        msg = "perceptual hashes need ImageHash: pip install '.[photos]' in the clone"
        raise FileError(msg) from error
    return imagehash
