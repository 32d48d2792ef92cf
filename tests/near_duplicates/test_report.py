"""From pictures on disk to the leakage report: hashed once, resumed, compared, told."""

import subprocess
import sys
import textwrap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import near_duplicates, tables
from geodata.cli import main
from geodata.files import FileError
from geodata.near_duplicates import hashing
from geodata.tables import DatasetError
from tests.near_duplicates.photos_made import COPIES, cut, jpeg, scene


def table(lake, name, rows):
    columns = ("photo_id", "image", "author", "lat", "lon")
    tables.append(lake / name, pa.table(dict(zip(columns, map(list, zip(*rows))))))


@pytest.fixture
def lake(tmp_path):
    """Six training photos; a test set with copies of two of them, one under its own id."""
    images = tmp_path / "images"
    images.mkdir()
    pictures = [scene(i, (256, 192)) for i in range(8)]
    for i, picture in enumerate(pictures[:6]):
        (images / f"{i}.jpg").write_bytes(jpeg(picture))
    (images / "burst.jpg").write_bytes(jpeg(cut(pictures[0], 0.02)))
    (images / "same.jpg").write_bytes(COPIES["half the size"](pictures[1], 0))
    (images / "hidden.jpg").write_bytes(COPIES["quality 20"](pictures[2], 0))
    (images / "fresh.jpg").write_bytes(jpeg(pictures[6]))
    (images / "broken.jpg").write_bytes(b"<html>not found</html>")
    rows = [(f"a/{i}.jpg", f"{i}.jpg", "ann" if i < 3 else None, 10.0 * i, 20.0) for i in range(6)]
    rows += [
        ("a/7.jpg", "burst.jpg", "ann", 0.0, 20.0),
        ("a/8.jpg", "gone.jpg", "ann", 0.0, 0.0),
        ("a/9.jpg", "broken.jpg", "ann", 0.0, 0.0),
        ("a/10.jpg", None, "ann", 0.0, 0.0),
    ]
    table(tmp_path / "lake", "train", rows)
    tests = [
        ("1.jpg", "same.jpg", "bob", 10.0, 20.0),
        ("x", "hidden.jpg", "ann", 20.5, 20.0),
        ("y", "fresh.jpg", "eve", 50.0, 20.0),
    ]
    table(tmp_path / "lake", "test", tests)
    return tmp_path / "lake", images


def hashed(lake, images, *names, **options):
    return [near_duplicates.hash_photos(lake, n, root=images, **options) for n in names]


def test_each_picture_is_hashed_once_and_the_odd_ones_are_said(lake):
    folder, images = lake
    steps = []
    first, other = hashed(folder, images, "train", "test", workers=1,
                          progress=lambda *s: steps.append(s))  # fmt: skip
    assert first.statuses == {"ok": 7, "missing": 1, "unreadable": 1}
    assert (first.pictures, first.known, first.rows_without) == (9, 0, 1)
    assert other.statuses == {"ok": 3}
    assert steps[:9] == [(i, 9) for i in range(1, 10)]
    rows = tables.open(folder / "hashes").arrow().to_pylist()
    assert len(rows) == 12
    broken = next(r for r in rows if r["image"] == "broken.jpg")
    assert broken["phash"] is None
    assert "cannot be read as a picture" in broken["reason"]
    again = hashed(folder, images, "train", workers=1)[0]
    assert (again.known, again.statuses) == (8, {"missing": 1})  # it is looked for again
    (images / "gone.jpg").write_bytes(jpeg(scene(9, (256, 192))))
    assert hashed(folder, images, "train", workers=1)[0].statuses == {"ok": 1}
    note = tables.history(folder / "hashes")[0].note
    assert note["imagehash"]
    assert note["source"] == {"name": "train"}


def test_workers_make_the_same_hashes_in_the_same_order(lake, monkeypatch):
    folder, images = lake
    monkeypatch.setattr(hashing, "_TASK_PHOTOS", 2)
    hashed(folder, images, "train", workers=1, table="one")
    hashed(folder, images, "train", workers=2, table="two")
    one, two = (tables.open(folder / n) for n in ("one", "two"))
    assert one.content_hash == two.content_hash
    assert one.arrow() == two.arrow()


