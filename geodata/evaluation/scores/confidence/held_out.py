"""How far an answer can be trusted, learnt on half of the rows and measured on the other half.

Half of the rows, drawn by seed, or of the clusters where rows come in clusters, sets the radius
or the bar; what is told of it is what it does on the rows that it has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.evaluation.scores.counting import share
from geodata.sphere import HALF_CIRCUMFERENCE_KM

RADIUS_LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Shares of answers that a radius is to hold."""

PARTS = 5
"""Answers are split into so many parts by confidence, each with a radius of its own."""

TARGET = 0.9
"""Precision that an answer must reach at a level to be given there."""

FEWEST = 20
"""With fewer answers in a half nothing is learnt."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Radius:
    """A radius that holds a share of the true places, and how often it did on unseen rows."""

    level: float
    """The share that it is to hold."""
    conformal_km: float
    """One radius for every answer."""
    covered: float
    """Share of the held-out answers whose true place it holds."""
    calibrated_km: tuple[float, ...]
    """A radius for each part of the answers by confidence, the least sure first."""
    calibrated_covered: float
    """Share of the held-out answers that the radius of their part holds."""
    held_out: int
    """Answers that this was measured on."""


@dataclass(frozen=True)
class BackOff:
    """How far down an answer may go: city, else region, else country, else no answer."""

    target: float
    """Precision that each level was to reach on the rows it was learnt on."""
    level: str
    bar: float | None
    """Confidence from which an answer is given at this level; None where none is enough."""
    share: float
    """Share of the held-out rows that are answered at this level and no finer one."""
    precision: float | None
    """Share of those that are right there."""
    held_out: int


def halves(rows: int, seed: int, clusters: ArrayLike | None = None) -> Bools:
    """Return which rows set a radius, the others measure it; a cluster stays whole.

    Examples
    --------
    >>> int(halves(100, 0).sum())
    50
    >>> learnt = halves(6, 0, [0, 0, 1, 1, 2, 2])
    >>> bool((learnt[::2] == learnt[1::2]).all())
    True
    """
    rng = np.random.default_rng([seed, 1])
    if clusters is None:
        return np.asarray(rng.permutation(rows) < (rows + 1) // 2)
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    count = int(codes.max()) + 1 if rows else 0
    return np.asarray((rng.permutation(count) < (count + 1) // 2)[codes])


def conformal_radius(distance_km: ArrayLike, level: float) -> float:
    """Return the radius that holds a new answer's true place with at least this probability.

    The ``ceil((n + 1) level)``-th smallest error of n rows that are exchangeable with the new
    one; half the Earth's circumference where n is too small.

    References
    ----------
    J. Lei et al., Journal of the American Statistical Association 113 (2018), algorithm 2.

    Examples
    --------
    >>> conformal_radius(np.arange(1.0, 100.0), 0.9), conformal_radius([1.0], 0.9) > 20_000
    (90.0, True)
    """
    values = np.asarray(distance_km, np.float64)
    rank = int(np.ceil((len(values) + 1) * level - 1e-9))
    if rank > len(values):
        return HALF_CIRCUMFERENCE_KM
    return float(np.partition(values, rank - 1)[rank - 1])


def radii(distance_km: ArrayLike, confidence: ArrayLike, learnt: Bools) -> tuple[Radius, ...]:
    """Return radii for `RADIUS_LEVELS`, from the learnt rows, measured on the others.

    Parameters
    ----------
    distance_km, confidence, learnt
        Errors, confidences (NaN: none) and `halves` of n answers, shape (n,).
    """
    distance = np.asarray(distance_km, np.float64)
    sure = least_where_none(confidence)
    if min(int(learnt.sum()), int((~learnt).sum())) < FEWEST:
        return ()
    part = _parts(sure, learnt)
    inside = [learnt & (part == i) for i in range(int(part.max()) + 1)]
    found = []
    for level in RADIUS_LEVELS:
        whole = conformal_radius(distance[learnt], level)
        each = np.array([conformal_radius(distance[rows], level) for rows in inside])
        unseen = distance[~learnt]
        found.append(
            Radius(
                level,
                whole,
                float(np.mean(unseen <= whole)),
                tuple(each.tolist()),
                float(np.mean(unseen <= each[part[~learnt]])),
                len(unseen),
            )
        )
    return tuple(found)


def least_where_none(confidence: ArrayLike) -> Floats:
    """Return confidences with the least there is, minus infinity, for NaN."""
    sure = np.asarray(confidence, np.float64)
    return np.where(np.isnan(sure), -np.inf, sure)


def _parts(sure: Floats, learnt: Bools) -> NDArray[np.int64]:
    """Return the part of each answer by confidence; equal ones stay together."""
    ordered = np.sort(sure[learnt])
    cuts = ordered[(np.arange(1, PARTS) * len(ordered)) // PARTS]
    part = np.searchsorted(cuts, sure, side="right")
    return np.asarray(np.unique(part[learnt]).searchsorted(part, side="right") - 1).clip(0)


def back_off(
    right: Mapping[str, Bools], confidence: ArrayLike, learnt: Bools, *, target: float = TARGET
) -> tuple[BackOff, ...]:
    """Return how far down answers may go.

    A row is answered at the finest level whose bar its confidence reaches. The bar of a level is
    the lowest confidence for which the learnt rows answered there, those that reach no finer bar,
    are right with the target precision.

    Parameters
    ----------
    right
        By level, the finest first: whether each answer is right there, shape (n,).
    confidence, learnt
        Confidences (NaN: none) and `halves`, shape (n,).
    target
        In (0, 1].
    """
    sure = least_where_none(confidence)
    unseen = int((~learnt).sum())
    if min(int(learnt.sum()), unseen) < FEWEST:
        return ()
    free = np.ones(len(learnt), bool)
    found = []
    for level, correct in right.items():
        known = learnt & free
        bar = _bar(correct[known], sure[known], target)
        here = free & (sure >= bar) if bar is not None else np.zeros(len(free), bool)
        free = free & ~here
        count = int((here & ~learnt).sum())
        precision = share(int((correct & here & ~learnt).sum()), count)
        found.append(BackOff(target, level, bar, count / unseen, precision, unseen))
    return tuple(found)


def _bar(correct: Bools, sure: Floats, target: float) -> float | None:
    """Return the lowest confidence down to which the precision holds; None where none does."""
    order = np.argsort(-sure, kind="stable")
    ordered = sure[order]
    precision = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    last = np.append(ordered[1:] != ordered[:-1], True)  # equal confidences are taken together
    enough = np.flatnonzero(last & (precision >= target) & np.isfinite(ordered))
    return float(ordered[enough[-1]]) if len(enough) else None
