"""What a launch hands to TRL, setting by setting, and what it refuses, word by word."""

from types import SimpleNamespace

import pytest
import torch
from transformers import TrainingArguments

from georl.config import ConfigError, load
from georl.run import checkpoints, launch, ownership

# --- what TRL is told ------------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch):
    """One process, which the launcher said nothing to."""
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "FSDP_STATE_DICT_TYPE",
                 "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def test_each_setting_goes_to_the_argument_of_its_meaning(alone, monkeypatch):
    """No value is a default, and no two numbers are alike."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    given = {
        "output": "runs/geo-r", "seed": 71, "model.dtype": "bfloat16",
        "model.gradient_checkpointing": "true", "train.batch": 96, "train.per_device": 3,
        "train.learning_rate": 0.011, "train.schedule": "linear", "train.warmup_steps": 17,
        "train.weight_decay": 0.013, "train.adam_beta2": 0.917, "train.max_grad_norm": 0.019,
        "train.epochs": 2.5, "train.max_steps": 123, "train.logging_steps": 7,
        "train.save_steps": 29, "train.report_to": "[wandb, trackio]", "train.workers": 5,
    }  # fmt: skip
    found = launch.common_arguments(load(None, [f"{k}={v}" for k, v in given.items()]))
    named = [n for n in ("gradient_checkpointing", "activation_checkpointing")
             if n in TrainingArguments.__dataclass_fields__]  # fmt: skip
    assert found == dict.fromkeys(["gradient_checkpointing", *named], True) | {
        "output_dir": "runs/geo-r", "seed": 71, "data_seed": 71, "bf16": True, "fp16": False,
        "per_device_train_batch_size": 3, "gradient_accumulation_steps": 32,
        "learning_rate": 0.011, "lr_scheduler_type": "linear", "warmup_steps": 17,
        "weight_decay": 0.013, "adam_beta2": 0.917, "max_grad_norm": 0.019,
        "num_train_epochs": 2.5, "max_steps": 123, "logging_steps": 7,
        "report_to": ["wandb", "trackio"], "run_name": "geo-r", "project": "georl",
        "save_strategy": "steps", "save_steps": 29, "save_total_limit": None,
        "dataloader_num_workers": 5, "remove_unused_columns": False, "use_cpu": True,
        "disable_tqdm": False,
    }  # fmt: skip


def test_what_is_switched_off_is_told_as_off(alone):
    given = ["train.save_steps=0", "train.report_to=[]", "model.dtype=float32"]
    found = launch.common_arguments(load(None, given))
    assert (found["save_strategy"], found["save_steps"]) == ("no", 0)
    assert found["report_to"] == "none"
    assert found["bf16"] is False
    assert found["gradient_checkpointing"] is False


# --- what is refused -------------------------------------------------------------------------

CASES = [  # (asked, found, GPUs, the whole text)
    ("ddp", "none", 1, "train.strategy is 'ddp' but the launcher set up 'none'; start with "
     "torchrun, or set train.strategy=auto to accept it"),
    ("deepspeed", "ddp", 0, "train.strategy is 'deepspeed' but the launcher set up 'ddp'; start "
     "with accelerate launch with deepspeed switched on, or set train.strategy=auto to accept it"),
    ("fsdp", "fsdp", 0, "the launcher set up 'fsdp', which on a machine without GPUs quietly "
     "becomes 'ddp'; start with torchrun and train.strategy=ddp"),
    ("auto", "fsdp", 1, "the launcher set up FSDP without FULL_STATE_DICT, so no model would be "
     "written that loads again; start with accelerate launch --config_file "
     "configs/accelerate/fsdp2.yaml"),
    ("auto", "none", 3, "one process sees 3 GPUs, and Trainer would multiply the batch by them; "
     "start with torchrun --nproc_per_node 3, or set CUDA_VISIBLE_DEVICES=0 to use one"),
    ("none", "none", 0, None), ("auto", "none", 1, None), ("auto", "deepspeed", 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "found", "gpus", "said"), CASES)
def test_a_launch_is_refused_in_these_words(alone, asked, found, gpus, said):
    assert launch._launch_problem(asked, found, gpus) == said


def test_a_state_dict_in_shards_is_none_that_loads_again(alone, monkeypatch):
    monkeypatch.setenv("FSDP_STATE_DICT_TYPE", "SHARDED_STATE_DICT")
    assert "without FULL_STATE_DICT" in launch._launch_problem("auto", "fsdp", 1)
    assert launch._launch_problem("auto", "deepspeed", 1) is None


def test_a_model_and_a_penalty_are_refused_in_these_words(alone, tmp_path):
    model = tmp_path / "final"
    model.mkdir()
    run = load(None, [f"model.name={model}", f"output={tmp_path}"])
    with pytest.raises(ConfigError) as error:
        launch.check_start(run)
    assert str(error.value) == (
        f"model.name {str(model)!r} lies in the output folder {str(tmp_path)!r}, where this run "
        "deletes and writes checkpoints; set another output"
    )
    with pytest.raises(ConfigError) as error:
        launch.check_start(load(None, ["task=grpo", "grpo.beta=0.5", f"output={tmp_path / 'o'}"]))
    assert str(error.value) == (
        "grpo.beta is 0.5, a penalty for leaving the starting model, but 'tiny' starts from random "
        "weights; teach it with georl sft and set model.name to its folder, or set grpo.beta=0"
    )


def test_a_link_into_the_output_is_the_folder_that_it_leads_to(alone, tmp_path):
    (tmp_path / "out" / "final").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "out" / "final")
    run = load(None, [f"model.name={tmp_path / 'link'}", f"output={tmp_path / 'out'}"])
    assert launch._overwrites_its_model(run) is not None
    (tmp_path / "alias").symlink_to(tmp_path / "out")
    run = load(None, [f"model.name={tmp_path / 'out/final'}", f"output={tmp_path / 'alias'}"])
    assert launch._overwrites_its_model(run) is not None


def test_processes_that_are_fewer_than_started_are_told_in_these_words(alone, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    held = SimpleNamespace(num_processes=1, distributed_type="DistributedType.NO")
    with pytest.raises(ConfigError) as error:
        launch._check_processes(SimpleNamespace(accelerator=held))
    assert str(error.value) == (
        "the launcher started 4 processes with strategy 'ddp', but the trainer has 1 of kind "
        "DistributedType.NO; on CPU use torchrun with ACCELERATE_USE_CPU=true"
    )


def test_memory_that_ran_out_is_told_in_these_words():
    with pytest.raises(ConfigError) as error, launch.explained_memory():
        raise MemoryError("no room\nfor it")
    assert str(error.value) == (
        "out of memory (no room); lower train.per_device (train.batch may stay), model.max_pixels "
        "or grpo.max_tokens, set model.gradient_checkpointing=true or model.lora_rank=64; georl "
        "plan shows the parts"
    )


@pytest.mark.parametrize(("world", "gpus", "joined"), [
    ("1", True, []), ("2", True, [{"cpu": False}]), ("2", False, [{"cpu": True}]),
])  # fmt: skip
def test_several_processes_join_before_a_model_is_loaded(monkeypatch, world, gpus, joined):
    asked = []
    monkeypatch.setattr(launch, "PartialState", lambda **given: asked.append(given))
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpus)
    monkeypatch.setenv("WORLD_SIZE", world)
    launch.join_processes()
    assert asked == joined


def test_a_checkpoint_of_one_process_more_is_refused_before_the_start(alone, tmp_path):
    """DeepSpeed has a file for each process; here the newest was written by two."""
    run = load(None, [f"output={tmp_path}"])
    folder = tmp_path / "checkpoint-2"
    (folder / "global_step2").mkdir(parents=True)
    for name in ("global_step2/a.pt", "rng_state_0.pth", "rng_state_1.pth"):
        (folder / name).touch()
    checkpoints.seal(folder, checkpoints.identity(run))
    with pytest.raises(ConfigError, match=r"written by 2 processes .* now there are 1 with ddp"):
        launch.check_start(run)


# --- the end of a run ------------------------------------------------------------------------


def test_the_address_of_the_model_is_told_once_it_is_sealed(monkeypatch, tmp_path, capsys):
    """What is sent is whole: sealed, with its card."""
    sent = []

    def push(config, folder):
        checkpoints.verify(folder)
        sent.append(folder.name)
        return "http://hub/me/model"

    def save_model(folder):
        assert not (tmp_path / "final").exists()
        (tmp_path / "final").mkdir()
        (tmp_path / "final" / "model-1.safetensors").write_bytes(b"w")

    monkeypatch.setattr(launch.hub, "push", push)
    accelerator = SimpleNamespace(is_main_process=True, wait_for_everyone=lambda: None)
    run = load(None, [f"output={tmp_path}", "train.push_to=me/model"])
    trainer = SimpleNamespace(accelerator=accelerator, save_model=save_model)
    assert launch._finish(trainer, run) == tmp_path / "final"
    assert sent == ["final"]
    assert "README.md" in checkpoints.verify(tmp_path / "final")["files"]
    assert capsys.readouterr().out == "sent to http://hub/me/model\n"
    monkeypatch.setattr(launch.hub, "push", lambda *_: None)
    launch._finish(trainer, run)
    assert capsys.readouterr().out == ""


def test_an_output_that_is_a_file_is_refused_in_these_words(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ConfigError) as error:
        ownership.refuse_foreign(tmp_path / "out")
    assert str(error.value) == f"output {str(tmp_path / 'out')!r} is a file; set another output"
    assert not torch.distributed.is_initialized()


def test_a_build_of_torch_without_processes_has_none_to_part(monkeypatch):
    monkeypatch.setattr("torch.distributed.is_available", lambda: False)
    monkeypatch.delattr("torch.distributed.is_initialized")
    launch.part_processes()


def test_nobody_waits_longer_for_a_lock_than_three_seconds():
    assert ownership.PATIENCE_S == 3.0
