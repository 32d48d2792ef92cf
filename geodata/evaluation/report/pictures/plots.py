"""The pictures of a report as inline SVG: an error curve and two maps.

They hold no text, so that a phone shows the labels, which are HTML beside them, as large as a
screen does. Coordinates are whole numbers and every order is fixed: same result, same bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata import sphere
from geodata.evaluation.report.words import (
    FEW_ROWS,
    between,
    counted,
    km,
    percent,
    shown_thresholds,
    threshold,
)
from geodata.evaluation.scores import Evaluation, Group, Row
from geodata.maps import NORTH, SOUTH, great_circle, outlines, project
from geodata.printable import html as escaped

RAMP = ("#1d4e79", "#3a8297", "#7ab5a4", "#e6c265", "#dc8a3c", "#ad2f2b")
"""Small to large error, lightness rising and falling again, told apart without red and green."""

SHARE_RAMP = ("#e6c265", "#b3c18a", "#72b0a0", "#3b8096", "#1d4e79")
"""Low to high share, always darker."""

CATEGORY_COLOURS = {"closed-world": "#9aa5b0", "llm-assisted": "#dc8a3c", "web-search": "#ad2f2b"}

MAP_WIDTH = 3600
CURVE = (1000, 400)
CURVE_POINTS = 300
LINES_FROM_KM = 200.0
MOST_LINES = 200
LAYER_ROWS = 100
FEW_POINTS = 500
_X_MAX = float(project(0.0, 180.0)[0])

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of distances, km."""

    low: float
    high: float

    def at(self, distance_km: float) -> float:
        """Return where a distance lies, 0 at the low end and 1 at the high end."""
        inside = min(max(distance_km, self.low), self.high)
        return float(np.log(inside / self.low) / np.log(self.high / self.low))

    def ticks(self) -> list[float]:
        """Return the powers of ten from end to end."""
        first, last = np.ceil(np.log10(self.low)), np.floor(np.log10(self.high))
        return [10.0**i for i in range(int(first), int(last) + 1)]


def curve_axis(result: Evaluation) -> Axis:
    """Return the axis of the error curve: from 0.1 km, or less if a threshold is, to half round."""
    known = (t for t in result.scores.scoring.thresholds_km if t > 0)
    low = min([0.1, *(10.0 ** np.floor(np.log10(t / 2)) for t in known)])
    return Axis(float(low), sphere.HALF_CIRCUMFERENCE_KM)


def error_curve(result: Evaluation) -> str:
    """Return the share of rows within each distance, with intervals and published points."""
    axis, (width, height) = curve_axis(result), CURVE
    distances = np.sort(result.scores.distances_km)
    at = np.geomspace(axis.low, axis.high, CURVE_POINTS)
    at[-1] = np.inf  # the last point counts everything, whatever rounding did
    shares = np.searchsorted(distances, at, side="right") / max(result.scores.denominator, 1)
    x = np.linspace(0, width, CURVE_POINTS)
    line = _path(np.stack([x, height * (1 - shares)], axis=1))
    parts = [f'<path class="area" d="{line}L{width} {height}L0 {height}Z"/>']
    levels = [f"M0 {height * (1 - share):.0f}H{width}" for share in (0.25, 0.5, 0.75)]
    parts.append(f'<path class="grid" d="{"".join(levels)}"/>')
    inside = [t for t in result.scores.scoring.thresholds_km if t > 0]
    parts += [f'<path class="grid" d="M{width * axis.at(t):.0f} 0V{height}"/>' for t in inside]
    parts.append(f'<path class="curve" d="{line}"/>')
    for row in result.published:
        dots = [
            f"M{width * axis.at(t):.0f} {height * (1 - share):.0f}h0"
            for t in inside
            if (share := row.accuracy.get(t)) is not None
        ]
        if dots:
            title = escaped(f"{row.label}, {row.category}")
            kind = f"dot {row.category}"
            parts.append(f'<path class="{kind}" d="{"".join(dots)}"><title>{title}</title></path>')
    parts += [_whisker(result, axis, t) for t in inside]
    return _svg("chart", width, height, "Share of rows within each distance", parts, stretch=True)


