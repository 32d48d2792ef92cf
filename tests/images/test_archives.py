"""How a name is found in an archive: whole, below its top folder, by its base."""

import io
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from geodata import files, images
from geodata.files import FileError
from geodata.images import archive as archives, tar
from geodata.images.archive import ABSENT, AMBIGUOUS


def tarred(path, *names):
    with tarfile.open(path, "w") as made:
        for i, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size = i + 1
            made.addfile(info, io.BytesIO(b"x" * (i + 1)))
    return path


def find(path, *names):
    return images.open_archive(path).find(pa.array(names, pa.string())).tolist()


def test_a_whole_name_counts_before_the_top_folder_and_that_before_a_base(tmp_path):
    path = tarred(tmp_path / "a.tar", "t/x.jpg", "t/t/x.jpg", "t/d/y.jpg", "t/e/z.jpg", "t/f/z.jpg",
                  "t/45_77_32.jpg", "t/d/y.jpg")  # fmt: skip
    opened = images.open_archive(path)
    assert (len(opened), opened.prefix) == (7, "t/")
    names = pa.array(["t/x.jpg", "x.jpg", "d/y.jpg", "y.jpg", "z.jpg", "e/z.jpg", "45/77/32.jpg",
                      "45_77_32.jpg", "no/45/77/32.jpg", "none", None, "", "t/z.jpg"])  # fmt: skip
    found = opened.find(names)
    assert found.tolist()[:8] == [0, 0, 6, 6, AMBIGUOUS, 3, 5, 5]
    assert found.tolist()[8:] == [ABSENT] * 5
    assert opened.sizes(found).tolist() == [1, 1, 7, 7, -1, 4, 6, 6, -1, -1, -1, -1, -1]
    assert opened.find(names[3:5]).tolist() == [6, AMBIGUOUS]
    assert opened.find(pa.array([], pa.string())).tolist() == []
    assert opened.read("t/t/x.jpg") == b"xx"


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["a/b/1", "a/b/2"], "a/b/"), (["a/b/1", "a/c"], "a/"), (["ab/1", "ac/1"], ""),
        (["a/1"], "a/"), (["1"], ""), (["a/b", "a/b/c"], "a/"), (["./a/1", "a/2"], "a/"),
        (["a/2", "b", "a/1"], ""), (["é/1", "é/2"], "é/"),
    ],
)  # fmt: skip
def test_the_folder_that_every_member_lies_in(tmp_path, names, prefix):
    opened = images.open_archive(tarred(tmp_path / "a.tar", *names))
    assert opened.prefix == prefix
    assert opened.names.to_pylist() == [name.removeprefix("./") for name in names]


def test_of_a_name_only_the_mark_of_the_folder_itself_is_left_out(tmp_path):
    """Names that begin with points of their own keep them."""
    names = [".hidden.jpg", "./.a/b.jpg", "..c.jpg", "././d.jpg"]
    opened = images.open_archive(tarred(tmp_path / "a.tar", *names))
    assert opened.names.to_pylist() == [".hidden.jpg", ".a/b.jpg", "..c.jpg", "./d.jpg"]
    assert opened.read(".hidden.jpg") == b"x"
    assert opened.read(".a/b.jpg") == b"xx"
    assert find(tmp_path / "a.tar", "hidden.jpg", "a/b.jpg", "c.jpg") == [ABSENT] * 3


def test_an_archive_without_members_has_none(tmp_path):
    tarfile.open(tmp_path / "a.tar", "w").close()
    assert find(tmp_path / "a.tar", "a", None) == [ABSENT, ABSENT]
    with pytest.raises(FileError) as told:
        images.open_archive(tmp_path / "a.tar").read("a")
    assert str(told.value) == f"{tmp_path / 'a.tar'}#a: no such member; the archive has 0"
    zipfile.ZipFile(tmp_path / "b.zip", "w").close()
    assert find(tmp_path / "b.zip", "a") == [ABSENT]


def test_what_cannot_be_read_is_told(tmp_path):
    path = tarred(tmp_path / "a.tar", "d/a.jpg", "e/a.jpg")
    opened = images.open_archive(path)
    for name, said in (("a.jpg", "several members have this base name"), ("b", "no such member")):
        with pytest.raises(FileError) as told:
            opened.read(name)
        assert str(told.value) == (
            f"{path}#{name}: {said}; the archive has 2, such as 'd/a.jpg'"
        )  # fmt: skip
    for name in ("none.tar", "nul\0.tar"):
        with pytest.raises(FileError) as told:
            images.open_archive(tmp_path / name)
        assert str(told.value) == f"{tmp_path / name}: there is no such archive"
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(FileError) as told:
        images.open_archive(tmp_path / "text.zip")
    said = "is neither a tar nor a zip; expected an archive of photos"
    assert str(told.value) == f"{tmp_path / 'text.zip'}: {said}"


