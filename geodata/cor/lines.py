"""A line of JSON without some of its keys, and otherwise as it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Container

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BLANK, _BETWEEN = re.compile(r"\s*"), re.compile(r"\s*[:,]?\s*")


def without_keys(line: str, names: Container[str]) -> str:
    """Return the text of a JSON object without the keys of these names.

    What stays is not written anew, so that no number loses a digit.

    Examples
    --------
    >>> without_keys('{"a": 1.50, "city" : {"b": []}, "c":"é"}', {"city"})
    '{"a": 1.50, "c":"é"}'
    """
    kept, at = [], _after(_BLANK, line, line.index("{") + 1)
    while line[at] != "}":
        key, end = _DECODER.raw_decode(line, at)
        _, end = _DECODER.raw_decode(line, _after(_BETWEEN, line, end))
        if key not in names:
            kept.append(line[at:end])
        at = _after(_BETWEEN, line, end)
    return "{" + ", ".join(kept) + "}"


def _after(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    assert found is not None  # both match nothing, too
    return found.end()