def test_the_report_counts_what_was_put_there(lake):
    folder, images = lake
    hashed(folder, images, "train", "test", workers=1)
    found = near_duplicates.report(folder, train="train", test="test", gallery="train")
    in_train, in_gallery, gallery = found.overlaps
    assert (in_train.rows_of, in_train.others) == ("test@0", "train@0")
    assert (in_train.rows, in_train.compared) == (3, 3)
    assert (in_train.photo, in_train.author, in_train.place) == (1, 1, 2)
    assert (in_train.look, in_train.look_only) == (2, 1)
    pairs = {(r["photo_id"], r["other_id"]): r for r in in_train.pairs.to_pylist()}
    assert set(pairs) == {("1.jpg", "a/1.jpg"), ("x", "a/2.jpg")}
    assert pairs["1.jpg", "a/1.jpg"]["same_photo"] is True
    assert pairs["x", "a/2.jpg"]["same_photo"] is False
    assert pairs["x", "a/2.jpg"]["km"] == pytest.approx(55.6, abs=0.1)
    assert (pairs["x", "a/2.jpg"]["row"], pairs["x", "a/2.jpg"]["other_row"]) == (1, 2)
    assert in_gallery.look == 2
    assert (gallery.look, gallery.look_only) == (7, 0)  # the table itself
    train, test, _ = found.bursts
    assert (train.bursts, train.photos, train.largest) == (1, 2, 2)
    assert train.compared == 4  # ann's, as far as they can be read
    assert (test.bursts, test.photos, test.largest) == (0, 0, 0)


def test_the_limits_are_those_that_were_asked_for(lake):
    folder, images = lake
    hashed(folder, images, "train", "test", workers=1)
    ask = {"train": "train", "test": "test"}
    strict = near_duplicates.report(folder, **ask, most_bits=0, most_fine=0)
    loose = near_duplicates.report(folder, **ask, most_bits=15, most_fine=256)
    assert strict.overlaps[0].look <= 2 <= loose.overlaps[0].look
    assert near_duplicates.report(folder, **ask, most_fine=0).overlaps[0].look < 2
    with pytest.raises(DatasetError, match="0 to 256"):
        near_duplicates.report(folder, **ask, most_fine=257)


def test_fewer_cuts_of_a_photo_are_within_fewer_bits(lake):
    folder, images = lake
    shares = (0.02, 0.06, 0.1)
    for share in shares:
        (images / f"cut{share}.jpg").write_bytes(jpeg(cut(scene(0, (256, 192)), share)))
    table(folder, "cuts", [(f"{s}", f"cut{s}.jpg", "eve", 0.0, 20.0) for s in shares])
    hashed(folder, images, "train", "cuts", workers=1)
    ask = {"train": "train", "test": "cuts", "most_fine": 256}
    found = [near_duplicates.report(folder, **ask, most_bits=n).overlaps[0].look for n in (0, 15)]
    assert found == [1, 3]


def test_what_is_not_there_is_said(lake):
    folder, _ = lake
    with pytest.raises(DatasetError, match="no table 'hashes' of hashes; geodata photos hash"):
        near_duplicates.report(folder, train="train", test="test")
    tables.append(folder / "bare", pa.table({"photo_id": ["a"], "lat": [1.0], "lon": [2.0]}))
    with pytest.raises(DatasetError, match="text of a column 'image', found no such column"):
        near_duplicates.hash_photos(folder, "bare")


