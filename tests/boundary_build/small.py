"""A small invented world, and the set that is built of it in seconds."""

import shapely
from shapely import box

from geodata.boundary_build import make

from . import world
from .world import feature, place

# Between Alfa and Bravo a bit of the coast is no division's. GI lies east of BM: country-coder
# draws their border two hundredths too far west.
FEATURES = [
    feature("Q0", None, groups=["001"]),
    feature("Q1", box(0, 0, 4, 4), "BM", ["002", "001"]),
    feature("Q2", box(4, 0, 8, 4), "GI", ["150", "001"]),
    feature("Q3", box(0, 6, 1, 7), None, ["002"], country="BM"),
    feature("Q4", box(10, 0, 11, 1), "NU", ["009"]),
    feature("Q5", box(12, 0, 12.5, 1), None, ["009"], country="NU"),
    feature("Q6", box(15, 0, 16, 1), "XK", ["150"]),
    feature("Q7", box(18, 0, 19, 1), None, ["142"], country="QQ"),  # a piece of GI
    feature("Q8", box(20, 0, 21, 1), None, ["142"], country="QQ"),  # nobody's
    feature("Q9", box(0, -90, 1, -80), "AQ", ["001"]),
    feature("Q10", box(170, 0, 179.99, 1), "IM", ["150"]),
]
LAND = shapely.Polygon([(2, 0.1), (2.5, 0), (4.02, 0), (4.02, 1), (4.02, 2), (4.02, 4), (2, 4)])
UNITS = [
    ("GI", "Hotel", box(4.02, 0, 6, 4)),
    ("GI", "Golf", box(6, 0, 7, 4), "Golf Links"),
    ("GI", "Golf", box(7, 0, 8, 4)),
    ("BM", "Bravo", LAND, "Bravado", "Bravissimo", "BM99"),
    ("BM", "Alfa", shapely.Polygon([(0, 0), (1.5, 0), (2, 0.1), (2, 4), (0, 4)])),
    ("BM", "Ghost", box(30, 0, 31, 1)),
    ("-1", "Lease", box(0, 6, 1, 7)),
    ("NU", "Whole of it", box(10, 0, 11, 1)),
    (None, None, box(40, 0, 41, 1)),
    ("AQ", "Empty", None),
]
TABLES = {
    "country_names": [["BM", "Bermuda Made Up"], ["XK", "Kosovo"]],
    "pieces": [
        ["rock", "GI", "box:6 3,7 3.5@GI".replace(",", " "), "true"],
        ["found", "GI", "feature:Q7", "false"],
        ["drawn", "GI", "polygon:7 0,8 0,8 1@GI", "true"],
        ["all", "XK", "country:XK", "true"],
        ["coast", "GI", "units:GI/Golf@GI+feature:Q7", "true"],
    ],
    "claims": [["rock", "bm", "BM"], ["rock", "aq", "AQ"], ["drawn", "bm", "BM"]],
    "sovereigns": [["NU", "", "GI", "Niue", "GI-9"], ["NU", "Q5", "BM", "Far Niue"]],
    "levels": [["GI", "parent", "child"]],
    "codes": [
        ["BM-A", "Alfa"],
        ["BM-B", "Brävo [Beta]"],
        ["BM-L", "Lima"],
        ["GI-R", "Region"],
        ["GI-S", "South, Region"],
        ["GI-G", "Golf", "GI-R"],
        ["GI-H", "Hotel", "GI-R"],
    ],
    "parents": [["GI-H", "GI-S"]],
    "units": [
        ["BM", "Ghost", "", "drop"],
        ["-1", "Lease", "", "", "BM", "BM-L"],
    ],
    "names": [["BM-L", "Leased"], ["GI-R", "Romeo"]],
    "aliases": [["BM-A", "Alpha"], ["GI-R", "Julia's"]],
}
PLACES = [
    *(place(10 + i, f"Bravo {i}", 1 + i / 2, 3, "BM", "02") for i in range(3)),
    place(20, "Stripe", 2, 4.01, "BM", "02", 20_000, ["Ligne", "stripe", "STRÍPE"]),
    *(place(30 + i, f"Alfa {i}", 1 + i / 2, 1, "BM", "01") for i in range(3)),
    place(33, "Strand", 0.02, 1.98, "BM", "01"),
    place(34, "Reef", -0.03, 1.9, "BM", "01"),  # off the coast of Alfa
    place(35, "Claimed", 3.2, 6.4, "BM", "01"),  # on the rock
    place(60, "Astray", 1.5, 3.98, "GI", "A"),  # in Bravo
    *(place(40 + i, f"Hotel {i}", 1 + i / 2, 5, "GI", "A") for i in range(3)),
    *(place(50 + i, f"Golf {i}", 1 + i / 2, 7.2, "GI", "B") for i in range(3)),
]


def build(folder):
    """Build the set with its places below a folder, and return where it is."""
    gazette = world.write_sources(folder / "source", FEATURES, UNITS, PLACES)
    with world.tables_of(folder / "tables", TABLES):
        return make.build_bundled(folder / "source", folder / "deep" / "set", gazette=gazette)
