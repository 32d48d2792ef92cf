"""Longitudes of any turn are those of the map, and what is no place is refused by its row."""

import numpy as np
import pytest

from geodata.places.places import MAX_KM, _check_max, _checked


def test_longitudes_are_turned_into_the_map_and_those_inside_stay_as_they_are():
    given = np.array([-180.0, 179.999999, 180.0, 180.5, 200.0, 359.0, 360.0, -180.5, -540.0, 725.0])
    want = [-180.0, 179.999999, -180.0, -179.5, -160.0, -1.0, 0.0, 179.5, -180.0, 5.0]
    assert _checked(np.zeros(10), given).tolist() == pytest.approx(want, abs=1e-9)
    for lon in given:
        found = float(_checked(np.zeros(1), np.array([lon]))[0])
        assert -180.0 <= found < 180.0
        assert found == lon or not -180.0 <= lon < 180.0
    tiny = np.array([-180.0 - 1e-14, np.nextafter(-180.0, -181.0), 0.1])
    assert (_checked(np.zeros(3), tiny) < 180.0).all()
    assert _checked(np.empty(0), np.array([999.0])).tolist() == [999.0]
    beside = _checked(np.zeros(4), np.array([200.0, 0.1, -0.1, -179.9]))  # which turning would move
    assert beside.tolist()[1:] == [0.1, -0.1, -179.9]


@pytest.mark.parametrize(
    ("lat", "lon", "row"),
    [
        ([0.0, 90.1], [0.0, 0.0], 1), ([-90.1, 0.0], [0.0, 0.0], 0), ([0.0, np.nan], [0.0, 0.0], 1),
        ([0.0, 0.0], [np.inf, 0.0], 0), ([0.0, 0.0], [0.0, np.nan], 1),
    ],
)  # fmt: skip
def test_a_row_that_is_no_point_is_named(lat, lon, row):
    with pytest.raises(ValueError, match="are not a point on Earth") as told:
        _checked(np.array(lat), np.array(lon))
    assert str(told.value) == (
        f"coordinates ({lat[row]}, {lon[row]}) in row {row} are not a point on Earth: latitude "
        "lies in [-90, 90], longitude is finite; check columns with geodata.coords.arrays"
    )


@pytest.mark.parametrize("lat", [-90.0, 90.0])
def test_the_poles_are_points(lat):
    assert _checked(np.array([lat]), np.array([7.0])).tolist() == [7.0]


@pytest.mark.parametrize("km", [0.0, 1.0, MAX_KM])
def test_distances_that_are_looked_at(km):
    _check_max(km)


@pytest.mark.parametrize("km", [-1e-9, np.nextafter(MAX_KM, 1e9), np.nan, np.inf])
def test_distances_that_are_not(km):
    with pytest.raises(ValueError):
        _check_max(km)
