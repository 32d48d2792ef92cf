"""Columns that are made from the truth's coordinates, each value worked out by hand."""

import pyarrow as pa
import pytest

from geodata.evaluation.scores.counting import breakdowns

PLACES = pa.record_batch({"lat": [48.8584, 48.8584, 35.68], "lon": [2.2945, -130.0, 139.7]})
LABELS = pa.table(
    {
        "country_code": ["FR", None, "JP"],
        "admin1_code": ["FR-IDF", None, None],
        "admin1": ["Île-de-France", None, "Tokyo"],
        "city_distance_km": [4.0, None, 2.5],
    }
)


def test_what_is_asked_for_is_appended_in_its_order():
    wanted = ("town_km", "continent", "admin1", "country")
    found = breakdowns.with_derived(PLACES, wanted, LABELS)
    assert found.column_names == ["lat", "lon", *wanted]
    assert found.drop_columns(["lat", "lon"]).to_pydict() == {
        "town_km": ["2 to 5 km", "over 50 km or none", "2 to 5 km"],
        "continent": ["Europe", None, "Asia"],
        "admin1": ["FR-IDF", None, "Tokyo"],
        "country": ["FR", None, "JP"],
    }
    assert breakdowns.with_derived(PLACES, (), None) == pa.Table.from_batches([PLACES])


def test_cells_are_those_of_resolution_three():
    import h3

    (cell, *_) = breakdowns.with_derived(PLACES, ("h3",), None)["h3"].to_pylist()
    assert cell == "831fb4fffffffff"
    assert h3.get_resolution(cell) == 3
    south, west = h3.cell_to_latlng(cell)
    assert abs(south - 48.8584) < 1
    assert abs(west - 2.2945) < 1.5


def test_each_class_of_distance_holds_its_upper_end():
    edges = {
        "0 to 2 km": [0.0, 1.5, 2.0],
        "2 to 5 km": [2.001, 5.0],
        "5 to 10 km": [5.001, 10.0],
        "10 to 25 km": [10.001, 25.0],
        "25 to 50 km": [25.001, 50.0],
        "over 50 km or none": [50.001, 900.0, None],
    }
    km = pa.chunked_array([[one] for ones in edges.values() for one in ones], pa.float64())
    found = breakdowns._town_classes(km).to_pylist()
    assert found == [name for name, ones in edges.items() for _ in ones]


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        (["h3"], False), ([], False), (["who"], False),
        *[([name], True) for name in ("country", "admin1", "continent", "town_km")],
        (["h3", "who", "country"], True),
    ],
)  # fmt: skip
def test_all_but_cells_are_made_from_labels(wanted, labels):
    assert breakdowns.needs_labels(wanted) is labels
    for name in wanted:
        if labels and name in breakdowns.DERIVED and name != "h3":
            with pytest.raises(ValueError, match=f"'{name}' is made from labels, and none were"):
                breakdowns.with_derived(PLACES, (name,), None)


def test_the_truths_own_columns_go_first():
    assert breakdowns.derived_columns(["h3", "who", "country"], ["who", "country"]) == ("h3",)
    for name in ("country", "admin1", "continent", "h3", "town_km"):
        assert breakdowns.derived_columns([name], ["who"]) == (name,)
    with pytest.raises(
        ValueError,
        match="no column 'city' to break the score down by; the truth has id, who, and country, "
        "admin1, continent, h3, town_km can be made",
    ):
        breakdowns.derived_columns(["who", "city"], ["id", "who"])
