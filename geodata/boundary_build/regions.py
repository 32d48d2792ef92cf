"""Region tables: what every source is read into, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files

COUNTRIES, UNITS, PROVENANCE = "countries.parquet", "units.parquet", "PROVENANCE.json"


@dataclass(frozen=True)
class RegionTables:
    """The regions of a boundary set, ready to be indexed.

    Attributes
    ----------
    countries : pyarrow.Table
        `geodata.boundary_build.countries.COUNTRY_SCHEMA`: one row a country, territory or disputed
        piece. Rows may overlap: the smallest that contains a point owns it.
    units : pyarrow.Table
        `geodata.boundary_build.units.UNIT_SCHEMA`: one row a division, in the country whose polygon
        it lies in.

    Geometries are WKB polygons in lon/lat degrees, multiples of 1e-7.
    """

    countries: pa.Table
    units: pa.Table


def write_tables(tables: RegionTables, out_dir: Path) -> list[Path]:
    """Write region tables as Parquet (zstd), the same bytes for the same tables."""
    paths = [Path(out_dir) / COUNTRIES, Path(out_dir) / UNITS]
    for path, table in zip(paths, (tables.countries, tables.units), strict=True):
        with files.replacing(path) as beside:
            pq.write_table(
                table.combine_chunks(),
                beside,
                compression="zstd",
                compression_level=9,
                use_dictionary=[n for n in table.column_names if n != "geometry"],
                write_page_checksum=True,
                write_statistics=False,
            )
    return paths
