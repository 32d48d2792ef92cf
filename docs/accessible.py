"""Mend what keeps people from the pages that Sphinx and its theme make.

Code and tables that are wider than a screen scroll, and what scrolls must be reached by a keyboard;
captions of the navigation are headings, and a heading has a level.
"""

from __future__ import annotations

from typing import Any

_SCROLLS = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
}


def reached(body: str) -> str:
    """Return a page's HTML in which everything that may scroll can be reached by a keyboard.

    Examples
    --------
    >>> reached("<pre>1</pre>")
    '<pre tabindex="0">1</pre>'
    """
    for tag, mended in _SCROLLS.items():
        body = body.replace(tag, mended)
    return body


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
