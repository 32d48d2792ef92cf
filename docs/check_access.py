"""Look for what keeps people from reading pages: status 1 and a line for each.

python docs/check_access.py docs/_build/html

axe-core looks at each page in headless Chromium, in light on a desk and in dark on a phone. Faults
that it calls serious or critical count, and so does a page wider than its screen.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SCREENS = (("light", 1280), ("dark", 390))
COUNTED = ("serious", "critical")
PAGES = (
    "index.html",
    "tutorials/label.html",
    "tutorials/evaluate.html",
    "tutorials/own-photos.html",
    "explanation/chain-of-region.html",
    "explanation/rand-and-hard.html",
    "explanation/alternatives.html",
    "reference/api.html",
    "reference/generated/geodata.html",
    "reference/generated/api/geodata.cor.html",
    "reference/errors.html",
    "architecture.html",
    "cookbook.html",
    "faq.html",
    "glossary.html",
    "log.html",
    "papers.html",
    "search.html",
    "genindex.html",
    "_modules/geodata/cor/labels.html",
)
"""Pages of the site, one at least of each kind."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """Return the program of an installed browser; None without one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def faults(pages: Iterable[Path], program: str) -> Iterator[str]:
    """Yield one line for each fault of pages, looked at on every screen.

    Parameters
    ----------
    pages
        Files of HTML. Their own policy may forbid scripts; the browser runs axe all the same.
    program
        From `browser`.
    """
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    axe = Axe()
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        running = playwright.chromium.launch(executable_path=program, args=flags)
        for page in pages:
            for scheme, width in SCREENS:
                screen = {"width": width, "height": 900}
                shown: Any = running.new_page(color_scheme=scheme, viewport=screen)
                shown.emulate_media(reduced_motion="reduce")
                shown.goto(page.resolve().as_uri())
                where = f"{page.name}, {scheme}, {width} px"
                wide = shown.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    yield f"{where}: the page is {wide} px wide"
                found = axe.run(shown, options={"resultTypes": ["violations"]}).response
                yield from (f"{where}: {line}" for line in _lines(found["violations"]))
                shown.close()
        running.close()


def _lines(violations: list[dict[str, Any]]) -> Iterator[str]:
    for fault in violations:
        if fault["impact"] in COUNTED:
            for node in fault["nodes"]:
                checks = [*node["any"], *node["all"], *node["none"]]
                why = checks[0]["message"] if checks else fault["help"]
                yield f"{fault['id']} ({fault['impact']}), {why}: {node['html'][:120]}"


if __name__ == "__main__":
    program = browser()
    if program is None:
        print("no browser of", ", ".join(BROWSERS), "is installed: accessibility is not checked")
        sys.exit()
    count = 0
    for line in faults([Path(sys.argv[1]) / name for name in PAGES], program):
        print(line, flush=True)
        count += 1
    sys.exit(bool(count))
