"""Two files and many files on one truth: common rows, tests, forms, the command."""

import dataclasses
import itertools
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from geodata import evaluation
from geodata.cli import app
from geodata.evaluation.findings import PredictionError, finding
from geodata.evaluation.report import print_comparison
from geodata.evaluation.report.contents.of_pairs import of_comparison
from geodata.evaluation.scores.intervals import pairs

from .report.cases import printed
from .report.reading import markdown_tables

N = 300
runner = CliRunner()


def _truth():
    rng = np.random.default_rng(0)
    return pa.table({
        "id": [f"{i}.jpg" for i in range(N)], "lat": rng.uniform(-55, 65, N),
        "lon": rng.uniform(-170, 170, N), "author": [f"u{i % 25}" for i in range(N)],
    })  # fmt: skip


def _model(seed, spread=1.0, answered=None):
    truth, rng = _truth(), np.random.default_rng(seed)
    lat = truth["lat"].to_numpy() + spread * rng.normal(0, 0.3, N) * 10 ** rng.uniform(-1, 1, N)
    lat = np.clip(lat, -89, 89)
    mask = np.zeros(N, bool) if answered is None else ~answered
    return pa.table(
        {
            "id": truth["id"],
            "lat": pa.array(lat, mask=mask),
            "lon": pa.array(truth["lon"].to_numpy(), mask=mask),
        }
    )


def _within(preds, t):
    truth = _truth()
    away = np.abs(truth["lat"].to_numpy() - preds["lat"].to_numpy()) * np.pi / 180 * 6371
    return away <= t


def test_a_file_that_answers_easy_rows_only_is_no_better():
    """Denominators of their own gave +4.93 with p = 0 for a difference of -0.27."""
    a = _model(1)
    easy = _within(a, 25.0) | (np.arange(N) % 3 == 0)
    b = _model(1, answered=easy)
    for missing in ("exclude", "wrong"):
        found = evaluation.compare(b, a, _truth(), missing=missing, regions=False)
        pair = found.paired[1]
        assert (pair.rows, found.rows) == (easy.sum(), easy.sum())
        assert (pair.difference.value, pair.p_value) == (0.0, 1.0)
        assert pair.accuracy_a == pair.accuracy_b == _within(a, 25.0)[easy].mean()
        assert (found.only_a_answered, found.only_b_answered) == (0, N - easy.sum())
        assert "row_sets_differ" in {one.code for one in found.findings}
        assert bool(found.on_all) == (missing == "wrong")
        text = printed(print_comparison, found)
        assert text.startswith(f"On the {easy.sum()} of {N} truth rows that both answered")
        assert "THE FILES ANSWERED DIFFERENT ROWS" in text


def test_all_rows_count_missing_answers_wrong():
    answered = np.arange(N) % 2 == 0
    a, b = _model(1), _model(2, answered=answered)
    found = evaluation.compare(a, b, _truth(), regions=False)
    right_a, right_b = _within(a, 200.0), _within(b, 200.0) & answered
    pair = next(p for p in found.on_all if p.threshold_km == 200)
    assert pair.difference.value == pytest.approx(right_a.mean() - right_b.mean())
    pair = next(p for p in found.paired if p.threshold_km == 200)
    assert pair.only_a == (right_a & ~right_b & answered).sum()
    written = json.loads(found.to_json())
    assert written["rows"] == answered.sum()
    assert written["on_all"][2]["rows"] == N


def test_same_rows_have_one_table_and_no_warning():
    found = evaluation.compare(_model(1), _model(2), _truth(), regions=False)
    assert found.on_all == ()
    assert json.loads(found.to_json())["on_all"] == []
    assert found.rows == N
    assert "row_sets_differ" not in {one.code for one in found.findings}


