"""Limits of a score as a whole: how many rows are looked at, what few common rows say, its JSON."""

import json

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation.report.pictures import figures
from geodata.evaluation.scores import Group
from geodata.evaluation.tabling import FEW_COMMON


@pytest.mark.parametrize(("row", "told"), [(19_999, True), (20_000, False)])
def test_words_of_the_first_twenty_thousand_answers_are_read(row, told):
    n = 20_001
    lat, lon = np.linspace(-60, 60, n), np.linspace(-170, 170, n)
    text = [None] * n
    text[row] = "(12.3, 45.6)"
    rows = {"id": list(range(n)), "lat": lat, "lon": lon}
    found = evaluation.evaluate(rows | {"raw_text": text}, rows, regions=False).findings
    assert ("not_in_text" in {one.code for one in found}) == told


def models(common, least):
    truth = {"id": list(range(20)), "lat": [float(i) for i in range(20)], "lon": [1.0] * 20}
    some = {name: values[:common] for name, values in truth.items()}
    given = {"a": truth, "b": some, "c": truth} if least == "b" else {"z": some, "a": truth}
    return evaluation.table(given, truth, (25,))


@pytest.mark.parametrize(("common", "told"), [(9, 1), (10, 0)])
@pytest.mark.parametrize("least", ["b", "z"])
def test_few_common_rows_are_told_with_the_model_that_answered_least(common, told, least):
    assert FEW_COMMON == 0.5
    assert [
        str(one) for one in models(common, least).findings if one.code == "few_common_rows"
    ] == [
        f"warning: few_common_rows: only {common} of 20 truth rows are answered by all models; "
        f"{least} answered {common}. Leave that model out, or read the table of all truth rows."
    ] * told


def test_a_model_is_needed():
    with pytest.raises(ValueError, match=r"a table needs at least one model; give \{name: pred"):
        evaluation.table({}, {"id": ["a"], "lat": [1.0], "lon": [1.0]})


@pytest.mark.parametrize("kind", ["evaluate", "compare", "table"])
def test_json_is_indented_and_keeps_letters_as_they_are(kind):
    rows = {"id": ["é", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0], "who": ["ä", "ö"]}
    if kind == "evaluate":
        found = evaluation.evaluate(rows, rows, regions=False, by=("who",))
    elif kind == "compare":
        found = evaluation.compare(rows | {"id": ["é", "c"]}, rows, rows)
    else:
        found = evaluation.table({"é": rows}, rows)
    text = found.to_json()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert "é" in text or kind == "evaluate"


def group(value):
    return Group(value=value, **{f: None for f in Group.__dataclass_fields__ if f != "value"})


def test_groups_are_countries_by_code_or_by_any_case_of_their_name():
    named = {"FR": "France", "DE": "Germany", "JP": "Japan"}
    groups = [group(v) for v in ("fr", "FRANCE", "FR", "germany", "JP", "Atlantis", None)]
    found = figures._by_code(groups, named)
    assert {code: one.value for code, one in found.items()} == {
        "FR": "FRANCE", "DE": "germany", "JP": "JP"
    }  # fmt: skip
