"""Which archives are told, and tar members of every kind, made header by header."""

import os
import tarfile
import zipfile

import pytest

from geodata.files import FileError
from geodata.images import tar


def block(name="a.jpg", size=0, kind=b"0", body=None, magic=True):
    """A header as GNU tar writes it, and what it announces."""
    head = bytearray(512)
    head[: len(name.encode())] = name.encode()
    head[124:136] = b"%011o\0" % size
    head[156:157] = kind
    if magic:
        head[257:265] = b"ustar\00000"
    head[148:156] = b"        "
    head[148:156] = b"%06o\0 " % sum(head)
    body = b"x" * size if body is None else body
    return bytes(head) + body + bytes(-len(body) % 512)


END = bytes(1024)


def pax(**said):
    lines = b""
    for key, value in said.items():
        line = b" %s=%s\n" % (key.encode(), str(value).encode())
        length = len(line) + 2
        while len(b"%d" % length) + len(line) != length:
            length = len(b"%d" % length) + len(line)
        lines += b"%d" % length + line
    return lines


def found(path, *blocks):
    path.write_bytes(b"".join(blocks))
    return [(one.name, one.offset, one.size) for one in tar.members(path, "tar")]


def refused(path, *blocks):
    with pytest.raises(FileError) as told:
        found(path, *blocks)
    assert str(told.value).startswith(f"{path}: ")
    return str(told.value).removeprefix(f"{path}: ")


def test_each_kind_of_member(tmp_path):
    path = tmp_path / "a.tar"
    assert found(path, *(block(f"{i}.jpg", 1, kind) for i, kind in enumerate((b"0", b"\0", b"7"))),
                 *(block("no.jpg", 0, kind) for kind in (b"1", b"2", b"3", b"5", b"6", b"g", b"D")),
                 block("old/", 0, b"\0", magic=False), block("last", 513), END) == [
        ("0.jpg", 512, 1), ("1.jpg", 1536, 1), ("2.jpg", 2560, 1), ("last", 7680, 513),
    ]  # fmt: skip
    assert refused(path, block("a", 5, b"S")) == (
        "holds a sparse member, which cannot be read in place"
    )
    path.write_bytes(block("m", 9) + END)
    (member,) = tar.members(path, "tar")
    assert member == tar.Member("m", 512, 9, 9, 0, 0)
    assert tar.read(path, member) == b"x" * 9


def test_what_follows_the_end_is_not_read(tmp_path):
    path = tmp_path / "a.tar"
    assert found(path, block("a"), bytes(512), block("b")) == [("a", 512, 0)]
    assert found(path, block("a", 5)) == [("a", 512, 5)]  # no end, and whole
    assert found(path, block("a")) == [("a", 512, 0)]
    cut = "is cut short: "
    assert refused(path, block("a", 5), b"x" * 9) == f"{cut}1033 bytes, a member ends at 1024"
    assert refused(path, block("a", 513)[:1024]) == f"{cut}the member at byte 0 ends at 1025"
    assert refused(path, block("a"), block("b")[:100] + bytes(512)) == (
        "no tar header at byte 512: damaged or cut short; fetch it again"
    )


def test_long_names_and_sizes_are_of_the_next_member(tmp_path):
    path, long = tmp_path / "a.tar", "n" * 150
    assert found(path, block("././@LongLink", 151, b"L", long.encode() + b"\0"), block("cut", 2),
                 block("b", 1), END) == [(long, 1536, 2), ("b", 2560, 1)]  # fmt: skip
    link = block("././@LongLink", 151, b"K", long.encode() + b"\0")
    name = block("././@LongLink", 3, b"L", "é\0".encode())
    assert found(path, name, link, block("x"), END) == [("é", 2560, 0)]
    assert found(path, block("g", 9, b"g", b"9 path=g\n"), block("b"), END) == [("b", 1536, 0)]
    said = pax(mtime="1.5", path="é/long.jpg", size=3, linkpath="k")
    assert found(path, block("pax", len(said), b"x", said), block("cut", 0, body=b"xyz"),
                 block("b", 1), END) == [("é/long.jpg", 1536, 3), ("b", 2560, 1)]  # fmt: skip
    folder = block("folder", 0, b"5")
    assert found(path, name, folder, block("b"), END) == [("b", 2048, 0)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pax(path="a=b"), {"path": "a=b"}), (pax(size="12", path="x"), {"size": "12", "path": "x"}),
        (pax(size="-1"), {}), (pax(size="1x"), {}), (pax(atime="1"), {}), (b"", {}), (b"\0\0", {}),
        (b"x path=a\n", {}), (b"0 path=a\n", {}), (b"99 path=a\n", {}),
        (b"9 path=a\n", {"path": "a"}),
        (b"9 path=a\nx", {"path": "a"}), (b"9 path=a\n\0junk", {"path": "a"}),
        (b"9 path=\xff\n", {"path": "\ufffd"}), (b"-9 path=a\n", {}),
    ],
)  # fmt: skip
def test_lines_of_pax(tmp_path, data, said):
    assert tar._extension(tmp_path, b"x", data) == said


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_a_name_of_a_tar_has_at_most_4096_bytes(tmp_path, kind):
    long = "n" * 4096
    data = long.encode() + b"\0" if kind == b"L" else pax(path=long)
    assert tar._extension(tmp_path, kind, data) == {"path": long}
    data = long.encode() + b"n\0" if kind == b"L" else pax(path=long + "n")
    with pytest.raises(FileError) as told:
        tar._extension(tmp_path, kind, data)
    shown = "n" * 60 if kind == b"L" else b"n" * 60
    said = "names a member in 4097" if kind == b"x" else "describes a member in more than 4096"
    assert str(told.value) == f"{tmp_path}: {said} bytes: {shown!r}..."


