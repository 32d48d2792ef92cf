"""Every verb that writes, killed at its steps: nothing is lost, doubled or half there."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from geodata import near_duplicates, tables
from geodata.near_duplicates import hashing
from tests.datasets.killed_verbs import VERBS
from tests.near_duplicates.photos_made import jpeg, scene
from tests.pages import ROOT


class Server:
    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("killed_verbs.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    def run(self, verb, lake, at=0):
        """Return the steps of a run and how it ended."""
        self._process.stdin.write(f"{verb} {lake} {at}\n")
        self._process.stdin.flush()
        steps, _, how = self._process.stdout.readline().partition(" ")
        return int(steps), how.strip()

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A lake of two tables, and the files beside it."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "images").mkdir()
    for i in range(4):
        (folder / "images" / f"{i}.jpg").write_bytes(jpeg(scene(i, (64, 48))))
    for part in range(3):
        tables.append(folder / "lake" / "photos", rows(range(10 * part, 10 * part + 10)))
    pictures = pa.table({"photo_id": list("abcd"), "image": [f"{i}.jpg" for i in range(4)]})
    tables.append(folder / "lake" / "pictures", pictures)
    (folder / "more.csv").write_text("id,lat,lon\n" + "".join(f"n{i},{i},5\n" for i in range(9)))
    (folder / "scores.csv").write_text(
        "photo_id,score\n" + "".join(f"p{i},{i}\n" for i in range(30))
    )
    lines = "".join(f"p{i},m{k},yes\n" for i in range(30) for k in range(2))
    (folder / "answers.csv").write_text("photo_id,model,answer\n" + lines)
    return folder


def rows(numbers):
    numbers = list(numbers)
    return pa.table({"photo_id": [f"p{i}" for i in numbers], "lat": [float(i) for i in numbers],
                     "lon": [5.0] * len(numbers)})  # fmt: skip


def state(lake):
    """Return the content of each table; every one must be whole."""
    found = {}
    for name in tables.names(lake):
        report = tables.verify(lake / name)
        assert report.problems == (), (name, report.problems)
        found[name] = tables.open(lake / name).content_hash
    return found


def fresh(template, folder):
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(template, folder)
    return folder / "lake"


def check(server, template, folder, verb, choose):
    lake = fresh(template, folder)
    before = state(lake)
    steps, how = server.run(verb, lake)
    assert how == "ended 0"
    assert steps > 1
    after = state(lake)
    for at in choose(steps):
        lake = fresh(template, folder)
        assert server.run(verb, lake, at) == (at, "killed"), (verb, at)
        found = state(lake)
        assert found in (before, after), (verb, at)
        if verb == "export":
            shutil.rmtree(lake / "exported", ignore_errors=True)
        assert server.run(verb, lake)[1] == "ended 0", (verb, at)
        assert state(lake) == after, (verb, at)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_killed_at_a_step_leaves_the_old_or_the_new(
    server, template, tmp_path, verb
):
    def few(steps):
        return sorted({1, steps // 2, steps * 3 // 4, steps - 1, steps})

    check(server, template, tmp_path / "work", verb, few)


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_killed_at_a_hundred_steps(server, template, tmp_path, verb):
    def many(steps):
        chosen = random.Random(verb).sample(range(1, steps + 1), min(steps, 100))
        return sorted(chosen)

    check(server, template, tmp_path / "work", verb, many)


def test_hashes_that_a_kill_left_in_several_versions_are_each_there_once(template, tmp_path):
    """In the process itself: the commits of a run are small, and a failure stops it between."""
    lake = fresh(template, tmp_path / "work")
    hashing_rows, calls = hashing._hash_one, []

    def fails(reference, root):
        calls.append(reference)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return hashing_rows(reference, root)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_COMMIT_PHOTOS", 2)
        patch.setattr(hashing, "_hash_one", fails)
        with pytest.raises(KeyboardInterrupt):
            near_duplicates.hash_photos(lake, "pictures", root=tmp_path / "work/images", workers=1)
    near_duplicates.hash_photos(lake, "pictures", root=tmp_path / "work/images", workers=1)
    images = tables.open(lake / "hashes").arrow()["image"].to_pylist()
    assert sorted(images) == [f"{i}.jpg" for i in range(4)]
