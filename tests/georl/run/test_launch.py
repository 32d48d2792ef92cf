"""One process against several, launch checks and the command line (georl.run.launch, georl.cli)."""

import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import Qwen2_5_VLConfig
from typer.testing import CliRunner

from georl import cli, config, data, models
from georl.config import ConfigError
from georl.run import JsonLines, checkpoints, launch

from ..tiny_runs import SMALL

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

GIVEN = Path(__file__).with_name("grpo_given_answers.py")
_spec = importlib.util.spec_from_file_location("grpo_given_answers", GIVEN)
given_answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(given_answers)

RUN = [
    *SMALL,
    "train.batch=8",
    "train.max_steps=3",
    "train.logging_steps=1",
]


def start(*arguments, processes=1, script=("-m", "georl.cli"), **more):
    """Run the command line as a person would, through torchrun for several processes."""
    launcher = []
    if processes > 1:
        flags = ["--standalone", "--nproc_per_node", str(processes)]
        launcher = ["-m", "torch.distributed.run", *flags]
    settings = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    settings["PYTHONFAULTHANDLER"] = "1"  # a crash says where
    return subprocess.run(
        [sys.executable, *launcher, *script, *arguments],
        env=os.environ | settings | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def write_places(folder):
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(0, 40, 40)
    path = folder / "places.parquet"
    pq.write_table(
        pa.table({"lat": lat, "lon": lon, "country": ["Here", "In a far land"] * 20}), path
    )
    return path


@pytest.fixture
def run_file(tmp_path):
    run = config.load(None, [*RUN, f"data.places={write_places(tmp_path)}"])
    path = tmp_path / "run.yaml"
    path.write_text(config.dump(run), encoding="utf-8")
    return path


def losses(output):
    return [row["loss"] for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]


MANY = (2, pytest.param(4, marks=pytest.mark.slow))


@pytest.mark.parametrize("processes", MANY)
def test_several_processes_give_the_losses_of_one(run_file, tmp_path, processes):
    """The same global batch, split over processes on gloo."""
    one = start("sft", str(run_file), "train.per_device=8", f"output={tmp_path / 'one'}")
    many = start(
        "sft",
        str(run_file),
        f"train.per_device={8 // processes}",
        f"train.processes={processes}",
        "train.strategy=ddp",
        f"output={tmp_path / 'many'}",
        processes=processes,
    )
    assert (one.returncode, many.returncode) == (0, 0), one.stderr + many.stderr
    np.testing.assert_allclose(losses(tmp_path / "many"), losses(tmp_path / "one"), rtol=2e-6)
    assert len(losses(tmp_path / "one")) == 3
    assert many.stdout.count("model in ") == one.stdout.count("model in ") == 1


def test_processes_part_when_their_work_is_done(tmp_path):
    """NCCL's are told; of gloo's threads see tests/georl/test_ending.py."""
    launch.part_processes()  # no group: nothing to end
    store = f"file://{tmp_path / 'store'}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    launch.part_processes()
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("task", ["sft", "grpo"])
def test_a_command_that_trains_parts_its_processes(monkeypatch, run_file, tmp_path, task):
    parted = []
    monkeypatch.setattr("georl.run.part_processes", lambda: parted.append(task))
    words = [task, str(run_file), "train.max_steps=1", f"output={tmp_path / 'out'}"]
    words += ["train.per_device=2", "train.batch=2"]
    if task == "grpo":
        words.append("grpo.generations=2")
    done = CliRunner().invoke(cli.app, words, catch_exceptions=False)
    assert (done.exit_code, parted) == (0, [task]), done.output


STEPS = 3
GRPO = ["task=grpo", "grpo.generations=4", "grpo.max_tokens=24", "learning_rate=1e-3"]
GRPO += ["train.batch=32", f"max_steps={STEPS}", "schedule=constant"]
VARIANTS = {
    "shared prompts": [],
    "stock": ["grpo.share_prompts=false"],
    "micro-batches, two updates": ["grpo.iterations=2", "train.per_device=8", "max_steps=4"],
    "groups over all processes": ["train.batch=8", "grpo.generations=8"],
    "tokens, groups dropped, KL": ["groups.drop_equal=true", "grpo.beta=0.1"],
    "rows, groups dropped": ["groups.drop_equal=true", "grpo.loss=grpo", "train.per_device=8"],
    "constant, groups dropped": ["groups.drop_equal=true", "grpo.loss=dr_grpo"],
}
MICRO_BATCH_MEANS = ("clip_ratio", "entropy", "kl")
"""TRL logs the mean over micro-batches, so these depend on how a batch is cut."""


@pytest.fixture(scope="module", params=MANY)
def both(request, tmp_path_factory):
    """Every variant trained on given answers, on one process here and on several by torchrun."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("both")
    settings = [*RUN, f"data.places={write_places(folder)}", *GRPO]
    fresh = config.load(None, settings)
    texts = data.texts(data.load(fresh, completions=False), fresh)
    for part in models.load(fresh.model, texts=texts):
        part.save_pretrained(folder / "begin")
    settings.append(f"model.name={folder / 'begin'}")
    files = {1: [], request.param: []}
    for name, more in VARIANTS.items():
        for world, paths in files.items():
            where = folder / name / ("one" if world == 1 else "many")
            run = config.load(None, [*settings, *more, f"output={where}"])
            per_device = min(run.train.per_device, run.train.batch // world)
            path = folder / f"{name}-{world}.yaml"
            path.write_text(config.dump(config.replace(run, train__per_device=per_device)))
            paths.append(path)
    for path in files[1]:
        given_answers.train(config.load(path))
    many = start(*map(str, files[request.param]), processes=request.param, script=(str(GIVEN),))
    assert many.returncode == 0, many.stderr
    return folder


def numbers(output):
    """The logged steps without times."""
    rows = [row for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]
    timed = ("seconds", "per_second", "step_time")
    return [{k: v for k, v in row.items() if not any(t in k for t in timed)} for row in rows]


@pytest.mark.parametrize("name", VARIANTS)
def test_grpo_on_several_processes_computes_what_one_computes(both, name):
    """Rewards, losses, gradients: 1e-4 of their size; weights: 1e-4 of the way they went."""
    one, many = (both / name / where for where in ("one", "many"))
    rows = list(zip(numbers(one), numbers(many), strict=True))
    assert len(rows) >= STEPS
    assert max(row["grad_norm"] for row, _ in rows) > 1e-3
    for row, other in rows:
        assert row.keys() == other.keys()
        same = [key for key in row if not key.startswith(MICRO_BATCH_MEANS)]
        np.testing.assert_allclose(
            [other[key] for key in same], [row[key] for key in same], rtol=1e-4, atol=1e-6
        )
    if "dropped" in name:
        assert 0 < min(row["groups/kept"] for row, _ in rows) < 1
    groups = [JsonLines(output / "groups.jsonl").read() for output in (one, many)]
    assert [group["id"] for group in groups[0]] == [group["id"] for group in groups[1]]
    begin, end, other = (
        load_file(folder / "model.safetensors")
        for folder in (both / "begin", one / "final", many / "final")
    )
    way = math.dist(flat(begin), flat(end))
    assert math.dist(flat(end), flat(other)) < 1e-4 * way


def flat(weights):
    return torch.cat([weights[name].flatten() for name in sorted(weights)]).tolist()


def test_two_processes_replace_groups_in_step_with_each_other(tmp_path):
    """Processes that have different numbers of groups to replace take the same steps."""
    run = config.load(None, [*RUN, f"data.places={write_places(tmp_path)}", *GRPO])
    run = config.replace(
        run,
        output=str(tmp_path / "two"),
        train__per_device=8,
        groups__drop_equal=True,
        groups__tries=2,
        curriculum__enabled=True,
        curriculum__saturated=0.3,
        curriculum__radius_km=500,
    )
    path = tmp_path / "run.yaml"
    path.write_text(config.dump(run), encoding="utf-8")
    found = start(str(path), processes=2, script=(str(GIVEN),))
    assert found.returncode == 0, found.stderr
    # two processes print at once: their lines may come out joined
    told = re.findall(r"a process took .*? regions", found.stdout)
    assert len(told) == 2
    assert len(set(told)) == 1
    assert f"took {STEPS} steps" in told[0]
    assert not told[0].endswith(" 0 regions")
    rows = numbers(tmp_path / "two")
    assert len(rows) == STEPS
    lines = JsonLines(tmp_path / "two" / "groups.jsonl").read()
    drawn = [sum(line["step"] == step + 1 for line in lines) for step in range(STEPS)]
    assert max(drawn) > 8  # the groups of a batch, and replacements
    assert all(count % 2 == 0 for count in drawn)  # as many on each process


def test_a_process_with_nothing_but_dropped_groups_goes_on(run_file, tmp_path):
    """A random model answers nothing valid: every group is dropped, on both processes."""
    found = start(
        "grpo",
        str(run_file),
        "train.batch=16",
        "train.per_device=4",
        "grpo.generations=4",
        "grpo.max_tokens=6",
        "groups.drop_equal=true",
        "groups.tries=1",
        "curriculum.enabled=true",
        f"output={tmp_path / 'two'}",
        processes=2,
    )
    assert found.returncode == 0, found.stderr
    rows = numbers(tmp_path / "two")
    assert [row["groups/kept"] for row in rows] == [0.0, 0.0, 0.0]
    assert [row["loss"] for row in rows] == [0.0, 0.0, 0.0]
    groups = JsonLines(tmp_path / "two" / "groups.jsonl").read()
    assert len(groups) == 3 * 2 * 4  # steps, tries and groups of both processes


def test_torchrun_with_another_number_of_processes_is_refused(run_file, tmp_path):
    asked = ["train.per_device=1", "train.processes=4", f"output={tmp_path / 'x'}"]
    found = start("sft", str(run_file), *asked, processes=2)
    assert found.returncode != 0
    assert "train.processes is 4 but the launcher started 2" in found.stderr
    assert "torchrun --nproc_per_node 4" in found.stderr
    assert not (tmp_path / "x").exists()


def test_torchrun_where_sharding_was_asked_for_is_refused(run_file, tmp_path):
    asked = ["train.per_device=4", "train.strategy=fsdp", f"output={tmp_path / 'x'}"]
    found = start("sft", str(run_file), *asked, processes=2)
    assert found.returncode != 0
    assert "train.strategy is 'fsdp' but the launcher set up 'ddp'" in found.stderr
    assert "start with accelerate launch with fsdp switched on" in found.stderr
    assert not (tmp_path / "x").exists()


def test_accelerate_that_falls_back_to_one_process_is_refused(run_file, tmp_path):
    accelerate = ("-m", "accelerate.commands.accelerate_cli", "launch", "--cpu")
    found = start(
        "sft",
        str(run_file),
        "train.per_device=4",
        "train.processes=2",
        f"output={tmp_path / 'x'}",
        script=(*accelerate, "--num_processes", "2", "-m", "georl.cli"),
    )
    assert found.returncode != 0
    assert "train.processes is 2 but the launcher started 1" in found.stderr
    assert not (tmp_path / "x").exists()


def test_one_process_before_several_gpus_is_refused():
    problem = launch._launch_problem("auto", "none", gpus=8)
    assert problem.endswith("nproc_per_node 8, or set CUDA_VISIBLE_DEVICES=0 to use one")
    assert launch._launch_problem("auto", "none", gpus=1) is None


def test_fsdp_that_would_leave_no_model_is_refused(monkeypatch):
    """FSDP2's default writes shards only, and Trainer then saves no model, without a word."""
    monkeypatch.delenv("FSDP_STATE_DICT_TYPE", raising=False)
    assert "configs/accelerate/fsdp2.yaml" in launch._launch_problem("fsdp", "fsdp", gpus=1)
    monkeypatch.setenv("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT")
    assert launch._launch_problem("fsdp", "fsdp", gpus=1) is None


@pytest.mark.parametrize("name", ["fsdp2", "zero3"])
def test_the_launcher_understands_the_sharding_files(name):
    from accelerate.commands import launch as command
    from accelerate.utils.launch import prepare_multi_gpu_env

    file = Path(__file__).parents[3] / "configs" / "accelerate" / f"{name}.yaml"
    line = ["--config_file", str(file), "-m", "georl.cli", "sft", "run.yaml"]
    given, _, _ = command._validate_launch_command(command.launch_command_parser().parse_args(line))
    assert given.num_processes == 8
    assert given.use_deepspeed == (name == "zero3")
    if name == "zero3":  # DeepSpeed's own variables are only made where it is installed
        assert (given.zero_stage, str(given.zero3_save_16bit_model).lower()) == (3, "true")
    else:
        found = prepare_multi_gpu_env(given)
        assert found["FSDP_VERSION"] == "2"
        assert found["FSDP_STATE_DICT_TYPE"] == "FULL_STATE_DICT"


def test_a_run_meant_for_eight_processes_does_not_start_on_one(run_file):
    found = start("sft", str(run_file), "train.per_device=1", "train.processes=8")
    assert found.returncode == 2
    assert "torchrun --nproc_per_node 8" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.fixture
def refused(run_file, tmp_path, monkeypatch, capsys):
    """A function that runs the command and returns its one message; nothing was loaded."""

    def message(task, *settings):
        capsys.readouterr()
        sizes = ["train.batch=16", "train.per_device=16", f"output={tmp_path / 'out'}"]
        monkeypatch.setattr(sys, "argv", ["georl", task, str(run_file), *sizes, *settings])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == 2
        said = capsys.readouterr().err
        assert "Loading weights" not in said
        return said

    return message


@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed"])
def test_sharding_that_would_quietly_be_ddp_is_refused(refused, monkeypatch, strategy):
    """Accelerate shards on accelerators only; on a CPU it takes the setting and ignores it."""
    if torch.cuda.is_available():
        pytest.skip("there is a GPU, so sharding is what the launcher says")
    monkeypatch.setenv(f"ACCELERATE_USE_{strategy.upper()}", "true")
    monkeypatch.setenv("WORLD_SIZE", "2")
    said = refused("sft", f"train.strategy={strategy}", "train.per_device=8")
    assert said.startswith(
        f"georl: error: the launcher set up '{strategy}', which on a machine without"
    )
    assert "start with torchrun and train.strategy=ddp" in said


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("rewards.weights={geo_x: 1.0}", "unknown reward 'geo_x' (weight 1.0); did you mean geo_r"),
        ("rewards.weights={geo_r: .nan}", "rewards.weights has geo_r: nan; a weight is a finite"),
        ("rewards.arguments={geo_r: {knots_km: [0, 9, 5]}}", "rewards.arguments of geo_r: 3 knots"),
        ("model.name=/no/such/model", "is not a folder here, so it is a hub name, and model.rev"),
        ("model.name=Some/Where-7B", "pin the commit you want, e.g. model.revision="),
    ],
)
def test_a_mistake_in_the_settings_ends_before_the_model_is_loaded(refused, setting, expected):
    assert expected in refused("grpo", setting)