def test_a_header_of_pax_has_at_most_65536_bytes(tmp_path):
    path = tmp_path / "a.tar"
    said = pax(path="a", comment="c" * 65000)
    said += b"\0" * (65536 - len(said))
    assert found(path, block("p", 65536, b"x", said), block("b"), END)[0][0] == "a"
    assert refused(path, block("p", 65537, b"x", said + b"\0"), block("b"), END).startswith(
        "describes a member in more than 65536 bytes: '10 path=a"
    )


@pytest.mark.parametrize("prefix", [b"d", b"p" * 155])
def test_a_long_name_begins_in_a_field_of_its_own(tmp_path, prefix):
    head = bytearray(block("a.jpg"))
    head[345 : 345 + len(prefix)], head[500:501], head[148:156] = prefix, b"x", b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    assert found(tmp_path / "a.tar", head, END) == [(f"{prefix.decode()}/a.jpg", 512, 0)]


def test_two_headers_may_speak_of_one_member(tmp_path):
    said, name = pax(size=5), b"long.jpg\0"
    blocks = (block("L", len(name), b"L", name), block("p", len(said), b"x", said),
              block("short.jpg", 0, b"0", b"xxxxx"), END)  # fmt: skip
    assert found(tmp_path / "a.tar", *blocks) == [("long.jpg", 2560, 5)]


