"""Answers and rewards: reward throughput, and the worst time for hostile text (R6).

Prints the answers per second of each reading and of ``geo_r``, and for each hostile pattern the
milliseconds for 1 MB and the ratio of 32 kB to 16 kB. Run ``python benchmarks/answers.py``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np

from geodata import answers
from georl import rewards

HOSTILE = (
    "1", "1.1,", "(", "(" + " " * 15, "(1.5, 2.5) ", "lat: 1.1 ", "N ", "°", "<think>", "</think>",
    "<answer>x", "\\boxed{", '"lat": ', '{"lat": 1.1, "lon": 2.2}\n', "country: x\n", "\n", "a",
    "1,22, ", "北纬48.85度", "best guess ", "lon, lat ", "1°1'1\"N ", "\u200b",
)  # fmt: skip


def best(call: Callable[[], object], repeat: int = 5) -> float:
    """Return the least CPU seconds of some calls: other processes do not count."""
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def throughput(n: int = 50_000) -> None:
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-80, 80, n).tolist(), rng.uniform(-179, 179, n).tolist()
    places = zip(lat, lon, strict=True)
    texts = [answers.render("France", "Île-de-France", "Paris", *place) for place in places]
    few = texts[:2_000]
    runs: tuple[tuple[str, list[str], Callable[[], object]], ...] = (
        ("rewards.geo_r", texts, lambda: rewards.geo_r(texts, lat, lon)),
        ("answers.strict_pair", texts, lambda: [answers.strict_pair(t) for t in texts]),
        ("answers.parse_strict", texts, lambda: [answers.parse_strict(t) for t in texts]),
        ("answers.parse_tolerant", few, lambda: [answers.parse_tolerant(t) for t in few]),
    )
    for name, data, call in runs:
        print(f"{name:24} {len(data) / best(call):>12,.0f} answers/s")


def hostile() -> None:
    random.seed(1)
    letters = "0123456789.,°NSEW()[]{}\"'-+ latong:"
    units = [*HOSTILE, "".join(random.choices(letters, k=100_000))]
    for name, parse in (("strict", answers.parse_strict), ("tolerant", answers.parse_tolerant)):
        worst, steepest = (0.0, ""), (0.0, "")
        for unit in units:
            text = unit * (1_000_000 // len(unit))
            half, full = text[: 1 << 14], text[: 1 << 15]
            ms = 1e3 * max(best(lambda t=text: parse(t)), best(lambda t=text: parse(t[: 1 << 16])))
            ratio = best(lambda t=full: parse(t)) / max(best(lambda t=half: parse(t)), 5e-5)
            worst = max(worst, (ms, unit[:20]))
            steepest = max(steepest, (ratio, unit[:20]))
        print(f"{name:9} worst of 64 kB and 1 MB: {worst[0]:.1f} ms ({worst[1]!r});", end=" ")
        print(f"doubling costs at most {steepest[0]:.2f}x ({steepest[1]!r})")


if __name__ == "__main__":
    throughput()
    hostile()
