"""Boundary files of other providers, or your own, as the region tables of a boundary set.

A `geodata.boundary_build.providers.Provider` says which columns mean what; `read` does the rest: it
reads anything geopandas reads, reprojects to WGS 84, repairs the shapes and counts the repairs,
finds the parents, and gives countries the names and codes of the bundled set. Needs
the extra ``boundaries``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata import boundaries
from geodata.boundary_build import shapes
from geodata.boundary_build.countries import COUNTRY_SCHEMA
from geodata.boundary_build.iso import subdivisions
from geodata.boundary_build.providers import Layout, Provider
from geodata.boundary_build.regions import RegionTables
from geodata.boundary_build.units import UNIT_SCHEMA
from geodata.files import FileError

LEVELS = ("country", "admin1", "admin2")


@dataclass(frozen=True)
class Reading:
    """Region tables read from files, and what had to be done to get them.

    Attributes
    ----------
    tables : RegionTables
    repairs : geodata.boundary_build.shapes.Repairs
    rows : int
        Rows of the files at a known level.
    without_country : int
        Of them, rows left out because no column holds an ISO 3166-1 code.
    without_name : int
        Of them, divisions left out because no column holds a name.
    """

    tables: RegionTables
    repairs: shapes.Repairs
    rows: int
    without_country: int
    without_name: int


@dataclass(frozen=True)
class _Region:
    level: str
    country: str
    name: str
    others: tuple[str, ...]
    code: str | None
    key: str | None
    parent: str | None
    disputed: bool
    geometry: shapely.Geometry


@dataclass(frozen=True)
class _Batch:
    regions: list[_Region]
    repairs: shapes.Repairs
    rows: int
    without_country: int
    without_name: int


def read(source: Provider, paths: Iterable[Path]) -> Reading:
    """Read boundary files into region tables.

    Parameters
    ----------
    source
        One of `geodata.boundary_build.providers.PROVIDERS`, or your own with a `Layout` of your
        columns.
    paths
        Its files; of a GeoPackage every layer that has a layout is read.

    Returns
    -------
    Reading
        Countries that no file draws are the union of their divisions.

    Raises
    ------
    FileError
        If a file cannot be read, has none of the layouts, or nothing usable is left.

    Examples
    --------
    >>> mine = Provider("mine", "CC0", "", (Layout(
    ...     requires=("iso", "province"), level="admin1", country=("iso",), names=("province",)),))
    >>> read(mine, [Path("provinces.gpkg")])  # doctest: +SKIP
    """
    batches = [_batch(path, *layer) for path in paths for layer in _layers(source, Path(path))]
    regions = [region for batch in batches for region in batch.regions]
    if not regions:
        msg = f"{source.name}: no region with a country code and a shape in the files given"
        raise FileError(msg)
    return Reading(
        _tables(regions),
        sum((batch.repairs for batch in batches), shapes.Repairs()),
        sum(batch.rows for batch in batches),
        sum(batch.without_country for batch in batches),
        sum(batch.without_name for batch in batches),
    )


def _batch(
    path: Path, layout: Layout, records: list[dict[str, Any]], geometries: list[shapely.Geometry]
) -> _Batch:
    try:
        fixed, repairs = shapes.repair(geometries)
    except ValueError as error:
        msg = f"{path}: {error}"
        raise FileError(msg) from error
    countries = [_country(layout, record) for record in records]
    found = [
        _region(layout, record, country, geometry)
        for record, country, geometry in zip(records, countries, fixed, strict=True)
        if country is not None and geometry is not None
    ]
    named = [region for region in found if region.name or region.level == "country"]
    return _Batch(named, repairs, len(records), countries.count(None), len(found) - len(named))


def _layers(
    source: Provider, path: Path
) -> Iterator[tuple[Layout, list[dict[str, Any]], list[shapely.Geometry]]]:
    found = False
    columns: list[str] = []
    for columns, records, geometries in _files(path):
        layout = next((one for one in source.layouts if set(one.requires) <= set(columns)), None)
        if layout is not None:
            found = True
            kept = [i for i, record in enumerate(records) if _wanted(layout, record)]
            yield layout, [records[i] for i in kept], [geometries[i] for i in kept]
    if not found:
        wanted = " or ".join("(" + ", ".join(one.requires) + ")" for one in source.layouts)
        msg = f"{path}: no file of {source.name}: expected columns {wanted}, found {columns}"
        raise FileError(msg)


def _files(path: Path) -> Iterator[tuple[list[str], list[dict[str, Any]], list[shapely.Geometry]]]:
    """Yield (columns, records, shapes in WGS 84) of each layer of a file."""
    import geopandas

    if not path.exists():
        msg = f"{path}: expected a boundary file, found nothing there"
        raise FileError(msg)
    try:
        if path.suffix.lower() in {".parquet", ".geoparquet"}:
            frame = geopandas.read_parquet(path)
            # Arrow keeps structs and maps as they are, which pandas does not
            table = pq.read_table(path).drop_columns([frame.geometry.name])
            yield table.column_names, table.to_pylist(), _degrees(frame)
            return
        for layer in geopandas.list_layers(path)["name"]:
            frame = geopandas.read_file(path, layer=layer)
            if isinstance(frame, geopandas.GeoDataFrame):
                plain = frame.drop(columns=frame.geometry.name)
                table = pa.Table.from_pandas(plain, preserve_index=False)
                yield table.column_names, table.to_pylist(), _degrees(frame)
    except (OSError, ValueError, RuntimeError, pa.ArrowException) as error:
        if isinstance(error, FileError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        msg = f"{path}: cannot be read as boundaries: {reason}"
        raise FileError(msg) from error


def _degrees(frame: Any) -> list[shapely.Geometry]:
    if frame.crs is not None and not frame.crs.equals("EPSG:4326", ignore_axis_order=True):
        frame = frame.to_crs("EPSG:4326")
    return list(frame.geometry)


def _wanted(layout: Layout, record: dict[str, Any]) -> bool:
    kept = not layout.keep or record.get(layout.keep, True) is not False
    return kept and _level(layout, record) is not None


def _level(layout: Layout, record: dict[str, Any]) -> str | None:
    if layout.level:
        return layout.level
    value = record.get(layout.level_column)
    for given, level in layout.level_values:
        if value == given or (given == "*" and value is not None):
            return level
    return None


def _country(layout: Layout, record: dict[str, Any]) -> str | None:
    values = (_text(_value(record, column)) for column in layout.country)
    codes = (alpha2(value) for value in values if value)
    return next((code for code in codes if code), None)


@cache
def alpha2(code: str) -> str | None:
    """Return the alpha-2 code of an alpha-2 or alpha-3 code, None for anything else.

    Examples
    --------
    >>> alpha2("fra"), alpha2("XKO"), alpha2("-99")
    ('FR', 'XK', None)
    """
    import pycountry

    code = code.strip().upper()
    if code in {"XKX", "XKO", "KOS"}:
        return "XK"
    if len(code) == 2:
        return code if boundaries.is_country(code) else None
    found = pycountry.countries.get(alpha_3=code)
    return str(found.alpha_2) if found else None


def _region(
    layout: Layout, record: dict[str, Any], country: str, geometry: shapely.Geometry
) -> _Region:
    names = [name for name in (_text(_value(record, n)) for n in layout.names) if name]
    code = _text(_value(record, layout.code)) if layout.code else None
    level = _level(layout, record) or ""
    parent = _text(_value(record, layout.parent)) if layout.parent and level == "admin2" else None
    listed = code in subdivisions(country) and code != parent
    return _Region(
        level,
        country,
        names[0] if names else "",
        tuple(dict.fromkeys(name for name in names[1:] if name != names[0])),
        code if listed else None,
        _text(_value(record, layout.key)) if layout.key and level == "admin1" else None,
        parent,
        bool(layout.disputed and record.get(layout.disputed)),
        geometry,
    )


def _value(record: dict[str, Any], column: str) -> Any:
    """Follow a dotted column into structs and maps (which Arrow gives as pairs)."""
    value: Any = record
    for part in column.split("."):
        if isinstance(value, list):
            value = dict(value)
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # ids that a NULL beside them turned into floats
    return str(value).strip() or None


def _tables(regions: list[_Region]) -> RegionTables:
    by_level = {level: [r for r in regions if r.level == level] for level in LEVELS}
    divisions = [*by_level["admin1"], *by_level["admin2"]]
    drawn = {region.country for region in by_level["country"]}
    missing = sorted({region.country for region in divisions} - drawn)
    derived = [_union(country, divisions) for country in missing]
    rows = [_country_row(region) for region in [*by_level["country"], *derived]]
    parents = _parents(by_level["admin1"], by_level["admin2"])
    divided = [_unit_row(region, None) for region in by_level["admin1"]]
    divided += [
        _unit_row(region, parent)
        for region, parent in zip(by_level["admin2"], parents, strict=True)
    ]
    rows.sort(key=lambda row: (row["code"], row["geometry"]))
    divided.sort(
        key=lambda row: (
            row["country"],
            row["admin1_name"] or "",
            row["admin2_name"] or "",
            row["geometry"],
        )
    )
    return RegionTables(
        pa.Table.from_pylist(rows, schema=COUNTRY_SCHEMA),
        pa.Table.from_pylist(divided, schema=UNIT_SCHEMA),
    )


def _union(country: str, divisions: list[_Region]) -> _Region:
    parts = [region.geometry for region in divisions if region.country == country]
    union = shapes.polygonal(shapes.snap(shapely.union_all(parts)))
    return _Region("country", country, "", (), None, None, None, False, union)


def _parents(admin1: list[_Region], admin2: list[_Region]) -> list[_Region | None]:
    """Find the admin1 of each admin2: by its key, else the one of its country around it."""
    by_key = {region.key: region for region in admin1 if region.key is not None}
    tree = shapely.STRtree([region.geometry for region in admin1])
    return [
        by_key.get(region.parent) if region.parent in by_key else _around(region, admin1, tree)
        for region in admin2
    ]


def _around(region: _Region, admin1: list[_Region], tree: shapely.STRtree) -> _Region | None:
    point = shapely.point_on_surface(region.geometry)
    near = [admin1[i] for i in np.sort(tree.query(point, predicate="intersects"))]
    return next((one for one in near if one.country == region.country), None)


def _country_row(region: _Region) -> dict[str, Any]:
    facts = _bundled_facts().get(region.country, {})
    return {
        "code": region.country,
        "name": boundaries.country_name(region.country),
        **facts,
        "disputed": region.disputed,
        "claims": [],
        "geometry": shapes.wkb([region.geometry])[0],
    }


@cache
def _bundled_facts() -> dict[str, dict[str, Any]]:
    """Continent and sovereign of each country, which no provider has alike."""
    path = boundaries.BUNDLED / "countries.parquet"
    wanted = [
        "code",
        "alpha3",
        "continent",
        "sovereign_code",
        "sovereign_admin1_name",
        "sovereign_admin1_code",
    ]
    return {row.pop("code"): row for row in pq.read_table(path, columns=wanted).to_pylist()}


def _unit_row(region: _Region, parent: _Region | None) -> dict[str, Any]:
    admin1 = parent if region.level == "admin2" else region
    admin2 = region if region.level == "admin2" else None
    return {
        "country": region.country,
        "admin1_name": admin1.name if admin1 else None,
        "admin1_code": admin1.code if admin1 else None,
        "admin2_name": admin2.name if admin2 else None,
        "admin2_code": admin2.code if admin2 else None,
        "aliases": list(region.others),
        "admin1_aliases": list(admin1.others) if admin1 else [],
        "geometry": shapes.wkb([region.geometry])[0],
    }
