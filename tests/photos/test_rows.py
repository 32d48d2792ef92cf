"""Rows of any source in the one schema, and names put together from columns of GSV-Cities."""

import dataclasses
import math

import h3
import pyarrow as pa
import pytest

from geodata import images, photos
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
        (["lat", "lon", "user", "User"], {}, "a.csv: user, User could all be the author; name one "
         "with author="),
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


# rows of any source in the one schema

RULES = rows.Rules(format="csv", source="here", salt=None, licence=None, images=None,
                   min_image_bytes=0, keep=())  # fmt: skip


def judged(columns, first_row=0, bad=None, table=None, **rules):
    """Return rows of the schema as dictionaries."""
    columns = {"lat": [1.0] * 3, "lon": [2.0] * 3} | columns
    table = pa.table(columns) if table is None else table
    found, beyond = rows.to_schema(table, bad or {}, first_row, dataclasses.replace(RULES, **rules))
    assert found.schema.names[: len(rows.SCHEMA)] == rows.SCHEMA.names
    return found.to_pylist(), beyond


def column(name, columns, **more):
    return [row[name] for row in judged(columns, **more)[0]]


def test_a_row_without_a_name_has_its_number():
    assert column("photo_id", {}, first_row=5) == ["5", "6", "7"]
    assert column("source_row", {"photo_id": list("abc")}, first_row=5) == [5, 6, 7]
    assert column("photo_id", {"image": ["a", " ", None]}) == ["a", None, None]
    assert column("image", {"photo_id": ["a", "b", "c"]}) == ["a", "b", "c"]
    assert column("image", {}) == ["0", "1", "2"]
    assert column("source", {}) == ["here"] * 3


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        ([1.0, float("nan"), 1e15], ["1", None, "1000000000000000"]),
        ([1.5, 2.0, None], ["1.5", "2", None]),
        ([True, False, None], ["true", "false", None]),
        ([" a\t", "\u3000b", "  "], ["a", "b", None]),
        (pa.array(["a ", "b", None], pa.large_string()), ["a", "b", None]),
        (pa.array([7, 8, 9], pa.uint64()), ["7", "8", "9"]),
        (pa.array([b"a", b"", b"b "]), ["a", None, "b"]),
    ],
)
def test_ids_are_text_without_blanks(ids, read):
    assert column("photo_id", {"photo_id": ids}) == read
    assert column("status", {"photo_id": ids}) == ["ok" if one else "no_id" for one in read]
    chunks = pa.chunked_array([pa.array(ids)[:1], pa.array(ids)[1:]])
    assert column("photo_id", {"photo_id": chunks}) == read


def test_a_column_of_lists_is_no_id():
    with pytest.raises(FileError) as told:
        judged({"author": [[1], [2], [3]]})
    said = "the column for author holds list<item: int64>, expected text or numbers"
    assert str(told.value) == said


@pytest.mark.parametrize(
    ("lat", "lon", "why"),
    [
        ("x", "2", "lat x, lon 2"), ("91", "y" * 41, f"lat 91, lon {'y' * 40}"),
        (91.5, 2.0, "lat 91.5, lon 2"), (1.0, float("inf"), "lat 1, lon inf"),
        ([1], 2.0, "lat (list<item: int64>), lon 2"), (True, 2.0, "lat true, lon 2"),
    ],
)  # fmt: skip
def test_what_is_no_position_is_shown(lat, lon, why):
    (row,), _ = judged({"lat": [lat], "lon": [lon]})
    assert (row["status"], row["reason"], row["lat"], row["lon"]) == ("invalid", why, None, None)


