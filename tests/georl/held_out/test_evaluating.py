"""Held-out photos during training: scored as elsewhere, the best model kept, nothing disturbed."""

import dataclasses
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
from georl import config, data, grpo, models, predict, sft
from georl.config import ConfigError, check, load
from georl.data import DataError
from georl.held_out import evaluating, scores
from georl.held_out.evaluating import HeldOut, held_out_config, refuse_trained_on
from georl.held_out.generating import generate
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


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("eval_split=val split=train", {"table": "t.csv", "split": "val", "version": "3",
                                        "where": "a"}),
        ("split=train eval_table=other.csv", {"table": "other.csv", "split": None,
                                              "version": None, "where": None}),
        ("eval_table=other.csv eval_split=val", {"table": "other.csv", "split": "val"}),
        ("table=world eval_table=world places=a.parquet", {"table": "world", "places": None,
                                                           "rows": 9}),
        ("table=world eval_table=b.parquet eval_split=val", {"places": "b.parquet", "rows": 9,
                                                             "split": "val", "version": None}),
        ("cache=elsewhere eval_split=val split=a", {"cache": "elsewhere"}),
        ("eval_split=val split=a", {"cache": "runs/x/cache-held-out"}),
    ],
)  # fmt: skip
def test_held_out_photos_are_those_of_another_table_or_split(given, expected):
    base = [
        "data.table=t.csv",
        "data.version=3",
        "data.where=a",
        "data.eval_rows=9",
        "output=runs/x",
    ]
    run = load(None, [*base, "seed=5", *(f"data.{one}" for one in given.split(" "))])
    found = held_out_config(run)
    assert {name: getattr(found.data, name) for name in expected} == expected
    assert found.data.limit == 9
    assert found.seed == 5 + 1_000_003
    assert found.train == run.train


def test_photos_are_the_same_by_their_id_and_place():
    held = pa.table({"id": ["a", "b", "c"], "lat": [1.0, 2.0, 3.0], "lon": [1.0, 2.0, 3.0]})
    fits = {"id": ["a", "x", "c"], "lat": [1.5, 2.0, 3.0], "lon": [1.0, 2.0, 3.5]}
    refuse_trained_on(held, fits)
    with pytest.raises(
        DataError, match="2 of 3 held-out photos are trained on, the first with id 'b"
    ):
        refuse_trained_on(held, {"id": ["c", "b"], "lat": [3.0, 2.0], "lon": [3.0, 2.0]})
    records = held.select(["id"])
    with pytest.raises(
        DataError, match="1 of 3 held-out photos are trained on, the first with id 'c"
    ):
        refuse_trained_on(records, {"id": ["c"]})


def test_scores_by_hand():
    """An error of 0.1, of 10 and of 90 degrees, a tolerant reading, and no answer."""
    truth = pa.table({"id": list("abcde"), "lat": [0.0] * 5, "lon": [0.0] * 5})
    texts = ["(0.0, 0.1)", "(0.0, 10.0)", "(0.0, 90.0)", "0.1 N, 0.0 E", "?"]
    found = scores(texts, truth)
    a_degree = 111.195
    assert found == pytest.approx(
        {
            "accuracy_1km": 0.0, "accuracy_25km": 0.4, "accuracy_200km": 0.4,
            "accuracy_750km": 0.4, "accuracy_2500km": 0.6, "median_km": (0.1 + 10) / 2 * a_degree,
            "reward": (1 - 0.5 * 0.1 * a_degree / 750 + 0.5 - 0.3 * (10 * a_degree - 750) / 1750
                       + 0.2 - 0.2 * (90 * a_degree - 2500) / 17500) / 5,
            "answered": 0.8,
        },
        rel=1e-4,
    )  # fmt: skip
    assert set(found) == set(config.EVAL_SCORES)
    assert scores(["?"] * 5, truth)["median_km"] == math.inf


@pytest.mark.parametrize(("task", "longest"), [("sft", 5), ("grpo", 3)])
def test_every_row_is_answered_in_its_place_in_batches(
    places, asked, tmp_path, monkeypatch, task, longest
):
    """Batches of four; the answers are those of a row alone, as long as the task's may be."""
    more = [*HELD, f"data.eval_table={asked}", "predict.max_tokens=5", "grpo.max_tokens=3"]
    run = run_of(task, places, tmp_path, *more)
    build = grpo.build if task == "grpo" else lambda given: sft.GeoSFTTrainer(
        args=sft.arguments(given), **data.trainer_inputs(data.checked(given), completions=True)
    )  # fmt: skip
    trainer = build(run)
    photos = data.photos(held_out_config(run), "grpo")
    judge = HeldOut(trainer, run, photos)
    monkeypatch.setattr(evaluating, "BATCH", 4)
    found = judge._texts()
    options = config.PredictConfig(max_tokens=longest)
    alone = [
        generate(trainer.model, trainer.processing_class, [photos.reader.image(row)],
                 [photos.reader.prompt(row)], options)[0]
        for row in photos.table.to_pylist()
    ]  # fmt: skip
    assert len(found) == 7
    assert found == alone


