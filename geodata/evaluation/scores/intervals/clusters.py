"""Rows that come in clusters: how many clusters they are worth, and tests that respect them.

Photos of one photographer succeed and fail together. A resampled spread is too small where
there are few clusters or where some are large, so three things mend it: each cluster's residual
is divided by ``sqrt(1 - share of the rows)`` (CR2), the quantile is Student's, and its degrees
of freedom are the effective number of clusters less one. Where a few clusters hold most of what
varies, as with a share of 5%, that spread is itself badly known: a share then has fewer degrees
of freedom, by the kurtosis of the residuals.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEW_CLUSTERS = 20
"""Below this many clusters an interval is rough, whatever the correction."""

HEAVY = 1.75
"""2 by theory, a little less by simulation: the kurtosis of a few clusters is underestimated."""

_EXACT_SUM = 20_000
"""Above this many discordant rows the sign-flip distribution is normal to many digits."""

Floats = NDArray[np.float64]


class Clusters(NamedTuple):
    """The clusters that occur, in order of their codes."""

    sizes: Floats
    """Rows of each, shape (c,)."""
    sums: Floats
    """Sum of each column over the rows of each, shape (c, k)."""

    @property
    def effective(self) -> float:
        """Kish's effective number of clusters, ``(sum n)^2 / sum n^2``: c if all are equal."""
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    def means(self) -> Floats:
        """Return the mean of each column over all rows, shape (k,)."""
        return np.asarray(self.sums.sum(axis=0) / self.sizes.sum())

    def residuals(self) -> Floats:
        """Return how far each cluster's sums are from its share of the whole, shape (c, k).

        Of whole numbers they are exactly 0 where all clusters are alike, as when one row in three
        is right in each: from a rounded mean they would be noise, which looks like a spread.
        """
        rows = self.sizes.sum()
        away = self.sums * rows - self.sizes[:, None] * self.sums.sum(axis=0)
        return np.asarray(away / rows)

    def widening(self, confidence: float) -> tuple[Floats, float]:
        """Return by how much a resampled standard error is too small, and the t quantile.

        Returns
        -------
        factor : shape (k,)
            Square root of the CR2 variance over the variance that resampling estimates; for c
            equal clusters ``sqrt(c / (c - 1))``.
        quantile : float
            Student's, with `effective` - 1 degrees of freedom, at least 1.

        References
        ----------
        R. M. Bell, D. F. McCaffrey, Survey Methodology 28 (2002), for CR2; A. V. Carter,
        K. T. Schnepel, D. G. Steigerwald, Review of Economics and Statistics 99 (2017), for the
        effective number of clusters as degrees of freedom.

        Examples
        --------
        >>> found = Clusters(np.full(5, 10.0), np.array([[2.0], [4], [6], [8], [5]]))
        >>> factor, quantile = found.widening(0.95)
        >>> factor.round(4).tolist(), round(quantile, 3)
        ([1.118], 2.776)
        """
        from scipy.special import stdtrit

        share = self.sizes / self.sizes.sum()
        squares = self.residuals() ** 2
        plain = squares.sum(axis=0)
        mended = (squares / (1 - share)[:, None]).sum(axis=0)
        factor = np.sqrt(np.divide(mended, plain, out=np.ones_like(plain), where=plain > 0))
        freedom = max(self.effective - 1, 1.0)
        return factor, float(stdtrit(freedom, (1 + confidence) / 2))

    def share_quantiles(self, confidence: float) -> Floats:
        """Return Student's quantile for the share in each column, shape (k,).

        The degrees of freedom are those of a variance that is estimated from residuals with
        kurtosis g, ``2 c / (g - 1)`` after Satterthwaite, with the effective number of clusters
        for c and `HEAVY` for 2; at most `effective` - 1, at least 1.

        References
        ----------
        F. E. Satterthwaite, Biometrics Bulletin 2 (1946). ``benchmarks/intervals.py`` prints
        what it mends: 86 to 92% become 94 to 96% for a share of 5% in 10 to 200 clusters.

        Examples
        --------
        >>> even = Clusters(np.full(8, 10.0), np.array([[2.0], [4], [6], [8], [5], [3], [4], [6]]))
        >>> rare = Clusters(np.full(8, 10.0), np.array([[0.0], [0], [0], [9], [0], [0], [1], [0]]))
        >>> [one.share_quantiles(0.95).round(2).tolist() for one in (even, rare)]
        [[2.36], [3.31]]
        """
        from scipy.special import stdtrit

        share = self.sizes / self.sizes.sum()
        squares = self.residuals() ** 2 / (1 - share)[:, None]
        fourth, second = (squares**2).mean(axis=0), squares.mean(axis=0) ** 2
        kurtosis = np.divide(fourth, second, out=np.ones_like(second), where=second > 0)
        freedom = HEAVY * self.effective / np.maximum(kurtosis - 1, 1e-9)
        freedom = np.clip(freedom, 1.0, max(self.effective - 1, 1.0))
        return np.asarray(stdtrit(freedom, (1 + confidence) / 2))