def _whisker(result: Evaluation, axis: Axis, t: float) -> str:
    share, interval = result.accuracy[t], result.intervals[t]
    if share is None:
        return ""
    height, x = CURVE[1], f"{CURVE[0] * axis.at(t):.0f}"
    bar = ""
    if interval is not None:
        top, bottom = height * (1 - interval.high), height * (1 - interval.low)
        bar = f'<path class="whisker" d="M{x} {top:.1f}V{bottom:.1f}"/>'
    label = f"within {threshold(t)}: {percent(share)}% ({between(interval)})"
    dot = f'<path class="own" d="M{x} {height * (1 - share):.1f}h0"><title>{label}</title></path>'
    return bar + dot


def error_classes(thresholds_km: Sequence[float]) -> tuple[list[float], list[str]]:
    """Return the ends between classes of errors and the colours of the classes, one more.

    Examples
    --------
    >>> error_classes((1.0, 25.0))
    ([1.0, 25.0], ['#1d4e79', '#7ab5a4', '#ad2f2b'])
    """
    ends = list(shown_thresholds(thresholds_km))
    at = np.rint(np.linspace(0, len(RAMP) - 1, len(ends) + 1)).astype(int)
    return ends, [RAMP[i] for i in at]


def error_map(result: Evaluation) -> str:
    """Return sampled truth points coloured by error, with great circles to far predictions.

    Points lie on each other in their random order, so that no class hides another.
    """
    rows = result.sample
    ends, colours = error_classes(result.scores.scoring.thresholds_km)
    frame = _frame([row.lat for row in rows] + [row.pred_lat for row in rows])
    parts = [_ocean(frame), f'<g class="land">{"".join(_land(frame).values())}</g>']
    far = far_rows(rows)
    faint = min(0.7, max(0.25, 60 / max(len(far), 1)))
    for i, members in _by_class(far, ends):
        lines = "".join(_line(row, frame) for row in members)
        parts.append(f'<path class="arc" stroke="{colours[i]}" opacity="{faint:.2f}" d="{lines}"/>')
    size = "point" if len(rows) > FEW_POINTS else "large point"
    for start in range(0, len(rows), LAYER_ROWS):
        for i, members in _by_class(rows[start : start + LAYER_ROWS], ends):
            xy = frame.xy([row.lat for row in members], [row.lon for row in members])
            dots = "".join(f"M{x} {y}h0" for x, y in xy.tolist())
            parts.append(f'<path class="{size}" stroke="{colours[i]}" d="{dots}"/>')
    return _svg("map", frame.width, frame.height, "Errors on a world map", parts)


