"""A calibration as one HTML page without network or scripts, its curve as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.printable import html as escaped
from georl.calibration.measures import Bin
from georl.calibration.result import Calibration, shown

STYLE = (
    ":root{color-scheme:light dark;--paper:#fff;--ink:#17202a;--soft:#55616d;--rule:#d8dee4;"
    "--accent:#1d4e79}@media(prefers-color-scheme:dark){:root{--paper:#14181c;--ink:#e4e8eb;"
    "--soft:#a3aeb8;--rule:#36404a;--accent:#7fb6e3}}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "background:var(--paper);color:var(--ink)}p{max-width:46em}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem;"
    "border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}"
    "td:first-child,th:first-child{text-align:left}tbody th{font-weight:400}"
    ".scroll{overflow-x:auto}.note{color:var(--soft)}"
    "svg{width:100%;max-width:28rem}img{max-width:100%;height:auto}"
    "h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2rem}h3{font-size:1rem}"
)
"""The palette of the evaluation's report, on light and on dark paper."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SIDE, _LEFT, _BELOW = 360, 50, 46


def document(title: str, body: str) -> str:
    """Return a whole page; ``body`` is HTML already.

    Examples
    --------
    >>> document("A < B", "<p>1.</p>").splitlines()[-4]
    '<h1>A &lt; B</h1>'
    """
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<link rel="icon" href="data:,">\n<title>{escaped(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{escaped(title)}</h1>\n{body}"
        f"</main>\n</body>\n</html>\n"
    )


def grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table of text, its first column heading the rows.

    Examples
    --------
    >>> grid(("judge", "AUC"), [("tiny", "0.81")]).splitlines()[1]
    '<tbody><tr><th scope=row>tiny</th><td>0.81</td></tr>'
    """
    top = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in head)
    rows = "".join(
        f"<tr><th scope=row>{escaped(line[0])}</th>"
        + "".join(f"<td>{escaped(cell)}</td>" for cell in line[1:])
        + "</tr>\n"
        for line in lines
    )
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{top}</tr></thead>\n'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def html_page(found: Calibration) -> str:
    """Return a calibration as a page, the same bytes for the same result.

    Examples
    --------
    >>> none = {"without": {}, "interval": None, "ece": 0.1, "brier": 0.2, "by_step": {}}
    >>> found = Calibration("tiny", "judgements.parquet", "test", rows=8, yes=4, auc=0.81, bins=(),
    ...                     **none)
    >>> "<h1>Calibration of tiny</h1>" in html_page(found)
    True
    """
    span = f"{found.interval[0]:.3f} to {found.interval[1]:.3f}" if found.interval else "-"
    numbers = [
        ("AUC (0.5 is chance)", shown(found.auc), span),
        ("expected calibration error", shown(found.ece), ""),
        ("Brier score", shown(found.brier), ""),
    ]
    parts = [
        f"<p>{found.rows} rows of <code>{escaped(found.records)}</code>, split "
        f"{escaped(found.split)}; {found.yes} of them are a yes.</p>\n",
        grid(("measure", "value", "95% interval, over photos"), numbers),
        "<h2>Is 0.8 right eight times in ten?</h2>\n",
        reliability_svg(found.bins),
        '<p class="note">On the line a judge means what it says; a larger dot is more rows. '
        "Under the line it promises too much.</p>\n",
        grid(
            ("it says", "rows", "mean", "were a yes"),
            [
                (f"{b.low:.2f} to {b.high:.2f}", str(b.rows), f"{b.said:.3f}", f"{b.was:.3f}")
                for b in found.bins
            ],
        ),
    ]
    if found.by_step:
        rows = [(name, str(n), shown(value)) for name, (n, value) in found.by_step.items()]
        parts += ["<h2>By the step that dropped a row</h2>\n"]
        parts += [grid(("dropped in", "rows", "AUC against all kept rows"), rows)]
    if found.without:
        told = ", ".join(f"{n} {what}" for what, n in sorted(found.without.items()))
        parts += [f"<p>Without a verdict, in no number above: {escaped(told)}.</p>\n"]
    return document(f"Calibration of {found.judge}", "".join(parts))


def reliability_svg(bins: Sequence[Bin]) -> str:
    """Return the reliability curve: what was so over what was said.

    Examples
    --------
    >>> drawn = reliability_svg([Bin(0.0, 0.5, rows=40, said=0.3, was=0.25)])
    >>> drawn.count("<circle")
    1
    """
    rows = [one.rows for one in bins]
    points = [(_x(b.said), _y(b.was), 3.0 + 9.0 * (b.rows / max(rows)) ** 0.5) for b in bins]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="var(--accent)" fill-opacity=".75"/>'
        for x, y, r in points
    )
    ticks = "".join(
        f'<text x="{_x(v):.0f}" y="{_SIDE + 30}" text-anchor="middle">{v:g}</text>'
        f'<text x="{_LEFT - 8}" y="{_y(v) + 4:.0f}" text-anchor="end">{v:g}</text>'
        for v in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    return (
        f'<svg viewBox="0 0 {_LEFT + _SIDE + 16} {_SIDE + _BELOW + 14}" role="img" '
        f'aria-label="Reliability curve" font-size="12" font-family="sans-serif" '
        f'fill="currentColor">\n'
        f'<rect x="{_LEFT}" y="10" width="{_SIDE}" height="{_SIDE}" fill="none" '
        f'stroke="var(--rule)"/>\n'
        f'<line x1="{_x(0):.0f}" y1="{_y(0):.0f}" x2="{_x(1):.0f}" y2="{_y(1):.0f}" '
        f'stroke="#9aa5b0" stroke-dasharray="4 4"/>\n'
        f'<polyline points="{path}" fill="none" stroke="var(--accent)"/>\n{dots}\n{ticks}\n'
        f'<text x="{_x(0.5):.0f}" y="{_SIDE + 50}" text-anchor="middle">'
        f"the judge says p(yes)</text>\n"
        f'<text transform="translate(14 {_y(0.5):.0f}) rotate(-90)" text-anchor="middle">'
        f"share that is a yes</text>\n</svg>\n"
    )


def _x(value: float) -> float:
    return _LEFT + value * _SIDE


def _y(value: float) -> float:
    return 10 + (1.0 - value) * _SIDE