def by_cluster(values: NDArray[Any], clusters: ArrayLike) -> Clusters:
    """Gather rows by cluster.

    Parameters
    ----------
    values : shape (n, k)
    clusters : shape (n,)
        Non-negative integer codes.

    Raises
    ------
    ValueError
        With fewer than two clusters: nothing can be said of how they differ.
    """
    codes = np.asarray(clusters)
    if values.ndim != 2 or codes.shape != values.shape[:1]:
        msg = f"clusters has shape {codes.shape} for values of shape {values.shape}; one a row"
        raise ValueError(msg)
    _, codes = np.unique(codes, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)
    if len(sizes) < 2:
        msg = f"found {len(sizes)} cluster; resampling needs at least 2, so leave clusters out"
        raise ValueError(msg)
    sums = [np.bincount(codes, column.astype(np.float64)) for column in values.T]
    return Clusters(sizes, np.stack(sums, axis=1))


def sign_flip(sums: ArrayLike) -> float:
    """Return the exact two-sided p-value of a sum under random signs of its parts.

    Under the null hypothesis that A and B are the same, swapping them in a whole cluster changes
    nothing, so each cluster's surplus of A over B is as likely with the other sign. With one row
    a cluster this is McNemar's exact test.

    Parameters
    ----------
    sums : shape (c,)
        Whole numbers: rows of the cluster that only A has right, less those only B has.

    References
    ----------
    R. A. Fisher, The Design of Experiments (1935), ch. III, with clusters as the units. The
    distribution of the sum is the inverse Fourier transform of ``prod cos(d theta)``.

    Examples
    --------
    >>> round(sign_flip([1] * 9 + [-1]), 4), sign_flip([5, 0]), sign_flip([3, 4, 5])
    (0.0215, 1.0, 0.25)
    """
    parts = np.abs(np.rint(np.asarray(sums, np.float64))).astype(np.int64)
    parts = parts[parts > 0]
    observed = abs(int(np.rint(np.asarray(sums, np.float64)).sum()))
    if observed == 0:
        return 1.0
    total = int(parts.sum())
    if total > _EXACT_SUM:
        from scipy.special import ndtr

        return float(2 * ndtr(-observed / np.sqrt((parts.astype(np.float64) ** 2).sum())))
    # the sum has the parity of its total, so (total + sum) / 2 counts from 0 to total
    angle = np.pi * np.arange(total + 1) / (total + 1)
    wave = np.ones(total + 1)
    for size, times in zip(*np.unique(parts, return_counts=True), strict=True):
        wave = wave * np.cos(size * angle) ** int(times)
    chance = np.fft.fft(wave * np.exp(1j * angle * total)).real / (total + 1)
    tail = chance[(total + observed) // 2 :].sum()
    return float(min(1.0, max(2 * tail, 2.0 ** (1 - len(parts)))))
