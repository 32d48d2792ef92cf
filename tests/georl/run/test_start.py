"""What a start tells and refuses, each from both sides (georl.run.launch, georl.run.resume)."""

import json
import re
from types import SimpleNamespace

import pytest
import torch

from georl import sft
from georl.config import ConfigError, load
from georl.run import checkpoints, launch, resume

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.mark.parametrize(
    ("asked", "found", "gpus", "said"),
    [
        ("auto", "none", 0, None),
        ("auto", "ddp", 0, None),
        ("auto", "fsdp", 1, None),
        ("auto", "deepspeed", 1, None),
        ("ddp", "ddp", 8, None),
        ("ddp", "none", 1, "is 'ddp' but the launcher set up 'none'; start with torchrun, or set"),
        ("ddp", "fsdp", 1, "is 'ddp' but the launcher set up 'fsdp'; start with torchrun, or"),
        (
            "fsdp",
            "ddp",
            1,
            "start with accelerate launch with fsdp switched on, or set train.strat",
        ),
        ("deepspeed", "fsdp", 1, "accelerate launch with deepspeed switched on"),
        ("auto", "fsdp", 0, "the launcher set up 'fsdp', which on a machine without GPUs quietly"),
        (
            "deepspeed",
            "deepspeed",
            0,
            "the launcher set up 'deepspeed', which on a machine without",
        ),
    ],
)
def test_a_launch_is_the_one_that_was_asked_for(monkeypatch, asked, found, gpus, said):
    monkeypatch.setenv("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT")
    monkeypatch.setenv("WORLD_SIZE", "8")
    told = launch._launch_problem(asked, found, gpus)
    assert told is None if said is None else said in told


@pytest.mark.parametrize(
    ("gpus", "world", "rank", "fits"),
    [(2, "1", None, False), (1, "1", None, True), (2, "2", None, True), (2, "1", "0", True)],
)
def test_one_process_of_its_own_before_several_gpus(monkeypatch, gpus, world, rank, fits):
    monkeypatch.setenv("WORLD_SIZE", world)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert (launch._launch_problem("auto", "none", gpus) is None) == fits


@pytest.mark.parametrize(
    ("fsdp", "deepspeed", "processes", "kind"),
    [
        (None, None, 1, "none"),
        (None, None, 2, "ddp"),
        ("true", None, 1, "fsdp"),
        ("TRUE", None, 2, "fsdp"),
        ("false", "true", 2, "deepspeed"),
        ("false", "false", 2, "ddp"),
    ],
)
def test_the_strategy_is_what_the_launcher_says(monkeypatch, fsdp, deepspeed, processes, kind):
    for name, value in (("FSDP", fsdp), ("DEEPSPEED", deepspeed)):
        monkeypatch.delenv(f"ACCELERATE_USE_{name}", raising=False)
        if value:
            monkeypatch.setenv(f"ACCELERATE_USE_{name}", value)
    assert launch._strategy(processes) == kind


def test_a_run_does_not_write_over_its_model(tmp_path):
    model = tmp_path / "a" / "final"
    model.mkdir(parents=True)
    for output, refused in ((model, True), (tmp_path / "a", True), (tmp_path, True),
                            (tmp_path / "b", False), (model / "deeper", False)):  # fmt: skip
        run = load(None, [f"model.name={model}", f"output={output}"])
        assert (launch._overwrites_its_model(run) is not None) == refused, output
    assert launch._overwrites_its_model(load(None, [f"model.name={tmp_path / 'no'}"])) is None


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        (["task=grpo", "grpo.beta=0.1"], True),
        (["task=grpo"], False),
        (["task=sft", "grpo.beta=0.1"], False),
        (["task=grpo", "grpo.beta=0.1", "model.lora_rank=4"], False),
        (["task=grpo", "grpo.beta=0.1", "model.name=elsewhere"], False),
    ],
)
def test_a_penalty_needs_a_model_to_look_back_at(more, refused):
    assert (launch._no_reference(load(None, more)) is not None) == refused


