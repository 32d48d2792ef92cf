"""Pictures taken apart byte by byte: what stays, what goes, and what that is called."""

import io
import struct
import zlib

import pytest
from PIL import Image

from geodata.files import FileError
from geodata.images.metadata import check_pixels, kind_of, without_metadata

ICC = b"ICC_PROFILE\0\1\1profile"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpg"), (b"\xff\xd8", None), (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"GIF88a", None), (b"BM..", "bmp"),
        (b"II*\0", "tif"), (b"MM\0*", "tif"), (b"II\0*", None), (b"RIFF....WEBP", "webp"),
        (b"RIFF....WAVE", None), (b"RIFX....WEBP", None), (b"....ftypheic", "heic"),
        (b"....ftypheix", "heic"), (b"....ftypmif1", "heic"), (b"....ftypmsf1", "heic"),
        (b"....ftyphevc", "heic"), (b"....ftypavif", "avif"), (b"....ftypavis", "avif"),
        (b"....ftypmp42", None), (b"....fypeheic", None), (b"", None), (b"%PDF-1.7", None),
    ],
)  # fmt: skip
def test_a_kind_is_told_by_the_first_bytes(head, kind):
    assert kind_of(head) == kind


def exif(turn=None, **tags):
    """Return EXIF as bytes of TIFF."""
    made = Image.Exif()
    if turn:
        made[0x0112] = turn
    for name, value in tags.items():
        made[{"owner": 0x013B, "comment": 0x010E, "copyright": 0x8298, "make": 0x010F}[name]] = (
            value
        )
    return made.tobytes().removeprefix(b"Exif\0\0")


def turned(turn):
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, turn, 0, 0)


def segment(mark, body):
    return bytes([0xFF, mark]) + struct.pack(">H", len(body) + 2) + body


JFIF, CODED = segment(0xE0, b"JFIF\0..."), segment(0xDA, b"scan") + b"pixels\xff\0more\xff\xd0"
END = b"\xff\xd9"


@pytest.mark.parametrize(
    ("mark", "body", "why"),
    [
        (0xFE, b"a comment", "comment"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>", "xmp"),
        (0xED, b"Photoshop 3.0\0", "iptc"), (0xE2, b"MPF\0", "other"), (0xEF, b"x", "other"),
        (0xE1, b"Exif\0\0" + exif(make="X"), "exif"), (0xE1, b"Exif\0\0broken", "exif"),
        (0xEC, b"Ducky", "other"), (0xEC, b"Exif\0\0" + turned(6), "other"),
        (0xF0, b"x", None),
        (0xE0, b"JFXX\0", None), (0xE2, ICC, None), (0xEE, b"Adobe\0", None),
        (0xDB, b"table", None),
        (0xC0, b"frame", None), (0xE1, b"Exif\0\0" + turned(6), None),
    ],
)  # fmt: skip
def test_each_segment_of_a_jpeg_stays_or_goes(mark, body, why):
    part = segment(mark, body)
    whole = b"\xff\xd8" + JFIF + part + CODED + END
    left, told = without_metadata(whole, "a.jpg")
    assert told == ((why,) if why else ())
    assert left == (whole if why is None else b"\xff\xd8" + JFIF + CODED + END)


@pytest.mark.parametrize("turn", range(1, 9))
def test_of_exif_the_orientation_stays(turn):
    body = b"Exif\0\0" + exif(turn, owner="me", comment="Lake Como", copyright="c")
    whole = b"\xff\xd8" + segment(0xE1, body) * 2 + CODED + END
    left, told = without_metadata(whole, "a.jpg")
    assert told == ("comment", "exif", "owner")
    kept = segment(0xE1, b"Exif\0\0" + turned(turn)) if turn > 1 else b""
    assert left == b"\xff\xd8" + kept + CODED + END
    assert without_metadata(left, "a.jpg") == (left, ())


@pytest.mark.parametrize(
    ("after", "told"),
    [(b"", ()), (b"\0\0", ()), (b"\xff\xd8second", ("trailer",)), (b"\0x", ("trailer",))],
)
def test_what_follows_a_jpeg_goes(after, told):
    whole = b"\xff\xd8" + CODED + END + after
    assert without_metadata(whole, "a.jpg") == (b"\xff\xd8" + CODED + END if told else whole, told)


def test_a_cut_jpeg_keeps_its_pixels_and_markers_alone_stay():
    whole = b"\xff\xd8" + segment(0xFE, b"c") + b"\xff\x01\xff\xd8" + CODED + b"\xff"
    left, told = without_metadata(whole, "a.jpg")
    assert (left, told) == (b"\xff\xd8\xff\x01\xff\xd8" + CODED + b"\xff", ("comment",))


@pytest.mark.parametrize("size", [0, 1, 9])
def test_a_segment_of_no_such_length_is_damage(size):
    with pytest.raises(FileError) as told:
        without_metadata(b"\xff\xd8\xff\xfe" + struct.pack(">H", size) + b"abcd", "a.jpg")
    assert str(told.value) == "a.jpg: is damaged: a segment is longer than the file"


def chunk(kind, body=b""):
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13)
DATA, IEND = chunk(b"IDAT", b"pixels"), chunk(b"IEND")


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        *((kind, b"x", None) for kind in (b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB",
          b"iCCP", b"cICP",
          b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"hIST", b"sPLT", b"IDAT")),
        (b"tEXt", b"Comment\0x", "comment"), (b"zTXt", b"x", "comment"),
        (b"iTXt", b"Title\0", "comment"),
        (b"iTXt", b"XML:com.adobe.xmp\0", "xmp"), (b"tEXt", b"XML:com.adobe.xmp\0", "comment"),
        (b"tIME", b"x", "other"), (b"prVt", b"x", "other"), (b"eXIf", exif(make="X"), "exif"),
        (b"eXIf", turned(3), None),
    ],
)  # fmt: skip
def test_each_chunk_of_a_png_stays_or_goes(kind, body, why):
    part = chunk(kind, body)
    whole = HEAD + part + DATA + IEND
    left, told = without_metadata(whole, "a.png")
    assert (left, told) == ((whole, ()) if why is None else (HEAD + DATA + IEND, (why,)))


