"""A run deletes only its own, and shares its folder with no other (georl.run.ownership)."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

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


def test_a_run_is_moved_beside_those_that_are_left_there(tmp_path):
    """A person may have deleted some: what is still there is not moved into, nor in the way."""
    for number in (2, 5):
        (tmp_path / ownership.REPLACED / str(number)).mkdir(parents=True)
    (tmp_path / ownership.OWNER).write_text('{"made_by": "georl", "run": "of before"}')
    (tmp_path / "metrics.jsonl").write_text("of before\n")
    ownership.claim(tmp_path, OWN, -1)
    replaced = tmp_path / ownership.REPLACED
    assert sorted(path.name for path in replaced.iterdir()) == ["2", "5", "6"]
    assert (replaced / "6" / "metrics.jsonl").read_text() == "of before\n"


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


# --- what is whose ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ownership.MODELS, *ownership.RECORD, "checkpoint-1"])
@pytest.mark.parametrize("kind", ["file", "folder", "broken link"])
def test_everything_that_a_run_writes_is_another_program_s_until_it_is_known(tmp_path, name, kind):
    path = tmp_path / name
    if kind == "file":
        path.write_text("another's")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=f"holds {name}, which no run of georl made and this"):
        ownership.refuse_foreign(tmp_path)
    (tmp_path / ownership.OWNER).write_text(json.dumps({"made_by": "georl"}))
    ownership.refuse_foreign(tmp_path)


def test_names_of_a_record_are_those_that_a_run_writes():
    assert set(ownership.RECORD) == {
        "metrics.jsonl", "groups.jsonl", "rollouts", "rollouts.parquet", "curves.png",
        "config.yaml", "README.md",
    }  # fmt: skip
    assert set(ownership.MODELS) == {"final", "best", "best.part", "best.old"}


def test_a_record_beside_a_sealed_model_is_ours_and_a_strange_model_is_not(tmp_path):
    """Folders of before there was run.json."""
    sealed(tmp_path / "final")
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    ownership.refuse_foreign(tmp_path)
    for name in ("checkpoint-2", "best"):
        (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="holds best, checkpoint-2, which no run"):
        ownership.refuse_foreign(tmp_path)


@pytest.mark.parametrize("manifest", ['{"files": {}}', "not JSON", "{"])
def test_a_whole_seal_of_another_kind_is_not_ours(tmp_path, manifest):
    folder = tmp_path / "final"
    folder.mkdir()
    (folder / checkpoints.MANIFEST).write_text(manifest)
    (folder / checkpoints.MARKER).write_text(hashlib.sha256(manifest.encode()).hexdigest())
    with pytest.raises(ConfigError, match="holds final, which"):
        ownership.refuse_foreign(tmp_path)


@pytest.mark.parametrize(
    "mark", ["[1]", '"georl"', "null", "{}", '{"made_by": "Georl"}', "{", b"\xff"]
)
def test_a_mark_of_another_form_is_none(tmp_path, mark):
    content = mark if isinstance(mark, bytes) else mark.encode()
    (tmp_path / ownership.OWNER).write_bytes(content)
    ownership.refuse_foreign(tmp_path)
    (tmp_path / "final").mkdir()
    with pytest.raises(ConfigError, match="holds final"):
        ownership.refuse_foreign(tmp_path)


def test_a_folder_that_is_not_there_is_nobody_s_and_is_not_made(tmp_path):
    ownership.refuse_foreign(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    ownership.take(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / ownership.LOCK).is_file()


def test_looking_at_a_lock_does_not_keep_it(tmp_path):
    (tmp_path / ownership.LOCK).touch()
    ownership.refuse_foreign(tmp_path)
    FileLock(tmp_path / ownership.LOCK, is_singleton=False).acquire(timeout=0)


def test_a_process_does_not_wait_for_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(ownership, "PATIENCE_S", 0.1)
    ownership.take(tmp_path)
    ownership.take(tmp_path)
    ownership.refuse_foreign(tmp_path)
    ownership.claim(tmp_path, OWN, -1)


def test_a_folder_is_known_by_whatever_path_it_is_named(tmp_path, monkeypatch):
    """Training and what follows it in one process may write it in two ways."""
    monkeypatch.setattr(ownership, "PATIENCE_S", 0.1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("out", target_is_directory=True)
    (tmp_path / "out").mkdir()
    for path in (Path("out"), tmp_path / "out", tmp_path / "link", Path("out/../out")):
        ownership.take(path)
        ownership.refuse_foreign(path)


def test_a_folder_that_was_deleted_under_its_lock_is_there_again(tmp_path):
    """As in a notebook: the same process, the same output, and a person who wants it empty."""
    output = tmp_path / "a" / "out"
    ownership.take(output)
    shutil.rmtree(output)
    ownership.take(output)
    ownership.claim(output, OWN, -1)
    assert (output / ownership.OWNER).is_file()


def test_without_a_lock_none_is_made_by_looking(tmp_path):
    ownership.refuse_foreign(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_run_under_its_mark_moves_nothing_whatever_the_order_of_its_settings(tmp_path):
    own = {"task": "sft", "seed": 1}
    ownership.claim(tmp_path, own, -1)
    mark = (tmp_path / ownership.OWNER).read_text()
    for name in ("final", "best", "rollouts"):
        (tmp_path / name).mkdir()
    (tmp_path / "metrics.jsonl").touch()
    ownership.claim(tmp_path, dict(reversed(own.items())), -1)
    assert not (tmp_path / ownership.REPLACED).exists()
    assert (tmp_path / ownership.OWNER).read_text() == mark
    assert json.loads(mark) == {
        "made_by": "georl",
        "run": hashlib.sha256(b'{"seed": 1, "task": "sft"}').hexdigest(),
    }


@pytest.mark.parametrize("step", [0, 2])
def test_a_run_without_a_mark_that_is_gone_on_with_keeps_its_record(tmp_path, step, capsys):
    """Its models are made anew; the record is cut back, not begun anew."""
    for name in (f"checkpoint-{step}", "checkpoint-7", "final", "best"):
        sealed(tmp_path / name)
    for name in ("metrics.jsonl", "groups.jsonl", "config.yaml", "curves.png"):
        (tmp_path / name).touch()
    ownership.claim(tmp_path, OWN, step)
    aside = tmp_path / ownership.REPLACED / "1"
    assert sorted(path.name for path in aside.iterdir()) == ["best", "checkpoint-7", "final"]
    assert (tmp_path / "metrics.jsonl").exists()
    assert (tmp_path / f"checkpoint-{step}").exists()
    told = capsys.readouterr().out
    assert told == f"moved checkpoint-7, final, best of an earlier run to {aside}\n"


def test_all_that_an_earlier_run_left_is_moved_when_another_starts(tmp_path, capsys):
    ownership.claim(tmp_path, OWN, -1)
    for name in (*ownership.MODELS, *ownership.RECORD, "notes"):
        (tmp_path / name).mkdir()
    torn = tmp_path / "checkpoint-3"
    torn.mkdir()
    ownership.claim(tmp_path, OWN | {"seed": 2}, -1)
    aside = {path.name for path in (tmp_path / ownership.REPLACED / "1").iterdir()}
    assert aside == {*ownership.MODELS, *ownership.RECORD}
    assert (tmp_path / "notes").is_dir()
    told = capsys.readouterr().out
    assert f"deleting {torn}, which was cut short while being written\n" in told


def test_a_claim_that_is_cut_short_is_made_again(tmp_path, monkeypatch):
    """Marked first, the folder would seem this run's, with the models of the one before in it."""
    ownership.claim(tmp_path, OWN, -1)
    (tmp_path / "final").mkdir()
    mark = (tmp_path / ownership.OWNER).read_text()

    def broken(*_):
        raise OSError("killed")

    monkeypatch.setattr(ownership, "_aside", broken)
    with pytest.raises(OSError, match="killed"):
        ownership.claim(tmp_path, OWN | {"seed": 2}, -1)
    assert (tmp_path / ownership.OWNER).read_text() == mark
    monkeypatch.undo()
    ownership.claim(tmp_path, OWN | {"seed": 2}, -1)
    assert (tmp_path / ownership.REPLACED / "1" / "final").is_dir()
    assert (tmp_path / ownership.OWNER).read_text() != mark


def test_a_claim_is_refused_where_another_program_wrote_meanwhile(tmp_path):
    (tmp_path / "final").mkdir()
    with pytest.raises(ConfigError, match="holds final"):
        ownership.claim(tmp_path, OWN, -1)
    assert not (tmp_path / ownership.OWNER).exists()


def test_nobody_waits_long_for_a_lock_that_is_held():
    """A person at a terminal is told within seconds, which workers of a killed run have as well."""
    assert 1.0 <= ownership.PATIENCE_S <= 5.0


def test_a_lock_that_is_given_up_within_the_patience_is_waited_for(tmp_path):
    """Workers of a run that was killed hold it for a moment."""
    other = FileLock(tmp_path / ownership.LOCK, is_singleton=False, thread_local=False)
    other.acquire()
    later = threading.Timer(0.3, other.release)
    later.start()
    ownership.take(tmp_path)
    later.join()
