"""Find the things that a photo shows in the words of a reasoning, in any script.

A thing counts where it stands as words of its own (a car is not in "scarf", palm trees are palm
tree), and in scripts without spaces as text. It counts in sentences only: a list of things is no
reasoning, however many of them are in the photo.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

MAX_CHARS = 8000
"""So much of a reasoning is read; 1,024 tokens are about half of it."""

MAX_SEGMENT_WORDS = 40
"""More words than this without punctuation are no sentence."""

SHORT_WORDS = 3
"""A segment of so few words, or as many pairs of signs, is an item of a list."""

LIST_ITEMS, LIST_SHARE = 8, 0.6
"""So many items, and this share of all segments, make a list."""

_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN = re.compile(r"[,;:.!?|/•·，、。；：！？،؛।]+")
# Han, kana, Thai, Lao, Burmese, Khmer: words stand without spaces between them.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"\w+")


def share(reasoning: str, entities: Sequence[str]) -> float:
    """Return the share of entities that a reasoning names.

    Examples
    --------
    >>> share("The palm trees and a tram suggest Lisbon.", ["palm tree", "tram", "car"])
    0.6666666666666666
    >>> share("街道上有红色电车，所以可能是里斯本。", ["电车"])
    1.0
    """
    wanted = [folded(entity) for entity in entities]
    lines = reasoning[:MAX_CHARS].replace("\n", " ; ")
    text = _sentences(folded(lines))
    return sum(_is_in(entity, text) for entity in wanted) / len(wanted)


def listed(row: Any) -> list[str]:
    """Return the entities of one row, each once: texts, or mappings with ``text``, or JSON of it.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> listed([{"text": "tram"}, {"text": "Tram "}, {"text": ""}]), listed('["car"]'), listed(None)
    (['tram'], ['car'], [])
    """
    if isinstance(row, str):
        row = json.loads(row) if row.lstrip().startswith("[") else [row]
    if row is None:
        return []
    if not isinstance(row, Sequence):
        msg = f"the entities of a row are {row!r:.80}; give a list of texts"
        raise ValueError(msg)
    texts = [one.get("text") if isinstance(one, Mapping) else one for one in row]
    kept: dict[str, str] = {}
    for text in texts:
        if not isinstance(text, str):
            msg = f"an entity is {text!r:.80}; give text, or a mapping with text"
            raise ValueError(msg)
        if folded(text):
            kept.setdefault(folded(text), text.strip())
    return list(kept.values())


def folded(text: str) -> str:
    """Return a text without case, accents and repeated white space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(unicodedata.normalize("NFC", _ACCENTS.sub("", plain)).split())


def _sentences(text: str) -> str:
    """Return the segments of a text that may be parts of sentences, "" where it is a list."""
    segments = [segment for part in _BETWEEN.split(text) if (segment := part.strip())]
    sizes = [_words(segment) for segment in segments]
    short = sum(size <= SHORT_WORDS for size in sizes)
    if short >= LIST_ITEMS and short >= LIST_SHARE * len(segments):
        return ""
    return "\n".join(
        segment for segment, size in zip(segments, sizes, strict=True) if size <= MAX_SEGMENT_WORDS
    )


def _words(segment: str) -> float:
    """Return the words of a segment; two signs without spaces between count as one."""
    signs = len(_UNSPACED.findall(segment))
    return len(_WORD.findall(_UNSPACED.sub(" ", segment))) + signs / 2


def _is_in(entity: str, text: str) -> bool:
    if _UNSPACED.search(entity):
        return entity in text
    at = text.find(entity)
    while at >= 0:
        end = at + len(entity)
        if not _joins(text, at - 1) and any(
            text.startswith(plural, end) and not _joins(text, end + len(plural))
            for plural in ("", "s", "es")
        ):
            return True
        at = text.find(entity, at + 1)
    return False


def _joins(text: str, at: int) -> bool:
    """Return whether the sign at a place is a letter of a script with spaces, or a digit."""
    if not 0 <= at < len(text):
        return False
    sign = text[at]
    is_part = sign.isalnum() or unicodedata.category(sign)[0] == "M"
    return is_part and not _UNSPACED.match(sign)
