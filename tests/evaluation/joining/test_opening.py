"""Which column is what, from the names alone and from what the caller says."""

import pytest

from geodata.evaluation.joining.sides import read_predictions, read_truth
from geodata.evaluation.joining.sides.joined import Predictions
from geodata.files import FileError


def table(*names):
    return {name: ["1", "2"] for name in names}


def found(opened):
    """Return (id, lat, lon, text, words beside, regions, distance) as one line."""
    c = opened.columns
    regions = " ".join(f"{level}={name}" for level, name in c.regions)
    distance = opened.distance and f"{opened.distance.name}:{opened.distance.unit}"
    parts = (c.id, c.lat, c.lon, c.text, opened.checked_text, regions, distance)
    return " ".join(part or "." for part in parts)


@pytest.mark.parametrize(
    ("names", "said", "line"),
    [
        ("id lat lon", {}, "id lat lon . . . ."),
        ("id lat lon lat_pred lon_pred", {}, "id lat_pred lon_pred . . . ."),
        ("id lat lon response", {}, "id lat lon . response . ."),
        ("id response", {}, "id . . response . . ."),
        ("id response lat lon", {"text": "response"}, "id . . response . . ."),
        (
            "id response lat lon note",
            {"text": "note", "lat": "lat", "lon": "lon"},
            "id lat lon . note . .",
        ),
        ("id note country", {"text": "note"}, "id . . note . . ."),
        ("id lat lon country city", {}, "id lat lon . . country=country city=city ."),
        ("id country state", {}, "id . . . . country=country admin1=state ."),
        ("id town", {}, "id . . . . city=town ."),
        ("id pred_country country", {}, "id . . . . country=pred_country ."),
        ("id city_predicted", {}, "id . . . . city=city_predicted ."),
        ("id predicted_state city", {}, "id . . . . admin1=predicted_state city=city ."),
        ("id country response", {}, "id . . response . . ."),
        ("id state error_km", {}, "id . . . . . error_km:km"),
        ("id error_m", {}, "id . . . . . error_m:m"),
        ("id error_m", {"distance_unit": "mi"}, "id . . . . . error_m:mi"),
        ("id lat lon error_km", {}, "id lat lon . . . ."),
        ("id lat lon error_km", {"distance_column": "error_km"}, "id . . . . . error_km:km"),
        (
            "id y1 x1 error_km",
            {"distance_column": "error_km", "lat": "y1", "lon": "x1"},
            "id y1 x1 . . . .",
        ),
        (
            "id response error_km",
            {"distance_column": "error_km", "text": "response"},
            "id . . response . . .",
        ),
        ("key who lat lon", {"id": "who"}, "who lat lon . . . ."),
        ("image prediction lat lon", {}, "image lat lon . prediction . ."),
        ("meta.id lat lon", {}, "meta.id lat lon . . . ."),
        ("id out.response", {}, "id . . out.response . . ."),
        ("answer lat lon", {"id": "answer"}, "answer lat lon . . . ."),
        ("id response gt_lat gt_lon true_lat true_lon", {}, "id . . response . . ."),
        ("id output result", {"lat": "output", "lon": "result"}, "id output result . . . ."),
    ],
)
def test_columns_of_predictions(names, said, line):
    assert found(read_predictions(table(*names.split()), **said)) == line


@pytest.mark.parametrize(
    ("names", "said", "line", "true"),
    [
        ("id lat lon lat_pred lon_pred", {}, "id lat_pred lon_pred . . . .", "id lat lon"),
        ("id gt_lat gt_lon lat lon", {}, "id lat lon . . . .", "id gt_lat gt_lon"),
        ("id gt_lat gt_lon lat lon lat_pred lon_pred", {}, "id lat_pred lon_pred . . . .",
         "id gt_lat gt_lon lat lon"),
        ("id lat lon response", {}, "id . . response . . .", "id lat lon"),
        ("lat lon lat_pred lon_pred who", {}, ". lat_pred lon_pred . . . .", ". lat lon who"),
        ("id lat lon country pred_city city", {}, "id . . . . city=pred_city .",
         "id lat lon country city"),
        ("id lat lon pred_country city lat_pred lon_pred", {},
         "id lat_pred lon_pred . . country=pred_country .", "id lat lon city"),
        ("id lat lon error_km", {}, "id . . . . . error_km:km", "id lat lon"),
        ("error_km who", {}, ". . . . . . error_km:km", ". . . who"),
        ("id error_km who", {}, "id . . . . . error_km:km", "id . . who"),
    ],
)  # fmt: skip
def test_columns_of_one_file_that_holds_both(names, said, line, true):
    predictions = read_predictions(table(*names.split()), with_truth=True, **said)
    assert found(predictions) == line
    truth = read_truth(None, predictions=predictions)
    columns = truth.columns
    shown = [columns.id or ".", columns.lat or ".", columns.lon or ".", *truth.extras]
    assert " ".join(shown) == true
    assert truth.source is predictions.source


