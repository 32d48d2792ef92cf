"""Real runs killed with SIGKILL and started again end as if nobody had touched them: R16."""

import os
import random
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest
import torch

from geodata.files import sha256
from georl import grpo, sft
from georl.config import dump, load, replace
from georl.run import JsonLines, checkpoints

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SETTINGS = [
    *SMALL,
    "grpo.max_tokens=24",
    "grpo.generations=4",
    "train.per_device=8",
]
# Epochs of 5 steps in SFT and 3 in GRPO; logging and saving fall in and out of step with them.
SFT = ["task=sft", "train.batch=8", "learning_rate=1e-2", "max_steps=12", "save_steps=3"]
GRPO = ["task=grpo", "train.batch=16", "learning_rate=1e-3", "max_steps=8", "save_steps=2"]
GRPO += ["data.limit=12", "train.keep_checkpoints=2"]
GROUPS = ["groups.drop_equal=true", "groups.tries=2", "groups.epsilon=0.05"]
GROUPS += ["curriculum.enabled=true", "curriculum.saturated=0.05", "curriculum.radius_km=900"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Forty points in Africa and Europe, named by their half of the globe."""
    torch.set_num_threads(1)
    return write_places(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def taught(places, tmp_path_factory):
    """A model after enough SFT to write coordinates, so that rewards differ."""
    output = tmp_path_factory.mktemp("taught")
    settings = [*SETTINGS, *SFT, f"data.places={places}", f"output={output}", "save_steps=0"]
    return sft.train(load(None, [*settings, "max_steps=120"]))


def run_of(places, output, *settings):
    return load(None, [*SETTINGS, f"data.places={places}", f"output={output}", *settings])


def start(run, folder, processes=1):
    """Start the command line on a run; it is the same command each time."""
    path = folder / "run.yaml"
    path.write_text(dump(run), encoding="utf-8")
    settings = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(
            [
                sys.executable,
                *(launcher if processes > 1 else []),
                *("-m", "georl.cli", run.task, str(path)),
            ],
            env=os.environ | settings,
            stdout=log,
            stderr=log,
        )


def killed(run, folder, ripe, processes=1, limit_s=120.0):
    """Start the run and kill it as soon as ``ripe`` says so; True if it was still running."""
    process, started = start(run, folder, processes), time.monotonic()
    try:
        while process.poll() is None and not ripe(time.monotonic() - started):
            assert time.monotonic() - started < limit_s, "the moment to kill at never came"
            time.sleep(0.0005)
    finally:
        running = process.poll() is None
        below = psutil.Process(process.pid).children(recursive=True) if running else []
        for one in (process, *below):
            one.kill()
        process.wait()
        psutil.wait_procs(below)
    return running


def finished(run, folder, processes=1):
    """Start the run, let it end and return what it printed."""
    code = start(run, folder, processes).wait(timeout=300)
    text = (folder / "log.txt").read_text(encoding="utf-8")
    assert code == 0, text[-3000:]
    return text


def torn(output, step):
    """The moment at which a checkpoint is being written: its folder is there, its seal is not."""
    folder = output / f"checkpoint-{step}"
    return lambda _: folder.is_dir() and not (folder / checkpoints.MARKER).is_file()


def logged(output, step):
    """The moment at which the log has come to a step."""
    log = JsonLines(output / "metrics.jsonl")
    return lambda _: any(row["step"] >= step for row in log.read())


def begun(output, step, then_s):
    """The moment so long after this start has come to a step, wherever it began."""
    log, came = JsonLines(output / "metrics.jsonl"), []
    before = len(log.read())

    def ripe(now):
        rows = log.read()
        if not came and len(rows) != before and any(row["step"] >= step for row in rows):
            came.append(now)
        return bool(came) and now - came[0] >= then_s

    return ripe


def record(output):
    """All that a run leaves and that must repeat to the last bit; times do not."""
    timed = ("seconds", "per_second", "runtime", "step_time")
    rows = JsonLines(output / "metrics.jsonl").read()
    parts = sorted((output / "rollouts").glob("*"))
    last = checkpoints.listed(output)[-1]
    files = [*sorted((output / "final").rglob("*.*")), last / "optimizer.pt"]
    # the tokenizer's file also says how it last padded, and the manifest has that file's hash
    apart = ("README.md", "manifest.json", "tokenizer.json")
    return {
        "files": {path.name: sha256(path) for path in files if path.name not in apart},
        "history": [
            {k: v for k, v in row.items() if not any(t in k for t in timed)} for row in rows
        ],
        "groups": JsonLines(output / "groups.jsonl").read(),
        "rollouts": {part.name: pq.read_table(part).to_pylist() for part in parts},
        "merged": pq.read_table(output / "rollouts.parquet").to_pylist() if parts else [],
        "checkpoints": [folder.name for folder in checkpoints.listed(output)],
    }


def assert_same_record(output, whole):
    found, expected = record(output), record(whole)
    assert expected["files"]
    for name in expected:
        assert found[name] == expected[name], name
    ids = [row["id"] for row in found["merged"]]
    assert len(set(ids)) == len(ids)
    checkpoints.verify(output / "final")


def test_sft_killed_in_a_checkpoint_and_in_the_final_save_ends_as_if_not(places, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = [*SFT, "train.logging_steps=2"]
    sft.train(run_of(places, whole, *settings))
    run = run_of(places, cut, *settings)
    assert killed(run, tmp_path, torn(cut, 6))
    assert not (cut / "checkpoint-6" / checkpoints.MARKER).exists()
    final = cut / "final"
    assert killed(run, tmp_path, lambda _: final.is_dir())
    assert not (final / checkpoints.MARKER).exists()
    text = finished(run, tmp_path)
    assert [f"checkpoint-{step}\n" in text for step in (3, 6, 9, 12)] == [True, False, False, True]
    assert_same_record(cut, whole)


@pytest.mark.parametrize(
    ("more", "moment"),
    [
        (["train.logging_steps=3"], lambda output: torn(output, 6)),
        (["train.logging_steps=1", *GROUPS], lambda output: logged(output, 5)),
    ],
    ids=["in a checkpoint", "between checkpoints, with groups and curriculum"],
)
def test_grpo_on_images_killed_ends_as_if_not(places, taught, tmp_path, more, moment):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = [*GRPO, f"model.name={taught}", *more]
    grpo.train(run_of(places, whole, *settings))
    run = run_of(places, cut, *settings)
    assert killed(run, tmp_path, moment(cut))
    assert finished(run, tmp_path).count("going on from") == 1
    assert_same_record(cut, whole)
    if "curriculum.enabled=true" in more:
        rows = record(whole)["history"]
        assert max(row.get("curriculum/regions", 0) for row in rows) > 0
        assert max(row.get("groups/equal", 0) for row in rows) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_again_and_again_at_random_moments_ends_as_if_not(
    places, taught, tmp_path, seed
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = [*GRPO, f"model.name={taught}", "train.logging_steps=1", f"seed={seed}", *GROUPS]
    settings += ["max_steps=40", "grpo.iterations=2"]
    grpo.train(run_of(places, whole, *settings))
    run = run_of(places, cut, *settings)
    rng = random.Random(seed)
    for step in sorted(rng.sample(range(1, 38), 8)):  # and some instants of a step later
        assert killed(run, tmp_path, begun(cut, step, rng.uniform(0.0, 0.05)))
    finished(run, tmp_path)
    assert_same_record(cut, whole)


@pytest.mark.slow
def test_two_processes_killed_end_as_if_not(places, taught, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    settings = [*GRPO, *GROUPS, f"model.name={taught}", "train.logging_steps=1"]
    finished(run_of(places, whole, *settings), tmp_path, 2)
    run = run_of(places, cut, *settings)
    assert killed(run, tmp_path, torn(cut, 4), 2)
    assert killed(run, tmp_path, logged(cut, 7), 2)
    assert finished(run, tmp_path, 2).count("going on from") == 2
    assert len(list((cut / "checkpoint-8").glob("rng_state*"))) == 2
    assert_same_record(cut, whole)


def test_starting_over_leaves_nothing_of_the_run_before(places, taught, tmp_path):
    fresh, used = tmp_path / "fresh", tmp_path / "used"
    settings = [*GRPO, f"model.name={taught}", "train.logging_steps=1", "max_steps=2"]
    longer = run_of(places, used, *settings, *GROUPS, "max_steps=4", "seed=5")
    grpo.train(longer)
    (used / "final" / "adapter_config.json").write_text("{}", encoding="utf-8")
    grpo.train(run_of(places, fresh, *settings))
    again = run_of(places, used, *settings, "train.resume=false")
    grpo.train(again)
    assert_same_record(used, fresh)
    grpo.train(replace(again, train__resume=True))  # and it is this run that one can go on with
    assert_same_record(used, fresh)


def test_a_checkpoint_with_a_flipped_bit_is_written_again(places, tmp_path, capsys):
    settings = [*SFT, "train.logging_steps=1", "train.keep_checkpoints=1", "max_steps=9"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    sft.train(run_of(places, whole, *settings))
    sft.train(run_of(places, cut, *settings, "train.keep_checkpoints=3"))
    damaged = cut / "checkpoint-9" / "optimizer.pt"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    capsys.readouterr()
    sft.train(run_of(places, cut, *settings))
    told = capsys.readouterr().out
    assert "passing over checkpoint-9" in told
    assert "going on from" in told
    assert_same_record(cut, whole)
