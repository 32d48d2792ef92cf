"""Files as their formats lay them out: large ones, large pages, layers without shapes."""

import sqlite3

import pandas as pd
import pyogrio
import pytest

from geodata import boundaries
from geodata.boundaries.building import reading
from geodata.files import FileError
from tests.boundaries.sets import cantons


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


def test_a_layer_without_shapes_hides_none_after_it(tmp_path):
    path = tmp_path / "two.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"NAME": ["notes"]}), path, layer="a_table")
    drawn = cantons(tmp_path)
    pyogrio.write_dataframe(pyogrio.read_dataframe(drawn), path, layer="cantons", append=True)
    columns = {"country": "CH", "admin1": "NAME"}
    made = boundaries.build(path, tmp_path / "set", columns=columns)
    assert made.units["name"].to_pylist() == ["Bern", "Zürich"]