def test_a_model_is_put_back_to_training_after_it_was_asked(places, asked, tmp_path):
    run = run_of("sft", places, tmp_path, *HELD, f"data.eval_table={asked}", "max_steps=1")
    trainer = sft.GeoSFTTrainer(
        args=sft.arguments(run), **data.trainer_inputs(data.checked(run), completions=True)
    )
    judge = HeldOut(trainer, run, data.photos(held_out_config(run), "grpo"))
    modes = []
    judge._texts = lambda: modes.append(trainer.model.training) or ["?"] * 7
    trainer.model.train()
    judge.evaluate(1)
    assert (modes, trainer.model.training) == ([False], True)


def test_the_best_so_far_counts_only_where_the_run_came_from(tmp_path):
    (tmp_path / "best").mkdir()
    kept = {"step": 4, "best_metric": "reward", "scores": {"reward": 0.5}}
    (tmp_path / "best" / "held_out.json").write_text(json.dumps(kept))
    for metric, step, best in (("reward", 4, 0.5), ("reward", 9, 0.5), ("reward", 3, None),
                               ("answered", 9, None), (None, 9, None)):  # fmt: skip
        more = [] if metric is None else [f"train.best_metric={metric}"]
        judge = HeldOut(None, load(None, [f"output={tmp_path}", *more]), None)
        judge.on_train_begin(None, SimpleNamespace(global_step=step), None)
        assert judge._best == best


def test_answers_are_drawn_where_a_temperature_is_asked_for(evaluated, asked):
    from PIL import Image

    model, processor = models.load(load(None, [f"model.name={evaluated / 'final'}"]).model)
    pictures = [Image.new("RGB", (56, 56))] * 4

    def said(temperature, longest=9):
        options = config.PredictConfig(max_tokens=longest, temperature=temperature)
        return generate(model, processor, pictures, "Where?", options)

    (greedy,) = set(said(0.0))
    (whole,) = set(said(0.0, 60))
    assert whole.startswith(greedy)
    assert whole != greedy
    assert "<|" not in whole  # it ends, and its end is no part of it
    (longer,) = set(said(0.0, 80))
    assert longer == whole
    torch.manual_seed(0)
    assert len(set(said(5.0))) > 1
    assert generate(model, processor, [], "Where?", config.PredictConfig()) == []


def test_questions_of_several_lengths_are_answered_as_each_alone(evaluated):
    from PIL import Image

    model, processor = models.load(load(None, [f"model.name={evaluated / 'final'}"]).model)
    pictures = [Image.new("RGB", (56, 56), colour) for colour in ("red", "green")]
    chats = [[{"role": "user", "content": text}] for text in ("Where?", "Where? Where? Where?")]
    options = config.PredictConfig(max_tokens=30)
    both = generate(model, processor, pictures, chats, options)
    alone = [
        generate(model, processor, [picture], [chat], options)[0]
        for picture, chat in zip(pictures, chats, strict=True)
    ]
    assert both == alone


def test_the_model_is_asked_in_the_words_that_it_was_taught_in(evaluated, monkeypatch):
    from PIL import Image

    model, processor = models.load(load(None, [f"model.name={evaluated / 'final'}"]).model)
    given = []
    monkeypatch.setattr(model, "generate", lambda **one: given.append(one) or one["input_ids"])
    options = config.PredictConfig(max_tokens=7)
    pictures = [Image.new("RGB", (56, 56))] * 2
    chats = [[{"role": "user", "content": text}] for text in ("Where?", "Where? Where?")]
    generate(model, processor, pictures, chats, options)
    generate(model, processor, pictures, "Where?", dataclasses.replace(options, temperature=0.5))
    read = processor.tokenizer.decode
    shown = f"<|im_start|>user\n<|vision_start|>{'<|image_pad|>' * 4}<|vision_end|>"
    long, short = (
        f"{shown}{text}<|im_end|>\n<|im_start|>assistant\n" for text in ("Where? Where?", "Where?")
    )
    first, second = (read(row) for row in given[0]["input_ids"])
    assert second == long
    assert first.endswith(short)
    assert set(first.removesuffix(short).split("<|endoftext|>")) == {""}  # padded on the left
    assert read(given[1]["input_ids"][1]) == short
    assert given[0]["max_new_tokens"] == 7
    assert given[0]["suppress_tokens"] == models.special_ids(processor)
    assert (given[0]["do_sample"], given[1]["do_sample"]) == (False, True)
    assert (given[1]["temperature"], given[1]["top_k"]) == (0.5, 0)
