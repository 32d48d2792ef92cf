"""Reduce names to keys, so that spelling, case and accents do not matter and nothing else is lost.

Two names are the same if their keys are equal; there is no other likeness: no prefixes, no
parts of words, no distances between spellings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, TypeGuard

MAX_CHARS = 200
"""A longer text is no name."""

# Accents of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic, are written or
# left out at will. Marks of other scripts are letters: ガ is not カ.
_OPTIONAL = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")

_LETTERS = str.maketrans(
    {
        "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ə": "a", "þ": "th",
        "ħ": "h", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ɛ": "e", "ɔ": "o", "ى": "ي", "ی": "ي", "ک": "ك",
    }
)  # fmt: skip
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’‛ʻʼʽ′＇"), "")
_SILENT = frozenset({"and", "the"})
_SHORT = {"st": "saint", "ste": "sainte"}

# Words of a state's formal name: "Federal Republic of Germany". A word missing here is missing
# on purpose: the State of Georgia and the Commonwealth of Virginia are no countries.
FORM_WORDS = """
republic kingdom federal federative democratic peoples islamic arab socialist sultanate
principality emirate grand duchy hashemite plurinational bolivarian cooperative co operative united
"""
FORMS = frozenset(FORM_WORDS.split())

_ARTICLE_WORDS = "a as das de den der die el gli het il la las le les lo los o os"
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_ELIDED = re.compile(r"\s*(?:the\s+)?l['’]", re.IGNORECASE)


def is_name(value: Any) -> TypeGuard[str]:
    """Return whether a value can be a name: text, not blank, not endless.

    Examples
    --------
    >>> is_name("Mali"), is_name(" "), is_name(None), is_name(7)
    (True, False, False, False)
    """
    return (
        isinstance(value, str) and len(value) <= MAX_CHARS and not value.isspace() and value != ""
    )


def words(text: str) -> list[str]:
    """Return the words of a name, folded: no case, optional accents, punctuation, "and", "the".

    Examples
    --------
    >>> words("Côte d’Ivoire"), words("The Bahamas"), words("St. Kitts & Nevis")
    (['cote', 'divoire'], ['bahamas'], ['saint', 'kitts', 'nevis'])
    """
    if text.isascii():
        folded = text.lower().replace("'", "").replace("`", "")
    else:
        folded = text.casefold().translate(_APOSTROPHES).translate(_LETTERS)
        folded = _OPTIONAL.sub("", unicodedata.normalize("NFKD", folded)).translate(_LETTERS)
    found = "".join(c if _is_letter(c) else " " for c in folded).split()
    kept = [_SHORT.get(word, word) for word in found if word not in _SILENT]
    return kept or found


def key(text: str) -> str:
    """Return the key of a name: its words without the blanks between them, "" if it has none.

    Examples
    --------
    >>> key("U.S.") == key("US"), key("Bosnia-Herzegovina") == key("Bosnia and Herzegovina")
    (True, True)
    >>> key("Niger") == key("Nigeria"), key("—")
    (False, '')
    """
    return "".join(words(text))


def readings(text: str) -> Iterator[str]:
    """Yield the keys under which a country may be meant, the strictest first.

    After the text itself: inversions turned round ("Korea, Republic of"), formal names without
    their form ("Kingdom of Spain", "Iran (Islamic Republic of)"), names without their article
    in other languages ("la France").

    Examples
    --------
    >>> list(readings("Iran (Islamic Republic of)"))
    ['iranislamicrepublicof', 'islamicrepublicofiran', 'iran']
    """
    yield key(text)
    inverted = _inverted(text)
    if inverted is not None:
        yield "".join(inverted)
    bare = _without_form(inverted if inverted is not None else words(text))
    if bare:
        yield bare
    if without := _without_article(text):
        yield without


def _without_article(text: str) -> str:
    if elided := _ELIDED.match(text):
        return key(text[elided.end() :])
    first, *rest = words(text) or [""]
    return "".join(rest) if first in _ARTICLES else ""


def _inverted(text: str) -> list[str] | None:
    head, mark, tail = text.replace("(", ",").partition(",")
    rest = words(tail)
    return [*rest, *words(head)] if mark and head.strip() and rest else None


def _without_form(found: list[str]) -> str:
    if "of" in found[:-1]:
        at = found.index("of")
        if at and FORMS.issuperset(found[:at]):
            return "".join(found[at + 1 :])
    return ""


def _is_letter(char: str) -> bool:
    return char.isalnum() or (char > "\x7f" and unicodedata.category(char)[0] == "M")
