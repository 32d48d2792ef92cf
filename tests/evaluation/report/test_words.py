"""Numbers, names and sentences of a report, each branch and each limit from both sides."""

import dataclasses
from dataclasses import replace

import pytest

from geodata import evaluation
from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.report import words
from geodata.evaluation.report.words import (
    Contents,
    Section,
    Table,
    parts,
    phrases,
    shown,
    verdicts,
)
from geodata.evaluation.scores import Group, Interval


def interval(low, high):
    return Interval(value=(low + high) / 2, low=low, high=high, confidence=0.95, method="wilson")


def rows(n=4, off=0):
    ids = [f"r{i}" for i in range(n)]
    return {"id": ids, "lat": [10.0 + i + off * (i == 0) for i in range(n)], "lon": [20.0] * n}


def result(preds=None, **options):
    return evaluation.evaluate(preds or rows(), rows(), regions=False, lint=False, **options)


# numbers


@pytest.mark.parametrize(
    ("distance", "text"),
    [(0.0, "0.000"), (0.9994, "0.999"), (1.0, "1.00"), (9.994, "9.99"), (10.0, "10.0"),
     (99.94, "99.9"), (100.0, "100"), (12_345.6, "12,346"), (None, "–")],
)  # fmt: skip
def test_a_distance_has_about_three_digits(distance, text):
    assert words.km(distance) == text


def test_numbers_by_hand():
    assert [words.percent(v) for v in (0.0, 0.123456, None)] == ["0.00", "12.35", "–"]
    assert words.percent(0.123456, 0) == "12"
    assert [words.chance(p) for p in (0.0, 0.00099, 0.001, 0.0494, 1.0)] == [
        "<0.001", "<0.001", "0.001", "0.049", "1.000"
    ]  # fmt: skip
    assert [words.threshold(t) for t in (0.001, 1.0, 2500.0, 1234.5, 12345678.25)] == [
        "0.001 km", "1 km", "2,500 km", "1,234.5 km", "12,345,678.25 km"
    ]  # fmt: skip
    assert words.between(interval(0.123, 0.456)) == "12.3–45.6"
    assert words.between(interval(12.3, 456.7), share=False) == "12.3–457"
    assert words.between(None) == words.between(None, share=False) == "–"
    assert [words.counted(n) for n in (0, 1, 2, 1000)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,000 rows",
    ]
    assert words.counted(1, "answer") == "1 answer"
    assert [words.group_name(v) for v in (None, 7, "", "x")] == ["(none)", "7", "", "x"]


@pytest.mark.parametrize(
    ("text", "told"),
    [("six", "six."), ("six.", "six."), ("six!", "six!"), ("six?", "six?"), ("six…", "six…"),
     ("six...", "six…"), ("six..", "six..")],
)  # fmt: skip
def test_a_message_ends_with_one_full_stop(text, told):
    assert words.sentence(text) == told


@pytest.mark.parametrize(
    ("numbers", "count", "told"),
    [((), 5, ""), ((3,), 1, "row 3"), ((3,), 2, "rows 3, … (2 in all)"),
     ((3, 1234), 2, "rows 3, 1,234"),
     ((3, 4), 1500, "rows 3, 4, … (1,500 in all)")],
)  # fmt: skip
def test_rows_of_a_finding(numbers, count, told):
    assert words.rows_of(Finding("x", "info", "", numbers, count, "")) == told


def test_findings_are_counted_by_what_they_are():
    found = [finding(severity, severity, "", "") for severity in ("info", "error", "error")]
    assert words.tally(found) == "2 errors, 1 note"
    assert words.tally([finding("x", "warning", "", "")] * 1001) == "1,001 warnings"
    assert words.tally([]) == "none"


# sentences


def test_names_of_files_or_of_their_parts():
    found = result()
    assert words.names(found) == ("predictions", "truth")
    named = replace(found, inputs={"truth": {"name": "t.csv"}, "predictions": {"rows": 4}})
    assert words.names(named) == ("predictions", "t.csv")
    assert words.names(replace(found, inputs={})) == ("predictions", "truth")


def test_the_rule_by_its_options():
    found = result()
    assert words.rule(found) == (
        "A row is right if distance <= threshold, on the sphere (R = 6371 km)."
    )
    assert words.rule(result(strict=True, distance="wgs84")) == (
        "A row is right if distance < threshold, on the WGS84 ellipsoid."
    )
    own = replace(found, findings=(finding("distances_only", "info", "", ""),))
    assert words.rule(own) == (
        "A row is right if the file's own distance <= threshold; nothing is measured."
    )
    own = replace(result(strict=True), findings=own.findings)
    assert words.rule(own) == (
        "A row is right if the file's own distance < threshold; nothing is measured."
    )


