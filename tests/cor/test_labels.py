"""Chain of Region: the calls a user makes, bad input (R4), and one answer however asked (R5)."""

import dataclasses
import json
import math
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import answers, boundaries, cor
from geodata.cor import labelling
from geodata.cor.naming import Naming, View
from geodata.places.places import Places

from . import spot_check

LABELS = [
    "country",
    "country_code",
    "admin1",
    "admin1_code",
    "admin2",
    "city",
    "city_distance_km",
    "match",
    "offset_km",
    "disputed",
]


def test_a_chain_from_country_to_city():
    chain = cor.label(48.8584, 2.2945)
    assert (chain.country, chain.country_code) == ("France", "FR")
    assert (chain.admin1, chain.admin1_code) == ("Île-de-France", "FR-IDF")
    assert (chain.admin2, chain.city, chain.match) == ("Paris", "Paris", "inside")
    assert 3 < chain.city_distance_km < 5
    assert chain.text() == (
        "Country: France\nState: Île-de-France\nCity: Paris\nCoordinates: (48.858400, 2.294500)"
    )


def test_a_claimants_place_is_a_city_of_its_own_division_only():
    """On the Golan, which no place of Syria is near to here; Tel Qatsir lies below it."""
    lat, lon = [32.6816, 32.7156], [35.6568, 35.6696]
    table = cor.label_table(lat, lon, worldview="il")
    assert table["city"].to_pylist() == ["Fīq", "Fīq"]
    for row, y, x in zip(table.to_pylist(), lat, lon, strict=True):
        chain = cor.label(y, x, worldview="il")
        assert (chain.country_code, chain.city) == (row["country_code"], row["city"])
        assert chain.city_distance_km == row["city_distance_km"]


def test_missing_levels_leave_lines_out():
    vatican = cor.label(41.9022, 12.4539)
    assert (vatican.country_code, vatican.admin1) == ("VA", None)
    assert "State:" not in vatican.text()
    ocean = cor.label(0.0, -20.0)
    assert (ocean.match, ocean.country, ocean.offset_km) == ("none", None, None)
    assert ocean.text() == "Coordinates: (0.000000, -20.000000)"


@pytest.mark.parametrize(
    ("lat", "lon", "own", "sovereign", "admin1_code"),
    [
        (-21.115, 55.536, "RE", "FR", "FR-974"),
        (18.466, -66.106, "PR", "US", "US-PR"),
        (22.294, 114.168, "HK", "CN", "CN-HK"),
        (12.15, -68.27, "BQ", "NL", "NL-BQ1"),  # islands of one code, each a region
        (17.63, -63.24, "BQ", "NL", "NL-BQ2"),
        (17.49, -62.98, "BQ", "NL", "NL-BQ3"),
        (78.22, 15.65, "SJ", "NO", "NO-21"),
        (70.95, -8.65, "SJ", "NO", "NO-22"),
    ],
)
def test_dependencies_are_countries_or_regions_of_their_sovereign(
    lat, lon, own, sovereign, admin1_code
):
    assert cor.label(lat, lon).country_code == own
    chain = cor.label(lat, lon, dependencies="sovereign")
    assert (chain.country_code, chain.admin1_code) == (sovereign, admin1_code)
    (row,) = cor.label_table([lat], [lon], dependencies="sovereign").to_pylist()
    assert (row["country_code"], row["admin1_code"]) == (sovereign, admin1_code)
    assert row["admin1"] == chain.admin1


def test_worldviews_decide_disputed_places_and_claims_are_kept():
    simferopol = cor.label(44.952, 34.102)
    assert (simferopol.country_code, simferopol.disputed) == ("UA", True)
    assert ("ru", "RU") in simferopol.claims
    other = cor.label(44.952, 34.102, worldview="ru")
    assert other.country_code == "RU"
    assert other.admin1_code is None or other.admin1_code.startswith("RU-")
    assert not cor.label(55.7539, 37.6208).disputed


def test_poles_and_the_antimeridian():
    assert cor.label(-90, 0).country_code == "AQ"
    assert cor.label(-90, 0).country_code == cor.label(-90, 123).country_code
    assert cor.label(90, 0).match == "none"
    east, west = cor.label(-16.8, 180), cor.label(-16.8, -180)
    assert east == west
    assert cor.label(66.5, 190).country_code == cor.label(66.5, -170).country_code


