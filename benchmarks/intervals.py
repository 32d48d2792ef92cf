"""How often each interval of an evaluation holds the truth, and how often each test is wrong.

Run ``python benchmarks/intervals.py``. Nominal: 95% and 5%. Every line is a simulation with a
fixed seed; with 1,000 repetitions a coverage of 95% is known to 1.4 points.
"""

from __future__ import annotations

import argparse

import numpy as np

from geodata.evaluation.scores.confidence import held_out
from geodata.evaluation.scores.intervals import bootstrap, closed_form, pairs

SHARES = (0.05, 0.35)
CLUSTERS = (3, 5, 10, 20, 50, 200)
CORRELATIONS = (0.05, 0.3)


def clustered_rows(rng, count, mean, within, alike):
    """Rows in clusters of about 20 whose rates scatter with an intra-cluster correlation."""
    sizes = np.full(count, 20) if alike else np.ceil(20 * rng.lognormal(0, 0.8, count)).astype(int)
    spread = (1 - within) / within
    rate = rng.beta(mean * spread, (1 - mean) * spread, count)
    codes = np.repeat(np.arange(count), sizes)
    return rng.random(len(codes)) < rate[codes], codes


def holds(interval, true):
    return interval.low - 1e-12 <= true <= interval.high + 1e-12


def shares(rng, times):
    for n in (20, 100, 1_000, 10_000):
        for true in SHARES:
            counts = rng.binomial(n, true, times)
            known = {k: holds(closed_form.wilson(int(k), n), true) for k in set(counts.tolist())}
            show(f"share, Wilson, n {n:,}, true {true:.0%}", np.mean([known[k] for k in counts]))


def differences(rng, times):
    for n in (20, 100, 1_000, 10_000):
        for chances in ((0.15, 0.15), (0.02, 0.02), (0.2, 0.05)):
            drawn = rng.multinomial(n, [*chances, 1 - sum(chances)], times)
            true = chances[0] - chances[1]
            found = [holds(closed_form.paired_share(int(a), int(b), n), true) for a, b, _ in drawn]
            show(f"difference, Tango, n {n:,}, only A {chances[0]}, B {chances[1]}", np.mean(found))


def medians(rng, times):
    for n in (3, 5, 6, 7, 20, 100, 1_000, 10_000):
        found = [
            holds(closed_form.median_interval(rng.exponential(100, n)), 100 * np.log(2))
            for _ in range(times)
        ]
        show(f"median, order statistics, n {n:,}", np.mean(found))


def clustered(rng, times):
    for count in CLUSTERS:
        for alike in (True, False):
            for true in SHARES:
                for within in CORRELATIONS:
                    found, plain = [], []
                    for _ in range(times):
                        right, codes = clustered_rows(rng, count, true, within, alike)
                        one = bootstrap.clustered_shares(right[:, None], codes, resamples=500)[0]
                        found.append(holds(one, true))
                        plain.append(holds(closed_form.wilson(int(right.sum()), len(right)), true))
                    sizes = "alike" if alike else "unequal"
                    name = f"share, {count} clusters {sizes}, true {true:.0%}, corr. {within}"
                    show(f"{name} (Wilson {np.mean(plain):.0%})", np.mean(found))


def clustered_pairs(rng, times):
    for count in CLUSTERS:
        held, wrong, plain = [], [], []
        for _ in range(times):
            tilt = np.repeat(rng.choice([-0.3, 0.3], count), 20)
            codes = np.repeat(np.arange(count), 20)
            a, b = rng.random(len(tilt)) < 0.5 + tilt / 2, rng.random(len(tilt)) < 0.5 - tilt / 2
            one = pairs.compare_within(a[:, None], b[:, None], (25.0,), codes, resamples=500)[0]
            held.append(holds(one.difference, 0.0))
            wrong.append(one.p_value < 0.05)
            plain.append(pairs.mcnemar(one.only_a, one.only_b) < 0.05)
        show(f"difference, {count} clusters", np.mean(held))
        show(f"  clustered test rejects (McNemar {np.mean(plain):.0%})", np.mean(wrong))


def radii(rng, times):
    for n in (40, 400, 4_000):
        found = []
        for _ in range(times):
            scale = 10 ** rng.uniform(0, 3, n)
            learnt = held_out.halves(n, int(rng.integers(1 << 30)))
            known = held_out.radii(rng.exponential(1, n) * scale, -scale, learnt)
            found.append([(one.covered, one.calibrated_covered) for one in known])
        whole, parts = np.mean(found, axis=0)[held_out.RADIUS_LEVELS.index(0.9)]
        show(f"conformal radius of 90%, {n:,} answers", whole)
        show("  by part of the confidence", parts)


def show(name, coverage):
    print(f"{name:<74} {100 * coverage:5.1f}%", flush=True)


def main():
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--times", type=int, default=1_000, help="repetitions of a line")
    times = reader.parse_args().times
    for kind in (shares, differences, medians, clustered, clustered_pairs, radii):
        kind(np.random.default_rng(0), times)


if __name__ == "__main__":
    main()
