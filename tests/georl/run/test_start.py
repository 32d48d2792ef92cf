"""What a start tells and refuses, each from both sides (georl.run.launch, georl.run.resume)."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from trl.trainer.utils import RepeatSampler

from georl import sft
from georl.config import ConfigError, load
from georl.run import JsonLines, checkpoints, launch, resume

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
    [
        ([], 0),
        ([{"loss": 1.0}], 0),
        ([{"num_tokens": 5.0}, {"num_tokens": 12.0}, {"num_tokens": 20.0}, {"loss": 1.0}], 20),
    ],
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


# --- where a run goes on, and what is sealed -------------------------------------------------


class Processes:
    """One of several processes, which counts how often it waited for the others."""

    def __init__(self, *, first=True, count=1):
        self.is_main_process, self.num_processes, self.waited = first, count, 0

    def wait_for_everyone(self):
        self.waited += 1


class Starts:
    """What a start asks of a trainer."""

    def __init__(self, **more):
        self.accelerator, self.went_on = Processes(**more), []

    def go_on_from(self, path):
        self.went_on.append(path)


def left_by(run, *steps):
    """A folder as a run left it that was killed behind its last checkpoint."""
    output = Path(run.output)
    for step in steps:
        folder = output / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "rng_state.pth").write_text("x")
        checkpoints.seal(folder, checkpoints.identity(run))
    JsonLines(output / "metrics.jsonl").write([{"step": n, "loss": 1.0} for n in range(1, 7)])
    return [output / f"checkpoint-{step}" for step in steps]


def test_the_first_process_takes_the_folder_back_to_its_newest_checkpoint(tmp_path, capsys):
    run = load(None, [f"output={tmp_path}"])
    _, new = left_by(run, 2, 4)
    trainer = Starts()
    assert resume.start(trainer, run) == new
    assert trainer.went_on == [new]
    assert trainer.accelerator.waited == 1
    assert [row["step"] for row in JsonLines(tmp_path / "metrics.jsonl").read()] == [1, 2, 3, 4]
    assert load(tmp_path / "config.yaml") == run
    assert json.loads((tmp_path / "run.json").read_text())["made_by"] == "georl"
    assert capsys.readouterr().out == f"going on from {new}\n"


def test_of_several_processes_the_others_write_nothing_and_go_where_they_are_told(
    tmp_path, monkeypatch, capsys
):
    run = load(None, [f"output={tmp_path}"])
    _, new = left_by(run, 2, 4)
    asked = []

    def told(objects):
        asked.append(list(objects))
        return [new]

    monkeypatch.setattr(resume, "broadcast_object_list", told)
    trainer = Starts(first=False, count=2)
    assert resume.start(trainer, run) == new
    assert asked == [[None]]
    assert trainer.went_on == [new]
    assert trainer.accelerator.waited == 1
    assert len(JsonLines(tmp_path / "metrics.jsonl").read()) == 6
    assert not (tmp_path / "config.yaml").exists()
    assert capsys.readouterr().out == ""


def test_a_start_over_reads_no_checkpoint_and_moves_all_of_it_aside(tmp_path, capsys):
    run = load(None, [f"output={tmp_path}", "train.resume=false"])
    left_by(run, 2)
    (tmp_path / "config.yaml").write_text("of before")
    trainer = Starts()
    assert resume.start(trainer, run) is None
    assert trainer.went_on == []
    assert trainer.accelerator.waited == 1
    assert not (tmp_path / "metrics.jsonl").exists()
    aside = tmp_path / "replaced" / "1"
    assert (aside / "checkpoint-2").is_dir()
    assert len(JsonLines(aside / "metrics.jsonl").read()) == 6  # moved before it is cut back
    assert (aside / "config.yaml").read_text() == "of before"
    assert "going on" not in capsys.readouterr().out


class Curriculum:
    def save(self, path):
        path.write_text("learnt")

    def restore(self, path):
        self.restored = path


@pytest.mark.parametrize("task", ["sft", "grpo"])
def test_a_checkpoint_is_sealed_whole_and_the_oldest_go(tmp_path, task):
    run = load(None, [f"output={tmp_path}", "train.keep_checkpoints=2"])
    left_by(run, 1, 2)
    folder = tmp_path / "checkpoint-3"
    folder.mkdir()
    for name in ("optimizer.pt", "training_args.bin"):
        (folder / name).write_text("x")
    trainer = SimpleNamespace(accelerator=Processes())
    if task == "grpo":
        trainer.curriculum = Curriculum()
    seal = resume.SealCallback(trainer, run)
    seal.on_save(None, SimpleNamespace(global_step=3, is_world_process_zero=False), None)
    assert trainer.accelerator.waited == 2  # before, for the parts of all; and until it is sealed
    assert not (folder / checkpoints.MARKER).exists()
    seal.on_save(None, SimpleNamespace(global_step=3, is_world_process_zero=True), None)
    assert trainer.accelerator.waited == 4
    found = checkpoints.verify(folder)
    assert found["files"].keys() == {
        "optimizer.pt",
        *(["curriculum.json"] if task == "grpo" else []),
    }
    assert found["run"] == json.loads(json.dumps(checkpoints.identity(run)))
    assert [path.name for path in checkpoints.listed(tmp_path)] == ["checkpoint-2", "checkpoint-3"]
    resume.without_pickle(folder)  # where there is none, nothing is amiss


def test_the_oldest_go_only_once_the_new_one_is_sealed(tmp_path, monkeypatch):
    run = load(None, [f"output={tmp_path}", "train.keep_checkpoints=1"])
    left_by(run, 1, 2)
    (tmp_path / "checkpoint-3").mkdir()

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(checkpoints, "seal", broken)
    seal = resume.SealCallback(SimpleNamespace(accelerator=Processes()), run)
    with pytest.raises(OSError, match="no space"):
        seal.on_save(None, SimpleNamespace(global_step=3, is_world_process_zero=True), None)
    assert [path.name for path in checkpoints.listed(tmp_path)] == [
        f"checkpoint-{step}" for step in (1, 2, 3)
    ]


def test_the_parts_of_all_processes_are_there_before_the_seal(tmp_path):
    """Each writes its random state itself: one that comes late would be missing in the list."""
    folder = tmp_path / "checkpoint-3"
    folder.mkdir()
    accelerator = Processes(count=2)
    late = iter([lambda: (folder / "rng_state_1.pth").write_text("x"), lambda: None])
    accelerator.wait_for_everyone = lambda: next(late)()
    seal = resume.SealCallback(
        SimpleNamespace(accelerator=accelerator), load(None, [f"output={tmp_path}"])
    )
    seal.on_save(None, SimpleNamespace(global_step=3, is_world_process_zero=True), None)
    assert checkpoints.verify(folder)["files"].keys() == {"rng_state_1.pth"}


def test_what_the_curriculum_learnt_goes_on_too(tmp_path):
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": [], "epoch": 0.99}))
    trainer = resume.ExactResume()
    trainer.curriculum = Curriculum()
    trainer.go_on_from(tmp_path)
    assert trainer.curriculum.restored == tmp_path / "curriculum.json"
    assert trainer._epochs_done == 0


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_the_order_of_an_epoch_is_that_of_an_uninterrupted_run(shuffle, epochs):
    def sampler():
        return RepeatSampler(range(8), 1, shuffle=shuffle, seed=5)

    class Base:
        def _get_train_sampler(self, *given, **options):
            asked.append((given, options))
            return sampler()

    class Trainer(resume.ExactResume, Base):
        pass

    asked, whole = [], sampler()
    orders = [list(whole) for _ in range(epochs + 1)]
    trainer = Trainer()
    assert list(trainer._get_train_sampler()) == orders[0]
    trainer._epochs_done = epochs
    assert list(trainer._get_train_sampler(1, a=2)) == orders[-1]
    assert asked == [((), {}), ((1,), {"a": 2})]
    assert (len({tuple(order) for order in orders}) == epochs + 1) == (shuffle or epochs == 0)


def test_a_sampler_of_another_kind_is_left_alone():
    class Base:
        def _get_train_sampler(self):
            return None

    class Trainer(resume.ExactResume, Base):
        _epochs_done = 2

    assert Trainer()._get_train_sampler() is None


# --- the final model -------------------------------------------------------------------------


class Saves:
    """What the end of a run asks of a trainer."""

    def __init__(self, weights=True, **more):
        self.accelerator, self.saved, self._weights = Processes(**more), [], weights

    def save_model(self, folder):
        self.saved.append(folder)
        assert not Path(folder).exists()
        Path(folder).mkdir()
        (Path(folder) / "training_args.bin").touch()
        if self._weights:
            save_file({"a": torch.ones(2)}, Path(folder) / "model.safetensors")


def test_the_end_of_a_run_writes_a_sealed_model_and_what_people_look_at(tmp_path):
    run = load(None, [f"output={tmp_path}", "model.dtype=bfloat16", "train.push_to=null"])
    old = tmp_path / "final"
    old.mkdir()
    (old / "of_before").touch()
    log = JsonLines(tmp_path / "metrics.jsonl")
    log.write([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])
    (tmp_path / "rollouts").mkdir()
    samples = pa.table({"id": ["1/0"]})
    pq.write_table(samples, tmp_path / "rollouts" / "step-000001-000.parquet")
    trainer = Saves()
    assert launch._finish(trainer, run) == tmp_path / "final"
    assert trainer.saved == [str(tmp_path / "final")]
    assert trainer.accelerator.waited == 2
    found = checkpoints.verify(tmp_path / "final")
    assert found["files"].keys() == {"model.safetensors"}
    assert found["run"]["task"] == "sft"
    assert load_file(tmp_path / "final" / "model.safetensors")["a"].dtype == torch.bfloat16
    assert (tmp_path / "curves.png").is_file()
    assert pq.read_table(tmp_path / "rollouts.parquet").equals(samples)


def test_of_several_processes_the_others_only_hand_their_weights_in(tmp_path):
    run = load(None, [f"output={tmp_path}"])
    JsonLines(tmp_path / "metrics.jsonl").write(
        [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
    )
    trainer = Saves(first=False, count=2)
    assert launch._finish(trainer, run) == tmp_path / "final"
    assert trainer.saved == [str(tmp_path / "final")]
    assert trainer.accelerator.waited == 2
    assert not (tmp_path / "final" / checkpoints.MARKER).exists()
    assert not (tmp_path / "curves.png").exists()


def test_a_model_without_weights_is_not_sealed(tmp_path):
    run = load(None, [f"output={tmp_path}"])
    with pytest.raises(ConfigError) as error:
        launch._finish(Saves(weights=False), run)
    assert str(error.value) == (
        f"{tmp_path / 'final'} holds no weights: this way of sharding writes only shards; start "
        "again with configs/accelerate/fsdp2.yaml or zero3.yaml, it goes on from the last "
        "checkpoint"
    )
    assert not (tmp_path / "final" / checkpoints.MARKER).exists()


# --- the launch ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["train.strategy=ddp", "train.resume=false"], "train.strategy is 'ddp' but the launcher"),
        (["task=grpo", "grpo.beta=0.5"], "grpo.beta is 0.5, a penalty"),
        (["model.name={here}", "model.lora_rank=4"], "lies in the output folder"),
        (["train.report_to=[wandb]"], "train.report_to"),
        (["task=grpo", "grpo.vllm=colocate"], "vllm"),
        (["train.push_to=me/model"], "there is no token"),
    ],
)
def test_a_start_is_refused_for_each_reason_and_nothing_is_written(
    tmp_path, monkeypatch, more, said
):
    for name in ("wandb", "vllm"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("georl.run.hub.get_token", lambda: None)
    (tmp_path / "here").mkdir()
    given = [text.format(here=tmp_path / "here") for text in more]
    with pytest.raises(ConfigError, match=re.escape(said)):
        launch.check_start(load(None, [f"output={tmp_path / 'here'}", *given]))
    assert not list((tmp_path / "here").iterdir())


def test_a_folder_of_another_program_is_refused_also_where_nothing_is_resumed(tmp_path):
    (tmp_path / "final").mkdir()
    for resumes in ("true", "false"):
        with pytest.raises(ConfigError, match="holds final, which no run of georl made"):
            launch.check_start(load(None, [f"output={tmp_path}", f"train.resume={resumes}"]))


def test_a_checkpoint_of_another_sharding_is_refused_only_where_it_is_resumed(tmp_path):
    folder = tmp_path / "checkpoint-2"
    folder.mkdir()
    (folder / "optimizer.bin").touch()
    run = load(None, [f"output={tmp_path}"])
    checkpoints.seal(folder, checkpoints.identity(run))
    with pytest.raises(ConfigError, match="holds no optimizer"):
        launch.check_start(run)
    launch.check_start(load(None, [f"output={tmp_path}", "train.resume=false"]))


@pytest.mark.parametrize("there", [True, False])
def test_the_processor_is_used_where_there_is_nothing_else(monkeypatch, there):
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    found = launch.common_arguments(load(None, []))
    assert found["use_cpu"] is not there
    assert found["disable_tqdm"] is False
    assert found["fp16"] is False


@pytest.mark.parametrize("on", [True, False])
def test_checkpointing_has_the_name_that_this_version_knows(monkeypatch, on):
    new = "activation_checkpointing"
    for fields, named in (({new: 1}, {new: on}), ({}, {})):
        monkeypatch.setattr(
            launch, "TrainingArguments", SimpleNamespace(__dataclass_fields__=fields)
        )
        assert launch._checkpointing(on) == {"gradient_checkpointing": on} | named


def test_the_batch_is_cut_over_the_processes_of_the_launch(monkeypatch):
    run = load(None, ["train.batch=32", "train.per_device=4"])
    for world, cut in (("1", 8), ("2", 4), ("8", 1)):
        monkeypatch.setenv("WORLD_SIZE", world)
        assert launch.common_arguments(run)["gradient_accumulation_steps"] == cut


class Runs(Saves):
    """A trainer that trains nothing, and notes what it is told."""

    def __init__(self, stops_at=None, **more):
        super().__init__(**more)
        self.accelerator.distributed_type = "DistributedType.NO"
        self.accelerator.device = torch.device("cpu")
        self.state = SimpleNamespace(global_step=6)
        self.callbacks, self.trained, self._stops_at = [], [], stops_at

    def add_callback(self, callback):
        self.callbacks.append(callback)

    def go_on_from(self, path):
        self.went_on = path

    def train(self, resume_from_checkpoint):
        self.trained.append(resume_from_checkpoint)
        if self._stops_at:
            self.state.global_step = self._stops_at
            self.callbacks[0].asked, self.callbacks[0].stopped = 15, True


def test_a_fit_goes_on_from_where_it_stands_and_finishes(tmp_path, capsys):
    run = load(None, [f"output={tmp_path}"])
    (new,) = left_by(run, 4)
    trainer = Runs()
    assert launch.fit(trainer, run) == tmp_path / "final"
    assert trainer.trained == [str(new)]
    assert trainer.went_on == new
    checkpoints.verify(tmp_path / "final")
    kinds = [type(one).__name__ for one in trainer.callbacks]
    assert kinds == ["StopCallback", "MetricsCallback", "SealCallback"]  # a row, then the seal
    told = capsys.readouterr().out
    assert re.search(r"training on 1 x cpu, strategy none, batch \d+ = \d+ x \d+ accum", told)


@pytest.mark.parametrize(
    ("more", "period"),
    [
        (["task=sft", "grpo.iterations=3"], 1),
        (["task=grpo", "grpo.iterations=3"], 3),
        (["task=grpo"], 1),
    ],
)
def test_a_run_stops_only_where_its_answers_are_used_up(tmp_path, more, period):
    trainer = Runs()
    launch.fit(trainer, load(None, [f"output={tmp_path}", *more]))
    assert trainer.trained == [None]
    stop = trainer.callbacks[0]
    stop.asked = 15
    control = SimpleNamespace(should_save=False, should_training_stop=False)
    for step in range(1, period + 1):
        assert not stop.stopped
        stop.on_step_end(None, SimpleNamespace(global_step=step, max_steps=9), control)
    assert stop.stopped


def test_a_run_that_was_stopped_writes_no_final_model(tmp_path, capsys):
    trainer = Runs(stops_at=5)
    with pytest.raises(SystemExit) as left:
        launch.fit(trainer, load(None, [f"output={tmp_path}"]))
    assert left.value.code == 75
    assert "stopped by SIGTERM with checkpoint-5 sealed" in capsys.readouterr().out
    assert trainer.saved == []


def test_of_several_processes_one_takes_the_folder_and_says_where_it_trains(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(resume, "broadcast_object_list", lambda objects: objects)
    run = load(None, [f"output={tmp_path}", "train.batch=16", "train.per_device=2"])
    launch.fit(Runs(first=False, count=2), run)
    assert not (tmp_path / "run.lock").exists()
    assert capsys.readouterr().out == ""
    (tmp_path / "final").rename(tmp_path / "elsewhere")
    trainer = Runs(first=True, count=2)
    launch.fit(trainer, run)
    assert (tmp_path / "run.lock").exists()
    told = capsys.readouterr().out
    assert "training on 2 x cpu, strategy ddp, batch 16 = 2 x 4 accumulated x 2\n" in told
    assert trainer.accelerator.waited == 4  # the lock, the start, the old model, the new one
