"""Predictions in ten cities, and what is printed, for the tests of reports."""

import io

import numpy as np
import pyarrow as pa
from rich.console import Console

ROWS = 400
CITIES = np.array(
    [[48.86, 2.35], [35.68, 139.77], [-33.87, 151.21], [40.71, -74.0], [-22.9, -43.2],
     [30.04, 31.24], [28.61, 77.2], [64.15, -21.9], [-17.8, 178.0], [-1.29, 36.82]]
)  # fmt: skip


def tables(rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    places = CITIES[rng.integers(0, len(CITIES), ROWS)] + rng.normal(0, 1.0, (ROWS, 2))
    guess = places + rng.normal(0, 1, (ROWS, 2)) * 10 ** rng.uniform(-3, 1.5, (ROWS, 1))
    guess[:, 0] = np.clip(guess[:, 0], -89, 89)
    guess[:, 1] = (guess[:, 1] + 180) % 360 - 180
    ids = [f"<b>{i}&" for i in range(ROWS)]
    authors = [f"user {i}|*" for i in rng.integers(0, 30, ROWS)]
    answered = rng.random(ROWS) > 0.05
    truth = {"id": ids, "lat": places[:, 0], "lon": (places[:, 1] + 180) % 360 - 180}
    return pa.table({**truth, "author": authors}), pa.table(
        {
            "id": ids,
            "lat": pa.array(guess[:, 0], mask=~answered),
            "lon": pa.array(guess[:, 1], mask=~answered),
        }
    )


def printed(function, found, width: int = 80) -> str:
    text = io.StringIO()
    function(found, Console(file=text, width=width))
    return text.getvalue()
