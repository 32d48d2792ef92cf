"""The files that start a run: whole, clean, and what they hold for each size of cluster."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from georl import cli, plan
from georl.config import ConfigError, load

SHELLCHECK = Path(sys.executable).parent / "shellcheck"
GOLDEN = Path(__file__).parent / "golden"
SETTINGS = [
    (size, cards, lora) for size in ("3b", "7b") for cards in (1, 8, 16) for lora in (True, False)
]


def run_of(size, cards, lora, *more):
    name = {"3b": "qwen2.5-vl-3b-8xa100", "7b": "qwen2.5-vl-7b-8xa100"}[size]
    strategy = "fsdp" if cards > 1 and not lora else "auto"
    given = [f"processes={cards}", f"strategy={strategy}", "train.batch=128", "per_device=4"]
    return load(name, [*given, *(["lora_rank=64"] if lora else []), *more])


@pytest.mark.parametrize(("size", "cards", "lora"), SETTINGS)
@pytest.mark.parametrize("task", ["sft", "grpo"])
def test_scripts_are_clean_and_name_what_they_start(tmp_path, size, cards, lora, task):
    more = ["task=grpo", "per_device=8", "grpo.vllm=server"] if task == "grpo" else []
    run = run_of(size, cards, lora, *more)
    written = plan.write(run, "my-run.yaml seed=3", tmp_path)
    scripts = [path for path in written if path.suffix in (".sh", ".sbatch")]
    assert len(scripts) == (3 if task == "grpo" else 2)
    checked = subprocess.run([SHELLCHECK, "-s", "bash", *scripts], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    for path in scripts:
        text = path.read_text()
        if path.name != "serve.sh":
            assert f"-m georl.cli {task} my-run.yaml seed=3" in text
    job = (tmp_path / "job.sbatch").read_text()
    assert f"--nodes={max(1, cards // 8)}\n" in job
    assert f"--gpus-per-node={min(cards, 8)}\n" in job
    assert ("accelerate.yaml" in {p.name for p in written}) == (not lora and cards > 1)
    if not lora and cards > 1:
        settings = yaml.safe_load((tmp_path / "accelerate.yaml").read_text())
        assert settings["num_processes"] == cards
        assert settings["fsdp_config"]["fsdp_state_dict_type"] == "FULL_STATE_DICT"


@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed"])
def test_the_shipped_settings_of_accelerate_are_those_it_writes(pytestconfig, strategy):
    name = {"fsdp": "fsdp2", "deepspeed": "zero3"}[strategy]
    shipped = pytestconfig.rootpath / "configs" / "accelerate" / f"{name}.yaml"
    run = load("qwen2.5-vl-7b-8xa100", [f"strategy={strategy}"])
    assert yaml.safe_load(plan.accelerate(run)) == yaml.safe_load(shipped.read_text())


def test_a_cluster_that_does_not_fill_its_machines(tmp_path):
    with pytest.raises(ConfigError, match="fill whole machines"):
        plan.write(run_of("7b", 12, lora=False), "x", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_job_asks_for_a_checkpoint_and_queues_itself_again(tmp_path):
    """Run the job with stand-ins for SLURM's programs, and send it the warning."""
    plan.write(run_of("3b", 16, lora=True), "x.yaml", tmp_path)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "srun").write_text('#!/bin/bash\ntrap "echo saved; exit 0" TERM\nsleep 30 & wait\n')
    (bin_ / "scontrol").write_text('#!/bin/bash\n[ "$1" = show ] && echo node1 || echo "$@"\n')
    (bin_ / "scancel").write_text("#!/bin/bash\nexit 1\n")
    for program in bin_.iterdir():
        program.chmod(0o755)
    env = {"PATH": f"{bin_}:/usr/bin:/bin", "SLURM_SUBMIT_DIR": str(tmp_path),
           "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_JOB_ID": "7"}  # fmt: skip
    script = f'(sleep 1; kill -USR1 $$) & . "{tmp_path / "job.sbatch"}"'
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["saved", "requeue 7"]


def test_the_plans_of_all_sizes_are_as_reviewed():
    """Formulas are checked elsewhere; here a change of any figure is seen and has to be meant."""
    lines = []
    for size, cards, lora in SETTINGS:
        run = run_of(size, cards, lora)
        shape = plan.KNOWN[f"Qwen2.5-VL-{size.upper()}"]
        for name in ("a100-40", "a100-80"):
            card = plan.card_of(name)
            need = plan.needed(plan.memory(run, shape, card.memory)) / 2**30
            try:
                plan.check_fit(run, shape, card)
                said = "fits"
            except ConfigError as error:
                said = str(error).rpartition("; ")[2]
            what = f"{size} x {cards} {'LoRA' if lora else 'full'} on {name}"
            lines.append(f"{what}: {need:.1f} GiB, {said}")
    assert lines == (GOLDEN / "plans.txt").read_text().splitlines()


