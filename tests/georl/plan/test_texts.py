"""The files that start a run and the page about it, line by line (georl.plan)."""

import re
import shlex

import pytest
import yaml

from georl import plan
from georl.config import ConfigError, ModelConfig, load
from georl.plan import cards, estimate, parts, scripts, shapes
from georl.run import STOPPED

HEAD = """#!/usr/bin/env bash
# Start the run on this machine. Started again, it goes on from its newest whole checkpoint.
set -euo pipefail
# Stopped by SIGTERM, it writes a checkpoint first; torchrun would kill it after 30 seconds.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export here TORCH_ELASTIC_SHUTDOWN_TIMEOUT=280
"""
JOB = """#!/usr/bin/env bash
#SBATCH --job-name=georl-grpo
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=24
#SBATCH --time=5:00:00
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@300
# 300 seconds before the limit the run writes a checkpoint and the job is queued again.
set -euo pipefail
here=${SLURM_SUBMIT_DIR:?submit from the folder of this file}
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export here head
# torchrun kills a process that it has asked to stop after 30 seconds: a checkpoint takes longer
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=280

# shellcheck disable=SC2016  # the variables are those of each machine
srun --kill-on-bad-exit=1 bash -c CALL &
run=$!

# shellcheck disable=SC2329  # called by the trap
stop() {
  echo "the limit is near: a checkpoint, then the queue again"
  scancel --signal=TERM "$SLURM_JOB_ID.0" || kill -TERM "$run"
  wait "$run" || true
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
}
trap stop USR1

# the run's own exit status is that of the job; 75: it was asked to stop and can go on
status=0
wait "$run" || status=$?
if [ "$status" -eq 75 ]; then
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
fi
exit "$status"
"""
SERVE = """#!/usr/bin/env bash
# Start the sampler; then the run with grpo.vllm_url=http://THIS_MACHINE:8000
set -euo pipefail
exec trl vllm-serve --model some/7B --max-model-len 1664 \\
  --gpu-memory-utilization 0.9 --tensor-parallel-size 2 --port 8000
"""


def test_the_files_of_a_run_on_two_machines(tmp_path):
    more = ["task=grpo", "model.name=some/7B", "max_pixels=401408", "grpo.max_tokens=128",
            "processes=16", "strategy=fsdp", "grpo.vllm=server", "grpo.vllm_tensor_parallel=2",
            "train.workers=2", "dtype=bfloat16"]  # fmt: skip
    made = plan.write(load(None, more), "x.yaml 'a=b c'", tmp_path / "new" / "folder", hours=5)
    assert [path.relative_to(tmp_path).as_posix() for path in made] == [
        f"new/folder/{name}" for name in ("accelerate.yaml", "job.sbatch", "run.sh", "serve.sh")
    ]
    settings, job, alone, serve = (path.read_text() for path in made)
    launch = 'accelerate launch --config_file "$here/accelerate.yaml"'
    assert alone == f"{HEAD}exec {launch} -m georl.cli grpo x.yaml 'a=b c' \"$@\"\n"
    spread = f'{launch} --machine_rank "$SLURM_NODEID" --main_process_ip "$head"'
    call = f"\nexec {spread} --main_process_port 29500 -m georl.cli grpo x.yaml 'a=b c'\n"
    assert job == JOB.replace("CALL", shlex.quote(call))
    assert serve == SERVE
    assert yaml.safe_load(settings) == {
        "compute_environment": "LOCAL_MACHINE", "distributed_type": "FSDP",
        "mixed_precision": "bf16", "num_machines": 2, "num_processes": 16, "machine_rank": 0,
        "main_training_function": "main",
        "fsdp_config": {
            "fsdp_version": 2, "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_state_dict_type": "FULL_STATE_DICT", "fsdp_reshard_after_forward": True,
            "fsdp_cpu_ram_efficient_loading": True, "fsdp_offload_params": False,
        },
    }  # fmt: skip
    assert [path.stat().st_mode & 0o111 != 0 for path in made] == [False, False, True, True]


