"""What was learnt, as a picture: reward and errors on held-out places, answers on a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.files import replacing
from geodata.maps import WorldMap, project
from georl.run import THRESHOLDS_KM

LATER = ("#dc8a3c", "#3a8297", "#7b6ba8", "#8a8f3c")
"""Colours of the stages behind the first, whose colour is the map's."""

GREY = "#8794a1"

CLASSES = ((200.0, "#3a8297"), (750.0, "#dc8a3c"), (np.inf, "#ad2f2b"))
"""Errors up to so many km, and the colour of their lines."""

BLIND = "best single answer, without looking"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """Held-out places as one model answers them.

    Attributes
    ----------
    reward
        Of sampled answers, (places,).
    km
        Error of each greedy answer, (places,); infinite without one.
    ways
        Truth and greedy answer, degrees, (places, 4) as lat, lon, lat, lon; NaN without one.
    """

    title: str
    reward: Floats
    km: Floats
    ways: Floats


def draw(
    stages: Sequence[Stage], blind_reward: Floats, blind_km: Floats, target: Path, *, dark: bool
) -> Path:
    """Draw rewards with their standard errors, error curves, and a map a stage.

    Parameters
    ----------
    stages
        Before GRPO and after it, in order.
    blind_reward, blind_km
        What the best single answer to all places earns and misses by, (places,).
    target
        PNG to write.
    dark
        Light ink on dark paper.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8.4), layout="constrained")
    FigureCanvasAgg(figure)
    half = len(stages)
    grid = figure.add_gridspec(2, 2 * half, height_ratios=(1.0, 1.6))
    for i, stage in enumerate(stages):
        paper = _map(stage, figure.add_subplot(grid[1, 2 * i : 2 * i + 2]), dark)
    colours = (paper.dot, *LATER)
    rewards, errors = (figure.add_subplot(grid[0, k : k + half]) for k in (0, half))
    _rewards(rewards, stages, colours, blind_reward)
    _errors(errors, stages, colours, blind_km)
    for axes in (rewards, errors):
        _dress(axes, paper)
    with replacing(target) as beside:
        figure.savefig(beside, dpi=120, format="png", facecolor=paper.page)
    return target


def _map(stage: Stage, axes: Any, dark: bool) -> Any:
    """Draw the way from each place to its answer, around the places; return the map's paper."""
    drawn = WorldMap(f"answers {stage.title}", dark=dark, axes=axes)
    low = -1.0
    for km, colour in CLASSES:
        ways = stage.ways[(stage.km > low) & (stage.km <= km) & np.isfinite(stage.km)]
        name = f"over {low:,.0f} km off" if np.isinf(km) else f"up to {km:,.0f} km off"
        drawn.ways(ways.tolist(), [colour] * len(ways))
        drawn.points(ways[:, 0], ways[:, 1], f"{name}: {len(ways):,}", colour=colour, size=5.0)
        low = km
    south, west = stage.ways[:, :2].min(axis=0) - 6.0
    north, east = stage.ways[:, :2].max(axis=0) + 6.0
    x, _ = project([0.0, 0.0], [west, east])
    _, y = project([south, north], [0.0, 0.0])
    axes.set(xlim=tuple(x), ylim=tuple(y))
    axes.legend(loc="lower left", frameon=False, fontsize=8, labelcolor=drawn.paper.ink)
    return drawn.paper


def _rewards(axes: Any, stages: Sequence[Stage], colours: Sequence[str], blind: Floats) -> None:
    """Draw the mean reward of each stage with its standard error over the baseline."""
    axes.axhline(blind.mean(), color=GREY, lw=1.2, ls="--")
    said = f"{BLIND}: {blind.mean():.3f}"
    axes.annotate(said, (-0.55, blind.mean()), (0, 4), textcoords="offset points", fontsize=8)
    for i, stage in enumerate(stages):
        mean, error = float(stage.reward.mean()), standard_error(stage.reward)
        axes.errorbar(i, mean, error, fmt="o", color=colours[i], capsize=5, ms=6, lw=1.6)
        said = f"{mean:.3f} ± {error:.3f}"
        axes.annotate(said, (i, mean), (9, -3), textcoords="offset points", fontsize=8)
    axes.set_xticks(range(len(stages)), [stage.title for stage in stages], fontsize=8)
    axes.set_xlim(-0.6, len(stages) - 0.2)
    most = max(float(stage.reward.mean()) for stage in stages)
    axes.set_ylim(min(0.0, float(blind.mean())), 1.25 * max(most, float(blind.mean()), 0.1))
    axes.set_title("held-out reward of sampled answers, ± one standard error", fontsize=10)


def standard_error(values: Floats) -> float:
    """Return the standard error of a mean, (n,) values.

    Examples
    --------
    >>> standard_error(np.array([0.0, 1.0]))
    0.5
    """
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _errors(axes: Any, stages: Sequence[Stage], colours: Sequence[str], blind_km: Floats) -> None:
    """Draw the share of places within a distance; its middle is the median error."""
    curves = [(stage.title, stage.km, colours[i], "-") for i, stage in enumerate(stages)]
    for title, km, colour, style in [*curves, (BLIND, blind_km, GREY, "--")]:
        share = np.arange(1, len(km) + 1) / len(km)
        axes.step(np.sort(km), share, where="post", color=colour, ls=style, lw=1.6, label=title)
    axes.axhline(0.5, color=GREY, lw=0.6)
    axes.set(xscale="log", xlim=(10, 20_000), ylim=(0, 1))
    ticks = [km for km in (*THRESHOLDS_KM, 10_000.0) if km >= 10]
    axes.set_xticks(ticks, [f"{km:,.0f}" for km in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("km", fontsize=8)
    axes.set_title("share of held-out places within a distance", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _dress(axes: Any, paper: Any) -> None:
    """Give axes the colours of the maps beside them."""
    axes.set_facecolor(paper.page)
    axes.title.set_color(paper.ink)
    axes.xaxis.label.set_color(paper.ink)
    axes.tick_params(colors=paper.ink, labelsize=8)
    legend = axes.get_legend()
    for text in (*axes.texts, *(legend.get_texts() if legend else ())):
        text.set_color(paper.ink)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(paper.ink)
