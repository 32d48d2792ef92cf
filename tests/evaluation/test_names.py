"""Answers that are names: which place they stand for, and that none is ever invented."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import evaluation, gazetteer, sphere
from geodata.cli import app
from geodata.evaluation.joining import join

TRUTH = {
    "id": ["a", "b", "c", "d", "e", "f"],
    "lat": [35.01, 48.86, 40.71, 9.05, -33.9, 34.05],
    "lon": [135.77, 2.35, -74.0, 7.49, 151.2, -118.24],
    "country": ["Japan", "France", "United States", "Nigeria", "Australia", "United States"],
    "city": ["Kyoto", "Paris", "New York", "Abuja", "Sydney", "Los Angeles"],
}
NAMED = {
    "id": ["a", "b", "c", "d", "e", "f"],
    "country": ["Japan", "France", "USA", "Niger", "Australia", None],
    "city": ["Kyoto", "unknown", "NYC", "Abuja", "Atlantis", "None"],
}


def as_texts(named):
    thought = "<think>country: Chad city: Lima</think>"
    texts = [
        f"{thought}<answer>country: [{country}]\ncity: [{city}]</answer>"
        for country, city in zip(named["country"], named["city"], strict=True)
    ]
    return {"id": named["id"], "response": texts}


def codes(result):
    return {one.code: one for one in result.findings}


@pytest.mark.parametrize("form", [lambda rows: rows, as_texts], ids=["columns", "texts"])
def test_names_are_scored_as_the_places_that_they_stand_for(form):
    result = evaluation.evaluate(form(NAMED), TRUTH)
    # Kyoto and New York are near; France alone is its middle; the rest is wrong.
    assert result.rows == 6
    assert [result.accuracy[t] for t in (25, 200, 2500)] == [2 / 6, 3 / 6, 3 / 6]
    assert result.coverage == 0.5
    assert (result.named_regions["country"].correct, result.named_regions["city"].correct) == (4, 2)
    found = codes(result)
    assert found["unresolved_names"].count == 2
    assert found["unresolved_names"].rows == (4, 5)
    assert "'Abuja, Niger' (1)" in found["unresolved_names"].message
    assert "2 by city, 1 by the middle of a country" in found["named_answers"].message
    # What names a place is not called a text without one.
    assert all(one.rows == (6,) for code, one in found.items() if code == "unparsable")


def test_the_string_rule_of_the_release_stands_beside():
    result = evaluation.evaluate(NAMED, TRUTH)
    # "Niger" is taken for Nigeria, and "USA" is not the United States.
    assert result.string_regions["country"].correct == 4
    assert result.string_regions["city"].correct == 2
    bare = {name: TRUTH[name] for name in ("id", "lat", "lon")}
    assert evaluation.evaluate(NAMED, bare).string_regions == {}
    assert evaluation.evaluate(bare, TRUTH).string_regions == {}


def test_the_string_rule_by_hand():
    truth = TRUTH | {"country": ["Nigeria", "Mali", "", None, "Peru", "Chad"], "city": ["X"] * 6}
    named = NAMED | {
        "country": ["Niger", "Somali", "Mali", "Mali", "PERU", None],
        "city": ["x"] * 6,
    }
    found = evaluation.evaluate(named, truth).string_regions
    assert (found["country"].labelled, found["country"].answered) == (4, 3)
    assert (found["country"].correct, found["city"].correct) == (2, 2)


def test_coordinates_are_never_replaced_by_names():
    points = NAMED | {"lat": [0.0, None, None, None, None, None], "lon": [0.0] + [None] * 5}
    plain = evaluation.evaluate(points, TRUTH)
    assert plain.scores.answered == 1
    asked = evaluation.evaluate(points, TRUTH, names=True)
    assert asked.scores.answered == 3
    assert asked.accuracy[25] == 1 / 6
    assert evaluation.evaluate(NAMED, TRUTH, names=False).scores.answered == 0
    assert asked.options.names is True
    assert plain.options.names is None


def test_a_text_with_a_coordinate_keeps_names_out_unless_asked():
    texts = as_texts(NAMED)
    texts["response"][5] = "(34.05, -118.24)"
    assert evaluation.evaluate(texts, TRUTH).scores.answered == 1
    assert evaluation.evaluate(texts, TRUTH, names=True).scores.answered == 4


def test_truth_in_chinese_by_coordinates_and_names():
    named = {"id": ["a", "b"], "country": ["日本", "法国"], "city": ["京都市", "巴黎"]}
    truth = {name: values[:2] for name, values in TRUTH.items()}
    assert evaluation.evaluate(named, truth).accuracy[25] == 1.0


def test_one_file_with_truth_and_names():
    rows = {
        "lat": TRUTH["lat"], "lon": TRUTH["lon"],
        "pred_country": NAMED["country"], "pred_city": NAMED["city"],
    }  # fmt: skip
    assert evaluation.evaluate(rows).accuracy[25] == 2 / 6


def test_ambiguous_names_count_and_are_counted():
    named = {"id": ["a"], "country": ["USA"], "city": ["Springfield"]}
    truth = {"id": ["a"], "lat": [37.2], "lon": [-93.3]}
    joined = join(named, truth)
    assert joined.table(["status"])["status"].to_pylist() == ["ambiguous"]
    assert (
        "1 of them have a name" in codes(evaluation.evaluate(named, truth))["named_answers"].message
    )


def test_files_without_answers_are_refused_as_before():
    with pytest.raises(Exception, match="nor country and city"):
        evaluation.evaluate({"id": ["a"], "note": ["x"]}, TRUTH)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=5))
def test_no_place_is_invented(pairs):
    """Whatever is written: an answered row is exactly what geocode gives for its names."""
    ids = [str(i) for i in range(len(pairs))]
    named = {"id": ids, "country": [p[0] for p in pairs], "city": [p[1] for p in pairs]}
    truth = {"id": ids, "lat": [0.0] * len(ids), "lon": [0.0] * len(ids)}
    rows = join(named, truth).table(["pred_lat", "pred_lon"]).to_pylist()
    for (country, city), row in zip(pairs, rows, strict=True):
        names = {"country": country, "city": city}
        place = gazetteer.geocode(**{k: v for k, v in names.items() if gazetteer.is_name(v)})
        wanted = (None, None) if place is None else (place.lat, place.lon)
        assert (row["pred_lat"], row["pred_lon"]) == wanted


def test_scores_by_name_are_those_of_the_coordinates_behind_them():
    """An oracle: score names, and the points that geocode gives for them, at every threshold."""
    rng = np.random.default_rng(4)
    cities = [("Japan", "Osaka"), ("France", "Lyon"), ("Peru", "Lima"), ("Kenya", "Nairobi")]
    said = [cities[i] for i in rng.integers(0, 4, 200)]
    places = [gazetteer.geocode(country=country, city=city) for country, city in said]
    ids = [str(i) for i in range(200)]
    lat, lon = rng.uniform(-60, 60, 200), rng.uniform(-180, 180, 200)
    lat[:100] = [place.lat + 0.3 for place in places[:100]]
    lon[:100] = [place.lon for place in places[:100]]
    truth = pa.table({"id": ids, "lat": lat, "lon": lon})
    named = {"id": ids, "country": [s[0] for s in said], "city": [s[1] for s in said]}
    found = evaluation.evaluate(named, truth, regions=False)
    km = sphere.haversine_km([p.lat for p in places], [p.lon for p in places], lat, lon)
    assert found.accuracy == {t: float(np.mean(km <= t)) for t in found.accuracy}


def test_the_command_scores_names(tmp_path):
    preds, truth, out = tmp_path / "p.jsonl", tmp_path / "t.csv", tmp_path / "r.json"
    rows = as_texts(NAMED)
    lines = [
        json.dumps(dict(zip(rows, row, strict=True))) for row in zip(*rows.values(), strict=True)
    ]
    preds.write_text("\n".join(lines), encoding="utf-8")
    header = ",".join(TRUTH)
    body = "\n".join(",".join(map(str, row)) for row in zip(*TRUTH.values(), strict=True))
    truth.write_text(f"{header}\n{body}\n", encoding="utf-8")
    run = CliRunner().invoke(
        app, ["evaluate", str(preds), "--truth", str(truth), "--json", str(out)]
    )
    assert run.exit_code == 0, run.output
    assert "By the string rule of GLOBE's release" in run.output
    assert json.loads(out.read_text(encoding="utf-8"))["string_regions"]["country"]["correct"] == 4
    run = CliRunner().invoke(app, ["evaluate", str(preds), "-t", str(truth), "--no-names"])
    assert "0 answered (coverage 0.00%)" in run.output


def test_a_row_whose_names_were_found_is_not_empty_too():
    """Of three rows one has a coordinate, one the names of a place, and one has nothing."""
    preds = {
        "id": ["a", "b", "c"], "lat": [48.86, None, None], "lon": [2.35, None, None],
        "country": ["France", "Japan", None], "city": ["Paris", "Kyoto", None],
    }  # fmt: skip
    truth = {"id": ["a", "b", "c"], "lat": [48.86, 35.01, 0.0], "lon": [2.35, 135.77, 9.0]}
    told = {}
    for names in (True, False):
        found = evaluation.evaluate(preds, truth, names=names, regions=False)
        assert (found.answered, found.missing) == ((2, 1) if names else (1, 2))
        told[names] = {one.code: one.rows for one in found.findings}
    assert told[True] == {"named_answers": (2,), "empty_answers": (3,)}
    assert told[False] == {"empty_answers": (2, 3)}