def test_the_files_of_other_runs(tmp_path):
    deep = ["strategy=deepspeed", "processes=4"]
    made = plan.write(load(None, deep), "x", tmp_path / "a")
    assert [path.name for path in made] == ["accelerate.yaml", "job.sbatch", "run.sh"]
    assert yaml.safe_load(made[0].read_text()) == {
        "compute_environment": "LOCAL_MACHINE", "distributed_type": "DEEPSPEED",
        "mixed_precision": "no", "num_machines": 1, "num_processes": 4, "machine_rank": 0,
        "main_training_function": "main",
        "deepspeed_config": {
            "zero_stage": 3, "zero3_init_flag": False, "zero3_save_16bit_model": True,
            "offload_optimizer_device": "none", "offload_param_device": "none",
        },
    }  # fmt: skip
    alone = yaml.safe_load(plan.accelerate(load(None, ["strategy=fsdp"])))
    assert (alone["num_processes"], alone["num_machines"]) == (1, 1)
    one = plan.write(load(None, []), "x", tmp_path / "b")
    assert [path.name for path in one] == ["job.sbatch", "run.sh"]
    for option in ("nodes=1", "gpus-per-node=1", "cpus-per-task=2"):
        assert f"#SBATCH --{option}\n" in one[0].read_text()
    assert one[1].read_text() == f'{HEAD}exec python -m georl.cli sft x "$@"\n'
    # a sampler is of GRPO alone, and has a machine where it is asked for
    for more in (["grpo.vllm=server"], ["task=grpo"], ["task=grpo", "grpo.vllm=colocate"]):
        other = plan.write(load(None, more), "x", tmp_path / "c")
        assert [path.name for path in other] == ["job.sbatch", "run.sh"]
    # what all runs have comes first
    for strategy, last in (("fsdp", "fsdp_config"), ("deepspeed", "deepspeed_config")):
        keys = [*yaml.safe_load(plan.accelerate(load(None, [f"strategy={strategy}"])))]
        assert keys[0] == "compute_environment"
        assert keys[-1] == last


def test_the_status_of_a_run_that_was_stopped_is_that_of_the_script():
    assert scripts.STOPPED == STOPPED == 75


@pytest.mark.parametrize(("world", "fits"), [(8, True), (9, False), (16, True), (20, False)])
def test_machines_are_filled(tmp_path, world, fits):
    run = load(None, [f"processes={world}"])
    if fits:
        plan.write(run, "x", tmp_path)
        return
    with pytest.raises(ConfigError) as caught:
        plan.write(run, "x", tmp_path)
    assert str(caught.value) == (
        f"train.processes is {world}; above 8 it must fill whole machines of 8"
    )


# ---- whether it fits


SHAPE = plan.Shape(
    parameters=1000, vision_parameters=200, layers=3, hidden=8, intermediate=20, kv_width=4,
    vocabulary=50, tied=False, vision_layers=2, vision_hidden=6, vision_intermediate=10,
)  # fmt: skip
BIG = ["name=x", "train.batch=8", "per_device=8", "max_pixels=8028160"]


def remedy(need, *more, shape=SHAPE):
    """The remedy on a card that just holds the run with these changes."""
    changed = load(None, [*BIG, *need])
    holds = cards.needed(parts.memory(changed, shape))
    with pytest.raises(ConfigError) as caught:
        plan.check_fit(load(None, [*BIG, *more]), shape, cards.Card("c", holds, 1.0))
    return str(caught.value).rpartition("; ")[2]


def test_the_mildest_change_that_makes_a_run_fit_is_told():
    for field in ("model.gradient_checkpointing=true", "train.per_device=1"):
        assert remedy([field]) == f"it fits with {field}", field
    again = "model.gradient_checkpointing=true"
    for field in ("train.per_device=4", "train.per_device=2", "model.max_pixels=802816",
                  "model.max_pixels=401408"):  # fmt: skip
        rows = ["per_device=1", "train.batch=1"] if "pixels" in field else []
        assert remedy([again, *rows, field], again, *rows) == f"it fits with {field}", field
    large = plan.Shape(**{**vars(SHAPE), "parameters": 10**12})
    assert remedy(["model.lora_rank=64"], shape=large) == "it fits with model.lora_rank=64"
    two = ["processes=2", "per_device=4"]
    assert remedy([*two, "strategy=fsdp"], *two, shape=large) == "it fits with train.strategy=fsdp"
    tiny = cards.Card("c", 1.0, 1.0)
    with pytest.raises(ConfigError) as caught:
        plan.check_fit(load(None, BIG), SHAPE, tiny)
    assert str(caught.value).rpartition("no single field")[2] == (
        " makes it fit: combine model.gradient_checkpointing=true, train.per_device=1, "
        "model.max_pixels=401408, model.lora_rank=64, or more processes with train.strategy=fsdp"
    )
    assert re.match(
        r"this run needs about 2 GiB and one c has 0: most of it is activations, 0 GiB; no",
        str(caught.value),
    )