def test_off_the_coast_the_nearest_country_within_the_tolerance():
    far = cor.label(36.0, -9.9, max_offset_km=500)
    assert far.match == "nearest"
    assert 0 < far.offset_km < 500
    assert cor.label(36.0, -9.9, max_offset_km=0).match == "none"


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        (91, ValueError),
        (10**400, ValueError),
        (None, TypeError),
        ("48.8", TypeError),
        (b"48.8", TypeError),
        (True, TypeError),
        (np.bool_(True), TypeError),
        (np.datetime64("NaT"), TypeError),
        (datetime(2026, 1, 1), TypeError),
        (np.ma.masked, TypeError),
        ([48.8], TypeError),
        (1 + 2j, TypeError),
    ],
)
def test_r4_a_bad_scalar_is_refused_with_its_value(bad, error):
    with pytest.raises(error) as caught:
        cor.label(bad, 2.0)
    assert "latitude" in str(caught.value)
    with pytest.raises((TypeError, ValueError), match="longitude"):
        cor.label(2.0, bad if bad != 91 else 1e308)


def test_numbers_of_any_kind_are_numbers():
    want = cor.label(48.5, 2.25)
    for kind in (np.float32, np.float64, np.float16, Decimal, np.array):
        assert cor.label(kind(48.5), kind(2.25)) == want
    assert cor.label(np.int8(48), 2).country_code == "FR"


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5)),
    st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5)),
)
def test_r4_any_pair_is_labelled_or_refused(lat, lon):
    def good(value, most):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and abs(value) <= most

    valid = good(lat, 90) and good(lon, 360)
    if valid:
        chain = cor.label(lat, lon)
        assert chain.match in ("inside", "nearest", "none")
        read = answers.parse_strict(chain.text())
        assert abs(read.lat - chain.lat) <= 5.1e-7
        assert abs(read.lon - chain.lon) <= 5.1e-7
    else:
        with pytest.raises((TypeError, ValueError)):
            cor.label(lat, lon)
    row = cor.label_table([lat], [lon]).to_pylist()[0]
    assert (row["match"] == "invalid") == (not valid)
    assert valid or all(row[name] is None for name in LABELS if name not in ("match", "disputed"))


def points(n=3000, seed=5):
    """Places with a spread of some kilometres, anywhere points, and points near borders."""
    rng, places = np.random.default_rng(seed), Places.load()
    pick = rng.integers(0, len(places), n)
    lat = np.r_[places.lat[pick] + rng.normal(0, 0.05, n), rng.uniform(-90, 90, n)]
    lon = np.r_[places.lon[pick] + rng.normal(0, 0.05, n), rng.uniform(-180, 180, n)]
    return np.clip(lat, -90, 90), (lon + 180) % 360 - 180


def as_arrow(frame):
    """A frame comes back as it came; its text may have another width."""
    if isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    elif isinstance(frame, pl.DataFrame):
        frame = frame.to_arrow()
    schema = [
        (f.name, pa.string() if f.name in LABELS[:6] + LABELS[7:8] else f.type)
        for f in frame.schema
    ]
    return frame.cast(pa.schema(schema))


def test_r5_scalar_array_arrow_and_frames_agree():
    lat, lon = points(400)
    arrays = cor.label_table(lat, lon)
    assert arrays.column_names == ["lat", "lon", *LABELS]
    single = [cor.label(y, x) for y, x in zip(lat.tolist(), lon.tolist())]
    for name in LABELS:
        assert arrays[name].to_pylist() == [getattr(chain, name) for chain in single], name
    table = pa.table({"id": pa.array(range(len(lat))), "Latitude": lat, "Longitude": lon})
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7)])
    frames = [table, chunked, pl.from_arrow(table), table.to_pandas(), table.to_reader()]
    frames.append(duckdb.from_arrow(table))
    for frame in frames:
        found = as_arrow(cor.label_table(frame))
        assert found.column_names == ["id", "Latitude", "Longitude", *LABELS]
        assert found.select(LABELS).equals(arrays.select(LABELS))


def test_r5_rows_do_not_depend_on_their_neighbours():
    lat, lon = points(2000)
    whole = cor.label_table(lat, lon)
    parts = [cor.label_table(lat[i : i + 333], lon[i : i + 333]) for i in range(0, len(lat), 333)]
    assert pa.concat_tables(parts).equals(whole)
    back = cor.label_table(lat[::-1], lon[::-1])
    assert back.slice(0, 1).to_pylist()[0] == whole.slice(len(lat) - 1, 1).to_pylist()[0]


def test_bad_rows_are_kept_and_marked():
    values = [48.85, None, math.nan, math.inf, 91.0, 48.85]
    table = pa.table(
        {"lat": values, "lon": [2.29, 2.0, 2.0, 2.0, 2.0, None], "note": list("abcdef")}
    )
    found = cor.label_table(table)
    assert found["match"].to_pylist() == ["inside", *["invalid"] * 5]
    assert found["note"].to_pylist() == list("abcdef")
    assert found["country"].to_pylist() == ["France", *[None] * 5]
    masked = np.ma.array([48.85, 48.85], mask=[False, True])
    assert cor.label_table(masked, [2.29, 2.29])["match"].to_pylist() == ["inside", "invalid"]
    mixed = cor.label_table([48.85, "x", True, b"1", Decimal("48.85")], [2.29] * 5)
    assert mixed["match"].to_pylist() == ["inside", *["invalid"] * 3, "inside"]
    text = cor.label_table(pa.table({"lat": ["48.85"], "lon": ["2.29"]}))
    assert text["match"].to_pylist() == ["inside"]


