"""How pictures are hashed and compared on the way: what is asked of workers, of whom, and when."""

import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import imagehash
import numpy as np
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import leakage, sphere, tables
from geodata.files import FileError
from geodata.near_duplicates import (
    bursts,
    fingerprints,
    hashing,
    reporting,
    searching,
    telling,
)
from geodata.tables import DatasetError
from tests.near_duplicates.photos_made import jpeg, scene

# hashes


def test_the_hashes_are_those_of_the_library():
    grey = scene(3).convert("L")
    grey.save(made := io.BytesIO(), "png")
    found = fingerprints.fingerprint(made.getvalue())
    assert f"{found.coarse:016x}" == str(imagehash.phash(grey, hash_size=8))
    assert found.fine.hex() == str(imagehash.phash(grey, hash_size=16))
    assert (fingerprints.FINE_BITS, fingerprints.FINE_BYTES) == (256, 32)


def test_a_jpeg_is_decoded_at_the_least_scale_that_does(monkeypatch):
    asked = []
    draft = PIL.JpegImagePlugin.JpegImageFile.draft

    def heard(picture, mode, size):
        asked.append((mode, size))
        return draft(picture, mode, size)

    monkeypatch.setattr(PIL.JpegImagePlugin.JpegImageFile, "draft", heard)
    fingerprints.fingerprint(jpeg(scene(0)))
    assert asked == [("L", (64, 64))]


@pytest.mark.parametrize("words", ["", "a" * 300, "one\ntwo"])
def test_what_a_parser_says_is_one_line_of_two_hundred_letters(monkeypatch, words):
    def broken(*_given, **_options):
        raise OSError(words)

    monkeypatch.setattr(imagehash, "phash", broken)
    with pytest.raises(FileError) as told:
        fingerprints.fingerprint(jpeg(scene(0)))
    first = words.partition("\n")[0]
    assert str(told.value) == f"cannot be read as a picture: OSError: {first}"[:200]


def test_what_makes_the_hashes_is_told():
    assert fingerprints.software() == {
        "hash": "pHash 64 and 256", "imagehash": imagehash.__version__, "pillow": PIL.__version__
    }  # fmt: skip