def test_changes_are_tried_in_this_order():
    tried = [path for path, _ in cards._milder(load(None, [*BIG, "processes=1"]))]
    assert tried == ["model.gradient_checkpointing", *["train.per_device"] * 3,
                     *["model.max_pixels"] * 2, "model.lora_rank"]  # fmt: skip
    several = cards._milder(load(None, ["train.batch=12", "per_device=6", "processes=2"]))
    assert several == [
        ("model.gradient_checkpointing", True), ("train.per_device", 3), ("train.per_device", 1),
        ("model.max_pixels", 802_816), ("model.max_pixels", 401_408), ("train.strategy", "fsdp"),
        ("model.lora_rank", 64),
    ]  # fmt: skip
    grouped = ["task=grpo", "grpo.generations=4", "train.batch=16", "per_device=16"]
    sizes = [v for name, v in cards._milder(load(None, grouped)) if name == "train.per_device"]
    assert sizes == [8, 4]  # a group is not torn
    two = load(None, ["train.batch=10", "per_device=5", "processes=2"])
    sizes = [v for name, v in cards._milder(two) if name == "train.per_device"]
    assert sizes == [1]  # 2 divides the batch, and not over two processes
    alone = load(None, ["train.batch=9", "per_device=9"])  # no processes named: one
    assert [v for name, v in cards._milder(alone) if name == "train.per_device"] == [1]
    with pytest.raises(ConfigError) as caught:
        plan.card_of("H100")
    assert str(caught.value) == (
        "no card 'H100'; there are a100-40, a100-80, h100-80, h200-141, l40s-48, rtx4090-24"
    )


def test_a_run_may_fill_its_machine_to_the_last_byte(monkeypatch, capsys):
    run = load(None, ["name=x", "max_pixels=7840", "per_device=1", "train.batch=1"])
    held = parts.memory(run, SHAPE)
    weights, whole = held["weights, gradients, Adam"], sum(held.values())
    assert weights < max(held.values()) < whole - 1

    def asked(have):
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        monkeypatch.setattr(estimate.os, "sysconf", lambda n: 1 if "SIZE" in n else int(have))
        estimate.check_memory(run, SHAPE)
        return " ".join(capsys.readouterr().out.split())

    assert asked(whole) == ""
    assert (
        asked(whole - 1)
        == asked(weights)
        == (
            "warning: about 0 GiB with the largest images, on a device that has 0; if it runs out, "
            "lower train.per_device or model.max_pixels, or set model.gradient_checkpointing=true "
            "(georl plan shows the parts)"
        )
    )
    with pytest.raises(ConfigError) as caught:
        asked(weights - 1)
    assert str(caught.value) == (
        "weights, gradients and optimizer need 0 GiB on a device that has 0; set "
        "model.lora_rank=64, or shard over more processes"
    )


