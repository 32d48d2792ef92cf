"""A map that can be moved and magnified: one HTML file that asks no server for anything.

Bokeh draws it, an extra (``pip install '.[map]'``). Leaflet and what stands on it (folium,
lonboard) fetch their scripts and their tiles when the page is opened.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata import files
from geodata.maps.cells import counted
from geodata.maps.land import outlines
from geodata.maps.projection import project
from geodata.maps.world import DARK, LIGHT, NEAR, Paper


def write_page(
    path: str | os.PathLike[str],
    title: str,
    counts: NDArray[np.int64],
    near: NDArray[np.bool_] | None = None,
    said: str = "",
    *,
    dark: bool = False,
) -> None:
    """Write a map of counted rows as one page of HTML.

    Parameters
    ----------
    path
        File; it appears whole or not at all.
    title
        Said above the map.
    counts
        Rows by half degree, shape `geodata.maps.SHAPE`.
    near
        Half degrees to tint, of the same shape.
    said
        What the tint means.
    dark
        Light ink on dark paper.

    Raises
    ------
    FileError
        If Bokeh is not installed.
    """
    try:
        from bokeh.embed import file_html
        from bokeh.resources import INLINE
        from jinja2 import Template  # Bokeh stands on it
    except ImportError:
        msg = (
            f"{os.fspath(path)}: a map that can be moved needs Bokeh; pip install '.[map]' in the "
            "clone, or write a .svg, .png or .pdf, which need nothing"
        )
        raise files.FileError(msg) from None
    paper = DARK if dark else LIGHT
    drawn = _figure(title, paper)
    if near is not None:
        _tint(drawn, near, said)
    _dots(drawn, counts, paper)
    given = {"paper": paper.page}
    # text would be taken for blocks of Bokeh's own page
    form = Template(_TEMPLATE)
    page = file_html(drawn, INLINE, title=title, template=form, template_variables=given)
    files.write_text(path, page)


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{{ title|e }}</title>
<style>body { margin: 8px; background: {{ paper }}; }</style>
{{ bokeh_css }}
{{ bokeh_js }}
</head>
<body>
<main aria-label="{{ title|e }}">{{ plot_div }}</main>
{{ plot_script }}
</body>
</html>
"""


def _figure(title: str, paper: Paper) -> Any:
    """Return the empty map: sea and land, without axes."""
    from bokeh.models import Range1d
    from bokeh.plotting import figure

    drawn: Any = figure(
        title=title, tools="pan,wheel_zoom,box_zoom,reset,save", active_scroll="wheel_zoom",
        sizing_mode="scale_width", width=1100, height=600, toolbar_location="above",
        background_fill_color=paper.sea, border_fill_color=paper.page, outline_line_color=None,
        x_range=Range1d(start=-2.75, end=2.75), y_range=Range1d(start=-1.2, end=1.32),
    )  # fmt: skip
    drawn.title.text_color = paper.ink
    drawn.axis.visible = False
    drawn.grid.visible = False
    rings = [project(ring[:, 1] / 100, ring[:, 0] / 100) for r in outlines().values() for ring in r]
    drawn.patches(
        [np.round(x, 4) for x, _ in rings],
        [np.round(y, 4) for _, y in rings],
        fill_color=paper.land,
        line_color=paper.border,
        line_width=0.4,
    )
    return drawn


def _tint(drawn: Any, near: NDArray[np.bool_], said: str) -> None:
    """Tint half degrees, those beside each other in a row of the raster as one strip."""
    edges = np.diff(np.pad(near, ((0, 0), (1, 1))).astype(np.int8))
    row, west = np.nonzero(edges == 1)
    _, east = np.nonzero(edges == -1)
    south = row / 2.0 - 90.0
    lat = np.stack([south, south + 0.5, south + 0.5, south], axis=1)
    lon = np.stack([west, west, east, east], axis=1) / 2.0 - 180.0
    x, y = project(lat, lon)
    drawn.patches(
        list(np.round(x, 4)), list(np.round(y, 4)), fill_color=NEAR, fill_alpha=0.3,
        line_color=None, legend_label=said or "near",
    )  # fmt: skip
    drawn.legend.location = "bottom_left"


def _dots(drawn: Any, counts: NDArray[np.int64], paper: Paper) -> None:
    """Draw a dot for each half degree that holds rows; its number is told under the pointer."""
    from bokeh.models import ColumnDataSource, FixedTicker, HoverTool, NumeralTickFormatter
    from bokeh.models.annotations import ColorBar
    from bokeh.transform import log_cmap

    many, lat, lon = counted(counts)
    if not len(many):
        return
    x, y = project(lat, lon)
    source = ColumnDataSource(
        {"x": np.round(x, 4), "y": np.round(y, 4), "lat": lat, "lon": lon, "rows": many}
    )
    most = int(many.max())
    same = int(many.min()) == most
    colour: Any = paper.dot if same else log_cmap("rows", list(paper.ramp), 1, most)
    dots = drawn.scatter("x", "y", source=source, size=5, line_color=None, fill_color=colour)
    tips = [("rows", "@rows{0,0}"), ("lat, lon of the half degree", "@lat, @lon")]
    drawn.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    if not same:
        steps = [n * 10**k for k in range(len(str(most))) for n in (1, 2, 5) if n * 10**k <= most]
        bar = ColorBar(
            color_mapper=colour["transform"], title="rows in half a degree", height=8,
            ticker=FixedTicker(ticks=steps), formatter=NumeralTickFormatter(),
            title_text_color=paper.ink, major_label_text_color=paper.ink,
            background_fill_color=paper.page,
        )  # fmt: skip
        drawn.add_layout(bar, "below")
