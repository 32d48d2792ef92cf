"""What tests of training share: a model that trains in seconds, and places to train it on."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SMALL = [
    "model.hidden=48",
    "model.layers=2",
    "model.vision_layers=1",
    "data.question=Where?",
    "data.levels=[country]",
    "data.decimals=1",
    "data.round_degrees=10",
]


def write_places(folder):
    """Write forty points in Africa and Europe, named by their half of the globe."""
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(0, 40, 40)
    names = np.where(lat > 0, "Northland", "Southland")
    path = folder / "places.parquet"
    pq.write_table(pa.table({"lat": lat, "lon": lon, "country": names}), path)
    return path