def test_a_step_is_fullest_where_its_gradients_are_larger_than_its_logits():
    """190 tokens of a row: logits of 12 bytes x 190 x 50; gradients of 4 bytes a parameter."""
    run = load(None, ["name=x", "max_pixels=7840", "per_device=1", "train.batch=1"])
    logits = 12 * 190 * 50

    def held(parameters):
        return parts.memory(run, plan.Shape(**{**vars(SHAPE), "parameters": parameters}))

    few, many = held(logits // 4), held(logits // 4 + 1)
    assert few["logits and their gradient"] == logits
    assert few["weights, gradients, Adam"] == 12.0 * (logits // 4)
    assert "logits and their gradient" not in many
    assert many["weights, gradients, Adam"] == 16.0 * (logits // 4 + 1)
    assert few["activations"] == many["activations"]
    # of a micro-batch before they are there already, at the loss too
    two = load(None, ["name=x", "max_pixels=7840", "per_device=1", "train.batch=2"])
    found = parts.memory(two, plan.Shape(**{**vars(SHAPE), "parameters": logits // 4 + 1}))
    assert found["logits and their gradient"] == logits
    assert found["weights, gradients, Adam"] == 16.0 * (logits // 4 + 1)


def test_of_layers_that_are_made_again_the_larger_is_held():
    """1000 tokens of image: 1180 of a row, and 4000 patches in the tower."""
    given = ["name=x", "max_pixels=784000", "per_device=1", "train.batch=1"]
    run = load(None, [*given, "gradient_checkpointing=true"])
    found = parts.memory(run, plan.Shape(**{**vars(SHAPE), "parameters": 10**9}))
    seen = 4000 * (32 * 6 + 16 * 10 + 4 * 2 * 6)
    assert seen > 1180 * (32 * 8 + 16 * 20 + 4 * 4)
    assert found["activations"] == 1180 * 3 * 4 * 8 + 4000 * 2 * 4 * 6 + seen


def test_room_for_a_question_is_that_of_its_bytes():
    given = ["name=x", "max_pixels=784", "grpo.max_tokens=9"]
    for question, room in (("é" * 600, 1200 + 64), ("e" * 960, 1024), ("e" * 961, 1025)):
        run = load(None, [*given, f"data.question={question}"])
        assert parts.longest_row(run) == 1 + room + 9


# ---- sizes


def test_sizes_of_a_name_alone():
    for name, billions in (("some/model-13B", 13.0), ("a/b-0.5B-it", 0.5), ("72B", 72.0)):
        width = int(1280 * billions**0.5)
        assert shapes._by_name(name) == plan.Shape(
            int(billions * 1e9), 0, 32, width, 4 * width, 1024, 152064
        )
    for name in ("model", "B7", "7Bit", "7b"):
        with pytest.raises(ConfigError) as caught:
            shapes._by_name(name)
        assert str(caught.value) == (
            f"the sizes of {name!r} are not known here; download it and give model.name its "
            "folder, or a name that says its size, such as Qwen2.5-VL-7B"
        )


def test_a_layer_is_what_is_left_of_the_model():
    assert (SHAPE.root, SHAPE.block) == (800, 0)
    assert plan.Shape(**{**vars(SHAPE), "parameters": 500}).block == 0  # sizes that are guessed
    assert plan.Shape(**{**vars(SHAPE), "parameters": 500, "layers": 1}).block == 0
    more = plan.Shape(**{**vars(SHAPE), "parameters": 1300, "tied": True})
    assert (more.root, more.block) == (400, (1300 - 400 - 200) // 3)
    assert plan.Shape(**{**vars(more), "layers": 0}).block == 700


def test_what_a_configuration_leaves_out_is_as_published():
    text = {"hidden_size": 64, "intermediate_size": 100, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300}  # fmt: skip
    whole = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "patch_size": 14}
    found = shapes.qwen2_5_vl({**text, "vision_config": {}})
    assert found == shapes.qwen2_5_vl({**text, "vision_config": whole})
    assert (found.vision_layers, found.vision_hidden, found.vision_intermediate) == (32, 1280, 3420)
    assert not found.tied
    nested = {"text_config": {**text, "tie_word_embeddings": True}, "vision_config": {}}
    assert shapes.qwen2_5_vl(nested).tied
    assert not shapes.qwen2_5_vl({**nested, "tie_word_embeddings": False}).tied
    assert shapes.qwen2_5_vl(nested).parameters == found.parameters - 300 * 64
    other = shapes.qwen2_5_vl({**text, "vision_config": {**whole, "patch_size": 16}})
    assert other.parameters - found.parameters == 3 * 2 * (16 * 16 - 14 * 14) * 1280


def test_a_folder_without_a_model_is_told_so(tmp_path):
    with pytest.raises(ConfigError) as caught:
        plan.model_shape(ModelConfig(name=str(tmp_path)))
    assert str(caught.value) == (
        f"{tmp_path} holds no config.json, so it is no model; name a folder that was saved"
    )
    for damaged in ("{", "[" * 100_000):
        (tmp_path / "config.json").write_text(damaged)
        with pytest.raises(ConfigError) as caught:
            plan.model_shape(ModelConfig(name=str(tmp_path)))
        assert str(caught.value).startswith(f"{tmp_path / 'config.json'} is damaged (")
        assert str(caught.value).endswith("); copy the model again")
