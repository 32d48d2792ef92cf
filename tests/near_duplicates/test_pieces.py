"""The search and its report by small numbers: where another way is taken, what is told."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from geodata import leakage, tables
from geodata.near_duplicates import bursts, findings, hashing, reporting, searching, telling


def all_pairs(queries, known, most):
    return [
        (i, j, int(np.bitwise_count(a ^ b)))
        for i, a in enumerate(queries)
        for j, b in enumerate(known)
        if np.bitwise_count(a ^ b) <= most
    ]


@pytest.mark.parametrize("at_once", [1, 5, 1 << 22])
@pytest.mark.parametrize("most", [0, 2, 3, 7, 15])
def test_every_near_pair_is_found_once_and_in_order(monkeypatch, at_once, most):
    monkeypatch.setattr(searching, "_AT_ONCE", at_once)
    rng = np.random.default_rng(most)
    known = rng.integers(0, 1 << 63, 40, dtype=np.uint64)
    flips = np.bitwise_or.reduce(
        np.uint64(1) << rng.integers(0, 64, (30, most + 1)).astype(np.uint64), axis=1
    )
    queries = np.concatenate([known[:30] ^ flips, known[:3], known[:3]])
    found = searching.near(queries, known, most)
    assert list(zip(*(part.tolist() for part in found))) == all_pairs(queries, known, most)
    assert [part.dtype for part in found] == [np.int64, np.int64, np.uint8]


def test_nothing_is_near_nothing():
    none, one = np.empty(0, np.uint64), np.zeros(1, np.uint64)
    for a, b in ((none, one), (one, none), (none, none)):
        assert [len(part) for part in searching.near(a, b, 3)] == [0, 0, 0]
    for wrong in (-1, 16, True, False, 2.5):
        with pytest.raises(ValueError, match="must be a whole number from 0 to 15"):
            searching.near(one, one, wrong)


@pytest.mark.parametrize("most", range(16))
def test_radii_leave_no_pair_out(most):
    radii = searching._radii(most)
    assert sum(radii) + 4 == most + 1
    assert max(radii) - min(radii) <= 1
    for radius in {r for r in radii if r >= 0}:
        masks = list(searching._masks(radius))
        assert (
            len(masks)
            == len(set(masks))
            == sum(1 for n in range(1 << 16) if n.bit_count() <= radius)
        )


def test_runs_of_queries_have_about_so_many_candidates(monkeypatch):
    monkeypatch.setattr(searching, "_AT_ONCE", 5)

    def blocks(*counts):
        return [(one.start, one.stop) for one in searching._blocks(np.array(counts, np.int64))]

    assert blocks(2, 3, 1, 5, 9, 0, 0, 5) == [(0, 2), (2, 3), (3, 4), (4, 5), (5, 8)]
    assert blocks() == []


# bursts


@pytest.mark.parametrize("few", [0, 1 << 10])
def test_bursts_of_authors(monkeypatch, few):
    monkeypatch.setattr(bursts, "_FEW", few)
    authors = np.array([7, 7, 8, 0, 0, 7, 7, 9, 8, 7], np.uint64)
    coarse = np.array([0, 1, 0, 0, 0, 3, 3 << 40, 5, 0, 0], np.uint64)
    fine = np.zeros((10, 32), np.uint8)
    fine[1, 0] = 3
    found = bursts.burst_of(authors, coarse, fine, 1, 2)
    # 0, 9 equal; 1 one bit from both and from 5; 6 far; 2 and 8 are another author's; 3, 4 nobody's
    assert found.tolist() == [0, 0, 1, -1, -1, 0, -1, -1, 1, 0]
    assert bursts.burst_of(authors, coarse, fine, 1, 1).tolist() == [
        0,
        -1,
        1,
        -1,
        -1,
        -1,
        -1,
        -1,
        1,
        0,
    ]
    assert bursts.burst_of(authors[:0], coarse[:0], fine[:0], 1, 1).tolist() == []
    assert bursts.burst_of(authors[3:5], coarse[3:5], fine[3:5], 1, 1).tolist() == [-1, -1]


def test_equal_hashes_need_equal_long_ones_to_be_one_chain():
    authors, coarse = np.full(3, 7, np.uint64), np.zeros(3, np.uint64)
    fine = np.zeros((3, 32), np.uint8)
    fine[1] = 255
    assert bursts.burst_of(authors, coarse, fine, 0, 0).tolist() == [0, -1, 0]
    assert bursts._FEW == 1024


@pytest.mark.parametrize("count", [3, 4])
def test_many_photos_of_an_author_are_searched_by_bands(monkeypatch, count):
    monkeypatch.setattr(bursts, "_FEW", 3)
    asked = []
    original = bursts.near
    monkeypatch.setattr(bursts, "near", lambda *a: asked.append(len(a[0])) or original(*a))
    coarse = np.arange(count, dtype=np.uint64) << np.uint64(20)
    a, b = bursts._alike(coarse, 1)
    assert sorted(zip(a.tolist(), b.tolist())) == [
        (i, j) for i in range(count) for j in range(i + 1, count) if (i ^ j).bit_count() <= 1
    ]
    assert asked == ([4] if count == 4 else [])


# hashing


def test_hashes_are_committed_so_many_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(hashing, "_COMMIT_PHOTOS", 3)
    monkeypatch.setattr(hashing, "_TASK_PHOTOS", 2)
    from PIL import Image

    names = [f"{i}.png" for i in range(7)]
    for name in names[:6]:
        Image.linear_gradient("L").save(tmp_path / name)
    (tmp_path / "5.png").write_bytes(b"words")
    lake = tmp_path / "lake"
    named = pa.array([*names, "", None, names[0]])
    tables.append(lake / "photos", pa.table({"image": named}))
    told = []
    made = hashing.hash_photos(
        lake, "photos", root=tmp_path, workers=1, progress=lambda *a: told.append(a)
    )
    assert made == hashing.Hashed("hashes", 2, 7, 0, {"ok": 5, "missing": 1, "unreadable": 1}, 2)
    assert told == [(i + 1, 7) for i in range(7)]
    assert [c.rows_added for c in tables.history(lake / "hashes")] == [1, 3, 3]
    Image.linear_gradient("L").save(tmp_path / "6.png")
    again = hashing.hash_photos(lake, "photos", root=tmp_path, workers=1)
    assert (again.known, again.statuses, again.version) == (6, {"ok": 1}, 3)
    third = hashing.hash_photos(lake, "photos", root=tmp_path, workers=1)
    assert (third.known, third.statuses, third.version) == (7, {}, 3)
    kept = tables.open(lake / "hashes").arrow()
    assert kept["image"].to_pylist() == [*names, names[6]]
    assert kept["status"].to_pylist() == ["ok"] * 5 + ["unreadable", "missing", "ok"]
    has, coarse, fine = hashing.fingerprints_of(
        lake, pa.table({"image": ["x", names[6], names[5], names[0]]})
    )
    assert has.tolist() == [False, True, False, True]
    assert (len(coarse), fine.shape) == (2, (2, 32))
    assert coarse[0] == coarse[1]
    has, coarse, fine = hashing.fingerprints_of(lake, pa.table({"image": ["x"]}))
    assert (has.tolist(), len(coarse), fine.shape) == ([False], 0, (0, 32))
    assert made.table == hashing.TABLE


def test_figures_of_hashing():
    assert (hashing._COMMIT_PHOTOS, hashing._TASK_PHOTOS) == (20_000, 64)
    assert (reporting.MOST_BITS, reporting.MOST_FINE) == (12, 80)
    assert searching.MOST_BITS == 15


# the report


def marks_of(*ids):
    rows = iter([pa.table({"photo_id": list(ids)})])
    return leakage.marks(rows, id="photo_id", author=None, pair=None)


def side(**changed):
    made = {
        "marks": marks_of("1", "2"),
        "ids": pa.array(["1", "2"]), "has": np.array([True, True]), "name": "a@0",
        "coarse": np.zeros(2, np.uint64), "fine": np.zeros((2, 32), np.uint8),
    } | changed  # fmt: skip
    return reporting._Side(**made)


def test_an_overlap_by_hand():
    fine = np.zeros((2, 32), np.uint8)
    fine[1, 0] = 7
    ids = pa.array(["2", "9"])
    others = side(name="b@1", fine=fine, ids=ids, marks=marks_of("2", "9"))
    found = reporting._overlap(side(), others, 3, 2)
    assert (found.rows_of, found.others, found.rows, found.compared) == ("a@0", "b@1", 2, 2)
    assert (found.photo, found.author, found.place, found.look, found.look_only) == (
        1,
        None,
        None,
        2,
        1,
    )
    assert found.pairs.to_pylist() == [
        {"row": i, "photo_id": str(i + 1), "other_row": 0, "other_id": "2", "bits": 0,
         "bits_fine": 0, "same_photo": i == 1, "km": None} for i in (0, 1)
    ]  # fmt: skip
    wide = reporting._overlap(side(), others, 3, 3)
    assert wide.pairs["bits_fine"].to_pylist() == [0, 3, 0, 3]
    nothing = side(coarse=np.empty(0, np.uint64), fine=np.empty((0, 32), np.uint8),
                   has=np.array([False, False]))  # fmt: skip
    assert reporting._overlap(side(), nothing, 3, 3).compared == 0


def test_bursts_of_unlike_sizes_are_counted():
    """A pair, three alike, one alone and one of nobody; the largest is neither first nor last."""
    who = ["ann", "ann", "bob", "bob", "bob", "ann", None, "eve", "eve"]
    rows = pa.table({"photo_id": list("abcdefghi"), "author": who})
    near = np.array([0, 0, 1, 1, 1, 255 << 40, 0, 7, 7], np.uint64)
    many = side(marks=leakage.marks([rows], id="photo_id", author="author"), ids=rows["photo_id"],
                has=np.ones(9, bool), coarse=near, fine=np.zeros((9, 32), np.uint8))  # fmt: skip
    assert reporting._bursts(many, 3, 2) == findings.Bursts("a@0", 8, 3, 7, 3)
    few = side(marks=many.marks, has=np.arange(9) > 2, coarse=near[3:],
               fine=np.zeros((6, 32), np.uint8))  # fmt: skip
    assert reporting._bursts(few, 3, 2) == findings.Bursts("a@0", 5, 2, 4, 2)
    nobody = side(marks=leakage.marks([rows], id="photo_id"), has=np.ones(9, bool), coarse=near,
                  fine=np.zeros((9, 32), np.uint8))  # fmt: skip
    assert reporting._bursts(nobody, 3, 2) == findings.Bursts("a@0", 0, 0, 0, 0)


def overlap(**changed):
    made = {"rows_of": "test@0", "others": "rand@1", "rows": 8, "compared": 4, "photo": 2,
            "author": None, "place": 0, "look": 1, "look_only": 1,
            "pairs": findings.PAIRS.empty_table()} | changed  # fmt: skip
    return findings.Overlap(**made)


def test_a_report_line_by_line():
    burst = findings.Bursts("test@0", 12_345, 3, 7, 4)
    found = findings.Leakage({"train": "rand@1", "test": "test@0"}, (overlap(),), (burst,), 12, 80,
                             {"hash": "pHash", "pillow": "1.2"})  # fmt: skip
    lines = telling.markdown(found).splitlines()
    assert lines[:6] == ["# Leakage report", "", "- train: rand@1", "- test: test@0", "", (
        "| rows of | in | rows | same photo | same author | same place | looks alike | unseen |"
    )]  # fmt: skip
    assert lines[7] == (
        "| test@0 | rand@1 | 8 | 2 (25.00%) | not compared | 0 (0.00%) | 1 (25.00%) | 1 |"
    )
    assert "| test@0 | 12,345 | 3 | 7 | 4 |" in lines
    assert "Near-duplicates differ in at most 12 of 64 and 80 of 256" in lines
    assert lines[-1] == "Made with pHash, pillow 1.2."
    bare = telling.markdown(dataclasses.replace(found, made_by={}))
    assert "Made with" not in bare
    unseen = telling._overlap(overlap(compared=0))
    assert unseen.endswith("| 0 (0.00%) | not compared | not compared |")
    assert telling._shown(3, 0) == "3"
    assert max(len(line) for line in lines if not line.startswith("|")) <= 80
