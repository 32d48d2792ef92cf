"""Tell answers at chance, no better than the same answers shuffled, and rows that were moved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import sphere
from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.joining import Joined

FEWEST = 30
"""With fewer answers chance is not to be told from skill."""

ROWS = 5_000
"""Rows that are shuffled."""

SHUFFLES = 99
BEYOND = 4.0
"""Standard deviations above shuffled answers from which answers are better than chance."""

MOVED_BEYOND = 6.0
"""So far above shuffled answers must another order be: ten are tried, and it is called an error.

Of 300 files of 30 and 60 shuffled answers each none is; the best shuffle as the bar named 9%.
"""

FIRST_SHUFFLES = 9
"""So many settle it where the answers are far better."""

SHIFTS = (1, -1, 2, -2, 3, -3)
SCALE_KM = 1492.7
"""Of the points that a distance earns, see `geoscore_points`."""

SORTED_ROWS = 200_000
"""Up to this many truth rows their ids are sorted to look for answers in another order."""

Floats = NDArray[np.float64]
Places = tuple[Floats, Floats]


def against_chance(joined: Joined, truth: Places, answers: Places) -> list[Finding]:
    """Return a finding where the answers are at chance; an error where another order fits them.

    Parameters
    ----------
    joined
    truth, answers
        Latitudes and longitudes of the first truth rows and their answers, degrees, shape (n,).
    """
    lat, _ = answers
    known = np.flatnonzero(~np.isnan(lat))
    if len(known) < FEWEST:
        return []
    rng = np.random.default_rng([0, ROWS])  # not the order that a user's own seed gives
    if len(known) > ROWS:
        known = np.sort(rng.choice(known, ROWS, replace=False))
    here = _at(truth, known), _at(answers, known)
    own = _points(*here)
    shuffled = [
        _points(here[0], _at(here[1], rng.permutation(len(known)))) for _ in range(FIRST_SHUFFLES)
    ]
    if own > max(shuffled) + 10 * np.std(shuffled):
        return []
    more = SHUFFLES - FIRST_SHUFFLES
    shuffled += [_points(here[0], _at(here[1], rng.permutation(len(known)))) for _ in range(more)]
    as_good = sum(score >= own for score in shuffled)
    middle, spread = np.mean(shuffled), np.std(shuffled)
    if own > middle + BEYOND * spread:
        return []
    moved = _moved(joined, truth, answers, max(float(middle + MOVED_BEYOND * spread), 2 * own))
    if moved is not None:
        how, score = moved
        return [
            finding(
                "rows_out_of_order",
                "error",
                f"the answers fit the truth {how}: mean GeoScore {5000 * score:,.0f}, by their "
                f"ids {5000 * own:,.0f}, which is chance",
                "Write the id beside each answer when it is made, not afterwards.",
                count=len(known),
            )
        ]
    return [
        finding(
            "at_chance",
            "warning",
            f"the answers are no better than the same answers shuffled: {as_good} of {SHUFFLES} "
            f"shuffles score as high (mean GeoScore {5000 * own:,.0f})",
            "Look whether answers and truth are of the same photos.",
            count=len(known),
        )
    ]


def _moved(joined: Joined, truth: Places, answers: Places, bar: float) -> tuple[str, float] | None:
    """Return the arrangement that fits best, if it scores above a bar."""
    tried = [
        (how, _points(_at(truth, i), places)) for how, i, places in _orders(joined, truth, answers)
    ]
    best = max(tried, key=lambda one: one[1])
    return best if best[1] > bar else None


def _orders(
    joined: Joined, truth: Places, answers: Places
) -> Iterator[tuple[str, NDArray[np.int64], Places]]:
    """Yield other arrangements: what they are, rows of the truth, and the answers beside them."""
    lat, _ = truth
    n = len(lat)
    rows = np.arange(n)
    for shift in SHIFTS:
        inside = rows[(rows + shift >= 0) & (rows + shift < n)]
        noun = "row" if abs(shift) == 1 else "rows"
        where = "later" if shift > 0 else "earlier"
        yield f"{abs(shift)} {noun} {where}", inside + shift, _at(answers, inside)
    yield "in reverse order", rows[::-1], answers
    given = min(n, len(joined.pred_lat))
    if joined.matched is not None:
        as_given = joined.pred_lat[:given], joined.pred_lon[:given]
        yield "row by row, whatever the ids", rows[:given], as_given
    if joined.rows <= SORTED_ROWS and n == joined.rows:
        ids = joined.table(["id"])["id"]
        order = np.asarray(pc.sort_indices(ids), np.int64)
        yield "once the truth is sorted by id", order, answers
        yield "once the answers are sorted by id", rows, _at(answers, order)


def _at(places: Places, rows: NDArray[np.int64]) -> Places:
    return places[0][rows], places[1][rows]


def _points(truth: Places, answers: Places) -> float:
    """Return the mean points in [0, 1] that answers earn; one that is missing earns 0."""
    points = np.exp(-sphere.haversine_km(*truth, *answers) / SCALE_KM)
    return float(np.nan_to_num(points).mean()) if len(points) else 0.0
