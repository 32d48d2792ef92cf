"""Geographic rewards for GRPO, with TRL's signature: completions and columns in, floats out.

Each function is pure, takes a batch, and gives one finite float in [0, 1] per completion for
any text. `geo_r` is the paper's reward and the default; `distance` and `format` are its
factors; `geo_r_release`, `exponential` and `geoscore` are other shapes; `region` and
`consistency` ask the map rather than compare strings. `combine` weighs several.

A completion earns something only through its one valid pair (Geo-R Eq. 6), so several
guesses, hidden pairs or numbers that are no place earn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from geodata import answers, sphere
from georl.rewards import chains, inputs
from georl.rewards.inputs import Floats, Pair

RewardFunction = Callable[..., list[float]]
"""``f(completions=..., <column>=...) -> list[float]``, what TRL calls a reward function."""

GEO_R_KNOTS_KM = (0.0, 750.0, 2500.0, 20000.0)
"""Distances at which Geo-R Eq. 5 bends, km."""

GEO_R_VALUES = (1.0, 0.5, 0.2, 0.0)
"""Reward of Geo-R Eq. 5 at its knots."""

RELEASE_KNOTS_KM = (0.0, 750.0, 3000.0, 20000.0)
"""The knots of the code released with the paper."""

GEOSCORE_SCALE_KM = 1492.7
"""Decay of the GeoGuessr-like score of PIGEON and OSV-5M, km."""


def geo_r(
    completions: Sequence[Any],
    lat: Sequence[float],
    lon: Sequence[float],
    *,
    knots_km: Sequence[float] = GEO_R_KNOTS_KM,
    values: Sequence[float] = GEO_R_VALUES,
    **columns: Any,
) -> list[float]:
    """Return the reward of Geo-R Eq. 7: distance reward (Eq. 5) times format reward (Eq. 6).

    Parameters
    ----------
    completions
        Length n, as TRL gives them: text, or a list of chat turns whose content is text or a
        list of parts; the last assistant turn is the answer.
    lat, lon
        True coordinates, length n, degrees.
    knots_km, values
        The piecewise linear distance reward: distances, increasing, and rewards in [0, 1].
    **columns
        Other columns that TRL passes; not used.

    Returns
    -------
    list of float, length n, in [0, 1]

    Raises
    ------
    ValueError
        If lengths differ or a true coordinate is missing, not finite or out of range; the
        message names the row. A missing truth is an error of the data, not of the answer.

    References
    ----------
    Geo-R, arXiv 2601.00388, Eq. 5-7, clipped at 0 (Eq. 5 is -0.00017 at the antipode).

    Examples
    --------
    >>> geo_r(["(48.8584, 2.2945)", "Paris", "(0.0, 1.0) (0.0, 2.0)"], [48.8584] * 3, [2.2945] * 3)
    [1.0, 0.0, 0.0]
    >>> chat = [{"role": "assistant", "content": "Coordinates: (51.5007, -0.1246)"}]
    >>> [round(r, 4) for r in geo_r([chat], lat=[48.8584], lon=[2.2945])]
    [0.773]
    """
    return distance(completions, lat, lon, knots_km=knots_km, values=values)


def distance(
    completions: Sequence[Any],
    lat: Sequence[float],
    lon: Sequence[float],
    *,
    knots_km: Sequence[float] = GEO_R_KNOTS_KM,
    values: Sequence[float] = GEO_R_VALUES,
    tolerant: bool = False,
    **columns: Any,
) -> list[float]:
    """Return the distance reward of Geo-R Eq. 5 alone, 0 where no coordinate is read.

    With ``tolerant`` the coordinate may be written in any way that
    `geodata.answers.parse_tolerant` reads without doubt, so that a model which does not know
    the format yet learns the place first; otherwise the result is that of `geo_r`. Parameters
    and errors are those of `geo_r`.

    Examples
    --------
    >>> distance(["48.8584° N, 2.2945° E"], [48.8584], [2.2945], tolerant=True)
    [1.0]
    """
    pairs = inputs.tolerant_pairs(completions) if tolerant else inputs.strict_pairs(completions)
    return _shaped(pairs, lat, lon, lambda d: _piecewise(d, knots_km, values))


def format(completions: Sequence[Any], **columns: Any) -> list[float]:  # noqa: A001
    """Return the format reward of Geo-R Eq. 6: 1 for exactly one valid decimal pair, else 0.

    Examples
    --------
    >>> format(["(48.8584, 2.2945)", "(48, 2)", "(95.5, 0.5)"])
    [1.0, 0.0, 0.0]
    """
    return [0.0 if pair is None else 1.0 for pair in inputs.strict_pairs(completions)]


def geo_r_release(
    completions: Sequence[Any], lat: Sequence[float], lon: Sequence[float], **columns: Any
) -> list[float]:
    """Return the reward of the code released with Geo-R, for comparison with the paper's.

    It bends at 3000 km instead of 2500, rounds to four decimals, reads ``{'LOC': [lat, lon]}``
    (or Eq. 6, but not both at once) and adds the format reward instead of multiplying. The
    sum is halved to stay in [0, 1]; GRPO normalises by the spread of a group, so the scale
    alone changes nothing.

    Examples
    --------
    >>> geo_r_release(["{'LOC': [0.0, 0.0]}", "(0.0, 90.0)", "?"], [0.0] * 3, [0.0] * 3)
    [1.0, 0.5588, 0.0]
    """
    pairs = [inputs.release_pair(text) for text in inputs.texts(completions)]
    found = np.array([pair is not None for pair in pairs])
    near = _shaped(pairs, lat, lon, lambda d: _piecewise(d, RELEASE_KNOTS_KM, GEO_R_VALUES))
    return [float(r) for r in (np.round(near, 4) + found) / 2.0]


def exponential(
    completions: Sequence[Any],
    lat: Sequence[float],
    lon: Sequence[float],
    *,
    scale_km: float = 200.0,
    **columns: Any,
) -> list[float]:
    """Return ``exp(-d / scale_km)`` for the strict pair, 0 without one.

    Others use 2000 falling to 25 km in the course of training, or 200 km with a cut at 2000.

    Raises
    ------
    ValueError
        As `geo_r`, and if ``scale_km`` is not positive.

    Examples
    --------
    >>> [round(r, 4) for r in exponential(["(0.0, 1.0)"], [0.0], [0.0], scale_km=111.195)]
    [0.3679]
    """
    if not scale_km > 0.0:
        msg = f"scale_km {scale_km!r} is not a positive distance; give kilometres such as 200"
        raise ValueError(msg)
    return _shaped(inputs.strict_pairs(completions), lat, lon, lambda d: np.exp(-d / scale_km))


def geoscore(
    completions: Sequence[Any], lat: Sequence[float], lon: Sequence[float], **columns: Any
) -> list[float]:
    """Return GeoScore / 5000 = ``exp(-d / 1492.7 km)`` for the strict pair, 0 without one.

    References
    ----------
    PIGEON, arXiv 2307.05845; OpenStreetView-5M, arXiv 2404.18873.

    Examples
    --------
    >>> [round(5000 * r) for r in geoscore(["(51.5007, -0.1246)"], [48.8584], [2.2945])]
    [3980]
    """
    return exponential(completions, lat, lon, scale_km=GEOSCORE_SCALE_KM)


def region(
    completions: Sequence[Any], lat: Sequence[float], lon: Sequence[float], **columns: Any
) -> list[float]:
    """Return the share of the true chain (country, region, city) that the coordinate lies in.

    Both points are labelled by `geodata.cor` on the same boundaries, so no names are compared
    across spellings and languages. The chain counts from the top: a level agrees only if those
    above it do. A level that the truth does not have is not counted; a truth without any
    level earns 0. Parameters and errors are those of `geo_r`.

    Examples
    --------
    >>> region(["(48.8530, 2.3499)", "(43.2965, 5.3698)"], [48.8584] * 2, [2.2945] * 2)
    [1.0, 0.3333333333333333]
    """
    pairs = inputs.strict_pairs(completions)
    true_lat, true_lon = inputs.truth(len(pairs), lat, lon)
    rows, y, x = inputs.rows(pairs)
    rewards = [0.0] * len(pairs)
    truths = chains.at(true_lat[rows], true_lon[rows])
    for row, said, true in zip(rows, chains.at(y, x), truths, strict=True):
        rewards[row] = chains.agreement(said, true)
    return rewards


def chain(completions: Sequence[Any], **columns: Any) -> list[float]:
    r"""Return 1 for an answer that names a country and gives a strict pair, else 0.

    Geo-R asks for the chain before the coordinates; the distance reward alone does not notice
    when a model stops writing it. `consistency` asks whether the chain is true of the pair.

    Examples
    --------
    >>> chain(["Country: France\nCoordinates: (48.8584, 2.2945)", "(48.8584, 2.2945)"])
    [1.0, 0.0]
    """
    return [0.0 if held is None else 1.0 for held in chains.held(completions)]


def consistency(completions: Sequence[Any], **columns: Any) -> list[float]:
    r"""Return the share of the named country and region that the answer's coordinate lies in.

    The truth is not used: this rewards an answer whose levels fit together. The names come
    from the ``Country:`` and ``State:`` lines and are understood by `geodata.gazetteer`, the
    coordinate by `geodata.cor`. An answer without a country or without a strict pair earns 0.

    Examples
    --------
    >>> paris = "Country: France\nCoordinates: (48.8566, 2.3522)"
    >>> consistency([paris, paris.replace("France", "Japan")])
    [1.0, 0.0]
    """
    texts = inputs.texts(completions)
    pairs = [answers.strict_pair(text) for text in texts]
    rows, y, x = inputs.rows(pairs)
    rewards = [0.0] * len(pairs)
    resolved: dict[tuple[str, str | None], str | None] = {}
    for row, chain in zip(rows, chains.at(y, x), strict=True):
        rewards[row] = chains.consistent(answers.parse_strict(texts[row]), chain, resolved)
    return rewards


def combine(rewards: Sequence[RewardFunction], weights: Sequence[float]) -> RewardFunction:
    """Return one reward function: the weighted mean of several, in [0, 1].

    Parameters
    ----------
    rewards
        Reward functions of this module or others with the same signature.
    weights
        As many numbers >= 0, not all 0; only their ratios matter.

    Raises
    ------
    ValueError
        If the lengths differ, a weight is negative or not finite, or all are 0; when called,
        if a reward gives another number of values or a value that is not finite.

    Examples
    --------
    >>> both = combine([geo_r, format], [3, 1])
    >>> both(completions=["(0.0, 0.0)", "(0.0, 180.0)"], lat=[0.0, 0.0], lon=[0.0, 0.0])
    [1.0, 0.25]
    """
    share = _shares(len(rewards), weights)
    names = [getattr(reward, "__name__", "reward") for reward in rewards]

    def combined(completions: Sequence[Any], **columns: Any) -> list[float]:
        total = np.zeros(len(completions))
        for reward, name, weight in zip(rewards, names, share, strict=True):
            values = np.asarray(reward(completions=completions, **columns), np.float64)
            _check_values(name, values, len(completions))
            total += weight * values
        return [float(value) for value in total]

    combined.__name__ = "_".join(names)
    return combined


def _shares(n: int, weights: Sequence[float]) -> Floats:
    array = np.asarray(weights, np.float64)
    if array.shape != (n,) or n == 0:
        msg = f"{n} rewards and weights {list(weights)}; give one weight for each reward"
        raise ValueError(msg)
    if not np.isfinite(array).all() or (array < 0.0).any() or not array.any():
        msg = f"weights {list(weights)} must be finite, >= 0 and not all 0"
        raise ValueError(msg)
    return np.asarray(array / array.sum())


def _check_values(name: str, values: Floats, n: int) -> None:
    if values.shape != (n,):
        msg = f"reward {name} gave shape {values.shape} for {n} completions; it must give one each"
        raise ValueError(msg)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        msg = f"reward {name} gave {values[row]} in row {row}; a reward is a finite number"
        raise ValueError(msg)


def _shaped(
    pairs: list[Pair],
    lat: Sequence[float],
    lon: Sequence[float],
    shape: Callable[[Floats], Floats],
) -> list[float]:
    """Return ``shape(distance)`` in [0, 1] for the rows with a pair, 0 for the others."""
    true_lat, true_lon = inputs.truth(len(pairs), lat, lon)
    rows, y, x = inputs.rows(pairs)
    rewards = np.zeros(len(pairs))
    d_km = sphere.haversine_km(y, x, true_lat[rows], true_lon[rows])
    rewards[rows] = shape(d_km)
    return rewards.tolist()


def _piecewise(d_km: Floats, knots_km: Sequence[float], values: Sequence[float]) -> Floats:
    """Geo-R Eq. 5: linear between the knots, constant beyond them (which clips at 0)."""
    knots, rewards = np.asarray(knots_km, np.float64), np.asarray(values, np.float64)
    if knots.ndim != 1 or knots.shape != rewards.shape or len(knots) < 2:
        msg = f"{knots.size} knots_km and {rewards.size} values; give as many of each, at least 2"
        raise ValueError(msg)
    if not (np.diff(knots) > 0.0).all() or not ((rewards >= 0.0) & (rewards <= 1.0)).all():
        msg = (
            f"knots_km {list(knots_km)} must increase and values {list(values)} lie in [0, 1]; "
            f"Geo-R has {list(GEO_R_KNOTS_KM)} and {list(GEO_R_VALUES)}"
        )
        raise ValueError(msg)
    return np.asarray(np.interp(d_km, knots, rewards))
