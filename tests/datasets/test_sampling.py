"""What recipes share, and rand: every choice against the same choice in plain Python."""

import types
from collections import Counter

import h3
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import datasets, hashing, tables
from geodata.datasets.recipes import rand as sample, sampling


@pytest.fixture
def rows(tmp_path):
    """Six rows in three files, opened."""
    table = pa.table({"photo_id": list("abcdef"), "lat": [1.0, 2, None, 4, 5, 6],
                      "lon": [1.0] * 6})  # fmt: skip
    tables.write(tmp_path / "photos", table, file_rows=2)
    return tables.open_input(tmp_path, "rows", "photos")


def mask(*places, of=6):
    return np.isin(np.arange(of), places)


def test_rows_of_a_mask_come_file_by_file(rows):
    def parts(*places):
        return [t["photo_id"].to_pylist() for t in sampling.where(rows, mask(*places))]

    assert parts() == []
    assert parts(0, 1, 4) == [["a", "b"], ["e"]]
    assert parts(3) == [["d"]]
    made = sampling.chosen(rows, mask(1, 5), {"a": 1}, empty="none of them")
    assert (made.rows, made.report, made.empty) == (2, {"a": 1}, "none of them")
    assert made.keep.tolist() == mask(1, 5).tolist()
    assert made.schema.names == ["photo_id", "lat", "lon"]
    assert [t["photo_id"].to_pylist() for t in made.batches] == [["b"], ["f"]]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12), st.integers(0, 12))
def test_the_smallest_keys_are_chosen(pairs, n):
    key = np.array([k for k, _ in pairs], np.uint64)
    among = np.array([b for _, b in pairs], bool)
    table = pa.table({"photo_id": ["same"] * len(pairs), "x": np.arange(len(pairs))})
    source = types.SimpleNamespace(
        table=types.SimpleNamespace(rows=len(pairs)), batches=lambda: iter([table])
    )
    content = hashing.sampling_keys(table, 3, table.column_names).tolist()
    ranked = sorted(np.flatnonzero(among), key=lambda i: (key[i], content[i]))
    got = sampling.smallest(source, key, among, n, 3)
    assert np.flatnonzero(got).tolist() == sorted(ranked[:n])


def test_rows_with_one_key_are_chosen_by_their_content_over_files(rows):
    key, among = np.full(6, 9, np.uint64), mask(1, 2, 3, 5)
    table = rows.table.arrow()
    content = hashing.sampling_keys(table, 5, table.column_names).tolist()
    ranked = sorted([1, 2, 3, 5], key=lambda i: content[i])
    for n in range(5):
        got = sampling.smallest(rows, key, among, n, 5)
        assert np.flatnonzero(got).tolist() == sorted(ranked[:n])


def test_of_rows_that_are_equal_in_all_the_first_are_chosen(tmp_path):
    table = pa.table({"photo_id": ["a"] * 900, "x": [i * 7 % 5 for i in range(900)]})
    tables.write(tmp_path / "same", table)
    source = tables.open_input(tmp_path, "rows", "same")
    content = hashing.sampling_keys(table, 0, table.column_names).tolist()
    got = sampling.smallest(source, np.zeros(900, np.uint64), np.ones(900, bool), 400, 0)
    expected = sorted(range(900), key=content.__getitem__)[:400]
    assert np.flatnonzero(got).tolist() == sorted(expected)


@pytest.mark.parametrize(
    ("n", "there", "taken"), [(None, 7, 7), (1, 7, 1), (7, 7, 7), (None, 0, 0), (1, 0, 0)],
)  # fmt: skip
def test_a_count_that_can_be(n, there, taken):
    assert sampling.check_count(n, there, "are there") == taken


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (0, "n=0 must be a whole number above 0"),
        (-3, "n=-3 must be a whole number above 0"),
        (True, "n=True must be a whole number above 0"),
        (2.0, r"n=2\.0 must be a whole number above 0"),
        ("3", "n='3' must be a whole number above 0"),
        (1001, r"n=1,001 rows are wanted, 1,000 are there; choose n=1000 \(-n 1000\) or fewer"),
    ],
)
def test_a_count_that_cannot_be(n, message):
    with pytest.raises(datasets.DatasetError, match=message):
        sampling.check_count(n, 1000, "are there")


