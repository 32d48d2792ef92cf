"""Held-out photos during training: scored as elsewhere, the best model kept, nothing disturbed."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from geodata import evaluation
from geodata.files import sha256
from georl import config, data, grpo, predict, sft
from georl.config import ConfigError, check, load
from georl.data import DataError
from georl.held_out import scores
from georl.held_out.evaluating import HeldOut
from georl.run import JsonLines, checkpoints

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

LOG = "train.logging_steps=5"
HELD = ["train.eval_steps=25", "data.eval_rows=7"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    torch.set_num_threads(1)
    return write_places(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Nine other points."""
    rng = np.random.default_rng(5)
    table = {"lat": rng.uniform(-30, 60, 9), "lon": rng.uniform(0, 40, 9)}
    path = tmp_path_factory.mktemp("asked") / "asked.parquet"
    names = [f"asked-{i}" for i in range(9)]
    pq.write_table(pa.table({"id": names, **table, "country": ["Northland"] * 9}), path)
    return path


def run_of(task, places, output, *more):
    given = [*SMALL, LOG, f"task={task}", f"data.places={places}", f"output={output}"]
    size = ["train.batch=8", "train.per_device=8", "train.learning_rate=1e-2"]
    return load(None, [*given, *size, "grpo.generations=4", "grpo.max_tokens=24", *more])


@pytest.fixture(scope="module")
def evaluated(places, asked, tmp_path_factory):
    """A run of 60 steps that kept its best model by the median error."""
    output = tmp_path_factory.mktemp("evaluated")
    more = [*HELD, f"data.eval_table={asked}", "train.best_metric=median_km", "train.max_steps=60"]
    sft.train(run_of("sft", places, output, *more, "predict.max_tokens=24"))
    return output


def rows_of(output):
    return [row for row in JsonLines(output / "metrics.jsonl").read() if "eval_reward" in row]


def test_it_is_scored_every_so_many_steps_and_at_the_end(evaluated):
    rows = rows_of(evaluated)
    assert [row["step"] for row in rows] == [25, 50, 60]
    assert set(rows[0]) >= {f"eval_{name}" for name in config.EVAL_SCORES}


@pytest.mark.parametrize(
    ("metric", "values", "kept"),
    [
        ("reward", [0.2, 0.5, 0.3, 0.5], 2),
        ("median_km", [900.0, 300.0, 500.0, math.inf], 2),
        ("median_km", [math.inf, 700.0, 600.0], 3),
        ("accuracy_25km", [0.0, 0.0], 1),
    ],
)
def test_the_first_of_the_best_is_kept(places, asked, tmp_path, metric, values, kept):
    more = [*HELD, f"data.eval_table={asked}", f"train.best_metric={metric}", "data.rows=16"]
    run = run_of("sft", places, tmp_path, *more)
    trainer = sft.GeoSFTTrainer(
        args=sft.arguments(run), **data.trainer_inputs(data.checked(run), completions=True)
    )
    judge = HeldOut(trainer, run, None)
    for step, value in enumerate(values, 1):
        judge._keep(step, {metric: value})
    found = json.loads((tmp_path / "best" / "held_out.json").read_text())
    assert (found["step"], found["scores"]) == (kept, {metric: values[kept - 1]})
    again = HeldOut(trainer, run, None)  # where the run goes on
    again.on_train_begin(None, SimpleNamespace(global_step=len(values)), None)
    assert again._best == values[kept - 1]


def test_the_loss_is_logged_where_it_is_scored_too(evaluated):
    """Logging the scores must not stand for logging the step."""
    rows = JsonLines(evaluated / "metrics.jsonl").read()
    assert [row["step"] for row in rows if "loss" in row] == list(range(5, 61, 5))


def test_the_scores_are_those_of_predicting_and_evaluating_the_model(evaluated, asked, tmp_path):
    target = tmp_path / "answers.parquet"
    more = [f"model.name={evaluated / 'final'}", f"predict.output={target}", "data.limit=7"]
    predict.predict(run_of("predict", asked, tmp_path, *more, "predict.max_tokens=24"))
    truth = pq.read_table(asked).slice(0, 7)
    found = evaluation.evaluate(target, truth, (1, 25, 200, 750, 2500), regions=False)
    last = rows_of(evaluated)[-1]
    assert last["eval_median_km"] == pytest.approx(found.median_km)
    for km, share in found.accuracy.items():
        assert last[f"eval_accuracy_{km:g}km"] == pytest.approx(share)