def test_rows_without_an_answer_by_what_they_count_as():
    preds = rows()
    preds["lat"], preds["lon"] = [None, *preds["lat"][1:]], [None, *preds["lon"][1:]]
    found, excluded = result(preds), result(preds, missing="exclude")
    assert words.denominator(found) == (
        "4 truth rows, 3 answered (coverage 75.00%); missing counts as wrong."
    )
    assert words.denominator(excluded) == (
        "4 truth rows, 3 answered (coverage 75.00%). MISSING ANSWERS ARE EXCLUDED: shares are of "
        "answered rows only."
    )
    told = "Without an answer: 0 refused, 0 unreadable, 1 missing; "
    assert words.unanswered(found) == f"{told}all of them count as wrong."
    assert words.unanswered(excluded) == f"{told}none of them is in the denominator."


def test_a_failure_is_told_with_its_first_error():
    lost = rows() | {"id": ["x", "y", "z", "w"]}
    found = result(lost)
    (told,) = words.failure(found)
    assert told.startswith("NOTHING WAS SCORED: no truth row has a valid answer. no id of predict")
    calm = tuple(one for one in found.findings if one.severity != "error")
    assert words.failure(replace(found, findings=calm)) == (
        "NOTHING WAS SCORED: no truth row has a valid answer.",
    )
    assert words.failure(result()) == ()
    nothing = replace(found, scores=replace(found.scores, rows=0, answered=0))
    assert nothing.rows == 0
    assert words.failure(nothing) == ()


def test_the_method_by_its_options():
    assert words.method(result(confidence=0.9)) == (
        "Intervals: 90%, Wilson; rows are taken to be independent."
    )
    truth = rows() | {"who": ["a", "a", "b", None]}
    found = evaluation.evaluate(rows(), truth, regions=False, cluster="who", seed=3, confidence=0.8)
    clusters = len(found.scores.codes["who"].values)
    assert words.method(found) == (
        f"Intervals: 80%, bootstrap over {clusters} clusters of 'who' (seed 3)."
    )
    unknown = replace(found, scores=replace(found.scores, codes={}))
    assert words.method(unknown) == "Intervals: 80%, bootstrap over clusters of 'who' (seed 3)."
    assert words.interval_name(found) == "80% interval"


# what is shown


@pytest.mark.parametrize(
    ("thresholds", "main"),
    [((1.0, 25.0, 200.0, 750.0), 200.0), ((0.0, 3.9e10), 3.9e10), ((0.0, 4.1e10), 0.0),
     ((100.0, 500.0), 100.0),
     ((100.0, 390.0), 390.0), ((40.0, 1000.0), 40.0), ((0.0,), 0.0), ((1e-7, 1e-6), 1e-7)],
)  # fmt: skip
def test_the_threshold_of_maps_is_nearest_to_200_km_in_ratio(thresholds, main):
    assert words.main_threshold(thresholds) == main


@pytest.mark.parametrize(
    ("many", "most", "picked"),
    [(1, 5, [0]), (5, 5, [0, 1, 2, 3, 4]), (6, 5, [0, 2, 3, 4, 5]), (9, 5, [0, 2, 4, 6, 8]),
     (10, 5, [0, 3, 5, 7, 9]), (4, 3, [0, 2, 3]), (4, 2, [0, 3]), (3, 3, [0, 1, 2])],
)  # fmt: skip
def test_few_thresholds_are_chosen_evenly_with_both_ends(many, most, picked):
    thresholds = [float(10 * i) for i in range(many)]
    assert words.shown_thresholds(thresholds, most) == tuple(10.0 * i for i in picked)
    if most == 5:
        assert words.shown_thresholds(thresholds) == tuple(10.0 * i for i in picked)


def group(value, right, count=50):
    fields = {f.name: None for f in dataclasses.fields(Group)}
    return Group(**fields | {"value": value, "rows": count, "accuracy": {25.0: right}})


def names(groups):
    return [one.value for one in groups]


def test_the_worst_groups_have_ten_rows_and_a_name():
    few, enough = group("few", 0.0, 9), group("enough", 0.9, 10)
    assert names(words.worst_groups([few, enough, group(None, 0.0)], 25.0)) == ["enough"]
    assert names(words.worst_groups([few, group(None, 0.0)], 25.0)) == ["few"]
    assert shown.FEW_ROWS == words.FEW_ROWS == 10


def test_the_worst_groups_go_by_share_then_rows_then_name():
    groups = [
        group("b", 0.5),
        group("d", 0.5, 99),
        group("a", 0.5),
        group("c", None),
        group("e", 0.1),
    ]
    assert names(words.worst_groups(groups, 25.0)) == ["c", "e", "d", "a", "b"]
    many = [group(f"{i:02d}", 0.0) for i in range(20)]
    assert names(words.worst_groups(many, 25.0)) == [f"{i:02d}" for i in range(12)]
    assert names(words.worst_groups(many, 25.0, most=3)) == ["00", "01", "02"]


