"""Reduce names to keys, so that spelling, case and accents do not matter and nothing else is lost.

Two names are the same if their keys are equal; there is no other likeness: no prefixes, no
parts of words, no distances between spellings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeGuard

from geodata.boundaries import facts_table

MAX_CHARS = 200
"""A longer text is no name."""

# Accents of Latin, Greek and Cyrillic, the vowel points of Hebrew and Arabic, and the dot below
# letters of northern India are written or left out at will. Marks of other scripts are letters:
# ガ is not カ.
_OPTIONAL = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u093c\u09bc\u0a3c]"
)

# Hindi writes the nasal before a consonant of its own row as a letter or as a dot.
_NASAL = re.compile("ङ्(?=[क-घ])|ञ्(?=[च-झ])|ण्(?=[ट-ढ])|न्(?=[त-ध])|म्(?=[प-भ])")
_HAN = re.compile("[\u3400-\u9fff]")

_LETTERS = str.maketrans(
    {
        "ı": "i", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "ə": "a", "þ": "th",
        "ħ": "h", "ŋ": "n", "ɓ": "b", "ɗ": "d", "ɛ": "e", "ɔ": "o", "ى": "ي", "ی": "ي", "ک": "ك",
        "ے": "ي", "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه", "ँ": "ं",
    }
)  # fmt: skip
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’‛ʻʼʽ′＇"), "")

_NO_ANSWERS = frozenset(
    """none;null;nil;n/a;unknown;undefined;unspecified;undetermined;unidentified;unclear;uncertain;
