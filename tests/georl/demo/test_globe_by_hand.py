"""GLOBE's path in small without its trainings: its files, its order, what is asked and earned."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from transformers import AutoTokenizer

from georl import data, rewards
from georl.demo import globe, globe_arms, globe_report
from georl.demo.globe_arms import GlobeSizes

SIZES = GlobeSizes(40, 12, 2, 1, 2, 1, 16, hidden=48, layers=1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("globe")
    (folder / "data").mkdir()
    globe._prepare(folder, SIZES, 3)
    return folder


def read(folder, name):
    return pq.read_table(folder / "data" / f"{name}.parquet")


def test_each_file_is_made_of_rows_of_its_own_seed(prepared):
    reasons = data.generated_reasons(40, 3)
    assert read(prepared, "reasons").equals(reasons)
    assert read(prepared, "train").equals(data.answer_records(reasons, "Where?"))
    held = data.answer_records(data.generated_reasons(12, 3 + 1_000_003), "Where?")
    assert read(prepared, "held-out").equals(held)
    assert read(prepared, "truth").equals(held.select(["id", "lat", "lon", "country", "city"]))
    base = data.generated_reasons(40, 3 + 2_000_003)
    assert read(prepared, "base").equals(globe._taught_forms(base, 3))
    assert set(read(prepared, "judge").column_names) >= {"prompt", "completion", "split"}
    assert read(prepared, "judge").num_rows == 40


def test_what_is_there_is_left_as_it_is(prepared):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*") if path.is_file()}
    globe._prepare(prepared, SIZES, 3)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_blank_model_has_the_size_that_is_asked_for_and_knows_the_words(prepared):
    settings = json.loads((prepared / "blank" / "config.json").read_text())
    text = settings.get("text_config", settings)
    assert (text["hidden_size"], text["num_hidden_layers"]) == (48, 1)
    tokenizer = AutoTokenizer.from_pretrained(prepared / "blank")
    assert 400 < len(tokenizer) <= 1200
    for whole in ("The picture shows ", "</think><answer>country: ", "\ncity: ", "Say "):
        assert len(tokenizer(whole)["input_ids"]) == 1, whole
    assert not (prepared / "blank.new").exists()


def test_a_folder_that_holds_no_model_is_not_written_over(prepared, tmp_path):
    (tmp_path / "blank").mkdir()
    (tmp_path / "data").symlink_to(prepared / "data")
    with pytest.raises(FileExistsError, match="blank holds no model; delete it and start again"):
        globe._write_blank(tmp_path, SIZES, 3)


def test_an_eighth_of_what_the_base_is_taught_are_verdicts_of_a_coin():
    made = data.generated_reasons(150, 9)
    answers = data.answer_records(made, "Where?")
    taught = globe._taught_forms(made, 4)
    assert taught.column_names == ["id", "image", "prompt", "completion"]
    n = answers.num_rows
    assert taught.slice(0, n).equals(answers.select(taught.column_names))
    rows = taught.slice(n).to_pylist()
    assert len(rows) == n // 7
    coin = np.random.default_rng(4)
    said = ["yes" if coin.random() < 0.5 else "no" for _ in rows]
    assert [row["completion"] for row in rows] == [
        [{"role": "assistant", "content": word}] for word in said
    ]
    asked, _ = data.judge_records(made.slice(0, n // 7))
    for k, (row, word) in enumerate(zip(rows, said, strict=True)):
        usual = asked["prompt"][k].as_py()
        assert row["prompt"] == (
            [{"role": "user", "content": f"Say {word}"}] if k % 2 else usual
        )  # fmt: skip


class Judge:
    """A judge that says of each photo what it is told, or nothing."""

    def __init__(self, *scores):
        self.scores = scores

    def __call__(self, texts, *, image):
        assert len(texts) == len(image)
        return list(self.scores)


def test_rewards_are_means_over_the_answers_that_have_a_verdict():
    texts = ["<think>A red tram.</think><answer>country: Portugal\ncity: Lisbon</answer>", None]
    rows = {"country": ["Portugal"] * 2, "city": ["Lisbon"] * 2, "image": [b"a", b"b"],
            "entities": [["red tram"], ["sea"]]}  # fmt: skip
    assert globe._earned(texts, rows, Judge(0.25, None)) == {
        "place_accuracy": 0.5, "localizability": 0.25, "visual_grounding": 0.5, "think_format": 0.5,
    }  # fmt: skip
    assert globe._earned(texts, rows, Judge(None, None))["localizability"] is None
    assert globe._earned(texts, rows, Judge(0.25, 0.75))["localizability"] == 0.5


@pytest.fixture
def said(prepared, monkeypatch):
    """Notes what is asked of a model; it answers the truth."""
    asked = []

    def predict(config):
        asked.append(config)
        held = read(prepared, "held-out")
        texts = [turns[0]["content"] for turns in held["completion"].to_pylist()]
        target = Path(config.predict.output)
        target.parent.mkdir(exist_ok=True, parents=True)
        nothing = pa.nulls(len(texts), pa.float64())
        columns = {"id": held["id"], "answer": texts, "lat": nothing, "lon": nothing}
        pq.write_table(pa.table(columns), target)

    monkeypatch.setattr(globe.predict, "predict", predict)
    return asked


def test_answers_are_asked_once_and_scored_by_their_names(prepared, said, tmp_path):
    (tmp_path / "data").symlink_to(prepared / "data")
    arm = globe_arms.TRAINED[0]
    n = read(prepared, "held-out").num_rows
    found = globe._score(arm, tmp_path, Judge(*[0.5] * n))
    assert (found.within["25"][0], found.country, found.city, found.answered) == (1, 1, 1, 1)
    assert found.earned["localizability"] == 0.5
    assert found.earned["place_accuracy"] == 1.0
    (asked,) = said
    assert asked.predict.output == str(tmp_path / "sft" / "predictions.parquet")
    assert asked.data.table == str(tmp_path / "data" / "held-out.parquet")
    assert asked.model.name == str(tmp_path / "sft" / "final")
    assert (asked.predict.batch, asked.predict.max_tokens, asked.task) == (128, 48, "predict")
    kept = tmp_path / "sft" / "score.json"
    assert json.loads(kept.read_text()) == asdict(found)
    assert kept.read_text().startswith('{\n "within"')
    assert kept.read_text().endswith("}\n")
    assert globe._score(arm, tmp_path, None) == found  # it is kept
    assert len(said) == 1


def test_differences_are_of_the_paper_s_pairs(prepared, said, tmp_path):
    (tmp_path / "data").symlink_to(prepared / "data")
    for arm in (globe_arms.BASE, *globe_arms.TRAINED):
        globe._answers(arm, tmp_path)
    worse = pq.read_table(tmp_path / "base" / "predictions.parquet")
    n = worse.num_rows
    texts = [text if i else "nothing" for i, text in enumerate(worse["answer"].to_pylist())]
    worse = worse.set_column(1, "answer", pa.array(texts))
    pq.write_table(worse, tmp_path / "base" / "predictions.parquet")
    found = globe._differences(tmp_path)
    assert list(found) == [name for name, _, _ in globe_report.QUESTIONS]
    assert found["SFT against the base"]["25"][0] == pytest.approx(1 / n)
    assert found["all three against accuracy only"]["200"][0] == 0.0


def test_a_judge_that_says_nothing_has_no_calibration(tmp_path, monkeypatch):
    asked = []

    def calibrate(records, judge, target, *, name):
        asked.append((records.table, records.split, judge, target, name))
        raise data.DataError

    monkeypatch.setattr(globe.rewards, "localizability", lambda *, model: model)
    monkeypatch.setattr(globe.calibration, "calibrate", calibrate)
    assert globe._calibrated(tmp_path) == {
        "auc": None, "ece": None, "rows": 0, "by_step": {}, "bins": []
    }  # fmt: skip
    assert asked == [
        (str(tmp_path / "data" / "judge.parquet"), "test", str(tmp_path / "judge" / "final"),
         tmp_path / "calibration", "the tiny reward model")
    ]  # fmt: skip
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "calibration.json").write_text('{"auc": 0.5}')
    assert globe._calibrated(tmp_path) == {"auc": 0.5}


def test_the_base_comes_first_and_the_judge_before_those_that_ask_it(tmp_path, monkeypatch):
    trained, prepared_with = [], []
    monkeypatch.setattr(globe, "_prepare", lambda *given: prepared_with.append(given))
    monkeypatch.setattr(globe, "train_all", lambda jobs, workers, started: trained.append(
        ([job.name for job in jobs], workers, jobs[0].config.seed)))  # fmt: skip
    monkeypatch.setattr(globe, "_calibrated", lambda folder: {"of": folder})
    monkeypatch.setattr(globe.rewards, "localizability", lambda *, model: model)
    monkeypatch.setattr(globe, "_score", lambda arm, folder, judge: (arm.name, judge))
    monkeypatch.setattr(globe, "_differences", lambda folder: {"at": folder})
    found = globe._of_seed(tmp_path / "seed-3", SIZES, 3, 5, 0.0)
    assert trained == [
        (["base"], 1, 3), (["judge", "sft", "accuracy"], 5, 3), (["localizability", "all"], 5, 3)
    ]  # fmt: skip
    folder = tmp_path / "seed-3"
    assert prepared_with == [(folder, SIZES, 3)]
    assert (folder / "data").is_dir()
    assert (found.seed, found.judge, found.differences) == (3, {"of": folder}, {"at": folder})
    judge = str(folder / "judge" / "final")
    assert found.scores == {name: (name, judge) for name in (
        "base", "sft", "accuracy", "localizability", "all")}  # fmt: skip


def test_each_seed_has_its_folder_and_all_one_report(tmp_path, monkeypatch):
    asked = []

    def of_seed(folder, sizes, seed, workers, started):
        asked.append((folder, sizes, seed, workers))
        return globe_arms.GlobeArm(f"{seed}", "t", "sft")

    monkeypatch.setattr(globe, "_of_seed", of_seed)
    monkeypatch.setattr(globe_report, "markdown", lambda found: f"{len(found)} found\n")
    monkeypatch.setattr(globe_report, "page", lambda found: f"<p>{len(found)}</p>")
    text = globe.run_globe(tmp_path, seeds=(4, 5), workers=3)
    assert asked == [(tmp_path / f"seed-{seed}", GlobeSizes(), seed, 3) for seed in (4, 5)]
    told, _, where = text.splitlines()
    assert told == "2 found"
    assert where.endswith(f" s. Report: {tmp_path / 'report.html'}")
    assert int(where.split()[0]) < 60
    assert (tmp_path / "report.md").read_text() == "2 found\n"
    assert (tmp_path / "report.html").read_text() == "<p>2</p>"
    kept = (tmp_path / "report.json").read_text()
    assert [one["name"] for one in json.loads(kept)] == ["4", "5"]
    assert kept.startswith('[\n {\n  "name"')
    assert kept.endswith("]\n")
    globe.run_globe(tmp_path, quick=True)
    globe.run_globe(tmp_path, quick=True, sizes=SIZES)
    assert [one[1:] for one in asked[2:]] == [(globe_arms.GLOBE_QUICK, 0, 2), (SIZES, 0, 2)]


def test_names_are_right_by_country_and_by_city():
    text = "country: Portugal\ncity: Porto"
    assert globe_report.names_right([text, None], ["Portugal"] * 2, ["Lisbon"] * 2) == (0.5, 0.0)
    assert rewards.place_accuracy([text], ["Portugal"], ["Porto"]) == [1.0]
