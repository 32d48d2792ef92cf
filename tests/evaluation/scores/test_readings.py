"""How much of a score is parsing: every reader on the same rows, counted apart."""

import json

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor
from geodata.answers import parse_json, parse_strict, parse_tolerant
from geodata.evaluation import evaluate, report
from geodata.evaluation.report.contents.parsing import of_readings
from geodata.evaluation.scores.regions import labels_at
from tests.evaluation.report.cases import printed

HERE = (48.86, 2.35)
TEXTS = {
    "(48.8600, 2.3500)": ("tolerant", "strict"),
    '{"lat": 48.86, "lon": 2.35}': ("tolerant", "json"),
    'Sure:\n```json\n{"latitude": "48.86", "longitude": "2.35"}\n```\nThere.': ("tolerant", "json"),
    "{'lat': 48.86, 'lon': 2.35}": ("tolerant",),
    '{"lat": 48.86, "lon": 2.35, "why": "cut': ("tolerant",),
    "Latitude: 48.86\nLongitude: 2.35": ("tolerant",),
    "48.86° N, 2.35° E": ("tolerant",),
    "I cannot help with that.": (),
    "": (),
}


def files():
    ids = [str(i) for i in range(len(TEXTS))]
    truth = {"id": ids, "lat": [HERE[0]] * len(ids), "lon": [HERE[1]] * len(ids)}
    return {"id": ids, "text": list(TEXTS)}, truth


def test_each_reader_is_scored_on_all_rows():
    found = evaluate(*files(), regions=False).readings
    assert found is not None
    assert found.texts == len(TEXTS)
    for name, reading in found.readers.items():
        right = sum(name in readers for readers in TEXTS.values())
        assert reading.answered == right
        assert reading.accuracy[1.0] == pytest.approx(right / len(TEXTS))
        assert sum(reading.statuses.values()) == len(TEXTS)
    assert found.hows == {"json": 4, "compass": 1, "labelled": 1, "pair": 1}
    assert found.readers["tolerant"].statuses == {"ok": 7, "empty": 1, "refused": 1}


def test_the_columns_of_the_file_are_scored_too():
    preds, truth = files()
    preds |= {"pred_lat": [48.86, *[None] * 8], "pred_lon": [2.35, *[None] * 8]}
    found = evaluate(preds, truth, text="text", regions=False).readings
    assert found is not None
    assert found.readers["file"].answered == 1
    assert evaluate(preds, truth, regions=False).readings is None


def test_the_truth_in_the_same_file_is_no_reading():
    preds, truth = files()
    found = evaluate({**truth, "response": preds["text"]}, regions=False).readings
    assert found is not None
    assert set(found.readers) == {"tolerant", "strict", "json"}


def test_the_tolerant_reading_is_the_score(shared, tmp_path):
    rows = map(json.loads, (shared / "model_outputs.jsonl").read_text("utf-8").splitlines())
    rows = [row for row in rows if row["ground_truth"]]
    ids = [row["id"] for row in rows]
    lat, lon = ([row["ground_truth"][i] for row in rows] for i in (0, 1))
    preds = {"id": ids, "text": [row["text"] for row in rows]}
    for missing in ("wrong", "exclude"):
        truth = {"id": ids, "lat": lat, "lon": lon}
        result = evaluate(preds, truth, regions=False, missing=missing)
        assert result.readings is not None
        assert result.readings.readers["tolerant"].accuracy == result.accuracy
        assert result.readings.readers["tolerant"].answered == result.answered
        assert json.loads(result.to_json())["readings"]["texts"] == len(rows)
    for name, read in (("strict", parse_strict), ("json", parse_json)):
        answered = sum(read(text).lat is not None for text in preds["text"])
        assert result.readings.readers[name].answered == answered


def test_the_report_shows_it(tmp_path):
    result = evaluate(*files(), regions=False)
    shown = printed(report.print_evaluation, result)
    assert "as a person reads (scored)" in shown
    assert max(map(len, shown.splitlines())) <= 80
    report.write_html(result, tmp_path / "a.html")
    report.write_markdown(result, tmp_path / "a.md")
    for end in ("html", "md"):
        assert "JSON only" in (tmp_path / f"a.{end}").read_text()


def test_numbers_stand_right_and_words_left():
    for table in of_readings(evaluate(*files(), regions=False)).tables:
        for side, cells in zip(table.align, zip(*table.lines)):
            number = all(cell.replace(".", "").replace(",", "").isdecimal() for cell in cells)
            assert side == ("r" if number else "l"), cells


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"lat": 1, "lon": 2}', "ok"),
        ('x {"location": {"latitude": 1.5, "longitude": 2.5}} y', "ok"),
        ('Of {x} and {y}:\n```json\n{"lat": 1, "lon": 2}\n```\nSo {z}.', "ok"),
        ('{"lat": 95, "lon": 2}', "out_of_range"),
        ('{"lat": NaN, "lon": 2}', "out_of_range"),
        ('{"lat": null, "lon": 2}', "no_answer"),
        ('{"lat": "48° N", "lon": 2}', "no_answer"),
        ('{"lat": 1, "lon": 2', "malformed"),
        ("[1.5, 2.5]", "no_answer"),
        ("{" * 5000 + "}" * 5000, "malformed"),
        ("", "empty"),
        (None, "not_text"),
    ],
)
def test_json_only_is_json_only(text, status):
    answer = parse_json(text)
    assert answer.status == status
    assert (answer.lat is not None) == (status == "ok")
    if answer.lat is not None:
        assert parse_tolerant(text).lat == answer.lat


def test_labels_are_those_of_the_library_by_default():
    """Along a line out to sea, where a nearer or a farther limit gives other labels."""
    east = np.arange(-10.95, -10.8, 0.002)
    place = pa.table({"lat": np.full(len(east), 38.7), "lon": east})
    found = labels_at(place["lat"], place["lon"])["country_code"].to_pylist()
    assert found == cor.label_table(place)["country_code"].to_pylist()
    for other in (9.0, 11.0):
        assert found != cor.label_table(place, max_offset_km=other)["country_code"].to_pylist()