def test_columns_of_the_truth():
    names = ("key", "north", "east", "id", "lat", "lon", "who")
    truth = read_truth(table(*names))
    assert (truth.columns.used(), truth.extras) == (
        ["id", "lat", "lon"], ("key", "north", "east", "who")
    )  # fmt: skip
    truth = read_truth(table(*names), id="key", lat="north", lon="east")
    assert (truth.columns.used(), truth.extras) == (
        ["key", "north", "east"], ("id", "lat", "lon", "who")
    )  # fmt: skip
    assert read_truth(table("id", "lat", "lon", "gt_lat", "gt_lon")).columns.lat == "gt_lat"


def test_columns_that_a_score_needs_each_once():
    opened = read_predictions(table("id", "lat", "lon", "response", "country", "note"))
    assert opened.used() == ["id", "lat", "lon", "country"]
    assert read_predictions(table("id", "response", "x")).used() == ["id", "response"]
    errors = read_predictions(table("id", "error_km", "x"))
    assert errors.used() == ["id", "error_km"]
    same = read_predictions(table("error_km"), id="error_km", distance_column="error_km")
    assert same.used() == ["error_km"]
    assert isinstance(same, Predictions)


@pytest.mark.parametrize(
    ("names", "said", "message"),
    [
        ("lat lon", {}, "found no id column (name it: --pred-id, pred_id=) among"),
        ("a.id b.id lat lon", {}, "found no id column"),
        ("id note", {}, "found no predicted latitude and longitude, nor a text column, nor country "
         "and city, among the columns 'id', 'note'"),
        ("id state", {}, "found no predicted latitude"),
        ("id lat lon", {"lat": "lat"}, "name both lat= and lon=, got 'lat' and None"),
        ("id lat lon", {"lon": "lon"}, "name both lat= and lon=, got None and 'lon'"),
        ("id lat lon", {"lat": "lat", "lon": "x"}, "no column 'x' for lon"),
        ("id lat lon", {"lat": "y", "lon": "lon"}, "no column 'y' for lat"),
        ("id lat lon", {"text": "words"}, "no column 'words' for text"),
        ("id lat lon", {"id": "key"}, "no column 'key' for id"),
        ("id lat lon", {"distance_column": "km"}, "no column 'km' for distance_column"),
        ("id lat lon", {"distance_unit": "ft"}, "distance_unit 'ft' is unknown"),
    ],
)  # fmt: skip
def test_predictions_that_cannot_be_read(names, said, message):
    with pytest.raises(ValueError) as told:
        read_predictions(table(*names.split()), **said)
    assert message in str(told.value)
    assert isinstance(told.value, FileError) == ("distance_unit" not in said)


def test_a_truth_that_cannot_be_read():
    with pytest.raises(FileError, match=r"truth: found no id column \(name it: --id, id=\) among"):
        read_truth(table("lat", "lon"))
    with pytest.raises(FileError) as told:
        read_truth(table("id", "note"))
    assert str(told.value) == (
        "truth: found no true latitude and longitude among the columns 'id', 'note'"
    )
    alone = read_predictions(table("id", "lat", "lon"))
    with pytest.raises(FileError) as told:
        read_truth(None, predictions=alone)
    assert str(told.value) == (
        "predictions: found no true latitude and longitude among the columns 'id'; name the file "
        "that holds the truth: --truth (truth=)"
    )


def test_format_and_encoding_are_handed_on(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_bytes("id,lat,lon,café\n1,2,3,é\n".encode("latin-1"))
    for read in (read_predictions, read_truth):
        opened = read(path, format="csv", encoding="latin-1")
        assert opened.source.columns == ("id", "lat", "lon", "café")
        with pytest.raises(FileError):
            read(path, encoding="latin-1")
        with pytest.raises(FileError, match="UTF-8"):
            read(path, format="csv")
