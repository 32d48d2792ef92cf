"""Labels of a thousand points that lie evenly over the Earth, and of some that are disputed.

``python -m tests.cor.lattice`` writes them anew; read what changed.
"""

from pathlib import Path
from typing import Any

import numpy as np

from geodata import cor

KNOWN = Path(__file__).parent / "lattice.tsv"
N = 1000
DISPUTED = {
    "Simferopol": (44.95, 34.11), "Srinagar": (34.09, 74.80), "Taipei": (25.04, 121.56),
    "Jerusalem": (31.78, 35.22), "Ramallah": (31.90, 35.20), "El Aaiún": (27.15, -13.20),
    "Pristina": (42.67, 21.17), "Tiraspol": (46.84, 29.63), "Hargeisa": (9.56, 44.06),
    "Kuril": (45.0, 147.9), "Nicosia": (35.19, 33.37), "Kyrenia": (35.33, 33.32),
    "Stanley": (-51.70, -57.85), "San Juan": (18.45, -66.08), "Saint-Denis": (-20.88, 55.45),
    "Nuuk": (64.18, -51.72), "Hong Kong": (22.30, 114.17), "Macao": (22.19, 113.54),
    "Aksai Chin": (35.2, 79.5), "Golan": (33.0, 35.75), "Aruba": (12.52, -70.03),
    "North Pole": (90.0, 0.0), "South Pole": (-90.0, 0.0), "Date line": (-16.8, 180.0),
    "Pier": (50.80, -0.14), "Off Brest": (48.30, -5.2), "Vatican": (41.903, 12.453),
}  # fmt: skip
WAYS: dict[str, dict[str, Any]] = {
    "un": {}, "in": {"worldview": "in"}, "cn": {"worldview": "cn"}, "ru": {"worldview": "ru"},
    "ma": {"worldview": "ma"}, "sovereign": {"dependencies": "sovereign"},
    "ja": {"lang": "ja"}, "0 km": {"max_offset_km": 0.0}, "100 km": {"max_offset_km": 100.0},
}  # fmt: skip


def lattice() -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude of N points of a Fibonacci lattice, degrees."""
    i = np.arange(N) + 0.5
    lat = np.degrees(np.arcsin(1 - 2 * i / N))
    lon = (i * 360.0 * (np.sqrt(5) - 1) / 2 + 180.0) % 360.0 - 180.0
    return lat.round(4), lon.round(4)


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return ",".join(f"{one['worldview']}:{one['code']}" for one in value)
    return "" if value is None else str(value)


def lines() -> list[str]:
    """Return a line a point: of the lattice with every detail, of the others in every way."""
    lat, lon = lattice()
    found = cor.label_table(lat, lon, detail=True)
    keep = [name for name in found.column_names if name not in ("lat", "lon")]
    made = ["lat lon " + " ".join(keep)]
    for y, x, row in zip(lat.tolist(), lon.tolist(), found.select(keep).to_pylist(), strict=True):
        if row["match"] != "none":
            made.append(f"{y} {x} " + "|".join(map(shown, row.values())))
    at = np.array(list(DISPUTED.values()))
    for way, options in WAYS.items():
        rows = cor.label_table(at[:, 0], at[:, 1], **options).to_pylist()
        for name, row in zip(DISPUTED, rows, strict=True):
            told = (row[key] for key in ("match", "country_code", "country", "admin1_code", "city",
                                         "offset_km", "disputed"))  # fmt: skip
            made.append(f"{way} {name} " + "|".join(map(shown, told)))
    return made


if __name__ == "__main__":
    KNOWN.write_text("\n".join(lines()) + "\n", encoding="utf-8")
