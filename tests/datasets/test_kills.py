"""Every verb that writes, killed at its steps: nothing is lost, doubled or half there."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import datasets, near_duplicates, photos, tables
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
        self._process.stdin.write(f"{verb}\t{lake}\t{at}\n")
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
    """A lake of tables of every kind, and the files beside it."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "images").mkdir()
    (folder / "out").mkdir()
    for i in range(4):
        (folder / "images" / f"{i}.jpg").write_bytes(jpeg(scene(i, (64, 48))))
    lake = folder / "lake"
    for part in range(3):
        numbers = range(10 * part, 10 * part + 10)
        photos.import_(rows(numbers), lake / "photos", source_name=f"part {part}")
        tables.append(lake / "plain", rows(numbers))
    tables.tag(lake / "photos", "first", 1)
    for n in range(3):
        tables.write(lake / "old", rows([n]))
    (lake / "old" / f"part-00000009-00000-{'0' * 32}.parquet").write_bytes(b"left by a kill")
    pictures = pa.table({"photo_id": list("abcd"), "image": [f"{i}.jpg" for i in range(4)]})
    tables.append(lake / "pictures", pictures)
    places = {"lat": [48.86, 35.68, 40.7, 55.7], "lon": [2.35, 139.77, -74.0, 37.6]}
    named = pictures.append_column("lat", [places["lat"]]).append_column("lon", [places["lon"]])
    tables.append(lake / "spots", named.append_column("status", [["ok"] * 4]))
    datasets.build("labelled", lake, "places", "spots")
    (folder / "said.csv").write_text("photo_id,lat,lon\na,48.86,2.35\n")
    datasets.build("popular", lake, "known", {"rows": "places", "predictions": folder / "said.csv"},
                   n=1)  # fmt: skip
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


def state(lake, verb=None):
    """Return what everyone sees: the content of each table, its tags, and the files made of them.

    Every table must be whole.
    """
    left = LEFT.get(verb, [])
    found = {}
    for name in tables.names(lake):
        report = tables.verify(lake / name)
        problems = [p for p in report.problems if not any(text in p for text in left)]
        assert problems == [], (name, problems)
        opened = tables.open(lake / name)
        content = opened.content_hash
        if verb in NEW_COLUMNS and name == NEW_COLUMNS[verb]:
            content = opened.arrow(["photo_id", "lat", "lon"]).to_pylist()
        found[name] = (content, tables.tags(lake / name))
        for tag in tables.tags(lake / name):
            tables.open(lake / name, tag).arrow()
    out = lake.parent / "out"
    seen = [p for p in sorted(out.rglob("*")) if not p.relative_to(out).parts[0].startswith(".")]
    return found | {str(p.relative_to(out)): held(p) for p in seen if p.is_file()}


def held(file):
    """Return what a file holds; the README and the Croissant file name the day."""
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()
    return file.read_bytes() if file.suffix == ".jsonl" else None


def fresh(template, folder):
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(template, folder)
    return folder / "lake"


STEPWISE = {"forget": "one table after the other is rewritten, each whole"}
"""Verbs of several versions, each of which may be there without the next; and why."""

LEFT = {"forget": ["forget again"]}
"""What a stopped run may leave, and says."""

NEW_COLUMNS = {"import columns": "plain"}
"""Verbs that bring columns, in a version before their rows: they are NULL until these come."""


def check(server, template, folder, verb, choose):
    lake = fresh(template, folder)
    before = state(lake, verb)
    steps, how = server.run(verb, lake)
    assert how == "ended 0"
    assert steps > 1
    after = state(lake, verb)
    for at in choose(steps):
        lake = fresh(template, folder)
        assert server.run(verb, lake, at) == (at, "killed"), (verb, at)
        found = state(lake, verb)
        if verb in STEPWISE:
            assert all(found[key] in (before.get(key), after.get(key)) for key in found)
        else:
            assert found in (before, after), (verb, at)
        assert server.run(verb, lake)[1] == "ended 0", (verb, at)
        assert state(lake, verb) == after, (verb, at)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_killed_at_a_step_leaves_the_old_or_the_new(
    server, template, tmp_path, verb
):
    def few(steps):
        return sorted({steps // 2, steps * 3 // 4, steps - 1})

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
