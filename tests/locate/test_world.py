"""The index on real boundaries against plain shapely (R2, R3), and flat memory (R13)."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geodata import boundaries
from geodata.locate import building


def bundled_layers():
    return [
        shapely.from_wkb(pq.ParquetFile(boundaries.BUNDLED / f).read(["geometry"])[0].to_numpy())
        for f in ("countries.parquet", "units.parquet")
    ]


def osm_layers(folder):
    layers = []
    for level in (0, 1):
        table = pq.read_table(folder / "boundaries" / "osm-2020" / f"admin{level}.parquet")
        shapes = shapely.from_wkb(table["geometry"].to_numpy())
        layers.append(shapes[~shapely.is_empty(shapes)])
    return layers


def points(layers, random, hugging, seed=0):
    """Anywhere on the sphere, and near, on and one unit in the last place off borders."""
    rng = np.random.default_rng(seed)
    xy = shapely.get_coordinates(np.concatenate(layers))
    a = xy[rng.integers(0, len(xy), hugging)]
    kind = rng.integers(0, 5, hugging)
    size = np.array([0.0, 1e-12, 1e-9, 1e-6, 1e-3])[kind]
    near = a + rng.normal(0, 1, a.shape) * size[:, None]
    ulp = kind == 0
    near[ulp] = np.nextafter(a[ulp], a[ulp] + rng.integers(-1, 2, (ulp.sum(), 2)))
    lat = np.r_[np.degrees(np.arcsin(rng.uniform(-1, 1, random))), near[:, 1]]
    lon = np.r_[rng.uniform(-180, 180, random), near[:, 0]]
    return np.clip(lat, -90, 90), np.clip(lon, -180, np.nextafter(180, 0))


def by_shapely(layer, lat, lon):
    """The smallest polygon that covers each point, -1 for none; and points on a border."""
    order = np.argsort(lat)
    x, y = lon[order], lat[order]
    owner, border = np.full(len(lat), -1), np.zeros(len(lat), bool)
    bounds = shapely.bounds(layer)
    # largest first, and of equal ones the first last: it wins, as in the index
    for i in np.argsort(shapely.area(layer), kind="stable")[::-1]:
        west, south, east, north = bounds[i]
        lo, hi = np.searchsorted(y, south), np.searchsorted(y, north, "right")
        at = lo + np.flatnonzero((x[lo:hi] >= west) & (x[lo:hi] <= east))
        if len(at):
            shapely.prepare(layer[i])
            covers = shapely.intersects_xy(layer[i], x[at], y[at])
            inside = shapely.contains_xy(layer[i], x[at], y[at])
            owner[order[at[covers]]] = i
            border[order[at[covers & ~inside]]] = True
    return owner, border


def check(layers, random, hugging, **options):
    level = np.repeat([0, 1], [len(layer) for layer in layers])
    index = building.build(np.concatenate(layers), level, **options)
    lat, lon = points(layers, random, hugging)
    found = index.regions(lat, lon)
    first = 0
    for k, layer in enumerate(layers):
        owner, border = by_shapely(layer, lat, lon)
        wrong = (found[:, k] != np.where(owner < 0, -1, owner + first)) & ~border
        assert wrong.sum() == 0, (k, lat[wrong][:3], lon[wrong][:3])
        first += len(layer)


def test_r3_bundled_boundaries(figure):
    random = figure("points", ci=20_000, full=1_000_000)
    hugging = figure("points at borders", ci=20_000, full=200_000)
    check(bundled_layers(), random, hugging, edges_per_strip=2)


@pytest.mark.slow
def test_r3_osm_boundaries_in_full(shared):
    check(osm_layers(shared), 1_000_000, 200_000, edges_per_strip=6)


def test_r3_the_compiled_set_says_what_its_polygons_say():
    """Country: the smallest that covers. Unit: one of that country, containing if any does."""
    chosen, (countries, units) = boundaries.load(), bundled_layers()
    lat, lon = points([countries, units], 20_000, 20_000, seed=1)
    found = chosen.locate(lat, lon, max_offset_km=0.0)
    country, on_country = by_shapely(countries, lat, lon)
    assert (found.country == country)[~on_country].all()
    unit, on_unit = by_shapely(units, lat, lon)
    codes = np.array([*chosen.countries["code"].to_pylist(), ""])
    of_unit = np.array([*chosen.units["country"].to_pylist(), "-"])
    own = (codes[country] == of_unit[unit]) & ~on_country & ~on_unit
    assert (found.unit == unit)[own].all()
    has = np.isin(codes[found.country], of_unit)
    assert (of_unit[found.unit] == codes[found.country])[has & (found.country >= 0)].all()


def memory_of_labelling(rows, folder):
    """Peak resident bytes of `geodata label` on a file of so many rows."""
    rng = np.random.default_rng(0)
    path = folder / "in.parquet"
    schema = pa.schema([("id", pa.int64()), ("lat", pa.float64()), ("lon", pa.float64())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, 1_000_000):
            n = min(1_000_000, rows - start)
            lat, lon = rng.uniform(-60, 75, n), rng.uniform(-180, 180, n)
            writer.write_table(pa.table([np.arange(start, start + n), lat, lon], schema=schema))
    code = (
        "import resource, sys; from geodata.cor import labeller;"
        "from geodata.cor.files import label_file_with;"
        "label_file_with(labeller(None, 'un', 'own', 10.0), sys.argv[1], sys.argv[2]);"
        "print([l for l in open('/proc/self/status') if l.startswith('VmHWM')][0].split()[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, folder / "out.parquet"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert pq.ParquetFile(folder / "out.parquet").metadata.num_rows == rows
    return int(done.stdout) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_r13_memory_is_flat(tmp_path, figure, record_property):
    rows = figure("rows", ci=1_000_000, full=100_000_000)
    large = memory_of_labelling(rows, tmp_path)
    record_property("peak MiB", large >> 20)
    assert large < 1 << 30
    if rows > 10_000_000:
        assert large < memory_of_labelling(10_000_000, tmp_path) * 1.2