unknowable;unsure;not available;not applicable;not specified;not known;not given;no answer;no idea;
not identifiable;cannot determine;cannot be determined;unknown city;unknown country;
unknown location;don't know;i don't know;未知""".replace("\n", "").split(";")
)
_NOT_A_NUMBER = ("nan", "NaN", "NAN", "<NA>")
_LONGEST = max(map(len, _NO_ANSWERS))
_WRAPPING = " \t\r\n.!?:;,*_-–—\"'`[](){}<>"
_SILENT = frozenset({"and", "the"})
_SHORT = {"st": "saint", "ste": "sainte"}

# Words of a state's formal name: "Federal Republic of Germany". A word missing here is missing
# on purpose: the State of Georgia and the Commonwealth of Virginia are no countries.
FORM_WORDS = """
republic kingdom federal federative democratic peoples islamic arab socialist sultanate
principality emirate grand duchy hashemite plurinational bolivarian cooperative co operative united
"""
FORMS = frozenset(FORM_WORDS.split())

# The same in other languages: before the name, joined to it by a word like "of", after it, and
# written as one with it.
_FORMS_BEFORE = """
republik republika republique república repubblica republiek republiken republica rzeczpospolita
cộng hòa vương quốc kerajaan königreich royaume reino regno principato principado principauté
fürstentum республика республіка королевство королівство княжество князівство султанат
جمهورية جمهوری جمہوریہ مملكة سلطنة إمارة הרפובליקה רפובליקת ממלכת נסיכות
"""
_JOINING = "de del della di da do du la of von tot של d"
_FORMS_AFTER = (
    "cumhuriyeti krallığı köztársaság királyság गणराज्य প্রজাতন্ত্র 공화국 왕국 연방 köztársasága"
)
_FORMS_WRITTEN_ON = "共和国 王国 公国 联邦 공화국 왕국"

_LEADING = frozenset(
    ["near", "nearby", "around", "outside", "downtown", "central", "inner", "greater", "suburban"]
)
_TRAILING = frozenset(
    ["area", "region", "downtown", "suburbs", "outskirts", "centre", "center", "surroundings"]
)
_AREAS = frozenset(["bay", "metropolitan", "metro", "urban", "greater"])

_ARTICLE_WORDS = "a as das de den der die el gli het il la las le les lo los o os"
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_ELIDED = re.compile(r"\s*(?:the\s+)?l['’]", re.IGNORECASE)


def is_name(value: Any) -> TypeGuard[str]:
    """Return whether a value can be a name: text, not blank, not endless, no word for no answer.

    Examples
    --------
    >>> is_name("Mali"), is_name(" "), is_name(None), is_name(7)
    (True, False, False, False)
    >>> is_name("None"), is_name("N/A"), is_name("unknown")
    (False, False, False)
    """
    return (
        isinstance(value, str) and len(value) <= MAX_CHARS and not value.isspace() and value != ""
    ) and not is_no_answer(value)


def is_no_answer(text: str) -> bool:
    """Return whether a text says that there is no answer, in the words that models write.

    A village in Italy is called None, one in Thailand Nan: the first is never meant, the second
    only with its capital.

    Examples
    --------
    >>> is_no_answer("[null]"), is_no_answer("Not specified."), is_no_answer("Nan")
    (True, True, False)
    """
    bare = text.strip(_WRAPPING)
    return bare in _NOT_A_NUMBER or (len(bare) <= _LONGEST and bare.casefold() in _NO_ANSWERS)


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
        folded = _NASAL.sub("ं", folded)
        if _HAN.search(folded):
            folded = folded.translate(_simplified())
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


@cache
def _simplified() -> dict[int, str]:
    """Return the one form of Chinese characters that have several: 紐 is 纽, 広 is 广."""
    return {ord(row["variant"]): row["simplified"] for row in facts_table("han")}


def _without_article(text: str) -> str:
    if "," in text:  # "LA, USA" is no United States with an article
        return ""
    if elided := _ELIDED.match(text):
        return key(text[elided.end() :])
    first, *rest = words(text) or [""]
    return "".join(rest) if first in _ARTICLES else ""


def unqualified(found: list[str]) -> list[str]:
    """Return the words of a place without what is said about its surroundings.

    Examples
    --------
    >>> unqualified(words("near Paris")), unqualified(words("San Francisco Bay Area"))
    (['paris'], ['san', 'francisco'])
    >>> unqualified(words("Downtown")), unqualified(words("Bay Area"))
    ([], [])
    """
    start, end = 0, len(found)
    while start < end and (found[start] in _LEADING or (start and found[start] == "of")):
        start += 1
    while end > start and found[end - 1] in _TRAILING:
        end -= 1
        if found[end] == "area":
            while end > start and found[end - 1] in _AREAS:
                end -= 1
    return found[start:end]


def _inverted(text: str) -> list[str] | None:
    head, mark, tail = text.replace("(", ",").partition(",")
    rest = words(tail)
    return [*rest, *words(head)] if mark and rest else None


def _without_form(found: list[str]) -> str:
    if "of" in found[:-1]:
        at = found.index("of")
        if at and FORMS.issuperset(found[:at]):
            return "".join(found[at + 1 :])
    return ""


def without_foreign_form(text: str) -> str:
    """Return the key of a country without its form in another language, "" where it has none.

    Examples
    --------
    >>> without_foreign_form("Republik Irlandia"), without_foreign_form("Irlandia")
    ('irlandia', '')
    >>> without_foreign_form("泰王国") == key("泰"), without_foreign_form("Kıbrıs Cumhuriyeti")
    (True, 'kibris')
    """
    before, joining, after, written_on = _foreign_forms()
    found = words(text)
    start = end = 0
    while start < len(found) and found[start] in before:
        start += 1
    while start and start < len(found) and found[start] in joining:
        start += 1
    for end in range(len(found), start, -1):
        if found[end - 1] not in after:
            break
    if start or end < len(found):
        return "".join(found[start:end])
    ending = next((form for form in written_on if found and found[-1].endswith(form)), "")
    return "".join(found)[: -len(ending)] if ending else ""


@cache
def _foreign_forms() -> tuple[frozenset[str], frozenset[str], frozenset[str], tuple[str, ...]]:
    texts = (_FORMS_BEFORE, _JOINING, _FORMS_AFTER)
    before, joining, after = (frozenset(words(text)) for text in texts)
    return before, joining, after, tuple(words(_FORMS_WRITTEN_ON))


def _is_letter(char: str) -> bool:
    return char.isalnum() or (char > "\x7f" and unicodedata.category(char)[0] == "M")
