"""What a record holds of a picture, and what is wrong with pictures at first sight."""

import io
import os
import zipfile

import pytest
from PIL import Image

from geodata import images
from geodata.files import FileError
from geodata.images import embedding, tar
from geodata.images.embedding import leads_outside, reference_problems


def picture(comment=None):
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "JPEG", **({"comment": comment} if comment else {}))
    return out.getvalue()


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    (home / "d").mkdir(parents=True)
    (home / "d" / "a.jpg").write_bytes(picture())
    (home / "c.jpg").write_bytes(picture(b"a comment"))
    (home / "text.jpg").write_text("text")
    (home / "empty.jpg").touch()
    with zipfile.ZipFile(home / "p.zip", "w") as made:
        for name, content in (("x/m.jpg", picture(b"c")), ("y/m.jpg", b"2"), ("e.jpg", b"")):
            made.writestr(name, content)
    return home


def held(home, value, **options):
    one = images.Embedder(root=str(home), **options)
    return one.value(value), dict(one.stripped)


def test_by_default_members_of_archives_are_bytes_and_files_are_paths(home):
    plain, told = picture(), {"comment": 1, "pictures": 1}
    assert held(home, "d/a.jpg") == ({"bytes": None, "path": f"{home}/d/a.jpg"}, {})
    assert held(home, "https://e.org/a.jpg") == ({"bytes": None, "path": "https://e.org/a.jpg"}, {})
    assert held(home, "p.zip#x/m.jpg") == ({"bytes": plain, "path": "m.jpg"}, told)
    assert held(home, "p.zip#x/m.jpg", images="reference") == (
        {"bytes": None, "path": f"{home}/p.zip#x/m.jpg"}, {},
    )  # fmt: skip
    assert held(home, "d/a.jpg", images="bytes") == (
        {"bytes": plain, "path": "a.jpg"}, {"pictures": 0},
    )  # fmt: skip
    assert held(home, "c.jpg", images="bytes") == ({"bytes": plain, "path": "c.jpg"}, told)
    kept = {"bytes": picture(b"a comment"), "path": "c.jpg"}
    assert held(home, "c.jpg", images="bytes", keep_metadata=True) == (kept, {})


def test_bytes_that_a_row_holds_are_cleaned_whatever_is_asked_for(home):
    plain, told = picture(), {"comment": 1, "pictures": 1}
    own = picture(b"c")
    for how in ("auto", "bytes", "reference"):
        assert held(home, own, images=how) == ({"bytes": plain, "path": None}, told)
        assert held(home, {"bytes": own, "path": "n.jpg"}, images=how) == (
            {"bytes": plain, "path": "n.jpg"}, told,
        )  # fmt: skip
    assert held(home, {"bytes": None, "path": "d/a.jpg"})[0] == {
        "bytes": None, "path": f"{home}/d/a.jpg",
    }  # fmt: skip
    assert held(home, {"path": "p.zip#x/m.jpg"})[0]["bytes"] == plain


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"text of a row", "the picture of a row"), ({"bytes": b"text"}, "the picture of a row"),
        ({"bytes": b"text", "path": "n.jpg"}, "n.jpg"), ("text.jpg", "text.jpg"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_named(home, value, name):
    with pytest.raises(FileError) as told:
        held(home, value, images="bytes")
    assert str(told.value).startswith(f"{name}: is no picture, it begins with b'text")


def test_pictures_count_for_what_was_left_out(home):
    one = images.Embedder(root=str(home), images="bytes")
    for name in ("c.jpg", "d/a.jpg", "c.jpg"):
        one.value(name)
    assert one.stripped == {"comment": 2, "pictures": 2}


@pytest.mark.parametrize("more", [0, 1])
def test_a_picture_may_have_its_most_bytes_and_pixels(home, monkeypatch, more):
    content = picture()
    monkeypatch.setattr(tar, "MAX_MEMBER_BYTES", len(content) - more)
    monkeypatch.setattr(embedding, "MAX_PIXELS", 16)
    if not more:
        assert held(home, content)[0]["bytes"] == content
        monkeypatch.setattr(embedding, "MAX_PIXELS", 15)
        with pytest.raises(FileError, match="has 4 x 4 pixels, more than the 15 of one photo"):
            held(home, content)
        return
    with pytest.raises(FileError) as told:
        held(home, content)
    size = len(content)
    assert str(told.value) == (
        f"the picture of a row: {size} bytes, more than the {size - 1} of one photo"
    )


def test_a_pictures_pixels_are_those_that_pillow_takes_for_no_bomb():
    assert embedding.MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


def test_what_leads_outside_is_told(home, tmp_path, monkeypatch):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "b.jpg").write_bytes(b"b")
    (tmp_path / "secret.jpg").touch()
    monkeypatch.chdir(home)
    assert images.confined("d/a.jpg", None) == images.confined("d/../d/a.jpg", home) == picture()
    outside = "leads outside the folder {}; only pictures inside it are embedded or sent: set " \
              "image_root (--image-root) to the folder that holds them"  # fmt: skip
    for beside, homes in ((None, f"{home}"), ("../beside", f"{home} and {tmp_path / 'beside'}")):
        with pytest.raises(FileError) as told:
            images.confined("../secret.jpg", ".", beside)
        assert str(told.value) == f"../secret.jpg: {outside.format(homes)}"
    assert images.confined("../beside/b.jpg", ".", "../beside") == b"b"
    long = "d/../" * 50 + "../secret.jpg"
    with pytest.raises(FileError) as told:
        images.confined(long, home)
    assert str(told.value).startswith(f"{long[:200]}: leads outside")


