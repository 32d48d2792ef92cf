"""A page, Markdown and a terminal show the same tables, and each number is the result's own."""

import functools
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from geodata import cor, evaluation
from geodata.evaluation import report
from geodata.evaluation.report import contents
from geodata.evaluation.report.formats import html, markdown, terminal
from geodata.evaluation.report.words import Contents, Remark, Section, Table

from .cases import printed, tables
from .reading import filled, html_tables, markdown_tables, terminal_tables

NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?")


@functools.cache
def everything() -> evaluation.Evaluation:
    """A result with every section: names that were answered, regions, published rows."""
    truth, preds = tables(np.random.default_rng(5))
    labels = cor.label_table(preds["lat"].fill_null(0.0), preds["lon"].fill_null(0.0))
    for level in ("country", "city"):
        preds = preds.append_column(level, labels[level])
    return evaluation.evaluate(
        preds, truth, by=("country", "continent", "author"), benchmark="im2gps3k", regions=True
    )


def _shown(found: evaluation.Evaluation) -> dict[str, list[list[list[str]]]]:
    neutral = contents.of_evaluation(found)
    text = io.StringIO()
    terminal.print_contents(neutral, Console(file=text, width=240))
    return {
        "html": html_tables(html.page(neutral, {})),
        "markdown": markdown_tables(markdown.text_of(neutral)),
        "terminal": terminal_tables(text.getvalue()),
    }


def test_all_forms_show_the_same_tables():
    found = everything()
    neutral = contents.of_evaluation(found)
    tables = [neutral.facts, *(table for section in neutral.sections for table in section.tables)]
    expected = filled([[list(table.head), *map(list, table.lines)] for table in tables])
    assert len(expected) == 13
    for form, shown in _shown(found).items():
        assert filled(shown) == expected, form


def test_bars_are_drawn_of_the_column_that_the_title_names():
    sections = contents.of_evaluation(everything()).sections
    barred = [t for one in sections for t in one.tables if t.bar is not None]
    heads = [(table.head[table.bar], table.title) for table in barred]
    assert heads == [("right %", ""), ("200 km", "Lowest accuracy within 200 km")]


@pytest.mark.parametrize("form", ["html", "markdown", "terminal"])
def test_every_number_is_the_field_it_shows(form):
    """The tables of each form are read back and compared with the result itself."""
    found = everything()
    scores, thresholds = found.scores, found.scores.scoring.thresholds_km
    facts, accuracy, published, errors, lowest, regions, named, *groups, worst, names, made = (
        filled(_shown(found)[form])
    )
    within = found.intervals[200.0]
    assert [_numbers(line) for line in facts] == [
        [200, _hundredths(found.accuracy[200.0]), _tenths(within.low), _tenths(within.high), 95],
        [*map(_km, (found.median_km, found.median_interval.low, found.median_interval.high))],
        [round(found.geoscore), 5000],
        [_hundredths(found.coverage), scores.answered, found.rows],
        [_hundredths(found.regions["country"].accuracy), found.regions["country"].labelled],
    ]
    assert [_numbers(line) for line in accuracy[1:]] == [
        [t, _hundredths(share), _tenths(found.intervals[t].low), _tenths(found.intervals[t].high),
         scores.correct[t], scores.denominator]
        for t, share in found.accuracy.items()
    ]  # fmt: skip
    assert _numbers(published[1][1:]) == [_hundredths(v) for v in found.accuracy.values()]
    lines = {line[0]: _numbers(line[1:]) for line in published[2:] if len(line) > 1}
    assert lines == {
        row.label: [_hundredths(row.accuracy[t]) for t in thresholds] for row in found.published
    }
    assert _numbers(errors[0]) == [100 * q for q in scores.quantiles_km]
    assert _numbers(errors[1]) == [*map(_km, (*scores.quantiles_km.values(), found.mean_km))]
    for table, levels in ((regions, found.regions), (named, found.named_regions)):
        assert [_numbers(line[1:]) for line in table[1:]] == [
            [_hundredths(one.accuracy), one.correct, one.labelled, _hundredths(one.coverage)]
            for one in levels.values()
        ]
    for table, name in zip(groups, found.options.by, strict=True):
        assert table[0][0] == name
        assert [(line[0], _numbers(line[1:])) for line in table[1:]] == [
            (str(group.value or "(none)"), _group(group))
            for group in scores.by[name][: contents.TOP_GROUPS]
        ]
    ranked = [_numbers(line[1:]) for line in lowest[1:]]
    assert [line[3] for line in ranked] == sorted(line[3] for line in ranked)
    assert all(line in [_group(g) for g in scores.by["country"]] for line in ranked)
    assert [(line[0], _numbers(line[1:])) for line in worst[1:]] == [
        (row.id, [_km(row.distance_km),
                  *(round(v, 5) for v in (row.lat, row.lon, row.pred_lat, row.pred_lon))])
        for row in found.worst
    ]  # fmt: skip
    assert [line[0] for line in names[1:]] == [row.id for row in found.worst]
    told = dict(made)
    for role, known in found.inputs.items():
        assert told[role].startswith(f"{known['name']} · ")
    assert told["boundaries"].endswith(found.inputs["boundaries"]["sha256"])
    assert told["resamples"] == f"{found.options.resamples:,}, seed {found.options.seed}"


def _numbers(cells: list[str]) -> list[float]:
    return [float(n.replace(",", "")) for cell in cells for n in NUMBER.findall(cell)]


