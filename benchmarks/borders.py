"""Admin1 of the bundled set beside OpenStreetMap's of 2020, on the real photos.

    python benchmarks/borders.py

Counted are photos inside a unit of the OSM set whose code the bundled set has too, labelled with a
code that the OSM set has. By code, Iran differs throughout: ISO 3166-2 renumbered its provinces in
November 2020, and the OSM set has the old numbers; so the share is given by the names of its
provinces as well.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import shapely

from geodata import boundaries, cor

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def folded(name: str | None) -> str:
    """Return the first word of a name without the letters that transcriptions differ in."""
    return "".join(c for c in (name or "").lower().split(" province")[0] if c in "bcdfghklmnprstz")


def units_of(lat, lon):
    """Return code and name of the smallest OSM unit around each point, None for none, all codes."""
    table = pq.read_table(SHARED / "boundaries" / "osm-2020" / "admin1.parquet")
    shapes = shapely.from_wkb(table["geometry"].to_pylist())
    tree, unit = shapely.STRtree(shapely.points(lon, lat)), np.full(len(lat), -1)
    for i in np.argsort(-shapely.area(shapes)):
        shapely.prepare(shapes[i])
        unit[tree.query(shapes[i], predicate="contains")] = i
    columns = (
        np.array([*table[name].to_pylist(), None], object)[unit] for name in ("code", "name_en")
    )
    return (*columns, set(table["code"].to_pylist()))


def main():
    photos = pacsv.read_csv(SHARED / "points" / "geoclip_gallery_100k.csv")
    lat, lon = (np.array(photos[axis].to_pylist(), float) for axis in ("LAT", "LON"))
    theirs, their_name, codes = units_of(lat, lon)
    labels = cor.label_table({"lat": lat, "lon": lon})
    ours = np.array(labels["admin1_code"].to_pylist(), object)
    ours_name = labels["admin1"].to_pylist()
    shared = {*boundaries.load("bundled").units["admin1_code"].to_pylist()} & codes
    both = np.array([a in shared and b in shared for a, b in zip(theirs, ours, strict=True)])
    differ = both & (theirs != ours)
    iran = np.array([str(code).startswith("IR-") for code in ours]) & differ
    alike = np.array([folded(a) == folded(b) for a, b in zip(their_name, ours_name, strict=True)])
    west = differ & (theirs == "PS-JEM") & (ours == "IL-JM")
    print(f"photos that both know: {both.sum():,}")
    for name, kept in (
        ("by code", differ),
        ("Iran's provinces by name", differ & ~(iran & alike)),
        (
            "and without West Jerusalem, Palestine's in the OSM set",
            differ & ~(iran & alike) & ~west,
        ),
    ):
        print(f"{name}: {kept.sum()} differ, {kept.sum() / both.sum():.3%}")
    most = Counter(str(code)[:2] for code in ours[differ & ~iran]).most_common(8)
    print(f"of the rest, most in {', '.join(f'{code} {n}' for code, n in most)}")


if __name__ == "__main__":
    main()
