"""SFT and GRPO for real, on a few images: learning, logs, resume bit for bit (R16)."""

import shutil

import pyarrow.parquet as pq
import pytest
import torch

from geodata import evaluation
from geodata.files import sha256
from georl import grpo, plan, sft
from georl.config import ConfigError, load
from georl.predict import answering
from georl.run import JsonLines, checkpoints

from .tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SETTINGS = [
    *SMALL,
    "train.logging_steps=1",
    "grpo.max_tokens=24",
]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Forty points in Africa and Europe, named by their half of the globe."""
    return write_places(tmp_path_factory.mktemp("world"))


def sft_run(places, output, *more):
    given = [*SETTINGS, "task=sft", f"data.places={places}", f"output={output}", "train.batch=8"]
    return load(None, [*given, "train.per_device=8", "train.learning_rate=1e-2", *more])


def grpo_run(places, output, model, *more):
    given = [
        *SETTINGS,
        "task=grpo",
        f"data.places={places}",
        f"output={output}",
        f"model.name={model}",
    ]
    sizes = ["train.batch=16", "train.per_device=16", "grpo.generations=4"]
    return load(None, [*given, *sizes, "train.learning_rate=1e-3", *more])


@pytest.fixture(scope="module")
def taught(places, tmp_path_factory):
    """The folder of a model after 60 SFT steps, enough to answer in the right form."""
    torch.set_num_threads(1)
    output = tmp_path_factory.mktemp("sft")
    return sft.train(sft_run(places, output, "train.max_steps=60", "train.save_steps=30"))


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Places whose answers have twenty tokens, or twice as many."""
    table = pq.read_table(write_places(tmp_path_factory.mktemp("uneven")))
    names = ["A land with a name that goes on and on" if i % 3 else "Oz" for i in range(40)]
    path = tmp_path_factory.mktemp("uneven") / "places.parquet"
    pq.write_table(table.set_column(2, "country", [names]), path)
    return path


def test_the_loss_of_a_batch_is_that_of_its_tokens_however_it_is_cut(uneven, tmp_path):
    """Micro-batches of two and of eight: a mean of means would be another loss."""
    torch.set_num_threads(1)
    for size in (8, 2):
        more = ["train.max_steps=4", f"train.per_device={size}"]
        sft.train(sft_run(uneven, tmp_path / str(size), *more))
    whole, cut = (
        [row for row in JsonLines(tmp_path / n / "metrics.jsonl").read() if "loss" in row]
        for n in ("8", "2")
    )
    for row, other in zip(whole, cut, strict=True):
        assert other["loss"] == pytest.approx(row["loss"], rel=2e-6)
        assert other["grad_norm"] == pytest.approx(row["grad_norm"], rel=1e-4)


def weights(folder):
    return sha256(folder / "model.safetensors")


def history(output):
    """The logged numbers of the steps, which must repeat; times do not."""
    rows = [row for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]
    timed = ("seconds", "per_second", "runtime", "step_time")
    return [{k: v for k, v in row.items() if not any(t in k for t in timed)} for row in rows]


def resumed_from(output, step, target):
    """A copy of a run as a kill after ``step`` leaves it: that checkpoint, and logs beyond it."""
    shutil.copytree(output / f"checkpoint-{step}", target / f"checkpoint-{step}")
    for name in ("metrics.jsonl", "groups.jsonl"):
        if (output / name).is_file():
            shutil.copy(output / name, target / name)


def test_sft_learns_logs_and_seals(taught):
    output = taught.parent
    rows = [row for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]
    assert [row["step"] for row in rows] == list(range(1, 61))
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["tokens_per_second"] > 0
    assert checkpoints.verify(taught)["run"]["task"] == "sft"
    assert not list(output.rglob("training_args.bin"))  # R18: no pickle
    assert (output / "curves.png").stat().st_size > 1000
    assert load(output / "config.yaml").train.max_steps == 60


def test_a_finished_run_started_again_changes_nothing(places, taught, tmp_path):
    resumed_from(taught.parent, 60, tmp_path)
    again = sft.train(sft_run(places, tmp_path, "train.max_steps=60", "train.save_steps=30"))
    assert weights(again) == weights(taught)


@pytest.mark.parametrize(
    "more",
    [
        ["grpo.share_prompts=false"],
        ["grpo.iterations=2", "train.per_device=8", "grpo.beta=0.1"],
    ],
    ids=["stock", "two updates, two micro-batches, KL"],
)
def test_grpo_resumed_equals_uninterrupted_bit_for_bit(places, taught, tmp_path, more):
    steps = ["train.max_steps=4", "train.save_steps=2", "data.limit=4", *more]  # epochs of 1 or 2
    whole = grpo.train(grpo_run(places, tmp_path / "whole", taught, *steps))
    (tmp_path / "cut").mkdir()
    resumed_from(tmp_path / "whole", 2, tmp_path / "cut")
    again = grpo.train(grpo_run(places, tmp_path / "cut", taught, *steps))
    assert weights(again) == weights(whole)
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    logged = [JsonLines(tmp_path / name / "groups.jsonl").read() for name in ("cut", "whole")]
    assert logged[0] == logged[1]
    assert weights(whole) != weights(taught)