def test_empty_tables_have_the_same_columns():
    for empty in (cor.label_table([], []), cor.label_table(pa.table({"lat": [], "lon": []}))):
        assert empty.num_rows == 0
        assert empty.schema.equals(cor.label_table([1.0], [1.0]).schema) or empty.column_names


def test_label_columns_are_replaced_not_repeated():
    table = pa.table({"lat": [48.85], "lon": [2.29], "country": ["Narnia"]})
    found = cor.label_table(table)
    assert found.column_names.count("country") == 1
    assert found["country"].to_pylist() == ["France"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: cor.label_table(pa.table({"a": [1]})), ValueError, "no latitude column among a"),
        (lambda: cor.label_table(pa.table({"lat": [1]}), lat="x"), ValueError, "no column 'x'"),
        (lambda: cor.label_table("photos.csv"), TypeError, "expected"),
        (lambda: cor.label_table([1.0], [1.0, 2.0]), ValueError, "equally long"),
        (lambda: cor.label_table(np.ones((1, 1)), [1.0]), ValueError, "one-dimensional"),
        (lambda: cor.label(1, 1, worldview="mars"), ValueError, "worldview 'mars' is unknown"),
        (lambda: cor.label(1, 1, dependencies="x"), ValueError, "choose 'own' or 'sovereign'"),
        (lambda: cor.label(1, 1, max_offset_km=-1), ValueError, "not a distance"),
        (lambda: cor.label(1, 1, max_offset_km=math.inf), ValueError, "inf is not a distance"),
        (lambda: cor.label(1, 1, max_offset_km=math.nan), ValueError, "nan is not a distance"),
        (lambda: cor.label(1, 1, boundaries="nowhere"), ValueError, "no boundary set 'nowhere'"),
    ],
)
def test_mistakes_are_told(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_frames_keep_their_own_types():
    frame = pd.DataFrame({"photo_id": ["007", "1e3"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]})
    assert cor.label_table(frame)["photo_id"].tolist() == ["007", "1e3"]


def test_country_of_the_world_s_places():
    """GeoNames' own country codes are the truth: 99.6% right and 0.05% without any."""
    places = Places.load()
    found = np.asarray(cor.label_table(places.lat, places.lon)["country_code"].to_pylist(), object)
    want = np.asarray(places.countries, object)[places.country]
    assert np.mean(found == want) >= 0.996
    assert np.mean(np.equal(found, None)) <= 0.0005


def test_spots_that_people_know():
    """480 well-known places, over half of them outside Europe and North America."""
    shares = spot_check.shares()
    assert shares["country"] >= 0.99
    assert shares["admin1"] >= 0.95
    assert shares["city"] >= 0.88


def test_every_admin1_lies_in_its_country(figure):
    """R2: parents derive from the leaf, so they never contradict it."""
    lat, lon = points(figure("labelled points", ci=20_000, full=1_000_000))
    found = cor.label_table(lat, lon)
    pairs = set(zip(found["country_code"].to_pylist(), found["admin1_code"].to_pylist()))
    own = {"FR": ("FR", "CP")}
    for country, admin1 in pairs:
        assert admin1 is None or admin1.startswith(own.get(country, (country,))), (country, admin1)


def test_bundled_files_match_their_provenance():
    """R15, R18: what the wheel carries is what was built."""
    assert boundaries.verify_set(boundaries.BUNDLED) == []
    assert Path(boundaries.BUNDLED).is_dir()


def test_a_set_without_claims_names_every_country_as_it_is():
    """As an own file of boundaries may have it: the column is there, its cells are NULL."""
    bundled = boundaries.load()
    table, claims = bundled.countries, bundled.countries.schema.get_field_index("claims")
    empty = pa.nulls(len(table), table.schema.field("claims").type)
    bare = dataclasses.replace(bundled, countries=table.set_column(claims, "claims", empty))
    naming = Naming(bare, View("in", "own", "en"))
    assert naming.shown_codes == naming.codes == table["code"].to_pylist()
    claimed = Naming(bundled, View("in", "own", "en"))
    assert claimed.shown_codes != claimed.codes


@pytest.mark.parametrize("first", [7, 7.0, np.float64(7)])
def test_an_offset_is_recorded_alike_however_it_was_written_first(first):
    """Labellers are kept, and 7 is 7.0: what the first call wrote stood in everybody's records."""
    labelling._labeller.cache_clear()
    for km in (first, 7.0, 7):
        engine = cor.labeller(None, "un", "own", km)
        assert json.dumps(cor.describe(engine)["max_offset_km"]) == "7.0"
