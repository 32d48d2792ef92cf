"""Prepare a text for reading and find where its answer lies.

Every function here is linear in the text: plain searches, and patterns that begin with a
literal and have bounded quantifiers.
"""

from __future__ import annotations

import re
from itertools import pairwise

from geodata.answers.contract import BODY_CHARS
from geodata.answers.texts.objects import FENCE
from geodata.answers.texts.spellings import respelt

MAX_NUMBERS = 128
"""At most about so many numbers, counted from the end of a text, are looked at."""

_CHUNK = 256
_NUMBER_RUN = re.compile(r"[0-9]+")

# Patterns begin with a literal or a character class, which the engine skips to quickly; what
# must not stand before is looked at afterwards: "(?<![0-9.].)" after one digit.

# One spelling for marks that models write in many ways. Digits of other scripts stay as they
# are: they are never numbers here.
_SAME = {
    "-": "−‒–—﹣－‐‑",
    "°": "º˚∘⁰",
    "'": "′’‘ʹ´＇‛",
    '"': "″”“ʺ〃＂",
    " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u202f\u205f\u3000",
    "": "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff",
    "(": "（【",
    ")": "）】",
    ",": "，、",
    ":": "：",
    ";": "；",
    ".": "．",
    "...": "…",
}
_CHARS = {ord(c): plain for plain, variants in _SAME.items() for c in variants}
_WORDS = (
    (("北纬", "北緯", "북위"), " N "),
    (("南纬", "南緯", "남위"), " S "),
    (("东经", "東経", "東經", "동경"), " E "),
    (("西经", "西経", "西經", "서경"), " W "),
    (("纬度", "緯度", "위도", "широта", "Широта"), " latitude "),
    (("经度", "経度", "經度", "경도", "долгота", "Долгота"), " longitude "),
    (("خط العرض", "अक्षांश", "ละติจูด", "vĩ độ", "Vĩ độ"), " latitude "),
    (("خط الطول", "देशांतर", "ลองจิจูด", "kinh độ", "Kinh độ"), " longitude "),
    (("度", "도"), "°"),
    (("с. ш.", "с.ш.", "северной широты"), " N "),
    (("ю. ш.", "ю.ш.", "южной широты"), " S "),
    (("в. д.", "в.д.", "восточной долготы"), " E "),
    (("з. д.", "з.д.", "западной долготы"), " W "),
)
_CJK_MINUTES = re.compile(r"([0-9])分")
_CJK_SECONDS = re.compile(r"([0-9])秒")
_LATEX_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|rm)\s{0,2}\{([^{}]{0,200})\}")
_LATEX_DEGREE = re.compile(r"\^\s{0,2}(?:\\circ|\{\s{0,2}\\circ\s{0,2}\}|°)|\\(?:text)?degree\b")
_LATEX_SPACE = re.compile(r"\\(?:left|right|quad|,|;|!|:| )")
_LETTERED = re.compile(
    r"([0-9](?<![0-9.].)[0-9]{0,2})d[ ]?([0-9]{1,2})m[ ]?([0-9]{1,2}(?:\.[0-9]{1,12})?)s"
)
_LETTER_ASIDE = re.compile(r"\(([NSEW])\)[ ]?(?=[:=])")
_CLOSING_TAG = re.compile(r"</\s?(?:lat|lon|lng)[a-z]{0,8}\s?>", re.I)
_TOLERANCE = re.compile(
    r"(?:±|\+/-)\s{0,2}[0-9]{1,6}(?:\.[0-9]{1,20})?"
    r"(?:\s{0,2}(?:°|(?:k?m|mi(?:les?)?|(?:kilo)?met(?:er|re)s?|deg(?:rees?)?)\b))?\s{0,2}"
)
_MAP_DATA = re.compile(r"!3d(-?[0-9]{1,3}\.[0-9]{1,20})!4d(-?[0-9]{1,3}\.[0-9]{1,20})")
_SPLIT_DECIMALS = re.compile(
    r"([0-9](?<![0-9.].)[0-9]{0,2})\. ([0-9]{2,12})( ?, ?-?)([0-9]{1,3})\. ([0-9]{2,12})(?![0-9.])"
)
_MINUTES_AFTER = re.compile(
    r"([NSEW])(?<![A-Za-z.].)[ ]?([0-9]{1,3})[ ]([0-9]{1,2}\.[0-9]{1,12})(?![0-9°])[ ]?'?"
)
_MINUTES_BEFORE = re.compile(
    r"([0-9](?<![0-9.].)[0-9]{0,2})[ ]([0-9]{1,2}\.[0-9]{1,12})[ ]?'?[ ]?([NSEW])(?![A-Za-z0-9])"
)
_LETTER_BELOW = re.compile(
    r"([0-9]['\"°]{0,2})[ ]{0,4}\n[ \n]{0,4}([NSEW])[ ]{0,4}"
    r"(?=[,;]?[ ]{0,4}(?:\n|\Z)|[,;][ ]?[+-]?[0-9])"
)
_BARE = r"[0-9][0-9.]{0,24}['\"°]{0,2}"
_BLANK = r"[ ]{0,4}\n[ \n]{0,4}"
_LETTERS_ABOVE = re.compile(
    rf"(?m)^[ ]{{0,4}}([NSEW]){_BLANK}({_BARE}){_BLANK}([NSEW]){_BLANK}({_BARE})[ ]{{0,4}}"
    r"(?=\n|\Z)(?!\n[ \n]{0,4}[NSEW][ ]{0,4}$)"
)
_SPACED_SIGNS = re.compile(
    r"(?m)^([ \t(]{0,8})- ([0-9]{1,3}(?:\.[0-9]{1,30})?°?)([ ]?[,;][ ]?)- (?=[0-9])"
)
_LIST_MARK = re.compile(
    r"(?m)^(?P<lead>[ \t>]{0,8})(?P<mark>[0-9]{1,2}(?=[.)][ \t])|[a-h](?=\)[ \t]))[.)]"
)
_COMMA_INSIDE = re.compile(r"[0-9],[0-9]")
_COMMA_MARKED = re.compile(
    r"([0-9](?<![0-9.,].)[0-9]{0,2}),([0-9]{1,12})(?=\s?(?:°|deg\b|degrees?\b|[NSEW]\b))"
)
_COMMA_PAIR = re.compile(
    r"([0-9](?<![0-9.,].)[0-9]{0,2}),(?![0-9]{3}[^0-9])([0-9]{2,12})"
    r"(\s{0,3}[;/|]\s{0,3}|,?\s{1,3}(?:(?:and|et|und|y|e)\s)?)([+-]?)"
    r"([0-9]{1,3}),([0-9]{2,12})(?![0-9.,])"
)
_COMMA_LABELLED = re.compile(
    r"(\b(?:lat|lon|breite|l[aä]nge)[a-z]{0,7}[\"']?\s{0,2}[:=]\s{0,2}[\"']?[+-]?)([0-9]{1,3}),([0-9]{2,12})(?![.,]?[0-9])",
    re.I,
)

