"""Choose among the coordinates of a text the one that is its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from geodata import sphere
from geodata.answers import texts
from geodata.answers.contract import in_range
from geodata.answers.finding.candidates import KEYED, LABELLED, WEAK, Candidate
from geodata.answers.texts import FENCE

SAME_PLACE_KM = 25.0
"""Two candidates nearer than this say the same place: a city, written twice."""

_CUE = re.compile(
    r"\b(?:final|best|my|refined|revised|corrected|definitive)\s{1,3}"
    r"(?:answer|guess|estimate|prediction|coordinates?|location|choice)\b"
    r"|\banswer\s{0,2}(?:is\b|:)|\\boxed\s?\{|\bboxed\{",
    re.I,
)
CUE_CHARS = 240
"""So closely a candidate follows the cue that introduces it."""

_SECOND = re.compile(
    r"(?:\b(?:second(?:ary)?|2nd|third|3rd|backup)\s(?:best\s)?(?:guess|choice|option|candidate"
    r"|possibility|location|answer)|\balternativ\w{1,6}|\brunner-up|\bless likely)[^.!?;\n]{0,60}$",
    re.I,
)
_REVISES = re.compile(
    r"however|actually|instead|more (?:accurate|likely|precise|probable|specific|plausible)|better"
    r"|revis|refin|correct|on second thought|wait\b|settle|narrow|final",
    re.I,
)
_DECIDED = re.compile(
    r"final|answer|more (?:accurate|likely|precise|probable|specific|plausible)|better|\bbest"
    r"|actual|correct|instead|revis|refin|therefore|\bthus\b|\bhence\b|conclu"
    r"|most (?:likely|probabl)"
    r"|\bbut\b|however|settle|choose|go(?:ing)? with|narrow|rather|so the",
    re.I,
)
_UNDECIDED = re.compile(
    r"\bor\b|alternativ|either|another possib|other possib|second guess"
    r"|\b(?:could|might|may) (?:also|be)\b",
    re.I,
)


class Choice(NamedTuple):
    """The answer, and whether the text leaves open that it is another place."""

    chosen: Candidate
    contested: bool


def choose(body: str, candidates: list[Candidate], span: tuple[int, int] | None) -> Choice | None:
    """Return the candidate that is the answer, None where there is none.

    The answer block, else what follows "final answer" and its like, else all of the text: of
    that the highest rank. After a cue the first one counts unless the text revises it;
    without a cue the last one, or the one that the text calls most likely.
    """
    candidates = _fenced(body, candidates)
    pool = [c for c in candidates if c.rank > WEAK] or candidates
    if span is not None:
        pool = [c for c in pool if span[0] <= c.start < span[1]] or pool
    pool, cued = _after_cue(body, pool)
    places = [c for c in pool if in_range(*c.place)] or pool
    if not places:
        return None
    places = [c for c in places if not _is_aside(body, c)] or places
    top = max(c.rank for c in places)
    best = [c for c in places if c.rank == top]
    likeliest = None if cued else _likeliest(body, best)
    if likeliest is not None:
        chosen = best[likeliest]
        return Choice(chosen, _rival(chosen, best) is not None)
    at = _revised(body, best) if cued else len(best) - 1
    chosen = best[at]
    doubt = _contested_before(body, chosen, best[:at]) or _contested_after(
        body, chosen, best[at + 1 :]
    )
    if top == LABELLED and not cued:
        doubt = doubt or _revised_in_prose(body, chosen, places)
    return Choice(chosen, doubt)


def _is_aside(body: str, candidate: Candidate) -> bool:
    """Return whether the words before a coordinate call it a second choice."""
    before = body[max(0, candidate.start - 90) : candidate.start]
    return _SECOND.search(before[before.rfind("\n") + 1 :]) is not None


def _fenced(body: str, candidates: list[Candidate]) -> list[Candidate]:
    """Give what stands in the last fenced block with a coordinate the rank of an object."""
    if FENCE not in body:
        return candidates
    for start, end in texts.fenced_spans(body):
        inside = [start <= c.start < end for c in candidates]
        if any(inside):
            return [
                replace(c, rank=KEYED) if one and c.rank > WEAK else c
                for one, c in zip(inside, candidates, strict=True)
            ]
    return candidates


def _after_cue(body: str, pool: list[Candidate]) -> tuple[list[Candidate], bool]:
    """Keep the candidates after the last "final answer" that a candidate follows closely."""
    if len(pool) < 2:
        return pool, False
    cues = [match.end() for match in _CUE.finditer(body)][-50:]
    for cue in reversed(cues):
        later = [c for c in pool if c.start >= cue]
        if later and later[0].start - cue < CUE_CHARS:
            return later, True
    return pool, False


def _revised(body: str, best: list[Candidate]) -> int:
    """Return which of the candidates after a cue counts: the first, unless it is revised."""
    at = 0
    for i in range(1, len(best)):
        if _REVISES.search(body[best[i - 1].end : best[i].start][-CUE_CHARS:]):
            at = i
    return at


def _likeliest(body: str, best: list[Candidate]) -> int | None:
    """Return which of several candidates is called most likely, None if that is not said."""
    weights = [c.weight for c in best if c.weight is not None]
    if len(weights) < len(best) or len(set(weights)) < 2:
        return None
    if _REVISES.search(body[best[-2].end : best[-1].start]):
        return None
    return weights.index(max(weights))


def _rival(chosen: Candidate, others: Iterable[Candidate]) -> Candidate | None:
    """Return the first candidate that is another place than the chosen one."""
    return next((one for one in others if _differs(chosen, one)), None)


def _contested_before(body: str, chosen: Candidate, others: list[Candidate]) -> bool:
    """Return whether another place stood before and the text does not decide between them."""
    rival = _rival(chosen, reversed(others[-20:]))
    if rival is None:
        return False
    between = body[rival.end : chosen.start][-400:]
    return _UNDECIDED.search(between) is not None or _DECIDED.search(between) is None


def _contested_after(body: str, chosen: Candidate, others: list[Candidate]) -> bool:
    """Return whether another place follows as an equal, not as a remark after the answer."""
    rival = _rival(chosen, others[:20])
    if rival is None:
        return False
    between = body[chosen.end : rival.start][:400]
    return _UNDECIDED.search(between) is not None or "\n\n" not in between


def _revised_in_prose(body: str, chosen: Candidate, places: list[Candidate]) -> bool:
    """Return whether prose after a labelled line goes on to another place."""
    return any(
        _differs(chosen, c) and _REVISES.search(body[chosen.end : c.start][-CUE_CHARS:]) is not None
        for c in places
    )


def _differs(a: Candidate, b: Candidate) -> bool:
    return a.place != b.place and float(sphere.haversine_km(*a.place, *b.place)) > SAME_PLACE_KM
