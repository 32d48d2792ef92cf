"""Answers by name: which rows are looked up, what each becomes, what is said of them."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import evaluation, gazetteer
from geodata.evaluation.joining import join
from geodata.evaluation.joining.matches import RowChecks
from geodata.evaluation.joining.named_answers import place_names
from geodata.evaluation.joining.sides import MISSING, OK, Answers

FAR = {"lat": 10.0, "lon": 20.0}


def truth(n):
    return {"id": [str(i) for i in range(n)], **{name: [v] * n for name, v in FAR.items()}}


def rows(countries, cities=None, **more):
    ids = [str(i) for i in range(len(countries))]
    return {"id": ids, "country": countries, "city": cities or [None] * len(ids), **more}


def said(joined):
    return {one.code: str(one) for one in joined.findings}


def statuses(joined):
    return joined.table(["status"])["status"].to_pylist()


def test_each_kind_of_name_is_counted_in_its_order():
    names = [
        ("France", "Paris"), ("France", "Lyon"), ("France", "Nice"), ("Peru", None),
        ("USA", "Springfield"), ("France", "Atlantis"), (None, None), ("", " "), ("none", "n/a"),
        ("Narnia", None), ("Peru", None),
    ]  # fmt: skip
    joined = join(rows(*zip(*names, strict=True)), truth(11))
    assert statuses(joined) == [
        *["ok"] * 4, "ambiguous", "invalid", "missing", "missing", "missing", "invalid", "ok"
    ]  # fmt: skip
    assert said(joined) == {
        "named_answers": "info: named_answers: 6 answers are names and stand for the places that "
        "these have: 4 by city, 2 by the middle of a country, 1 of them have a name that several "
        "places bear (rows 1, 2, 3, 4, 5, 11). "
        "Nothing to do; give coordinates for a score that depends on no gazetteer.",
        "unresolved_names": "warning: unresolved_names: 2 answers name no place that the gazetteer "
        "knows, and count as wrong: 'Atlantis, France' (1), 'Narnia' (1) (rows 6, 10). "
        "Write one city and its country; geodata geocode NAME tells what is known.",
        "empty_answers": "info: empty_answers: 3 rows hold no answer, and count as wrong "
        "(rows 7, 8, 9). Nothing to do if the model did not answer.",
    }
    lat = joined.table(["pred_lat"])["pred_lat"].to_pylist()
    place = gazetteer.geocode(country="Peru")
    assert (lat[3], lat[5:10], lat[10]) == (place.lat, [None] * 5, place.lat)


def test_a_region_is_a_name_only_beside_a_country_or_a_city():
    table = {"id": ["0", "1", "2"], "country": ["USA", None, "USA"],
             "admin1": ["Texas", "Texas", None], "city": [None, None, "Paris"]}  # fmt: skip
    joined = join(table, truth(3))
    assert statuses(joined)[:2] == ["ok", "unparsable"]
    assert "1 by the middle of a region" in said(joined)["named_answers"]
    bare = {"id": ["0"], "admin1": ["Texas"], "response": ["?"]}
    assert "named_answers" not in said(join(bare, truth(1), names=True))


@pytest.mark.parametrize(("kinds", "more"), [(5, ""), (6, " and 1 more"), (8, " and 3 more")])
def test_the_five_most_frequent_names_that_are_unknown_are_told(kinds, more):
    names = [f"Nowhere{i}" for i in range(kinds) for _ in range(kinds - i)]
    told = said(join(rows(names), truth(len(names))))["unresolved_names"]
    shown = ", ".join(f"'Nowhere{i}' ({kinds - i})" for i in range(5))
    assert f"and count as wrong: {shown}{more} (rows 1, 2," in told


def test_a_long_name_is_cut_and_blanks_around_names_are():
    names = rows(["x" * 80, " Narnia "], [" y ", ""])
    told = said(join(names, truth(2)))["unresolved_names"]
    assert "wrong: 'y, " + "x" * 56 + " (1), 'Narnia' (1) (rows" in told


def test_a_blank_is_no_part_of_a_name():
    told = said(join(rows(["Narnia", " "], [" ", "Nowhere7"]), truth(2)))["unresolved_names"]
    assert "wrong: 'Narnia' (1), 'Nowhere7' (1) (rows 1, 2)" in told


@pytest.mark.parametrize(("names", "looked"), [(None, False), (True, True), (False, False)])
def test_one_coordinate_says_that_answers_are_no_names(names, looked):
    table = rows(["Peru", "Peru", "Peru"], lat=[1.0, None, 95.0], lon=[2.0, None, 5.0])
    joined = join(table, truth(3), names=names)
    assert statuses(joined) == ["ok", "ok" if looked else "missing", "invalid"]
    row = joined.table(["pred_lat", "pred_lon"]).to_pylist()[0]
    assert row == {"pred_lat": 1.0, "pred_lon": 2.0}
    assert joined.table(["pred_country"])["pred_country"].to_pylist() == ["Peru"] * 3


@pytest.mark.parametrize("names", [None, True, False])
def test_a_coordinate_that_is_no_place_is_not_replaced(names):
    table = rows(["Peru", "Peru"], lat=[95.0, None], lon=[5.0, None])
    looked = names is not False
    assert statuses(join(table, truth(2), names=names)) == [
        "invalid", "ok" if looked else "missing"
    ]  # fmt: skip


def test_without_a_name_nothing_is_looked_up(monkeypatch):
    monkeypatch.setattr(gazetteer, "places", None)
    joined = join(rows([None, "", "unknown"]), truth(3))
    assert statuses(joined) == ["missing", "missing", "unparsable"]
    assert "unresolved_names" not in said(joined)
    assert statuses(join(rows(["Peru"]), truth(1), names=False)) == ["unparsable"]


def test_the_answers_that_are_given_are_not_changed():
    none = np.array([np.nan])
    given = Answers(none, none.copy(), np.array([MISSING], np.uint8))
    found = place_names(given, {"country": pa.array(["Peru"])}, RowChecks(rows=1), names=None)
    assert (found.status.tolist(), given.status.tolist()) == ([OK], [MISSING])
    assert np.isnan([given.lat, given.lon]).all()
    assert np.isfinite([found.lat, found.lon]).all()
    assert found.distance_km is None


def test_words_that_name_a_place_are_counted_once():
    words = ["Country: Peru\nCity: Lima", "I cannot help.", "a street", ""]
    result = evaluation.evaluate({"id": list("0123"), "response": words}, truth(4), regions=False)
    found = {one.code: one.rows for one in result.findings}
    codes = ("named_answers", "refused", "unparsable", "empty_answers")
    assert [found[code] for code in codes] == [(1,), (2,), (3,), (4,)]
    assert np.isclose(result.coverage, 0.25)
