"""The headers of a tar archive, byte by byte, beside what Python's own tarfile writes."""

import io
import re
import tarfile
from pathlib import Path

import pytest

from geodata.files import FileError
from geodata.images import tar


@pytest.mark.parametrize(
    ("field", "number"),
    [
        (b"0000017\0", 15), (b"     17\0", 15), (b"17 \0    ", 15), (b"        ", 0),
        (b"\0" * 8, 0),
        (b"17\x0099999", 15), (b"\x80\0\0\0\0\0\1\2", 258),
        (b"\xff" + b"\0" * 6 + b"\1", 0x7F << 56 | 1),
        (b"\x81\0\0\0\0\0\0\0", 1 << 56), (b"00000000017 ", 15),
    ],
)  # fmt: skip
def test_a_number_is_octal_or_big_endian(field, number):
    assert tar._number(field) == number


@pytest.mark.parametrize("field", [b"0000018\0", b"x", b"1 7\0"])
def test_what_is_no_number_is_refused(field):
    with pytest.raises(ValueError):
        tar._number(field)


def header(name="a.jpg", size=5, form=tarfile.USTAR_FORMAT):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(form)[:512]


@pytest.mark.parametrize("name", ["a.jpg", "p" * 100, "folder/" * 20 + "x.jpg", "é.jpg"])
def test_a_name_is_in_two_parts(name):
    head = header(name)
    assert tar._name(head) == name
    assert tar._checksum_fits(head)


def test_a_prefix_counts_only_where_the_form_has_one():
    head = header("folder/" * 20 + "x.jpg")
    old = head[:257] + b"ustar  " + head[264:]
    assert tar._name(old) == head[:100].split(b"\0")[0].decode()
    assert tar._name(b"\xff" + head[1:]).startswith("\ufffd") or head[345]


@pytest.mark.parametrize("at", [0, 99, 147, 156, 300, 511])
@pytest.mark.parametrize("by", [1, 255])
def test_any_changed_byte_is_noticed(at, by):
    head = bytearray(header("p" * 100))
    head[at] = (head[at] + by) % 256
    assert not tar._checksum_fits(bytes(head))


@pytest.mark.parametrize("text", [b"0000000\0", b"xxxxxxx\0", b"\0" * 8])
def test_another_sum_is_noticed(text):
    head = header()
    assert not tar._checksum_fits(head[:148] + text + head[156:])


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_of_the_archive(tmp_path, form):
    names = ["a.jpg", "b/c.jpg", "empty.jpg"]
    if form != tarfile.USTAR_FORMAT:
        names += ["long/" * 40 + "x.jpg", "ü" * 90 + ".jpg"]
    sizes = [5, 512, 0, 513, 1][: len(names)]
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=form) as made:
        folder = tarfile.TarInfo("b")
        folder.type = tarfile.DIRTYPE
        made.addfile(folder)
        for name, size in zip(names, sizes, strict=True):
            info = tarfile.TarInfo(name)
            info.size = size
            made.addfile(info, io.BytesIO(b"x" * size))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "a.jpg"
        made.addfile(link)
    with tarfile.open(path) as known:
        wanted = [(m.name, m.offset_data, m.size) for m in known.getmembers() if m.isfile()]
    found = list(tar._tar_members(path))
    assert [(m.name, m.offset, m.size) for m in found] == wanted
    whole = path.read_bytes()
    path.write_bytes(whole[: wanted[1][1] + 100])
    with pytest.raises(FileError) as told:
        list(tar._tar_members(path))
    start, size = wanted[1][1:]
    assert str(told.value).startswith(f"{path}: is cut short: the member at byte ")
    assert str(told.value).endswith(f" ends at {start + size}")
    path.write_bytes(whole[:1536].replace(b"ustar", b"usta?"))
    with pytest.raises(FileError, match="no tar header at byte 0: damaged or cut short; fetch it"):
        list(tar._tar_members(path))


@pytest.mark.skipif(not Path("/proc/self/io").is_file(), reason="reads are counted by Linux only")
def test_of_a_large_archive_only_headers_are_read(tmp_path):
    """A buffer would read most of what lies between them: of photos, nearly everything."""
    path, members, size = tmp_path / "a.tar", 200, 40_000
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for i in range(members):
            info = tarfile.TarInfo(f"{i}.jpg")
            info.size = size
            archive.addfile(info, io.BytesIO(bytes(size)))

    def read():
        return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])

    before = read()
    found = list(tar._tar_members(path))
    assert len(found) == members
    assert read() - before < 2 * members * 512 + 4096