def test_a_hash_beyond_half_of_all_numbers_is_kept_as_a_signed_one(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x")
    made = iter([(1 << 63, b"\1" * 32), ((1 << 63) - 1, b"\2" * 32), ((1 << 64) - 1, b"\3" * 32)])
    monkeypatch.setattr(
        hashing, "fingerprint", lambda _picture: fingerprints.Fingerprint(*next(made))
    )
    tables.append(tmp_path / "photos", pa.table({"image": ["a", "b", "c"]}))
    hashing.hash_photos(tmp_path, "photos", root=tmp_path, workers=1)
    kept = tables.open(tmp_path / "hashes").arrow()
    assert kept["phash"].to_pylist() == [-(1 << 63), (1 << 63) - 1, -1]
    rows = pa.table({"image": ["c", None, "a", "d", "b", "a"]})
    has, coarse, fine = hashing.fingerprints_of(tmp_path, rows)
    assert has.tolist() == [True, False, True, False, True, True]
    assert coarse.tolist() == [(1 << 64) - 1, 1 << 63, (1 << 63) - 1, 1 << 63]
    assert fine[:, 0].tolist() == [3, 1, 2, 1]
    assert fine.shape == (4, 32)


# workers


class Pool(ThreadPoolExecutor):
    """Threads in place of processes, counted."""

    made: list = []  # noqa: RUF012

    def __init__(self, workers, mp_context):
        super().__init__(workers)
        self.workers, self.start = workers, mp_context.get_start_method()
        self.asked, self.ended = 0, None
        Pool.made.append(self)

    def submit(self, *given):
        self.asked += 1
        return super().submit(*given)

    def shutdown(self, **options):
        self.ended = options
        super().shutdown(**options)


@pytest.fixture
def pools(monkeypatch):
    monkeypatch.setattr(hashing, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(hashing, "_TASK_PHOTOS", 2)
    monkeypatch.setattr(Pool, "made", [])
    return Pool.made


AT = hashing._At(None, "/nowhere")


@pytest.mark.parametrize(("workers", "ahead"), [(2, 9), (3, 13)])
def test_workers_are_four_tasks_each_ahead(pools, workers, ahead):
    names = [f"{i}.jpg" for i in range(60)]
    rows = hashing._rows(names, AT, workers)
    assert next(rows)[0] == "0.jpg"
    (pool,) = pools
    assert (pool.workers, pool.start, pool.asked) == (workers, "spawn", ahead)
    assert [next(rows)[0], next(rows)[0]] == names[1:3]
    assert pool.asked == ahead + 1
    rows.close()
    assert pool.ended == {"cancel_futures": True}
    assert [row[0] for row in hashing._rows(names, AT, workers)] == names


@pytest.mark.parametrize(("count", "workers", "made"), [(2, 2, 0), (3, 2, 1), (9, 1, 0), (0, 2, 0)])
def test_one_task_or_one_worker_needs_no_other_process(pools, count, workers, made):
    names = [f"{i}.jpg" for i in range(count)]
    rows = list(hashing._rows(names, AT, workers))
    assert [row[:2] for row in rows] == [(name, "missing") for name in names]
    assert len(pools) == made


def test_a_worker_that_was_ended_is_said(pools, monkeypatch):
    def ended(*_given):
        raise BrokenProcessPool

    monkeypatch.setattr(hashing, "_hash_many", ended)
    with pytest.raises(FileError, match="was ended; run again with fewer workers to go on"):
        list(hashing._rows(["a", "b", "c"], AT, 2))
    assert pools[0].ended == {"cancel_futures": True}


def test_as_many_workers_as_processors_if_nothing_is_said(tmp_path, pools, monkeypatch):
    monkeypatch.setattr(hashing.os, "sched_getaffinity", lambda _process: {1, 4, 5}, raising=False)
    tables.append(tmp_path / "photos", pa.table({"image": list("abcdef")}))
    hashing.hash_photos(tmp_path, "photos")
    assert pools[0].workers == 3
    monkeypatch.delattr(hashing.os, "sched_getaffinity")
    monkeypatch.setattr(hashing.os, "cpu_count", lambda: 7)
    assert hashing._cores() == 7
    monkeypatch.setattr(hashing.os, "cpu_count", lambda: None)
    assert hashing._cores() == 1


def test_pictures_start_from_the_lake_or_from_the_folder_that_is_named(tmp_path, monkeypatch):
    lake, other = tmp_path / "lake", tmp_path / "other"
    for folder, names in ((lake, ["a.jpg"]), (other, ["a.jpg", "b.jpg"])):
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(jpeg(scene(0, (128, 96))))
    monkeypatch.chdir(other)
    tables.append(lake / "photos", pa.table({"image": ["a.jpg", "b.jpg"]}))
    found = hashing.hash_photos(lake, "photos", workers=1, table="one")
    assert found.statuses == {"ok": 2}  # the second lies in the current folder
    found = hashing.hash_photos(lake, "photos", root=lake, workers=1, table="two")
    assert found.statuses == {"ok": 1, "missing": 1}
    (reason,) = tables.open(lake / "two").arrow()["reason"].drop_null().to_pylist()
    assert 0 < len(reason) <= 200


# comparing


def test_equal_hashes_of_an_author_are_compared_once(monkeypatch):
    asked = []
    alike = bursts._alike
    monkeypatch.setattr(bursts, "_alike", lambda c, most: asked.append(len(c)) or alike(c, most))
    authors = np.array([7, 8, 7, 8, 7, 8, 0, 9], np.uint64)
    coarse, fine = np.zeros(8, np.uint64), np.zeros((8, 32), np.uint8)
    found = bursts.burst_of(authors, coarse, fine, 3, 3)
    assert found.tolist() == [0, 1, 0, 1, 0, 1, -1, -1]
    assert asked == []
    coarse[1] = 1
    assert bursts.burst_of(authors, coarse, fine, 0, 3).tolist() == [0, -1, 0, 1, 0, 1, -1, -1]
    assert asked == [2]


def test_four_million_candidates_are_compared_at_a_time():
    assert searching._AT_ONCE == 4_194_304
    assert (searching._BANDS, searching._BAND_BITS) == (4, 16)


IDS = ["a/1.jpg", "1.png", "b/1.jpg", "a_1", None, "45/77/3228511372.jpg", "3228511372", "2",
       "45_77_3228511372_8a3f0c12de.jpg", " 2.gif", ""]  # fmt: skip


def marks_of(ids, **columns):
    table = pa.table({"id": pa.array(ids, pa.string()), **columns})
    return leakage.marks([table], id="id", pair=("lat", "lon") if "lat" in columns else None)


def test_a_pair_is_one_photo_where_the_rule_of_leakage_says_so():
    pairs = list(itertools.product(range(len(IDS)), repeat=2))
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    found = reporting._same_photo(marks_of(IDS), marks_of(IDS), a, b)
    expected = [
        bool(leakage.shared_photos(marks_of([IDS[i]]), marks_of([IDS[j]]))[0]) for i, j in pairs
    ]
    assert found.tolist() == expected
    assert 20 < sum(expected) < 60


def test_how_far_apart_pairs_are_where_both_have_a_place():
    here = marks_of(["a", "b"], lat=[10.0, None], lon=[20.0, 5.0])
    there = marks_of(["c", "d"], lat=[11.0, 95.0], lon=[25.0, 5.0])
    a, b = np.array([0, 0, 1]), np.array([0, 1, 0])
    km = reporting._km(here, there, a, b)
    assert km.to_pylist() == [float(sphere.haversine_km(10, 20, 11, 25)), None, None]
    for one, other in ((here, marks_of(["c"])), (marks_of(["a"]), there)):
        assert reporting._km(one, other, a[:2], b[:2]).to_pylist() == [None, None]


@pytest.fixture
def lake(tmp_path):
    """Three tables with one picture each and one in common."""
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(scene(i, (128, 96))))
    for i, name in enumerate(("one", "two", "three")):
        rows = {"photo_id": ["x", name], "image": ["3.jpg", f"{i}.jpg"]}
        if i:
            rows["author"] = ["me", "me"]
        tables.append(tmp_path / name, pa.table(rows))
        hashing.hash_photos(tmp_path, name, root=tmp_path, workers=1)
    return tmp_path


def test_roles_and_the_order_of_what_is_compared(lake):
    found = reporting.report(lake, train="one", test="two", gallery="three")
    assert found.tables == {"train": "one@0", "test": "two@0", "gallery": "three@0"}
    assert [(o.rows_of, o.others) for o in found.overlaps] == [
        ("two@0", "one@0"), ("two@0", "three@0"), ("three@0", "one@0")
    ]  # fmt: skip
    assert [b.rows_of for b in found.bursts] == ["one@0", "two@0", "three@0"]
    assert [b.compared for b in found.bursts] == [0, 2, 2]
    assert [(o.photo, o.author, o.look, o.look_only) for o in found.overlaps] == [
        (1, None, 1, 0), (1, 2, 1, 0), (1, None, 1, 0)
    ]  # fmt: skip
    assert (found.most_bits, found.most_fine) == (12, 80)
    assert set(found.made_by) == {"hash", "imagehash", "pillow"}
    without = reporting.report(lake, train="one", test="two", most_bits=3, most_fine=256)
    assert (without.tables, without.most_bits, without.most_fine) == (
        {"train": "one@0", "test": "two@0"}, 3, 256
    )  # fmt: skip
    assert len(without.overlaps) == 1


def test_a_report_is_written_into_a_folder_that_is_made_or_there(lake, tmp_path):
    found = reporting.report(lake, train="one", test="two", gallery="three")
    folder = tmp_path / "new" / "leakage"
    for _ in range(2):
        telling.write(found, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "leakage.md", "leakage.png", "pairs-three-one.parquet", "pairs-two-one.parquet",
        "pairs-two-three.parquet",
    ]  # fmt: skip
    text = (folder / "leakage.md").read_text("utf-8")
    assert text == telling.markdown(found) + "\n![Nearest pictures](leakage.png)\n"
    pairs = pq.read_table(folder / "pairs-two-one.parquet")
    assert pairs.equals(found.overlaps[0].pairs)
    assert pairs["photo_id"].to_pylist() == ["x"]


def test_pairs_of_two_versions_of_a_table_are_two_files(lake, tmp_path):
    tables.append(lake / "one", tables.open(lake / "one").arrow().slice(0, 1))
    found = reporting.report(lake, train="one@0", test="two", gallery="one")
    telling.write(found, tmp_path / "out")
    rows = {p.name: pq.read_metadata(p).num_rows for p in (tmp_path / "out").glob("*.parquet")}
    assert rows == {
        "pairs-two@0-one@0.parquet": 1, "pairs-two@0-one@1.parquet": 2, "pairs-one-one.parquet": 3
    }  # fmt: skip
    same = reporting.report(lake, train="one", test="two", gallery="one")
    telling.write(same, tmp_path / "same")
    names = sorted(p.name for p in (tmp_path / "same").glob("*.parquet"))
    assert names == ["pairs-one-one.parquet", "pairs-two-one.parquet"]


@pytest.mark.parametrize(("train", "test"), [("one", "none"), ("none", "one"), ("none", "none")])
def test_a_table_without_rows_shares_nothing(lake, train, test):
    tables.write(lake / "none", tables.open(lake / "one").arrow().slice(0, 0))
    (found,) = reporting.report(lake, train=train, test=test).overlaps
    assert (found.photo, found.author, found.place) == (0, None, None)
    assert (found.look, found.look_only, found.pairs.num_rows) == (0, 0, 0)
    assert found.rows == (2 if test == "one" else 0)


def test_what_cannot_be_reported(lake):
    for wrong in (-1, 257):
        with pytest.raises(DatasetError, match=f"most_fine {wrong} must be from 0 to 256"):
            reporting.report(lake, train="one", test="two", most_fine=wrong)
    assert reporting.report(lake, train="one", test="two", most_fine=0).most_fine == 0
    for name, column in (("photo_id", "image"), ("image", "photo_id")):
        tables.append(lake / f"no_{name}", pa.table({column: ["a"]}))
        with pytest.raises(DatasetError) as told:
            reporting.report(lake, train="one", test=f"no_{name}")
        assert str(told.value) == f"no_{name}: has no column '{name}'; photos import makes it"
    with pytest.raises(DatasetError, match="the lake has no table 'others' of hashes; geodata ph"):
        reporting.report(lake, train="one", test="two", hashes="others")
    tables.append(lake / "numbers", pa.table({"image": [1]}))
    with pytest.raises(DatasetError) as told:
        hashing.hash_photos(lake, "numbers")
    assert str(told.value) == (
        "numbers@0: pictures are named by the text of a column 'image', found int64; photos import "
        "--images makes it"
    )
