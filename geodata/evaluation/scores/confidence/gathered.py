"""What the confidence of a file is worth, gathered."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.evaluation.scores.confidence.held_out import BackOff, Radius
from geodata.evaluation.scores.confidence.risk import Selective


@dataclass(frozen=True)
class Confidence:
    """What the confidence of a file is worth."""

    curve: Selective
    radii: tuple[Radius, ...]
    """Empty where there are too few answers to learn from."""
    back_off: tuple[BackOff, ...]
    """City, admin1, country; empty without labels or with too few answers."""