def test_the_command_writes_them_and_says_so(tmp_path, monkeypatch, capsys):
    words = ["georl", "plan", "qwen2.5-vl-7b-8xa100", "seed=3", "--card", "a100-80",
             "--rows", "640", "--write", str(tmp_path / "launch"), "--hours", "3"]  # fmt: skip
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "# time: 10 steps, 640 rows" in told
    job = (tmp_path / "launch" / "job.sbatch").read_text()
    assert "--time=3:00:00\n" in job
    assert "georl.cli sft qwen2.5-vl-7b-8xa100 seed=3\n" in job
    assert told.count("# wrote ") == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["train.processes=12"], "train.batch is 64, not a multiple of .* use 96 or 192"),
        (["train.eval_steps=10"], "no photos are held out"),
        (["task=grpo", "train.batch=256", "per_device=4"], "tears groups"),
    ],
)
def test_a_run_that_would_be_refused_when_it_starts_is_refused_when_planned(
    monkeypatch, capsys, tmp_path, given, said
):
    """Not after a day in the queue; and nothing is written that would start it."""
    words = ["georl", "plan", "qwen2.5-vl-7b-8xa100", *given, "--write", str(tmp_path / "launch")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    told = capsys.readouterr()
    assert re.search(said, told.err)
    assert not (tmp_path / "launch").exists()


RECORDER = """#!/bin/bash
printf '%q ' "${0##*/}" "$@" > "$RECORD"
"""
SLURM = {
    "srun": '#!/bin/bash\nshift\nexec "$@"\n',
    "scontrol": "#!/bin/bash\necho node1\n",
}


@pytest.mark.parametrize(("size", "cards", "lora"), SETTINGS)
@pytest.mark.parametrize("task", ["sft", "grpo"])
def test_every_script_starts_the_run_that_it_was_made_for(
    tmp_path, monkeypatch, capsys, size, cards, lora, task
):
    """Each is run with stand-ins for launchers; what they are given is then run, dry."""
    given = [f"task={task}", f"train.processes={cards}", "train.batch=128", "per_device=8"]
    given += ["train.strategy=" + ("fsdp" if cards > 1 and not lora else "auto")]
    given += [*(["lora_rank=64"] if lora else []), "grpo.vllm=server", "data.table=my photos.csv"]
    given += ["grpo.vllm_url=http://h:8000"]
    name = f"qwen2.5-vl-{size}-8xa100"
    plan.write(load(name, given), shlex.join([name, *given]), tmp_path)
    programs = {**dict.fromkeys(("python", "torchrun", "accelerate"), RECORDER), **SLURM}
    for program, text in programs.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / program).write_text(text)
        (tmp_path / "bin" / program).chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "RECORD": str(tmp_path / "record"),
           "SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_JOB_NODELIST": "node[1-2]",
           "SLURM_JOB_ID": "7", "SLURM_NODEID": "0"}  # fmt: skip
    for script in ("run.sh", "job.sbatch"):
        (tmp_path / "record").unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", tmp_path / script, *(["seed=5"] if script == "run.sh" else [])],
            env=env, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        launcher, _, words = (tmp_path / "record").read_text().partition(" -m georl.cli ")
        asked = "python" if cards == 1 else "torchrun" if lora else "accelerate"
        assert launcher.split()[0] == asked
        if asked == "torchrun":
            assert f"--nproc_per_node {min(cards, 8)}" in launcher
        monkeypatch.setenv("WORLD_SIZE", str(cards))
        monkeypatch.setattr("sys.argv", ["georl", *shlex.split(words), "--dry-run"])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 0
        told = capsys.readouterr().out
        assert f"task: {task}" in told
        assert "table: my photos.csv" in told
        assert f"seed: {5 if script == 'run.sh' else 0}" in told


def test_a_run_with_a_sampler_elsewhere_is_planned_before_its_address_is_known(
    tmp_path, monkeypatch, capsys
):
    words = ["georl", "plan", "qwen2.5-vl-7b-8xa100", "task=grpo", "grpo.vllm=server",
             "train.batch=256", "--write", str(tmp_path)]  # fmt: skip
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert (tmp_path / "serve.sh").is_file()
    assert "vllm_url: null" in capsys.readouterr().out