def test_break_downs_are_those_that_are_asked_for_and_there_once():
    truth = rows() | {"a": list("xxyy"), "b": list("uvuv"), "c": list("klkl")}
    found = evaluation.evaluate(rows(), truth, by=("b", "a"), cluster="c", regions=False)
    assert words.broken_down_by(found) == ["b", "a"]
    assert words.broken_down_by(found, ()) == []
    assert words.broken_down_by(found, ("a", "z", "c", "a")) == ["a", "c"]


def test_countries_are_called_by_the_first_of_their_names():
    known = words.country_names()
    assert (known["FR"], known["JP"]) == ("France", "Japan")
    from geodata import boundaries

    table = boundaries.load().countries
    first = {}
    for code, name in zip(table["code"].to_pylist(), table["name"].to_pylist(), strict=True):
        first.setdefault(code, name)
    assert known == first


# parts


def test_a_table_has_text_and_then_numbers():
    assert Table(("a", "b", "c"), []).align == "lrr"
    assert Table(("a",), []).align == "l"
    assert Table(("a", "b"), [], align="ll").align == "ll"
    assert (parts.Table(("a",), []).bar, Table(("a",), []).aside) == (None, None)
    assert Section("n", "t") == Section("n", "t", "", (), ())
    assert Contents("t", (), ()).warned is False


# verdicts


def test_the_verdict_of_a_score():
    found = result(rows(off=20))
    told = verdicts.of_result(found)
    assert told == (
        "75.0% of 4 truth rows are within 200 km (30.1–95.4%), and half of the answers within "
        "0.000 km."
    )
    noted = replace(found, findings=(finding("x", "info", "", ""), finding("y", "warning", "", "")))
    assert verdicts.of_result(noted) == told.replace(" km.", " km; 1 warning below.")
    excluded = result(missing="exclude")
    assert verdicts.of_result(excluded).startswith("100.0% of 4 answered rows are within 200 km (")
    assert verdicts.of_result(result(rows() | {"id": list("wxyz")})) == ""
    assert verdicts.of_result(replace(found, scores=replace(found.scores, rows=0))) == ""


@pytest.mark.parametrize(
    ("low", "value", "high", "start"),
    [
        (-0.1, 0.05, 0.2, "No difference is shown within 200 km: A - B is +5.0 (-10.0 to +20.0"),
        (0.0, 0.1, 0.2, "No difference is shown within 200 km: A - B is +10.0 (+0.0 to +20.0"),
        (-0.2, -0.1, 0.0, "No difference is shown within 200 km: A - B is -10.0 (-20.0 to +0.0"),
        (0.01, 0.1, 0.2, "A is better than B within 200 km: A - B is +10.0 (+1.0 to +20.0"),
        (-0.2, -0.1, -0.01, "B is better than A within 200 km: A - B is -10.0 (-20.0 to -1.0"),
    ],
)
def test_the_verdict_of_a_pair(low, value, high, start):
    found = evaluation.compare(rows(), rows(off=20), rows(), regions=False)
    gap = replace(interval(low, high), value=value)
    pairs = tuple(
        replace(one, difference=gap, p_value=0.0123 if one.threshold_km == 200 else 1.0)
        for one in found.paired
    )
    told = verdicts.of_pair(replace(found, paired=pairs))
    assert told.startswith(start)
    assert told.endswith(" points, p 0.012).")
    none = tuple(replace(one, rows=0) for one in pairs)
    assert verdicts.of_pair(replace(found, paired=none)).startswith("No difference is shown")


def test_the_verdict_of_many():
    off = {"near": rows(), "far": rows(off=20)}
    found = evaluation.table(off, rows())
    assert verdicts.of_many(found) == (
        "near is best within 200 km (100.0% on the rows that are compared); not told from it: far."
    )
    sure = replace(found, tests=tuple(replace(one, p_holm=0.01) for one in found.tests))
    assert verdicts.of_many(sure) == (
        "near is best within 200 km (100.0% on the rows that are compared), and told from all "
        "others."
    )
    level = evaluation.table({"b": rows(), "a": rows(), "c": rows(off=20)}, rows())
    assert verdicts.of_many(level) == (
        "a and b are best within 200 km (100.0% on the rows that are compared)."
    )
    assert verdicts.of_many(evaluation.table({"a": rows()}, rows())) == ""
    short = {name: values[1:] for name, values in rows(off=20).items()}
    some = evaluation.table({"near": rows(), "short": short}, rows())
    assert verdicts.of_many(some).startswith("near and short are best within 200 km (100.0% on")
    lost = rows() | {"id": list("wxyz")}
    assert (
        verdicts.of_many(evaluation.table({"a": lost, "b": lost}, rows(), missing="exclude")) == ""
    )
    assert phrases.NONE == "–"