def usable(folder, **columns):
    rows = {"photo_id": list("abcd"), "lat": [1.0, 2.0, None, 4.0], "lon": [1.0] * 4}
    tables.write(folder / "photos", pa.table(rows | columns))
    source = tables.open_input(folder, "rows", "photos")
    ((points, fit, table),) = sampling.usable_points(source, ["photo_id"])
    assert points.valid.tolist() == [True, True, False, True]
    return fit.tolist(), set(table.column_names)


@pytest.mark.parametrize(
    ("status", "fit"),
    [
        (["ok", "photo_unavailable", "missing", None], [True, False, False, True]),
        (["invalid", "a word of mine", "ok", "missing"], [False, True, False, False]),
        ([1, 2, 3, 4], [True, True, False, True]),  # another column of that name
    ],
)
def test_rows_that_the_import_refused_cannot_be_used(tmp_path, status, fit):
    got, names = usable(tmp_path, status=status)
    assert got == fit
    assert names == {"lat", "lon", "photo_id", "status"}


def test_without_a_status_every_place_can_be_used(tmp_path):
    assert usable(tmp_path) == ([True, True, False, True], {"lat", "lon", "photo_id"})


def test_what_is_left_out_is_counted_once():
    valid, fit = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 0, 0, 0], bool)
    assert sampling.left_out(valid, fit) == {
        "rows_in": 5, "without_valid_coordinates": 2, "with_another_status_than_ok": 2,
    }  # fmt: skip


def test_cells_are_those_of_h3():
    lat, lon = np.array([48.9, -33.9, 0.0]), np.array([2.3, 151.2, -179.9])
    for resolution in (None, 0, 9):
        given_ = () if resolution is None else (resolution,)
        known = [h3.str_to_int(h3.latlng_to_cell(a, o, 5 if resolution is None else resolution))
                 for a, o in zip(lat, lon, strict=True)]  # fmt: skip
        got = sampling.cells_of(lat, lon, *given_)
        assert (got.dtype, got.tolist()) == (np.int64, known)


def test_cells_count_as_stored_where_they_are_numbers():
    assert sampling.has_cells(pa.table({"h3_5": [1]}))
    assert not sampling.has_cells(pa.table({"h3_5": ["85283473fffffff"]}))
    assert not sampling.has_cells(pa.table({"h3_3": [1]}))


# rand


@given(st.lists(st.lists(st.sampled_from([None, "b", "a", "ä", ""]), max_size=5), min_size=1))
def test_codes_are_ranks_with_null_last(parts):
    column = pa.chunked_array([pa.array(p, pa.string()) for p in parts], pa.string())
    values = column.to_pylist()
    ranked = sorted({v for v in values if v is not None}, key=str.encode)
    expected = [len(ranked) if v is None else ranked.index(v) for v in values]
    assert sample._codes(column).tolist() == expected
    assert sample._codes(column.dictionary_encode()).tolist() == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8).filter(any), st.floats(0, 1))
