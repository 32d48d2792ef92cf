"""Region tables: what every source is read into, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from geodata import files
from geodata.boundaries.schema import (
    COUNTRY_SCHEMA,
    DEEPER,
    TABLE_FILES,
    UNIT_SCHEMA,
    geo_metadata,
)


@dataclass(frozen=True)
class RegionTables:
    """The regions of a boundary set, ready to be indexed.

    Attributes
    ----------
    countries : pyarrow.Table
        `geodata.boundaries.schema.COUNTRY_SCHEMA`: one row a country, territory or disputed
        piece. Rows may overlap: the smallest that contains a point owns it.
    units : pyarrow.Table
        `geodata.boundaries.schema.UNIT_SCHEMA`: one row a division, admin1 or admin2.
    below : pyarrow.Table
        The same columns: localities and neighbourhoods.
    """

    countries: pa.Table
    units: pa.Table
    below: pa.Table = field(default_factory=UNIT_SCHEMA.empty_table)

    def by_level(self) -> dict[str, pa.Table]:
        """Return the table of each level that has rows; countries and units always.

        The units of a country are the first divisions that are drawn there: an admin2 row is a
        unit where its parent is no admin1 row.
        """
        level = self.units["level"]
        first = pc.equal(level, "admin1")
        under = pc.is_in(self.units["parent"], self.units["id"].filter(first))
        is_unit = pc.or_(first, pc.and_(pc.equal(level, "admin2"), pc.invert(under)))
        tables = {"country": self.countries, "admin1": self.units.filter(is_unit)}
        rest = pa.concat_tables([self.units.filter(pc.invert(is_unit)), self.below])
        for deeper in DEEPER:
            rows = rest.filter(pc.equal(rest["level"], deeper))
            if len(rows):
                tables[deeper] = rows
        return tables


def country_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a table of countries; what they lack is NULL or empty."""
    return _table(rows, COUNTRY_SCHEMA)


def unit_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a table of divisions; what they lack is NULL or empty."""
    return _table(rows, UNIT_SCHEMA)


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    shapes = shapely.from_wkb(np.array([row["geometry"] for row in rows], object))
    sides = ("xmin", "ymin", "xmax", "ymax")
    empty: dict[str, Any] = {"disputed": False, "claims": [], "aliases": [], "names": {}}
    boxes = [dict(zip(sides, box, strict=True)) for box in shapely.bounds(shapes).tolist()]
    complete = [{**empty, **row, "bbox": box} for row, box in zip(rows, boxes, strict=True)]
    for row in complete:
        row["names"] = sorted(row["names"].items())
    return pa.Table.from_pylist(complete, schema=schema)


def write_tables(tables: RegionTables, out_dir: Path) -> list[Path]:
    """Write region tables as GeoParquet (zstd), the same bytes for the same tables."""
    paths = []
    for level, table in tables.by_level().items():
        path = Path(out_dir) / TABLE_FILES[level]
        with files.replacing(path) as beside:
            pq.write_table(
                table.combine_chunks().replace_schema_metadata(geo_metadata(_bounds(table))),
                beside,
                compression="zstd",
                compression_level=9,
                use_dictionary=[n for n in table.column_names if n not in ("geometry", "id")],
                write_page_checksum=True,
                write_statistics=False,
            )
        paths.append(path)
    return paths


def _bounds(table: pa.Table) -> tuple[float, float, float, float]:
    if not len(table):
        return (0.0, 0.0, 0.0, 0.0)
    box = {
        side: pc.struct_field(table["bbox"], side).to_numpy()
        for side in ("xmin", "ymin", "xmax", "ymax")
    }
    low, high = (box["xmin"].min(), box["ymin"].min()), (box["xmax"].max(), box["ymax"].max())
    return (*map(float, low), *map(float, high))  # type: ignore[return-value]
