"""Cities that a tiny model can know by name: their text, and pictures that spell them.

A picture shows the first four letters of a name, one in each quarter, and nothing else, so what
a model sees says where it is only to one that knows the city already.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geodata.places import Places
from georl.data import EUROPE_AFRICA, Box
from georl.models import PIXELS

LETTERS = 4
"""Of a name that a picture spells and an answer names."""

_HALF = PIXELS // 2

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Cities:
    """Cities by the head of their names."""

    heads: tuple[str, ...]
    """Four capital letters each, no two alike."""
    lat: NDArray[np.float64]
    """Degrees, (n,)."""
    lon: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.heads)

    def coordinates(self, index: int) -> str:
        """Return the answer without a chain, in whole degrees.

        Examples
        --------
        >>> largest(3).coordinates(0)
        'Coordinates: (-4.0, 15.0)'
        """
        return f"Coordinates: ({round(self.lat[index])}.0, {round(self.lon[index])}.0)"

    def chain(self, index: int) -> str:
        """Return the answer that names the city first, as the chain of region does."""
        return f"City: {self.heads[index]}\n{self.coordinates(index)}"


def largest(n: int, *, box: Box = EUROPE_AFRICA) -> Cities:
    """Return the n largest cities in a box whose heads differ, the largest first.

    Of two cities with one head the larger is taken; names shorter than four letters are not.

    Raises
    ------
    ValueError
        If the box holds fewer.

    Examples
    --------
    >>> largest(3).heads
    ('KINS', 'ISTA', 'LAGO')
    """
    places = Places.load()
    inside = (places.lat >= box.south) & (places.lat <= box.north)
    inside &= (places.lon >= box.west) & (places.lon <= box.east)
    inside &= places.city == np.arange(len(places))
    rows = np.flatnonzero(inside)
    found: dict[str, int] = {}
    for row in rows[np.argsort(-places.population[rows], kind="stable")].tolist():
        if len(found) == n:
            break
        head = _head(places.name(row))
        if len(head) == LETTERS:
            found.setdefault(head, row)
    if len(found) < n:
        msg = f"{n} cities are asked for and the box holds {len(found)} with different heads"
        raise ValueError(msg)
    chosen = list(found.values())
    return Cities(tuple(found), places.lat[chosen], places.lon[chosen])


def _head(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).upper()
    return "".join(c for c in plain if "A" <= c <= "Z")[:LETTERS]


def picture(head: str, rng: np.random.Generator) -> Image.Image:
    """Return a picture of four letters on blocks, each block in its letter's colours, under noise.

    As on a child's building blocks; a tiny model reads them after some hundred pictures, and
    black letters on white only after many times as many.

    Parameters
    ----------
    head
        Four capital letters.
    rng
        Decides the noise.

    Examples
    --------
    >>> picture("PARI", np.random.default_rng(0)).size
    (56, 56)
    """
    page = Image.new("RGB", (PIXELS, PIXELS))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for k, letter in enumerate(head):
        x, y = _HALF * (k % 2), _HALF * (k // 2)
        upper, lower = _colours()[ord(letter) - ord("A")]
        draw.rectangle((x, y, x + _HALF, y + _HALF), fill=upper)
        draw.rectangle((x, y + _HALF // 2, x + _HALF, y + _HALF), fill=lower)
        middle = (x + _HALF / 2, y + _HALF / 2)
        draw.text(
            middle,
            letter,
            fill="black",
            stroke_fill="white",
            stroke_width=1,
            font=font,
            anchor="mm",
        )
    noisy = np.asarray(page, np.float64) + rng.normal(0.0, 15.0, (PIXELS, PIXELS, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@functools.cache
def _colours() -> list[tuple[Colour, Colour]]:
    """Return the upper and the lower colour of each letter's block, no two pairs alike."""
    levels = (45, 210)
    corners = list(itertools.product(levels, repeat=3))
    pairs = list(itertools.permutations(corners, 2))
    order = np.random.default_rng(26).permutation(len(pairs))[:26]
    return [pairs[k] for k in order]