def test_what_only_one_file_has_wrong_bears_its_name():
    """What holds for both files, of the truth say, is said once and of neither."""
    found = evaluation.compare(_model(1), _model(2), _truth(), regions=False)
    both, mine, other = (finding(word, "warning", f"{word} message", "do it") for word in "xyz")
    found = dataclasses.replace(
        found,
        a=dataclasses.replace(found.a, findings=(both, mine)),
        b=dataclasses.replace(found.b, findings=(both, other)),
    )
    said = [remark.message for remark in of_comparison(found).sections[-1].remarks]
    assert sorted(said) == ["A: y message.", "B: z message.", "x message."]


CELLS = pa.table({
    "id": _truth()["id"], "key": _truth()["id"], "lat": _model(1)["lat"], "lon": _model(1)["lon"],
    "y": _model(5)["lat"], "x": _model(5)["lon"], "sure": np.random.default_rng(0).random(N),
    "confidence": np.random.default_rng(1).random(N), "place": np.arange(N) % 2 + 1,
    "words": [f"({lat + 1}, {lon})" for lat, lon in
              zip(_model(1)["lat"].to_pylist(), _model(1)["lon"].to_pylist())],
})  # fmt: skip
RANKED = (
    pa.concat_tables([CELLS, CELLS.set_column(2, "lat", CELLS["y"])])
    .append_column("worse", pa.array([2] * N + [1] * N))
    .append_column("surer", pa.array(np.random.default_rng(2).random(2 * N)))
)


@pytest.mark.parametrize(
    ("preds", "options"),
    [
        (CELLS, {"confidence_column": "sure"}),
        (CELLS, {"text": "words"}),
        (CELLS, {"pred_id": "key", "pred_lat": "y", "pred_lon": "x"}),
        (RANKED, {"candidates": "rows", "rank": "worse"}),
        (RANKED.drop_columns("confidence"), {"candidates": "rows", "confidence_column": "surer"}),
        (CELLS, {"strict": True, "distance": "wgs84", "confidence": 0.8, "by": ("author",)}),
        (CELLS, {"cluster": "author", "resamples": 50, "seed": 3, "lint": False}),
    ],
    ids=lambda given: "" if isinstance(given, pa.Table) else "-".join(given),
)
def test_a_file_of_a_pair_is_scored_as_it_is_alone(preds, options):
    alone = evaluation.evaluate(preds, _truth(), regions=False, **options)
    pair = evaluation.compare(preds, preds, _truth(), regions=False, **options)
    assert pair.a.as_dict() == pair.b.as_dict() == alone.as_dict()
    plain = evaluation.evaluate(CELLS, _truth(), regions=False)
    assert alone.as_dict() != plain.as_dict()


def test_nothing_in_common_is_an_error():
    half = np.arange(N) < N // 2
    with pytest.raises(PredictionError, match="no truth row is answered by both"):
        evaluation.compare(_model(1, answered=half), _model(2, answered=~half), _truth())


MODELS = {"a": _model(1), "b_&": _model(2, 3.0), "c": _model(3), "d": _model(4, 9.0)}


def test_a_table_is_each_files_own_score_and_every_pairs_test():
    found = evaluation.table(MODELS, _truth(), (25, 200))
    for name, preds in MODELS.items():
        alone = evaluation.evaluate(preds, _truth(), (25, 200), regions=False)
        assert found.accuracy[name] == alone.accuracy
        assert found.intervals[name] == alone.intervals
    for t in (25.0, 200.0):
        raw = []
        tests = [one for one in found.tests if one.threshold_km == t]
        assert [(one.a, one.b) for one in tests] == list(itertools.combinations(MODELS, 2))
        for one in tests:
            x, y = _within(MODELS[one.a], t), _within(MODELS[one.b], t)
            raw.append(pairs.mcnemar((x & ~y).sum(), (y & ~x).sum()))
            assert one.difference == pytest.approx(x.mean() - y.mean())
        assert [one.p_value for one in tests] == pytest.approx(raw)
        assert [one.p_holm for one in tests] == pytest.approx(pairs.holm(raw))