def test_without_the_library_the_extra_is_named(lake, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(FileError, match=r"pip install '\.\[photos\]' in the clone"):
        hashed(*lake, "train", workers=1)


def test_rules_that_a_side_lacks_are_not_compared(lake):
    folder, images = lake
    tables.append(folder / "plain", pa.table({"photo_id": ["q"], "image": ["hidden.jpg"]}))
    hashed(folder, images, "train", "plain", workers=1)
    one = near_duplicates.report(folder, train="train", test="plain").overlaps[0]
    assert (one.photo, one.author, one.place, one.look) == (0, None, None, 1)
    assert one.pairs["km"].to_pylist() == [None]
    found = near_duplicates.report(folder, train="train", test="plain")
    text = near_duplicates.markdown(found)
    assert "| plain@0 | train@0 | 1 | 0 (0.00%) | not compared | not compared | 1 (100.00%)" in text


def test_one_command_hashes_and_reports(lake, capsys, monkeypatch):
    folder, images = lake
    out = folder.parent / "leakage"
    words = ["geodata", "leakage", "--lake", folder, "--train", "train", "--test", "test",
             "--image-root", images, "--workers", "1", "-o", out]  # fmt: skip
    monkeypatch.setattr(sys, "argv", list(map(str, words)))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "train: 9 pictures, 0 hashed before; now 7 ok, 1 missing, 1 unreadable" in told
    assert "train: 1 rows name no picture" in told
    assert "test@0 in train@0: 3 rows" in told
    assert "2  look alike, of 3 compared by picture" in told
    assert "1  of these share no photo id" in told
    assert "train@0: 2 of 4 photos in 1 bursts of one author, the largest 2" in told
    assert all(len(line) <= 80 for line in told.splitlines() if str(out) not in line), told
    assert pq.read_table(out / "pairs-test-train.parquet").num_rows == 2
    with Image.open(out / "leakage.png") as picture:
        assert picture.size[0] > 500
    text = (out / "leakage.md").read_text()
    assert (
        "| test@0 | train@0 | 3 | 1 (33.33%) | 1 (33.33%) | 2 (66.67%) | 2 (66.67%) | 1 |" in text
    )
    assert "at most 12 of 64 and 80 of 256" in text
    assert str(folder) not in text


def test_a_table_of_another_name_and_an_older_version(lake):
    folder, images = lake
    table(folder, "train", [("a/99.jpg", "fresh.jpg", "zoe", 1.0, 1.0)])
    for name, version in (("train", 0), ("test", None)):
        done = near_duplicates.hash_photos(folder, name, version, root=images, table="elsewhere")
        assert done.pictures == {"train": 9, "test": 3}[name]
    assert "hashes" not in tables.names(folder)
    found = near_duplicates.report(folder, train="train@0", test="test", hashes="elsewhere")
    assert found.overlaps[0].look == 2


def command(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["geodata", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    return capsys.readouterr().out


def test_options_of_the_commands(lake, capsys, monkeypatch):
    folder, images = lake
    told = command(monkeypatch, capsys, "photos", "hash", "train", "--lake", folder,
                   "--image-root", images, "--workers", "2")  # fmt: skip
    assert "train: 9 pictures, 0 hashed before; now 7 ok" in told
    given = ["leakage", "--lake", folder, "--train", "train", "--test", "test"]
    given += ["--image-root", images, "--workers", "1"]
    told = command(monkeypatch, capsys, *given, "--gallery", "train")
    assert "2  look alike" in told
    assert "0 hashed before" not in told.partition("test: ")[0]
    alone = command(monkeypatch, capsys, *given)
    assert told.count(" in train@0: ") > alone.count(" in train@0: ") == 1
    exact = command(monkeypatch, capsys, *given, "--bits", "0", "--bits-fine", "0")
    assert "0  look alike" in exact


STOPPED = """
    import os, sys
    from geodata import near_duplicates
    from geodata.near_duplicates import hashing
    hashing._COMMIT_PHOTOS = 2

    def step(done, total):
        if done == int(sys.argv[3]):
            os.kill(os.getpid(), 9)

    near_duplicates.hash_photos(sys.argv[1], "train", root=sys.argv[2], workers=1, progress=step)
"""


@pytest.mark.parametrize("at", [1, 2, 3, 6, 9])
def test_a_run_that_was_killed_goes_on_and_ends_as_one_that_was_not(lake, at):
    folder, images = lake
    code = textwrap.dedent(STOPPED)
    done = subprocess.run([sys.executable, "-c", code, folder, images, str(at)])
    assert done.returncode == -9
    rest = hashed(folder, images, "train", workers=1)[0]
    assert rest.known == 2 * ((at - 1) // 2) - (at == 9)  # one of the nine is missing
    hashed(folder, images, "train", workers=1, table="whole")
    ends = {}
    for name in ("hashes", "whole"):
        rows = tables.open(folder / name).arrow().to_pylist()
        assert len({r["image"] for r in rows}) == len(rows)
        ends[name] = {r["image"]: r for r in rows}
    assert ends["hashes"] == ends["whole"]
    assert tables.verify(folder / "hashes").problems == ()


def test_a_report_without_pairs_of_tables_has_an_empty_picture(tmp_path):
    none = near_duplicates.Leakage({"train": "rand@1"}, (), (), most_bits=8, most_fine=40)
    near_duplicates.draw(none, tmp_path / "none.png")  # a warning would be an error here
    with Image.open(tmp_path / "none.png") as drawn:
        assert drawn.size[0] > 500
