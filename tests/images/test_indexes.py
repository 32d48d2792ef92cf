"""An index beside an archive that somebody forged names no other bytes than the archive does."""

import io
import os
import tarfile
import zipfile

import numpy as np
import pytest

from geodata import files, images
from geodata.files import FileError
from geodata.images import archive as archives

LONG = "folder/" + "n" * 150 + ".jpg"
NAMES = ["a.jpg", "b.jpg", "ä.jpg", LONG, "./c.jpg"]


def packed(path, kind):
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as out:
            for i, name in enumerate(NAMES):
                out.writestr(name, bytes([65 + i]) * (i + 1))
        return path
    shape = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}
    with tarfile.open(path, "w", format=shape[kind]) as out:
        for i, name in enumerate(NAMES):
            if kind == "ustar" and name == LONG:
                name = "folder/" + "n" * 60 + "/" + "n" * 60 + ".jpg"
            info = tarfile.TarInfo(name)
            info.size = i + 1
            out.addfile(info, io.BytesIO(bytes([65 + i]) * (i + 1)))
    return path


@pytest.fixture(params=["zip", "pax", "gnu", "ustar"])
def path(request, tmp_path):
    ending = "zip" if request.param == "zip" else "tar"
    return packed(tmp_path / f"photos.{ending}", request.param)


def forged(path, **changes):
    """Write the index of an archive with other columns; return it opened."""
    archives._open.cache_clear()
    images.open_archive(path)
    target = images.index_path(path)
    kept = files.load_arrays(target)
    columns = {name: np.array(column) for name, column in kept.arrays.items()}
    for name, change in changes.items():
        columns[name] = change(columns[name])
    files.save_arrays(target, columns, dict(kept.meta))
    archives._open.cache_clear()
    return images.open_archive(path)


def test_what_is_in_it_can_be_read(path):
    opened = images.open_archive(path)
    for i, name in enumerate(opened.names.to_pylist()):
        assert opened.read(name) == bytes([65 + i]) * (i + 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": lambda c: c[::-1].copy()},
        {"offset": lambda c: c + 1},
        {"offset": lambda c: c * 0},
        {"offset": lambda c: c - 10**6},
        {"offset": lambda c: c + 10**9},
        {"size": lambda c: c + 100, "packed": lambda c: c + 100},
        {"size": lambda c: c * 0 - 1, "packed": lambda c: c * 0 - 1},
        {"crc": lambda c: c * 0 + 7},
        {"method": lambda c: c * 0 + 99},
    ],
    ids="+".join,
)
def test_a_place_that_is_another(path, changes):
    opened = forged(path, **changes)
    for i, name in enumerate(["a.jpg", "b.jpg"]):
        try:
            content = opened.read(name)
        except FileError:
            continue
        assert content == bytes([65 + i]) * (i + 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"name_starts": lambda c: c + 10**9},
        {"name_starts": lambda c: c[::-1].copy()},
        {"name_starts": lambda c: c[:-1]},
        {"name_member": lambda c: c + 10**9},
        {"base_member": lambda c: c * 0 - 77},
        {"base_member": lambda c: c[:-1]},
        {"offset": lambda c: c[:-1]},
        {"offset": lambda c: c.astype(np.float64)},
        {"name_bytes": lambda c: c[:-1]},
        {"size": lambda c: c[:0]},
    ],
    ids="+".join,
)
def test_columns_that_do_not_fit_are_made_again(path, changes):
    opened = forged(path, **changes)
    assert [opened.read(name) for name in ("a.jpg", "b.jpg")] == [b"A", b"BB"]


def test_a_folder_of_pictures_finds_no_pipe(tmp_path):
    import pyarrow as pa

    os.mkfifo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").mkdir()
    (tmp_path / "c.jpg").write_bytes(b"abc")
    found = images.open_images(tmp_path)
    references, _ = found.resolve(pa.array(["a.jpg", "b.jpg", "c.jpg"]))
    assert references.to_pylist() == [None, None, str(tmp_path / "c.jpg")]