def test_equal_hashes_of_other_names_are_no_find(tmp_path, monkeypatch):
    """Names are compared beside their hashes: here all hashes are one."""
    monkeypatch.setattr(archives, "text_hashes", lambda texts: np.ones(len(texts), np.uint64))
    opened = images.open_archive(tarred(tmp_path / "a.tar", "b.jpg"))
    assert opened.find(pa.array(["b.jpg", "c.jpg", None])).tolist() == [0, ABSENT, ABSENT]


@pytest.mark.parametrize("change", [None, "layout", "size", "mtime_ns", "prefix"])
def test_an_index_is_taken_if_it_was_made_for_this_archive(tmp_path, change):
    path = tarred(tmp_path / "a.tar", "t/a.jpg")
    images.open_archive(path)
    kept = files.load_arrays(images.index_path(path))
    state = path.stat()
    assert kept.meta == {"layout": 1, "size": state.st_size, "mtime_ns": state.st_mtime_ns,
                         "archive": "a.tar", "prefix": "t/"}  # fmt: skip
    columns = {name: np.array(column) for name, column in kept.arrays.items()}
    columns["size"][:] = 99
    meta = dict(kept.meta) | ({} if change is None else {change: 5})
    files.save_arrays(images.index_path(path), columns, meta)
    archives._open.cache_clear()
    opened = images.open_archive(path)
    assert opened.columns["size"].tolist() == ([99] if change is None else [1])
    again = files.load_arrays(images.index_path(path))
    assert again.arrays["size"].tolist() == ([99] if change is None else [1])


def test_where_no_index_can_be_kept_it_is_in_memory(tmp_path, monkeypatch):
    def full(*_):
        raise OSError

    monkeypatch.setattr(files, "save_arrays", full)
    path = tarred(tmp_path / "a.tar", "t/a.jpg")
    opened = images.open_archive(path)
    assert (opened.prefix, opened.read("a.jpg")) == ("t/", b"x")
    assert not images.index_path(path).exists()


def test_an_archive_that_changed_is_indexed_again(tmp_path):
    path = tarred(tmp_path / "a.tar", "a.jpg")
    assert find(path, "b.jpg") == [ABSENT]
    tarred(path, "a.jpg", "b.jpg", *(f"{i}.jpg" for i in range(40)))
    assert find(path, "b.jpg") == [1]


# zip files, byte by byte


def zipped(path, name="a.jpg", content=b"abc" * 500, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", how) as made:
        made.writestr(name, content)
    (member,) = tar.members(path, "zip")
    return member


def refused(path, member):
    with pytest.raises(FileError) as told:
        tar.read(path, member)
    assert str(told.value).startswith(f"{path}#{member.name}: ")
    return str(told.value).removeprefix(f"{path}#{member.name}: ")


REMEDY = "the index beside the archive is not of it: remove NAME.index, and it is made again"


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_of_a_zip_is_read_in_place(tmp_path, how):
    path, content = tmp_path / "a.zip", b"abc" * 500
    member = zipped(path, "d/./a.jpg", content, how)
    assert member == tar.Member("d/./a.jpg", 0, 1500, member.packed, how, member.crc)
    assert tar.read(path, member) == content
    assert refused(path, member._replace(size=1499)) == "is damaged: the CRC-32 does not match"
    assert refused(path, member._replace(size=1501)) == "is damaged: the CRC-32 does not match"
    assert refused(path, member._replace(crc=7)) == "is damaged: the CRC-32 does not match"
    assert refused(path, member._replace(offset=1)) == f"there is no member at byte 1; {REMEDY}"
    said = f"there is no member of this name at byte 0; {REMEDY}"
    assert refused(path, member._replace(name="b.jpg")) == said
    assert refused(path, member._replace(packed=10**6)) == "a.zip is cut short; fetch it again"
    end = path.stat().st_size
    assert refused(path, member._replace(offset=end - 9, packed=9)) == (
        f"there is no member at byte {end - 9}; {REMEDY}"
    )
    assert refused(path, member._replace(method=12)) == (
        "is packed with method 12; only stored and deflated members can be read"
    )
    for size in (-1, tar.MAX_MEMBER_BYTES + 1):
        assert refused(path, member._replace(size=size)) == (
            f"{size} bytes, more than the 67108864 of one photo"
        )
    data = bytearray(path.read_bytes())
    data[6] |= 1
    path.write_bytes(data)
    assert refused(path, member) == "is encrypted; only stored and deflated members can be read"
    with pytest.raises(FileError, match=r"none\.zip#d/\./a\.jpg: cannot be read: No such file"):
        tar.read(tmp_path / "none.zip", member)


def test_a_member_may_have_the_most_bytes_of_a_photo(tmp_path, monkeypatch):
    member = zipped(tmp_path / "a.zip")
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 1500)
    assert tar.read(tmp_path / "a.zip", member) == b"abc" * 500
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", 1499)
    assert refused(tmp_path / "a.zip", member) == "1500 bytes, more than the 1499 of one photo"