@pytest.mark.parametrize("turn", [1, 2, 8])
def test_a_turned_png_stays_turned(turn):
    left, told = without_metadata(HEAD + chunk(b"eXIf", exif(turn, owner="me")) + DATA + IEND, "a")
    assert told == ("exif", "owner")
    assert left == HEAD + (chunk(b"eXIf", turned(turn)) if turn > 1 else b"") + DATA + IEND


@pytest.mark.parametrize(("after", "told"), [(b"", ()), (b"\0", ()), (b"\0z", ("trailer",))])
def test_what_follows_a_png_goes(after, told):
    whole = HEAD + DATA + IEND + after
    assert without_metadata(whole, "a") == (HEAD + DATA + IEND if told else whole, told)


@pytest.mark.parametrize("cut", [1, 4])
def test_a_cut_png_is_damage(cut):
    with pytest.raises(FileError, match=r"^a\.png: is damaged: a chunk is longer than the file$"):
        without_metadata((HEAD + DATA)[:-cut], "a.png")


def part(kind, body):
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp(*parts, after=b""):
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body + after


@pytest.mark.parametrize("marked", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("turn", [1, 6])
def test_a_webp_keeps_its_pictures_profile_and_orientation(turn, marked):
    flags, pixels, profile = 0xFF, part(b"VP8 ", b"odd"), part(b"ICCP", b"p!")
    whole = webp(
        part(b"VP8X", bytes([flags]) + b"\1" * 9), profile, pixels,
        part(b"EXIF", marked + exif(turn, owner="me")), part(b"XMP ", b"<x/>"),
    )  # fmt: skip
    left, told = without_metadata(whole, "a.webp")
    assert told == ("exif", "owner", "xmp")
    kept = [part(b"EXIF", turned(turn))] if turn > 1 else []
    marks = 0xF3 | (0x08 if kept else 0)  # neither XMP nor EXIF, unless the orientation stays
    assert left == webp(part(b"VP8X", bytes([marks]) + b"\1" * 9), profile, pixels, *kept)
    assert without_metadata(left, "a.webp") == (left, ())


@pytest.mark.parametrize(("after", "told"), [(b"", ()), (b"\0", ()), (b"\0\0", ("trailer",))])
def test_what_follows_a_webp_goes(after, told):
    whole = webp(part(b"VP8 ", b"abcd"))
    assert without_metadata(whole + after, "a") == (whole if told else whole + after, told)


def test_a_cut_webp_is_damage():
    with pytest.raises(FileError, match="is damaged: a chunk is longer than the file"):
        without_metadata(webp(part(b"VP8 ", b"abcdef"))[:-3], "a")


SCREEN = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + b"\1" * 6
PICTURE = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0x81) + b"\2" * 12 + b"\x02\x03abc\x01d\0"
LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (LOOP, None), (LOOP.replace(b"NETSCAPE2.0", b"ANIMEXTS1.0"), None),
        (b"\x21\xf9\x04\0\0\0\0\0", None), (b"\x21\x01\x02ab\0", None),
        (b"\x21\xfe\x05hello\x02yo\0", "comment"),
        (b"\x21\xff\x0bXMP DataXMP<x/>"[:14] + b"\0", "xmp"),
        (b"\x21\xff\x0bSOMEAPP 1.0\0", "comment"),
    ],
)  # fmt: skip
def test_each_block_of_a_gif_stays_or_goes(block, why):
    whole = SCREEN + block + PICTURE + b";"
    left, told = without_metadata(whole, "a.gif")
    assert (left, told) == ((whole, ()) if why is None else (SCREEN + PICTURE + b";", (why,)))


