"""Text of strangers made fit for a terminal, a card and a page of Markdown.

A group value, a column name or a server's error may hold bytes that a terminal takes for orders
(move the cursor, set the title, answer as if typed) or that turn the direction of a line. They
are shown, not obeyed.
"""

from __future__ import annotations

import html as _html
import re
import sys

_ORDERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, delete, C1 (CSI and OSC in one byte)
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of what follows
    "\ufeff\ufff9-\ufffb\U000e0001-\U000e007f]"
)
_MARKDOWN = re.compile(
    r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|!(?=\[)"
    r"|^[#=]|^-(?=-)|^[+-](?=\s|$)"  # what begins a heading, a rule or a list
)
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


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
    return _NUMBERED.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\g<0>", one_line(text).strip()))


def code(text: object) -> str:
    r"""Return text as code in Markdown, also in a cell of a table.

    Examples
    --------
    >>> code("list<a|b>"), code("a`b")
    ('`list<a\\|b>`', '`` a`b ``')
    """
    shown = one_line(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence, room = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{room}{shown}{room}{fence}"


def json_text(text: str) -> str:
    r"""Return JSON in which what a terminal would obey is escaped as JSON escapes it.

    Examples
    --------
    >>> json_text('"a\u202eb"')
    '"a\\u202eb"'
    """
    return _ORDERS.sub(_json_escape, text)


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def html(text: object) -> str:
    """Return text that a page of HTML shows as it is, also in a quoted attribute.

    Examples
    --------
    >>> html("<script>")
    '&lt;script&gt;'
    """
    return _html.escape(one_line(text))


def tell(text: object, *, err: bool = False, end: str = "\n") -> None:
    """Print `printable` text, at once.

    Parameters
    ----------
    err
        To the standard error.
    end
        What follows it.
    """
    file = sys.stderr if err else sys.stdout
    print(printable(text), file=file, end=end, flush=True)
