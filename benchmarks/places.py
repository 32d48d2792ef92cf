"""The city rule beside its peers and its oracles: `python benchmarks/places.py [--data DIR]`.

Speed is printed as a ratio to scipy's cKDTree in the same process. Accuracy needs ``--data``, the
folder with ``points/`` and ``boundaries/``; the spots are part of the project.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import shapely
from scipy.spatial import cKDTree

from geodata import coords
from geodata.files import read_table
from geodata.places.places import Places
from geodata.sphere import unit_vectors

SPOTS = Path(__file__).parents[1] / "tests" / "data" / "spots.csv"
SUFFIXES = r"(?i)\b(city|municipality|of|province|district|governorate|county|prefecture|capital)\b"


def best_of(call, times=5):
    """Return the shortest of several runs, s."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)


def jitter(places, index, km, rng):
    """Return points at exponential distances (mean ``km``) from places."""
    turn, far = rng.uniform(0, 2 * np.pi, len(index)), rng.exponential(km, len(index)) / 111.2
    lat = np.clip(places.lat[index] + far * np.cos(turn), -90, 90)
    lon = places.lon[index] + far * np.sin(turn) / np.maximum(0.05, np.cos(np.radians(lat)))
    return lat, np.remainder(lon + 180.0, 360.0) - 180.0


def photo_like(places, n, rng):
    """Return n points around places, more around larger ones, and their countries."""
    weight = np.sqrt(places.population + 300.0)
    index = rng.choice(len(places), n, p=weight / weight.sum())
    return *jitter(places, index, 2.0, rng), places.country[index]


def nearest_any(places, tree, lat, lon):
    return places.country[tree.query(unit_vectors(lat, lon))[1]]


def speed(places, data, rng):
    tree = cKDTree(unit_vectors(places.lat, places.lon))
    sets = {"1M around places": photo_like(places, 1_000_000, rng)}
    if data is not None:
        table = read_table(data / "points" / "geoclip_gallery_100k.csv")
        lat, lon = (coords.parse_numbers(table[c]).to_numpy() for c in ("LAT", "LON"))
        sets["100k real photos"] = lat, lon, nearest_any(places, tree, lat, lon)
    for name, (lat, lon, country) in sets.items():
        few = slice(0, 100_000)
        ours = best_of(lambda p=(lat, lon, country): places.nearest(*p)) / len(lat)
        peer = best_of(lambda a=lat[few], b=lon[few]: tree.query(unit_vectors(a, b))) / 100_000
        none = np.mean(places.nearest(lat, lon, country).index < 0)
        print(
            f"{name}: {1e-6 / ours:.2f} M/s, cKDTree nearest {1e-6 / peer:.2f} M/s, "
            f"{peer / ours:.1f}x; without city {none:.2%}"
        )
    lat, lon, country = (column[:20_000].tolist() for column in sets["1M around places"])
    codes = [places.countries[c] for c in country]
    rows = list(zip(lat, lon, codes, strict=True))
    one = best_of(lambda: [places.one(*row) for row in rows]) / len(rows)
    print(f"one point: {one * 1e6:.1f} us")


def folded(text):
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"[^\w]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def plain_nearest(places, tree, lat, lon):
    """Return the nearest place of all, the rule most tools have."""
    return tree.query(unit_vectors(lat, lon))[1]


def spots(places, tree):
    with SPOTS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lat, lon = (np.array([float(row[c]) for row in rows]) for c in ("lat", "lon"))
    codes = [row["country_code"] for row in rows]
    wanted = [{folded(name) for name in row["city"].split("|")} for row in rows]

    def right(index):
        names = [places.name(i) if i >= 0 else "" for i in index]
        return np.mean([folded(n) in w for n, w in zip(names, wanted, strict=True)])

    rule = right(places.nearest(lat, lon, codes).index)
    plain = right(plain_nearest(places, tree, lat, lon))
    print(f"spots ({len(rows)}): rule {rule:.1%}, nearest place {plain:.1%}")