def test_tables_of_colours_are_as_long_as_they_say():
    for bits in range(8):
        colours = b"\7" * (3 << (bits + 1))
        screen = b"GIF87a" + struct.pack("<HHBBB", 2, 2, 0x80 | bits, 0, 0) + colours
        picture = (
            b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0x80 | bits) + colours + b"\x02\x01a\0"
        )
        whole = screen + b"\x21\xfe\x01c\0" + picture + b";tail"
        assert without_metadata(whole, "a") == (screen + picture + b";", ("comment", "trailer"))
    plain = b"GIF87a" + struct.pack("<HHBBB", 2, 2, 0x07, 0, 0)
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0x07) + b"\x02\x01a\0"
    assert without_metadata(plain + picture + b";\0", "a") == (plain + picture + b";\0", ())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SCREEN + b"?", "there is no GIF block at byte 19"),
        (SCREEN + PICTURE, "index out of range"),
        (SCREEN[:-1], "index out of range"),
    ],
)
def test_a_damaged_gif_is_told(data, said):
    with pytest.raises(FileError) as told:
        without_metadata(data, "a.gif")
    assert str(told.value) == f"a.gif: is damaged: {said}"


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"II*\0rest", "is TIF"), (b"....ftypavif", "is AVIF"), (b"text", "is no picture")],
)
def test_kinds_that_are_not_taken_apart_are_told(data, what):
    with pytest.raises(FileError) as told:
        without_metadata(data, "a")
    assert str(told.value) == (
        f"a: {what}, from which EXIF cannot be taken without decoding it; convert it to JPEG or "
        "PNG, or embed it as it is (keep_metadata=True, --keep-metadata)"
    )
    assert without_metadata(b"BMrest", "a") == (b"BMrest", ())


def test_pixels_are_counted_from_the_header():
    made = io.BytesIO()
    Image.new("1", (40, 25)).save(made, "PNG")
    check_pixels(made.getvalue(), "a.png", 1000)
    for data, said in (
        (made.getvalue(), "has 40 x 25 pixels, more than the 999 of one photo"),
        (b"text and more of it than is shown", "is no picture, it begins with b'text and more of'"),
    ):
        with pytest.raises(FileError) as told:
            check_pixels(data, "a.png", 999)
        assert str(told.value) == f"a.png: {said}"
    with pytest.raises(FileError, match=r"^a\.png: begins like a picture and is none: "):
        check_pixels(made.getvalue()[:12], "a.png", 1000)
    check_pixels(b"....ftypheic" + b"\0" * 20, "a.heic", 1)


