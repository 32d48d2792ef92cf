"""Pictures at their bounds: what is said at first sight, opened, unpacked and made smaller."""

import hashlib
import io
import os
import pickle
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from georl.config import ModelConfig
from georl.data import DataError, images, sizes, unpacked


def encoded(size=(40, 30), kind="PNG", mode="RGB", **options):
    buffer = io.BytesIO()
    Image.new(mode, size, options.pop("colour", 0)).save(buffer, kind, **options)
    return buffer.getvalue()


def refused(call, *given, **more):
    with pytest.raises(DataError) as caught:
        call(*given, **more)
    return str(caught.value)


@pytest.fixture
def web(tmp_path):
    """A folder and the address at which it is served."""
    folder = tmp_path / "web"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


# ---- at first sight


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_photo_that_is_cut_off_behind_its_head_is_one_at_first_sight(tmp_path, kind):
    """Whether it can be opened shows when it is asked for, and names its row then."""
    head = encoded(kind=kind)[:12]
    (tmp_path / "a").write_bytes(head)
    assert images.problem_of(head) is None
    assert images.problems(["a"], tmp_path) == [None]
    assert "image of row 'r7' (a) cannot be read: " in refused(
        images.open_image, "a", tmp_path, "r7"
    )


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PPM"])
def test_a_rarer_kind_of_photo_is_opened_to_be_known(tmp_path, kind):
    whole = encoded(kind=kind)
    (tmp_path / "a").write_bytes(whole)
    (tmp_path / "b").write_bytes(b"x" + whole)
    assert images.problems(["a", "b"], tmp_path) == [None, "is not an image"]
    assert images.problem_of(whole) is None


def handles():
    return len([*Path("/proc/self/fd").iterdir()])


def test_a_look_at_files_leaves_none_open(tmp_path):
    (tmp_path / "a").write_bytes(encoded())
    (tmp_path / "b").write_bytes(encoded(kind="BMP"))
    (tmp_path / "c").touch()
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "e")
    before = handles()
    assert images.problems([*"abcdef", "", "a\0b"], tmp_path) == [
        None, None, "is empty", "missing", "is no regular file", "missing", "missing", "missing",
    ]  # fmt: skip
    assert handles() == before


