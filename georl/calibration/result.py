"""What a calibration found, as numbers and as text for a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from georl.calibration.measures import Bin


@dataclass(frozen=True)
class Calibration:
    """The verdicts of a judge beside what was so, on rows that it has not learnt from."""

    judge: str
    records: str
    split: str
    rows: int
    """Rows with a verdict."""
    without: dict[str, int]
    """Rows without a verdict, by the reason; they are in no number here."""
    yes: int
    """Rows that were kept."""
    auc: float | None
    interval: tuple[float, float] | None
    """95%, over photos."""
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]
    by_step: dict[str, tuple[int, float | None]]
    """Step -> its dropped rows, and the AUC of all kept rows against them."""

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types."""
        steps = {name: {"rows": n, "auc": value} for name, (n, value) in self.by_step.items()}
        return asdict(self) | {"by_step": steps, "schema": "georl.calibration/1"}

    def text(self) -> str:
        """Return the result in lines of at most 80 signs."""
        span = f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]" if self.interval else ""
        lines = [
            f"judge    {self.judge}",
            f"records  {self.records}, split {self.split}",
            f"rows     {self.rows}, {self.yes} of them yes",
            f"AUC      {shown(self.auc)}{span}   (0.5 is chance; 95% over photos)",
            f"ECE      {shown(self.ece)}   (0 is calibrated)",
            f"Brier    {shown(self.brier)}",
            "",
            "  it says          rows   mean   were yes",
        ]
        lines += [
            f"  {b.low:.2f} to {b.high:.2f}  {b.rows:>8} {b.said:>6.3f} {b.was:>10.3f}"
            for b in self.bins
        ]
        if self.by_step:
            lines += ["", "  dropped in step                   rows     AUC"]
            lines += [f"  {n:<30} {k:>7} {shown(a):>7}" for n, (k, a) in self.by_step.items()]
        if self.without:
            told = ", ".join(f"{n} {what}" for what, n in sorted(self.without.items()))
            lines += ["", f"without a verdict, in no number above: {told}"]
        return "\n".join(lines) + "\n"


def shown(value: float | None) -> str:
    """Return a number with three decimals, a dash for none."""
    return "-" if value is None else f"{value:.3f}"
