"""Where regions lie at home and below which others, and whose name the parts of one have."""

import io

import pyarrow.parquet as pq
import pytest
import shapely

from geodata import boundaries
from geodata.boundaries.building import checks, parents, region_rows, regions
from geodata.files import FileError
from tests.boundaries.sets import square
from tests.boundaries.test_rows import region


def looks_swapped(country, lon, lat):
    """Tell whether a region around a point of a file is refused for its axes."""
    around = shapely.box(lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05)
    try:
        checks.refuse_swapped_axes([region("admin1", around, country, path="f")])
    except FileError:
        return True
    return False


@pytest.mark.parametrize(
    ("country", "lon", "lat"),
    [
        ("UA", 49.0, 24.0),  # its disputed pieces are the east and south of it
        ("RU", 60.0, 30.0),  # its disputed piece is an island of the far east
    ],
)
def test_a_country_reaches_as_far_as_all_its_rows_do(country, lon, lat):
    assert looks_swapped(country, lon, lat)
    assert not looks_swapped(country, lat, lon)


@pytest.mark.parametrize(
    ("country", "lon", "lat"),
    [
        ("EG", 18.0, 30.0),  # too far west: 24.7 - 5
        ("LY", 35.0, 20.0),  # too far east: 25.1 + 5
    ],
)
def test_a_longitude_too_far_is_not_at_home_where_the_latitude_is(country, lon, lat):
    assert looks_swapped(country, lon, lat)


def test_a_country_that_is_not_known_may_lie_anywhere():
    assert not looks_swapped("QQ", 88.0, 46.0)
    assert not looks_swapped("QQ", 46.0, 88.0)


def test_parts_of_a_region_have_the_name_of_the_first():
    first = region("admin1", square(0, 0), key="1", name="First", others=("One",))
    second = region("admin1", square(1, 0), key="1", name="Second")
    (both,) = checks.joined([first, second])
    assert (both.name, both.others) == ("First", ("One",))


def above(rows, **levels):
    """Return the names of what lies above each second-level division."""
    by_level = {level: levels.get(level, []) for level in boundaries.LEVELS} | {"admin2": rows}
    return [
        {level: one.name for level, one in found.items()}
        for found in parents.ancestors(by_level)["admin2"]
    ]


def test_a_parent_that_is_not_there_hides_none_after_it():
    near = region("admin1", square(2, 0))
    top = region("admin1", square(50, 0), code="CH-X", name="top")
    row = region("admin2", square(0, 0), parents=("gone", "CH-X"))
    assert above([row], admin1=[near, top]) == [{"admin1": "top"}]
    assert above([row]) == [{}]
    assert above([], admin1=[top]) == []


def test_a_region_lies_in_the_shape_of_another_not_in_its_box():
    corner = shapely.Polygon([(7, 46), (7.4, 46), (7, 46.4)])
    small, large = region("admin1", corner, name="small"), region("admin1", square(0, 0, 5))
    rows = [region("admin2", square(0.5, 0.5)), region("admin2", square(3, 3))]
    assert above(rows, admin1=[small, large]) == [{"admin1": "small"}, {"admin1": "x"}]


def test_a_page_of_a_table_whose_bits_turned_is_no_name(tmp_path):
    """Each byte of the names in turn: whoever asks for it is told, but for a byte or two."""
    rows = [region("admin1", square(i, 0), name=f"Name {i * 7919 % 100}") for i in range(40)]
    made = region_rows.region_tables(rows, region_rows.Origin("src", None, "lic"))
    data = regions.write_tables(made, tmp_path)[1].read_bytes()
    group = pq.read_metadata(io.BytesIO(data)).row_group(0)
    names = next(one for one in map(group.column, range(group.num_columns))
                 if one.path_in_schema == "name")  # fmt: skip
    first = names.dictionary_page_offset or names.data_page_offset
    silent = 0
    for at in range(first, first + names.total_compressed_size):
        turned = io.BytesIO(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        try:
            file = pq.ParquetFile(turned, page_checksum_verification=True)
            silent += not file.read(["name"]).equals(made.units.select(["name"]))
        except (OSError, ValueError):
            pass
    assert silent <= 2
