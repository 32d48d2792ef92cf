"""Text of strangers made fit for a terminal, a card and a page of Markdown.

A group value, a column name or a server's error may hold bytes that a terminal takes for orders
(move the cursor, set the title, answer as if typed) or that turn the direction of a line. They
are shown, not obeyed.
"""

from __future__ import annotations

import re

_ORDERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, delete, C1 (CSI and OSC in one byte)
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of what follows
    "\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
)
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~!])")


def printable(text: object) -> str:
    r"""Return text in which control characters are written out.

    Line feeds and tabs stay; every other control character, C1 included, and marks that turn the
    direction of text become their escapes.

    Examples
    --------
    >>> printable("Paris\x1b]0;owned\x07"), printable("a\u202eb")
    ('Paris\\x1b]0;owned\\x07', 'a\\u202eb')
    """
    return _ORDERS.sub(lambda found: ascii(found[0])[1:-1], str(text))


def one_line(text: object) -> str:
    r"""Return `printable` text on one line, for a cell or a list.

    Examples
    --------
    >>> one_line("a\n# b")
    'a\\n# b'
    """
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def markdown(text: object) -> str:
    r"""Return text that Markdown shows as it is: no heading, link, table bar or tag in it.

    Examples
    --------
    >>> markdown("](javascript:x) | <b>")
    '\\](javascript:x) \\| \\<b\\>'
    """
    return _MARKDOWN.sub(r"\\\1", one_line(text))
