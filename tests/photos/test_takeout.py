"""What the JSON of Google Takeout beside a picture says, and which JSON is its own."""

import json

import pytest
from PIL import Image

from geodata.photos.formats import takeout

TIME = {"photoTakenTime": {"timestamp": "1529913600"}}
WHEN = "2018-06-25T08:00:00Z"
PLACE = {"latitude": 48.9, "longitude": 2.3}


def said(tmp_path, document):
    (tmp_path / "a.jpg").touch()
    text = document if isinstance(document, str) else json.dumps(document)
    (tmp_path / "a.jpg.json").write_text(text)
    return takeout._said(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (TIME, {"taken_at": WHEN}),
        ({"geoData": PLACE}, {"lat": 48.9, "lon": 2.3, "taken_at": None}),
        (TIME | {"geoData": PLACE}, {"lat": 48.9, "lon": 2.3, "taken_at": WHEN}),
        (TIME | {"geoDataExif": PLACE}, {"lat": 48.9, "lon": 2.3, "taken_at": WHEN}),
        ({"geoDataExif": PLACE}, None), ({"title": "a.jpg"}, None), ([TIME], None), ("{", None),
        ("[" * 100_000, None),
        (TIME | {"geoDataExif": {"latitude": 0, "longitude": 0.0}, "geoData": PLACE},
         {"lat": 48.9, "lon": 2.3, "taken_at": WHEN}),
        (TIME | {"geoDataExif": {"latitude": "1", "longitude": 1}, "geoData": PLACE},
         {"lat": 48.9, "lon": 2.3, "taken_at": WHEN}),
        (TIME | {"geoDataExif": {"latitude": 1}, "geoData": PLACE},
         {"lat": 48.9, "lon": 2.3, "taken_at": WHEN}),
        (TIME | {"geoDataExif": {"latitude": 1, "longitude": 2}, "geoData": PLACE},
         {"lat": 1.0, "lon": 2.0, "taken_at": WHEN}),
        (TIME | {"geoData": [1]}, {"taken_at": WHEN}),
        (TIME | {"geoData": {"latitude": 0, "longitude": 5}},
         {"lat": 0.0, "lon": 5.0, "taken_at": WHEN}),
        (TIME | {"geoData": {"latitude": 5, "longitude": 0}},
         {"lat": 5.0, "lon": 0.0, "taken_at": WHEN}),
        ({"photoTakenTime": [1]}, {"taken_at": None}),
        ({"photoTakenTime": {"timestamp": "soon"}}, {"taken_at": None}),
        ({"photoTakenTime": {"timestamp": 10**30}}, {"taken_at": None}),
        ({"photoTakenTime": {"timestamp": 1}}, {"taken_at": "1970-01-01T00:00:01Z"}),
    ],
)  # fmt: skip
def test_place_and_time(tmp_path, document, found):
    assert said(tmp_path, document) == found


def test_a_file_of_more_than_a_megabyte_says_nothing(tmp_path):
    assert said(tmp_path, json.dumps(TIME) + " " * (1 << 20)) == {"taken_at": WHEN}
    assert said(tmp_path, " " * ((1 << 20) - 3) + json.dumps(TIME)) is None