def test_reasons_stay_with_their_rows():
    lat = ["1", None, "x", " N/A ", "0", "y", "none", "\\N"]
    lon = ["2", "2", "3", "z", "0", "4", "x", "nan"]
    bad = {5: "damaged"}
    table = pa.table({"lat": lat, "lon": lon})
    found, _ = judged({}, table=table, bad=bad)
    assert [(row["status"], row["reason"]) for row in found] == [
        ("ok", None), ("missing", None), ("invalid", "lat x, lon 3"), ("missing", None),
        ("null_island", None), ("unreadable", "damaged"), ("missing", None), ("missing", None),
    ]  # fmt: skip
    assert [row["lat"] for row in found] == [1.0] + [None] * 7
    assert [row["h3_5"] is None for row in found] == [False] + [True] * 7


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("word", ["", " NaN ", "NULL", "None", "na", "N/A", "\\N"])
def test_words_for_nothing_are_missing(word, kind):
    for lat, lon in ((word, "1"), ("1", word), (None, "1")):
        table = pa.table({"lat": pa.array([lat], kind), "lon": pa.array([lon], kind)})
        (row,), _ = judged({}, table=table)
        assert (row["status"], row["reason"]) == ("missing", None)


def test_of_several_faults_the_first_counts():
    given = {"status": ["missing", None, "unreadable"], "reason": ["no tags", "x", None]}
    found, _ = judged({"photo_id": ["a", None, None], "lat": [1.0, 95.0, 1.0], **given})
    assert [(row["status"], row["reason"], row["lat"]) for row in found] == [
        ("missing", "no tags", None), ("invalid", "lat 95, lon 2", None),
        ("unreadable", None, None),
    ]  # fmt: skip
    found, _ = judged({"photo_id": ["a", None, "c"], "_marker": ["1", "1", "0"]})
    assert [row["status"] for row in found] == ["video", "no_id", "ok"]
    assert [row["lat"] for row in found] == [1.0] * 3
    assert column("status", {"_marker": ["1", None, "2"], "lat": [0.0, 1.0, 1.0],
                             "lon": [0.0, 1.0, 1.0]}) == ["null_island", "ok", "ok"]  # fmt: skip


@pytest.mark.parametrize(
    ("lat", "beyond"),
    [
        ([90.0, 90.5, -91.0], 2), ([90, -90, 91], 1), (["95", "x", "1"], 1), ([None, 95.0, 1.0], 1),
        ([float("inf"), float("nan"), -300.0], 1), ([True, False, True], 0), ([[99], [99], [1]], 0),
    ],
)  # fmt: skip
def test_numbers_beyond_the_poles_are_counted(lat, beyond):
    assert judged({"lat": lat})[1] == beyond


def test_the_licence_of_a_row_counts_before_the_one_that_is_given():
    assert column("licence", {}) == [None] * 3
    assert column("licence", {}, licence="CC0") == ["CC0"] * 3
    own = {"licence": ["BY", None, ""]}
    assert column("licence", own) == ["BY", None, None]
    assert column("licence", own, licence="CC0") == ["BY", "CC0", "CC0"]


@pytest.mark.parametrize(
    ("format_", "columns", "names"),
    [
        ("osv5m", {}, ["a.jpg", "b.jpg", None]),
        ("osv5m", {"image": ["x", None, "z"]}, ["x", None, "z"]),
        ("yfcc100m", {"_ext": ["jpg", "png", "jpg"]}, ["a", "b", None]),
        ("csv", {"_ext": ["jpg", "png", "jpg"]}, ["a", "b", None]),
        ("gsv-cities", {"image": ["x", "y", "z"]}, ["x", "y", "z"]),
    ],
)
def test_a_picture_is_sought_by_the_name_of_its_format(format_, columns, names):
    assert column("image", {"photo_id": ["a", "b", None], **columns}, format=format_) == names


