"""A reasoning set that is generated, not collected: crops of the bundled Earth around cities.

It has the columns of the reasoning pipeline's table, so that everything after the pipeline runs
without downloads. The words are written by rules from the pixels: which kinds of land a crop
shows, and on which side the sea lies. Nothing here was said by a model, and the column ``model``
says so. For each step that drops rows there are rows that it would drop: open sea and cloud
with words that fit another photo, so that the picture decides; land with the wrong evidence;
land with the wrong place.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from geodata import gazetteer
from georl.data.world import Earth
from georl.models import PIXELS

MODEL = "generated-from-the-bundled-world"

CITIES = (
    ("PT", "Lisbon"), ("ES", "Madrid"), ("FR", "Paris"), ("GB", "London"), ("NO", "Oslo"),
    ("SE", "Stockholm"), ("FI", "Helsinki"), ("DE", "Berlin"), ("PL", "Warsaw"), ("IT", "Rome"),
    ("GR", "Athens"), ("TR", "Ankara"), ("RO", "Bucharest"), ("UA", "Kyiv"), ("EG", "Cairo"),
    ("LY", "Tripoli"), ("TN", "Tunis"), ("DZ", "Algiers"), ("MA", "Marrakesh"), ("ML", "Bamako"),
    ("SN", "Dakar"), ("NG", "Lagos"), ("NE", "Niamey"), ("SD", "Khartoum"), ("SO", "Mogadishu"),
    ("KE", "Nairobi"), ("CD", "Kinshasa"), ("AO", "Luanda"), ("ZM", "Lusaka"), ("MZ", "Maputo"),
    ("ZA", "Cape Town"), ("MG", "Antananarivo"),
)  # fmt: skip
"""The places that photos are taken at, with their names and points from `geodata.gazetteer`."""

AROUND_KM, ASIDE_DEGREES = 15.0, 2.0
"""A photo is taken within so many km of its city, and its crop lies up to so far beside it."""

KINDS = ("kept", "localizable", "truth", "visible")
"""Of rows: kept, or the step that drops them."""

SHARES = (0.55, 0.25, 0.1, 0.1)

REASONS = {
    "localizable": "open sea or cloud",
    "truth": "names another place",
    "visible": "names what is not visible",
}

_LANDS = ("snow or cloud", "dry land", "forest", "grassland")
_SIDES = tuple(f"sea in the {side}" for side in ("north", "south", "west", "east"))
_SHOWS, _AROUND, _IN = "The picture shows ", ", as around ", " in "

PHRASES = (_SHOWS, _AROUND, _IN, *_LANDS, *_SIDES, "open sea", "bare land")
"""What the reasonings are put together from, beside the names of places."""

_VISIBLE = 0.12
"""Share of a crop, or for the sea of a side of it, from which something is named."""

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("country", pa.string()),
        ("city", pa.string()),
        ("reasoning", pa.string()),
        ("localizability", pa.float64()),
        ("entities", pa.list_(pa.string())),
        ("model", pa.string()),
        ("kept", pa.bool_()),
        ("step", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class City:
    """A place that photos are taken at."""

    country: str
    name: str
    lat: float
    lon: float


@cache
def cities() -> tuple[City, ...]:
    """Return the cities with the names and points that the gazetteer has."""
    codes, names = zip(*CITIES, strict=True)
    points = gazetteer.places(country=list(codes), city=list(names)).to_pylist()
    found = []
    for code, point in zip(codes, points, strict=True):
        region = gazetteer.resolve(code)
        assert region is not None, code
        found.append(City(region.name, point["name"], point["lat"], point["lon"]))
    return tuple(found)


def generated_reasons(rows: int, seed: int) -> pa.Table:
    """Return a generated reasoning set over the bundled Earth.

    Parameters
    ----------
    rows
        One photo and one reasoning each.
    seed
        Decides everything; other seeds give disjoint ids, more rows begin with the same ones.

    Returns
    -------
    pyarrow.Table of ``rows`` rows
        As `SCHEMA`: image as PNG bytes, lat and lon in degrees, ``step`` and ``reason`` NULL where
        a row is kept. Of the rows 55% are kept and 25% are open sea or cloud, whose lat, lon,
        country and city are NULL.

    Examples
    --------
    >>> generated_reasons(3, 0).select(["kept", "country"]).num_rows
    3
    """
    rng = np.random.default_rng([seed, 71])
    earth = Earth()
    made = [_row(f"reason-{seed}-{i}", earth, rng) for i in range(rows)]
    return pa.Table.from_pylist(made, SCHEMA)


def _row(name: str, earth: Earth, rng: np.random.Generator) -> dict[str, object]:
    kind = str(rng.choice(KINDS, p=SHARES))
    city = cities()[int(rng.integers(len(CITIES)))]
    lat, lon = _beside(city, rng)
    image = _crop(earth, city, rng)
    entities, told = seen(image), city
    if kind == "localizable":
        image = _cloud(image, rng) if rng.random() < 0.5 else _open_sea(earth, rng)
    elif kind == "truth":
        told = _another(city, rng)
    elif kind == "visible":
        entities = _unseen(entities, earth, rng)
    shown = seen(image)
    nowhere = kind == "localizable"
    return {
        "id": name,
        "image": {"bytes": _png(image), "path": None},
        "lat": None if nowhere else lat,
        "lon": None if nowhere else lon,
        "country": None if nowhere else city.country,
        "city": None if nowhere else city.name,
        "reasoning": reasoning_of(entities, told),
        "localizability": 0.05 if nowhere else 0.9,
        "entities": shown,
        "model": MODEL,
        "kept": kind == "kept",
        "step": None if kind == "kept" else kind,
        "reason": REASONS.get(kind),
    }


def reasoning_of(entities: list[str], city: City) -> str:
    """Return what is seen, and what follows, in a sentence."""
    *first, last = entities
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{_SHOWS}{listed}{_AROUND}{city.name}{_IN}{city.country}."


def seen(image: Image.Image) -> list[str]:
    """Return the kinds of land and sea that the pixels of a crop show, by their colour.

    Examples
    --------
    >>> seen(Image.new("RGB", (8, 8), (180, 150, 110))), seen(Image.new("RGB", (8, 8), (5, 14, 38)))
    (['dry land'], ['open sea'])
    """
    pixels = np.asarray(image.convert("RGB"), np.float64)
    red, blue = pixels[..., 0], pixels[..., 2]
    bright = pixels.mean(-1)
    sea = blue > 1.2 * red
    white = ~sea & (bright > 130.0) & (red < 1.15 * blue)
    dry = ~sea & ~white & (red > 100.0)
    forest = ~sea & ~white & ~dry & (bright < 42.0)
    grass = ~sea & ~white & ~dry & ~forest
    if sea.mean() > 0.97:
        return ["open sea"]
    lands = zip(_LANDS, (white, dry, forest, grass), strict=True)
    found = [name for name, where in lands if where.mean() >= _VISIBLE]
    half = sea.shape[0] // 3
    sides = (sea[:half], sea[-half:], sea[:, :half], sea[:, -half:])
    found += [side for side, part in zip(_SIDES, sides, strict=True) if part.mean() >= 0.5]
    return found or ["bare land"]


def _beside(city: City, rng: np.random.Generator) -> tuple[float, float]:
    """Return where a photo is taken, uniform in a disc around the city."""
    away, angle = AROUND_KM * np.sqrt(rng.random()) / 111.2, rng.uniform(0.0, 2.0 * np.pi)
    lat = city.lat + away * np.sin(angle)
    lon = city.lon + away * np.cos(angle) / np.cos(np.radians(city.lat))
    return round(float(lat), 6), round(float(lon), 6)


def _crop(earth: Earth, city: City, rng: np.random.Generator) -> Image.Image:
    aside = rng.uniform(-ASIDE_DEGREES, ASIDE_DEGREES, 2)
    return earth.crop(city.lat + float(aside[0]), city.lon + float(aside[1]))


def _open_sea(earth: Earth, rng: np.random.Generator) -> Image.Image:
    """Return a crop without land; a third of those between 55 degrees south and north are."""
    while True:
        lat = float(np.degrees(np.arcsin(rng.uniform(-0.82, 0.82))))
        image = earth.crop(lat, float(rng.uniform(-180.0, 180.0)))
        if seen(image) == ["open sea"]:
            return image


def _cloud(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a crop under a cover of cloud that lets almost nothing through."""
    noise = sum(
        np.asarray(_field(size, rng).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC)) * weight
        for size, weight in ((3, 0.5), (7, 0.3), (14, 0.2))
    )
    cover = (0.88 + 0.12 * np.asarray(noise) / 255.0)[..., None]
    white = rng.uniform(190.0, 235.0) + 20.0 * (np.asarray(noise)[..., None] / 255.0 - 0.5)
    mixed = cover * white + (1.0 - cover) * np.asarray(image, np.float64)
    return Image.fromarray(mixed.clip(0.0, 255.0).astype(np.uint8))


def _field(size: int, rng: np.random.Generator) -> Image.Image:
    values: NDArray[np.uint8] = rng.integers(0, 256, (size, size), np.uint8)
    return Image.fromarray(values)


def _another(city: City, rng: np.random.Generator) -> City:
    others = [one for one in cities() if one.country != city.country]
    return others[int(rng.integers(len(others)))]


def _unseen(entities: list[str], earth: Earth, rng: np.random.Generator) -> list[str]:
    """Return what another photo shows, in which this one shares at most half."""
    for _ in range(50):
        other = seen(_crop(earth, cities()[int(rng.integers(len(CITIES)))], rng))
        if 2 * len(set(other) & set(entities)) <= len(other):
            return other
    return ["snow or cloud", "dry land"]


def _png(image: Image.Image) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return sink.getvalue()