# which archive it is


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a", block("a"), "tar"), ("a", b"PK\x03\x04", "zip"), ("a", b"PK\x05\x06rest", "zip"),
        ("a", b"PK\x01\x02", None), ("a", block("a")[:511], None), ("a", b"", None),
        ("a.tar", bytes(512), "tar"), ("a.TAR", bytes(512), "tar"), ("a.bin", bytes(512), None),
        ("a.tar", bytes(511), None), ("a.gz", b"\x1f\x8b", None), ("a.tar.txt", b"text", None),
        ("a.tar", b"text" * 200, None), ("a.tar", b"\0text" * 200, None),
    ],
)  # fmt: skip
def test_an_archive_is_told_by_its_first_bytes(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert tar.archive_kind(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("name", "head", "packed"),
    [
        ("a.tar.gz", b"\x1f\x8b", "gzip"), ("A.TGZ", b"\x1f\x8b", "gzip"),
        ("a.tbz2", b"BZ", "bzip2"),
        ("a.txz", b"\xfd7", "xz"), ("a.Tar.zst", b"\x28\xb5", "zstd"),
    ],
)  # fmt: skip
def test_a_packed_tar_is_told(tmp_path, name, head, packed):
    (tmp_path / name).write_bytes(head + b"...")
    with pytest.raises(FileError) as told:
        tar.archive_kind(tmp_path / name)
    assert str(told.value) == (
        f"{tmp_path / name}: is a tar compressed with {packed}, so a member cannot be read in "
        "place; decompress it to a plain .tar first"
    )


def test_what_is_no_file_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe.tar")
    for name in ("pipe.tar", "", "none"):
        with pytest.raises(FileError) as told:
            tar.archive_kind(tmp_path / name)
        assert str(told.value) == f"{tmp_path / name}: is no regular file"


# a member where the index says it is


REMEDY = "the index beside the archive is not of it: remove NAME.index, and it is made again"


def test_the_header_before_a_member_is_checked(tmp_path):
    path, where = tmp_path / "a.tar", f"{tmp_path / 'a.tar'}#"
    names = ["./a.jpg", "n" * 150, "é.jpg", "link"]
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as made:
        for name in names:
            info = tarfile.TarInfo(name)
            info.type = tarfile.SYMTYPE if name == "link" else tarfile.REGTYPE
            made.addfile(info)
    at = {one.name: one for one in tar.members(path, "tar")}
    member = at["./a.jpg"]._replace(name="a.jpg")
    assert tar.read(path, member) == b""

    def said(wrong):
        with pytest.raises(FileError) as told:
            tar.read(path, wrong)
        return str(told.value).removeprefix(f"{where}{wrong.name}: ")

    nothing = "there is no member at byte {}; " + REMEDY
    assert said(member._replace(name="b.jpg")) == nothing.format(512)
    assert said(member._replace(offset=1024)) == nothing.format(1024)
    assert said(member._replace(offset=700)) == nothing.format(700)
    assert said(member._replace(size=7, packed=7)) == f"has 0 bytes and not 7; {REMEDY}"
    assert said(at["é.jpg"]._replace(offset=700)) == nothing.format(700)
    link = path.read_bytes().index(b"link\0") + 512
    assert said(member._replace(name="link", offset=link)) == nothing.format(link)
    assert tar.read(path, at["é.jpg"]._replace(name="è.jpg")) == b""  # not plain: not compared
    assert tar.read(path, at["n" * 150]._replace(name="m" * 100)) == b""
    assert said(at["n" * 150]._replace(name="m" * 99)).startswith("there is no member at byte ")


@pytest.mark.parametrize(
    ("field", "size"),
    [(b"00000000003\0", 3), (b"00000000003 ", 3), (b"         3 \0", 3),
     (b"10000000003\0", 8**10 + 3), (b"\x80" + bytes(10) + b"\3", 3),
     (b"\x81" + bytes(10) + b"\3", 256**11 + 3), (b"-0000000005\0", -5)],
)  # fmt: skip
def test_the_size_in_a_header_is_read_whole(tmp_path, field, size):
    head = bytearray(block("a.jpg", 3))
    head[124:136], head[136:148], head[148:156] = field, b"14751234567\0", b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    path, member = tmp_path / "a.tar", tar.Member("a.jpg", 512, 3, 3, 0, 0)
    path.write_bytes(head)
    if size == 3:
        assert tar.read(path, member) == b"xxx"
        assert list(tar.members(path, "tar")) == [member]
    else:
        told = f"is cut short: the member at byte 0 ends at {512 + size}"
        with pytest.raises(FileError, match=told):
            list(tar.members(path, "tar"))
        with pytest.raises(FileError, match=f"has {size} bytes and not 3"):
            tar.read(path, member)


def test_names_of_a_zip_are_compared_where_both_are_plain(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.jpg", b"xxx")
        made.writestr("é.jpg", b"yyy")
    plain, other = tar.members(path, "zip")
    assert tar.read(path, plain) == tar.read(path, plain._replace(name="è.jpg")) == b"xxx"
    assert tar.read(path, other) == tar.read(path, other._replace(name="b.jpg")) == b"yyy"
    with pytest.raises(FileError, match="there is no member of this name at byte 0"):
        tar.read(path, plain._replace(name="b.jpg"))


def test_a_header_of_a_zip_that_is_cut_is_no_member(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(20) + b"PK\x03\x04" + bytes(25))
    with pytest.raises(FileError, match="there is no member at byte 20; the index"):
        tar.read(path, tar.Member("a.jpg", 20, 0, 0, 0, 0))


def test_what_is_no_header_is_no_member(tmp_path):
    path, member = tmp_path / "a.tar", tar.Member("a.jpg", 512, 3, 3, 0, 0)
    whole = block("a.jpg", 3)
    path.write_bytes(whole)
    assert tar.read(path, member) == b"xxx"
    for content, at in ((whole[:148] + b"0000000\0" + whole[156:], 512), (bytes(100), 50)):
        path.write_bytes(content)
        with pytest.raises(FileError, match=f"there is no member at byte {at}; the index"):
            tar.read(path, member._replace(offset=at))


@pytest.mark.parametrize("filled", [0, 40, 100, 355])
def test_the_sum_of_a_header_is_that_of_tarfile(filled):
    head = bytearray(block("a.jpg"))
    head[157:512] = b"\xff" * filled + bytes(355 - filled)
    wanted, _ = tarfile.calc_chksums(bytes(head))
    for told in (wanted, wanted + 1, wanted - 1, wanted % 0o100000):
        head[148:156] = b"%06o\0 " % told
        assert tar._checksum_fits(bytes(head)) is (told == wanted)
    head[148:156] = b"%07o " % wanted  # no NUL ends it
    assert tar._checksum_fits(bytes(head))
