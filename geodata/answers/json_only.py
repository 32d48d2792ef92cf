"""The reader that most evaluation scripts have: JSON or nothing, with its usual keys."""

from __future__ import annotations

import json
import re
from typing import Any

from geodata.answers.contract import BODY_CHARS, MAX_CHARS, Answer, in_range

_FENCED = re.compile(r"```(?:json)?\s{0,4}(.{0,16000}?)```", re.S | re.I)
_LAT, _LON = ("lat", "latitude"), ("lon", "lng", "long", "longitude")


def parse_json(text: Any) -> Answer:
    """Read an answer as most scripts do, to tell how much of a score is their parsing.

    The text as JSON, else its last fenced block, else what stands from the first brace to the
    last one. An object with a latitude and a longitude under their usual names, numbers or
    numbers as text, at the top or one level down, is an answer.

    Parameters
    ----------
    text
        The completion; anything that is not a str gives status ``'not_text'``.

    Returns
    -------
    Answer
        ``status`` is ``'ok'``, ``'empty'``, ``'no_answer'``, ``'malformed'`` for what looks
        like JSON and is not, ``'out_of_range'`` or ``'not_text'``.

    Examples
    --------
    >>> parse_json('Sure! {"lat": 48.85, "lng": "2.29"}').lon
    2.29
    >>> parse_json("Latitude: 48.85, Longitude: 2.29").status
    'no_answer'
    """
    if not isinstance(text, str):
        return Answer(status="not_text")
    text = text[-MAX_CHARS:]
    if not text.strip():
        return Answer(status="empty")
    whole = _loaded(text)
    pair = None if whole is None else _pair(whole)
    if pair is None:
        return Answer(status="malformed" if whole is None and "{" in text else "no_answer")
    if not in_range(*pair):
        return Answer(status="out_of_range")
    return Answer(pair[0] + 0.0, pair[1] + 0.0, "ok", how="json")


def _loaded(text: str) -> Any:
    fenced = _FENCED.findall(text[-BODY_CHARS:]) if "```" in text else []
    opened, closed = text.find("{"), text.rfind("}")
    for part in (text, *fenced[-1:], text[opened : closed + 1]):  # no JSON if a brace lacks
        try:
            return json.loads(part)
        except (ValueError, RecursionError):
            continue
    return None


def _pair(whole: Any) -> tuple[float, float] | None:
    if not isinstance(whole, dict):
        return None
    for holder in (whole, *(value for value in whole.values() if isinstance(value, dict))):
        keys = {str(key).lower(): value for key, value in holder.items()}
        lat = next((keys[name] for name in _LAT if name in keys), None)
        lon = next((keys[name] for name in _LON if name in keys), None)
        if lat is not None and lon is not None:
            try:
                return float(lat), float(lon)
            except (TypeError, ValueError, OverflowError):
                return None
    return None