def city_outlines(places, data):
    """Yield (outline, place) of cities whose division is the city: over 1,000 people per km²."""
    points = shapely.STRtree(shapely.points(places.lon, places.lat))
    best = {}
    for level in ("admin1", "admin2"):
        for row in pq.read_table(data / "boundaries" / "osm-2020" / f"{level}.parquet").to_pylist():
            outline = shapely.from_wkb(row["geometry"])
            area = outline.area * 111.2**2 * np.cos(np.radians(outline.centroid.y))
            if area > 20_000 or row["country_iso2"] not in places.countries:
                continue
            inside = points.query(outline, predicate="contains")
            same = places.country[inside] == places.countries.index(row["country_iso2"])
            if not same.any():
                continue
            city = max(inside[same], key=lambda i: places.population[i])
            names = (row["name_en"] or "", row["name_local"] or "")
            known = {folded(re.sub(SUFFIXES, "", name)) for name in names}
            dense = places.population[city] > max(50_000, 1_000 * area)
            if dense and folded(places.name(city)) in known and area < best.get(city, (9e9,))[0]:
                best[city] = area, outline
    yield from ((outline, city) for city, (_, outline) in best.items())


def outlines(places, tree, data, rng):
    inside = {"rule": [], "nearest place": []}
    around = {"rule": [], "nearest place": []}
    for outline, city in city_outlines(places, data):
        km = max(2 * np.sqrt(outline.area / np.pi) * 111.2, 12.0)
        home = unit_vectors(places.lat[city], places.lon[city])
        near = np.array(tree.query_ball_point(home, km / 6371.0))
        near = near[places.country[near] == places.country[city]]
        lat, lon = jitter(places, rng.choice(near, 300), 1.5, rng)
        within = shapely.contains_xy(outline, lon, lat)
        found = {
            "rule": places.nearest(lat, lon, places.country[city]).index == city,
            "nearest place": plain_nearest(places, tree, lat, lon) == city,
        }
        for rule, hit in found.items():
            if within.sum() > 5:
                inside[rule].append(hit[within].mean())
            if (~within).sum() > 5:
                around[rule].append(hit[~within].mean())
    for rule, shares in inside.items():
        print(
            f"city outlines, {rule}: named {np.mean(shares):.1%} of the points inside "
            f"({len(shares)} cities), {np.mean(around[rule]):.1%} of those around"
        )


def swiss(places, tree, data, rng):
    rows = pq.read_table(data / "boundaries" / "whosonfirst-ch" / "wof_ch.parquet").to_pylist()
    rows = [row for row in rows if row["placetype"] == "locality"]
    areas = shapely.STRtree([shapely.from_wkb(row["geometry"]) for row in rows])
    own = np.flatnonzero(places.country == places.countries.index("CH"))
    known = {folded(places.name(i)) for i in own}
    lat, lon = jitter(places, np.repeat(own, 4), 0.8, rng)
    points, area = areas.query(shapely.points(lon, lat), predicate="within")
    truth = [set() for _ in lat]
    for point, number in zip(points, area, strict=True):
        truth[point] |= {folded(rows[number]["name"]), folded(rows[number]["name_en"] or "")}
    kept = [i for i, names in enumerate(truth) if names & known]
    for rule, index in (
        ("rule", places.nearest(lat, lon, "CH").index),
        ("nearest place", plain_nearest(places, tree, lat, lon)),
    ):
        right = np.mean([index[i] >= 0 and folded(places.name(index[i])) in truth[i] for i in kept])
        print(f"Swiss localities, {rule}: {right:.1%} of {len(kept)} points near places")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with points/ and boundaries/")
    data = parser.parse_args().data
    start = time.perf_counter()
    places = Places.load()
    places.one(48.8584, 2.2945, "FR")
    print(f"open and first point: {1e3 * (time.perf_counter() - start):.0f} ms")
    rng = np.random.default_rng(7)
    tree = cKDTree(unit_vectors(places.lat, places.lon))
    speed(places, data, rng)
    if SPOTS.is_file():
        spots(places, tree)
    if data is not None:
        outlines(places, tree, data, rng)
        swiss(places, tree, data, rng)


if __name__ == "__main__":
    main()