def _hundredths(share: float) -> float:
    return float(f"{100 * share:.2f}")


def _tenths(share: float) -> float:
    return float(f"{100 * share:.1f}")


def _km(distance: float) -> float:
    return float(f"{distance:.{sum(distance < limit for limit in (1, 10, 100))}f}")


def _group(group) -> list[float]:
    shares = [_tenths(share) for share in group.accuracy.values()]
    return [group.rows, *shares, _km(group.median_km)]


def test_a_page_begins_with_what_a_browser_asks_for_and_may_load_nothing():
    """Its letters, its language, its width, no icon from anywhere, and the style in the page."""
    found = Contents("Mine <b> & theirs", ("One.", "Two."), ())
    head, _, rest = html.page(found, {}).partition("<style>\n")
    assert head.splitlines() == [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">",
        '<link rel="icon" href="data:,">',
        "<title>Mine &lt;b&gt; &amp; theirs</title>",
    ]
    style, _, body = rest.partition("</style>\n")
    assert style == (Path(report.__file__).parent / "report.css").read_text("utf-8")
    assert "<h1>Mine &lt;b&gt; &amp; theirs</h1>" in body
    assert "<p>One.</p>\n<p>Two.</p>" in body
    assert '<p class="warn">One.</p>' in html.page(replace(found, warned=True), {})


def test_words_of_a_section_are_no_markup():
    """A column is called as its file calls it, also where it says what a confidence is."""
    about = Section("a", "More <b> & less", "By <i>sure</i> & so on.")
    page = html.page(Contents("T", ("One.",), (about,)), {})
    assert (
        '<section id="a">\n<h2>More &lt;b&gt; &amp; less</h2>\n'
        "<p>By &lt;i&gt;sure&lt;/i&gt; &amp; so on.</p>\n</section>"
    ) in page
    verdict = html.page(Contents("T", ("One.",), (), verdict="a <b> c"), {})
    assert '<p class="verdict"><strong>a &lt;b&gt; c</strong></p>' in verdict
    starred = Section("a", "More *s* | less", "By _sure_ [x](y).")
    whole = Contents("T _1_", ("One *x*.",), (starred,), verdict="b_*_")
    blocks = markdown.text_of(whole).split("\n\n")
    assert blocks[:3] == [r"# T \_1\_", r"**b\_\*\_**", r"One \*x\*."]
    assert blocks[3:] == [r"## More \*s\* \| less", r"By \_sure\_ \[x\](y)." + "\n"]


def marked(form):
    """Return a report of which each text is a number between marks, and how many there are."""
    count = itertools.count()

    def texts(n):
        return tuple(form.format(next(count)) for _ in range(n))

    def table(columns):
        lines = [texts(columns), texts(1), texts(columns), texts(columns)]
        return Table(texts(columns), lines, *texts(1), strong={2}, bold={(3, 1)}, notes=texts(2))

    remark = Remark("error", "code", *texts(3))
    section = Section("a", *texts(2), [table(2), table(6)], [remark])
    facts = Table(("", "", ""), [texts(3), texts(3)])
    found = Contents(*texts(1), texts(3), (section,), facts, verdict=texts(1)[0])
    return found, next(count)


def test_no_text_of_a_report_is_markup():
    """Names of models, columns, ids and files come from outside, and so does what quotes them."""
    found, count = marked("<i>{}</i>&")
    for text in (html.page(found, {}), html.fragment(found)):
        assert "<i>" not in text
        assert "</i>" not in text
        shown = {int(n) for n in re.findall("&lt;i&gt;([0-9]+)&lt;/i&gt;&amp;", text)}
        assert shown == set(range(count))
    found, count = marked("*{}*_x_|")
    text = markdown.text_of(found)
    assert not re.search(r"(?<!\\)[*_][0-9x]", text)
    assert {int(n) for n in re.findall(r"\\\*([0-9]+)\\\*\\_x\\_\\\|", text)} == set(range(count))


def test_a_notebook_has_a_style_of_its_own():
    """Each result is a part of a page there: no head, no style, no picture, and its own title."""
    truth, preds = tables(np.random.default_rng(3))
    asked = {"regions": False, "resamples": 50}
    for found, title in (
        (evaluation.evaluate(preds, truth, **asked), "predictions scored against truth"),
        (evaluation.compare(preds, preds, truth, **asked), "truth rows that both answered"),
        (evaluation.table({"one": preds}, truth, **asked), "1 models scored against truth"),
    ):
        shown = found._repr_html_()
        assert title in re.match("<h3>(.*)</h3>", shown)[1]
        assert "<table" in shown
        assert not re.search("<(?:!doctype|html|head|style|main|figure|svg|script)", shown)
        assert found.to_html().startswith("<!doctype html>")


def test_a_wide_table_goes_on_below_and_loses_no_column():
    truth, preds = tables(np.random.default_rng(2))
    thresholds = tuple(10.0 * n for n in range(1, 31))
    found = evaluation.evaluate(preds, truth, thresholds, regions=False, benchmark="im2gps3k")
    text = printed(terminal.print_evaluation, found)
    assert max(map(len, text.splitlines())) <= 80
    heads = " ".join(line for line in text.splitlines() if "% of rows within" in line)
    assert re.findall(r"(\d+) km", heads) == [f"{t:g}" for t in thresholds]
