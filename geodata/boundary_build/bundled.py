"""Build the region tables of the bundled set from its two sources.

``geodata boundaries build bundled --from DIR`` calls `write_bundled`: it reads
``DIR/country-coder/borders.json`` and Natural Earth's admin-1 units and writes two Parquet files
and their provenance, the same bytes on each run.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata import boundaries, files
from geodata.boundaries import PROVENANCE
from geodata.boundaries.building import RegionTables, subdivisions, write_tables
from geodata.boundary_build import countries, naming, seeds, units


@dataclass(frozen=True)
class Input:
    """A source file of the bundled set and where it comes from."""

    path: str
    name: str
    version: str
    licence: str
    origin: str


INPUTS = (
    Input(
        "country-coder/borders.json",
        "country-coder",
        "5.6.1",
        "ISC",
        "npm @rapideditor/country-coder, src/data/borders.json",
    ),
    Input(
        "naturalearth/ne_4.1.0_10m_admin1_simplified.parquet",
        "Natural Earth 10m admin-1 states and provinces, simplified",
        "4.1.0",
        "public domain",
        "Debian qgis-common, resources/data/world_map.gpkg, layer states_provinces",
    ),
)

# Versions of these decide names, codes or the last digits of cut borders.
TOOLS = ("numpy", "pyarrow", "pycountry", "shapely")


def assemble(from_dir: Path, *, gazette: str | os.PathLike[str] | None = None) -> RegionTables:
    """Build the bundled region tables from the folder of their sources.

    Parameters
    ----------
    from_dir
        Folder with the paths of `INPUTS`.
    gazette
        GeoNames' places, see `geodata.boundary_build.places.read`.

    Raises
    ------
    FileError
        If a source is missing.
    ValueError
        If the result breaks a rule of `problems`: a table of facts contradicts the sources.
    """
    borders, admin1 = (_input(from_dir, source) for source in INPUTS)
    read = units.read_units(admin1)
    known = seeds.read_seeds(gazette)
    divisions = naming.unit_table(read, known)
    features = countries.read_features(borders)
    tables = RegionTables(
        countries.country_table(features, units.land(read), divisions, known), divisions
    )
    if found := problems(tables):
        msg = f"the bundled set breaks {len(found)} rules: {'; '.join(found[:5])}"
        raise ValueError(msg)
    return tables


def write_bundled(
    from_dir: Path, out_dir: Path, *, gazette: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Write ``countries.parquet``, ``units.parquet`` and ``PROVENANCE.json``.

    The same sources and tool versions give the same bytes.

    Parameters
    ----------
    from_dir
        Folder of the sources, see `assemble`.
    out_dir
        Existing folder; each file is replaced whole.
    gazette
        See `assemble`.

    Returns
    -------
    list of Path
        The files, in the order above.
    """
    tables = assemble(from_dir, gazette=gazette)
    outputs = write_tables(tables, out_dir)
    record = {
        "name": "bundled",
        "rules_version": boundaries.RULES_VERSION,
        "worldview": "un",
        "inputs": [_provenance(from_dir, source) for source in INPUTS],
        "tools": {name: metadata.version(name) for name in TOOLS},
        "tables": boundaries.digests(),
        "approximate": {
            name: table["id"].filter(table["approximate"]).to_pylist()
            for name, table in (("countries", tables.countries), ("units", tables.units))
        },
        "outputs": {
            path.name: {"sha256": files.sha256(path), "rows": pq.read_metadata(path).num_rows}
            for path in outputs
        },
    }
    path = Path(out_dir) / PROVENANCE
    files.write_text(path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return [*outputs, path]


def problems(tables: RegionTables) -> list[str]:
    """Return what is wrong with region tables of the bundled set; [] if nothing.

    Checks that codes exist, that a code has one name and a name one code, that no division is
    there twice or of an unknown country, and that shapes are valid polygons.
    """
    rows = tables.units.drop_columns(["geometry"]).to_pylist()
    return [
        *_country_problems(tables.countries.drop_columns(["geometry"]).to_pylist()),
        *_code_problems(rows),
        *_name_problems(rows),
        *_unknown(rows, set(tables.countries["code"].to_pylist())),
        *_shape_problems("countries", tables.countries),
        *_shape_problems("units", tables.units),
    ]


def _country_problems(rows: list[dict[str, Any]]) -> list[str]:
    codes = {row["code"] for row in rows}
    claimed = {claim["code"] for row in rows for claim in row["claims"]}
    sovereign = {row["sovereign_code"] for row in rows} - {None}
    strange = [
        f"country code {code} is unknown"
        for code in sorted(codes)
        if not boundaries.is_country(code)
    ]
    return strange + [
        f"claim or sovereign {code} is no country of the set"
        for code in sorted((claimed | sovereign) - codes)
    ]


def _code_problems(rows: list[dict[str, Any]]) -> list[str]:
    found = []
    for row in rows:
        known = subdivisions(row["country"])
        found += [
            f"{row['country']}: {key} {row[key]} of {row['admin1_name']} is not in ISO 3166-2"
            for key in ("admin1_code", "admin2_code")
            if row[key] is not None and row[key] not in known
        ]
    return found


def _name_problems(rows: list[dict[str, Any]]) -> list[str]:
    admin1 = {(row["country"], row["admin1_name"], row["admin1_code"]) for row in rows}
    admin2 = [(r["country"], r["admin1_name"], r["admin2_name"]) for r in rows]
    codes = Counter(code for _, _, code in admin1 if code)
    names = Counter((country, name) for country, name, _ in admin1)
    second = Counter(row["admin2_code"] for row in rows if row["admin2_code"])
    return [
        f"{key} is there {count} times"
        for counter in (codes, names, second, Counter(admin2))
        for key, count in counter.items()
        if count > 1
    ]


def _unknown(rows: list[dict[str, Any]], countries_known: set[str]) -> list[str]:
    return [
        f"unit {row['admin1_name']} lies in {row['country']}, which is no country of the set"
        for row in rows
        if row["country"] not in countries_known
    ]


def _shape_problems(name: str, table: pa.Table) -> list[str]:
    shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))
    wrong = ~shapely.is_valid(shapes) | shapely.is_empty(shapes)
    return [f"{name} row {row} has an invalid or empty shape" for row in np.flatnonzero(wrong)]


def _input(from_dir: Path, source: Input) -> Path:
    path = Path(from_dir) / source.path
    if not path.is_file():
        msg = f"{path}: missing; expected {source.name} {source.version} ({source.origin})"
        raise files.FileError(msg)
    return path


def _provenance(from_dir: Path, source: Input) -> dict[str, str]:
    return {
        "name": source.name,
        "version": source.version,
        "licence": source.licence,
        "origin": source.origin,
        "file": Path(source.path).name,
        "sha256": files.sha256(_input(from_dir, source)),
    }
