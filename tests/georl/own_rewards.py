"""Rewards of one's own, as a person would write them."""

import asyncio

from georl.rewards import inputs


def length(completions, **columns):
    return [len(text) / 100 for text in inputs.texts(completions)]


def length_geo(completions, **columns):
    return length(completions)


length_geo.valid = lambda completions: [
    pair is not None for pair in inputs.strict_pairs(completions)
]


async def slow(completions, **columns):
    await asyncio.sleep(0)
    return [0.25] * len(completions)


def rarely(completions, **columns):
    return [1.0 if i == 0 else None for i, _ in enumerate(completions)]


def never(completions, **columns):
    return [None] * len(completions)


def breaks(completions, **columns):
    raise KeyError("population")


def short(completions, **columns):
    return [1.0]


def words(completions, **columns):
    return ["high"] * len(completions)


def nothing(completions, **columns):
    pass


class Scorer:
    async def __call__(self, completions, **columns):
        return [0.5] * len(completions)


scorer = Scorer()
number = 3


def _hidden(completions, **columns):
    """Nobody's reward but this module's."""
