"""The parts of an answer in GLOBE's form: its reasoning, its answer block, the names in it.

Everything here is plain search in one pass, so it is linear in the text whatever it holds.
"""

from __future__ import annotations

import re
from typing import NamedTuple

OPEN_THINK, CLOSE_THINK = "<think>", "</think>"
OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"
TAGS = (OPEN_THINK, CLOSE_THINK, OPEN_ANSWER, CLOSE_ANSWER)

MAX_ANSWER_CHARS = 1000
"""A longer answer block names no single place."""

_KEY = re.compile(r"\b(country|city)\b[\"'*\]]{0,3}[ \t]{0,4}[:：]", re.I)
_WRAPPING = " \t\r\"'`*[](){}<>,;.。、，"


class Named(NamedTuple):
    """The country and the city of an answer; None where it names none or several."""

    country: str | None
    city: str | None


def is_well_formed(text: str) -> bool:
    """Return whether a text is one thinking block, then one answer block, and nothing else.

    Examples
    --------
    >>> is_well_formed("<think>Signs.</think> <answer>city: Oslo</answer>")
    True
    >>> is_well_formed("<think>Signs.</think><answer>Oslo</answer> Sure!")
    False
    """
    text = text.strip()
    if any(text.count(tag) != 1 for tag in TAGS):
        return False
    if not text.startswith(OPEN_THINK) or not text.endswith(CLOSE_ANSWER):
        return False
    thought, rest = text[len(OPEN_THINK) : -len(CLOSE_ANSWER)].split(CLOSE_THINK)
    before, _, said = rest.partition(OPEN_ANSWER)
    return not before.strip() and bool(thought.strip()) and bool(said.strip())


def reasoning(text: str) -> str:
    """Return what a text says before the thinking ends, "" where it does not end.

    Examples
    --------
    >>> reasoning("<think>Red roofs.</think><answer>Lisbon</answer>"), reasoning("Red roofs.")
    ('Red roofs.', '')
    """
    before, found, _ = text.partition(CLOSE_THINK)
    if not found:
        return ""
    _, opened, inside = before.partition(OPEN_THINK)
    return (inside if opened else before).strip()


def answer(text: str) -> str:
    """Return the one answer block after the thinking, "" where there is none or several.

    A text without tags is its own answer.

    Examples
    --------
    >>> answer("<think>country: Chad</think><answer>country: Mali</answer>")
    'country: Mali'
    >>> answer("<answer>Mali</answer><answer>Chad</answer>"), answer("country: Mali")
    ('', 'country: Mali')
    """
    if not any(tag in text for tag in TAGS):
        return text
    rest = text[text.rfind(CLOSE_THINK) + len(CLOSE_THINK) :] if CLOSE_THINK in text else text
    if rest.count(OPEN_ANSWER) != 1 or rest.count(CLOSE_ANSWER) != 1 or OPEN_THINK in rest:
        return ""
    _, inside = rest.split(OPEN_ANSWER)
    said, _, after = inside.rpartition(CLOSE_ANSWER)
    return "" if after.strip() else said


def names(text: str) -> Named:
    r"""Return what the answer block names in its one ``country:`` and its one ``city:``.

    Two countries or two cities are none: an answer that lists places commits to no place.

    Examples
    --------
    >>> names("<answer>country: [Japan]\ncity: [Kyoto]</answer>")
    Named(country='Japan', city='Kyoto')
    >>> names("country: Japan, city: Kyoto\ncountry: China").country is None
    True
    """
    said = answer(text)
    if len(said) > MAX_ANSWER_CHARS:
        return Named(None, None)
    keys = list(_KEY.finditer(said))
    if not keys:
        return Named(None, None)
    ends = [*(key.start() for key in keys[1:]), len(said)]
    found: dict[str, list[str]] = {"country": [], "city": []}
    for key, end in zip(keys, ends, strict=True):
        value = said[key.end() : end].strip().partition("\n")[0].strip(_WRAPPING)
        found[key[1].lower()].append(value)
    return Named(*(values[0] if len(values) == 1 else None for values in found.values()))
