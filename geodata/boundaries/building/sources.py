"""Boundary files of other providers, or your own, as the region tables of a boundary set.

A `geodata.boundaries.building.providers.Provider` says which columns mean what; `read` does the
rest: it repairs the shapes, counts the repairs, and refuses what cannot be one set.
`geodata.boundaries.building.region_rows` makes the tables. Needs the extra ``boundaries``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import shapely

from geodata.boundaries.building import shapes
from geodata.boundaries.building.checks import joined, refuse_swapped_axes
from geodata.boundaries.building.iso import subdivisions
from geodata.boundaries.building.parents import Region
from geodata.boundaries.building.providers import Layout, Provider
from geodata.boundaries.building.reading import Axes, Layer, layers
from geodata.boundaries.building.region_rows import Origin, region_tables
from geodata.boundaries.building.regions import RegionTables
from geodata.boundaries.building.views import Views
from geodata.boundaries.facts import is_country
from geodata.files import FileError


@dataclass(frozen=True)
class Reading:
    """Region tables read from files, and what had to be done to get them.

    Attributes
    ----------
    tables : RegionTables
    repairs : geodata.boundaries.building.shapes.Repairs
    rows : int
        Rows of the files at a known level.
    without_country : int
        Of them, rows left out because no column holds an ISO 3166-1 code.
    without_name : int
        Of them, divisions left out because no column holds a name.
    joined : int
        Rows that were parts of a region that other rows draw too: same key, same file.
    """

    tables: RegionTables
    repairs: shapes.Repairs
    rows: int
    without_country: int
    without_name: int
    joined: int = 0


@dataclass(frozen=True)
class _Batch:
    regions: list[Region]
    repairs: shapes.Repairs
    rows: int
    without_country: int
    without_name: int


def read(
    source: Provider,
    paths: Iterable[Path],
    *,
    axes: Axes | None = None,
    origin: Origin | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read boundary files into region tables.

    Parameters
    ----------
    source
        One of `geodata.boundaries.building.providers.PROVIDERS`, or your own with a `Layout` of
        your columns.
    paths
        Its files; of a GeoPackage every layer that has a layout is read.
    axes : Axes, optional
        The coordinate system of files that name none, and whether axes are swapped.
    origin : Origin, optional
        Source, release and licence to write beside every region.
    progress : callable, optional
        Called with the rows read so far.

    Returns
    -------
    Reading
        Countries that no file draws are the union of their divisions.

    Raises
    ------
    FileError
        If a file cannot be read, has none of the layouts, has swapped axes, if two files draw
        the same region, or nothing usable is left.

    Examples
    --------
    >>> mine = Provider("mine", "CC0", "", (Layout(
    ...     requires=("iso", "province"), level="admin1", country=("iso",), names=("province",)),))
    >>> read(mine, [Path("provinces.gpkg")])  # doctest: +SKIP
    """
    batches: list[_Batch] = []
    for path in paths:
        for layer in layers(source, Path(path), axes or Axes()):
            batches.append(_batch(layer))
            if progress is not None:
                progress(sum(batch.rows for batch in batches))
    regions = [region for batch in batches for region in batch.regions]
    if not regions:
        msg = f"{source.name}: no region with a country code and a shape in the files given"
        raise FileError(msg)
    refuse_swapped_axes(regions)
    whole = joined(regions)
    return Reading(
        region_tables(whole, origin or Origin(source.name, None, source.licence)),
        sum((batch.repairs for batch in batches), shapes.Repairs()),
        sum(batch.rows for batch in batches),
        sum(batch.without_country for batch in batches),
        sum(batch.without_name for batch in batches),
        len(regions) - len(whole),
    )


def _batch(layer: Layer) -> _Batch:
    layout = layer.layout
    kept = [i for i, record in enumerate(layer.records) if _wanted(layout, record)]
    records = [layer.records[i] for i in kept]
    try:
        fixed, repairs = shapes.repair(layer.shapes[kept])
    except ValueError as error:
        msg = f"{layer.path}: {error}"
        raise FileError(msg) from error
    views = Views.of(layout, records, alpha2)
    countries = [_country(layout, record) or views.country(record) for record in records]
    found = [
        _region(layer, record, country, geometry, views)
        for record, country, geometry in zip(records, countries, fixed, strict=True)
        if country is not None and geometry is not None
    ]
    named = [region for region in found if region.name or region.level == "country"]
    return _Batch(named, repairs, len(records), countries.count(None), len(found) - len(named))


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
    if layout.country_code:
        return layout.country_code
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
        return code if is_country(code) else None
    found = pycountry.countries.get(alpha_3=code)
    return str(found.alpha_2) if found else None


def _region(
    layer: Layer, record: dict[str, Any], country: str, geometry: shapely.Geometry, views: Views
) -> Region:
    layout = layer.layout
    names = [name for name in (_text(_value(record, n)) for n in layout.names) if name]
    code = _text(_value(record, layout.code)) if layout.code else None
    level = _level(layout, record) or ""
    parents = [_text(_value(record, column)) for column in layout.parents]
    listed = level != "country" and code in subdivisions(country)
    claims = views.claims(record, country)
    return Region(
        level=level,
        country=country,
        name=names[0] if names else "",
        others=tuple(dict.fromkeys(name for name in names[1:] if name != names[0])),
        code=code if listed and (level == "admin1" or code not in parents) else None,
        key=_text(_value(record, layout.key)) if layout.key else None,
        parents=tuple(parent for parent in parents if parent is not None),
        disputed=bool(
            claims
            or _country(layout, record) is None
            or (layout.disputed and record.get(layout.disputed))
        ),
        geometry=geometry,
        names=_languages(layout, record),
        claims=claims,
        path=str(layer.path),
    )


def _languages(layout: Layout, record: dict[str, Any]) -> dict[str, str]:
    """Return the names by language that a record has."""
    several = _value(record, layout.language_map) if layout.language_map else None
    found = dict(several or {})
    found.update({language: _value(record, column) for language, column in layout.languages})
    texts = {language: _text(name) for language, name in found.items()}
    return {language: name for language, name in texts.items() if name}


def _value(record: dict[str, Any], column: str) -> Any:
    """Follow a dotted column into structs and maps (which Arrow gives as pairs)."""
    if column in record:
        return record[column]  # a column may have a dot in its own name
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