def test_the_best_model_is_kept_whole_with_its_scores(evaluated):
    kept = json.loads((evaluated / "best" / "held_out.json").read_text())
    by_step = {row["step"]: row["eval_median_km"] for row in rows_of(evaluated)}
    best = min(value for value in by_step.values() if value is not None)
    assert kept["scores"]["median_km"] == best
    assert by_step[kept["step"]] == best
    assert "run" in checkpoints.verify(evaluated / "best")
    assert not (evaluated / "best.part").exists()


def test_evaluation_changes_no_weight(evaluated, places, tmp_path):
    sft.train(run_of("sft", places, tmp_path, "train.max_steps=60"))
    names = [folder / "final" / "model.safetensors" for folder in (evaluated, tmp_path)]
    assert sha256(names[0]) == sha256(names[1])


def test_grpo_is_scored_too_and_trains_the_same(evaluated, places, tmp_path):
    start = [f"model.name={evaluated / 'final'}", "train.max_steps=4", "train.batch=16"]
    start += ["train.per_device=16"]
    more = ["train.eval_steps=2", "data.eval_rows=5", "data.eval_table=world"]
    best = "train.best_metric=reward"
    grpo.train(run_of("grpo", places, tmp_path / "a", *start, *more, best))
    grpo.train(run_of("grpo", places, tmp_path / "b", *start))
    assert [row["step"] for row in rows_of(tmp_path / "a")] == [2, 4]
    plain, looked = (JsonLines(tmp_path / n / "metrics.jsonl").read() for n in "ba")
    rewards = [[row["reward"] for row in log if "reward" in row] for log in (plain, looked)]
    assert rewards[0] == rewards[1]
    sums = [sha256(tmp_path / n / "final" / "model.safetensors") for n in "ab"]
    assert sums[0] == sums[1]
    values = [row["eval_reward"] for row in rows_of(tmp_path / "a")]
    kept = json.loads((tmp_path / "a" / "best" / "held_out.json").read_text())
    assert kept["scores"]["reward"] == max(values)


def test_photos_that_are_trained_on_are_no_held_out_photos(places, tmp_path):
    run = run_of("sft", places, tmp_path, *HELD, f"data.eval_table={places}", "train.max_steps=1")
    with pytest.raises(DataError, match=r"40 of 40 held-out photos are trained on|7 of 7"):
        sft.train(run)


def test_a_split_of_the_same_table_is_held_out(places, tmp_path):
    from PIL import Image

    Image.new("RGB", (56, 56)).save(tmp_path / "one.png")
    table = pq.read_table(places)
    split = ["val" if i % 4 == 0 else "train" for i in range(40)]
    table = table.append_column("split", [split])
    table = table.append_column("image", [[str(tmp_path / "one.png")] * 40])
    pq.write_table(
        table.append_column("id", [[f"p{i}" for i in range(40)]]), tmp_path / "t.parquet"
    )
    given = [*SMALL, f"data.table={tmp_path / 't.parquet'}", "data.split=train", LOG]
    more = ["data.eval_split=val", "train.eval_steps=1", "train.max_steps=1", "train.batch=8"]
    run = load(None, [*given, *more, "train.per_device=8", f"output={tmp_path / 'out'}"])
    sft.train(run)
    assert len(rows_of(tmp_path / "out")) == 1


def test_an_answer_without_coordinates_is_wrong_everywhere():
    truth = pa.table({"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]})
    found = scores(["Coordinates: (1.0, 3.0)", "somewhere"], truth)
    assert found["accuracy_2500km"] == 0.5
    assert found["answered"] == 0.5
    assert found["reward"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["train.best_metric=reward"], "set it, e.g. train.eval_steps=200"),
        (["data.eval_split=val"], "data.eval_split without train.eval_steps"),
        (["train.eval_steps=5"], "no photos are held out"),
        (["train.eval_steps=5", "data.eval_split=val"], "without data.split"),
        (
            ["train.eval_steps=5", "data.eval_table=world", "train.best_metric=accuracy_250km"],
            "did you mean accuracy_25",
        ),
        (["train.eval_steps=5", "data.eval_table=world", "data.eval_rows=0"], "must be above 0"),
        (["train.eval_steps=-5", "data.eval_table=world"], "must be above 0"),
        (
            ["train.eval_steps=5", "data.eval_table=world", "train.strategy=deepspeed"],
            "use train.strategy=fsdp, or .* georl predict",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_loaded(given, said):
    with pytest.raises(ConfigError, match=said):
        check(load(None, given))
