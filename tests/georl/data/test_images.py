"""Images that are damaged, missing, or stored in any of the usual ways (georl.data.images)."""

import contextlib
import io
import json
import os
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from georl import data
from georl.config import load
from georl.data import DataError, images as data_images, unpacked as data_unpacked


def jpeg(shade, kind="JPEG"):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 200)).save(buffer, kind)
    return buffer.getvalue()


def test_every_unusable_row_is_counted_listed_and_none_is_replaced(tmp_path, capsys):
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(20 * i))
    with zipfile.ZipFile(tmp_path / "shard.zip", "w") as shard:
        shard.writestr("in/0.jpg", jpeg(0))
    images = [f"{i}.jpg" for i in range(4)] + [f"gone-{i}.jpg" for i in range(6)]
    images += ["shard.zip#in/no.jpg", None]
    ids, lat = [f"p{i}" for i in range(12)], [91.0, None, *[48.0] * 10]
    columns = {"photo_id": ids, "image": images, "lat": lat, "lon": [2.0] * 12}
    pq.write_table(pa.table(columns), tmp_path / "photos.parquet")
    given = [f"data.table={tmp_path / 'photos.parquet'}", f"data.image_root={tmp_path}"]
    given += [f"output={tmp_path / 'run'}"]
    run = load(None, given)
    with pytest.raises(DataError) as caught:
        data.load(run, completions=True)
    told = str(caught.value)
    assert "2 of 12 rows have no valid coordinates: row 0 (id 'p0'), row 1 (id 'p1');" in told
    assert "8 of 12 images are missing (gone-0.jpg, gone-1.jpg, gone-2.jpg" in told
    listed = tmp_path / "run" / "unusable_photos.jsonl"
    assert str(listed) in told
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["p0", "p1", *(f"p{i}" for i in range(4, 12))]
    assert rows[-2] == {"id": "p10", "image": "shard.zip#in/no.jpg", "problem": "missing"}
    kept = data.load(load(None, [*given, "data.skip_missing=true"]), completions=True)
    assert [row["id"] for row in kept] == ["p2", "p3"]
    assert abs(kept[1]["image"].getpixel((5, 5))[0] - 60) < 8
    assert "going on without 10 of 12 photos" in capsys.readouterr().out


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"]),
    cut=st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 399), st.integers(1, 255)), max_size=4),
)
def test_damaged_bytes_are_an_image_or_a_clear_error(kind, cut, flips):
    content = bytearray(jpeg(100, kind)[: cut or None])
    for at, bits in flips:
        content[at % len(content)] ^= bits
    problem = data_images.problem_of(bytes(content))
    with contextlib.suppress(DataError):
        image = data_images.open_image(bytes(content), Path(), "x7")
        assert image.mode == "RGB"
        assert problem is None  # what opens is never refused beforehand
    if problem is not None:
        with pytest.raises(DataError, match=r"image of row 'x7' \([0-9]+ bytes\) cannot be read"):
            data_images.open_image(bytes(content), Path(), "x7")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.lists(st.tuples(st.booleans(), st.booleans()), max_size=3),
        ),
        max_size=20,
    )
)
def test_every_way_to_store_an_image_gives_the_first_one(rows):
    """Lists of structs with bytes, path, both or neither, and absent ones, against plain Python."""
    picture = jpeg(0)
    values = [
        None
        if row is None
        else [{"bytes": picture if b else None, "path": f"{i}" if p else None} for b, p in row]
        for i, row in enumerate(rows)
    ]
    kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    column = pa.chunked_array([pa.array(values[:7], kind), pa.array(values[7:], kind)])
    found = data_images.unpacked(column.slice(1)).to_pylist()
    for row, value in zip(found, values[1:], strict=True):
        first = value[0] if value else {"bytes": None, "path": None}
        assert row["bytes"] == first["bytes"]
        assert row["path"] == (None if first["bytes"] else first["path"])
        several = (
            f"has {len(value)} images, where one is read" if value and len(value) > 1 else None
        )
        assert row["problem"] == several


def test_processes_that_unpack_at_once_write_once_and_read_the_same(tmp_path):
    written = []

    def batches():
        written.append(1)
        for i in range(50):
            yield pa.table({"bytes": [bytes([i]) * 1000] * 10, "path": ["x"] * 10})

    def one(_):
        return data_unpacked.unpack(batches, tmp_path / "cache", "stamp", "photos")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(8)))
    assert len(written) == 1
    for unpacked in found:
        assert unpacked.row(499, ["bytes"]) == {"bytes": bytes([49]) * 1000}


def test_a_failure_while_unpacking_leaves_nothing_and_the_next_start_writes_it(tmp_path):
    def broken():
        yield pa.table({"a": [1]})
        raise OSError(28, "No space left on device")

    with pytest.raises(ValueError, match="no room left while unpacking photos"):
        data_unpacked.unpack(broken, tmp_path, "stamp", "photos")
    assert not list(tmp_path.glob("*.arrow"))
    made = data_unpacked.unpack(lambda: iter([pa.table({"a": [1]})]), tmp_path, "stamp", "photos")
    assert made.row(0, ["a"]) == {"a": 1}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_images_come_from_the_web_when_they_are_asked_for_and_a_lost_one_names_its_row(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(200))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        table = {"image": [f"{base}/a.jpg", f"{base}/no.jpg"], "lat": [1.0] * 2, "lon": [2.0] * 2}
        pq.write_table(pa.table(table), tmp_path / "photos.parquet")
        rows = data.load(
            load(None, [f"data.table={tmp_path / 'photos.parquet'}"]), completions=True
        )
        assert abs(rows[0]["image"].getpixel((5, 5))[0] - 200) < 8
        with pytest.raises(DataError, match=r"row '1' \(http.*no\.jpg\) cannot be read: .*404"):
            rows[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_photo_taken_with_the_camera_on_its_side_is_shown_upright():
    picture, buffer = Image.new("RGB", (40, 20)), io.BytesIO()
    picture.paste((255, 255, 255), (0, 0, 20, 20))  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right of the file
    picture.save(buffer, "PNG", exif=exif)
    upright = data_images.open_image(buffer.getvalue(), Path(), "a")
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5)) == (255, 255, 255)
    assert upright.getpixel((10, 35)) == (0, 0, 0)


def test_a_pipe_a_device_and_a_folder_are_told_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "good.jpg").write_bytes(jpeg(7))
    (tmp_path / "text.jpg").write_bytes(b"<html>")
    names = ["pipe.jpg", "folder.jpg", "zero.jpg", "good.jpg", "text.jpg"]
    odd = "is no regular file"
    assert data_images.problems(names, tmp_path) == [odd, "missing", odd, None, "is not an image"]
    with pytest.raises(DataError, match="row 'a'"):
        data_images.open_image("pipe.jpg", tmp_path, "a")