def far_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that get a line on the map: the first `MOST_LINES` far ones."""
    return [row for row in rows if row.distance_km > LINES_FROM_KM][:MOST_LINES]


def choropleth(groups: Mapping[str, Group], named: Mapping[str, str], at_km: float) -> str:
    """Return countries coloured by the share of their rows within a distance.

    Parameters
    ----------
    groups
        Score of each country code.
    named
        Name of each country code.
    at_km
        One of the thresholds.
    """
    frame = _frame([])
    hatch = (
        '<defs><pattern id="few" width="22" height="22" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="8" height="22" fill="#fff"/>'
        "</pattern></defs>"
    )
    parts = [hatch, _ocean(frame)]
    for code, shape in _land(frame).items():
        group = groups.get(code)
        share = group.accuracy[at_km] if group else None
        if group is None or share is None:
            parts.append(f'<g class="land">{shape}</g>')
            continue
        title = escaped(
            f"{named.get(code, code)}: {percent(share, 1)}% of {counted(group.rows)} "
            f"within {threshold(at_km)}, median error {km(group.median_km)} km"
        )
        few = shape.replace("/>", ' fill="url(#few)"/>') if group.rows < FEW_ROWS else ""
        colour = share_colour(share)
        parts.append(f'<g fill="{colour}"><title>{title}</title>{shape}{few}</g>')
    return _svg("map", frame.width, frame.height, "Accuracy by country", parts)


def share_colour(share: float) -> str:
    """Return the colour of a share in [0, 1].

    Examples
    --------
    >>> share_colour(0.0) == SHARE_RAMP[0], share_colour(1.0) == SHARE_RAMP[-1]
    (True, True)
    """
    return SHARE_RAMP[min(int(share * len(SHARE_RAMP)), len(SHARE_RAMP) - 1)]


@dataclass(frozen=True)
class _Frame:
    """What part of the projected world a map shows, in whole SVG units."""

    south: float
    north: float

    @property
    def scale(self) -> float:
        return MAP_WIDTH / (2 * _X_MAX)

    @property
    def width(self) -> int:
        return MAP_WIDTH

    @property
    def height(self) -> int:
        _, (low, high) = project([self.south, self.north], [0.0, 0.0])
        return int(np.ceil((high - low) * self.scale))

    def xy(self, lat: Iterable[float], lon: Iterable[float]) -> NDArray[np.int64]:
        """Return SVG coordinates, shape (n, 2)."""
        x, y = project(np.asarray(lat), np.asarray(lon))
        top = float(project(self.north, 0.0)[1])
        return np.rint(np.stack([(x + _X_MAX), top - y], axis=-1) * self.scale).astype(np.int64)


def _frame(lats: Sequence[float]) -> _Frame:
    """Return the inhabited world, or more where a point lies beyond."""
    south = -90.0 if any(lat <= SOUTH for lat in lats) else SOUTH
    return _Frame(south, 90.0 if any(lat >= NORTH for lat in lats) else NORTH)


@functools.lru_cache(maxsize=4)
def _land(frame: _Frame) -> dict[str, str]:
    """Return one path for each country; large ones first, so that enclaves lie on top."""
    made: dict[str, tuple[int, str]] = {}
    for code, rings in outlines().items():
        projected = [frame.xy(ring[:, 1] / 100.0, ring[:, 0] / 100.0) for ring in rings]
        seen = [ring for ring in projected if ring[:, 1].min() <= frame.height]
        if seen:
            size = max(int(np.ptp(ring[:, 0]) * np.ptp(ring[:, 1])) for ring in seen)
            made[code] = (size, f'<path d="{"".join(_ring(ring) for ring in seen)}"/>')
    return {code: made[code][1] for code in sorted(made, key=lambda c: (-made[c][0], c))}


def _ocean(frame: _Frame) -> str:
    lat = np.linspace(frame.south, frame.north, 60)
    edge = [frame.xy(lat, np.full(60, -180.0)), frame.xy(lat[::-1], np.full(60, 180.0))]
    return f'<path class="ocean" d="{_ring(np.concatenate(edge))}"/>'


def _ring(points: NDArray[np.int64]) -> str:
    """Return a closed subpath in relative steps, without points that fall on the last one."""
    steps = np.diff(points, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    moves = "".join(f"l{dx} {dy}" if dy >= 0 else f"l{dx}{dy}" for dx, dy in steps.tolist())
    return f"M{points[0][0]} {points[0][1]}{moves}Z"


def _line(row: Row, frame: _Frame) -> str:
    pieces = great_circle(row.lat, row.lon, row.pred_lat, row.pred_lon)
    return "".join(_path(frame.xy(piece[:, 0], piece[:, 1])) for piece in pieces)


def _path(points: NDArray[np.int64] | Floats) -> str:
    whole = points.tolist() if points.dtype.kind == "i" else np.round(points, 1).tolist()
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in whole)


def _by_class(rows: Sequence[Row], ends: Sequence[float]) -> Iterator[tuple[int, list[Row]]]:
    """Yield the number and the rows of each class that has some, largest errors first."""
    at = np.searchsorted(ends, [row.distance_km for row in rows], side="left").tolist()
    for i in reversed(range(len(ends) + 1)):
        members = [row for row, k in zip(rows, at, strict=True) if k == i]
        if members:
            yield i, members


def _svg(
    kind: str, width: int, height: int, title: str, parts: Iterable[str], *, stretch: bool = False
) -> str:
    fit = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}"{fit} role="img" '
        f'aria-label="{title}">{"".join(parts)}</svg>'
    )
