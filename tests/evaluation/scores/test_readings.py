"""How much of a score is parsing: every reader on the same rows, counted apart."""

import json

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor
from geodata.answers import parse_json, parse_strict, parse_tolerant
from geodata.evaluation import evaluate, report
from geodata.evaluation.joining import join, read_predictions
from geodata.evaluation.report.contents.parsing import of_readings
from geodata.evaluation.scores.counting import Scoring
from geodata.evaluation.scores.readings import read_each_way
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


def test_every_figure_of_a_reading_by_hand():
    """Five rows: read by all, by the tolerant alone, by none, declined, and not text at all."""
    texts = [
        "(48.86, 2.35)",
        "Latitude: 48.86\nLongitude: 2.35",
        "somewhere",
        "I cannot tell.",
        None,
    ]
    ids = [*"abcde"]
    truth = {"id": ids, "lat": [48.86, 48.86, 0.0, 0.0, 0.0], "lon": [2.35, 2.35, 0.0, 0.0, 0.0]}
    preds = {"id": ids, "text": texts, "lat": [0.0, None, 0.0, None, 95.0],
             "lon": [0.0, None, 5.0, None, 0.0]}  # fmt: skip
    found = evaluate(preds, truth, (1, 1000), text="text", regions=False)
    readers = found.readings.readers
    assert list(readers) == ["tolerant", "strict", "json", "file"]
    assert found.readings.texts == 5
    assert {name: one.answered for name, one in readers.items()} == {
        "tolerant": 2, "strict": 1, "json": 0, "file": 2
    }  # fmt: skip
    assert readers["tolerant"].accuracy == {1.0: 0.4, 1000.0: 0.4}
    assert readers["strict"].accuracy == {1.0: 0.2, 1000.0: 0.2}
    assert readers["file"].accuracy == {1.0: 0.0, 1000.0: 0.2}
    assert readers["file"].statuses == {"ok": 2, "missing": 3}
    assert list(readers["tolerant"].statuses.items()) == [
        ("ok", 2), ("empty", 1), ("no_answer", 1), ("refused", 1)
    ]  # fmt: skip
    assert list(readers["strict"].statuses.items()) == [("no_answer", 3), ("empty", 1), ("ok", 1)]
    assert found.readings.hows == {"labelled": 1, "pair": 1}
    exclude = evaluate(preds, truth, (1,), text="text", regions=False, missing="exclude")
    assert exclude.readings.readers["tolerant"].accuracy == {1.0: 1.0}
    assert exclude.readings.readers["json"].accuracy == {1.0: None}
    strict = evaluate(preds, truth, (1,), text="text", regions=False, strict=True)
    assert strict.readings.readers["strict"].accuracy == {1.0: 0.2}


def test_readings_of_rows_in_another_order_and_number():
    """Answers that no truth row has are texts, and in no score; rows without one are wrong."""
    truth = {"id": [*"abc"], "lat": [1.0, 2.0, 3.0], "lon": [1.0, 2.0, 3.0]}
    preds = {"id": [*"xcay"], "text": ["(9.0, 9.0)", "(3.0, 3.0)", "(1.0, 1.0)", "(8.0, 8.0)"]}
    found = evaluate(preds, truth, (1,), regions=False).readings
    assert found.texts == 4
    assert found.readers["tolerant"].accuracy == {1.0: 2 / 3}
    assert found.readers["tolerant"].answered == 2
    assert found.readers["tolerant"].statuses == {"ok": 4}


def test_doubtful_readings_are_counted():
    doubtful = "(1.0, 2.0) or (3.0, 4.0)"
    texts = [doubtful, "(5.0, 6.0)", doubtful, "nothing"]
    preds = {"id": [*"abcd"], "text": texts}
    truth = {"id": [*"abcd"], "lat": [3.0] * 4, "lon": [4.0] * 4}
    found = evaluate(preds, truth, (1,), regions=False).readings
    assert (found.ambiguous, found.as_dict()["ambiguous"]) == (2, 2)
    assert found.hows == {"pair": 3}


def test_a_file_that_grows_meanwhile_is_read_as_far_as_it_was(tmp_path):
    path = tmp_path / "answers.jsonl"
    row = '{{"id": "{}", "text": "(1.0, 2.0)", "pred_lat": 1.0, "pred_lon": 2.0}}\n'
    path.write_text(row.format("a") + row.format("b"))
    opened = read_predictions(path, text="text")
    joined = join(opened, {"id": [*"abc"], "lat": [1.0] * 3, "lon": [2.0] * 3})
    with path.open("a") as file:
        file.write(row.format("c"))
    found = read_each_way(opened, joined, Scoring((1.0,)))
    assert (found.texts, found.hows) == (2, {"pair": 2})
    for name in ("tolerant", "file"):
        assert found.readers[name].answered == 2
        assert found.readers[name].accuracy == {1.0: 2 / 3}
        assert found.readers[name].statuses["ok"] == 2


def test_predicted_columns_go_before_plain_ones():
    truth = {"id": [*"ab"], "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    preds = {"id": [*"ab"], "text": ["x", "y"], "lat": [9.0, 9.0], "lon": [9.0, 9.0],
             "pred_lat": [1.0, 9.0], "pred_lon": [1.0, 9.0]}  # fmt: skip
    found = evaluate(preds, truth, (1,), text="text", regions=False).readings
    assert found.readers["file"].accuracy == {1.0: 0.5}


def test_the_columns_beside_are_those_of_the_prediction():
    """In a file that holds the truth too, plain names are the truth's."""
    rows = {"id": [*"ab"], "lat": [1.0, 2.0], "lon": [1.0, 2.0], "pred_lat": [1.0, None],
            "pred_lon": [1.0, None], "text": ["(1.0, 1.0)", "(9.0, 9.0)"]}  # fmt: skip
    found = evaluate(rows, thresholds_km=(1,), regions=False, text="text")
    assert found.readings.readers["file"].answered == 1
    assert found.readings.readers["file"].accuracy == {1.0: 0.5}
    assert found.readings.readers["tolerant"].accuracy == {1.0: 0.5}


def test_names_that_were_scored_are_no_reading():
    preds = {"id": [*"ab"], "text": ["Country: France\nCity: Paris", "Country: Japan\nCity: Tokyo"]}
    truth = {"id": [*"ab"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]}
    named = evaluate(preds, truth, (25,), regions=False, names=True)
    assert (named.answered, named.readings) == (2, None)
    plain = evaluate(preds, truth, (25,), regions=False, names=False)
    assert (plain.answered, plain.readings.texts) == (0, 2)
