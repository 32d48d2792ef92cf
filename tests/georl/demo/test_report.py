"""The demo's report from answers that are made up: tables, sentences, curves."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl import rewards
from georl.demo.arms import MAIN, QUESTIONS, Arm
from georl.demo.telling import page, pictures, report, verdict
from georl.run import save_figure

N = 40
LAT, LON = np.linspace(-30, 59, N), np.linspace(-10, 45, N)
IDS = [f"{i}" for i in range(N)]
DEGREE_KM = 6371.0088 * math.pi / 180
NEAR, FAR = 1.0, 4.0
"""Degrees to the north of the truth: 111 and 445 km."""

OFF = {
    "sft-cor": np.full(N, FAR),
    "grpo-random": np.full(N, NEAR),
    "grpo-hard": np.where(np.arange(N) < 20, NEAR, FAR),
    "sft-location": np.where(np.arange(N) < 30, NEAR, FAR),
    "sft-hard": np.full(N, FAR),
}
SAMPLED = ("sft-cor", "grpo-random", "grpo-hard")
ARMS = (*MAIN, *QUESTIONS)


def said(off, missing=()):
    texts = [f"Coordinates: ({a:.6f}, {b:.6f})" for a, b in zip(LAT + off, LON, strict=True)]
    mask = np.isin(np.arange(N), missing)
    texts = [None if gone else text for gone, text in zip(mask, texts, strict=True)]
    columns = {"lat": pa.array(LAT + off, mask=mask), "lon": pa.array(LON, mask=mask)}
    return pa.table({"id": IDS, "answer": pa.array(texts, pa.string())} | columns)


def earned(off):
    texts = said(np.full(N, float(off)))["answer"].to_pylist()
    return np.array(rewards.geo_r(texts, LAT.tolist(), LON.tolist()))


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    output = tmp_path_factory.mktemp("report")
    (output / "data").mkdir()
    truth = output / "data" / "held-out.parquet"
    pq.write_table(pa.table({"id": IDS, "lat": LAT, "lon": LON}), truth)
    scores = {}
    for name, off in OFF.items():
        (output / name).mkdir()
        pq.write_table(said(off), output / name / "predictions.parquet")
        drawn = [said(off), said(off + 1.0)] if name in SAMPLED else []
        scores[name] = report.score(output / name, truth, drawn)
    for name, field in (("grpo-random", "reward"), ("sft-cor", "loss")):
        rows = [{"step": 2 * i, field: float(i)} for i in range(48)]
        rows.insert(7, {"step": 13, field: None})
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (output / name / "metrics.jsonl").write_text(text)
    (output / "grpo-hard" / "metrics.jsonl").write_text('{"step": 2, "reward": 0.5}\n')
    for name in ("sft-location", "sft-hard"):
        (output / name / "metrics.jsonl").write_text("")
    return output, scores


def test_a_score_is_what_the_answers_are_worth(scored):
    _, scores = scored
    one = scores["grpo-hard"]
    assert one.median_km == pytest.approx(2.5 * DEGREE_KM, rel=1e-3)  # between near and far
    assert one.accuracy == {25.0: 0.0, 200.0: 0.5, 750.0: 1.0, 2500.0: 1.0}
    assert one.km == pytest.approx(OFF["grpo-hard"] * DEGREE_KM, rel=1e-3)
    assert one.reward == pytest.approx((earned(NEAR)[:20].sum() + earned(FAR)[20:].sum()) / N)
    assert scores["grpo-random"].sampled == pytest.approx((earned(NEAR) + earned(NEAR + 1)) / 2)
    assert scores["sft-hard"].sampled is None


def test_an_answer_that_is_missing_is_infinitely_far_and_earns_nothing(tmp_path):
    pq.write_table(pa.table({"id": IDS, "lat": LAT, "lon": LON}), tmp_path / "truth.parquet")
    off = np.full(N, NEAR)
    pq.write_table(said(off, missing=range(30)), tmp_path / "predictions.parquet")
    found = report.score(tmp_path, tmp_path / "truth.parquet", [])
    assert np.isinf(found.km).tolist() == [True] * 30 + [False] * 10
    assert found.accuracy[200.0] == 0.25
    assert found.reward == pytest.approx(earned(NEAR)[30:].sum() / N)
    assert json.loads((tmp_path / "evaluation.json").read_text())["rows"] == N
    blank = report.distances(said(off, missing=[1]), pa.table({"lat": LAT, "lon": LON}))
    assert np.isnan(blank).tolist() == [i == 1 for i in range(N)]


@pytest.mark.parametrize(("missing", "median"), [((), 0.0), (range(N), math.nan)])
def test_a_median_may_be_0_km_and_is_no_number_without_answers(tmp_path, missing, median):
    pq.write_table(pa.table({"id": IDS, "lat": LAT, "lon": LON}), tmp_path / "truth.parquet")
    pq.write_table(said(np.zeros(N), missing), tmp_path / "predictions.parquet")
    found = report.score(tmp_path, tmp_path / "truth.parquet", [])
    assert found.median_km == pytest.approx(median, nan_ok=True)
    assert found.accuracy[25.0] == float(not missing)


@pytest.fixture(scope="module")
def parts(scored):
    output, scores = scored
    drawn = []
    with pytest.MonkeyPatch.context() as patch:  # what is drawn is seen by test_drawn.py
        patch.setattr(pictures, "draw", lambda *given, dark: drawn.append((given, dark)))
        return output, report.parts(output, ARMS, scores), drawn


def test_the_verdict_is_of_the_first_grpo_arm_and_what_it_starts_from(scored, parts):
    _, scores = scored
    before, after = scores["sft-cor"], scores["grpo-random"]
    blind = verdict.blind_km(LAT, LON)
    assert parts[1][0] == verdict.sentence(
        float(np.median(before.km)), blind, verdict.rise(before.sampled, after.sampled),
        verdict.median_change(before.km, after.km),
    )  # fmt: skip
    assert "a median error of 445 km on held-out places" in parts[1][0]
    assert "GRPO raised the held-out reward" in parts[1][0]


def test_the_picture_is_given_both_stages_and_the_best_single_answer(scored, parts):
    output, scores = scored
    _, told, drawn = parts
    assert told[1].light == output / "learnt.png"
    assert told[1].dark == output / "learnt-dark.png"
    assert [(given[3], dark) for given, dark in drawn] == [
        (told[1].light, False), (told[1].dark, True)
    ]  # fmt: skip
    (before, after), reward, km, _ = drawn[0][0]
    for stage, title, name in ((before, "after SFT", "sft-cor"), (after, "after GRPO",
                                                                  "grpo-random")):  # fmt: skip
        assert stage.title == title
        assert stage.reward is scores[name].sampled
        assert stage.km is scores[name].km
        assert stage.ways == pytest.approx(np.column_stack([LAT, LON, LAT + OFF[name], LON]))
    best = verdict.best_single(LAT, LON)
    assert km.argmin() == best
    assert km[best] == 0.0
    text = f"Coordinates: ({LAT[best]:.6f}, {LON[best]:.6f})"
    assert reward == pytest.approx(rewards.geo_r([text] * N, LAT.tolist(), LON.tolist()), abs=1e-3)


def test_the_table_has_a_line_a_run(parts):
    table = parts[1][2]
    assert isinstance(table, page.Table)
    assert table.head == [
        "run", "median km", "@25 km", "@200 km", "@750 km", "@2500 km", "reward, greedy",
        "reward, sampled",
    ]  # fmt: skip
    lines = {row[0]: row[1:] for row in table.rows}
    assert list(lines) == [arm.title for arm in ARMS]
    near, both = earned(NEAR).mean(), (earned(NEAR).mean() + earned(NEAR + 1).mean()) / 2
    assert lines["SFT, then GRPO on random places"] == [
        "111", "0.000", "1.000", "1.000", "1.000", f"{near:.3f}", f"{both:.3f}"
    ]  # fmt: skip
    assert lines["SFT, coordinates only"][2] == "0.750"
    assert lines["SFT, coordinates only"][-1] == ""


def test_curves_of_reward_are_told_in_a_line(parts):
    said = parts[1][3]
    assert said.text == "Sampled reward while training, from the first steps to the last:"
    eighths = "".join("▁▂▃▄▅▆▇█"[round(7 * i / 23)] for i in range(24))
    assert said.points == [
        f"SFT, then GRPO on random places: 0.500 {eighths} 46.500",
        "SFT, then GRPO on hard places: too few steps to draw",
    ]
    assert report.sparkline([3.0, 3.0]) == "▁▁"
    assert report.sparkline([1.0, -6.0, 8.0, 0.0]) == "▅▁█▄"  # the ends may lie between


def test_two_steps_are_enough_for_a_curve(tmp_path):
    (tmp_path / "a").mkdir()
    rows = [{"step": 1, "reward": 0.25}, {"step": 2, "reward": 0.5}]
    (tmp_path / "a" / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    arm = Arm("a", "A", "grpo", "random")
    assert report._curve_line(tmp_path, arm) == "A: 0.250 ▁█ 0.500"


def test_what_grpo_gains_is_told_of_each_arm_that_starts_from_another(scored, parts):
    _, scores = scored
    gain = verdict.rise(scores["sft-cor"].sampled, scores["grpo-hard"].sampled).text(3)
    lines = parts[1][4].points
    assert [line.partition(":")[0] for line in lines] == [
        "Sampled reward, grpo-random minus sft-cor", "Median error, km, grpo-random minus sft-cor",
        "Sampled reward, grpo-hard minus sft-cor", "Median error, km, grpo-hard minus sft-cor",
    ]  # fmt: skip
    assert lines[2].endswith(f": {gain}")
    assert lines[1].endswith(": -334 [-334, -334]")
    quiet = Arm("sft-hard", "never sampled", "grpo", "hard", start="sft-cor")
    assert report._gains((quiet, ARMS[1]), scores) == lines[:2]


def test_the_paper_s_questions_are_answered_by_paired_differences(parts):
    found = [re.sub(r" \[.*\]", "", line) for line in parts[1][5].points]
    assert found == [
        "Chain of Region against coordinates only (SFT): -0.750 (no, the other way)",
        "random against hard places (SFT): +0.000 (not told apart)",
        "hard against random places (GRPO): -0.500 (no, the other way)",
        "GRPO against SFT: +1.000 (yes)",
    ]
    low, high = re.search(r"-0.500 \[(.*), (.*)\]", parts[1][5].points[2]).groups()
    assert -0.7 < float(low) < -0.5 < float(high) < -0.3


def test_questions_are_asked_of_runs_that_are_there(scored):
    output, _ = scored
    assert [line.partition(":")[0] for line in report._findings(output, MAIN)] == [
        "GRPO against SFT"
    ]


def test_places_that_nobody_answers_are_told_as_such(tmp_path):
    (tmp_path / "data").mkdir()
    pq.write_table(
        pa.table({"id": IDS, "lat": LAT, "lon": LON}), tmp_path / "data/held-out.parquet"
    )
    for name in "ab":
        (tmp_path / name).mkdir()
        said_nothing = said(np.zeros(N), missing=range(N))
        pq.write_table(said_nothing, tmp_path / name / "predictions.parquet")
    assert report._difference(tmp_path, "a", "b") == "no place is answered by both"


def test_a_place_without_an_answer_is_wrong_in_a_difference(tmp_path):
    """Where both answer they are alike; one of them leaves 30 of 40 places out."""
    (tmp_path / "data").mkdir()
    pq.write_table(
        pa.table({"id": IDS, "lat": LAT, "lon": LON}), tmp_path / "data/held-out.parquet"
    )
    for name, missing in (("a", range(30)), ("b", ())):
        (tmp_path / name).mkdir()
        pq.write_table(said(np.full(N, NEAR), missing), tmp_path / name / "predictions.parquet")
    assert report._difference(tmp_path, "a", "b").startswith("-0.750 [-0.")
    assert report._difference(tmp_path, "b", "a").startswith("+0.750 [+0.")


def test_the_report_ends_with_where_to_look(parts):
    output, told, _ = parts
    assert told[6] == (
        f"Curves: {output}/curves.png. Each run: {output}/NAME/metrics.jsonl, evaluation.json, "
        f"predictions.parquet. Compare any two: geodata compare {output}/A/predictions.parquet "
        f"{output}/B/predictions.parquet --truth {output}/data/held-out.parquet"
    )
    assert report.title(59.6) == "georl demo: 60 s"


def test_curves_are_drawn_faintly_under_their_running_mean(scored, monkeypatch):
    output, _ = scored
    kept = []
    monkeypatch.setattr(report, "save_figure", lambda figure, target, dpi: (
        kept.extend([*figure.axes, dpi]), save_figure(figure, target, dpi))[1])  # fmt: skip
    target: Path = report.plot(output, ARMS)
    assert target == output / "curves.png"
    assert target.is_file()
    loss, reward, dpi = kept
    assert dpi == 120
    assert [axes.get_title() for axes in (loss, reward)] == ["SFT loss", "GRPO sampled reward"]
    assert [len(axes.lines) for axes in (loss, reward)] == [2, 4]  # two arms have no curve
    smooth, faint = loss.lines
    assert faint.get_xdata().tolist() == [2 * i for i in range(48)]
    assert faint.get_ydata().tolist() == list(range(48))
    window = [list(range(max(0, i - 3), min(48, i + 3))) for i in range(48)]  # 6 of 48
    assert smooth.get_ydata() == pytest.approx([np.mean(rows) for rows in window])
    assert (faint.get_alpha(), smooth.get_alpha()) == (0.25, None)
    assert (smooth.get_linewidth(), faint.get_linewidth()) == (1.6, 0.8)
    assert smooth.get_color() == faint.get_color() == "#1d4e79"
    assert [line.get_color() for line in reward.lines[::2]] == ["#1d4e79", pictures.LATER[0]]
    for axes in (loss, reward):
        assert axes.get_xlabel() == "step"
        assert axes.title.get_fontsize() == 10
        assert {text.get_fontsize() for text in axes.get_legend().get_texts()} == {8}
        assert [axes.spines[side].get_visible() for side in ("top", "right", "left")] == [
            False, False, True
        ]  # fmt: skip
    titles = [text.get_text() for text in reward.get_legend().get_texts()]
    assert titles == ["SFT, then GRPO on random places", "SFT, then GRPO on hard places"]


def test_a_run_without_steps_has_no_curve_and_no_legend(scored, monkeypatch):
    output, _ = scored
    kept = []
    monkeypatch.setattr(report, "save_figure", lambda figure, _, dpi: kept.extend(figure.axes))
    report.plot(output, [arm for arm in ARMS if arm.name == "sft-hard"])
    assert [len(axes.lines) for axes in kept] == [0, 0]
    assert [axes.get_legend() for axes in kept] == [None, None]
