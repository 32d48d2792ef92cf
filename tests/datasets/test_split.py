"""The recipe split, step by step, against the same steps in plain Python."""

import itertools
from collections import Counter

import h3
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from geodata import datasets, tables
from geodata.datasets.recipes import split as recipe

TRAIN, VALIDATION, TEST, NONE = range(4)
MASK, GOLDEN = (1 << 64) - 1, 0x9E3779B97F4A7C15


def scrambled(value, seed):
    z = value ^ ((seed + 1) * GOLDEN & MASK)
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def cell(lat, lon, resolution=5):
    return h3.str_to_int(h3.latlng_to_cell(lat, lon, resolution))


PLACES = st.tuples(st.sampled_from([-60, 0.5, 48.9, 49]), st.sampled_from([-170, 2.3, 2.9, 90]))


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(PLACES, st.integers(1, 9), max_size=12), st.integers(0, 5),
    st.integers(0, 5), st.sampled_from([(0.0, 0.4), (0.3, 0.0), (0.2, 0.3), (0.45, 0.5)]),
)  # fmt: skip
def test_blocks_are_dealt_in_the_order_of_their_scrambled_numbers(rows, seed, resolution, shares):
    sizes = Counter()
    for (lat, lon), count in rows.items():
        sizes[cell(lat, lon)] += count
    found = sorted(sizes)
    blocks = Counter()
    for one in found:
        blocks[h3.cell_to_parent(h3.int_to_str(one), resolution)] += sizes[one]
    dealt, before, total = {}, 0, sum(blocks.values())
    for block in sorted(blocks, key=lambda b: scrambled(h3.str_to_int(b), seed)):
        middle = (before + blocks[block] / 2) / total
        before += blocks[block]
        dealt[block] = TEST if middle < shares[1] else VALIDATION if middle < sum(shares) else TRAIN
    got = recipe._dealt(
        np.array(found, np.int64), np.array([sizes[c] for c in found], np.int64), seed, resolution,
        *shares,
    )  # fmt: skip
    assert got.tolist() == [dealt[h3.cell_to_parent(h3.int_to_str(c), resolution)] for c in found]


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 2)), max_size=20))
def test_a_photographer_is_at_home_where_most_of_the_rows_are(rows):
    author, part = (np.array([r[i] for r in rows], int) for i in range(2))
    home = {}
    for who in {a for a, _ in rows if a >= 0}:
        counts = Counter(p for a, p in rows if a == who)
        home[who] = max((TRAIN, VALIDATION, TEST), key=lambda p: (counts[p], -p))
    expected = [a >= 0 and home[a] != p for a, p in rows]
    assert recipe._away_from_home(part.astype(np.int8), author).tolist() == expected


LINE = h3.grid_path_cells(h3.latlng_to_cell(48.9, 2.3, 5), h3.latlng_to_cell(48.9, 6.3, 5))[:12]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 3)), max_size=14), st.integers(0, 3))
def test_rows_near_a_guarded_split_are_those_of_its_disk(rows, buffer):
    """Cells on a line: their distance is how many steps lie between them."""
    assert [h3.grid_distance(LINE[0], c) for c in LINE] == list(range(12))
    numbers = [h3.str_to_int(LINE[i]) for i, _ in rows]
    found, at = np.unique(np.array(numbers, np.int64), return_inverse=True)
    part = np.array([p for _, p in rows], np.int8)
    near = set()
    for guarded in (TEST, VALIDATION):
        those = [c for k, (c, p) in enumerate(rows) if p == guarded and k not in near]
        near |= {
            k for k, (c, p) in enumerate(rows)
            if buffer and p < guarded and any(abs(c - other) <= buffer for other in those)
        }  # fmt: skip
    got = recipe._near_others(found, at, part, buffer)
    assert got.tolist() == [k in near for k in range(len(rows))]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"validation": -0.1, "test": 0.2}, "must be shares"),
        ({"validation": 1.0, "test": 0.0}, "must be shares"),
        ({"validation": 0.2, "test": -0.1}, "must be shares"),
        ({"validation": 0.0, "test": 1.0}, "must be shares"),
        ({"validation": 0.0, "test": 0.0}, "must be shares"),
        ({"validation": 0.5, "test": 0.5}, "must be shares"),
        ({"validation": 1.2, "test": -0.5}, "must be shares"),
        ({"resolution": -1}, "from 0 .coarse. to 5"),
        ({"resolution": 6}, "from 0 .coarse. to 5"),
        ({"resolution": True}, "from 0 .coarse. to 5"),
        ({"buffer": -1}, "from 0 to 100"),
        ({"buffer": 101}, "from 0 to 100"),
        ({"buffer": True}, "from 0 to 100"),
        ({"least": -0.01}, "share from 0 to 1"),
        ({"least": 1.01}, "share from 0 to 1"),
        ({"least": True}, "share from 0 to 1"),
    ],
)
def test_what_a_split_cannot_be(asked, message):
    usual = {"validation": 0.1, "test": 0.1, "resolution": 3, "buffer": 1, "least": 0.5}
    with pytest.raises(datasets.DatasetError, match=message):
        recipe._check(**usual | asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"validation": 0.0, "test": 0.99}, {"validation": 0.99, "test": 0.0},
        {"resolution": 0}, {"resolution": 5}, {"buffer": 0}, {"buffer": 100},
        {"least": 0}, {"least": 1},
    ],
)  # fmt: skip
def test_what_a_split_can_just_be(asked):
    recipe._check(**{"validation": 0.1, "test": 0.1, "resolution": 3, "buffer": 1, "least": 0.5}
                  | asked)  # fmt: skip


