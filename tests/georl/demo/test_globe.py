"""GLOBE's path from a reasoning set to the ablation table, made very small (georl.demo.globe)."""

import contextlib
import io
import json
import math
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from transformers import AutoTokenizer

from geodata import evaluation
from georl import data
from georl.demo import globe, globe_arms, globe_report, runs
from georl.demo.globe_report import ArmScore, Found
from tests.pages import TUTORIALS, follow

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TINY = globe_arms.GlobeSizes(
    60, 16, base_steps=2, sft_steps=1, judge_steps=2, grpo_steps=1, answers=16, hidden=48, layers=1
)


@pytest.fixture(scope="module")
def printed():
    """What the demo printed while it ran."""
    return io.StringIO()


@pytest.fixture(scope="module")
def ran(tmp_path_factory, printed):
    output = tmp_path_factory.mktemp("globe")
    with contextlib.redirect_stdout(printed):
        return output, globe.run_globe(output, sizes=TINY)


def test_the_whole_path_ends_in_the_ablation_table(ran):
    output, text = ran
    report = (output / "report.md").read_text()
    assert text.startswith(report)
    assert [line.split(" | ")[0] for line in report.splitlines() if line.startswith("| ")][2:7] == [
        "| base", "| SFT", "| accuracy only", "| + localizability", "| all three",
    ]  # fmt: skip
    assert max(map(len, report.splitlines())) <= 80
    page = (output / "report.html").read_text()
    assert "Reliability, seed 0" in page
    assert "http:" not in page
    found = json.loads((output / "report.json").read_text())
    assert set(found[0]["scores"]) == {"base", "sft", "accuracy", "localizability", "all"}


def test_the_page_goes_on_where_the_demo_ends(ran, printed, tmp_path, monkeypatch):
    """The page about GLOBE, its first command as it ran above; all of it is run by a slow test."""
    output, text = ran
    (tmp_path / "georl-globe").symlink_to(output)
    told = (printed.getvalue() + text).replace(str(output), "georl-globe")
    (tmp_path / "told.txt").write_text(told)
    monkeypatch.chdir(tmp_path)
    smaller = [
        ("georl demo --globe --quick --output georl-globe", "cat told.txt"),
        ("max_steps=10", "max_steps=2"),
        ("--text answer", "--text answer || test $? = 1"),  # two steps teach no form of answer
    ]
    follow(TUTORIALS / "train-globe.md", tmp_path, {"OMP_NUM_THREADS": "1"}, smaller)
    assert (tmp_path / "calibration" / "calibration.html").is_file()
    truth = pq.read_metadata(output / "seed-0" / "data" / "truth.parquet")
    assert pq.read_metadata(tmp_path / "answers.parquet").num_rows == truth.num_rows > 0


def test_every_arm_is_trained_with_its_rewards_from_the_base(ran):
    output, _ = ran
    metrics = {
        arm.name: (output / "seed-0" / arm.name / "metrics.jsonl").read_text()
        for arm in globe_arms.TRAINED
    }
    for arm in globe_arms.TRAINED:
        for name in ("place_accuracy", "localizability", "visual_grounding"):
            assert (f"rewards/{name}/mean" in metrics[arm.name]) == (name in arm.rewards)
    judge = output / "seed-0" / "judge" / "final" / "adapter_config.json"
    settings = json.loads(judge.read_text())
    assert (settings["r"], settings["lora_alpha"]) == (16, 64)


def test_what_is_said_every_time_costs_a_token_and_not_a_hundred(ran):
    tokenizer = AutoTokenizer.from_pretrained(ran[0] / "seed-0" / "blank")
    kept = ran[0] / "seed-0" / "data"
    for name, most in (("judge", 30), ("train", 40)):
        rows = pq.read_table(kept / f"{name}.parquet", columns=["prompt", "completion"])
        for row in rows.to_pylist():
            text = "".join(turn["content"] for turns in row.values() for turn in turns)
            ids = tokenizer(text)["input_ids"]
            assert len(ids) < most
            assert tokenizer.decode(ids) == text


@pytest.mark.slow  # two minutes of one core: a base and a reward model at full size
def test_the_judge_tells_land_from_open_sea_and_cloud(tmp_path):
    sizes = globe_arms.GlobeSizes()
    (tmp_path / "data").mkdir()
    globe._prepare(tmp_path, sizes, 5)
    for arm in (globe_arms.BASE, globe_arms.JUDGE):
        runs.train_all([globe._job(arm, tmp_path, sizes, 5)], 1, 0.0)
    found = globe._calibrated(tmp_path)
    assert found["by_step"]["localizable"]["auc"] >= 0.9
    assert found["auc"] > 0.8


