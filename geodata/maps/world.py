"""A map of the world in one style: Equal Earth, the report's colours, on light or dark paper.

A map is drawn in layers from back to front and saved as PNG, SVG or PDF, by the file's ending.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import coords, files
from geodata.maps.cells import SHAPE, counted
from geodata.maps.land import outlines
from geodata.maps.projection import NORTH, SOUTH, cut, great_circle, project
from geodata.sphere import EARTH_RADIUS_KM

FORMATS = ("png", "svg", "pdf")
PAGE = "html"
"""What `geodata.maps.write_page` writes."""

NEAR = "#dc8a3c"
"""Of what lies around places."""


@dataclass(frozen=True)
class Paper:
    """Colours of what lies below the data."""

    page: str
    sea: str
    land: str
    border: str
    ink: str
    ramp: tuple[str, ...]
    """Few to many: what stands out is what there is most of."""
    dot: str


_FEW_TO_MANY = ("#e6c265", "#b3c18a", "#72b0a0", "#3b8096", "#1d4e79")
_DIM_TO_BRIGHT = ("#4f8fb3", "#72b0a0", "#b3c18a", "#e6c265", "#fff3cf")
LIGHT = Paper("#ffffff", "#f3f6f8", "#e2e3de", "#ffffff", "#17202a", _FEW_TO_MANY, "#1d4e79")
DARK = Paper("#12171d", "#1a222b", "#39434d", "#1a222b", "#e6ebf0", _DIM_TO_BRIGHT, "#7fb2dd")


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a map's file name asks for; callers ask before long work.

    Raises
    ------
    FileError
        If the ending is none of `FORMATS` and not ``html``.

    Examples
    --------
    >>> format_of("hard.SVG")
    'svg'
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in (*FORMATS, PAGE):
        msg = f"a map is written as .{', .'.join(FORMATS)} or .{PAGE}, not as {Path(path).name!r}"
        raise files.FileError(msg)
    return kind


class WorldMap:
    """A world map that is drawn on, layer by layer, and saved.

    Parameters
    ----------
    title
        Said above the map.
    dark
        Light ink on dark paper.
    width
        Inches; the height follows from the projection.
    axes
        Axes of matplotlib to draw on, for a map that is a part of another figure.

    Examples
    --------
    >>> drawn = WorldMap("Two photos")
    >>> drawn.points([48.86, 35.01], [2.29, 135.77])
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "map.svg"
    >>> drawn.save(path)
    >>> path.read_text().lstrip().startswith("<?xml")
    True
    """

    def __init__(
        self, title: str = "", *, dark: bool = False, width: float = 9.0, axes: Any = None
    ) -> None:
        from matplotlib.collections import PolyCollection

        self.paper = DARK if dark else LIGHT
        self.axes = _sheet(width, self.paper) if axes is None else axes
        self.figure = self.axes.figure
        self.axes.set_axis_off()
        self.axes.set_aspect("equal")
        self._lowest, self._highest = SOUTH, NORTH
        self._sea = self.axes.fill(*_globe(-90.0, 90.0), color=self.paper.sea, zorder=0)[0]
        rings = [_on_paper(ring / 100.0) for rings in outlines().values() for ring in rings]
        land = PolyCollection(rings, fc=self.paper.land, ec=self.paper.border, lw=0.35, zorder=1)
        self.axes.add_collection(land)
        self.fit()
        if title:
            self.axes.set_title(title, color=self.paper.ink, loc="left")

    def fit(self) -> None:
        """Show the latitudes that people live at, and those of what was drawn."""
        x, y = project([0.0, self._lowest, self._highest], [180.0, 0.0, 0.0])
        self.axes.set(xlim=(-x[0] * 1.01, x[0] * 1.01), ylim=(y[1], y[2]))
        self._sea.set_xy(np.transpose(_globe(self._lowest, self._highest)))

    def shade(self, cells: NDArray[np.bool_], label: str = "") -> None:
        """Tint the half degrees that are true, shape `SHAPE`, south to north."""
        lat, lon = np.meshgrid(_centres(-90, SHAPE[0]), _centres(-180, SHAPE[1]), indexing="ij")
        x, y = project(lat, lon)
        value = cells.astype(np.float64)
        self.axes.contourf(x, y, value, [0.5, 1.5], colors=[NEAR], alpha=0.3, zorder=2)
        self._entry(label, NEAR, "s", alpha=0.3)

    def counts(self, counts: NDArray[np.int64]) -> None:
        """Draw a dot for each half degree that holds rows, coloured by their number.

        Parameters
        ----------
        counts
            Rows by half degree, shape `SHAPE` (`count_cells`). Where each half degree holds as
            many, their number is told without a scale.
        """
        from matplotlib.colors import LinearSegmentedColormap, LogNorm
        from matplotlib.ticker import NullFormatter, StrMethodFormatter

        many, lat, lon = counted(counts)
        if not len(many):
            return
        ramp = LinearSegmentedColormap.from_list("rows", self.paper.ramp)
        same = int(many.min()) == int(many.max())
        dots = self._scatter(
            lat,
            lon,
            None,
            c=[self.paper.dot] if same else many,
            norm=None if same else LogNorm(1, int(many.max())),
            cmap=None if same else ramp,
        )
        if same:
            said = "1 row" if many[0] == 1 else f"{many[0]:,} rows"
            self._entry(f"{said} in half a degree", self.paper.dot, "o")
            return
        bar = self.figure.colorbar(dots, ax=self.axes, shrink=0.6, pad=0.01, aspect=28)
        bar.set_label("rows in half a degree", color=self.paper.ink, fontsize=8)
        bar.ax.tick_params(which="both", colors=self.paper.ink, labelsize=8)
        bar.outline.set_visible(False)
        bar.formatter = StrMethodFormatter("{x:,.0f}")
        bar.minorformatter = bar.formatter if many.max() <= 10 else NullFormatter()

    def points(
        self,
        lat: ArrayLike,
        lon: ArrayLike,
        label: str = "",
        *,
        colour: str | None = None,
        size: float | None = None,
    ) -> None:
        """Draw points, shape (n,), degrees; those that are no coordinates are left out.

        The size of a dot, square points, follows from how many there are when it is not given.
        """
        at = coords.arrays(np.asarray(lat, np.float64), np.asarray(lon, np.float64))
        colour = colour or self.paper.dot
        self._scatter(at.lat[at.valid], at.lon[at.valid], size, c=[colour])
        self._entry(label, colour, "o")

    def regions(
        self,
        rings: Iterable[NDArray[np.float64]],
        colour: str | None = None,
        label: str = "",
        *,
        alpha: float = 1.0,
    ) -> None:
        """Fill regions given by their outer rings, each of shape (k, 2), lon and lat in degrees."""
        from matplotlib.collections import PolyCollection

        colour = colour or self.paper.land
        shapes = [_on_paper(ring) for ring in rings]
        if shapes:
            edge = self.paper.border
            drawn = PolyCollection(shapes, fc=colour, ec=edge, lw=0.15, alpha=alpha, zorder=2)
            self.axes.add_collection(drawn)
            self._entry(label, colour, "s", alpha=alpha)

    def circles(
        self, lat: Iterable[float], lon: Iterable[float], radius_km: float, label: str = ""
    ) -> None:
        """Draw the great circles' caps of a radius around points, as their outlines."""
        for at_lat, at_lon in zip(lat, lon, strict=True):
            for piece in cap(at_lat, at_lon, radius_km):
                x, y = project(piece[:, 0], piece[:, 1])
                self.axes.plot(x, y, color=NEAR, lw=0.8, zorder=3)
        self._entry(label, None, "o", facecolors="none", edgecolors=NEAR)

    def ways(self, pairs: Iterable[Sequence[float]], colours: Iterable[str]) -> None:
        """Draw the great circle of each (lat, lon, lat, lon), such as truth to answer."""
        for pair, colour in zip(pairs, colours, strict=True):
            for piece in great_circle(*pair):
                x, y = project(piece[:, 0], piece[:, 1])
                self.axes.plot(x, y, color=colour, lw=0.7, alpha=0.75, zorder=3)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map; the ending of `path` is its format.

        Raises
        ------
        FileError
            If the ending is none of `FORMATS`.
        """
        kind = format_of(path)
        if kind == PAGE:
            msg = f"this map is a picture, .{', .'.join(FORMATS)}, not {Path(path).name!r}"
            raise files.FileError(msg)
        self._finish()
        with files.replacing(Path(path)) as beside:
            self._write(beside, kind)

    def _repr_png_(self) -> bytes:
        """Return the map as it is now, for a notebook."""
        self._finish()
        shown = io.BytesIO()
        self._write(shown, "png")
        return shown.getvalue()

    def _finish(self) -> None:
        """Frame what was drawn and say what it is."""
        self.fit()
        if self.axes.get_legend_handles_labels()[0]:
            self.axes.legend(loc="lower left", frameon=False, fontsize=8, labelcolor=self.paper.ink)

    def _write(self, target: Any, kind: str) -> None:
        import matplotlib as mpl

        metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        # ids in a drawing stay the same from one time to the next
        with mpl.rc_context({"svg.hashsalt": "geodata"}):
            self.figure.savefig(
                target,
                format=kind,
                facecolor=self.paper.page,
                metadata=metadata[kind],
                bbox_inches="tight",
                pad_inches=0.08,
            )

    def _scatter(
        self, lat: NDArray[Any], lon: NDArray[Any], size: float | None, **colours: Any
    ) -> Any:
        if len(lat):
            self._lowest = min(self._lowest, float(lat.min()) - 2.0)
            self._highest = max(self._highest, float(lat.max()) + 2.0)
        # a few dots can be seen too, and many do not hide each other
        size = size or float(np.clip(9_000.0 / max(len(lat), 1), 1.5, 22.0))
        return self.axes.scatter(*project(lat, lon), s=size, linewidths=0, zorder=4, **colours)

    def _entry(self, label: str, colour: str | None, marker: str, **look: Any) -> None:
        """Add a line to the legend: a marker that lies nowhere on the map."""
        if label:
            self.axes.scatter([], [], s=28, marker=marker, **{"c": colour, **look}, label=label)


def _sheet(width: float, paper: Paper) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (width, width * 0.52)
    figure = Figure(figsize=size, dpi=130, layout="constrained", facecolor=paper.page)
    FigureCanvasAgg(figure)
    return figure.subplots()


def cap(lat: float, lon: float, radius_km: float) -> list[NDArray[np.float64]]:
    """Return the edge of the cap within `radius_km` of a point, cut at the antimeridian.

    Returns
    -------
    list of ndarray, each of shape (k, 2)
        Latitude and longitude, degrees; 73 points in all, the first again at the end.

    Examples
    --------
    >>> (edge,) = cap(0.0, 0.0, 111.19492664455873)
    >>> edge[:, 0].max().round(3), edge[:, 1].max().round(3)
    (np.float64(1.0), np.float64(1.0))
    """
    bearing = np.linspace(0.0, 2 * np.pi, 73)
    phi, angle = np.radians(lat), radius_km / EARTH_RADIUS_KM
    sine = np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing)
    out = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    turn = np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * sine
    )
    return cut(out, (lon + np.degrees(turn) + 540.0) % 360.0 - 180.0)


def _on_paper(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.transpose(project(ring[:, 1], ring[:, 0]))


def _centres(start: float, count: int) -> NDArray[np.floating]:
    return start + (np.arange(count) + 0.5) / 2.0


def _globe(south: float, north: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the outline of the globe between two latitudes, as x and y."""
    up = np.linspace(max(south, -90.0), min(north, 90.0), 91)
    lat, lon = np.concatenate([up, up[::-1]]), np.repeat([180.0, -180.0], 91)
    return project(lat, lon)
