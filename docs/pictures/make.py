"""Make the pictures of README and of the explanations from our own outputs.

    python docs/pictures/make.py            all of them, about a minute
    python docs/pictures/make.py overview   one

Nothing is drawn by hand: labels, scores, datasets and advantages are computed here, on the rows of
`examples/` and the bundled picture of the Earth.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geodata import cor, datasets, evaluation, maps, photos, sphere, tables
from georl.data.world import Earth

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
INK, SOFT, BLUE, ORANGE, RED = "#17202a", "#55616d", "#1d4e79", "#dc8a3c", "#ad2f2b"
RAMP = ("#1d4e79", "#3a8297", "#e6c265", "#dc8a3c", "#ad2f2b")
METADATA = {"Software": None}


def overview() -> None:
    """Draw a photo, its Chain of Region, and a scored map: what the project does in one picture."""
    lat, lon = 30.05, 31.24
    figure, (photo, words, scored) = _figure(11.0, 2.75, (1.0, 1.05, 2.2))
    for axes in (photo, words, scored):
        axes.set_anchor("N")
    photo.imshow(Earth().crop(lat, lon, 224), interpolation="bicubic")
    photo.set_title("a picture", **_title())
    chain = cor.label(lat, lon)
    for row, line in enumerate(chain.text().splitlines()):
        name, _, value = line.partition(": ")
        words.text(0.0, 0.92 - row * 0.24, name, color=SOFT, fontsize=9, transform=words.transAxes)
        words.text(0.0, 0.81 - row * 0.24, value, color=INK, fontsize=12, transform=words.transAxes)
    words.set_title("its Chain of Region", **_title())
    result = evaluation.evaluate(EXAMPLES / "predictions.csv", EXAMPLES / "truth.csv")
    _scored(scored, result)
    scored.set_title(
        f"answers, scored: {result.accuracy[25]:.0%} within 25 km, {result.accuracy[750]:.0%} "
        "within 750 km",
        **_title(),
    )
    _save(figure, "overview.png")


def hard() -> None:
    """Draw where MP16-Hard may take rows from: 200 km away from every popular point."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        photos.import_(EXAMPLES / "truth.csv", lake / "photos")
        datasets.build("labelled", lake)
        guesses = {"predictions": str(EXAMPLES / "predictions.csv")}
        datasets.build("popular", lake, inputs=guesses)
        datasets.build("hard", lake)
        for dark in (False, True):
            tables.draw_map(
                lake / "hard",
                HERE / f"hard-{'dark' if dark else 'light'}.png",
                around=lake / "popular",
                title="Rows of hard, and what they are kept away from",
                dark=dark,
            )


def circles() -> None:
    """Draw the same 1,000 km around five points: equal on the globe, unequal on a flat map."""
    for dark in (False, True):
        drawn = maps.WorldMap("1,000 km around five places", dark=dark)
        places = np.array([(0.0, -20.0), (48.86, 2.35), (64.1, -21.9), (70.0, 100.0), (-17, 178)])
        drawn.circles(places[:, 0], places[:, 1], 1000.0)
        drawn.points(places[:, 0], places[:, 1])
        drawn.save(HERE / f"circles-{'dark' if dark else 'light'}.png")


def reward() -> None:
    """Draw Geo-R's reward: how much an answer earns by its distance."""
    from georl import rewards

    figure, (axes,) = _figure(6.2, 3.0, (1.0,), off=False)
    distance = np.geomspace(0.1, 20_000, 400)
    lon = np.degrees(distance / sphere.EARTH_RADIUS_KM)
    answers = [f"(0.000000, {x:.9f})" for x in lon]
    truth = {"lat": [0.0] * len(lon), "lon": [0.0] * len(lon)}
    axes.semilogx(distance, rewards.distance(answers, **truth), color=BLUE, lw=2)
    axes.set(xlabel="great-circle distance of the answer (km)", ylabel="reward", ylim=(-0.03, 1.03))
    _plain(axes)
    _save(figure, "reward.png")


def advantages() -> None:
    """Draw the advantages of three groups of eight answers; a flat group teaches nothing."""
    groups = {
        "all answers alike": [0.4] * 8,
        "one finds it": [0.1] * 7 + [0.9],
        "spread": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    }
    figure, panels = _figure(9.0, 2.8, (1, 1, 1), off=False)
    for axes, (name, earned) in zip(panels, groups.items(), strict=True):
        got = np.array(earned)
        spread = got.std(ddof=1)
        value = (got - got.mean()) / (spread + 1e-4) if spread else np.zeros(8)
        colours = [BLUE if v > 0 else RED for v in value]
        axes.bar(range(8), value, color=colours)
        axes.axhline(0, color=SOFT, lw=0.8)
        axes.set_title(name, color=INK, fontsize=10, loc="left")
        axes.set(ylim=(-2.6, 2.6), xlabel="answer of the group")
        axes.set_xticks([])
        _plain(axes)
    panels[0].set_ylabel("advantage")
    _save(figure, "advantages.png")


def intervals() -> None:
    """Draw one model on 100 test sets: what a 95% interval holds, and what a single figure says."""
    rng = np.random.default_rng(7)
    share, rows = 0.34, 300
    figure, (axes,) = _figure(9.0, 2.6, (1.0,), off=False)
    for at in range(100):
        right = rng.random(rows) < share
        truth = {"id": np.arange(rows).astype(str), "lat": np.zeros(rows), "lon": np.zeros(rows)}
        guess = {**truth, "lat": np.where(right, 0.0, 10.0)}
        found = evaluation.evaluate(guess, truth, thresholds_km=(25,))
        low, high = found.intervals[25].low, found.intervals[25].high
        holds = low <= share <= high
        axes.plot([at, at], [low, high], color=BLUE if holds else RED, lw=1.6)
        axes.plot(at, found.accuracy[25], ".", color=INK, ms=3)
    axes.axhline(share, color=ORANGE, lw=1.2)
    axes.set(xlabel="test set of 300 photos", ylabel="within 25 km", xlim=(-1, 100))
    _plain(axes)
    _save(figure, "intervals.png")


def _scored(axes, result) -> None:  # noqa: ANN001
    """Draw each answer at the end of its great circle, by the class of its error."""
    world = maps.WorldMap(axes=axes)
    rows = sorted(result.sample, key=lambda row: -row.distance_km)
    ends = (25.0, 200.0, 750.0, 2500.0, np.inf)
    colours = [RAMP[next(i for i, end in enumerate(ends) if r.distance_km <= end)] for r in rows]
    world.ways([(r.lat, r.lon, r.pred_lat, r.pred_lon) for r in rows], colours)
    for colour, row in zip(colours, rows, strict=True):
        world.points([row.pred_lat], [row.pred_lon], colour=colour, size=6)


def _figure(width: float, height: float, widths: tuple[float, ...], *, off: bool = True):  # noqa: ANN202
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
    for axes in panels if off else ():
        axes.set_axis_off()
    return figure, panels


def _plain(axes) -> None:  # noqa: ANN001
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=SOFT, labelsize=8)
    axes.grid(axis="y", color="#e3e8ec", lw=0.7)
    axes.set_axisbelow(True)


def _title() -> dict[str, object]:
    return {"color": SOFT, "fontsize": 9.5, "loc": "left"}


def _save(figure: Figure, name: str) -> None:
    figure.savefig(HERE / name, metadata=METADATA, bbox_inches="tight", pad_inches=0.1)


if __name__ == "__main__":
    every = (overview, hard, circles, reward, advantages, intervals)
    for make in every:
        if not sys.argv[1:] or make.__name__ in sys.argv[1:]:
            make()
            print(make.__name__)