def report(rows, test, away=0, near=0):
    """A report of 10 usable rows of which 8, 0 and 2 were asked for."""
    shares = {"train": 0.8, "validation": 0.0, "test": 0.2}
    parts = recipe._filled({"train": rows, "validation": 0, "test": test}, shares, 10)
    return {
        "rows_in": 1200, "rows": rows + test, "parts": parts,
        "photographer_at_home_in_another_split": away, "near_another_split": near,
    }, shares  # fmt: skip


def test_a_part_says_what_was_asked_and_what_it_holds():
    parts = recipe._filled({"a": 1, "b": 0}, {"a": 2 / 3, "b": 1 / 3}, 3)
    assert parts == [
        {"part": "a", "asked": 2, "rows": 1, "share_asked": 0.666667, "share": 0.333333},
        {"part": "b", "asked": 1, "rows": 0, "share_asked": 0.333333, "share": 0.0},
    ]
    assert recipe._filled({"a": 0}, {"a": 1.0}, 0) == [
        {"part": "a", "asked": 0, "rows": 0, "share_asked": 1.0, "share": 0.0}
    ]


def test_a_part_may_just_hold_what_is_asked_at_least():
    recipe._check_all_filled(*report(4, 1), 0.5)  # half of 8 and of 2
    recipe._check_all_filled(*report(0, 0), 0.5)  # nothing is left: said by another error
    with pytest.raises(datasets.DatasetError) as caught:
        recipe._check_all_filled(*report(3, 2, away=1100, near=7), 0.5)
    told = str(caught.value)
    assert told.startswith("only 3 rows are left for 'train', 30.00% of the usable rows where 80.")
    assert "of 1,200 rows 1,100 were left out as their photographer is at home" in told
    assert "and 7 as they are near another split" in told
    assert told.endswith("with least=0.37 (--least 0.37)")  # 3 / 8, cut
    with pytest.raises(datasets.DatasetError, match="no row is left for 'test'") as caught:
        recipe._check_all_filled(*report(8, 0), 0.0)
    assert "least=" not in str(caught.value)


def photos(**more):
    """Twelve rows in two places, of which one has no place and one no picture."""
    paris, tokyo = (48.9, 2.3), (35.7, 139.7)
    places = [paris, tokyo] * 5 + [(None, 2.3), tokyo]
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(12)],
            "lat": pa.array([p[0] for p in places], pa.float64()),
            "lon": [p[1] for p in places],
            "status": ["ok"] * 11 + ["photo_unavailable"],
            **more,
        }
    )


