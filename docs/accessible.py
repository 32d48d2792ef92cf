"""Mend what keeps people from the pages that Sphinx and its theme make.

Code and tables that are wider than a screen scroll, and what scrolls must be reached by a keyboard;
captions of the navigation are headings, and a heading has a level; the parameters of a signature of
many lines are no list of definitions, which would have terms.
"""

from __future__ import annotations

import re
from typing import Any

_SCROLLS = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}

_SIGNATURE = re.compile(r"<dl>\n(<dd>.*?)</dl>", re.DOTALL)


def reached(body: str) -> str:
    r"""Return a page's HTML: what may scroll is reached by a keyboard, and lists are lists.

    Examples
    --------
    >>> reached("<pre>1</pre>")
    '<pre tabindex="0">1</pre>'
    >>> reached("<dl>\n<dd>lat,</dd>\n</dl>")
    '<span class="sig-params"><span>lat,</span>\n</span>'
    """
    for tag, mended in _SCROLLS.items():
        body = body.replace(tag, mended)
    return _SIGNATURE.sub(_lines, body)


def _lines(found: re.Match[str]) -> str:
    lines = found[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="sig-params">{lines}</span>'


def mend_page(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend the body of a page and the navigation beside it, before its template is filled."""
    del app, page, template, doctree
    if "body" in context:
        context["body"] = reached(context["body"])
    tree = context.get("furo_navigation_tree")
    if tree:
        context["furo_navigation_tree"] = tree.replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )
