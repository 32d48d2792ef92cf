"""A run deletes only its own, and shares its folder with no other (georl.run.ownership)."""

import json
import subprocess
import sys

import pytest
from filelock import FileLock

from georl import sft
from georl.config import ConfigError, load
from georl.run import checkpoints, ownership

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SFT = [*SMALL, "task=sft", "train.batch=8", "train.per_device=8", "max_steps=2", "save_steps=1"]
OWN = {"task": "sft", "model.name": "tiny"}


def run_of(folder, *more):
    places = write_places(folder)
    return load(None, [*SFT, f"data.places={places}", f"output={folder / 'out'}", *more])


def tree(folder):
    """Every file below a folder and its bytes, but for the lock."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if p.name != ownership.LOCK}


def sealed(folder, own=OWN):
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights of " + str(own).encode())
    checkpoints.seal(folder, own)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "checkpoint-500/optimizer.pt",
        "final/model.safetensors",
        "checkpoint-1",
        "metrics.jsonl",
        "config.yaml",
        "rollouts/mine.parquet",
    ],
)
@pytest.mark.parametrize("resume", ["true", "false"])
def test_a_folder_of_another_program_is_refused_and_untouched(tmp_path, name, resume):
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"another program's")
    before = tree(tmp_path / "out")
    first = name.partition("/")[0]
    with pytest.raises(ConfigError, match=f"holds {first}, which no run of georl made"):
        sft.train(run_of(tmp_path, f"train.resume={resume}"))
    assert tree(tmp_path / "out") == before


def test_what_lies_beside_and_has_other_names_does_not_matter(tmp_path):
    (tmp_path / "out" / "notes").mkdir(parents=True)
    (tmp_path / "out" / "notes" / "a.txt").write_text("mine")
    sft.train(run_of(tmp_path))
    assert (tmp_path / "out" / "notes" / "a.txt").read_text() == "mine"
    assert json.loads((tmp_path / "out" / ownership.OWNER).read_text())["made_by"] == "georl"


def test_a_seal_that_is_not_ours_does_not_make_a_folder_ours(tmp_path):
    folder = sealed(tmp_path / "checkpoint-3")
    ownership.refuse_foreign(tmp_path)
    (folder / checkpoints.MARKER).write_text("0" * 64)
    with pytest.raises(ConfigError, match="holds checkpoint-3"):
        ownership.refuse_foreign(tmp_path)
    (tmp_path / ownership.OWNER).write_text('{"made_by": "another"}')
    with pytest.raises(ConfigError, match="holds checkpoint-3"):
        ownership.refuse_foreign(tmp_path)
    (tmp_path / ownership.OWNER).write_text("[not json")
    with pytest.raises(ConfigError, match="holds checkpoint-3"):
        ownership.refuse_foreign(tmp_path)
    with pytest.raises(ConfigError, match="is a file"):
        ownership.refuse_foreign(tmp_path / ownership.OWNER)


def test_starting_over_moves_an_earlier_run_aside_whole(tmp_path):
    sft.train(run_of(tmp_path))
    before = tree(tmp_path / "out")
    sft.train(run_of(tmp_path, "seed=3", "train.resume=false"))
    aside = tmp_path / "out" / ownership.REPLACED / "1"
    kept = {name: before[name] for name in before if name != ownership.OWNER}
    assert tree(aside) == kept
    checkpoints.verify(aside / "final")
    sft.train(run_of(tmp_path, "seed=4", "train.resume=false"))
    assert sorted(p.name for p in aside.parent.iterdir()) == ["1", "2"]


def test_going_on_keeps_what_the_run_made_and_piles_nothing_up(tmp_path):
    run = run_of(tmp_path)
    sft.train(run)
    before = tree(tmp_path / "out" / "checkpoint-1")
    sft.train(run)
    assert tree(tmp_path / "out" / "checkpoint-1") == before
    assert not (tmp_path / "out" / ownership.REPLACED).exists()


@pytest.mark.parametrize(("step", "moved"), [(2, ["checkpoint-3"]), (-1, None)])
def test_later_checkpoints_are_moved_aside_if_whole_and_deleted_if_torn(tmp_path, step, moved):
    for number in (1, 2, 3):
        sealed(tmp_path / f"checkpoint-{number}")
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    ownership.claim(tmp_path, OWN, 3)
    torn = tmp_path / "checkpoint-4"
    torn.mkdir()
    (torn / "half").write_bytes(b"1")
    ownership.claim(tmp_path, OWN, step)
    assert not torn.exists()
    there = sorted(p.name for p in (tmp_path / ownership.REPLACED / "1").iterdir())
    assert there == (moved or ["checkpoint-1", "checkpoint-2", "checkpoint-3"])
    assert (tmp_path / "metrics.jsonl").exists()  # the run's own, which it cuts back itself
    ownership.claim(tmp_path, {"task": "another"}, -1)
    assert (tmp_path / ownership.REPLACED / "2" / "metrics.jsonl").exists()


def test_each_run_that_is_moved_aside_has_a_folder_of_its_own(tmp_path):
    (tmp_path / ownership.REPLACED / "notes").mkdir(parents=True)
    for number in range(12):
        ownership.claim(tmp_path, {"task": str(number)}, -1)
        (tmp_path / "metrics.jsonl").write_text(f"{number}\n")
    ownership.claim(tmp_path, {"task": "last"}, -1)
    aside = [path for path in (tmp_path / ownership.REPLACED).iterdir() if path.name != "notes"]
    said = {int(path.name): (path / "metrics.jsonl").read_text() for path in aside}
    assert said == {number + 1: f"{number}\n" for number in range(12)}


def test_of_several_processes_one_looks_at_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(ownership, "PATIENCE_S", 0.1)
    with FileLock(tmp_path / ownership.LOCK, is_singleton=False):
        monkeypatch.setenv("RANK", "1")
        ownership.refuse_foreign(tmp_path)
        for first in ("0", None):
            monkeypatch.setenv("RANK", first) if first else monkeypatch.delenv("RANK")
            with pytest.raises(ConfigError, match="another run is at work"):
                ownership.refuse_foreign(tmp_path)
    ownership.refuse_foreign(tmp_path)


def test_two_runs_do_not_share_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr(ownership, "PATIENCE_S", 0.1)
    run = run_of(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    hold = "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire();"
    hold += "print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(out / ownership.LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match="another run is at work in"):
            sft.train(run)
        with pytest.raises(ConfigError, match="another run is at work in"):
            ownership.take(out)
        assert [path.name for path in out.iterdir()] == [ownership.LOCK]
        other.communicate("\n")
    sft.train(run)
    with pytest.raises(TimeoutError):  # and a run at work keeps others out
        FileLock(out / ownership.LOCK, is_singleton=False).acquire(timeout=0)
    sft.train(run)  # but not itself
