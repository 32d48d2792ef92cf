"""Read the coordinate that a model means, in whatever way it wrote it."""

from __future__ import annotations

import re
from typing import Any

from geodata.answers import texts
from geodata.answers.contract import MAX_CHARS, Answer, in_range
from geodata.answers.finding import (
    Angle,
    Candidate,
    choose,
    find_angles,
    find_candidates,
    keyed_candidates,
)
from geodata.answers.texts import FENCE, read_names

_NULL_KEY = re.compile(
    r"[\"'](?:lat|latitude|coordinates?)[\"']\s{0,4}:\s{0,4}"
    r"(?:null\b|none\b|nan\b|\[\s{0,4}\]|[\"'][^\"'0-9\n]{0,80}[\"'])",
    re.I,
)
_CUT_OFF = re.compile(
    r"(?:[(\[,:=]|\b(?:lat|lon|lng|long|latitude|longitude)\b[\"']?)[\s\"'+-]{0,8}$", re.I
)


def parse_tolerant(text: Any) -> Answer:
    r"""Read an answer as a careful person would, for evaluation.

    Reads JSON (fenced, nested, cut off, with numbers as text), Python lists, XML, labelled
    lines, tables, map links, ``geo:`` and WKT, LaTeX, degrees with hemispheres before or
    after, degrees-minutes-seconds, typographic minus and primes, certain decimal commas, and
    labels in several languages. Of several candidates the last one in the final answer block
    wins: the ``<answer>`` block, else what follows "final answer" and its like, else JSON,
    else the text. Thinking is no answer where something follows it. Longitude-first is read
    where it is declared (GeoJSON, WKT, "lon, lat"), and flagged.

    Parameters
    ----------
    text
        The completion. Of a long one the last `MAX_CHARS` characters are searched for tags,
        and the last `BODY_CHARS` after the thinking are read, down to some hundred numbers
        before the end. Anything that is not a str gives status ``'not_text'``.

    Returns
    -------
    Answer
        See `Answer` and `STATUSES`.

    Examples
    --------
    >>> answer = parse_tolerant('```json\n{"lat": "48.8584", "lng": 2.2945, "city": "Paris"}\n```')
    >>> answer.lat, answer.lon, answer.city
    (48.8584, 2.2945, 'Paris')
    >>> answer = parse_tolerant("33°51′24.5″ S, 151°12′55″ E")
    >>> round(answer.lat, 4), round(answer.lon, 4)
    (-33.8568, 151.2153)
    >>> parse_tolerant("Latitude: between 40°N and 50°N").status
    'range'
    >>> parse_tolerant('{"type": "Point", "coordinates": [2.2945, 48.8584]}').ambiguous
    True
    """
    if not isinstance(text, str):
        return Answer(status="not_text")
    if not text.strip():
        return Answer(status="empty")
    body, only_thinking = texts.without_thinking(texts.final_turn(text[-MAX_CHARS:]))
    body = texts.normalise(texts.tail(body))
    span = texts.answer_span(body)
    keyed, objects = keyed_candidates(body)
    prose = _blanked(body, objects)
    angles = find_angles(prose)
    candidates = sorted([*find_candidates(body, angles), *keyed], key=lambda one: one.start)
    names = _names(body, span)
    choice = choose(body, candidates, span)
    if choice is None or _withdrawn(body, choice.chosen):
        return _nothing(body, angles, names)
    chosen = choice.chosen
    if not in_range(*chosen.place):
        return Answer(None, None, "out_of_range", chosen.doubtful, *names)
    doubtful = only_thinking or chosen.doubtful or choice.contested or _is_cut(body, chosen)
    return Answer(chosen.lat + 0.0, chosen.lon + 0.0, "ok", doubtful, *names, chosen.how)


def _blanked(body: str, spans: list[tuple[int, int]]) -> str:
    """Return a text of the same length without the objects that gave a coordinate."""
    for start, end in spans:
        body = body[:start] + FENCE * (end - start) + body[end:]
    return body


def _names(body: str, span: tuple[int, int] | None) -> tuple[str | None, str | None, str | None]:
    """Return the names of the answer block, or of the whole text where the block has none."""
    if span is not None:
        inside = read_names(body[span[0] : span[1]])
        if any(inside):
            return inside
    return read_names(body)


def _withdrawn(body: str, chosen: Candidate) -> bool:
    """Return whether a JSON answer after the chosen one says that there is none."""
    return _NULL_KEY.search(body, chosen.stop or chosen.end) is not None


def _is_cut(body: str, chosen: Candidate) -> bool:
    """Return whether the text ends inside the brackets of the answer, digits perhaps lost."""
    if body[chosen.end :].strip(" \n.\"'"):
        return False
    opened = body[: chosen.start]
    return any(opened.count(a) > opened.count(b) for a, b in ("{}", "()", "[]"))


def _nothing(
    body: str, angles: list[Angle], names: tuple[str | None, str | None, str | None]
) -> Answer:
    """Return the answer of a text without a coordinate, with the reason."""
    written = [angle for angle in angles if angle.axis or angle.marked]
    if any(angle.ranged for angle in written):
        return Answer(None, None, "range", True, *names)
    if any(angle.broken for angle in written):
        return Answer(None, None, "malformed", False, *names)
    last = angles[-1] if angles else None
    if last is not None and _CUT_OFF.search(body[last.end :][-60:]) and len(body) - last.end < 60:
        return Answer(None, None, "truncated", False, *names)
    status = "malformed" if any(angle.axis for angle in written) else "no_answer"
    return Answer(None, None, status, False, *names)