def test_a_new_file_is_seen_and_an_old_one_is_not_looked_for_again(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert takeout._said(tmp_path / "a.jpg") is None
    (tmp_path / "A.JPG").touch()
    (tmp_path / "A.JPG.JSON").touch()  # ends in capitals, and is no name that Takeout gives
    assert takeout._said(tmp_path / "A.JPG") is None
    assert said(tmp_path, TIME) == {"taken_at": WHEN}


WHOLE = "b" * 30 + ".jpg.supplemental-metadata"  # of 56 letters
LONG = "c" * 60 + ".jpg"


@pytest.mark.parametrize(
    ("picture", "name", "found"),
    [
        ("a.jpg", "a.jpg.json", True), ("a.jpg", "a.jpg.supplemental-metadata.json", True),
        ("a(1).jpg", "a.jpg(1).json", True), ("a(1).jpg", "a(1).jpg.json", False),
        ("a(12).jpg", "a.jpg.supplemental-metadata(12).json", True),
        ("a(1).jpg", "a.jpg.json", False),
        ("a-edited.jpg", "a.jpg.json", True), ("a-edited.jpg", "a-edited.jpg.json", True),
        ("a-edited(2).jpg", "a.jpg(2).json", True), ("a.b.jpg", "a.b.jpg.json", True),
        ("a", "a.json", False), ("(1).jpg", "(1).jpg.json", True),
        ("b" * 30 + ".jpg", f"{WHOLE[:46]}.json", True),
        ("b" * 30 + ".jpg", f"{WHOLE[:39]}.json", True),
        ("b" * 30 + ".jpg", f"{WHOLE[:38]}.json", False),
        ("b" * 30 + ".jpg", f"{WHOLE[:55]}.json", True),
        ("b" * 30 + "(3).jpg", f"{WHOLE[:44]}(3).json", True),
        ("b" * 30 + "(3).jpg", f"{WHOLE[:44]}.json", False),
        (LONG, f"{LONG[:46]}.json", True),
        ("d" * 20 + ".jpg", ("d" * 20 + ".jpg.supplemental-metadata")[:45] + ".json", False),
        ("d" * 21 + ".jpg", ("d" * 21 + ".jpg.supplemental-metadata")[:46] + ".json", True),
    ],
)  # fmt: skip
def test_the_json_of_a_picture(picture, name, found):
    assert takeout._sidecar(picture, frozenset([name])) == (name if found else None)


def test_of_two_files_the_plain_and_the_longer_one_counts():
    both = frozenset(["a-edited.jpg.json", "a.jpg.json", "a.jpg.supplemental-metadata.json"])
    assert takeout._sidecar("a.jpg", both) == "a.jpg.json"
    assert takeout._sidecar("a-edited.jpg", both) == "a-edited.jpg.json"
    cut = frozenset([f"{WHOLE[:40]}.json", f"{WHOLE[:44]}.json"])
    assert takeout._sidecar("b" * 30 + ".jpg", cut) == f"{WHOLE[:44]}.json"


def test_the_picture_counts_before_the_json(tmp_path):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}
    exif[0x8769] = {0x9003: "2001:02:03 04:05:06"}
    bad = Image.Exif()
    bad[0x8825] = {1: "N", 2: (1.0, 75.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}
    for name, tags in (("a", exif), ("b", Image.Exif()), ("c", bad), ("d", Image.Exif())):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.jpg", exif=tags)
        place = {} if name == "d" else {"geoData": PLACE}
        (tmp_path / f"{name}.jpg.json").write_text(json.dumps(TIME | place))
    (batch,) = takeout.takeout_batches(tmp_path, ["Model"])
    a, b, c, d = batch.table.to_pylist()
    assert (a["lat"], a["lon"], a["taken_at"], a["status"]) == (
        1.0,
        2.0,
        "2001:02:03 04:05:06",
        None,
    )
    assert (b["lat"], b["lon"], b["taken_at"], b["status"]) == (48.9, 2.3, WHEN, None)
    assert (b["reason"], b["Model"]) == (None, None)
    assert (c["lat"], c["status"], c["taken_at"]) == (None, "invalid", WHEN)
    assert (d["lat"], d["status"], d["taken_at"]) == (None, "missing", WHEN)


@pytest.mark.parametrize(("at", "told"), [(0, True), (199, True), (200, False)])
def test_the_first_two_hundred_pictures_tell(tmp_path, at, told):
    for i in range(210):
        (tmp_path / f"{i:03}.jpg").touch()
    assert not takeout.is_takeout(tmp_path)
    (tmp_path / f"{at:03}.jpg.json").write_text(json.dumps(TIME))
    assert takeout.is_takeout(tmp_path) is told
