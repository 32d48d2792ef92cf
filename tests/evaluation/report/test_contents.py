"""What a report leaves out and when: limits of its tables, and what stands out in them."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation import report
from geodata.evaluation.findings import finding
from geodata.evaluation.report import contents
from geodata.evaluation.report.contents import of_scores, of_tables, of_worst
from geodata.evaluation.report.formats import html
from geodata.evaluation.scores.regions.accuracy import RegionAccuracy

from .cases import printed


def rows(n=6, off=0.0):
    return {"id": [f"r{i}" for i in range(n)], "lat": [10.0 + i % 50 + off for i in range(n)],
            "lon": [20.0] * n}  # fmt: skip


def result(preds=None, truth=None, **options):
    return evaluation.evaluate(
        preds or rows(), truth or rows(), **{"regions": False, "lint": False} | options
    )


def section(found, name):
    (one,) = [s for s in contents.of_evaluation(found).sections if s.name == name]
    return one


def names(found):
    return [one.name for one in contents.of_evaluation(found).sections]


# a score


def test_sections_without_a_table_are_left_out_and_findings_never():
    assert names(result()) == ["accuracy", "errors", "worst", "findings", "made"]
    truth = rows() | {"who": list("aabbcc"), "country": ["FR"] * 3 + ["DE"] * 3}
    assert names(result(truth=truth, by=("who",))) == [
        "accuracy", "errors", "by", "worst", "findings", "made"
    ]  # fmt: skip
    for asked in ({"by": ("country",)}, {"cluster": "country"}):
        assert "countries" in names(result(truth=truth, **asked))
    assert "countries" not in names(result(truth=truth, by=("who",), cluster="who"))
    assert names(result(regions=True))[2] == "regions"


@pytest.mark.parametrize(
    ("write", "most"), [(report.to_markdown, 10), (report.to_html, 15), (None, 10)]
)
@pytest.mark.parametrize("more", [0, 1])
def test_of_many_groups_the_largest_are_shown(write, most, more):
    n = most + more
    truth = rows(n + 1) | {"who": [f"w{i:02d}" for i in range(n)] + ["w00"]}
    found = result(rows(n + 1), truth, by=("who",))
    text = write(found) if write else printed(report.print_evaluation, found)
    text = text.replace("\\", "")
    assert (f"(the {most} largest of {n:,})" in text) == bool(more)
    last = max(f"w{i:02d}" for i in range(n))
    assert (last in text) == (not more)


def test_break_downs_that_are_asked_for_when_it_is_written(tmp_path):
    truth = rows() | {"a": list("xxyyzz"), "b": list("uvuvuv")}
    found = result(truth=truth, by=("a", "b"))
    path = tmp_path / "a.md"
    report.write_markdown(found, path, by=("b",))
    for text in (report.to_markdown(found, by=("b",)), path.read_text()):
        assert re.findall(r"### By (\w+)", text) == ["b"]
    assert re.findall(r"### By (\w+)", report.to_markdown(found)) == ["a", "b"]
    shown = printed(lambda one, console: report.print_evaluation(one, console, by=("a",)), found)
    assert re.findall(r"By (\w+), %", shown) == ["a"]


def test_facts_that_are_not_known_are_a_dash():
    lost = result(rows() | {"id": list("uvwxyz")})
    found = contents.of_evaluation(lost)
    assert [line[:2] for line in found.facts.lines] == [
        ("Within 200 km", "0.00%"), ("Median error", "– km"), ("GeoScore", "0"),
        ("Coverage", "0.00%"),
    ]  # fmt: skip
    excluded = contents.of_evaluation(result(rows() | {"id": list("uvwxyz")}, missing="exclude"))
    assert [line[1] for line in excluded.facts.lines] == ["–%", "– km", "–", "0.00%"]
    assert (found.warned, found.verdict) == (True, "")
    assert contents.of_evaluation(result()).warned is False
    assert contents.of_evaluation(result(missing="exclude")).warned is True
    counts = {"country": RegionAccuracy("country", 6, 5, 4, 3)}
    known = contents.of_evaluation(replace(result(), regions=counts)).facts.lines[-1]
    assert known == ("Country", "60.00%", "of 5 rows")
    assert "Country" not in [line[0] for line in found.facts.lines]


def test_rows_are_explained_where_some_are_named():
    one = finding("x", "info", "six", "Look.", rows=[0])
    told = of_scores.of_findings([one, finding("y", "error", "seven...", "Mend.")])
    assert told.title == "Findings: 1 error, 1 note"
    assert told.about == "Rows are counted from 1, without the header."
    assert [(r.code, r.message, r.rows, r.remedy) for r in told.remarks] == [
        ("y", "seven…", "", "Mend."), ("x", "six.", "row 1", "Look.")
    ]  # fmt: skip
    assert of_scores.of_findings([finding("y", "error", "seven", "Mend.")]).about == ""


def test_published_rows_that_were_not_checked_are_marked():
    found = result(benchmark="im2gps3k")
    _, table = section(found, "accuracy").tables
    assert table.notes[1:] == ["* not checked against the paper's own table."]
    assert (table.strong, table.lines[0][0]) == ({0}, "predictions")
    checked = tuple(replace(row, checked=True) for row in found.published)
    _, table = section(replace(found, published=checked), "accuracy").tables
    assert len(table.notes) == 1
    kinds = {row.category for row in checked}
    few = tuple(row for row in checked if row.category == "web-search")
    _, table = section(replace(found, published=few), "accuracy").tables
    heads = [line[0] for line in table.lines if len(line) == 1]
    assert heads == ["With live web search"] * ("web-search" in kinds)


def test_inputs_are_told_by_hash_or_rows():
    found = replace(result(), inputs={"a": {"name": "x.csv", "sha256": "ab", "rows": 7},
                                      "b": {"rows": 1}, "c": {}})  # fmt: skip
    table = section(found, "made").tables[0]
    assert table.lines[:3] == [("a", "x.csv · ab"), ("b", " · 1 row"), ("c", " · 0 rows")]
    assert dict(table.lines)["broken down by"] == "–"
    truth = rows() | {"p": list("aabbcc"), "q": list("abcabc")}
    table = section(result(truth=truth, by=("q", "p")), "made").tables[0]
    assert dict(table.lines)["broken down by"] == "q, p"
    assert dict(table.lines)["resamples"] == "10,000, seed 0"


def test_bars_stand_in_the_column_of_the_main_threshold():
    truth = rows(12) | {"country": ["FR"] * 12}
    found = result(rows(12), truth, by=("country",), thresholds_km=(1, 25, 200, 2500))
    (table,) = section(found, "countries").tables
    assert (table.head[table.bar], table.lines[0][0]) == ("200 km", "France")
    many = tuple(float(t) for t in (1, 10, 50, 190, 230, 500, 600, 700, 800))
    found = result(rows(12), truth, by=("country",), thresholds_km=many)
    (table,) = section(found, "countries").tables
    assert (table.bar, table.title) == (None, "Lowest accuracy within 190 km")


# the worst rows


def test_places_that_are_not_known_have_no_link():
    found = result()
    row = found.worst[0]
    told = of_worst.of_worst(
        replace(found, worst=(replace(row, pred_lat=math.nan, pred_lon=math.nan),))
    )
    (table,) = told.tables
    assert list(table.links) == [(0, 2)]
    assert table.lines[0][4:] == ("–", "–")
    at = f"{row.lat:.5f}"
    assert table.links[0, 2] == (
        f"https://www.openstreetmap.org/?mlat={at}&mlon=20.00000#map=9/{at}/20.00000"
    )
    assert of_worst.of_worst(replace(found, worst=())).tables == []


@pytest.mark.parametrize("named", ["regions", "by", None])
@pytest.mark.parametrize("said", [True, False])
def test_worst_rows_are_named_where_the_truth_is_labelled(named, said):
    rows_ = {"id": ["a", "b"], "lat": [48.86, 35.01], "lon": [2.35, 135.77]}
    found = evaluation.evaluate(
        rows_, rows_ | {"country": ["x", "y"]}, regions=named == "regions",
        by=("country",) if named == "by" else (), lint=False,
    )  # fmt: skip
    worst = [
        replace(row, words="Paris!" if said and i else None) for i, row in enumerate(found.worst)
    ]
    worst[1] = replace(worst[1], pred_lat=0.0, pred_lon=-140.0)
    told = of_worst.of_worst(replace(found, worst=tuple(worst))).tables[1:]
    heads = ["is in", "answered"] * bool(named) + ["in the model's words"] * said
    if not heads:
        assert told == []
        return
    (table,) = told
    assert table.head == ("id", *heads)
    assert table.align == "l" * len(table.head)
    cells = dict(zip(table.head, zip(*table.lines, strict=True), strict=True))
    if said:
        assert cells["in the model's words"] == ("–", "Paris!")
    if named:
        places = {"a": "Paris, France", "b": "Kyoto, Japan"}
        assert cells["is in"] == tuple(places[name] for name in cells["id"])
        assert cells["answered"][1] == "–"


# models and pairs


@pytest.mark.parametrize(("models", "listed"), [(1, 0), (2, 1), (8, 28), (9, 0)])
def test_up_to_28_pairs_are_listed(models, listed):
    found = evaluation.table(
        {f"m{i}": rows(off=i / 10) for i in range(models)}, rows(), resamples=100
    )
    sections = of_tables.of_models(found).sections
    pairs = [table for one in sections if one.name == "pairs" for table in one.tables]
    assert sum(len(table.lines) for table in pairs) == listed
    notes = sections[0].tables[0].notes
    tested = models * (models - 1) // 2
    word = "pair" if tested == 1 else "pairs"
    assert any(f"Holm over {tested} {word}." in note for note in notes) == (models > 1)


def test_tables_of_models_by_who_answered():
    some = rows(4)
    same = evaluation.table({"a": rows(), "b": rows(off=5)}, rows(), resamples=100)
    assert [t.title for t in of_tables._tables(same)] == [""]
    for missing, title in (
        ("wrong", "Of all truth rows, a missing answer wrong"),
        ("exclude", "Of the rows that each model answered: not to be compared"),
    ):
        found = evaluation.table({"a": rows(), "b": some}, rows(), missing=missing, resamples=100)
        tables = of_tables._tables(found)
        assert [t.title for t in tables] == [title, "On the 4 rows that all answered"]
        assert ["±" in t.lines[0][1] for t in tables] == [True, False]
        assert [any("†" in note for note in t.notes) for t in tables] == [False, True]
    apart = {name: values[4:] for name, values in rows().items()}
    found = evaluation.table({"a": some, "b": apart}, rows(), resamples=100)
    assert len(of_tables._tables(found)) == 1
    assert of_tables.of_models(found).warned


def test_what_all_files_say_is_said_once_and_else_with_names():
    found = evaluation.table({"a": rows(), "b": rows(), "c": rows()}, rows(), resamples=100)
    all_, two = (finding(code, "info", code, "") for code in ("all", "two"))
    given = {"a": (all_, two), "b": (all_,), "c": (two, all_)}
    results = {n: replace(r, findings=given[n]) for n, r in found.results.items()}
    told = of_tables._labelled(replace(found, results=results))
    assert [one.message for one in told] == ["all", "a, c: two"]


def test_a_difference_stands_out_where_its_interval_leaves_out_zero():
    found = evaluation.compare(rows(), rows(off=1), rows(), regions=False)
    ends = [(0.1, 0.3), (0.0, 0.3), (-0.3, -0.1), (-0.3, 0.0), (-0.1, 0.1)]
    paired = tuple(
        replace(one, difference=replace(one.difference, low=low, high=high))
        for one, (low, high) in zip(found.paired, ends, strict=True)
    )
    (one, _) = contents.of_comparison(replace(found, paired=paired, on_all=())).sections
    assert one.tables[0].strong == {0, 2}
    assert len(one.tables) == 1
    both = contents.of_comparison(replace(found, only_b_answered=1)).about
    assert both[0].startswith("THE FILES ANSWERED DIFFERENT ROWS: 0 only A, 1 only B.")
    assert not contents.of_comparison(found).warned


# pages


@pytest.mark.parametrize(("columns", "cards"), [(4, False), (5, True), (13, True), (20, True)])
def test_tables_that_do_not_fit_a_phone_become_cards(columns, cards):
    head = tuple(f"h{i}" for i in range(columns))
    table = report.words.Table(head, [head])
    found = html._table(table)
    assert ('class="cards"' in found) == cards
    known = re.findall(r"--c(\d+):&#x27;(\w+)&#x27;|--c(\d+):'(\w+)'", found)
    told = [(a or c, b or d) for a, b, c, d in known]
    assert told == [(str(i + 1), f"h{i}") for i in range(1, min(columns, 12))] * cards


def test_a_map_stands_behind_the_errors_where_there_is_one():
    neutral = contents.of_evaluation(result())
    for drawn, there in (({"map": "<svg/>"}, True), ({"map": ""}, False), ({}, False)):
        text = html.page(neutral, drawn)
        order = re.findall(r'<section id="(\w+)">', text)
        assert order == ["accuracy", "errors", *["map"] * there, "worst", "findings", "made"]
    assert np.unique(order).size == len(order)