def test_members_are_looked_up_in_their_own_archives(tmp_path):
    """Three archives, rows of one between those of another; a folder that is called so is none."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("1/x.jpg", "2/x.jpg", "1/y.jpg"):
            archive.writestr(name, encoded())
        archive.writestr("1/none.jpg", b"")
    with tarfile.open(tmp_path / "B.TAR", "w") as archive:
        member = tarfile.TarInfo("y.jpg")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"12345"))
    (tmp_path / "c.zip").mkdir()
    given = {
        "a.zip#1/y.jpg": None,
        "B.TAR#y.jpg": None,
        "a.zip#1/none.jpg": "is empty",
        "a.zip#1/z.jpg": "missing",
        "B.TAR#x.jpg": "missing",
        "a.zip#2/x.jpg": None,
        "a.zip#x.jpg": "names several members of its archive",
        "c.zip#x.jpg": "missing",
        "none.zip#x.jpg": "missing",
        "http://x/a.zip#x.jpg": None,
        "a.zap#x": "missing",
    }
    assert images.problems([*given], tmp_path) == [*given.values()]


def test_what_is_wrong_in_itself_is_told_before_where_it_lies(tmp_path):
    root, beside = tmp_path / "root", tmp_path / "beside"
    for folder in (root, beside):
        folder.mkdir()
        (folder / "none.jpg").touch()
        (folder / "a.jpg").write_bytes(encoded())
    given = ["a.jpg", "none.jpg", "../beside/none.jpg", "../beside/a.jpg", "http://x/a.jpg", None]
    assert images.problems(given, root, inside=True) == [
        None,
        "is empty",
        "is empty",
        "leads outside data.image_root",
        "is a URL; what is sent to a server is read from data.image_root only",
        "missing",
    ]
    assert images.problems(given[3:4], root, inside=True, home=beside) == [None]


# ---- opened


def test_no_photo_and_no_picture_are_told_in_these_words(tmp_path):
    end = "; repair or drop the row"
    assert refused(images.open_image, None, tmp_path, "r") == (
        f"image of row 'r' (None) cannot be read: there is none{end}"
    )
    (tmp_path / "a.html").write_bytes(b"<html>")
    assert refused(images.open_image, "a.html", tmp_path, "r") == (
        f"image of row 'r' (a.html) cannot be read: is not an image{end}"
    )
    assert refused(images.open_image, b"<html>", tmp_path, "r") == (
        f"image of row 'r' (6 bytes) cannot be read: is not an image{end}"
    )


def test_a_file_whose_name_is_that_of_a_member_is_the_photo(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("other.png", encoded())
    for name in ("b.png", "empty.png"):
        (tmp_path / f"a.zip#{name}").write_bytes(encoded() if name == "b.png" else b"")
    asked = ["a.zip#b.png", "a.zip#empty.png", "a.zip#other.png", "a.zip#none.png"]
    assert images.problems(asked, tmp_path) == [None, "is empty", None, "missing"]
    assert images.open_image(asked[0], tmp_path, "r").size == (40, 30)


def test_pixels_of_a_large_photo_are_freed_once_it_is_smaller():
    photo = Image.new("RGB", (40, 30))
    assert images._reduced(photo).size == (40, 30)
    with pytest.raises(ValueError, match="closed image"):
        photo.load()


def test_an_error_without_words_is_told_by_its_kind(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(images.Image, "open", full)
    assert refused(images.open_image, b"<html>", tmp_path, "r") == (
        "image of row 'r' (6 bytes) cannot be read: MemoryError; repair or drop the row"
    )


def test_a_photo_of_the_web_may_be_so_large_and_no_larger(web, tmp_path, monkeypatch):
    """What lies behind the end of a PNG is not looked at."""
    assert images.MAX_IMAGE_BYTES == 67_108_864  # 64 MiB
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 1 << 20)
    folder, address = web
    whole = encoded((8, 4)).ljust(1 << 20, b"\0")
    (folder / "a.png").write_bytes(whole)
    (folder / "b.png").write_bytes(whole + b"\0")
    assert images.open_image(f"{address}/a.png", tmp_path, "a").size == (8, 4)
    assert refused(images.open_image, f"{address}/b.png", tmp_path, "b") == (
        f"image of row 'b' ({address}/b.png) cannot be read: larger than 1 MiB; repair or drop the "
        "row"
    )
    told = refused(images.open_image, f"{address}/a.png", tmp_path, "a", inside=True)
    assert "is a URL, and nothing is downloaded here" in told


def test_a_jpeg_of_just_as_many_pixels_as_are_unfolded_is_not_drafted(monkeypatch):
    """At half its size it would be 15 x 8, see test_large_photos."""
    monkeypatch.setattr(images, "is_large", lambda image: True)
    monkeypatch.setattr(images, "_MOST_SIDES", 20 * 10)
    jpeg, png = encoded((60, 30), "JPEG"), encoded((60, 30))
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", 60 * 30)
    assert images.open_image(jpeg, None, "x").size == (20, 10)
    monkeypatch.setattr(images.Image, "MAX_IMAGE_PIXELS", None)  # as many as there are
    assert images.open_image(jpeg, None, "x").size == (20, 10)
    assert images.open_image(png, None, "x").size == (20, 10)


def test_no_model_takes_in_more_pixels_than_a_photo_is_left_with():
    """The most that Qwen2.5-VL takes, 16384 tokens of 28 x 28 pixels."""
    assert images._MOST_SIDES == sizes.MAX_PIXELS == 12_845_056
    assert images.open_image(encoded(), None, "x").size == (40, 30)


# ---- stored in a table


def held(array):
    return images.unpacked(pa.chunked_array([array])).to_pylist()


def test_no_bytes_are_no_picture_and_a_path_beside_them_counts():
    both = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    png = encoded()
    rows = [
        {"bytes": b"", "path": "a.png"},
        {"bytes": b"", "path": None},
        {"bytes": png, "path": "a.png"},
        {"bytes": b"<html>", "path": "a.png"},
        None,
    ]
    assert held(pa.array(rows, both)) == [
        {"bytes": None, "path": "a.png", "problem": None},
        {"bytes": None, "path": None, "problem": None},
        {"bytes": png, "path": None, "problem": None},
        {"bytes": b"<html>", "path": None, "problem": "is not an image"},
        {"bytes": None, "path": None, "problem": None},
    ]


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list])
def test_the_first_picture_of_a_row_is_its_own_in_every_kind_of_list(kind):
    rows = [["a", "b", "c"], [], None, ["d"], ["e", "f"]]
    found = held(pa.array(rows, kind(pa.string())))
    assert [row["path"] for row in found] == ["a", None, None, "d", "e"]
    assert [row["problem"] for row in found] == [
        "has 3 images, where one is read", None, None, None, "has 2 images, where one is read",
    ]  # fmt: skip


def test_a_struct_may_hold_one_of_the_two_alone():
    png = encoded()
    alone = pa.array([{"bytes": png}], pa.struct([("bytes", pa.large_binary())]))
    assert held(alone) == [{"bytes": png, "path": None, "problem": None}]
    path = pa.array([{"path": "a"}], pa.struct([("path", pa.large_string())]))
    assert held(path) == [{"bytes": None, "path": "a", "problem": None}]
    found = images.unpacked(pa.chunked_array([pa.nulls(2)]))
    assert found.schema == pa.schema(
        [("bytes", pa.binary()), ("path", pa.string()), ("problem", pa.string())]
    )
    assert found.to_pylist() == [{"bytes": None, "path": None, "problem": None}] * 2
    assert refused(held, pa.array([7])) == (
        "the image column is int64; expected text (path or URL), bytes, or structs of 'bytes' and "
        "'path'; data.image names the column"
    )


# ---- laid out on disk


def test_parts_of_other_types_are_laid_out_as_the_first(tmp_path):
    parts = [
        pa.table({"a": pa.array([1], pa.int32()), "b": ["x"]}),
        pa.table({"a": pa.array([2], pa.int64()), "b": pa.nulls(1)}),
    ]
    found = unpacked.unpack(lambda: iter(parts), tmp_path, "s", "photos")
    assert found.table.schema == parts[0].schema
    assert [found.row(i, ["b", "a"]) for i in (0, 1)] == [{"b": "x", "a": 1}, {"b": None, "a": 2}]
    none = unpacked.unpack(lambda: iter([]), tmp_path, "other", "photos")
    assert (none.table.num_rows, none.table.column_names) == (0, [])
    assert len({found.path, none.path}) == len([*tmp_path.glob("*.arrow")]) == 2
    # what an earlier release laid out is found again: 16 letters of the SHA-256 of [1, "s"]
    named = hashlib.sha256(b'[1, "s"]').hexdigest()[:16]
    assert found.path.name == f"{named}.arrow"


def test_another_process_maps_the_file_anew(tmp_path):
    parts = [pa.table({"a": [1] * 10_000})]
    found = unpacked.unpack(lambda: iter(parts), tmp_path / "x" / "y", "s", "photos")
    assert found.table.num_rows == 10_000  # mapped here, which the other must not be sent
    sent = pickle.dumps(found)
    assert len(sent) < 1000
    again = pickle.loads(sent)
    assert (again.path, again.row(9_999, ["a"])) == (found.path, {"a": 1})
    assert found.table is found.table


# ---- as large as the processor makes them


def processed(image, model):
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import (
        Qwen2VLImageProcessorPil,
    )

    bounds = {"min_pixels": model.min_pixels or 3136, "max_pixels": model.max_pixels or 12845056}
    made = Qwen2VLImageProcessorPil(**bounds)(image, return_tensors="np")
    return made["pixel_values"], made["image_grid_thw"].tolist()


@pytest.mark.parametrize("model", [ModelConfig(max_pixels=40_000), ModelConfig(min_pixels=400_000)])
def test_the_processor_sees_in_a_fitted_photo_what_it_sees_in_the_whole_one(model):
    values = np.random.default_rng(0).integers(0, 256, (300, 500, 3), np.uint8)
    whole = Image.fromarray(values)
    fitted = sizes.fitted(whole, model)
    assert fitted.size != whole.size
    patches, grid = processed(fitted, ModelConfig())
    direct, same_grid = processed(whole, model)
    assert grid == same_grid == [[1, fitted.height // 14, fitted.width // 14]]
    assert np.abs(patches - direct).max() < 0.02  # a level of 256, of a spread of 4


@pytest.mark.parametrize(
    ("size", "model", "fits"),
    [
        # 16384 places of 28 x 28 pixels: 128 x 128, and a side more is too many
        ((3584, 3584), ModelConfig(min_pixels=3136), (3584, 3584)),
        ((3612, 3584), ModelConfig(min_pixels=3136), (3584, 3556)),
        # four places, and fewer are made more
        ((56, 56), ModelConfig(max_pixels=784_000), (56, 56)),
        ((28, 56), ModelConfig(max_pixels=784_000), (56, 84)),
        ((28, 84), ModelConfig(max_pixels=784_000), (56, 112)),
        # one side alone differs
        ((56, 60), ModelConfig(max_pixels=784_000), (56, 56)),
        ((60, 56), ModelConfig(max_pixels=784_000), (56, 56)),
    ],
)
def test_the_bounds_are_those_of_the_model_where_the_run_names_none(size, model, fits):
    assert sizes.fitted(Image.new("L", size), model).size == fits


@pytest.mark.parametrize(
    ("kind", "held"),
    [(pa.binary(), True), (pa.large_binary(), True), (pa.string(), False),
     (pa.large_string(), False)],
)  # fmt: skip
def test_columns_may_count_with_64_bits(kind, held):
    """As polars writes them."""
    given = pa.chunked_array([pa.array([encoded() if held else "a.jpg", None], kind)])
    first, second = images.unpacked(given).to_pylist()
    there = {"bytes": encoded(), "path": None} if held else {"bytes": None, "path": "a.jpg"}
    assert first == there | {"problem": None}
    assert second == {"bytes": None, "path": None, "problem": None}
