"""Look for dead links inside the site that was built: status 1 and a line for each.

python docs/check_links.py docs/_build/html
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse


class Page(HTMLParser):
    """The anchors and the links of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.unnamed: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names and where it leads."""
        said = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := said.get(key))}
        target = said.get("href" if tag in ("a", "link") else "src")
        if target:
            self.links.append(target)
        if tag == "img" and not (said.get("alt") or "").strip():
            self.unnamed.append(said.get("src") or "")


def dead(site: Path) -> list[str]:
    """Return one line for each link, anchor or picture that leads nowhere or has no words."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        found += [f"{where}: the picture {source} has no words" for source in page.unnamed]
        for link in page.links:
            if urlparse(link).scheme or link.startswith("//"):
                continue
            target, anchor = urldefrag(link.partition("?")[0] if "#" not in link else link)
            there = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not there.exists():
                found.append(f"{where}: {link} leads nowhere")
            elif anchor and there in pages and unquote(anchor) not in pages[there].anchors:
                found.append(f"{where}: {link} has no such place on its page")
    return found


if __name__ == "__main__":
    lines = dead(Path(sys.argv[1]))
    print("\n".join(lines))
    sys.exit(bool(lines))
