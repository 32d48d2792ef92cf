"""Small boundary sets to build in tests: squares in Switzerland."""

import geopandas
import pyarrow as pa
import shapely

WEST, SOUTH = 7.0, 46.0


def square(column, row, size=1.0, step=0.1):
    west, south = WEST + column * step, SOUTH + row * step
    return shapely.box(west, south, west + size * step, south + size * step)


def frame(shapes, crs="EPSG:4326", **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def whosonfirst(folder):
    """A country of 4 x 4 squares, two cantons, one district, three towns (one inside another)."""
    west = shapely.union(square(0, 0, 2), square(0, 2, 2))
    rows = [
        ("country", "Schweiz", "Switzerland", square(0, 0, 4), 1, None, None, None, "CH"),
        ("region", "Zürich", "Zurich", west, 10, None, None, None, "CH-ZH"),
        ("region", "Bern", "Berne", square(2, 0, 2), 11, None, None, None, "CH-BE"),
        ("county", "Bezirk", None, square(0, 0, 2), 20, 10, None, None, None),
        ("locality", "Grossstadt", "Big Town", square(0, 0, 2), 30, 10, 20, None, None),
        ("locality", "Dorf", None, square(0.5, 0.5), 31, None, None, None, None),
        ("locality", "Anderswo", None, square(2, 0), 32, None, None, None, None),
        ("neighbourhood", "Quartier", None, square(0, 0, 0.3), 40, None, None, 30, None),
    ]  # fmt: skip
    kind, name, english, shape, wof, region, county, locality, iso = zip(*rows)
    made = frame(
        shape,
        placetype=kind, name=name, name_en=english, country=["CH"] * len(rows), wof_id=wof,
        region_id=region, county_id=county, locality_id=locality, iso=iso,
    )  # fmt: skip
    path = folder / "wof.parquet"
    made.to_parquet(path)
    return path


def cantons(folder, name="cantons.gpkg", shapes=None, names=("Zürich", "Bern"), **options):
    path = folder / name
    made = frame(shapes or [square(0, 0, 2), square(2, 0, 2)], **options, NAME=list(names))
    made.to_file(path)
    return path


def text(table, columns):
    return [tuple(row.values()) for row in pa.table(table).select(columns).to_pylist()]
