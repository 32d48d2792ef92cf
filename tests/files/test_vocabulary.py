"""Words that people name columns with, one by one, and which of two counts."""

import pytest

from geodata import files

ROLES = {
    "pred": "predictions prediction predicted predict preds pred estimated estimate est guess hat "
    "parsed answer output model response result final ypred yhat revised refined best",
    "truth": "groundtruth ground_truth truth true gt target labels label actual reference ref gold "
    "real doc",
    "plain": "coordinates coordinate coords coord location loc geo gps degrees degree deg wgs84 "
    "image img photo point position pos geometry geom wkt wkb",
}
AXES = [("latitude", "longitude"), ("latitudes", "longitudes"), ("lat", "lng"), ("lats", "lons"),
        ("lat", "long"), ("lat", "longs"), ("lat", "lon")]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "role"),
    [(word, role) for role, words in ROLES.items() for word in words.split()],
)
def test_a_word_says_whose_a_coordinate_is(word, role):
    for name in (f"{word}_lat", f"lat_{word}", f"{word.title()}Lat", f"{word}.lat", f"{word}2_lat"):
        assert files.axis_of(name)[:2] == ("lat", role), name
    assert files.find_pair([f"{word}_lat", f"{word}_lon"], (role,), "t") == (
        f"{word}_lat", f"{word}_lon"
    )  # fmt: skip
    assert files.axis_of(f"{word}_lon")[:2] == ("lon", role)


@pytest.mark.parametrize(("lat", "lon"), AXES)
def test_an_axis_has_its_names(lat, lon):
    assert (files.axis_of(lat), files.axis_of(lon.upper())) == (
        ("lat", "plain", ""), ("lon", "plain", ""),
    )  # fmt: skip
    assert files.coordinate_columns(["id", lon, lat]) == (lat, lon)


USUAL = {
    "ID_NAMES": "custom_id photo_id img_id image_id id sample_id item_id question_id qid key "
    "pano_id place_id uuid uid",
    "IMAGE_NAMES": "image img photo image_name img_name photo_name filename image_file image_path "
    "img_path photo_path filepath path file image_url url download_url",
    "AUTHOR_NAMES": "author author_id photographer user_id user user_nsid nsid owner uploader "
    "creator_id uid",
    "TIME_NAMES": "taken_at captured_at date_taken timestamp datetime",
    "LICENCE_NAMES": "licence license license_name licence_name",
}
"""From the most trusted to the least."""


@pytest.mark.parametrize("what", USUAL)
def test_usual_names_are_known_and_of_two_the_more_trusted_counts(what):
    names, known = USUAL[what].split(), getattr(files, what)
    for name in names:
        assert files.find_named(["other", name.upper()], known, "it", "t") == name.upper()
    for i, name in enumerate(names):
        assert files.find_named([*reversed(names[i:])], known, "it", "t") == name


@pytest.mark.parametrize(
    ("level", "names"),
    [("country", "country country_name"), ("admin1", "admin1 state region province"),
     ("city", "city city_name town")],
)  # fmt: skip
def test_a_region_has_its_names(level, names):
    found = names.split()
    for i, name in enumerate(found):
        asked = [*reversed(found[i:])]
        assert files.find_named(asked, files.REGION_NAMES[level], level, "t") == name
