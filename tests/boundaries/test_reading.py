"""Files as their formats lay them out: large ones, large pages, axes the other way."""

import json
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geodata import boundaries
from geodata.boundaries.building import reading
from geodata.files import FileError
from tests.boundaries.sets import cantons, square


@pytest.mark.parametrize("lacks", [0, 2])
def test_a_shapefile_of_32_mib_says_how_long_it_is(tmp_path, lacks):
    """In 16-bit words, as four bytes, the largest first; the file is a hole on the disk."""
    path, size = tmp_path / "large.shp", 2 * ((1 << 24) + 50)
    with path.open("wb") as file:
        file.write(bytes(24) + (size // 2).to_bytes(4, "big") + bytes(72))
        file.truncate(size - lacks)
    if lacks:
        with pytest.raises(FileError, match="is cut short"):
            reading._refuse_half(path)
    else:
        reading._refuse_half(path)


def test_a_database_with_the_largest_pages_is_whole(tmp_path):
    """Pages of 65,536 bytes, which the header writes as 1."""
    path = tmp_path / "pages.gpkg"
    database = sqlite3.connect(path)
    database.execute("PRAGMA page_size = 65536")
    database.execute("CREATE TABLE one (x)")
    database.commit()
    database.close()
    assert path.read_bytes()[16:18] == b"\x00\x01"
    reading._refuse_half(path)


COLUMNS = {"country": "CH", "admin1": "NAME"}


@pytest.mark.parametrize(
    ("own", "said"), [("EPSG:4326", "OGC:CRS84"), ("OGC:CRS84", "EPSG:4326"), ("EPSG:4258", None)]
)
def test_a_system_with_its_axes_the_other_way_has_longitudes_first_in_a_file(tmp_path, own, said):
    """The same system may be said too; that of Europe lies within a metre of it."""
    path = cantons(tmp_path, crs=own)
    made = boundaries.build(path, tmp_path / "set", columns=COLUMNS, crs=said)
    shapes = shapely.from_wkb(made.table("admin1", ["geometry"])["geometry"].to_pylist())
    assert shapely.bounds(shapes[0]) == pytest.approx([7.2, 46.0, 7.4, 46.2], abs=1e-5)


def test_parquet_that_says_its_system_is_unknown_needs_one_too(tmp_path):
    """GeoParquet: no word of a system is longitude and latitude, null is none that is known."""
    path = tmp_path / "unknown.parquet"
    table = pa.table({"NAME": ["A"], "geometry": shapely.to_wkb([square(0, 0)]).tolist()})
    columns = {"country": "CH", "admin1": "NAME"}
    for about, known in (({"crs": None}, False), ({}, True), ({"crs": "EPSG:4326"}, True)):
        geo = {"primary_column": "geometry", "columns": {"geometry": about}}
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
        if known:
            made = boundaries.build(path, tmp_path / "set", columns=columns)
            assert made.units["name"].to_pylist() == ["A"]
        else:
            with pytest.raises(FileError, match="names no coordinate system"):
                boundaries.build(path, tmp_path / "set", columns=columns)