@pytest.mark.parametrize("body", [turned(6), b"Exif\0\0" + turned(6)])
def test_a_webp_that_loses_something_else_keeps_its_orientation_as_it_was(body):
    first, pixels = part(b"VP8X", b"\x0c" + b"\1" * 9), part(b"VP8 ", b"odd")
    whole = webp(first, pixels, part(b"EXIF", body), part(b"XMP ", b"<x/>"), part(b"abcd", b"z"))
    left, told = without_metadata(whole, "a.webp")
    assert told == ("xmp",)
    kept = part(b"VP8X", b"\x08" + b"\1" * 9)
    assert left == webp(kept, pixels, part(b"EXIF", body), part(b"abcd", b"z"))


@pytest.mark.parametrize(
    ("tag", "told", "inside"),
    [
        (0xA430, "owner", True), (0x013B, "owner", False), (0x8298, "owner", False),
        (0xA431, "serial", True), (0xA435, "serial", True), (0xC62F, "serial", False),
        (0x9286, "comment", True), (0x010E, "comment", False), (0x9C9C, "comment", False),
        (0x9C9B, "comment", False), (0x010F, None, False), (0x9003, None, True),
    ],
)  # fmt: skip
def test_what_a_tag_of_exif_is_called(tag, told, inside):
    made = Image.Exif()
    value = b"ab" if tag in (0x9286, 0x9C9C, 0x9C9B) else "ab"
    if inside:
        made[0x8769] = {tag: value}
    else:
        made[tag] = value
    body = b"Exif\0\0" + made.tobytes().removeprefix(b"Exif\0\0")
    _, found = without_metadata(b"\xff\xd8" + segment(0xE1, body) + CODED + END, "a")
    assert set(found) == {"exif", told} - {None}


def test_a_place_and_a_thumbnail_are_told():
    made = Image.Exif()
    made[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    body = b"Exif\0\0" + made.tobytes().removeprefix(b"Exif\0\0")
    _, found = without_metadata(b"\xff\xd8" + segment(0xE1, body) + CODED + END, "a")
    assert found == ("exif", "gps")
    small = b"II*\0\x08\0\0\0" + struct.pack("<HIHHHII", 0, 14, 1, 0x0103, 3, 1, 6)
    body = b"Exif\0\0" + small + bytes(4)
    _, found = without_metadata(b"\xff\xd8" + segment(0xE1, body) + CODED + END, "a")
    assert found == ("exif", "thumbnail")


@pytest.mark.filterwarnings("error")
def test_a_large_picture_is_judged_by_us_and_not_by_pillow():
    def png(width, height):
        size = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + DATA + IEND

    check_pixels(png(10_000, 10_000), "a.png", 10**8)
    with pytest.raises(FileError) as told:
        check_pixels(png(10_000, 10_000), "a.png", 10**8 - 1)
    said = "a.png: has 10000 x 10000 pixels, more than the 99,999,999 of one photo"
    assert str(told.value) == said
    with pytest.raises(FileError, match=r"^a\.png: Image size \(400000000 pixels\) exceeds"):
        check_pixels(png(20_000, 20_000), "a.png", 10**9)


@pytest.mark.parametrize(("head", "other"), [(b"....ftypavif", False), (b"....ftypheic", False),
                                             (b"RIFF....WEBP", True), (b"BM", True)])  # fmt: skip
def test_a_kind_that_pillow_may_not_know_is_taken_on_trust(head, other):
    if not other:
        check_pixels(head + b"\0" * 20, "a", 1)
        return
    with pytest.raises(FileError, match="begins like a picture and is none: "):
        check_pixels(head + b"\0" * 20, "a", 1)


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_a_single_byte_behind_a_picture_goes(kind):
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, kind)
    clean, told = without_metadata(out.getvalue() + b"x", "a")
    assert (clean, told) == (out.getvalue(), ("trailer",))


@pytest.mark.parametrize(("turn", "kept"), [(8, {0x0112: 8}), (9, {})])
def test_there_are_eight_ways_to_turn_a_picture(turn, kept):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x0110] = turn, "Camera"
    Image.new("L", (4, 4)).save(out, "JPEG", exif=exif)
    clean, _ = without_metadata(out.getvalue(), "a")
    assert dict(Image.open(io.BytesIO(clean)).getexif()) == kept