_THINK_OPEN = re.compile(
    r"<\s?(?:think|thinking|thought|reasoning|seed:think)\s?>|\[THINK\]|◁think▷"
    r"|<\|begin_of_thought\|>",
    re.I,
)
_THINK_CLOSE = re.compile(
    r"<\s?/\s?(?:think|thinking|thought|reasoning|seed:think)\s?>|\[/THINK\]|◁/think▷"
    r"|<\|end_of_thought\|>",
    re.I,
)
_ANSWER_OPEN = re.compile(r"<\s?answer\s?>|<\|begin_of_(?:solution|box)\|>", re.I)
_ANSWER_CLOSE = re.compile(r"<\s?/\s?answer\s?>|<\|end_of_(?:solution|box)\|>", re.I)
_TURN_STARTS = (
    "<|im_start|>assistant",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|channel|>final<|message|>",
    "<start_of_turn>model",
    "<|assistant|>",
    "[/INST]",
)
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<end_of_turn>", "<|return|>", "</s>")


def tail(text: str) -> str:
    """Return the end of a text that is read: `BODY_CHARS` and about `MAX_NUMBERS` numbers.

    The answer comes last, and a text with more numbers than that is no answer: the bound
    keeps the work per text small whatever it holds.
    """
    whole, text = text, text[-BODY_CHARS:]
    start, numbers = len(text), 0
    while start > 0 and numbers < MAX_NUMBERS:
        chunk = text[max(0, start - _CHUNK) : start]
        start -= len(chunk)
        numbers += len(_NUMBER_RUN.findall(chunk))
    # A number that the bound cut in two would be another number.
    kept = text[start:]
    return kept if len(kept) == len(whole) else kept.lstrip("0123456789.")


