"""A small world to build a set of: tables of facts, country-coder, Natural Earth and GeoNames."""

import csv
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geodata.boundaries import facts
from geodata.boundaries.building import iso
from geodata.boundary_build import bundled, units
from geodata.boundary_build.seeds import Seeds

REAL = Path(str(facts.FOLDER))


@contextmanager
def tables_of(folder, tables):
    """Use tables of facts: rows in the order of their columns, short ones are filled with ''."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(REAL, folder, dirs_exist_ok=True)
    for name in facts.TABLES:
        header = (REAL / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(header)
            rows.writerows([*r, *[""] * (len(header) - len(r))] for r in tables.get(name, []))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "FOLDER", folder)
        forget()
        yield
    forget()


def forget():
    """Forget what was read of the tables."""
    for module in (facts, iso, units):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def place(geonameid, name, lat, lon, country, admin1="01", population=1000, alternate=()):
    return {
        "geonameid": geonameid,
        "name": name,
        "latitude": lat,
        "longitude": lon,
        "countrycode": country,
        "population": population,
        "timezone": "UTC",
        "admin1code": admin1,
        "alternatenames": list(alternate),
    }


def seeds(*places):
    """Seeds of (lon, lat, group, code)."""
    lon, lat, group, code = zip(*places, strict=True)
    return Seeds(np.c_[lon, lat].astype(float), np.array(group), np.array(code))


def feature(wikidata, geometry, iso1A2=None, groups=(), country=None):
    properties = {"wikidata": wikidata, "iso1A2": iso1A2, "groups": list(groups)}
    if country:
        properties["country"] = country
    drawn = None if geometry is None else shapely.geometry.mapping(geometry)
    return {"type": "Feature", "properties": properties, "geometry": drawn}


def write_gazette(path, places):
    path.write_text(json.dumps({str(p["geonameid"]): p for p in places}), encoding="utf-8")
    return path


def write_features(path, features):
    path.parent.mkdir(parents=True, exist_ok=True)
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection), encoding="utf-8")
    return path


def write_units(path, rows):
    """Write (iso_a2, name, geometry, woe_name, gn_name, fips) as Natural Earth's units."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [(*r, *[None] * (6 - len(r))) for r in rows]
    code, name, geometry, woe, gn, fips = zip(*rows, strict=True)
    texts = {"iso_a2": code, "name": name, "woe_name": woe, "gn_name": gn, "fips": fips}
    table = pa.table(
        {key: pa.array(value, pa.string()) for key, value in texts.items()}
        | {"geometry": [None if g is None else shapely.to_wkb(g) for g in geometry]}
    )
    pq.write_table(table, path)
    return path


def write_sources(folder, features, units_, places):
    """Write the sources of a set; return where GeoNames' places are."""
    borders, admin1 = (folder / source.path for source in bundled.INPUTS)
    write_features(borders, features)
    write_units(admin1, units_)
    return write_gazette(folder / "places.json", places)


def rows(table):
    """Return the rows by id, without shapes and boxes."""
    plain = table.drop_columns(["geometry", "bbox"]).to_pylist()
    return {row["id"]: row | {"names": dict(row["names"])} for row in plain}


def shapes(table):
    found = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    return dict(zip(table["id"].to_pylist(), found, strict=True))


def same(shape, other, tolerance=1e-6):
    """Tell whether two shapes cover the same, but for rounding."""
    return shapely.symmetric_difference(shape, other).area < tolerance
