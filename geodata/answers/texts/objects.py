"""Read what a model meant as JSON: objects with any quotes, comments, commas lost or too many.

One pass that never fails and never looks back: what stands in a place where JSON has something
else ends the object there. An object that the text ends in the middle of is kept as far as it
goes. Positions are those of the text, so that what an object holds can be looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FENCE = "\x02"
"""Stands for three backticks in a prepared text; no white space, so that it ends a value."""

MAX_DEPTH = 24
"""Objects nested deeper than this are not looked into."""

# Comments are bounded, or one that begins at every brace would be read again from each.
_BLANK = re.compile(
    r"(?:[\s,]|//[^\n]{0,300}|\#[^\n]{0,300}|/\*(?:[^*]|\*(?!/)){0,300}(?:\*/|\Z))+"
)
_KEY = re.compile(r"[\"']([^\"'\n{}\[\]]{1,60})[\"']\s{0,8}[:=]|([^\W\d][\w -]{0,40}?)\s{0,8}[:=]")
# A quote ends a string where JSON goes on after it: models forget to escape the others.
_STRING_END = {
    mark: re.compile(rf"{mark}(?=\s{{0,40}}(?:[,}}\]]|$|//|/\*)|\s{{0,40}}\n\s{{0,40}}[\"'\x02])")
    for mark in "\"'"
}
_BARE_END = re.compile(r"[,}\]\n\x02]|//|/\*|[ ](?=[\"'][\w -]{1,40}[\"']\s{0,8}:)|$")
_OPENS = re.compile(r"\{")
_TOO_DEEP = re.compile(rf"(?:\{{[\s,]*+){{{MAX_DEPTH}}}\{{")
"""What `_read` gives up within without a value, one brace at a time."""
_SOLID = frozenset("{}[]:\"'")
"""What opens, closes or names something is no blank."""


@dataclass(slots=True)
class Value:
    """A scalar, an array or an object; ``start`` and ``end`` hold what is inside the quotes."""

    start: int
    end: int
    kind: str  # 'text', 'bare', 'array' or 'object'
    fields: list[tuple[str, Value]] = field(default_factory=list)
    """Of an object by key, of an array with the empty key."""


def find_objects(text: str) -> Iterator[Value]:
    r"""Yield the outermost objects of a text in reading order; those without any value are none.

    Examples
    --------
    >>> found = next(find_objects("Sure: {lat: 48.85, 'lng': 2.29, // Paris\n city: \"Par"))
    >>> [key for key, _ in found.fields]
    ['lat', 'lng', 'city']
    """
    at = 0
    while (opened := _OPENS.search(text, at)) is not None:
        if (deep := _TOO_DEEP.match(text, opened.start())) is not None:
            at = deep.end()
            continue
        at = opened.end()
        first = _after_blank(text, at)
        if text[first : first + 1] != "{" and _KEY.match(text, first) is None:
            continue
        found, tells = _read(text, opened.start())
        if tells:
            yield found
        at = found.end


def _after_blank(text: str, at: int) -> int:
    if text[at : at + 1] in _SOLID:
        return at
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _read(text: str, start: int) -> tuple[Value, bool]:
    """Read the object or array that starts here, with a stack of what is open.

    Returns it and whether there is a text or a bare value in it.
    """
    top = Value(start, start, "object")
    open_: list[Value] = [top]
    at, tells = start + 1, False
    while open_:
        holder = open_[-1]
        at = _after_blank(text, at)
        char = text[at : at + 1]
        if not char or char == FENCE:
            break
        if char in "}]":
            at += 1
            holder.end = at
            open_.pop()
            continue
        key = ""
        if holder.kind == "object":
            named = _KEY.match(text, at)
            if named is None and char != "{":
                break  # prose after all
            if named is not None:
                key = (named[1] or named[2]).strip()
                at = _after_blank(text, named.end())
            char = text[at : at + 1]
        if char in ("{", "["):
            value = Value(at, at, "object" if char == "{" else "array", [])
            at += 1
            holder.fields.append((key, value))
            if len(open_) >= MAX_DEPTH:
                break
            open_.append(value)
        else:
            value, at = _scalar(text, at, char)
            holder.fields.append((key, value))
            tells = True
    for unclosed in open_:
        unclosed.end = at
    return top, tells


def _scalar(text: str, at: int, char: str) -> tuple[Value, int]:
    """Return the value that starts here with ``char``, and where what follows it starts."""
    if char in ('"', "'"):
        closed = _STRING_END[char].search(text, at + 1)
        end = closed.start() if closed else len(text)
        return Value(at + 1, end, "text"), min(end + 1, len(text))
    ends = _BARE_END.search(text, at)
    end = ends.start() if ends else len(text)
    return Value(at, end, "bare"), end
