"""Two processes, launch checks and the command line (georl.launch, georl.cli)."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl import config
from georl.metrics_log import JsonLines

RUN = [
    "model.hidden=48",
    "model.layers=2",
    "model.vision_layers=1",
    "data.question=Where?",
    "data.levels=[country]",
    "data.decimals=1",
    "data.round_degrees=10",
    "train.batch=8",
    "train.max_steps=3",
    "train.logging_steps=1",
]


def start(*arguments, processes=1):
    """Run the command line as a person would, through torchrun for several processes."""
    launcher = ["-m", "georl.cli"]
    if processes > 1:
        flags = ["--standalone", "--nproc_per_node", str(processes)]
        launcher = ["-m", "torch.distributed.run", *flags, *launcher]
    settings = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *launcher, *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def run_file(tmp_path):
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(0, 40, 40)
    places = tmp_path / "places.parquet"
    pq.write_table(pa.table({"lat": lat, "lon": lon, "country": ["Here"] * 40}), places)
    run = config.load(None, [*RUN, f"data.places={places}"])
    path = tmp_path / "run.yaml"
    path.write_text(config.dump(run), encoding="utf-8")
    return path


def losses(output):
    return [row["loss"] for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]


def test_two_processes_give_the_losses_of_one(run_file, tmp_path):
    """The same global batch, split over two processes on gloo."""
    one = start("sft", str(run_file), "train.per_device=8", f"output={tmp_path / 'one'}")
    two = start(
        "sft",
        str(run_file),
        "train.per_device=4",
        "train.processes=2",
        "train.strategy=ddp",
        f"output={tmp_path / 'two'}",
        processes=2,
    )
    assert (one.returncode, two.returncode) == (0, 0), one.stderr[-2000:] + two.stderr[-2000:]
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-5)
    assert len(losses(tmp_path / "one")) == 3


def test_two_processes_drop_groups_in_step_with_each_other(run_file, tmp_path):
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
    assert found.returncode == 0, found.stderr[-3000:]
    rows = [row for row in JsonLines(tmp_path / "two" / "metrics.jsonl").read() if "loss" in row]
    assert [row["groups/kept"] for row in rows] == [0.0, 0.0, 0.0]
    groups = JsonLines(tmp_path / "two" / "groups.jsonl").read()
    assert len(groups) == 3 * 2 * 4  # steps, tries and groups of both processes


def test_a_run_meant_for_eight_processes_does_not_start_on_one(run_file):
    found = start("sft", str(run_file), "train.per_device=1", "train.processes=8")
    assert found.returncode != 0
    assert "torchrun --nproc_per_node 8" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_command_line_explains_itself_and_its_mistakes(run_file):
    dry = start("grpo", str(run_file), "--dry-run", "train.batch=64")
    assert dry.returncode == 0, dry.stderr
    assert "task: grpo" in dry.stdout
    assert "GiB" in dry.stdout
    wrong = start("sft", str(run_file), "train.lerning_rate=1")
    assert wrong.returncode != 0
    assert wrong.stderr.strip() == (
        "georl: unknown key 'train.lerning_rate'; did you mean train.learning_rate?"
    )
