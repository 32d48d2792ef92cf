"""Answers in twenty layouts, with numbers around them that are no coordinates, are read back."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from geodata.answers import HOWS, parse_tolerant

Write = Callable[[random.Random, float, float], str]


def dec(value: float, places: int = 4) -> str:
    return f"{value:.{places}f}"


def compass(value: float, letters: str) -> str:
    return f"{abs(value):.4f}° {letters[0] if value >= 0 else letters[1]}"


def sixty(value: float, letters: str, marks: str = "°'\"") -> str:
    """Write tenths of seconds as degrees, minutes and seconds."""
    tenths = round(abs(value) * 36_000)
    degrees, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    letter = letters[0] if value >= 0 else letters[1]
    return f"{degrees}{marks[0]}{minutes:02d}{marks[1]}{rest / 10:04.1f}{marks[2]}{letter}"


def minutes(value: float, letters: str) -> str:
    letter = letters[0] if value >= 0 else letters[1]
    degrees, rest = divmod(round(abs(value) * 60_000), 60_000)
    return f"{letter}{degrees} {rest / 1000:06.3f}'"


STREETS = (
    "12 E Main St",
    "215 West 57th Street",
    "3 W 12th St",
    "1600 E 400 S",
    "900 N 5 E",
    "5 South Street",
    "7th Ave N",
    "Route 66 West",
    "the 28E route",
    "I-95 N exit 12",
    "N7 motorway",
    "bus 101 E",
)

LAYOUTS: dict[str, Write] = {
    "json": lambda r, y, x: f'{{"latitude": {dec(y)}, "longitude": {dec(x)}}}',
    "json with an address": lambda r, y, x: (
        f'{{"street": "{r.choice(STREETS)}", "latitude": {dec(y)}, "longitude": {dec(x)}}}'
    ),
    "json, address between": lambda r, y, x: (
        f'{{"lat": {dec(y)}, "address": "{r.choice(STREETS)}, 3.5 km E", "lon": {dec(x)}}}'
    ),
    "fenced json": lambda r, y, x: (
        f'```json\n{{\n  "country": "France",\n  "lat": "{dec(y)}",\n  "lng": "{dec(x)}"\n}}\n```'
    ),
    "python": lambda r, y, x: f"{{'lat': {dec(y)}, 'lon': {dec(x)},}}",
    "unquoted names": lambda r, y, x: f"{{latitude: {dec(y)}, longitude: {dec(x)}}}",
    "comments": lambda r, y, x: (
        f'{{"lat": {dec(y)}, // 12 km W of it\n "lon": {dec(x)}, /* 5 E */ "p": 0.7}}'
    ),
    "cut off": lambda r, y, x: (
        f'{{"latitude": {dec(y)}, "longitude": {dec(x)}, "reason": "{r.choice(STREETS)} is'
    ),
    "array": lambda r, y, x: f'{{"coordinates": [{dec(y)}, {dec(x)}], "radius_km": 25}}',
    "nested": lambda r, y, x: (
        f'{{"answer": {{"gps": {{"lat": {dec(y)}, "lon": {dec(x)}}}, "confidence": 0.83}}}}'
    ),
    "labelled lines": lambda r, y, x: f"Latitude: {dec(y)}\nLongitude: {dec(x)}",
    "bold lines": lambda r, y, x: (
        f"- **Latitude:** {compass(y, 'NS')}\n- **Longitude:** {compass(x, 'EW')}"
    ),
    "longitude first": lambda r, y, x: f"Longitude: {dec(x)}, Latitude: {dec(y)}",
    "chain of region": lambda r, y, x: (
        f"Country: Peru\nState: Cusco\nCity: Pisac\nCoordinates: ({dec(y)}, {dec(x)})"
    ),
    "compass": lambda r, y, x: f"Coordinates: {compass(y, 'NS')}, {compass(x, 'EW')}",
    "sixtieths": lambda r, y, x: f"{sixty(y, 'NS')} {sixty(x, 'EW')}",
    "primes": lambda r, y, x: f"{sixty(y, 'NS', '°′″')}, {sixty(x, 'EW', '°′″')}",
    "minutes": lambda r, y, x: f"{minutes(y, 'NS')}, {minutes(x, 'EW')}",
    "answer block": lambda r, y, x: f"<answer>{dec(y)}, {dec(x)}</answer>",
    "boxed": lambda r, y, x: f"$\\boxed{{({dec(y)}, {dec(x)})}}$",
    "latex": lambda r, y, x: (
        rf"${abs(y):.4f}^\circ \text{{{'N' if y >= 0 else 'S'}}}, "
        rf"{abs(x):.4f}^\circ \text{{{'E' if x >= 0 else 'W'}}}$"
    ),
    "table": lambda r, y, x: f"| Latitude | Longitude |\n|---|---|\n| {dec(y)} | {dec(x)} |",
    "link": lambda r, y, x: f"https://www.google.com/maps/@{dec(y)},{dec(x)},15z",
    "wkt": lambda r, y, x: f"POINT({dec(x)} {dec(y)})",
    "geojson": lambda r, y, x: f'{{"type": "Point", "coordinates": [{dec(x)}, {dec(y)}]}}',
    "commas": lambda r, y, x: (
        f"Latitude: {dec(y).replace('.', ',')}\nLongitude: {dec(x).replace('.', ',')}"
    ),
    "unicode minus": lambda r, y, x: f"({dec(y)}, {dec(x)})".replace("-", "−"),
    "sentence": lambda r, y, x: (
        f"The latitude is {dec(y)} and the longitude is {dec(x)}, I believe."
    ),
    "degrees in words": lambda r, y, x: (
        f"It lies at {abs(y):.4f} degrees {'north' if y >= 0 else 'south'} and "
        f"{abs(x):.4f} degrees {'east' if x >= 0 else 'west'}."
    ),
    "bullets": lambda r, y, x: f"- {dec(y)}\n- {dec(x)}",
    "stars": lambda r, y, x: f"* {compass(y, 'NS')}\n* {compass(x, 'EW')}",
    "numbered": lambda r, y, x: f"1. {dec(y)}\n2. {dec(x)}",
    "numbered compass": lambda r, y, x: f"1) {compass(y, 'NS')}\n2) {compass(x, 'EW')}",
    "html": lambda r, y, x: f"<b>Latitude</b>: {dec(y)}<br/><b>Longitude</b>: {dec(x)}",
    "polish": lambda r, y, x: f"Szerokość geograficzna: {dec(y)}, długość geograficzna: {dec(x)}",
    "xml": lambda r, y, x: f"<lat>{dec(y)}</lat><lon>{dec(x)}</lon>",
}
TOLD: dict[str, str] = {
    "json": "json",
    "labelled lines": "labelled",
    "sixtieths": "dms",
    "minutes": "dms",
    "compass": "compass",
    "link": "link",
    "wkt": "wkt",
    "geojson": "geojson",
    "boxed": "pair",
}
LISTS = {"bullets", "stars", "numbered", "numbered compass", "bold lines"}
"""Layouts that begin a line."""

LONGITUDE_FIRST = {"wkt", "geojson"}


def noise(rng: random.Random) -> str:
    """Return a sentence with numbers that are no coordinates."""
    n, m = rng.randint(1, 99), rng.randint(2, 59)
    return rng.choice(
        (
            f"A sign reads {rng.choice(STREETS)}.",
            f"The address {rng.choice(STREETS)} is visible.",
            f"1. Climate: Middle East.\n{rng.randint(2, 9)}. Dry",
            f"1. Roads: markings are yellow\n2. {n} cars drive on the right\n3. Poles: {m}",
            f"The bearing is {n}° and the sun stands {m}° above the horizon.",
            f"It faces {n}° NE.",
            f"It is {n}.{m} km W of the centre, {m} miles E.",
            f"The tower was built in 18{n:02d} and is {n} m tall.",
            f"Dated 2023-0{rng.randint(1, 9)}-{rng.randint(10, 28)} at 14:{m:02d}:15.",
            f"Call +1 212-555-01{n:02d} or (0{n}) 4455.",
            f"Population {n},{rng.randint(100, 999)}, {m}.5% of it rural, ${n}.99 a night.",
            f"Such trees grow between {n % 40}° and {n % 40 + 5}°N.",
            f"Temperatures of {n % 35}.5°C and {m % 30} °C are usual.",
            f"Confidence: 0.{m:02d}",
            f"Speed limit {n} km/h, elevation {rng.randint(100, 3000)} m, f/2.8, 1/{n} s.",
            f"Highway {n} West meets {m} North here.",
            "It could be in Chile, Peru or the south of Ecuador.",
        )
    )


def written(rng: random.Random) -> tuple[str, str, float, float]:
    layout = rng.choice(list(LAYOUTS))
    y = round(rng.uniform(-89.9, 89.9), 4)
    x = round(rng.uniform(-179.9, 179.9), 4)
    if rng.random() < 0.1:
        x = round(rng.uniform(-9, 9), 4)
    before = [noise(rng) for _ in range(rng.randint(0, 4))]
    after = [] if layout == "cut off" else [noise(rng) for _ in range(rng.randint(0, 2))]
    gap = rng.choice(("\n", "\n\n"))
    lead = rng.choice(("", "", "Final answer: ", "My best guess:\n"))
    lead = lead.replace(": ", ":\n") if layout in LISTS else lead
    text = gap.join([*before, lead + LAYOUTS[layout](rng, y, x), *after])
    return layout, text, y, x


def read_back(texts: int, seed: int) -> tuple[list[str], list[str]]:
    """Return texts read as another place: those flagged, and those read so silently."""
    rng = random.Random(seed)
    flagged, silent = [], []
    for _ in range(texts):
        layout, text, y, x = written(rng)
        answer = parse_tolerant(text)
        near = (
            answer.lat is not None
            and answer.lon is not None
            and max(abs(answer.lat - y), abs(answer.lon - x)) < 5e-5
        )
        if not near:
            line = f"[{layout}] ({y}, {x}) read as {answer}:\n{text}"
            (flagged if answer.ambiguous else silent).append(line)
    return flagged, silent


def test_answers_among_other_numbers_are_read_back():
    flagged, silent = read_back(10_000, seed=12)
    assert not silent, silent[0]
    assert len(flagged) <= 1, flagged[0]


@pytest.mark.slow
def test_many_answers_among_other_numbers_are_read_back():
    flagged, silent = read_back(200_000, seed=3)
    assert not silent, silent[0]
    assert len(flagged) <= 20, flagged[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_alone_is_read_without_doubt(layout):
    rng = random.Random(5)
    for _ in range(20):
        y, x = round(rng.uniform(-89, 89), 4), round(rng.uniform(-179, 179), 4)
        answer = parse_tolerant(LAYOUTS[layout](rng, y, x))
        assert (answer.lat, answer.lon) == pytest.approx((y, x), abs=5e-5)
        assert answer.ambiguous == (layout in LONGITUDE_FIRST)
        assert answer.how == TOLD.get(layout, answer.how)
        assert answer.how in HOWS
