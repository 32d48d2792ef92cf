"""The page with a map that can be moved, part by part as Bokeh is told it."""

import numpy as np
import pytest

from geodata import maps
from tests.maps.pages import parts_of

pytest.importorskip("bokeh", reason="the extra map is not installed")
INK = {False: "#17202a", True: "#e6ebf0"}


def cells(**rows):
    counts = np.zeros(maps.SHAPE, np.int64)
    for i, many in enumerate(rows.values()):
        counts[100 + i, 100] = many
    return counts


def page(path, counts, near=None, said="", **options):
    """Return (text, parts): the page and every part of its map, by name, as (name, attributes)."""
    maps.write_page(path, "The title", counts, near, said, **options)
    return path.read_text(encoding="utf-8"), parts_of(path)


def values(part):
    return {k: v["value"] for k, v in part.items() if isinstance(v, dict) and "value" in v}


@pytest.mark.parametrize("dark", [False, True])
def test_the_map_is_land_on_sea_without_axes(tmp_path, dark):
    text, parts = page(tmp_path / "m.html", cells(), dark=dark)
    (figure,) = parts["Figure"]
    sea, land, paper, border = {
        False: ("#f3f6f8", "#e2e3de", "#ffffff", "#ffffff"),
        True: ("#1a222b", "#39434d", "#12171d", "#1a222b"),
    }[dark]
    plain = {"border_fill_color": "#ffffff"}  # where nothing is told
    plain |= {k: v for k, v in figure.items() if isinstance(v, str | int | float | None)}
    assert plain == {
        "width": 1100,
        "sizing_mode": "scale_width",
        "outline_line_color": None,
        "toolbar_location": "above",
        "background_fill_color": sea,
        "border_fill_color": paper,
    }
    assert parts["Range1d"] == [{"start": -2.75, "end": 2.75}, {"start": -1.2, "end": 1.32}]
    assert parts["Title"] == [{"text": "The title", "text_color": INK[dark]}]
    assert [axis["visible"] for axis in parts["LinearAxis"]] == [False, False]
    assert [grid["visible"] for grid in parts["Grid"]] == [False, False]
    drawn = parts["Patches"][0]
    assert values(drawn) == {"line_color": border, "line_width": 0.4, "fill_color": land}
    (source,) = parts["ColumnDataSource"]
    assert len(dict(source["data"]["entries"])["xs"]) == sum(map(len, maps.outlines().values()))
    tools = [tool["name"] for tool in figure["toolbar"]["attributes"]["tools"]]
    assert tools == ["PanTool", "WheelZoomTool", "BoxZoomTool", "ResetTool", "SaveTool"]
    wheel = figure["toolbar"]["attributes"]["tools"][1]["id"]
    assert figure["toolbar"]["attributes"]["active_scroll"] == {"id": wheel}
    assert "Legend" not in parts
    assert "ColorBar" not in parts
    assert "<title>The title</title>" in text
    assert '<main aria-label="The title">' in text


@pytest.mark.parametrize(("said", "legend"), [("", "near"), ("within 5 km", "within 5 km")])
def test_the_tint_is_seen_through_and_named_in_a_corner(tmp_path, said, legend):
    near = np.zeros(maps.SHAPE, bool)
    near[3, [0, 1, 5, 719]] = True
    _, parts = page(tmp_path / "m.html", cells(), near, said)
    tint = [values(p) for p in parts["Patches"] if values(p).get("fill_alpha") == 0.3]
    assert tint == [{"line_color": None, "fill_color": "#dc8a3c", "fill_alpha": 0.3}]
    assert parts["Legend"][0]["location"] == "bottom_left"
    assert parts["LegendItem"][0]["label"]["value"] == legend
    strips = dict(parts["ColumnDataSource"][1]["data"]["entries"])["xs"]
    assert len(strips) == 3  # two beside each other are one


def test_the_ramp_begins_at_one_row_also_where_no_dot_has_so_few(tmp_path):
    """A colour means the same number on the map of a part as on that of the whole."""
    _, parts = page(tmp_path / "m.html", cells(a=30, b=1500))
    (mapper,) = parts["LogColorMapper"]
    assert (mapper["low"], mapper["high"]) == (1, 1500)


@pytest.mark.parametrize("dark", [False, True])
def test_dots_are_coloured_by_their_rows_and_told_under_the_pointer(tmp_path, dark):
    _, parts = page(tmp_path / "m.html", cells(a=1, b=1500), dark=dark)
    dots = parts["Scatter"][0]
    assert values(dots) == {"size": 5, "line_color": None}
    assert (dots["x"]["field"], dots["y"]["field"]) == ("x", "y")
    assert dots["fill_color"]["field"] == "rows"
    (mapper,) = parts["LogColorMapper"]
    ramp = ["#e6c265", "#b3c18a", "#72b0a0", "#3b8096", "#1d4e79"]
    dim = ["#4f8fb3", "#72b0a0", "#b3c18a", "#e6c265", "#fff3cf"]
    assert mapper == {"palette": dim if dark else ramp, "low": 1, "high": 1500}
    (hover,) = parts["HoverTool"]
    assert hover["tooltips"] == [
        ["rows", "@rows{0,0}"],
        ["lat, lon of the half degree", "@lat, @lon"],
    ]
    assert len(hover["renderers"]) == 1
    (bar,) = parts["ColorBar"]
    plain = {"background_fill_color": "#ffffff"}
    plain |= {k: v for k, v in bar.items() if isinstance(v, str | int | float)}
    assert plain == {
        "height": 8,
        "title": "rows in half a degree",
        "title_text_color": INK[dark],
        "major_label_text_color": INK[dark],
        "background_fill_color": "#12171d" if dark else "#ffffff",
    }
    assert parts["FixedTicker"][0]["ticks"] == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert [part["name"] for part in parts["Figure"][0]["below"]] == ["LinearAxis", "ColorBar"]


def test_dots_that_hold_as_many_rows_need_no_bar(tmp_path):
    _, parts = page(tmp_path / "m.html", cells(a=3, b=3))
    assert values(parts["Scatter"][0]) == {"size": 5, "line_color": None, "fill_color": "#1d4e79"}
    assert "ColorBar" not in parts
    _, parts = page(tmp_path / "m.html", cells(a=3, b=3), dark=True)
    assert values(parts["Scatter"][0])["fill_color"] == "#7fb2dd"