def test_pictures_of_yfcc_have_its_ending_where_there_are_pictures(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x" * 9)
    (tmp_path / "u.jpg").write_bytes(b"x")
    places = images.open_images(tmp_path)
    own = {"photo_id": ["a", "b", "c"], "image": ["u.jpg", "u.jpg", "u.jpg"]}
    ext = {"_ext": ["jpg", "jpg", "jpg"]}
    found, _ = judged(own | ext, format="yfcc100m", images=places)
    assert [row["image"] for row in found] == [str(tmp_path / "a.jpg"), None, None]
    assert [row["status"] for row in found] == ["ok", "image_missing", "image_missing"]
    for format_, more in (("csv", ext), ("yfcc100m", {})):
        found, _ = judged(own | more, format=format_, images=places)
        assert [row["image"] for row in found] == [str(tmp_path / "u.jpg")] * 3


def test_a_picture_below_the_least_size_is_unavailable(tmp_path):
    for name, size in (("a.jpg", 5119), ("b.jpg", 5120), ("c.jpg", 0)):
        (tmp_path / name).write_bytes(b"x" * size)
    ids = {"photo_id": ["a.jpg", "b.jpg", "c.jpg"]}
    places = images.open_images(tmp_path)
    found, _ = judged(ids, images=places, min_image_bytes=5120)
    assert [(row["status"], row["reason"]) for row in found] == [
        ("photo_unavailable", "the picture has 5119 bytes"), ("ok", None),
        ("photo_unavailable", "the picture has 0 bytes"),
    ]  # fmt: skip
    assert column("status", ids, images=places) == ["ok"] * 3
    url = images.open_images("https://example.org/a")
    found, _ = judged(ids | {"photo_id": ["a.jpg", None, "c.jpg"]}, images=url,
                      min_image_bytes=5120)  # fmt: skip
    assert [row["status"] for row in found] == ["ok", "no_id", "ok"]
    assert found[1]["image"] is None


def test_kept_columns_follow_in_their_order_as_they_are():
    table = pa.table({"lat": [1.0], "lon": [2.0], "b": [b"x"], "a": [[1]]})
    found, _ = rows.to_schema(table, {}, 0, dataclasses.replace(RULES, keep=("b", "a")))
    assert found.schema.names == [*rows.SCHEMA.names, "b", "a"]
    assert found.select(["b", "a"]).to_pylist() == [{"b": b"x", "a": [1]}]


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (pa.array([1337361073.5]), "2012-05-18T17:11:13Z"),
        (pa.array([1337361073], pa.timestamp("s")), "2012-05-18T17:11:13"),
        (pa.array([1337361073], pa.timestamp("s", "UTC")), "2012-05-18T17:11:13Z"),
        (pa.array([15478], pa.date32()), "2012-05-18"),
    ],
)  # fmt: skip
def test_times_of_any_type_become_text(times, told):
    (row,) = next(
        photos.read(pa.table({"lat": [1.0], "lon": [2.0], "taken_at": times}))
    ).to_pylist()
    assert row["taken_at"] == told


@pytest.mark.parametrize(
    ("lat", "lon", "status"),
    [(0.0, 0.0, "null_island"), (48.5, 0.0, "ok"), (0.0, 9.5, "ok"), (0.0, 1e-9, "ok"),
     (float("nan"), 2.0, "missing"), (1.0, float("nan"), "missing")],
)  # fmt: skip
def test_a_row_has_a_place_unless_both_are_zero_or_one_is_missing(lat, lon, status):
    (row,) = next(photos.read(pa.table({"lat": [lat], "lon": [lon]}))).to_pylist()
    assert row["status"] == status


def test_a_row_has_its_own_cells_and_vector_beside_rows_without_a_place():
    lat, lon = [None, 48.8584, 91.0, -33.86, 0.0, 5.5], [1.0, 2.2945, 0.0, 151.2, 0.0, None]
    found, _ = judged({"lat": lat, "lon": lon})
    assert [row["h3_5"] is not None for row in found] == [False, True, False, True, False, False]
    for row in (found[1], found[3]):
        for resolution in (3, 5):
            cell = h3.latlng_to_cell(row["lat"], row["lon"], resolution)
            assert row[f"h3_{resolution}"] == h3.str_to_int(cell)
        y, x = math.radians(row["lat"]), math.radians(row["lon"])
        assert (row["x"], row["y"], row["z"]) == pytest.approx(
            (math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y))
        )
