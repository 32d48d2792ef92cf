"""A map that can be moved: one file, the rows at their places, nothing fetched."""

import base64
import gzip
import re
import sys

import numpy as np
import pytest

from geodata import maps, tables
from geodata.files import FileError

from .pages import parts_of

ROWS = {"id": ["a", "b", "c", "d"], "lat": [48.9, 48.9, -33.9, None], "lon": [2.3, 2.3, 151.2, 0.0]}


def test_without_its_library_the_line_to_install_it_is_told(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "bokeh"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(
        FileError, match=r"needs Bokeh; pip install '\.\[map\]' .* or write a \.svg"
    ):
        tables.draw_map(ROWS, tmp_path / "m.html")
    assert not list(tmp_path.iterdir())


def test_a_picture_is_no_page(tmp_path):
    with pytest.raises(
        FileError, match=r"this map is a picture, \.png, \.svg, \.pdf, not 'm\.html'"
    ):
        maps.WorldMap().save(tmp_path / "m.html")


def drawn(path):
    """Return what the page draws: the columns of each of its sources."""
    sources = parts_of(path)["ColumnDataSource"]
    columns = [dict(source["data"]["entries"]) for source in sources]
    return path.read_text(encoding="utf-8"), columns


def numbers(column):
    if column["type"] != "ndarray":
        return column
    raw = base64.b64decode(column["array"]["data"])
    return np.frombuffer(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw, column["dtype"])


@pytest.mark.parametrize(("dark", "paper"), [(False, "#ffffff"), (True, "#12171d")])
def test_rows_lie_at_their_places_in_one_file(tmp_path, dark, paper):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    path = tmp_path / "m.html"
    assert tables.draw_map(ROWS, path, title="<b>photos", dark=dark) == 3
    text, sources = drawn(path)
    dots = next(source for source in sources if "rows" in source)
    assert list(numbers(dots["rows"])) == [1, 2]
    x, y = maps.project([-33.75, 48.75], [151.25, 2.25])
    assert np.allclose(numbers(dots["x"]), x, atol=1e-4)
    assert np.allclose(numbers(dots["y"]), y, atol=1e-4)
    assert "&lt;b&gt;photos</title>" in text
    assert f"background: {paper}" in text
    fetched = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)", text)
    assert fetched == []


def test_what_lies_around_places_is_tinted_and_named(tmp_path):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    path, high = tmp_path / "m.html", []
    for radius_km in (500, 1000):
        around = {"lat": [0.0], "lon": [0.0]}
        tables.draw_map(ROWS, path, around=around, radius_km=radius_km)
        text, sources = drawn(path)
        assert f"within {radius_km:,} km of those places" in text
        _, strips, _ = sources
        high.append(len(strips["ys"]) * 0.5 * 111.19 / 2)  # a strip each half degree
    assert np.allclose(high, [500, 1000], atol=60)


def test_a_strip_of_the_tint_is_the_half_degree_that_it_stands_for(tmp_path):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    counts = np.zeros(maps.SHAPE, np.int64)
    near = counts.astype(bool)
    near[200, 300:303] = True  # 10 to 10.5 degrees north, 30 to 28.5 west
    near[0, 0] = True
    maps.write_page(tmp_path / "m.html", "t", counts, near=near, said="here")
    strips = next(s for s in drawn(tmp_path / "m.html")[1] if len(s.get("ys", [])) == 2)
    edges = [((-90.0, -89.5), (-180.0, -179.5)), ((10.0, 10.5), (-30.0, -28.5))]
    for xs, ys, ((south, north), (west, east)) in zip(
        strips["xs"], strips["ys"], edges, strict=True
    ):
        x, y = maps.project([south, north, north, south], [west, west, east, east])
        assert np.allclose(numbers(xs), x, atol=1e-4)
        assert np.allclose(numbers(ys), y, atol=1e-4)


@pytest.mark.parametrize(
    ("most", "ticks"), [(2, [1, 2]), (4, [1, 2]), (10, [1, 2, 5, 10]), (60, [1, 2, 5, 10, 20, 50])]
)
def test_the_bar_is_marked_with_round_numbers_up_to_the_most(tmp_path, most, ticks):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    counts = np.zeros(maps.SHAPE, np.int64)
    counts[100, 100], counts[100, 102] = 1, most
    maps.write_page(tmp_path / "m.html", "t", counts)
    text = (tmp_path / "m.html").read_text(encoding="utf-8")
    found = re.search(r'"name":"FixedTicker".*?"ticks":\[([\d.,]*)\]', text)
    assert [float(one) for one in found[1].split(",")] == ticks


def test_an_empty_table_is_an_empty_map(tmp_path):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    assert tables.draw_map({"lat": [None], "lon": [None]}, tmp_path / "m.html") == 0
    assert len(drawn(tmp_path / "m.html")[1]) == 1


def test_the_tint_the_words_for_it_and_the_paper_are_those_given(tmp_path):
    pytest.importorskip("bokeh", reason="the extra map is not installed")
    path, counts = tmp_path / "m.html", np.zeros(maps.SHAPE, np.int64)
    marked = counts.astype(bool)
    marked[200:204, 300:302] = True

    def made(**options):
        maps.write_page(path, "t", counts, **options)
        text, sources = drawn(path)
        return "#12171d" in text, "hard places" in text, '"near"' in text, len(sources)

    assert made() == (False, False, False, 1)
    assert made(dark=True) == (True, False, False, 1)
    assert made(near=marked) == (False, False, True, 2)
    assert made(near=marked, said="hard places") == (False, True, False, 2)
