"""A run that is killed at random comes to the rows of one that is not, and pays no answer twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from geodata import tables
from georl import reasoning
from georl.reasoning import stepping
from georl.reasoning.calls import FILE

from . import world
from .world import PhotoServer

ROOT = Path(__file__).parents[3]
UNDER_WAY = 4


def answers(by):
    """Every sixth photo is dropped, each by another step."""
    found = {}
    for i in range(0, 1000, 6):
        unlike = {"thought": f"{'Cherries' if by == 'a' else 'Temples'} {i}."}
        ways = [{"score": 0.1}, f"no answer to {i}", {"country": "Atlantis"}, unlike]
        found[i] = ways[i // 6 % 4]
    return found


def kept_answers(folder):
    """What the file of answers holds: (model, photo) of each whole line."""
    path = folder / FILE
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    replies = [json.loads(line)["reply"] for line in lines]
    return [(reply["model"], reply["text"]) for reply in replies]


def process(folder, urls):
    words = ["build", str(folder / "set.yaml"), *(f"models.{k}.url={u}" for k, u in urls.items())]
    return subprocess.Popen(
        [sys.executable, "-m", "georl.cli", "reason", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("photos", "kills"), [(40, 3), pytest.param(1000, 20, marks=pytest.mark.slow)]
)
def test_killed_at_random(tmp_path, photos, kills):
    rng = random.Random(photos)
    world.photos(tmp_path, photos)
    (tmp_path / "set.yaml").write_text(
        f"output: {tmp_path / 'run'}\ntable: {tmp_path / 'lake' / 'reason'}\n"
        f"photos: {{table: {tmp_path / 'photos.csv'}, image_root: {tmp_path}}}\nmodels:\n"
        + "".join(
            f"  {n}: {{url: 'http://x/v1', model: model-{n}, concurrency: {UNDER_WAY}}}\n"
            for n in "ab"
        )
    )
    with PhotoServer("a", answers("a")) as one, PhotoServer("b", answers("b")) as two:
        urls, servers = {"a": one.url, "b": two.url}, {"a": one, "b": two}
        for server in servers.values():
            server.delay_s = 0.03
        paid: list[tuple[int, set]] = []  # requests so far, answers kept then
        for kill in range(kills):
            run = process(tmp_path, urls)
            if kill % 2 == 0:  # while it asks
                until = len(one.requests) + rng.randrange(1, max(2, photos // kills))
                while run.poll() is None and len(one.requests) < until:
                    time.sleep(0.005)
                time.sleep(rng.random() * 0.06)
            else:  # at any time, also at its start and in later steps
                time.sleep(rng.random() * 8.0)
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            kept = kept_answers(tmp_path / "run")
            assert len(kept) == len(set(kept))
            paid.append(({n: len(s.requests) for n, s in servers.items()}, set(kept)))
        last = process(tmp_path, urls)
        assert (last.communicate()[1].decode(), last.returncode) == ("", 0)
        asked = {name: Counter(server.numbers) for name, server in servers.items()}
        for before, kept in paid:  # what was kept at a kill was never asked for again
            for name, server in servers.items():
                later = {world.number(r.image) for r in server.requests[before[name] :]}
                texts = {text for model, text in kept if model == f"model-{name}"}
                assert not {text_of(name, i) for i in later} & texts
        for name, counted in asked.items():
            assert set(counted) == set(range(photos))
            twice = sum(n - 1 for n in counted.values())
            assert twice <= kills * UNDER_WAY, name  # only what was under way
        undisturbed = world.config(tmp_path, urls, f"output={tmp_path / 'calm'}",
                                   f"table={tmp_path / 'lake' / 'calm'}")  # fmt: skip
        calm = reasoning.build(undisturbed)
    found, expected = (tables.open(tmp_path / "lake" / n).arrow() for n in ("reason", "calm"))
    assert found.equals(expected)
    assert calm.rows == photos
    last = [stepping.counts(tmp_path / n / "5-verify.parquet") for n in ("run", "calm")]
    assert last[0] == last[1]
    assert {step for step, _ in last[0]} == {None, "ask", "filter", "truth", "agree"}


def text_of(name, i):
    """The text of the answer about a photo; every one is different."""
    given = answers(name).get(i, {})
    return given if isinstance(given, str) else world.said(i, by=name, **given)
