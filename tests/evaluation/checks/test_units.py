"""Which unit coordinates are in that are no degrees, and what is said of it."""

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation.checks import units

from .cases import north, scored

LAT, LON = np.linspace(-50, 61, 12), np.linspace(-150, 160, 12)
METRES = 6378137.0


def mercator(lat):
    return METRES * np.arctanh(np.sin(np.radians(lat)))


READ_AS = {
    "radians": (np.radians(LAT), np.radians(LON)),
    "radians, longitude first,": (np.radians(LON), np.radians(LAT)),
    "degrees, longitude first,": (LON, LAT),
    "degrees x 1e5": (LAT * 1e5, LON * 1e5),
    "degrees x 1e6": (LAT * 1e6, LON * 1e6),
    "degrees x 1e7": (LAT * 1e7, LON * 1e7),
    "EPSG:3857 metres": (mercator(LAT), np.radians(LON) * METRES),
    "EPSG:3857 metres, x first,": (np.radians(LON) * METRES, mercator(LAT)),
}
NONE = np.full(12, np.nan)


@pytest.mark.parametrize("unit", READ_AS)
def test_each_unit_is_known_from_its_numbers(unit):
    assert units._unit((LAT, LON), (NONE, NONE), READ_AS[unit]) == unit
    read = {name: (lat, lon) for name, lat, lon in units._readings(*READ_AS[unit])}
    assert list(read) == list(READ_AS)
    assert np.allclose(read[unit], (LAT, LON), atol=1e-6)


@pytest.mark.parametrize(("km", "unit"), [(999, "radians"), (1001, None)])
def test_a_unit_is_named_within_1000_km(km, unit):
    raw = np.radians(north(LAT, LON, km))
    assert units._unit((LAT, LON), (NONE, NONE), tuple(raw)) == unit


@pytest.mark.parametrize(("km", "unit"), [(499, "radians"), (501, None)])
def test_a_unit_must_halve_the_distance(km, unit):
    raw = np.radians(north(LAT, LON, km))
    assert units._unit((LAT, LON), north(LAT, LON, 1000), tuple(raw)) == unit
    here = np.array([1000.0] * 7 + [np.nan] * 5)
    answers = [np.where(np.isnan(here), np.nan, part) for part in north(LAT, LON, 1000)]
    assert units._unit((LAT, LON), tuple(answers), tuple(raw)) == unit


@pytest.mark.parametrize(
    ("good", "rows_", "unit"), [(4, 4, None), (5, 5, "radians"), (5, 10, "radians"), (5, 11, None)]
)
def test_a_unit_fits_five_rows_and_half_of_them(good, rows_, unit):
    raw = [np.where(np.arange(rows_) < good, np.radians(v[:rows_]), 1e15) for v in (LAT, LON)]
    nothing = NONE[:rows_], NONE[:rows_]
    assert units._unit((LAT[:rows_], LON[:rows_]), nothing, tuple(raw)) == unit


def test_of_two_units_that_fit_alike_the_first_is_named():
    """Where latitude and longitude are one number nothing tells which of them came first."""
    assert units._unit((LAT, LAT), (NONE, NONE), (np.radians(LAT),) * 2) == "radians"


@pytest.mark.parametrize(("more", "unit"), [(5, "radians"), (6, None)])
def test_a_unit_fits_half_of_the_rows_with_a_latitude(more, unit):
    """Rows without a longitude are answers that do not fit, too."""
    truth = np.tile(LAT[:5], 3)[: 5 + more], np.tile(LON[:5], 3)[: 5 + more]
    none = np.full(5 + more, np.nan)
    raw = np.radians(truth[0]), np.where(np.arange(5 + more) < 5, np.radians(truth[1]), np.nan)
    assert units._unit(truth, (none, none), raw) == unit


def test_a_unit_is_known_in_a_file_that_holds_the_truth_too():
    rows_ = {"id": list("abcdefghijkl"), "lat": LAT, "lon": LON}
    table = rows_ | {"pred_lat": np.round(LAT * 1e5), "pred_lon": np.round(LON * 1e5)}
    found = evaluation.evaluate(table, regions=False).findings
    (told,) = [one.message for one in found if one.code == "likely_unit"]
    assert "read as degrees x 1e5" in told


