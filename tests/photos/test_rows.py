"""Names that are put together from the columns of GSV-Cities."""

import pyarrow as pa
import pytest

from geodata.files import FileError
from geodata.photos import rows, sources


def test_a_row_without_its_numbers_has_no_name_and_the_next_has():
    columns = {
        "city_id": ["London", "Paris", "Rome", None, "Oslo"],
        "place_id": [1_234_567, None, 5, 6, 7],
        "year": [2010, 2011, "x", 2012, 2013],
        "month": [3, 4, 5, 6, 7],
        "northdeg": [90, 1, 2, 3, 4],
        "lat": [51.5, 48.8, 41.9, 1.0, 59.9],
        "lon": [-0.1, 2.3, 12.5, 1.0, 10.75],
    }
    texts = {n: pa.array([None if v is None else str(v) for v in c]) for n, c in columns.items()}
    ids = pa.array(["a", "b", "c", "d", None])
    made = pa.table({n if n in ("lat", "lon") else f"_{n}": c for n, c in texts.items()})
    assert rows._gsv_names(made, ids).to_pylist() == [
        "London_0034567_2010_03_090_51.5_-0.1_a.jpg", None, None, None, None
    ]  # fmt: skip
    last = made.slice(4)
    assert rows._gsv_names(last, pa.array(["e"])).to_pylist() == [
        "Oslo_0000007_2013_07_004_59.9_10.75_e.jpg"
    ]
    assert rows._gsv_names(made.slice(2), pa.array(["c", "d", "e"])).to_pylist()[2] is not None


@pytest.mark.parametrize(
    ("names", "given", "said"),
    [
        (["lat", "LAT", "lon"], {}, "a.csv: lat, LAT, lon could all be the coordinates; name them "
         "with lat= and lon= (--lat and --lon)"),
        (["x"], {"author": "y"}, "a.csv: no column 'y' for author; the columns are x"),
        (["a", "b"], {"lat": "a"}, "a.csv: found no longitude column among a, b; expected one "
         "of lat, latitude, gt_lat, lat_pred with its lon; or name them with lat= and lon= (--lat "
         "and --lon)"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_told_name_the_file(names, given, said):
    with pytest.raises(FileError) as told:
        sources._roles("a.csv", names, "csv", given)
    assert str(told.value) == said


def test_roles_are_taken_by_their_usual_names_once():
    names = ["id", "lat", "lon", "author", "taken", "licence", "image"]
    found = sources._roles("a.csv", names, "csv", {})
    assert found["lat"] == "lat"
    assert found["lon"] == "lon"
    assert len(set(found.values())) == len(found)
    assert "image" in found.values()
    assert "image" not in sources._roles("a.csv", names, "mp16", {})
    assert sources._roles("a.csv", names, "mp16", {"image": "image"})["image"] == "image"
    assert sources._roles("a.csv", names, "csv", {"author": "taken"})["author"] == "taken"
    assert "author" not in sources._roles("a.csv", names, "csv", {"author": None})