def test_threads_are_shared_out_unless_they_were_given(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [runs._environment(n)["OMP_NUM_THREADS"] for n in (1, 2, 3, 9)] == list("4321")
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert runs._environment(2)["OMP_NUM_THREADS"] == "5"


def test_held_out_photos_are_none_that_were_trained_on(ran):
    kept = ran[0] / "seed-0" / "data"
    held, train, base = (
        {
            bytes(one["bytes"])
            for one in pq.read_table(kept / f"{name}.parquet")["image"].to_pylist()
        }
        for name in ("held-out", "train", "base")
    )
    assert held.isdisjoint(train | base)
    assert train.isdisjoint(base)


def test_a_second_start_trains_nothing_and_says_the_same(ran):
    output, _ = ran
    weights = output / "seed-0" / "all" / "final" / "model.safetensors"
    report, when = (output / "report.md").read_text(), weights.stat().st_mtime_ns
    (output / "report.md").unlink()
    globe.run_globe(output, sizes=TINY)
    assert (output / "report.md").read_text() == report
    assert weights.stat().st_mtime_ns == when


def test_a_set_of_the_pipeline_takes_the_place_of_the_generated_one(tmp_path):
    mine = data.generated_reasons(7, 5)
    pq.write_table(mine, tmp_path / "reasons.parquet")
    assert pq.read_table(globe.reasoning_set(tmp_path / "reasons.parquet", 60, 0)).equals(mine)


def test_the_base_knows_the_form_of_a_verdict_and_nothing_of_it(tmp_path):
    made = data.generated_reasons(800, 9)
    taught = globe._taught_forms(made, 0)
    said = [row[0]["content"] for row in taught["completion"].to_pylist()]
    yes, no = said.count("yes"), said.count("no")
    assert yes + no == data.answer_records(made, "Where?").num_rows // 7
    assert abs(yes - no) < 4 * math.sqrt(yes + no)
    kept = dict(zip(made["id"].to_pylist(), made["kept"].to_pylist(), strict=True))
    asked = [
        (said == "yes") == kept[name.split("/")[0]]
        for name, said in zip(taught["id"].to_pylist(), said, strict=True)
        if said in ("yes", "no")
    ]
    assert 0.3 < sum(asked) / len(asked) < 0.7


def test_without_a_seed_there_is_nothing_to_run(tmp_path):
    with pytest.raises(ValueError, match="seeds is empty"):
        globe.run_globe(tmp_path, seeds=())


# --- the report, from numbers -------------------------------------------------------------


def found(seed, base, others):
    score = ArmScore({"25": [base, base - 0.1, base + 0.1], "200": [base, 0.0, 1.0]}, 0.5, 0.25,
                     1.0, dict.fromkeys(globe_report.REWARDS, 0.25))  # fmt: skip
    within = {"25": [others, 0.0, 1.0], "200": [others, 0.0, 1.0]}
    scores = {arm.name: score if arm.name == "base" else replace(score, within=within)
              for arm in globe_report.ARMS}  # fmt: skip
    gap = {"25": [others - base, others - base - 0.01, others - base + 0.01], "200": None}
    judge = {"auc": 0.9, "ece": 0.1, "rows": 10, "by_step": {"localizable": {"auc": 0.95}},
             "bins": []}  # fmt: skip
    return Found(seed, judge, scores, {name: gap for name, _, _ in globe_report.QUESTIONS})


def test_one_seed_has_the_interval_of_its_photos_and_several_one_over_seeds():
    one = globe_report.markdown([found(0, 0.4, 0.6)])
    assert "| base | 40.0 [30.0, 50.0]" in one
    assert "@25 km +20.0 [+19.0, +21.0] more; @200 km none in common" in one
    three = globe_report.markdown([found(0, 0.4, 0.6), found(1, 0.5, 0.5), found(2, 0.6, 0.1)])
    low, high = stats.t.interval(0.95, 2, loc=50.0, scale=stats.sem([40.0, 50.0, 60.0]))
    assert f"| base | 50.0 [{low:.1f}, {high:.1f}]" in three
    assert "3 seeds (0, 1, 2)" in three
    assert "not told apart" in three
    assert "95% over seeds" in three
    assert three.count("land against open") == 3


@pytest.mark.parametrize("seeds", range(2, 11))
def test_the_interval_over_seeds_is_student_s(seeds):
    values = [0.1 * i**1.5 for i in range(seeds)]
    mean, low, high = globe_report.over_seeds([[v] for v in values])
    expected = stats.t.interval(0.95, seeds - 1, loc=mean, scale=stats.sem(values))
    assert [low, high] == pytest.approx(expected, rel=1e-9)


def test_less_is_said_as_plainly_as_more():
    assert "-30.0 [-31.0, -29.0] less" in globe_report.markdown([found(0, 0.6, 0.3)])


def test_scores_come_from_the_names_that_were_answered(tmp_path):
    held = data.answer_records(data.generated_reasons(40, 11), "Where?")
    pq.write_table(held.select(["id", *globe_report.TRUTH]), tmp_path / "truth.parquet")
    said = [turns[0]["content"] for turns in held["completion"].to_pylist()]
    half = [text if i % 2 else "no idea" for i, text in enumerate(said)]
    for name, texts in (("all", said), ("half", half), ("none", ["(" * 3] * len(said))):
        nothing = pa.nulls(len(texts), pa.float64())
        columns = {"id": held["id"], "answer": texts, "lat": nothing, "lon": nothing}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    found = {}
    for name in ("all", "half", "none"):
        scored = evaluation.evaluate(
            tmp_path / f"{name}.parquet", tmp_path / "truth.parquet",
            globe_report.THRESHOLDS_KM, text="answer",
        )  # fmt: skip
        texts = pq.read_table(tmp_path / f"{name}.parquet")["answer"].to_pylist()
        truth = held.select(["country", "city"]).to_pydict()
        named = globe_report.names_right(texts, truth["country"], truth["city"])
        found[name] = globe_report.arm_score(scored, named, {})
    assert found["all"].within["25"][0] == found["all"].country == found["all"].city == 1.0
    assert found["half"].within["25"][0] == pytest.approx(found["half"].answered)
    assert found["half"].city == found["half"].country == found["half"].answered
    assert found["none"].within["200"][0] == 0.0
    a, b, none = (tmp_path / f"{name}.parquet" for name in ("all", "half", "none"))
    gap = globe_report.difference(a, b, tmp_path / "truth.parquet")
    assert gap["25"][0] == pytest.approx(1.0 - found["half"].answered)
    assert gap["25"][1] > 0
    assert globe_report.difference(a, none, tmp_path / "truth.parquet") == {"25": None, "200": None}