def test_lora_trains_the_language_model_only_resumes_and_predicts(places, taught, tmp_path):
    from safetensors import safe_open

    more = ["model.lora_rank=4", "model.gradient_checkpointing=true", "train.max_steps=4"]
    run = grpo_run(places, tmp_path / "whole", taught, *more, "train.save_steps=2")
    whole = grpo.train(run)
    with safe_open(whole / "adapter_model.safetensors", "pt") as file:
        names = list(file.keys())
    assert names
    assert not any("visual" in name for name in names)
    (tmp_path / "cut").mkdir()
    resumed_from(tmp_path / "whole", 2, tmp_path / "cut")
    again = grpo.train(grpo_run(places, tmp_path / "cut", taught, *more, "train.save_steps=2"))
    digests = [sha256(folder / "adapter_model.safetensors") for folder in (again, whole)]
    assert digests[0] == digests[1]
    output = tmp_path / "predictions.jsonl"
    given = [
        *SETTINGS,
        "task=predict",
        f"model.name={whole}",
        f"data.places={places}",
        "data.limit=8",
    ]
    answering.predict(load(None, [*given, f"predict.output={output}", "predict.max_tokens=24"]))
    assert len(output.read_text().splitlines()) == 8


def test_a_frozen_vision_tower_stays_as_it_was(places, taught, tmp_path):
    from safetensors.torch import load_file

    run = sft_run(
        places, tmp_path, f"model.name={taught}", "model.freeze_vision=true", "max_steps=2"
    )
    before, after = (load_file(p / "model.safetensors") for p in (taught, sft.train(run)))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not any("visual" in name for name in moved)


def test_grpo_logs_rewards_accuracy_groups_and_rollouts(places, taught, tmp_path):
    run = grpo_run(
        places, tmp_path, taught, "train.max_steps=2", "rewards.weights={geo_r: 1.0, format: 0.0}"
    )
    grpo.train(run)
    row = JsonLines(tmp_path / "metrics.jsonl").read()[0]
    for name in ("reward", "rewards/geo_r/mean", "rewards/format/mean", "within_750km", "format"):
        assert 0 <= row[name] <= 1
    for name in ("entropy", "frac_reward_zero_std", "completions/mean_length", "groups/equal"):
        assert row[name] >= 0
    rollouts = pq.read_table(tmp_path / "rollouts.parquet")
    assert {"step", "photo", "answer", "reward_geo_r"} <= set(rollouts.column_names)
    scored = evaluation.evaluate(tmp_path / "rollouts.parquet")
    assert scored.rows == 2 * 16
    answered = [km for km in rollouts["distance_km"].to_pylist() if km is not None]
    assert scored.accuracy[750] == sum(km <= 750 for km in answered) / 32
    assert rollouts.num_rows == 2 * 16
    groups = JsonLines(tmp_path / "groups.jsonl").read()
    assert len(groups) == 2 * 4
    assert {"country", "cell", "equal", "invalid", "range"} <= set(groups[0])


def test_a_run_too_large_for_the_device_is_refused_before_it_loads(
    places, taught, tmp_path, capsys
):
    huge = plan.Shape(10**14, 0, 32, 4096, 11008, 1024, 152064)
    with pytest.raises(ConfigError, match=r"model\.lora_rank=64"):
        plan.check_memory(grpo_run(places, tmp_path, taught), huge)
    plan.check_memory(grpo_run(places, tmp_path, taught))
    assert capsys.readouterr().out == ""
    plan.check_memory(
        grpo_run(places, tmp_path, taught, "train.batch=4000000000", "train.per_device=4000000000")
    )
    assert "lower train.per_device" in capsys.readouterr().out
    missing = sft_run(places, tmp_path, "model.name=/no/such/model", "model.revision=abc")
    with pytest.raises(ConfigError, match="cannot be"):
        sft.train(missing)


def test_predictions_cover_every_row_in_order_and_go_on_after_a_stop(places, taught, tmp_path):
    output = tmp_path / "predictions.parquet"
    given = [*SETTINGS, "task=predict", f"model.name={taught}", f"data.places={places}"]
    run = load(
        None, [*given, f"predict.output={output}", "predict.batch=16", "predict.max_tokens=24"]
    )
    answering.predict(run)
    whole = pq.read_table(output)
    assert whole["id"].to_pylist() == [str(i) for i in range(40)]
    assert sum(status == "ok" for status in whole["status"].to_pylist()) > 30
    # as a stop leaves it: a head, some answers and half a line
    partial = JsonLines(output.with_name("predictions.parquet.partial.jsonl"))
    partial.write([{"run": answering._run_id(run)}, *whole.slice(0, 20).to_pylist()])
    with partial.path.open("a") as file:
        file.write('{"id": "20", "ans')
    output.unlink()
    answering.predict(run)
    assert pq.read_table(output).equals(whole)


def test_a_batch_that_opens_a_photo_several_times_shares_the_image(places):
    from georl import data

    run = grpo_run(places, "unused", "tiny")
    rows = data.load(run, completions=False).__getitems__([3, 3, 5])
    assert rows[0]["image"] is rows[1]["image"]
    assert rows[0]["image"] is not rows[2]["image"]
    assert rows[0]["prompt"] == [{"role": "user", "content": "Where?"}]
