"""Beside one answer a photo: words, how sure an answer is, benchmarks, two files, many files."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from geodata import evaluation
from geodata.evaluation.joining import read_truth
from geodata.evaluation.tabling import held

IDS = [f"p{i}" for i in range(6)]
TRUTH = {"id": IDS, "lat": [0.0] * 6, "lon": [0.0] * 6}
ANSWERS = {"id": IDS, "lat": [1.0, 2.0, 3.0, 4.0, 5.0, None], "lon": [0.0] * 5 + [None]}


def codes(found):
    return {one.code: one for one in found.findings}


# words beside a row


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("a" * 200, "a" * 200), ("a" * 201, "a" * 199 + "…"), ("  two \n\t lines ", "two lines"),
        ("x " * 100, ("x " * 100).strip()), (" ", None), (None, None),
    ],
)  # fmt: skip
def test_words_are_one_line_of_200_letters(words, shown):
    told = ["other", words, "other", None, "fifth", "none"]
    for order in (range(6), (5, 4, 3, 2, 1, 0), (1, 3, 5, 0, 2, 4)):
        answers = {name: [values[i] for i in order] for name, values in ANSWERS.items()}
        answers["raw_text"] = [told[i] for i in order]
        found = evaluation.evaluate(answers, TRUTH, regions=False, lint=False)
        assert {row.id: row.words for row in found.worst} == {
            "p0": "other", "p1": shown, "p2": "other", "p3": None, "p4": "fifth"
        }  # fmt: skip
    assert {row.words for row in found.sample} == {None}


def test_a_score_compares_twenty_thousand_rows_with_their_words(monkeypatch):
    from geodata.evaluation import run

    assert run.WORDS_ROWS == 20_000
    monkeypatch.setattr(run, "WORDS_ROWS", 3)
    said = ANSWERS | {"raw_text": ["It is (70.5, 80.5)."] * 6}
    told = codes(evaluation.evaluate(said, TRUTH, regions=False))["not_in_text"]
    assert (told.rows, told.count) == ((1, 2, 3), 3)
    assert "3 answers among the first 3 rows appear nowhere" in told.message


# which confidence


def source(answers, **options):
    found = evaluation.evaluate(answers, TRUTH, regions=False, **options)
    curve = found.confidence and found.confidence.curve
    return curve and (curve.source, curve.risk_coverage(200.0)[1].tolist(), curve.unknown)


def test_a_confidence_stands_beside_its_answer():
    sure = [0.1, 0.9, 0.2, 0.3, 0.4, 0.5]
    wrong = [1, 1, 1, 1, 0]  # from the surest: p1, p4, p3, p2, p0; p0 is 111 km off, p1 222
    risks = np.cumsum(wrong) / np.arange(1, 6)
    answers = ANSWERS | {"confidence": sure, "mine": [-one for one in sure]}
    name, told, unknown = source(answers)
    assert (name, told, unknown) == ("confidence", pytest.approx(risks.tolist()), 0)
    name, told, _ = source(answers, confidence_column="mine")
    turned = np.cumsum([0, 1, 1, 1, 1]) / np.arange(1, 6)
    assert (name, told) == ("mine", pytest.approx(turned.tolist()))
    order = [3, 5, 1, 0, 4, 2]
    mixed = {name: [values[i] for i in order] for name, values in answers.items()}
    assert source(mixed) == source(answers)
    fewer = {name: values[1:] for name, values in answers.items()}
    assert source(fewer)[1] == pytest.approx([1, 1, 1, 1])
    assert source(ANSWERS) is None


def test_rows_of_one_photo_give_the_confidence_of_the_first():
    twice = {"id": IDS * 2, "lat": ANSWERS["lat"] + [9.0] * 6, "lon": ANSWERS["lon"] + [0.0] * 6,
             "rank": [1] * 6 + [2] * 6}  # fmt: skip
    assert source(twice)[0] == "agreement of the answers"
    sure = [0.1, 0.9, 0.2, 0.3, 0.4, 0.5, *[0.7] * 6]
    name, told, unknown = source(twice | {"confidence": sure})
    assert (name, unknown) == ("confidence of the first answer", 0)
    assert told == pytest.approx((np.cumsum([1, 1, 1, 1, 0]) / np.arange(1, 6)).tolist())


def test_columns_go_before_the_confidence_of_each_and_that_before_agreement():
    wide = {"id": IDS, "lat_1": ANSWERS["lat"], "lon_1": ANSWERS["lon"], "lat_2": [9.0] * 6,
            "lon_2": [0.0] * 6}  # fmt: skip
    assert source(wide)[0] == "agreement of the answers"
    each = {"confidence_1": [0.1, 0.9, 0.2, 0.3, 0.4, 0.5], "confidence_2": [0.6] * 6}
    assert source(wide | each)[0] == "confidence of the first answer"
    assert source(wide | each | {"confidence": [0.5] * 6})[0] == "confidence"


def test_a_file_without_rows_is_as_sure_as_nothing():
    """No photo has an answer, of which there is then no confidence: none is looked for."""
    none = pa.array([], pa.float64())
    for columns in (("lat", "lon", "confidence"), ("lat_1", "lon_1", "lat_2", "lon_2", "conf_1",
                                                   "conf_2")):  # fmt: skip
        empty = pa.table({"id": pa.array([], pa.string())} | dict.fromkeys(columns, none))
        found = evaluation.evaluate(empty, TRUTH, regions=False)
        assert (found.answered, found.missing, found.accuracy[2500.0]) == (0, 6, 0.0)
        assert (found.confidence.curve.answered, found.aurc[200.0]) == (0, None)


# the benchmark


def benchmark(ids, name="im2gps3k"):
    truth = {"id": ids, "lat": [0.0] * len(ids), "lon": [0.0] * len(ids)}
    found = evaluation.evaluate(truth, truth, regions=False, benchmark=name)
    return [str(one) for one in found.findings if one.code.startswith("benchmark")]


OURS = [f"{i}_ab_{i}_{i}@N00.jpg" for i in range(9)]


def test_another_truth_than_the_benchmarks_is_told():
    rows = (
        "warning: benchmark_rows: the truth has {} rows, IM2GPS3K has 2997: published rows are of "
        "other photos. Score the whole benchmark, or leave the benchmark out."
    )
    ids = (
        "warning: benchmark_ids: {} of {} ids are not written as those of IM2GPS3K "
        "(1000269685_e60e9cdfb4_1125_78841376@N00.jpg): the first is {!r} (rows {}). Look whether "
        "the truth is that of the benchmark."
    )
    assert benchmark(OURS) == [rows.format(9)]
    assert benchmark([*OURS[:3], *IDS[:3]]) == [rows.format(6)]
    assert benchmark([*OURS[:2], *IDS[:3]]) == [rows.format(5), ids.format(3, 5, "p0", "3, 4, 5")]
    many = [f"{i}_ab_{i}_{i}@N00.jpg" for i in range(2998)]
    assert benchmark(many) == [rows.format(2998)]
    assert benchmark(many[1:]) == []
    assert benchmark(IDS, "geobench") == []
    nothing = {"id": pa.array([], pa.string()), "lat": [], "lon": []}
    found = evaluation.evaluate(nothing, nothing, regions=False, benchmark="im2gps3k")
    assert [one.code for one in found.findings if "bench" in one.code] == ["benchmark_rows"]
    assert "the truth has 6 rows, YFCC4K has 4536" in benchmark(IDS, "YFCC 4k")[0]
    truth = {"id": OURS, "lat": [0.0] * 9, "lon": [0.0] * 9}
    found = evaluation.evaluate(truth, truth, regions=False, benchmark="im2gps3k")
    assert codes(found)["benchmark_rows"].count == 2988
    plain = evaluation.evaluate(truth, truth, regions=False, benchmark="im2gps3k", lint=False)
    assert not set(codes(plain)) & {"benchmark_rows", "benchmark_ids"}
    assert len(plain.published) > 5
    lat = np.linspace(0, 60, 25)
    copied = {"id": np.arange(25), "lat": lat, "lon": lat}
    found = evaluation.evaluate(copied, copied, regions=False, benchmark="yfcc4k")
    assert {"equals_truth", "benchmark_rows"} <= set(codes(found))


def test_an_unknown_benchmark_is_refused_before_a_file_is_opened():
    with pytest.raises(ValueError, match="no published results for benchmark 'im2gps'"):
        evaluation.evaluate("/nowhere.csv", "/nowhere.csv", benchmark="im2gps")


# two files


def test_rows_that_one_file_alone_answered_are_told():
    b = ANSWERS | {"lat": [1.0, None, 3.0, None, 5.0, 6.0], "lon": [0.0, None, 0.0, None, 0.0, 0.0]}
    found = evaluation.compare(ANSWERS, b, TRUTH, regions=False)
    (told,) = (one for one in found.findings if one.code == "row_sets_differ")
    assert str(told) == (
        "warning: row_sets_differ: A answered 5 and B 4 of 6 truth rows, 3 of them both (rows 2, "
        "4, 6). Predict the same rows with both models; refusals count in the table of all rows."
    )
    assert told.count == 3
    assert (found.rows, found.only_a_answered, found.only_b_answered) == (3, 2, 1)
    assert {one.rows for one in found.on_all} == {6}
    assert evaluation.compare(ANSWERS, b, TRUTH, regions=False, missing="exclude").on_all == ()
    with pytest.raises(ValueError, match=r"A answered 5, B 0 of 6\. Look whether both files are"):
        evaluation.compare(ANSWERS, {"id": IDS, "lat": [None] * 6, "lon": [None] * 6}, TRUTH)


def test_options_of_a_pair_reach_intervals_tests_and_files(tmp_path):
    rng = np.random.default_rng(0)
    ids = [f"é{i}" for i in range(60)]
    truth = {"key": ids, "y": [0.0] * 60, "x": [0.0] * 60, "who": [f"w{i % 9}" for i in range(60)]}
    files = []
    for name in "ab":
        km = rng.uniform(0, 50, 60)
        files.append(tmp_path / f"{name}.csv")
        table = pa.table({"id": ids, "lat": np.degrees(km / 6371.0), "lon": [0.0] * 60})
        text = pacsv_text(table).encode("latin-1")
        files[-1].write_bytes(text)
    columns = {"id": "key", "lat": "y", "lon": "x", "encoding": "latin-1", "regions": False,
               "thresholds_km": (25,)}  # fmt: skip
    seen = []
    for more in ({}, {"cluster": "who"}, {"cluster": "who", "seed": 2},
                 {"cluster": "who", "resamples": 90}, {"confidence": 0.8}):  # fmt: skip
        found = evaluation.compare(*files, truth, **columns, **more)
        (pair,) = found.paired
        assert pair.rows == found.rows == 60
        seen.append((pair.difference.low, pair.difference.high))
        assert found.a.options.cluster == more.get("cluster")
    assert len(set(seen)) == 5
    table = evaluation.table({"a": files[0], "b": files[1]}, truth, **columns)
    assert table.tests[0].only_a == pair.only_a
    assert table.accuracy["a"][25.0] == pair.accuracy_a


def pacsv_text(table):
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink)
    return sink.getvalue().to_pybytes().decode()


# many files


def test_a_truth_is_held_in_memory_as_it_was_read(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("id,lat,lon,who\na,1,2,x\nb,3,4,y\n")
    opened = read_truth(path)
    found = held(opened)
    assert found.source.identity() == opened.source.identity()
    assert found.source.name == opened.source.name
    path.unlink()
    one = {"id": ["b"], "lat": [3.0], "lon": [4.0]}
    scored = evaluation.evaluate(one, found, by=("who",), regions=False)
    assert scored.accuracy[1.0] == 0.5
    assert [g.value for g in scored.scores.by["who"]] == ["x", "y"]
    path.write_text("id,lat,lon\n")
    empty = read_truth(path)
    assert held(empty) is empty
    shards = tmp_path / "shards"
    shards.mkdir()
    (shards / "a.jsonl").write_text('{"id": "a", "lat": 1, "lon": 2}\n')
    (shards / "b.jsonl").write_text('{"id": "b", "lat": 1, "lon": 2}\n"no row"\n')
    damaged = read_truth(shards)
    assert held(damaged) is damaged


def test_a_table_has_regions_and_published_rows_where_they_are_asked_for():
    model = {"m": ANSWERS}
    plain = evaluation.table(model, TRUTH)
    assert (plain.published, plain.results["m"].regions) == ((), {})
    found = evaluation.table(model, TRUTH, (25, 200), benchmark="im2gps3k", regions=True)
    assert found.published == found.first.published != ()
    assert set(found.results["m"].regions) == {"country", "admin1", "city"}
    assert list(found.accuracy["m"]) == [25.0, 200.0]
    assert found.findings == ()
    assert found._repr_markdown_() == found.to_markdown()
    assert "<table" in found._repr_html_()
    few = evaluation.table({"a": TRUTH, "b": {k: v[:2] for k, v in TRUTH.items()}}, TRUTH)
    assert [(one.code, one.count) for one in few.findings] == [("few_common_rows", 4)]
    assert few.as_dict()["findings"] == [one.as_dict() for one in few.findings]


def test_results_are_json_whatever_is_in_them():
    found = evaluation.evaluate(ANSWERS, TRUTH, regions=False, seed=np.int64(3))
    told = json.loads(found.to_json())
    assert (told["missing"], told["refused"], told["unreadable"]) == (1, 0, 0)
    assert told["options"]["seed"] == 3
    with pytest.raises(ValueError, match=r"have no confidence; name its column with confidence_co"):
        found.risk_coverage(25.0)
    assert (found.aurc, found.oracle, found.coverage) == ({}, found.accuracy, 5 / 6)
    assert "sample=" not in repr(found)
    pair = evaluation.compare(ANSWERS, ANSWERS, TRUTH, regions=False, seed=np.int64(3))
    table = evaluation.table({"a": ANSWERS}, TRUTH, seed=np.int64(3))
    told_a = json.loads(pair.to_json())["a"], json.loads(table.to_json())["models"]["a"]["result"]
    assert [one["options"]["seed"] for one in told_a] == [3, 3]
    strict = evaluation.evaluate(ANSWERS, TRUTH, regions=False, strict=True).as_dict()
    assert (told["scoring"]["rule"], strict["scoring"]["rule"]) == ("d <= t", "d < t")
