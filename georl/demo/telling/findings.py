"""What the science experiments found: per seed, over seeds with an interval, beside the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from geodata.evaluation.scores import published_for
from georl.demo.telling.page import Heading, Part, Table
from georl.demo.telling.report import Score
from georl.demo.telling.verdict import Change

AT_KM = 200.0

UPPER = 0.975
"""Where a two-sided 95% interval ends."""


@dataclass(frozen=True)
class ChainErrors:
    """One model of the chain experiment, answered with the chain and without."""

    seed: int
    knows: bool
    km: Mapping[str, Sequence[float | None]]
    """Form of the answer -> error of each held-out city; None without coordinates."""

    def found(self, form: str) -> float:
        """Return the share of held-out cities within `AT_KM`."""
        return sum(km is not None and km <= AT_KM for km in self.km[form]) / len(self.km[form])

    def median(self, form: str) -> float:
        """Return the median error, km; infinite where most answers have no coordinates."""
        return float(np.median([np.inf if km is None else km for km in self.km[form]]))

    @property
    def gain(self) -> float:
        """What the chain adds to the share that is found."""
        return self.found("chain") - self.found("coordinates")

    def gains(self) -> list[int]:
        """Return of each held-out city 1 if only the chain finds it, -1 if only the other does."""
        hit = {form: [km is not None and km <= AT_KM for km in self.km[form]] for form in self.km}
        pairs = zip(hit["chain"], hit["coordinates"], strict=True)
        return [int(chain) - int(alone) for chain, alone in pairs]


@dataclass(frozen=True)
class PoolScores:
    """One seed of the question of hard data."""

    seed: int
    scores: Mapping[str, Score]
    """Arm -> its score on held-out places all over the land."""
    flat: Mapping[str, float]
    """GRPO arm -> share of its groups whose answers all earned the same."""

    def reward(self, arm: str) -> float:
        """Return the mean reward of sampled answers."""
        sampled = self.scores[arm].sampled
        assert sampled is not None, f"{arm} is sampled"
        return float(sampled.mean())


def over_seeds(values: Sequence[float], rows: Sequence[float] = ()) -> Change:
    """Return the mean over seeds and its 95% interval by Student's t.

    Parameters
    ----------
    values
        One a seed, at least two.
    rows
        The differences of all held-out rows of all seeds, where they are known. Few seeds may
        agree by chance to the row; the interval is at least as wide as so many rows alone make it.

    Examples
    --------
    >>> over_seeds([0.1, 0.2, 0.3]).text(3)
    '+0.200 [-0.048, +0.448]'
    >>> over_seeds([-0.1, -0.1], [0] * 9 + [-1] + [0] * 9 + [-1]).text(3)
    '-0.100 [-0.231, +0.031]'
    """
    n, mean = len(values), float(np.mean(values))
    half = float(stdtrit(n - 1, UPPER) * np.std(values, ddof=1)) / n**0.5
    if len(rows):
        half = max(half, float(ndtri(UPPER) * np.std(rows)) / len(rows) ** 0.5)
    return Change(mean, mean - half, mean + half)


def experiment_parts(chains: Sequence[ChainErrors], pools: Sequence[PoolScores]) -> list[Part]:
    """Return the report: a verdict, each question's table, and the paper's beside."""
    knows, control = (
        _chain_gain([one for one in chains if one.knows == how]) for how in (True, False)
    )
    hard = over_seeds([_hard_gain(one) for one in pools])
    return [
        _verdict(knows, control, hard),
        Heading("Does a chain help? Held-out cities that pictures spell"),
        "Both models read the same pictures. One was told in text where every city lies; the "
        "control was told of the others only. Found means within 200 km.",
        _chain_table(chains),
        Table(
            ("chain minus coordinates alone, found", "mean [95% over seeds]"),
            [("knows the cities", knows.text(3)), ("control", control.text(3))],
        ),
        Heading("Hard or random places for GRPO? A pool that saturates"),
        "Nine in ten photos of the pool stand at twenty spots. Hard leaves out what lies within "
        "200 km of places that the model after SFT already finds. Scored on held-out places all "
        "over the land; reward is that of sampled answers.",
        _pool_table(pools),
        Table(
            ("hard minus random", "mean [95% over seeds]"),
            [
                ("sampled reward", hard.text(3)),
                ("found within 200 km", over_seeds([_hard_found(one) for one in pools]).text(3)),
            ],
        ),
        Heading("Beside the paper"),
        "Geo-R (AAAI 2026): Qwen2.5-VL-3B on IM2GPS3K, percent within 200 km. Ours is another "
        "task and a model some thousand times smaller: only the sign can be compared.",
        _beside(knows, over_seeds([_hard_found(one) for one in pools])),
    ]


def _verdict(knows: Change, control: Change, hard: Change) -> str:
    chain = _word(knows, "helps", "hurts")
    same = _word(control, "helps", "hurts")
    pool = _word(hard, "teach more than", "teach less than", "are not told apart from")
    return (
        f"The chain {chain} a model that knows the cities ({knows.text(3)} found) and {same} one "
        f"that does not ({control.text(3)}); on a pool that saturates, hard places {pool} random "
        f"ones ({hard.text(3)} reward). Intervals are 95% over seeds."
    )


def _word(change: Change, up: str, down: str, neither: str = "makes no sure difference to") -> str:
    if not change.sure:
        return neither
    return up if change.value > 0 else down


def _chain_table(chains: Sequence[ChainErrors]) -> Table:
    rows = [
        (
            str(one.seed),
            "knows the cities" if one.knows else "control",
            *(f"{one.found(form):.3f}" for form in ("chain", "coordinates")),
            *(f"{one.median(form):,.0f}" for form in ("chain", "coordinates")),
        )
        for one in sorted(chains, key=lambda one: (not one.knows, one.seed))
    ]
    head = ("seed", "model", "found, chain", "found, coordinates only", "median km, chain")
    return Table((*head, "median km, coordinates only"), rows)


def _pool_table(pools: Sequence[PoolScores]) -> Table:
    rows = []
    for one in pools:
        for arm, score in one.scores.items():
            flat = f"{one.flat[arm]:.0%}" if arm in one.flat else ""
            found = f"{score.accuracy[AT_KM]:.3f}"
            rows.append(
                (
                    str(one.seed),
                    arm,
                    f"{one.reward(arm):.3f}",
                    found,
                    f"{score.median_km:,.0f}",
                    flat,
                )
            )
    return Table(("seed", "run", "reward", "found", "median km", "groups all alike"), rows)


def _chain_gain(chains: Sequence[ChainErrors]) -> Change:
    each = [gain for one in chains for gain in one.gains()]
    return over_seeds([one.gain for one in chains], each)


def _hard_gain(one: PoolScores) -> float:
    return one.reward("grpo-hard") - one.reward("grpo-random")


def _hard_found(one: PoolScores) -> float:
    ours, theirs = (one.scores[name].accuracy[AT_KM] for name in ("grpo-hard", "grpo-random"))
    return ours - theirs


def _beside(knows: Change, hard: Change) -> Table:
    printed = {row.method: row.accuracy[AT_KM] for row in published_for("IM2GPS3K", ablations=True)}

    def paper(ours: str, theirs: str) -> str:
        high, low = (printed[f"Qwen2.5-VL-3B, {name}"] for name in (ours, theirs))
        assert high is not None, ours
        assert low is not None, theirs
        return f"{100 * high:.1f} - {100 * low:.1f} = {100 * (high - low):+.1f}"

    def points(change: Change) -> str:
        return Change(*(100 * v for v in (change.value, change.low, change.high))).text(1)

    chain = paper("SFT 500k with CoR", "SFT 500k, location only")
    data = paper("SFT 500k + RL Hard-200k", "SFT 500k + RL Rand-200k")
    return Table(
        ("question", "paper", "ours, points [95% over seeds]"),
        [
            ("chain minus coordinates alone (SFT, Table 3)", chain, points(knows)),
            ("hard minus random (GRPO, Table 5)", data, points(hard)),
        ],
    )
