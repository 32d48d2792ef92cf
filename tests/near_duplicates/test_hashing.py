"""Each picture is hashed once, whoever else hashes (geodata.near_duplicates.hashing)."""

from collections import Counter

import pyarrow as pa
import pytest
from PIL import Image

from geodata import near_duplicates, tables
from geodata.near_duplicates import hashing

NAMES = [f"{n}.png" for n in range(6)]


@pytest.fixture
def lake(tmp_path):
    """Six pictures, the last of them not there."""
    for n, name in enumerate(NAMES[:-1]):
        Image.linear_gradient("L").rotate(60 * n).save(tmp_path / name)
    tables.append(tmp_path / "photos", pa.table({"image": NAMES}))
    return tmp_path


def kept(lake):
    rows = tables.open(lake / "hashes").arrow(["image", "status"]).to_pylist()
    return Counter(row["image"] for row in rows), {row["image"]: row["status"] for row in rows}


@pytest.mark.parametrize("size", [1, 4, 100])
def test_two_runs_at_once_write_each_picture_once(lake, monkeypatch, size):
    """A second run goes through the whole table while the first is at its third picture."""
    monkeypatch.setattr(hashing, "_COMMIT_PHOTOS", size)
    second = []

    def meanwhile(done, total):
        if done == 3 and total == 6 and not second:
            second.append(None)
            second[0] = near_duplicates.hash_photos(lake, "photos", root=lake, workers=1)

    first = near_duplicates.hash_photos(lake, "photos", root=lake, workers=1, progress=meanwhile)
    counts, statuses = kept(lake)
    assert counts == dict.fromkeys(NAMES, 1)
    assert statuses == dict.fromkeys(NAMES[:-1], "ok") | {NAMES[-1]: "missing"}
    assert first.statuses == {"ok": 5, "missing": 1}
    told = 2 if size == 1 else 0  # what the first had written when the second looked
    assert second[0].known == told
    assert first.version == tables.open(lake / "hashes").version


def test_one_that_was_missing_is_told_once_and_hashed_when_it_is_there(lake):
    for _ in range(2):
        done = near_duplicates.hash_photos(lake, "photos", root=lake, workers=1)
        assert done.statuses["missing"] == 1
    assert kept(lake)[0] == dict.fromkeys(NAMES, 1)
    Image.linear_gradient("L").save(lake / NAMES[-1])
    done = near_duplicates.hash_photos(lake, "photos", root=lake, workers=1)
    assert (done.statuses, done.known) == ({"ok": 1}, 5)
    rows = tables.open(lake / "hashes").arrow(["image", "status"]).to_pylist()
    assert [r["status"] for r in rows if r["image"] == NAMES[-1]] == ["missing", "ok"]
