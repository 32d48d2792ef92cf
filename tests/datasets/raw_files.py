"""Files as a researcher downloads them, made up: MP-16, a model's answers, IM2GPS3K, pictures."""

import io
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

CENTRES = np.array([[48.86, 2.35], [35.68, 139.77], [-33.9, 151.2], [40.7, -74.0], [65, -19],
                    [-1.3, 36.8], [19.4, -99.1], [55.7, 37.6], [-9.2, -75.0], [61.5, 98.0],
                    [23.5, 12.0], [-24.0, 134.0]])  # fmt: skip
EVERYWHERE = 4
"""Every so many rows lie anywhere: far from what the model knows."""


def mp16(rows, seed=0):
    """Return metadata as MP-16 has it, some of it bad, and the true positions."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(CENTRES), rows)
    spread = rng.choice([0.02, 0.5, 6.0], rows)
    lat = np.clip(CENTRES[which, 0] + spread * rng.normal(size=rows), -89, 89)
    lon = (CENTRES[which, 1] + spread * rng.normal(size=rows) + 180) % 360 - 180
    lat[::EVERYWHERE] = np.degrees(np.arcsin(rng.uniform(-0.99, 0.99, len(lat[::EVERYWHERE]))))
    lon[::EVERYWHERE] = rng.uniform(-180, 180, len(lon[::EVERYWHERE]))
    text = np.char.mod("%.6f", lat).astype(object)
    text[7], text[8], text[9] = "91", "", "nan"
    number = np.arange(rows) + 4_000_000
    table = pa.table(
        {
            "IMG_ID": [f"{n & 255:02x}/{n >> 8 & 255:02x}/{n}.jpg" for n in number.tolist()],
            "AUTHOR": [f"{a}@N00" for a in rng.integers(0, max(rows // 3, 1), rows).tolist()],
            "LAT": pa.array(text.tolist()),
            "LON": np.char.mod("%.6f", lon).tolist(),
            "S3_Label": rng.integers(0, 3, rows),
        }
    )
    return table, lat, lon


def answers(table, lat, lon, seed=1):
    """Return a model's answers: near for photos of the clumps, mostly, and elsewhere for others."""
    rng = np.random.default_rng(seed)
    rows = len(lat)
    knows = (rng.random(rows) < 0.5) & (np.arange(rows) % EVERYWHERE > 0)
    near = 0.003 * rng.normal(size=(2, rows))
    return pa.table(
        {
            "IMG_ID": table["IMG_ID"],
            "LAT": np.where(knows, np.clip(lat + near[0], -90, 90), -lat),
            "LON": np.where(knows, lon, (lon + 360) % 360 - 180),
        }
    )


def im2gps3k(table, rows=40, shared=5):
    """Return a benchmark; some of its photos, photographers and places are those of a table."""
    rng = np.random.default_rng(2)
    number = [f"{9_000_000 + i}" for i in range(rows)]
    author = [f"{i}@N55" for i in range(rows)]
    for i in range(shared):
        number[i] = table["IMG_ID"][100 + i].as_py().rpartition("/")[2].removesuffix(".jpg")
        author[shared + i] = table["AUTHOR"][200 + i].as_py()
    return pa.table(
        {
            "IMG_ID": [f"{n}_0a1b2c3d4e_{7 + i}_{a}.jpg" for i, (n, a) in
                       enumerate(zip(number, author))],
            "AUTHOR": author,
            "LAT": [f"{v:.6f}" for v in rng.uniform(-80, 80, rows)],
            "LON": [f"{v:.6f}" for v in rng.uniform(-180, 180, rows)],
        }
    )  # fmt: skip


def tar_of(path, pictures):
    """Write a tar of pictures by name."""
    with tarfile.open(path, "w") as tar:
        for name, data in pictures.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def csv(table, path):
    pacsv.write_csv(table, path)