def test_the_unit_is_told_in_these_words():
    truth = {"id": list("abcdefghijkl"), "lat": LAT, "lon": LON}
    told = scored(np.round(LAT * 1e5), np.round(LON * 1e5), truth)
    assert (
        "error: likely_unit: 12 of 12 answers are no places; read as degrees x 1e5 the answers lie "
        "near the truth (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...). "
        "Write latitude and longitude in decimal degrees, latitude first."
    ) in told
    lat, lon = np.tile(LAT, 2), np.tile(LON, 2)
    many = {"id": [str(i) for i in range(24)], "lat": lat, "lon": lon}
    told = scored(np.radians(lat), np.radians(lon), many)
    assert (
        "error: likely_unit: read as radians the answers lie near the truth. "
        "Write latitude and longitude in decimal degrees, latitude first."
    ) in told
    radians = {"id": many["id"], "lat": np.radians(lat), "lon": np.radians(lon)}
    found = evaluation.evaluate(radians, many, regions=False).findings
    assert [one.count for one in found if one.code == "likely_unit"] == [24]


def test_answers_near_null_island_are_not_taken_for_radians():
    """There the truth itself lies within the numbers that radians have."""
    lat, lon = np.linspace(-1.5, 1.5, 24), np.linspace(-3, 3, 24)
    truth = {"id": [str(i) for i in range(24)], "lat": lat, "lon": lon}
    told = scored(np.radians(lat), np.radians(lon), truth)
    assert not [one for one in told if "likely_unit" in one]


def test_places_and_distances_that_are_none_are_told_in_these_words():
    truth = {"id": list("abcdefghijkl"), "lat": LAT, "lon": LON}
    wild = [5000.0 + i**2 for i in range(12)]
    assert (
        "error: mostly_invalid: 12 of 12 answers are no places (rows 1, 2, 3, 4, 5, 6, 7, 8, 9, "
        "10, ...). Write latitude and longitude in decimal degrees, latitude first."
    ) in scored(wild, [None] * 0 + wild, truth)
    table = {"id": truth["id"], "distance_km": [1e6] * 6 + [None] * 2 + [5.0] * 4}
    found = evaluation.evaluate(table, truth, regions=False).findings
    assert (
        "error: mostly_invalid: 6 of 10 answers are no distances (rows 1, 2, 3, 4, 5, 6). "
        "Look at the unit: --distance-unit m."
    ) in [str(one) for one in found]


@pytest.mark.parametrize(("fine", "told"), [(5, True), (6, False)])
def test_rows_without_an_answer_are_no_part_of_those_that_are_mostly_wrong(fine, told):
    """Five distances are beyond the Earth: of ten answers they are half, of eleven they are not."""
    km = [1e6] * 5 + [5.0] * fine + [None] * 9
    ids = [str(i) for i in range(len(km))]
    truth = {"id": ids, "lat": [1.0] * len(km), "lon": [2.0] * len(km)}
    found = evaluation.evaluate({"id": ids, "distance_km": km}, truth, regions=False).findings
    assert ("mostly_invalid" in {one.code for one in found}) == told


def test_distances_that_are_fine_and_words_are_asked_for_no_unit():
    """Words were read as degrees, whatever the numbers in them are."""
    truth = {"id": [str(i) for i in range(24)], "lat": [*LAT, *LAT], "lon": [*LON, *LON]}
    known = {"id": truth["id"], "distance_km": [5.0] * 24}
    words = {"id": truth["id"], "text": [f"({y:.3f}, {x:.3f})" for y, x in zip(
        np.radians(truth["lat"]), np.radians(truth["lon"]), strict=True)]}  # fmt: skip
    for table in (known, words):
        codes = {one.code for one in evaluation.evaluate(table, truth, regions=False).findings}
        assert not codes & {"likely_unit", "mostly_invalid"}
