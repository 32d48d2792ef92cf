"""Boundary files of other providers, or your own, as the region tables of a boundary set.

A `geodata.boundary_build.providers.Provider` says which columns mean what; `read` does the rest: it
reads anything geopandas reads, reprojects to WGS 84, repairs the shapes and counts the repairs.
`geodata.boundary_build.region_rows` makes the tables. Needs the extra ``boundaries``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata import boundaries
from geodata.boundary_build import shapes
from geodata.boundary_build.iso import subdivisions
from geodata.boundary_build.providers import Layout, Provider
from geodata.boundary_build.region_rows import Region, region_tables
from geodata.boundary_build.regions import RegionTables
from geodata.files import FileError


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
class _Batch:
    regions: list[Region]
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
        region_tables(regions),
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
) -> Region:
    names = [name for name in (_text(_value(record, n)) for n in layout.names) if name]
    code = _text(_value(record, layout.code)) if layout.code else None
    level = _level(layout, record) or ""
    parent = _text(_value(record, layout.parent)) if layout.parent and level == "admin2" else None
    listed = code in subdivisions(country) and code != parent
    return Region(
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