def test_clusters_change_the_tests_of_a_table():
    plain = evaluation.table(MODELS, _truth(), (200,))
    found = evaluation.table(MODELS, _truth(), (200,), cluster="author")
    for one in found.tests:
        pair = evaluation.compare(
            MODELS[one.a], MODELS[one.b], _truth(), thresholds_km=(200,), cluster="author",
            regions=False,
        ).paired[0]  # fmt: skip
        assert one.p_value == pytest.approx(pair.p_value)
    assert [o.p_value for o in plain.tests] != [o.p_value for o in found.tests]


def test_different_rows_get_a_table_of_the_common_ones():
    answered = np.arange(N) % 4 > 0
    models = {"all": MODELS["a"], "some": _model(2, answered=answered)}
    found = evaluation.table(models, _truth(), (25, 200))
    assert found.common == answered.sum()
    assert found.common_accuracy["all"][25.0] == _within(MODELS["a"], 25.0)[answered].mean()
    assert found.accuracy["some"][25.0] == _within(models["some"], 25.0)[answered].sum() / N
    text = found.to_markdown()
    assert "THE MODELS ANSWERED DIFFERENT ROWS: all 300, some 225." in text
    assert f"On the {answered.sum()} rows that all answered" in text
    few = {"all": MODELS["a"], "few": _model(2, answered=np.arange(N) < 90)}
    assert [o.code for o in evaluation.table(few, _truth()).findings] == ["few_common_rows"]