def test_a_split_by_hand(tmp_path):
    """Who is in both places three to two stays in the first; a row without a name stays."""
    author = ["a", "b", "c", "c", "a", "b", "c", "c", "c", None, "a", "a"]
    tables.write(tmp_path / "photos", photos(author=author))
    built = datasets.build("split", tmp_path, source="photos", validation=0.0, test=0.5)
    rows = tables.open(tmp_path / "split").arrow().to_pylist()
    paris = next(r["split"] for r in rows if r["lat"] > 40)
    assert {paris, next(r["split"] for r in rows if r["lat"] < 40)} == {"train", "test"}
    kept = [r["photo_id"] for r in rows]
    assert kept == ["p0", "p1", "p2", "p4", "p5", "p6", "p8", "p9"]  # c's two in Tokyo are out
    of_parts = Counter(r["split"] for r in rows)
    assert built.report | {"parts": None} == {
        "rows_in": 12, "without_valid_coordinates": 1, "with_another_status_than_ok": 1,
        "photographer_at_home_in_another_split": 2, "near_another_split": 0,
        "without_photographer": 1, "rows": 8, "parts": None,
        "splits": {"train": of_parts["train"], "validation": 0, "test": of_parts["test"]},
    }  # fmt: skip
    assert [(p["part"], p["asked"], p["share_asked"]) for p in built.report["parts"]] == [
        ("train", 5, 0.5), ("validation", 0, 0.0), ("test", 5, 0.5),
    ]  # fmt: skip


def test_each_part_is_asked_for_its_share(tmp_path):
    rows = pa.table({"photo_id": [f"p{i}" for i in range(20)], "lon": [i * 9.0 for i in range(20)],
                     "lat": [1.0] * 20})  # fmt: skip
    tables.write(tmp_path / "photos", rows)
    built = datasets.build("split", tmp_path, source="photos", validation=0.3, test=0.1, buffer=0)
    asked = {"train": (12, 0.6), "validation": (6, 0.3), "test": (2, 0.1)}
    parts = {p["part"]: (p["asked"], p["share_asked"]) for p in built.report["parts"]}
    assert parts == asked
    assert built.report["splits"] == {name: count for name, (count, _) in asked.items()}


PARIS, TOKYO, OSLO = cell(48.9, 2.3), cell(35.7, 139.7), cell(59.9, 10.7)


@pytest.mark.parametrize(
    ("stored", "cells"),
    [
        (None, [PARIS, TOKYO]),
        (pa.array([OSLO, TOKYO] * 6, pa.int64()), [OSLO, TOKYO]),  # taken as they are
        (pa.array([None, TOKYO] * 6, pa.int64()), [PARIS, TOKYO]),
        (pa.array(["here", "there"] * 6), [PARIS, TOKYO]),
    ],
    ids=["none", "whole", "with gaps", "of another kind"],
)
def test_cells_are_those_stored_or_made(tmp_path, stored, cells):
    rows = photos() if stored is None else photos(h3_5=stored)
    tables.write(tmp_path / "photos", rows, file_rows=5)
    valid, usable, found, author = recipe._read(tables.open_input(tmp_path, "rows", "photos"))
    assert valid.tolist() == [True] * 10 + [False, True]
    assert usable.tolist() == [True] * 10 + [False, False]
    assert found.tolist() == cells * 5
    assert author.tolist() == [-1] * 10


def test_photographers_may_be_numbers_and_are_told_apart_over_files(tmp_path):
    author = pa.array([7, 8, None, 7, 9, 8, 7, None, 9, 8, 7, 7], pa.int64())
    tables.write(tmp_path / "photos", photos(author=author), file_rows=3)
    codes = recipe._read(tables.open_input(tmp_path, "rows", "photos"))[3].tolist()
    known = [a.as_py() for a in author[:10]]
    assert [c < 0 for c in codes] == [a is None for a in known]
    for one, other in itertools.combinations(range(10), 2):
        if codes[one] >= 0 and codes[other] >= 0:
            assert (codes[one] == codes[other]) == (known[one] == known[other])


def test_a_buffer_counts_steps_between_cells(tmp_path):
    """Two cells three steps apart: a buffer of two keeps both, one of three only the test rows."""
    one, other = h3.cell_to_latlng(LINE[0]), h3.cell_to_latlng(LINE[3])
    assert h3.latlng_to_cell(*one, 4) != h3.latlng_to_cell(*other, 4)
    rows = pa.table({"photo_id": list("abcd"), "lat": [one[0], other[0]] * 2,
                     "lon": [one[1], other[1]] * 2})  # fmt: skip
    tables.write(tmp_path / "photos", rows)
    asked = {"source": "photos", "validation": 0.0, "test": 0.5, "resolution": 4, "least": 0.0}
    kept = {b: datasets.build("split", tmp_path, **asked, buffer=b).report["near_another_split"]
            for b in (0, 1, 2)}  # fmt: skip
    assert set(kept.values()) == {0}
    with pytest.raises(datasets.DatasetError, match="no row is left for 'train'"):
        datasets.build("split", tmp_path, **asked, buffer=3)
