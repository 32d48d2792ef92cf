"""Checkpoints are whole or refused: R15, R16 (georl.run.checkpoints)."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from georl.config import ConfigError, load
from georl.run import checkpoints
from georl.run.checkpoints import CheckpointError

RUN = {"task": "sft", "model.name": "tiny"}


def checkpoint(folder, run=RUN, size=600):
    """A sealed folder of a few small files."""
    rng = np.random.default_rng(int(folder.name.rpartition("-")[2]))
    (folder / "part").mkdir(parents=True)
    for name in ("model.safetensors", "optimizer.pt", "part/rng_state.pth"):
        (folder / name).write_bytes(rng.bytes(size))
    checkpoints.seal(folder, run)
    return folder


def test_every_flipped_bit_of_1000_is_found(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-3")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    rng = np.random.default_rng(7)
    for _ in range(1000):
        path = files[rng.integers(len(files))]
        whole = path.read_bytes()
        at, bit = rng.integers(len(whole)), rng.integers(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
        if path.name != checkpoints.MARKER or whole[at : at + 1] != b"\n":
            with pytest.raises((CheckpointError, ValueError)):
                checkpoints.verify(folder)
        path.write_bytes(whole)
    assert checkpoints.verify(folder)["run"] == RUN


@pytest.mark.parametrize("damage", ["cut", "missing", "unsealed", "half deleted"])
def test_a_damaged_checkpoint_is_passed_over_for_the_older_good_one(tmp_path, capsys, damage):
    good, bad = (checkpoint(tmp_path / f"checkpoint-{step}") for step in (9, 10))
    target = bad / "optimizer.pt"
    if damage == "cut":
        target.write_bytes(target.read_bytes()[:-1])
    elif damage == "missing":
        target.unlink()
    elif damage == "unsealed":
        (bad / checkpoints.MARKER).unlink()
    else:
        (bad / checkpoints.MANIFEST).unlink()
    assert checkpoints.newest(tmp_path, RUN) == good
    assert "passing over checkpoint-10" in capsys.readouterr().out


def test_without_any_good_checkpoint_the_run_starts_over(tmp_path):
    bad = checkpoint(tmp_path / "checkpoint-2")
    (bad / checkpoints.MARKER).unlink()
    assert checkpoints.newest(tmp_path, RUN) is None
    assert checkpoints.newest(tmp_path / "absent", RUN) is None


def test_a_checkpoint_of_another_model_is_refused_with_what_differs(tmp_path):
    checkpoint(tmp_path / "checkpoint-2")
    with pytest.raises(ConfigError, match=r"model\.name: 'tiny' there, 'other' now"):
        checkpoints.newest(tmp_path, RUN | {"model.name": "other"})


def test_the_oldest_are_deleted_and_steps_sort_as_numbers(tmp_path):
    for step in (2, 10, 9, 100):
        checkpoint(tmp_path / f"checkpoint-{step}")
    checkpoints.prune(tmp_path, keep=2)
    assert [p.name for p in checkpoints.listed(tmp_path)] == ["checkpoint-10", "checkpoint-100"]


def test_the_identity_of_a_run_is_what_its_weights_depend_on():
    base = checkpoints.identity(load(None, []))
    assert checkpoints.identity(load(None, ["logging_steps=1", "output=x"])) == base
    for change in ("learning_rate=1e-3", "max_steps=9", "decimals=2", "lora_alpha=1", "seed=1"):
        assert checkpoints.identity(load(None, [change])) != base
    assert checkpoints.identity(load(None, ["grpo.temperature=0.5"])) == base  # SFT samples nothing
    grpo = checkpoints.identity(load(None, ["task=grpo"]))
    assert json.loads(json.dumps(grpo)) == grpo


# --- the seal ------------------------------------------------------------------------------


def test_a_seal_lists_every_file_once_and_answers_for_itself(tmp_path):
    """Read with the tools of anybody: SHA-256 of each file, and of the list in the marker."""
    (tmp_path / "part").mkdir()
    (tmp_path / "b").write_bytes(b"1")
    (tmp_path / "part" / "a").write_bytes(b"2")
    told = checkpoints.seal(tmp_path, RUN)
    text = (tmp_path / "manifest.json").read_bytes()
    assert told == hashlib.sha256(text).hexdigest()
    assert (tmp_path / "COMPLETE").read_text() == told + "\n"
    assert json.loads(text) == {
        "run": RUN,
        "files": {
            "b": hashlib.sha256(b"1").hexdigest(),
            "part/a": hashlib.sha256(b"2").hexdigest(),
        },
    }


def test_a_folder_is_sealed_anew_after_a_change(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-1")
    first = checkpoints.verify(folder)["files"]
    (folder / "new").write_text("1")
    checkpoints.seal(folder, RUN)
    assert checkpoints.verify(folder)["files"].keys() == {*first, "new"}


def test_a_seal_that_is_cut_short_leaves_none(tmp_path, monkeypatch):
    """The seal before it would else stand beside files that it does not know."""
    folder = checkpoint(tmp_path / "checkpoint-1")

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr(checkpoints, "sha256", broken)
    with pytest.raises(OSError, match="no space"):
        checkpoints.seal(folder, RUN)
    with pytest.raises(CheckpointError, match="has no COMPLETE marker"):
        checkpoints.manifest(folder)


def test_the_marker_is_written_last(tmp_path, monkeypatch):
    """What a kill leaves between the two has no seal."""
    written, stock = [], checkpoints.write_text
    monkeypatch.setattr(
        checkpoints, "write_text", lambda path, text: written.append(path.name) or stock(path, text)
    )
    checkpoint(tmp_path / "checkpoint-1")
    assert written == ["manifest.json", "COMPLETE"]


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (3, 3), (64, 8)])
def test_hashing_takes_the_cores_of_this_process_but_eight_at_most(
    tmp_path, monkeypatch, cores, threads
):
    asked = []

    class Noted(ThreadPoolExecutor):
        def __init__(self, count):
            asked.append(count)
            super().__init__(count)

    monkeypatch.setattr(checkpoints, "ThreadPoolExecutor", Noted)
    own = {0: set(range(cores))}  # 0 is this process
    monkeypatch.setattr("os.sched_getaffinity", own.__getitem__)
    checkpoint(tmp_path / "checkpoint-1")
    assert asked == [threads]


def test_what_is_damaged_is_named(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-1")
    path = folder / "part" / "rng_state.pth"
    whole = path.read_bytes()
    path.write_bytes(b"x" + whole[1:])
    with pytest.raises(CheckpointError, match=r"part/rng_state\.pth is damaged: its SHA-256"):
        checkpoints.verify(folder)
    path.unlink()
    for _ in ("nothing there", "a folder in its place"):
        with pytest.raises(CheckpointError, match=r"part/rng_state\.pth is missing, though"):
            checkpoints.verify(folder)
        path.mkdir(exist_ok=True)
    (folder / checkpoints.MARKER).write_text("0" * 64 + "\n")
    with pytest.raises(CheckpointError, match=r"manifest\.json does not match COMPLETE: one"):
        checkpoints.verify(folder)


def test_a_marker_of_any_bytes_is_only_another_marker(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-1")
    (folder / checkpoints.MARKER).write_bytes(b"\xff\xfe")
    with pytest.raises(CheckpointError, match="does not match COMPLETE"):
        checkpoints.manifest(folder)


# --- which one a run goes on from -----------------------------------------------------------


def test_a_run_is_the_same_after_its_settings_went_through_json(tmp_path):
    own = RUN | {"data.levels": ("country", "region"), "rewards.knots": {750: 0.5}}
    folder = checkpoint(tmp_path / "checkpoint-2", own)
    assert checkpoints.newest(tmp_path, own) == folder
    checkpoints.refuse_other(tmp_path, own)


def test_what_differs_is_told_all_of_it_by_name(tmp_path):
    folder = checkpoint(tmp_path / "checkpoint-2", {"b": 1, "c": 2, "gone": 3})
    for look in (checkpoints.newest, checkpoints.refuse_other):
        with pytest.raises(ConfigError) as error:
            look(tmp_path, {"c": 2, "b": "x", "added": None, "new": 4})
        assert str(error.value) == (
            f"{folder} belongs to another run (b: 1 there, 'x' now; gone: 3 there, None now; "
            "new: None there, 4 now); set another output, or train.resume=false to start over in "
            "this one"
        )


def test_the_newest_manifest_decides_whose_folder_it_is(tmp_path):
    other = RUN | {"seed": 9}
    checkpoint(tmp_path / "checkpoint-2", other)
    new = checkpoint(tmp_path / "checkpoint-10")
    checkpoints.refuse_other(tmp_path, RUN)  # the older one is not looked at
    assert checkpoints.newest(tmp_path, RUN) == new
    with pytest.raises(ConfigError, match="checkpoint-10 belongs to another run"):
        checkpoints.refuse_other(tmp_path, other)
    (new / checkpoints.MARKER).unlink()
    checkpoints.refuse_other(tmp_path, other)
    with pytest.raises(ConfigError, match="checkpoint-2 belongs to another run"):
        checkpoints.refuse_other(tmp_path, RUN)
    checkpoints.refuse_other(tmp_path / "absent", RUN)


def test_only_whole_names_are_checkpoints(tmp_path):
    names = ["checkpoint-7", "checkpoint-7.old", "my-checkpoint-7", "checkpoint-", "checkpoint-x",
             "checkpoint-0", "checkpoint-999999999", "checkpoint-1000000000"]  # fmt: skip
    for name in names:
        (tmp_path / name).mkdir()
    found = [path.name for path in checkpoints.listed(tmp_path)]
    assert found == ["checkpoint-0", "checkpoint-7", "checkpoint-999999999"]
    assert [checkpoints.step_of(tmp_path / name) for name in found] == [0, 7, 999_999_999]


@pytest.mark.parametrize(("keep", "left"), [(0, [3]), (1, [3]), (2, [2, 3]), (3, [1, 2, 3]),
                                            (9, [1, 2, 3])])  # fmt: skip
def test_as_many_are_kept_as_asked_and_one_at_least(tmp_path, keep, left):
    for step in (1, 2, 3):
        checkpoint(tmp_path / f"checkpoint-{step}")
    checkpoints.prune(tmp_path, keep)
    assert [checkpoints.step_of(path) for path in checkpoints.listed(tmp_path)] == left


def test_a_deletion_that_is_cut_short_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    folder = checkpoint(tmp_path / "checkpoint-1")

    def broken(path):
        raise OSError("killed")

    monkeypatch.setattr(shutil, "rmtree", broken)
    with pytest.raises(OSError, match="killed"):
        checkpoints.delete(folder)
    assert (folder / "optimizer.pt").is_file()
    assert checkpoints.newest(tmp_path, RUN) is None
    monkeypatch.undo()
    checkpoints.delete(folder)  # a second time, without its marker
    assert not folder.exists()
