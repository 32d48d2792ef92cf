"""Recognise an answer that declines: it says that it cannot or will not tell the place."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from geodata.answers import texts
from geodata.answers.contract import MAX_CHARS
from geodata.answers.declining.phrases import DECLINES, TURNS_DOWN
from geodata.answers.declining.words import ASKED, FIELDS, LACKING, NO_PICTURE, UNKNOWN
from geodata.answers.texts import read_names
from geodata.answers.tolerant import parse_tolerant

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ru", "zh", "ja", "ko", "ar", "hi")
"""Languages whose refusals are recognised, ISO 639-1."""

_REFUSAL = re.compile(
    "|".join((*(f"{DECLINES[code]}|{TURNS_DOWN[code]}" for code in LANGUAGES), NO_PICTURE)),
    re.I,
)
_LACKING, _ASKED = (
    [re.compile(words[code], re.I) for code in LANGUAGES] for words in (LACKING, ASKED)
)
_SENTENCE = re.compile(r"[^.!?\n。！？؟।]{1,400}")
_SHORT = 600
"""An answer of so many characters is judged by single words, a longer one by whole phrases."""
# What follows a refusal and takes it back: a guess that names something.
_GUESS = re.compile(
    r"best guess|my guess|would guess|i(?:'d| would) say|(?:most )?likely (?:in|a|the)\b"
    r"|probably in|(?:appears|seems|looks like|could be|might be|suggests?|resembl\w+"
    r"|located)\b[^.!?\n]{0,50}?\b(?-i:(?!Earth)[A-Z][a-zà-ÿ]{2,})|(?:mi"
    r"|la) (?:mejor )?(?:suposición"
    r"|conjetura)|probablemente (?:en|es|sea)|parece (?:ser|estar)|(?:je dirais"
    r"|il s'agit (?:probablement|sans doute)|probablement (?:en|à|au))|(?:vermutlich"
    r"|wahrscheinlich|schätzungsweise|tippe)(?: aber)? (?:in|auf|aus|um)|probabilmente (?:in|a|è"
    r"|si)|(?:direi|sembra) |provavelmente (?:em|é|no|na)|parece (?:ser|com)|(?:скорее всего"
    r"|вероятно|похоже на|предположу|предположительно)|(?:可能是|大概是|应该是|很可能|推测"
    r"|猜测是)|(?:おそらく|たぶん|恐らく"
    r"|と思われ|でしょう|推測され)|(?:아마"
    r"|추정됩|것 같|보입니다)|(?:ربما|على الأرجح|يبدو أن)|(?:शायद|संभवतः)",
    re.I,
)
_UNKNOWN = re.compile(
    rf"(?<!\w){FIELDS}[\"'*]{{0,4}}\s{{0,4}}[:=：][\s\"'*\[({{]{{0,6}}{UNKNOWN}", re.I
)
# Names: a word with a capital inside a sentence, except these. Nouns have one in German.
_NO_PLACE = re.compile(
    r"(?:I'\w+|AI|KI|IA|GPS|EXIF|Earth|ChatGPT|GPT|OpenAI|Claude|Anthropic|Gemini|Google|Qwen"
    r"|Alibaba|Meta"
    r"|Llama|Mistral|Street|View|Maps?|Internet|JSON|Sorry|Unfortunately|Please|Thanks?|Sie"
    r"|Ihr\w*"
    rf"|Lat\w*|Lon\w*|Coordinates?|Location|However|But)\b|(?i:{UNKNOWN})"
)
_NAME = re.compile(r"(?<=[^.!?\n] )(?:[dl]'|al-|el-)?[A-ZÀ-ÖØ-ÞА-ЯЁ][\w'-]{2,30}")
_SAYS = re.compile(
    r"\b(?:(?:this|it|that|place|location|city|town|country|answer) (?:is|was|must be|has to be)"
    r"|es|se trata de|c'est|è|é)(?: in| en| near| clearly| certainly| a| à| em)?"
    r" ((?-i:[A-ZÀ-ÖØ-Þ])[\w'-]{2,30})",
    re.I,
)
_GERMAN_NAME = re.compile(r"\b(?:ist|war|heißt|sein|liegt in|stammt aus) ([A-ZÄÖÜ]\w{2,30})")
_GERMAN = re.compile(r"\b(?:nicht|kein\w*|ich|das|ist|der|leider|ein\w{0,2}|und|wäre)\b", re.I)
_CLAUSE = re.compile(r"(?<=[.!?;:,\n。！？；：，、،؛؟।—–])\s{0,3}")
_OFFER = re.compile(
    r"\b(?:if|please|could you|can you|would you|let me know|happy to|instead|si |por favor"
    r"|s'il vous"
    r"|wenn|falls|bitte|gerne|se |per favore|если|пожалуйста)|如果|若|请|請|もし|ください|下さい"
    r"|いただ"
    r"|주세요|주시|면 |إذا|يرجى|यदि|अगर|कृपया",
    re.I,
)
_GOES_ON = re.compile(
    r"^\W{0,3}(?:aber|jedoch|doch|allerdings|dennoch|trotzdem|sondern|zeigt|ich (?:würde|tippe"
    r"|nenne"
    r"|denke|glaube|wähle)|am ehesten|die \w+ (?:ist|heißt)|es (?:ist|handelt)|das ist)\b"
    r"|^\W{0,3}(?:但|不过|不過|我认为|我認為|我猜|应该|應該|看起来|(?:这里|這裡|这|這)是(?!什|哪"
    r"|何)|從|从|在|(?:地点|地點|城市|国家|位置)是(?!什|哪|未|不))"
    r"|(?:と(?:推測|考え|見|み|思)|だろう|に違いない)|(?:로 보|라고 생각|것으로|같습니다"
    r"|가능성이)"
    r"|^\W{0,3}(?:و?لكن|إلا أن|غير أن|أظن|أعتقد)|^\W{0,3}(?:लेकिन|परंतु|परन्तु|मगर|पर )",
    re.I,
)
_HEAD = 3000
"""A refusal comes early or last: so many characters at either end are looked at."""


def is_refusal(text: Any) -> bool:
    """Return whether an answer declines to say, or says that it cannot say, where the place is.

    So is a coordinate given as null or unknown, and that no picture came. An answer with a
    coordinate or a named place is none, nor one that goes on to a guess. Whole phrases count in any
    text; in one of up to 600 characters that names nothing, it is enough that a sentence says
    that what was asked for is lacking. Of 60 refusals in ten languages that no rule was made for,
    49 were recognised (95%: 70 to 90%), of 60 answers one was taken for a refusal.

    Parameters
    ----------
    text
        The completion; anything that is not a str is no refusal.

    Examples
    --------
    >>> is_refusal("I'm sorry, I can't help with identifying locations in photos.")
    True
    >>> is_refusal("Es tut mir leid, aber ich kann den Ort nicht bestimmen.")
    True
    >>> is_refusal("I can't see any signs, but this is Kyoto."), is_refusal("(48.85, 2.29)")
    (False, False)
    """
    return isinstance(text, str) and parse_tolerant(text).lat is None and declines(text)


def declines(text: str) -> bool:
    """Return whether a text that holds no coordinate is a refusal, see `is_refusal`."""
    body = texts.without_thinking(texts.final_turn(text[-MAX_CHARS:]))[0].replace("’", "'")
    if len(body) > 2 * _HEAD:
        body = body[:_HEAD] + "\n" + body[-_HEAD:]
    if any(read_names(body)):
        return False
    said = [match.span() for match in (*_REFUSAL.finditer(body), *_UNKNOWN.finditer(body))]
    if not said:
        return len(body) <= _SHORT and bool(_lacking(body)) and not _names_any(body)
    first, last = min(said)[0], max(end for _, end in said)
    return not (_GUESS.search(body, last) or _says_before(body, first) or _goes_on(body, first))


def _lacking(text: str) -> list[int]:
    """Return where the sentences that lack what was asked for have said so."""
    found = []
    for sentence in _SENTENCE.finditer(text):
        for lacking, asked in zip(_LACKING, _ASKED, strict=True):
            what, which = lacking.search(sentence[0]), asked.search(sentence[0])
            if what and which:
                found.append(sentence.start() + max(what.end(), which.end()))
    return found


def _names_any(text: str) -> bool:
    """Return whether a text holds a name or a guess, wherever it stands."""
    if _GUESS.search(text) or any(
        _GOES_ON.search(text[m.start() :]) for m in _CLAUSE.finditer(text)
    ):
        return True
    return _is_place((_GERMAN_NAME if _GERMAN.search(text) else _NAME).findall(text))


def _says_before(body: str, first: int) -> bool:
    """Return whether the text before a refusal says in so many words which place it is."""
    return _is_place(_SAYS.findall(body, 0, first))


def _goes_on(body: str, first: int) -> bool:
    """Return whether a clause behind a refusal names something instead of declining too."""
    ends = [*(match.start() for match in _CLAUSE.finditer(body, first)), len(body)]
    names = _GERMAN_NAME if _GERMAN.search(body) else _NAME
    for start, end in pairwise([first, *ends]):
        clause = body[start:end]
        if _OFFER.search(clause):
            continue
        declined = [*(match.end() for match in _REFUSAL.finditer(clause)), *_lacking(clause)]
        if _GOES_ON.search(clause[max(declined, default=0) :].strip()):
            return True
        if start > first and not declined and _is_place(names.findall(body, start, end)):
            return True
    return False


def _is_place(names: list[str]) -> bool:
    """Return whether one of the names may be that of a place."""
    return any(not _NO_PLACE.match(name) for name in names)