@pytest.mark.parametrize(
    ("reference", "root", "beside", "out"),
    [
        ("a.jpg", None, None, False), ("../a.jpg", None, None, True),
        ("/etc/passwd", "r", None, True),
        ("d/../a.zip#b.jpg", "r", None, False), ("../s/a.jpg", "r", "s", False),
        ("../t/a.jpg", "r", "s", True), ("nul\0", "r", None, True), ("link", "r", None, True),
        ("link", "r", "s", False),
    ],
)  # fmt: skip
def test_where_a_reference_leads(tmp_path, monkeypatch, reference, root, beside, out):
    for name in "rs":
        (tmp_path / name).mkdir()
    (tmp_path / "r" / "link").symlink_to(tmp_path / "s" / "b.jpg")
    monkeypatch.chdir(tmp_path)
    assert leads_outside(reference, root, beside) is out


def test_problems_of_pictures_at_first_sight(home):
    os.mkfifo(home / "pipe.jpg")
    (home / "p.zip#f.jpg").write_bytes(picture())  # a file of that name, no member
    url = "is a URL; urls=True (--urls) leaves it to the reader"
    told = [
        ("d/a.jpg", None), ("text.jpg", "is no picture"), ("empty.jpg", "is empty"),
        ("none.jpg", "is not there"), ("pipe.jpg", "is not there"), ("nul\0.jpg", "is not there"),
        ("http://e.org/a.jpg", url), ("https://e.org/a.jpg", url), (picture(), None),
        (b"text", "is no picture"), (b"", "is no picture"), ({"bytes": picture()}, None),
        ({"bytes": None, "path": "text.jpg"}, "is no picture"), ({"path": "d/a.jpg"}, None),
        ("p.zip#x/m.jpg", None), ({"path": "p.zip#y/m.jpg"}, None), ("p.zip#none", "is not there"),
        ("p.zip#m.jpg", "names several members of its archive"), ("p.zip#e.jpg", "is empty"),
        ("p.zip#f.jpg", None), ("no.zip#m.jpg", "is not there"), ("d/a.jpg#x", "is not there"),
        (f"{home}/p.zip#x/m.jpg", None),
    ]  # fmt: skip
    values = [value for value, _ in told]
    assert reference_problems(values, str(home)) == [problem for _, problem in told]
    trusted = [None if problem == url else problem for _, problem in told]
    assert reference_problems(values, str(home), urls=True) == trusted
    assert reference_problems([], None) == []


def test_members_of_several_archives_keep_their_rows(home):
    with zipfile.ZipFile(home / "q.zip", "w") as made:
        made.writestr("e.jpg", b"q")
    asked = ["q.zip#e.jpg", "p.zip#e.jpg", "q.zip#x", "p.zip#x/m.jpg", "q.zip#e.jpg"]
    assert reference_problems(asked, str(home)) == [None, "is empty", "is not there", None, None]
