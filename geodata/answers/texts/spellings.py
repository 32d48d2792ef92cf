"""Write labels of other languages, HTML and numbers without a space as the reader knows them.

Every pattern begins with a literal or a character class and has bounded quantifiers.
"""

from __future__ import annotations

import re

_LATITUDE = (
    "breedtegraad|breddegrad|enlem|garis lintang|lintang|leveysaste|szélesség|šířka"
    "|zeměpisná šířka|szerokość(?: geograficzna)?|(?:географска|географічна) ширина"
    "|γεωγραφικό πλάτος|קו[ -]?ה?רוחב|عرض جغرافیایی|دائرة العرض"
)
_LONGITUDE = (
    "lengtegraad|lengdegrad|længdegrad|boylam|garis bujur|bujur|pituusaste|hosszúság"
    "|zeměpisná délka|długość(?: geograficzna)?|географска (?:дължина|дужина)|довгота"
    "|γεωγραφικό μήκος|קו[ -]?ה?אורך|طول جغرافیایی"
)
_LABELS = re.compile(rf"(?<!\w)(?:(?P<lat>{_LATITUDE})|(?P<lon>{_LONGITUDE}))(?!\w)", re.I)
_FRAGMENTS = (
    *("breedte", "bredde", "lengte", "lengde", "længde", "enlem", "boylam", "lintang", "bujur"),
    *("leveys", "pituus", "széles", "hosszú", "šířka", "délka", "szeroko", "długo", "ширина"),
    *("дължина", "дужина", "довгота", "πλάτος", "μήκος", "רוחב", "אורך", "جغراف", "دائرة"),
)
"""A text without any of these has none of the labels: plain searches are fast."""

_GLUED_LABEL = re.compile(r"([0-9°])(?=(?:lat|lon|lng)[a-z]{0,7}[ ]?[:=])", re.I)
_GLUED_LETTERS = re.compile(
    r"([0-9](?<![0-9.].)[0-9]{0,2}\.[0-9]{1,12})°?([NS])[ ]?"
    r"([0-9]{1,3}\.[0-9]{1,12})°?([EW])(?![A-Za-z0-9])"
)
_ISO_6709 = re.compile(
    r"([+-](?<![0-9.].)[0-9]{2}\.[0-9]{1,10})([+-][0-9]{3}\.[0-9]{1,10})(?![0-9.])"
)
_NUMPY = re.compile(r"(?:np|numpy)\.float(?:16|32|64)\(([-+0-9.eE]{1,30})\)")
_HTML = re.compile(
    r"<(?P<close>/?)(?:(?P<inline>b|i|u|strong|em|span|code)|(?P<cell>td|th)"
    r"|(?P<block>br|p|li|ul|ol|div|tr|table|tbody|h[1-6]))(?:\s[^<>]{0,80})?/?>",
    re.I,
)


def respelt(text: str) -> str:
    r"""Return a text with its spellings made plain.

    Examples
    --------
    >>> respelt("Enlem: 41.0082, Boylam: 28.9784")
    'latitude: 41.0082, longitude: 28.9784'
    >>> respelt("48.8512N2.3534E"), respelt("<b>Latitude</b>: 1.5<br>")
    ('48.8512 N, 2.3534 E', 'Latitude: 1.5\n')
    """
    lowered = text.lower()
    if any(fragment in lowered for fragment in _FRAGMENTS):
        text = _LABELS.sub(lambda m: "latitude" if m["lat"] else "longitude", text)
    if "<" in text:
        text = _HTML.sub(_plain_tag, text)
    if ".float" in text:
        text = _NUMPY.sub(r"\1", text)
    text = _GLUED_LABEL.sub(r"\1 ", text)
    text = _GLUED_LETTERS.sub(r"\1 \2, \3 \4", text)
    return _ISO_6709.sub(r"\1, \2", text)


def _plain_tag(tag: re.Match[str]) -> str:
    if tag["inline"]:
        return ""
    return " | " if tag["cell"] else "\n"