def test_a_folder_without_a_model_is_refused(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "cannot be loaded" in refused("grpo", f"model.name={tmp_path / 'empty'}")


def test_a_hub_model_that_is_not_there_is_refused(run_file, tmp_path):
    asked = ["train.per_device=8", "model.name=No/Such", "model.revision=abc"]
    found = start("sft", str(run_file), *asked, f"output={tmp_path / 'x'}")
    assert found.returncode == 2
    said = "georl: error: model.name 'No/Such' (hub name) at revision abc cannot be loaded"
    assert found.stderr.startswith(said)
    assert "Traceback" not in found.stderr


def test_a_model_larger_than_the_memory_is_refused_by_its_sizes_alone(refused, tmp_path):
    sizes = {"hidden_size": 16384, "intermediate_size": 65536, "num_hidden_layers": 200}
    heads = {"num_attention_heads": 128, "num_key_value_heads": 16}
    Qwen2_5_VLConfig(text_config=sizes | heads).save_pretrained(tmp_path / "huge")
    said = refused("sft", f"model.name={tmp_path / 'huge'}")
    assert "GiB on a device that has" in said
    assert "set model.lora_rank=64, or shard over more processes" in said


def test_a_penalty_against_a_model_that_is_nowhere_is_refused(refused):
    said = refused("grpo", "grpo.beta=0.1")
    assert said.startswith("georl: error: grpo.beta is 0.1")
    assert "georl sft" in said


@pytest.mark.parametrize(
    ("then", "now", "difference"),
    [
        (["model.hidden=48"], ["model.hidden=96"], "model.hidden: 48 there, 96 now"),
        (["model.lora_rank=4"], [], "model.lora_rank: 4 there, 0 now"),
        (["model.name={base}"], [], "model.name: '{base}' there, 'tiny' now"),
        (["model.name={base}"], ["model.name={base}"], "model.seal: "),
    ],
    ids=["another size", "LoRA, now full", "another base", "a base trained anew"],
)
def test_a_checkpoint_of_another_model_is_refused(
    refused, run_file, tmp_path, then, now, difference
):
    base = tmp_path / "base"
    base.mkdir()
    checkpoints.seal(base, {})
    then, now = ([text.format(base=base) for text in settings] for settings in (then, now))
    sizes = ["train.batch=16", f"output={tmp_path / 'out'}"]
    run = config.load(run_file, [*sizes, *then])
    folder = tmp_path / "out" / "checkpoint-2"
    folder.mkdir(parents=True)
    checkpoints.seal(folder, checkpoints.identity(run))
    checkpoints.seal(base, {"trained": "anew"})
    said = refused("sft", *now)
    assert f"{folder} belongs to another run" in said
    assert difference.format(base=base) in said
    assert "set another output, or train.resume=false to start over" in said


def test_a_run_that_would_overwrite_its_own_model_is_refused(refused, tmp_path):
    final = tmp_path / "out" / "final"
    final.mkdir(parents=True)
    assert "lies in the output folder" in refused("sft", f"model.name={final}")


def test_a_reward_that_gives_no_number_ends_the_run_with_its_photo(run_file, tmp_path):
    """A person's own reward, in a real run: one message, no traceback, exit status 2."""
    own = "import math, sys; from georl import cli, rewards\n"
    own += "def own(completions, **columns): return [math.nan for _ in completions]\n"
    own += "rewards.own = own; cli.main()"
    asked = ["train.per_device=8", "grpo.generations=4", "rewards.weights={own: 1.0}"]
    found = start("grpo", str(run_file), *asked, f"output={tmp_path / 'out'}", script=("-c", own))
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    said = "georl: error: reward 'own' gave nan for answer 0 (photo '"
    assert found.stderr.count(said) == 1
    assert "give None to leave an answer out, or a finite number" in found.stderr


def test_running_out_of_memory_says_what_lowers_it():
    with (
        pytest.raises(ConfigError, match=r"out of memory .* lower train\.per_device"),
        launch.explained_memory(),
    ):
        torch.empty(1 << 55)
    with pytest.raises(RuntimeError, match="another problem"), launch.explained_memory():
        raise RuntimeError("another problem")


def test_the_command_line_explains_itself_and_its_mistakes(run_file):
    dry = start("grpo", str(run_file), "--dry-run", "train.batch=64")
    assert dry.returncode == 0, dry.stderr
    assert "task: grpo" in dry.stdout
    assert "GiB" in dry.stdout
    wrong = start("sft", str(run_file), "train.lerning_rate=1")
    assert wrong.returncode != 0
    assert wrong.stderr.strip() == (
        "georl: error: unknown key 'train.lerning_rate'; did you mean train.learning_rate?"
    )


@pytest.mark.parametrize(
    ("variable", "kind", "fits"),
    [
        (None, "DistributedType.NO", True),
        (None, "DistributedType.MULTI_GPU", True),
        ("ACCELERATE_USE_FSDP", "DistributedType.FSDP", True),
        ("ACCELERATE_USE_FSDP", "DistributedType.MULTI_GPU", False),
        ("ACCELERATE_USE_FSDP", "DistributedType.DEEPSPEED", False),
        ("ACCELERATE_USE_DEEPSPEED", "DistributedType.DEEPSPEED", True),
        ("ACCELERATE_USE_DEEPSPEED", "DistributedType.FSDP", False),
    ],
)
def test_a_trainer_that_is_not_what_the_launcher_started_is_refused(
    monkeypatch, variable, kind, fits
):
    for name in ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "true")
    for started, processes in ((1, 1), (4, 4), (4, 1), (1, 4)):
        monkeypatch.setenv("WORLD_SIZE", str(started))
        trainer = SimpleNamespace(
            accelerator=SimpleNamespace(num_processes=processes, distributed_type=kind)
        )
        if fits and started == processes:
            launch._check_processes(trainer)
        else:
            with pytest.raises(ConfigError, match=f"the trainer has {processes} of kind {kind}"):
                launch._check_processes(trainer)
