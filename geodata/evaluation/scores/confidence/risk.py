"""What a confidence is worth: the risk that is left when only the surest answers are given.

Answers are taken from the most confident down. The risk at a coverage is the share of the
answers given so far that are wrong. Answers of equal confidence come in no order: inside such a
tie the expected risk over all orders is taken, so no sorting decides a number. A truth row
without an answer is never covered; an answer without a confidence comes last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Coverages at which the accuracy is told."""


@dataclass(frozen=True)
class Selective:
    """Answers in the order of their confidence."""

    source: str
    """What the confidence is: a column, or the spread of several answers."""
    rows: int
    """Rows that coverage is a share of."""
    thresholds_km: tuple[float, ...]
    taken: NDArray[np.int64] = field(repr=False)
    """Answers given after each distinct confidence, shape (m,), rising."""
    wrong: NDArray[np.int64] = field(repr=False)
    """Wrong ones among them at each threshold, shape (m, thresholds)."""
    unknown: int
    """Answers without a confidence."""

    @property
    def answered(self) -> int:
        """Number of answers."""
        return int(self.taken[-1]) if len(self.taken) else 0

    def risk_coverage(self, threshold_km: float) -> tuple[Floats, Floats]:
        """Return the risk-coverage curve.

        Returns
        -------
        coverage : shape (answered,)
            Share of the rows that is answered, k / rows for k = 1 to the number of answers.
        risk : shape (answered,)
            Share of the k surest answers that is wrong.

        Raises
        ------
        ValueError
            For a threshold that was not scored.
        """
        given = np.arange(1, self.answered + 1)
        return given / self.rows, self._risk(given, threshold_km)

    @property
    def aurc(self) -> dict[float, float | None]:
        """Area under the risk-coverage curve by threshold: the mean risk over all answers.

        References
        ----------
        Y. Geifman, G. Uziel, R. El-Yaniv, ICLR 2019 (arXiv 1805.08206), equation 2.
        """
        if not self.answered:
            return dict.fromkeys(self.thresholds_km)
        return {t: float(self.risk_coverage(t)[1].mean()) for t in self.thresholds_km}

    def accuracy_at(self, coverage: float, threshold_km: float) -> float | None:
        """Return the accuracy where so large a share of the rows is answered; None beyond."""
        given = max(1, int(np.ceil(coverage * self.rows - 1e-9)))
        if given > self.answered:
            return None
        return 1.0 - float(self._risk(np.array([given]), threshold_km)[0])

    def _risk(self, given: NDArray[np.int64], threshold_km: float) -> Floats:
        wrong = self.wrong[:, self._at(threshold_km)]
        return np.asarray(np.interp(given, np.append(0, self.taken), np.append(0, wrong)) / given)

    def _at(self, threshold_km: float) -> int:
        if float(threshold_km) not in self.thresholds_km:
            known = ", ".join(f"{t:g}" for t in self.thresholds_km)
            msg = f"threshold {threshold_km!r} km was not scored; there are {known}"
            raise ValueError(msg)
        return self.thresholds_km.index(float(threshold_km))


def selective(
    within: ArrayLike,
    confidence: ArrayLike,
    thresholds_km: tuple[float, ...],
    *,
    rows: int | None = None,
    source: str = "confidence",
) -> Selective:
    """Order answers by their confidence.

    Parameters
    ----------
    within
        Whether each answer is within each threshold, bool, shape (n, k).
    confidence
        The higher the surer, shape (n,); NaN where there is none.
    thresholds_km
        The k thresholds.
    rows
        Rows that coverage is a share of; n if None.
    source
        What the confidence is.

    Examples
    --------
    >>> found = selective([[True], [False], [True]], [0.9, 0.1, 0.5], (25.0,))
    >>> coverage, risk = found.risk_coverage(25)
    >>> risk.round(3).tolist(), round(found.aurc[25], 3)
    ([0.0, 0.0, 0.333], 0.111)
    """
    right, sure = np.asarray(within, bool), np.asarray(confidence, np.float64)
    unknown = np.isnan(sure)
    sure = np.where(unknown, -np.inf, sure)
    order = np.argsort(-sure, kind="stable")
    ordered = sure[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(order) else order
    wrong = np.cumsum(~right[order], axis=0, dtype=np.int64)[ends]
    return Selective(
        source,
        len(sure) if rows is None else rows,
        thresholds_km,
        ends.astype(np.int64) + 1,
        wrong,
        int(unknown.sum()),
    )