def test_shares_are_those_of_largest_remainders_and_of_one_by_one(sizes, share):
    n, total = max(1, int(share * sum(sizes))), sum(sizes)
    exact = [s * n // total for s in sizes]
    order = sorted(range(len(sizes)), key=lambda i: (-(sizes[i] * n % total), i))
    for i in order[: n - sum(exact)]:
        exact[i] += 1
    assert sample._allocated(np.array(sizes), n, "proportional").tolist() == exact
    dealt, left = [0] * len(sizes), n  # one to each that has room, in turn
    while left:
        for i, size in enumerate(sizes):
            if dealt[i] < size and left:
                dealt[i], left = dealt[i] + 1, left - 1
    assert sample._allocated(np.array(sizes), n, "equal").tolist() == dealt


def test_of_equal_remainders_the_first_of_many_strata_get_a_row():
    sizes = [1 + i * 7 % 5 for i in range(300)]
    n, total = 451, sum(sizes)
    exact = [s * n // total for s in sizes]
    order = sorted(range(300), key=lambda i: -(sizes[i] * n % total))
    for i in order[: n - sum(exact)]:
        exact[i] += 1
    assert sample._allocated(np.array(sizes), n, "proportional").tolist() == exact


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=16),
    st.data(),
)
def test_each_stratum_gives_its_smallest_keys(rows, data):
    key, strata, fit = (np.array([r[i] for r in rows], kind) for i, kind in
                        enumerate((np.uint64, np.int64, bool)))  # fmt: skip
    sizes = np.bincount(strata[fit], minlength=4)
    shares = np.array([data.draw(st.integers(0, int(s))) for s in sizes])
    table = pa.table({"photo_id": ["same"] * len(rows), "x": np.arange(len(rows))})
    source = types.SimpleNamespace(
        table=types.SimpleNamespace(rows=len(rows)), batches=lambda: iter([table])
    )
    content = hashing.sampling_keys(table, 1, table.column_names).tolist()
    expected = set()
    for stratum in range(4):
        own = [i for i in range(len(rows)) if fit[i] and strata[i] == stratum]
        expected |= set(sorted(own, key=lambda i: (key[i], content[i]))[: shares[stratum]])
    got = sample._stratified(source, 1, key, fit, strata, shares)
    assert set(np.flatnonzero(got).tolist()) == expected


def test_a_stratified_sample_by_hand(tmp_path):
    """Usable are six of one country, three of another and one of none."""
    code = ["JP"] * 6 + ["FR"] * 4 + [None, None]
    table = pa.table({
        "photo_id": [f"p{i}" for i in range(12)], "country_code": code,
        "lat": [1.0] * 9 + [None, 1.0, 1.0], "lon": [1.0] * 12,
        "status": ["ok"] * 11 + ["photo_unavailable"],
    })  # fmt: skip
    tables.write(tmp_path / "labelled", table, file_rows=5)
    for allocation, expected in (
        ("proportional", {"JP": 3, "FR": 2}), ("equal", {"JP": 2, "FR": 2, None: 1}),
    ):  # fmt: skip
        asked = {"n": 5, "stratify": "country_code", "allocation": allocation}
        built = datasets.build("rand", tmp_path, **asked, seed=3)
        got = tables.open(tmp_path / "rand").arrow()
        assert Counter(got["country_code"].to_pylist()) == expected
        assert built.report == {
            "rows_in": 12, "without_valid_coordinates": 1, "with_another_status_than_ok": 1,
            "rows": 5, "strata": {"column": "country_code", "values": 3},
        }  # fmt: skip
        keys = dict(zip(table["photo_id"].to_pylist(),
                        hashing.sampling_keys(table, 3).tolist(), strict=True))  # fmt: skip
        fit = [r for r in table.to_pylist() if r["lat"] and r["status"] == "ok"]
        chosen = set()
        for country, count in expected.items():
            own = sorted(keys[r["photo_id"]] for r in fit if r["country_code"] == country)
            chosen |= set(own[:count])
        assert {keys[p] for p in got["photo_id"].to_pylist()} == chosen


@pytest.mark.parametrize("asked", [{}, {"n": None}, {"n": 3, "stratify": "word"}])
def test_where_no_row_can_be_used_that_is_what_is_told(tmp_path, asked):
    table = pa.table({"photo_id": ["a", "b"], "lat": pa.array([None, None], pa.float64()),
                      "lon": [1.0, 2.0], "word": ["x", "y"]})  # fmt: skip
    tables.write(tmp_path / "labelled", table)
    told = "'rand' leaves no row: no row of labelled@0 has valid coordinates and status ok"
    with pytest.raises(datasets.EmptyDatasetError, match=told):
        datasets.build("rand", tmp_path, **asked)


def test_geo_r_takes_half_a_million(tmp_path):
    assert datasets.RECIPES["rand"].parameters() == {
        "n": 500_000, "stratify": None, "allocation": "proportional",
    }  # fmt: skip