def test_the_forms_show_the_best_in_bold():
    found = evaluation.table(MODELS, _truth(), (25, 200), benchmark="im2gps3k")
    table = markdown_tables(found.to_markdown())[0]
    shares = {t: max(found.accuracy[n][t] for n in MODELS) for t in (25.0, 200.0)}
    for line in found.to_markdown().splitlines():
        for cell in re.findall(r"\*\*([0-9.]+)[^*]*\*\*", line):
            assert float(cell) in {round(100 * s, 2) for s in shares.values()}
    assert len(table) >= len(MODELS)
    latex = found.to_latex()
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 1
    assert r"b\_\&" in latex
    assert rf"\textbf{{{100 * shares[25.0]:.2f}}}" in latex
    assert "{[}L{]}kNN" in latex, (
        "a line of LaTeX that begins with [ is an option of the one before"
    )
    rows = [
        line for line in latex.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert {line.count(" & ") for line in rows} == {2}
    assert found.to_html().startswith("<!doctype html>")
    assert "<b>" in found.to_html()
    assert "<script" not in found.to_html()
    assert json.loads(found.to_json())["schema"] == "geodata.table/1"


def test_a_dagger_marks_those_not_told_from_the_best():
    found = evaluation.table(MODELS, _truth(), (25,))
    best = max(MODELS, key=lambda name: found.accuracy[name][25.0])
    beside = {
        other
        for one in found.tests
        if best in (one.a, one.b) and one.p_holm >= 0.05
        for other in (one.a, one.b)
    } - {best}
    assert found.level_with_best(25.0) == beside
    rows = [line for line in found.to_latex().splitlines() if line.endswith(r"\\")]
    assert {line.split(" & ")[0] for line in rows if "dagger" in line} == {
        name.replace("_&", r"\_\&") for name in beside
    }
    assert "d" not in found.level_with_best(25.0)


@pytest.mark.parametrize(
    ("thresholds", "low", "lines"), [((0.01, 1.0), 0.005, 2), ((1.0, 25.0), 0.1, 2)]
)
def test_curves_begin_below_the_smallest_threshold(thresholds, low, lines):
    pytest.importorskip("matplotlib")
    from geodata.evaluation.report.pictures import curves

    rows = {"id": ["a", "b"], "lat": [0.0, 1.0], "lon": [0.0, 1.0]}
    found = evaluation.evaluate(rows, rows, regions=False, thresholds_km=thresholds)
    axes = curves._figure({"one": found}).axes[0]
    assert axes.get_xlim()[0] == pytest.approx(low)
    assert len(axes.get_lines()) == 1 + lines


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_curves_are_the_same_bytes(tmp_path, ending):
    found = evaluation.table(MODELS, _truth())
    for name in ("1", "2"):
        found.write_curves(tmp_path / f"{name}.{ending}")
    first = (tmp_path / f"1.{ending}").read_bytes()
    assert first == (tmp_path / f"2.{ending}").read_bytes()
    assert first.startswith(b"%PDF" if ending == "pdf" else b"<?xml")
    with pytest.raises(ValueError, match=r"ends with .svg or .pdf"):
        found.write_curves(tmp_path / "1.png")
    assert not (tmp_path / "1.png").exists()


def test_the_truth_is_opened_once(monkeypatch):
    from geodata.evaluation import tabling

    opened, whole = [], tabling.read_truth
    monkeypatch.setattr(tabling, "read_truth", lambda *a, **k: opened.append(1) or whole(*a, **k))
    evaluation.table(MODELS, _truth())
    assert opened == [1]
    with pytest.raises(ValueError, match="at least one model"):
        evaluation.table({}, _truth())


def test_the_command(tmp_path):
    pa.csv.write_csv(_truth(), tmp_path / "truth.csv")
    for name in ("a", "c", "d"):
        pa.csv.write_csv(MODELS[name], tmp_path / f"{name}.csv")
    files = [str(tmp_path / f"{name}.csv") for name in ("a", "c", "d")]
    done = runner.invoke(app, [
        "table", *files, "-t", str(tmp_path / "truth.csv"), "--figure", str(tmp_path / "c.svg"),
        "--json", str(tmp_path / "t.json"),
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if not line.startswith("wrote ")]
    assert max(map(len, lines)) <= 80
    assert "3 models scored against truth.csv" in done.output
    assert list(json.loads((tmp_path / "t.json").read_text())["models"]) == ["a", "c", "d"]
    for form, begin in (("--latex", "% "), ("--markdown", "# 3 models"), ("--html", "<!doctype")):
        done = runner.invoke(app, ["table", *files, "-t", str(tmp_path / "truth.csv"), form])
        assert done.output.startswith(begin)


def test_a_total_failure_says_so_first_and_exits_1(tmp_path):
    pa.csv.write_csv(_truth(), tmp_path / "truth.csv")
    lost = MODELS["a"].set_column(0, "id", pa.array([f"x{i}" for i in range(N)]))
    pa.csv.write_csv(lost, tmp_path / "lost.csv")
    done = runner.invoke(
        app,
        ["evaluate", str(tmp_path / "lost.csv"), "-t", str(tmp_path / "truth.csv"), "--no-regions"],
    )
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert said.index("NOTHING WAS SCORED") < said.index("right %")
    assert "no id of" in said[: said.index("right %")]


def test_the_corrected_p_decides_who_is_level_with_the_best():
    found = evaluation.table({"a": MODELS["a"], "d": MODELS["d"]}, _truth(), (25,))
    told = dataclasses.replace(found.tests[0], p_value=0.01, p_holm=0.2)
    assert dataclasses.replace(found, tests=(told,)).level_with_best(25.0) == {"d"}
    told = dataclasses.replace(told, p_holm=0.04)
    assert dataclasses.replace(found, tests=(told,)).level_with_best(25.0) == set()


def test_a_truth_without_rows_and_one_whose_parts_know_their_types_unequally(tmp_path):
    """A part whose rows all lack an author has no type for it."""
    (tmp_path / "none.csv").write_text("id,lat,lon\n")
    none = evaluation.table({"one": _model(1)}, tmp_path / "none.csv")
    assert (none.first.rows, none.accuracy["one"][25.0]) == (0, None)
    folder = tmp_path / "truth"
    folder.mkdir()
    parts = {"a": pa.nulls(5), "b": pa.array(["x"] * 5)}
    for start, (name, author) in zip((0, 5), parts.items(), strict=True):
        rows = _truth().slice(start, 5).select(["id", "lat", "lon"])
        pq.write_table(rows.append_column("who", author), folder / f"{name}.parquet")
    found = evaluation.table({"one": _model(1)}, folder, by=["who"])
    assert {g.value: g.rows for g in found.first.scores.by["who"]} == {"x": 5, None: 5}
