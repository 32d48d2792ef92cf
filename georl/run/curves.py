"""Curves of a run as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geodata.files import replacing
from georl.run.record import METRICS, JsonLines

INK = "#1d4e79"
"""The blue of reports and maps."""


def plot(output: Path) -> Path | None:
    """Draw the curves of metrics.jsonl into curves.png; None if there is nothing to draw."""
    rows = JsonLines(output / METRICS).read()
    wanted = (
        "loss",
        "mean_token_accuracy",
        "reward",
        "within_750km",
        "within_200km",
        "entropy",
        "groups/equal",
        "eval_accuracy_200km",
        "eval_median_km",
    )
    series = {k: [(r["step"], r[k]) for r in rows if r.get(k) is not None] for k in wanted}
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    return save_figure(drawn(series), output / "curves.png", dpi=110)


def drawn(series: dict[str, list[tuple[int, float]]]) -> Any:
    """Return a figure with a panel a curve; axes start at 0, or a wobble would look steep."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(3, len(series))
    lines = -(-len(series) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(4 * columns, 2.8 * lines), squeeze=False)
    for axis in axes.flat[len(series) :]:
        axis.axis("off")
    for axis, (name, points) in zip(axes.flat, series.items(), strict=False):
        axis.plot(*zip(*points, strict=True), color=INK, linewidth=1.4)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlim(left=0)
        axis.set_ylim(bottom=min(0.0, *(value for _, value in points)))
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("step", fontsize=9)
        axis.grid(alpha=0.3)
    return figure


def save_figure(figure: Any, target: Path, dpi: int) -> Path:
    """Write a matplotlib figure as a whole PNG or none, close it and return the path."""
    from matplotlib import pyplot as plt

    try:
        figure.tight_layout()
        with replacing(target) as beside:
            figure.savefig(beside, dpi=dpi, format="png")
    finally:
        plt.close(figure)
    return target
