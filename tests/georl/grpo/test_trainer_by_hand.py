"""The trainer's own methods, each without a run around it (georl.grpo.trainer)."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from trl.trainer import grpo_trainer
from trl.trainer.grpo_trainer import GRPOTrainer

from georl import data, grpo, held_out, models, rewards
from georl.config import load
from georl.grpo import first_batch, trainer as module
from georl.grpo.shared_trainer import SharedPromptsTrainer

RUN = load(None, ["task=grpo", "seed=9", "curriculum.radius_km=77", "grpo.generations=2"])


def made(**given):
    """A trainer without its training: only what a method is asked here."""
    trainer = object.__new__(grpo.GeoGRPOTrainer)
    trainer.__dict__ |= given
    return trainer


# --- how a run is put together ----------------------------------------------------------------


def test_a_run_is_checked_built_looked_at_and_fitted(monkeypatch):
    told = []
    monkeypatch.setattr(data, "checked", lambda run: told.append(("checked", run)) or "sound")
    monkeypatch.setattr(module, "build", lambda run: told.append(("built", run)) or "trainer")
    monkeypatch.setattr(held_out, "attach", lambda *given: told.append(("attached", *given)))
    monkeypatch.setattr(module, "fit", lambda *given: told.append(("fit", *given)) or Path("final"))
    assert module.train("run") == Path("final")
    assert told == [("checked", "run"), ("built", "sound"), ("attached", "trainer", "sound"),
                    ("fit", "trainer", "sound")]  # fmt: skip


class Kept:
    """A trainer that keeps what it is made of."""

    def __init__(self, **given):
        self.given = given


@pytest.fixture
def inputs(monkeypatch):
    asked = []

    def given(run, *, completions):
        asked.append((run, completions))
        return {"model": "a model", "processing_class": "a processor", "train_dataset": "rows"}

    monkeypatch.setattr(data, "trainer_inputs", given)
    monkeypatch.setattr(module, "arguments", lambda run, processor: (run, processor))
    return asked


def test_a_trainer_is_made_of_the_run_its_rewards_and_its_data(inputs):
    made_of = module.build(RUN, Kept).given
    (reward,) = made_of.pop("reward_funcs")
    assert reward.__name__ == "geo_r"
    assert made_of == {
        "settings": RUN, "args": (RUN, "a processor"), "model": "a model",
        "processing_class": "a processor", "train_dataset": "rows",
    }  # fmt: skip
    assert inputs == [(RUN, False)]  # GRPO asks, and shows no answer


def test_rewards_that_are_given_stand_in_the_settings_too(inputs):
    def mine(completions, **_):
        return [0.0] * len(completions)

    run = load(None, ["task=grpo", "rewards.weights={mine: 0.25, format: 3.0}"])
    made_of = module.build(run, Kept, reward_funcs=[mine, "geo_r"]).given
    assert [function.__name__ for function in made_of["reward_funcs"]] == ["mine", "geo_r"]
    assert made_of["settings"].rewards.weights == {"mine": 0.25, "geo_r": 1.0}
    assert made_of["args"][0] is made_of["settings"] is inputs[0][0]
    assert made_of["settings"].grpo == run.grpo
    none = module.build(run, Kept, reward_funcs=[mine]).given
    assert none["settings"].rewards.weights == {"mine": 0.25}


@pytest.mark.parametrize("share", [True, False])
def test_a_trainer_begins_with_its_own_parts_beside_those_of_trl(monkeypatch, share):
    seen, wanted = {}, []

    def stock(self, **options):
        seen.update(options, copies=grpo_trainer.create_model_from_path("any name"))
        self.reward_func_names = ["geo_r"]

    monkeypatch.setattr(GRPOTrainer, "__init__", stock)
    monkeypatch.setattr(SharedPromptsTrainer, "share_prompts", lambda self, w: wanted.append(w))
    run = load(None, ["task=grpo", "seed=9", "curriculum.radius_km=77",
                      f"grpo.share_prompts={str(share).lower()}"])  # fmt: skip
    model = torch.nn.Linear(2, 2)
    trainer = grpo.GeoGRPOTrainer(settings=run, model=model, args="args")
    copy = seen.pop("copies")
    assert seen == {"model": model, "args": "args"}
    assert torch.equal(copy.weight, model.weight)
    assert not copy.weight.requires_grad
    assert (copy.training, model.training) == (False, True)  # nothing is dropped at random
    assert trainer.settings is run
    assert (trainer.curriculum.config, trainer.curriculum.seed) == (run.curriculum, 9)
    assert trainer.rollouts._names == ["geo_r"]
    assert trainer.generated_tokens == 0
    assert wanted == [share]
    assert trainer._compared is False


# --- the first batch --------------------------------------------------------------------------


def test_the_first_batch_alone_is_compared_and_before_it_is_answered(monkeypatch):
    told = []
    monkeypatch.setattr(
        SharedPromptsTrainer, "_generate_single_turn",
        lambda self, *given: told.append(("asked", *given)) or "answers",
    )  # fmt: skip
    trainer = made(_compared=False, _compare=lambda *given: told.append(("compared", *given)))
    for _ in range(2):
        assert trainer._generate_single_turn("ids", "images", {}, 4, False) == "answers"
    asked = ("asked", "ids", "images", {}, 4, False)
    assert told == [("compared", "ids", "images", {}), asked, asked]


@pytest.mark.parametrize(
    ("share", "group", "rows"),
    [(True, [0, 0, 1, 1], [0, 2]), (True, None, [0, 1, 2, 3]), (False, [0, 0, 1, 1], [0, 1, 2, 3])],
)
def test_features_are_held_against_the_prompts_that_they_are_of(monkeypatch, share, group, rows):
    """Of shared prompts there is one set of features a group."""
    asked = []
    monkeypatch.setattr(first_batch, "check_images", lambda *given: asked.append(given))
    trainer = made(
        use_vllm=False, _share=share, processing_class="a processor",
        _group=None if group is None else torch.tensor(group),
    )  # fmt: skip
    ids, images = [[10], [11], [12], [13]], [["a"], ["b"], ["c"], ["d"]]
    grid = [[1, 2, 2]] * len(rows)
    trainer._compare(ids, images, {"image_grid_thw": grid})
    ((prompts, pictures, held, processor, uncapped),) = asked
    assert prompts == [ids[row] for row in rows]
    assert pictures == [images[row] for row in rows]
    assert held.tolist() == grid
    assert (processor, uncapped) == ("a processor", None)
    trainer._compare(ids, images, {})  # of another kind of model, or of no pictures
    trainer._compare(ids, None, {})
    assert len(asked) == 1


def test_vllm_is_held_against_the_processor_as_it_loads_it(monkeypatch):
    """Without the bounds of the run, and with room for the prompt alone."""
    loaded, lengths, asked = [], [], []
    monkeypatch.setattr(models, "load_processor", lambda model: loaded.append(model) or "theirs")
    monkeypatch.setattr(first_batch, "check_lengths", lambda *given: lengths.append(given))
    monkeypatch.setattr(first_batch, "compared", lambda generate: ("compared", generate))
    monkeypatch.setattr(first_batch, "check_images", lambda *given: asked.append(given))
    run = load(None, ["task=grpo", "grpo.vllm=colocate", "grpo.vllm_max_length=900",
                      "grpo.max_tokens=100", "model.max_pixels=12544", "model.min_pixels=784",
                      "model.name=mine"])  # fmt: skip
    engine = SimpleNamespace(generate="answers")
    trainer = made(
        use_vllm=True, settings=run, vllm_generation=engine, _share=False, _group=None,
        processing_class="ours",
    )  # fmt: skip
    trainer._compare([[1]], [["a"]], {"image_grid_thw": [[1, 2, 2]]})
    (model,) = loaded
    assert (model.name, model.max_pixels, model.min_pixels) == ("mine", None, None)
    assert lengths == [([[1]], 800)]
    assert engine.generate == ("compared", "answers")
    assert asked[0][3:] == ("ours", "theirs")


# --- a batch ----------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_a_batch_is_chosen_dropped_and_replaced_in_training_only(monkeypatch, training):
    told = []
    monkeypatch.setattr(
        module, "drop_and_replace", lambda *given: told.append(("dropped", *given)) or "batch"
    )
    monkeypatch.setattr(
        SharedPromptsTrainer, "_generate_and_score_completions",
        lambda self, rows: told.append(("scored", rows)) or "scored",
    )  # fmt: skip
    trainer = made(
        model=torch.nn.Linear(1, 1).train(training),
        curriculum=SimpleNamespace(choose=lambda *given: told.append(("chosen", *given)) or "rows"),
    )
    found = trainer._generate_and_score_completions("inputs")
    if training:
        assert found == "batch"
        assert told == [("chosen", "inputs", trainer), ("dropped", trainer, "rows")]
    else:
        assert found == "scored"
        assert told == [("scored", "inputs")]


def test_the_shares_that_are_logged_are_those_of_all_processes(monkeypatch):
    monkeypatch.setattr(module, "gather_object", lambda own: [*own, True, True])
    monkeypatch.setattr(GRPOTrainer, "_calculate_rewards", lambda *given: torch.ones(2, 1))
    trainer = made(
        model=torch.nn.Linear(1, 1), settings=RUN, reward_funcs=[rewards.geo_r],
        rollouts=SimpleNamespace(keep=lambda *_: None), generated_tokens=0,
        _metrics={"train": {"chain/present": [], "chain/consistent": []}},
    )  # fmt: skip
    trainer._calculate_rewards([], [], ["?", "?"], [[], []])
    assert trainer._metrics["train"] == {"chain/present": [0.5], "chain/consistent": [0.5]}


# --- TRL's arguments --------------------------------------------------------------------------


def test_where_answers_are_sampled():
    sampling, special = module._sampling, [3, 7]
    off = load(None, ["task=grpo", "grpo.vllm_memory=0.7"])
    assert sampling(off, special) == {"generation_kwargs": {"suppress_tokens": [3, 7]}}
    more = ["task=grpo", "grpo.vllm=server", "grpo.vllm_url=http://h:1", "grpo.vllm_memory=0.7",
            "grpo.vllm_tensor_parallel=3", "grpo.vllm_max_length=555",
            "grpo.vllm_correction=sequence_mask", "grpo.vllm_correction_cap=4.5"]  # fmt: skip
    expected = {
        "use_vllm": True, "vllm_mode": "server", "vllm_gpu_memory_utilization": 0.7,
        "vllm_tensor_parallel_size": 3, "vllm_max_model_length": 555,
        "vllm_enable_sleep_mode": False, "vllm_server_base_url": "http://h:1",
        "vllm_importance_sampling_correction": True,
        "vllm_importance_sampling_mode": "sequence_mask",
        "vllm_importance_sampling_clip_max": 4.5,
        "generation_kwargs": {"logit_bias": {3: -100.0, 7: -100.0}},
    }  # fmt: skip
    assert sampling(load(None, more), special) == expected
    plain = sampling(load(None, [*more, "vllm=colocate", "vllm_correction=off"]), special)
    changed = {"vllm_mode": "colocate", "vllm_enable_sleep_mode": True,
               "vllm_importance_sampling_correction": False,
               "vllm_importance_sampling_mode": "token_truncate"}  # fmt: skip
    assert plain == expected | changed