def normalise(text: str) -> str:
    """Return a text with one spelling for each mark, without emphasis, with decimal points.

    Decimal commas become points only where they are certain: before a degree mark or a
    hemisphere, after a label, or in four groups of digits such as ``48,8584, 2,2945``.
    """
    text = text.replace("```", FENCE).replace("*", "").replace("`", "")
    if not text.isascii():
        text = _plain(text)
    text = respelt(text)
    if "\\" in text:
        text = _LATEX_DEGREE.sub("°", _LATEX_TEXT.sub(r"\1", text))
        text = _LATEX_SPACE.sub(" ", text).replace('\\"', '"').replace("\\n", "\n")
        text = text.replace("$", "")
    if "&" in text:
        text = text.replace("&deg;", "°").replace("&#176;", "°").replace("&nbsp;", " ")
        text = text.replace("&minus;", "-").replace("&quot;", '"')
    if "</" in text:
        text = _CLOSING_TAG.sub("; ", text)
    if "%2C" in text:
        text = text.replace("%2C", ",")
    if "±" in text or "+/-" in text:
        text = _TOLERANCE.sub("", text)
    if "!4d" in text:
        text = _MAP_DATA.sub(r" latitude: \1 longitude: \2 ", text)
    text = _LETTER_ASIDE.sub(r"\1", text.replace("...", " "))
    if "\n" in text:
        text = _LETTERS_ABOVE.sub(r"\1 \2, \3 \4", text)
        text = _LETTER_BELOW.sub(r"\1 \2", text)
        text = _bullets_for_numbers(text)
    text = _SPACED_SIGNS.sub(r"\1-\2\3-", text)  # a bullet has no other before its second number
    text = _LETTERED.sub("\\1°\\2'\\3\"", text)
    text = _MINUTES_AFTER.sub(r"\1 \2°\3'", text)
    text = _MINUTES_BEFORE.sub(r"\1°\2' \3", text)
    return _decimal_points(text)


def _bullets_for_numbers(text: str) -> str:
    """Write the lines of a numbered list with bullets: "2. 2.29" is no longitude of 2.

    One line alone is no list, and neither are "12. 8584" and "2. 2945", whose numbers do not
    count upwards by one.
    """
    marks = list(_LIST_MARK.finditer(text))[-MAX_NUMBERS:]
    if len(marks) < 2:
        return text
    # letters count far above numbers, so that "96." and "a)" are no neighbours
    counts = [int(m["mark"]) if m["mark"].isdigit() else 1000 + ord(m["mark"]) for m in marks]
    near = [a + 1 == b for a, b in pairwise(counts)]
    listed = [a or b for a, b in zip([False, *near], [*near, False], strict=True)]
    parts, at = [], 0
    for mark, is_list in zip(marks, listed, strict=True):
        if is_list:
            parts += [text[at : mark.start()], mark["lead"].replace(">", " "), "-"]
            at = mark.end()
    return "".join([*parts, text[at:]])


def _plain(text: str) -> str:
    for variants, plain in _WORDS:
        for variant in variants:
            if variant in text:
                text = text.replace(variant, plain)
    text = _CJK_SECONDS.sub(r'\1"', _CJK_MINUTES.sub(r"\1'", text))
    return text.translate(_CHARS)


def _decimal_points(text: str) -> str:
    text = _SPLIT_DECIMALS.sub(r"\1.\2\3\4.\5", text)
    if _COMMA_INSIDE.search(text) is None:
        return text
    text = _COMMA_PAIR.sub(r"\1.\2 , \4\5.\6", text)
    text = _COMMA_MARKED.sub(r"\1.\2", text)
    return _COMMA_LABELLED.sub(r"\1\2.\3", text)


def final_turn(text: str) -> str:
    """Return the last turn of a transcript with chat tokens; other text comes back whole."""
    for mark in _TURN_STARTS:
        after = text.rpartition(mark)[2]
        text = after if after.strip() else text
    for mark in _TURN_ENDS:
        before = text.partition(mark)[0]
        text = before if before.strip() else text
    return text


def without_thinking(text: str) -> tuple[str, bool]:
    """Return what follows the thinking, and whether there is only thinking.

    Where nothing follows, the thinking itself comes back: it is all there is, and doubtful.
    An unclosed block ends the text before it, unless nothing stands before it.
    """
    closed = _last_end(_THINK_CLOSE, text)
    rest = text[closed:]
    opened = _THINK_OPEN.search(rest)
    if opened is not None:
        before, inside = rest[: opened.start()], rest[opened.end() :]
        if before.strip():
            return before, False
        return inside, _ANSWER_OPEN.search(inside) is None
    if closed and not rest.strip():
        return _THINK_OPEN.sub(" ", _THINK_CLOSE.sub(" ", text)), True
    return rest, False


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for match in pattern.finditer(text):
        end = match.end()
    return end


def answer_span(text: str) -> tuple[int, int] | None:
    """Return start and end of the last ``<answer>`` block that is not empty, or None."""
    for opened in reversed(list(_ANSWER_OPEN.finditer(text))[-4:]):
        closed = _ANSWER_CLOSE.search(text, opened.end())
        end = closed.start() if closed else len(text)
        if text[opened.end() : end].strip():
            return opened.end(), end
    return None


def fenced_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of the last fenced blocks of a prepared text, the last one first."""
    marks = [match.end() for match in re.finditer(FENCE, text)][-16:]
    if len(marks) % 2:  # the text ends inside a block
        marks.append(len(text) + 1)
    pairs = list(zip(marks[::2], marks[1::2], strict=True))
    return [(start, end - 1) for start, end in reversed(pairs)]