def test_damage_of_what_is_packed_is_told(tmp_path):
    member = zipped(tmp_path / "a.zip")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[30 + 5 : 30 + 8] = b"\xff\xff\xff"
    (tmp_path / "a.zip").write_bytes(data)
    assert refused(tmp_path / "a.zip", member).startswith("is damaged: Error -3 while decompress")


def test_names_of_zips_are_compared_where_both_are_plain(tmp_path):
    member = zipped(tmp_path / "a.zip", "./a.jpg")
    assert tar.read(tmp_path / "a.zip", member._replace(name="a.jpg")) == b"abc" * 500
    other = zipped(tmp_path / "b.zip", "é.jpg")
    assert tar.read(tmp_path / "b.zip", other) == b"abc" * 500
    assert tar.read(tmp_path / "b.zip", other._replace(name="plain.jpg")) == b"abc" * 500
    empty = zipped(tmp_path / "c.zip", "a.jpg", b"", zipfile.ZIP_STORED)
    assert (empty.crc, tar.read(tmp_path / "c.zip", empty)) == (0, b"")


@pytest.mark.parametrize(
    ("size", "packed", "bomb"),
    [
        (1 << 20, 1, False), ((1 << 20) + 1, 1, True), (2_000_000, 20_000, False),
        (2_000_001, 20_000, True),
    ],
)  # fmt: skip
def test_what_is_packed_to_less_than_a_hundredth_is_a_bomb(tmp_path, size, packed, bomb):
    info = zipfile.ZipInfo("a.jpg")
    info.header_offset, info.file_size, info.compress_size = 0, size, packed
    if not bomb:
        tar._refuse_bombs(tmp_path, [info])
        return
    with pytest.raises(FileError) as told:
        tar._refuse_bombs(tmp_path, [info])
    assert str(told.value) == (
        f"{tmp_path}#a.jpg: {packed} bytes that claim to be {size}, more than 100 times as many; a "
        "photo is not packed so"
    )


@pytest.mark.parametrize(("start", "over"), [(130, False), (129, True)])
def test_members_do_not_lie_over_each_other(tmp_path, start, over):
    infos = [zipfile.ZipInfo("b.jpg"), zipfile.ZipInfo("a.jpg")]
    for info, at in zip(infos, (start, 0), strict=True):
        info.header_offset, info.compress_size, info.file_size = at, 100, 100
    if not over:
        tar._refuse_bombs(tmp_path, infos)
        return
    with pytest.raises(FileError) as told:
        tar._refuse_bombs(tmp_path, infos)
    said = "lies over the member 'a.jpg'; no archiver packs so"
    assert str(told.value) == f"{tmp_path}#b.jpg: {said}"


@pytest.mark.parametrize(("name", "long"), [("é" * 2048, False), ("é" * 2048 + "x", True)])
def test_a_name_has_at_most_4096_bytes(tmp_path, name, long):
    info = zipfile.ZipInfo(name)
    info.header_offset = 0
    if not long:
        tar._refuse_bombs(tmp_path, [info])
        return
    with pytest.raises(FileError) as told:
        tar._refuse_bombs(tmp_path, [info])
    assert str(told.value) == f"{tmp_path}#{name[:200]}...: a name of more than 4096 bytes"


def test_folders_of_a_zip_are_no_members_and_damage_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.mkdir("d")
        made.writestr("d/a.jpg", b"x")
    assert [one.name for one in tar.members(tmp_path / "a.zip", "zip")] == ["d/a.jpg"]
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-10])
    with pytest.raises(FileError, match=r"a\.zip: cannot be read as zip: File is not a zip file"):
        list(tar.members(tmp_path / "a.zip", "zip"))


def test_of_many_equal_names_the_last_counts(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as made:
        for i in range(300):
            info = tarfile.TarInfo(f"{i % 3}.jpg")
            info.size = 3
            made.addfile(info, io.BytesIO(b"%03d" % i))
    opened = images.open_archive(path)
    assert [opened.read(f"{i}.jpg") for i in range(3)] == [b"297", b"298", b"299"]
    assert len(opened.find(pa.array([], pa.string()))) == 0
