"""Which thresholds and groups a report shows where it cannot show all, and country names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from geodata import boundaries
from geodata.evaluation.scores import Evaluation, Group

FEW_ROWS = 10
"""Groups with fewer rows are not ranked, and are marked on a map."""


def broken_down_by(result: Evaluation, by: Sequence[str] | None = None) -> list[str]:
    """Return the break-downs to show: those asked for, not the column that is only resampled."""
    wanted = result.options.by if by is None else by
    return [name for name in dict.fromkeys(wanted) if name in result.scores.by]


def main_threshold(thresholds_km: Sequence[float]) -> float:
    """Return the threshold a map or ranking uses: the one nearest to 200 km in ratio.

    Examples
    --------
    >>> main_threshold((1.0, 25.0, 200.0, 750.0)), main_threshold((0.0, 1000.0))
    (200.0, 1000.0)
    """
    return min(thresholds_km, key=lambda t: abs(math.log(max(t, 1e-6) / 200.0)))


def shown_thresholds(thresholds_km: Sequence[float], most: int = 5) -> tuple[float, ...]:
    """Return at most so many thresholds, evenly chosen, always with the first and last.

    Examples
    --------
    >>> shown_thresholds((1.0, 2.0, 3.0, 4.0), most=3)
    (1.0, 3.0, 4.0)
    """
    last = len(thresholds_km) - 1
    if last < most:
        return tuple(thresholds_km)
    return tuple(thresholds_km[math.ceil(i * last / (most - 1))] for i in range(most))


def worst_groups(groups: Sequence[Group], at_km: float, most: int = 12) -> list[Group]:
    """Return the groups with the lowest accuracy, those of few rows only if there is no other."""
    known = [group for group in groups if group.value is not None]
    enough = [group for group in known if group.rows >= FEW_ROWS] or known
    return sorted(enough, key=lambda g: (g.accuracy[at_km] or 0.0, -g.rows, str(g.value)))[:most]


def country_names() -> dict[str, str]:
    """Return the name of each country code."""
    table = boundaries.load().countries
    pairs = zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True)
    return dict(reversed(list(pairs)))
