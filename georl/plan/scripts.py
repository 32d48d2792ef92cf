"""Files that start a run: accelerate's settings, a script for one machine, a job for SLURM."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml

from geodata import files
from georl.config import Config, ConfigError, base_name, base_revision
from georl.plan.parts import longest_row

CARDS_A_MACHINE = 8
STOPPED = 75
"""Exit status of a run that stopped as asked (`georl.run.STOPPED`, which needs torch)."""
WARNING_S = 300
"""Seconds before the limit at which SLURM asks for a checkpoint."""


def write(config: Config, config_path: str, folder: str | Path, *, hours: int = 24) -> list[Path]:
    """Write what starts a run into a folder; return the files.

    ``accelerate.yaml`` where weights are sharded, ``run.sh`` for one machine, ``job.sbatch`` for
    SLURM: several machines, a checkpoint before the limit, the job queued again until it is done.
    With ``grpo.vllm=server``, ``serve.sh`` starts the sampler on a machine of its own.

    Parameters
    ----------
    config, config_path
        The run and what it is called on the command line: its file and overrides.
    folder
        Made where it is not there.
    hours
        Limit of one job.

    Raises
    ------
    ConfigError
        If processes do not fill whole machines of eight.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load
    >>> folder = tempfile.TemporaryDirectory()
    >>> made = write(load(None, ["task=grpo"]), "grpo.yaml", folder.name)
    >>> [path.name for path in made]
    ['job.sbatch', 'run.sh']
    >>> folder.cleanup()
    """
    world = max(config.train.processes, 1)
    if world % min(world, CARDS_A_MACHINE):  # on one machine any number
        msg = (
            f"train.processes is {world}; above {CARDS_A_MACHINE} it must fill whole machines of "
            f"{CARDS_A_MACHINE}"
        )
        raise ConfigError(msg)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    texts = {"run.sh": _run(config, config_path), "job.sbatch": _job(config, config_path, hours)}
    if config.train.strategy in ("fsdp", "deepspeed"):
        texts["accelerate.yaml"] = accelerate(config)
    if config.task == "grpo" and config.grpo.vllm == "server":
        texts["serve.sh"] = _serve(config)
    for name, text in texts.items():
        files.write_text(out / name, text)
        if name.endswith(".sh"):
            (out / name).chmod(0o755)
    return [out / name for name in sorted(texts)]


def accelerate(config: Config) -> str:
    """Return accelerate's settings for a sharded run: FSDP2, or DeepSpeed's ZeRO-3.

    Examples
    --------
    >>> from georl.config import load
    >>> made = accelerate(load(None, ["strategy=deepspeed", "processes=8"]))
    >>> yaml.safe_load(made)["deepspeed_config"]["zero_stage"]
    3
    """
    world = max(config.train.processes, 1)
    half = "bf16" if config.model.dtype == "bfloat16" else "no"
    settings: dict[str, object] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "FSDP" if config.train.strategy == "fsdp" else "DEEPSPEED",
        "mixed_precision": half,
        "num_machines": _laid_out(world)[0],
        "num_processes": world,
        "machine_rank": 0,
        "main_training_function": "main",
    }
    if config.train.strategy == "fsdp":
        settings["fsdp_config"] = {
            "fsdp_version": 2,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_state_dict_type": "FULL_STATE_DICT",  # a model that loads anywhere, not shards
            "fsdp_reshard_after_forward": True,
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_offload_params": False,
        }
    else:
        settings["deepspeed_config"] = {
            "zero_stage": 3,
            "zero3_init_flag": False,
            "zero3_save_16bit_model": True,
            "offload_optimizer_device": "none",
            "offload_param_device": "none",
        }
    return yaml.safe_dump(settings, sort_keys=False)


def _laid_out(world: int) -> tuple[int, int]:
    """Return the machines of so many processes, and the processes of each."""
    machines = max(1, world // CARDS_A_MACHINE)
    return machines, world // machines


def _launcher(config: Config, *, job: bool) -> str:
    world = max(config.train.processes, 1)
    machines, here = _laid_out(world)
    if config.train.strategy in ("fsdp", "deepspeed"):
        call = 'accelerate launch --config_file "$here/accelerate.yaml"'
        if job and machines > 1:
            call += (
                ' --machine_rank "$SLURM_NODEID" --main_process_ip "$head"'
                " --main_process_port 29500"
            )
        return f"{call} -m georl.cli"
    if world == 1:
        return "python -m georl.cli"
    call = f"torchrun --nproc_per_node {here}"
    if job and machines > 1:
        call += f' --nnodes {machines} --rdzv_backend c10d --rdzv_endpoint "$head:29500"'
    else:
        call += " --standalone"
    return f"{call} -m georl.cli"


def _run(config: Config, config_path: str) -> str:
    return f"""#!/usr/bin/env bash
# Start the run on this machine. Started again, it goes on from its newest whole checkpoint.
set -euo pipefail
# Stopped by SIGTERM, it writes a checkpoint first; torchrun would kill it after 30 seconds.
here=$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)
export here TORCH_ELASTIC_SHUTDOWN_TIMEOUT={WARNING_S - 20}
exec {_launcher(config, job=False)} {config.task} {config_path} "$@"
"""


def _job(config: Config, config_path: str, hours: int) -> str:
    world = max(config.train.processes, 1)
    machines, here = _laid_out(world)
    call = f"\nexec {_launcher(config, job=True)} {config.task} {config_path}\n"
    return f"""#!/usr/bin/env bash
#SBATCH --job-name=georl-{config.task}
#SBATCH --nodes={machines}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={here}
#SBATCH --cpus-per-task={here * max(config.train.workers + 1, 2)}
#SBATCH --time={hours}:00:00
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@{WARNING_S}
# {WARNING_S} seconds before the limit the run writes a checkpoint and the job is queued again.
set -euo pipefail
here=${{SLURM_SUBMIT_DIR:?submit from the folder of this file}}
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export here head
# torchrun kills a process that it has asked to stop after 30 seconds: a checkpoint takes longer
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT={WARNING_S - 20}

# shellcheck disable=SC2016  # the variables are those of each machine
srun --kill-on-bad-exit=1 bash -c {shlex.quote(call)} &
run=$!

# shellcheck disable=SC2329  # called by the trap
stop() {{
  echo "the limit is near: a checkpoint, then the queue again"
  scancel --signal=TERM "$SLURM_JOB_ID.0" || kill -TERM "$run"
  wait "$run" || true
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
}}
trap stop USR1

# the run's own exit status is that of the job; {STOPPED}: it was asked to stop and can go on
status=0
wait "$run" || status=$?
if [ "$status" -eq {STOPPED} ]; then
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
fi
exit "$status"
"""


def _serve(config: Config) -> str:
    # the run sends what LoRA weights add to a model
    name, revision = base_name(config.model.name), base_revision(config.model)
    pinned = f" --revision {shlex.quote(str(revision))}" if revision else ""
    return f"""#!/usr/bin/env bash
# Start the sampler; then the run with grpo.vllm_url=http://THIS_MACHINE:8000
set -euo pipefail
exec trl vllm-serve --model {shlex.quote(name)}{pinned} --max-model-len {longest_row(config)} \\
  --gpu-memory-utilization 0.9 --tensor-parallel-size {config.grpo.vllm_tensor_parallel} --port 8000
"""