def test_a_resume_that_is_not_asked_for_looks_at_no_checkpoint(tmp_path):
    other = load(None, ["seed=9"])
    folder = tmp_path / "checkpoint-2"
    folder.mkdir()
    checkpoints.seal(folder, checkpoints.identity(other))
    with pytest.raises(ConfigError, match="belongs to another run"):
        launch.check_start(load(None, [f"output={tmp_path}"]))
    launch.check_start(load(None, [f"output={tmp_path}", "train.resume=false"]))


@pytest.mark.parametrize(
    ("error", "explained"),
    [
        (MemoryError("no room\nfor it"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9"), True),
        (RuntimeError("shapes differ\ncan't allocate memory"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_only_memory_that_ran_out_is_explained(error, explained):
    with (
        pytest.raises(ConfigError if explained else type(error)) as told,
        launch.explained_memory(),
    ):
        raise error
    if explained:
        first = str(error).partition("\n")[0]
        assert str(told.value).startswith(f"out of memory ({first}); lower train.per_device")
        assert told.value.__cause__ is error


def test_a_start_says_where_it_trains_and_how_the_batch_is_cut(tmp_path, capsys):
    torch.set_num_threads(1)
    given = [*SMALL, f"data.places={write_places(tmp_path)}", f"output={tmp_path / 'out'}"]
    sft.train(load(None, [*given, "train.batch=8", "train.per_device=2", "max_steps=1"]))
    told = capsys.readouterr().out
    line = r"training on 1 x (cpu|cuda), strategy none, batch 8 = 2 x 4 accumulated x 1\n"
    assert re.search(line, told)
    assert "going on from" not in told


def test_other_processes_than_before_are_told(tmp_path, capsys):
    for rank in range(2):
        (tmp_path / f"rng_state_{rank}.pth").touch()
    resume._tell(tmp_path, 2)
    assert capsys.readouterr().out == f"going on from {tmp_path}\n"
    resume._tell(tmp_path, 4)
    assert "was written by 2 processes and now there are 4: from here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("history", "tokens"),
    [([], 0), ([{"num_tokens": 5.0}, {"num_tokens": 12.0}, {"loss": 1.0}], 12)],
)
def test_counts_go_on_where_the_checkpoint_stands(tmp_path, history, tokens):
    state = {"log_history": history, "epoch": 2.75}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))
    trainer = resume.ExactResume()
    trainer.go_on_from(tmp_path)
    assert (trainer._total_train_tokens, trainer._epochs_done) == (tokens, 2)


def test_no_step_is_trained_beyond_the_last():
    trained = []

    class Base:
        def _run_epoch(self, *given, **options):
            trained.append((given, options))

    class Trainer(resume.ExactResume, Base):
        control = SimpleNamespace(should_training_stop=False)

    trainer = Trainer()
    for step, stops in ((3, False), (4, True), (5, True)):
        trainer.state = SimpleNamespace(global_step=step, max_steps=4)
        trainer.control.should_training_stop = False
        trainer._run_epoch(1, a=2)
        assert trainer.control.should_training_stop == stops
    assert trained == [((1,), {"a": 2})]


@pytest.mark.parametrize(
    ("fsdp", "deepspeed", "lora", "stock"),
    [
        (False, False, False, False),
        (True, False, False, True),
        (False, True, False, True),
        (False, False, True, True),
        (True, False, True, True),
    ],
)
def test_whole_weights_are_loaded_here_and_others_as_trainer_does(fsdp, deepspeed, lora, stock):
    asked, loaded = [], []

    class Base:
        def _load_from_checkpoint(self, path, model=None):
            asked.append((path, model))

    class Trainer(resume.ExactResume, Base):
        is_fsdp_enabled, is_deepspeed_enabled = fsdp, deepspeed

    class Model:
        dtype = torch.float32

        def __init__(self):
            if lora:
                self.peft_config = {}

        @classmethod
        def from_pretrained(cls, path, dtype):
            loaded.append((path, dtype))
            return cls()

        def state_dict(self):
            return {"a": 1}

        def load_state_dict(self, state, strict):
            loaded.append((state, strict))

    trainer, model = Trainer(), Model()
    trainer.model = model
    for given in (None, model):
        asked.clear()
        loaded.clear()
        trainer._load_from_checkpoint("there", given)
        assert asked == ([("there", given)] if stock else [])
        whole = [("there", torch.float32), ({"a": 1}, True)]
        assert loaded == ([] if stock else whole)
