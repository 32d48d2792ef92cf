"""What trainers are given, and what is asked and taught, argument by argument."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import answers
from georl import data, models, plan, run
from georl.config import ConfigError, DataConfig, load
from georl.data import prompts, trainers

SMALL = ["model.hidden=48", "model.layers=1", "model.vision_layers=1", "data.rows=4"]
PARIS = {"lat": 48.8584, "lon": 2.2945, "country": "France", "admin1": "Ile", "city": "Paris"}


@pytest.mark.parametrize(
    ("levels", "lines"),
    [
        (("country", "admin1", "city"), ["Country: France", "State: Ile", "City: Paris"]),
        (("admin1",), ["State: Ile"]),
        (("city",), ["City: Paris"]),
        ((), []),
    ],
)
def test_a_chain_names_the_levels_of_the_run(levels, lines):
    here = "Coordinates: (48.86, 2.29)"
    found = prompts.answer(PARIS, DataConfig(levels=levels, decimals=2))
    assert found.splitlines() == [*lines, here]
    assert prompts.answer(PARIS, DataConfig(prompt="cot", levels=levels, decimals=2)) == here
    place = {"lat": 48.8584, "lon": 2.2945}
    assert prompts.answer(place, DataConfig(levels=levels, decimals=2)) == here


def test_what_is_asked_is_the_question_else_the_prompt_with_its_levels():
    given = DataConfig(prompt="cor", levels=("city",))
    assert prompts.question(given) == answers.question("cor", ("city",))
    assert prompts.question(given) != answers.question("cor", ("country",))
    assert prompts.question(DataConfig(prompt="cot")) == answers.question("cot")
    assert prompts.question(DataConfig(prompt="cot", question="?")) == "?"
    assert prompts.question(DataConfig(prompt="cot", question="")) == answers.question("cot")


def test_a_model_that_is_too_large_is_refused_before_it_is_loaded(monkeypatch):
    order = []
    for owner, name in ((trainers, "check_memory"), (trainers, "join_processes")):
        whole = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *given, name=name, whole=whole: order.append(name) or whole(*given)
        )
    loaded = models.load
    monkeypatch.setattr(
        models, "load", lambda *a, **more: order.append("load") or loaded(*a, **more)
    )
    trainers.trainer_inputs(load(None, SMALL), completions=True)
    assert order == ["check_memory", "join_processes", "load"]
    large = load(None, ["model.name=Qwen/Qwen2.5-VL-72B-Instruct", "data.rows=4"])
    shape = plan.model_shape(large.model)
    assert shape is not None
    with pytest.raises(ConfigError, match="weights, gradients and optimizer need"):
        trainers.trainer_inputs(large, completions=True)


def test_a_stream_is_given_as_it_is_and_its_words_are_learnt(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (56, 56)).save(buffer, "PNG")
    rows = {"id": ["a"], "lat": [1.0], "lon": [2.0], "image": [buffer.getvalue()],
            "country": ["Kyrgyzstan"]}  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    given = ["data.stream=true", f"data.table={tmp_path / 'a.parquet'}", "train.max_steps=1"]
    made = trainers.trainer_inputs(load(None, [*SMALL, *given]), completions=True)
    assert isinstance(made["train_dataset"], data.Stream)
    ids = made["processing_class"].tokenizer("Country: Kyrgyzstan")["input_ids"]
    whole = trainers.trainer_inputs(load(None, [*SMALL, *given[1:]]), completions=True)
    assert not isinstance(whole["train_dataset"], data.Stream)
    assert whole["processing_class"].tokenizer("Country: Kyrgyzstan")["input_ids"] == ids
    assert len(ids) < len("Country: Kyrgyzstan") / 2  # words, no letters


def test_of_the_same_rows_the_seed_decides_the_random_weights(tmp_path):
    places = {"id": ["a", "b"], "lat": [48.9, 1.0], "lon": [2.3, 9.0]}
    pq.write_table(pa.table(places), tmp_path / "places.parquet")

    def weights(seed):
        run = load(None, [*SMALL, f"data.places={tmp_path / 'places.parquet'}", f"seed={seed}"])
        return trainers.trainer_inputs(run, completions=True)["model"].lm_head.weight.tolist()

    assert weights(1) == weights(1)
    one, other = weights(1), weights(2)
    assert (len(one), len(one[0])) == (len(other), len(other[0]))  # the same words
    assert one != other


def test_a_checked_run_is_pinned_and_its_folder_was_looked_at(tmp_path):
    from geodata import tables

    tables.append(tmp_path / "lake" / "t", pa.table({"photo_id": ["a"]}))
    given = [f"data.table={tmp_path / 'lake' / 't'}", f"output={tmp_path / 'run'}"]
    found = trainers.checked(load(None, given))
    assert found == load(None, [*given, "data.version=0"])
    assert run.check_start is trainers.check_start
    checkpoint = tmp_path / "run" / "checkpoint-2"
    checkpoint.mkdir(parents=True)
    run.checkpoints.seal(checkpoint, run.checkpoints.identity(found))
    assert trainers.checked(load(None, given)) == found  # the same run, by its version too
    tables.append(tmp_path / "lake" / "t", pa.table({"photo_id": ["b"]}))
    with pytest.raises(ConfigError, match=r"another run \(data\.version: '0' there, '1' now\)"):
        trainers.checked(load(None, given))
