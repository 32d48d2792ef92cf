"""Which photos are held out, when they are asked for, who asks which, and what is kept."""

import dataclasses
import json
import math
from pathlib import Path
from types import SimpleNamespace

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from georl import config, data
from georl.config import load
from georl.data import DataError
from georl.held_out import attach, evaluating
from georl.held_out.evaluating import HeldOut, held_out_config, refuse_trained_on
from georl.run import checkpoints

from ..tiny_runs import SMALL


def write(path, names):
    """Write places named so; place i of them lies at (i, 2 i)."""
    count = len(names)
    at = {"lat": np.arange(count) * 1.0, "lon": np.arange(count) * 2.0}
    pq.write_table(pa.table({"id": names, **at, "country": ["Here"] * count}), path)
    return path


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return write(tmp_path_factory.mktemp("asked") / "asked.parquet", [f"a{i}" for i in range(70)])


class Trainer(SimpleNamespace):
    """What the callback asks of a trainer; it remembers what it was told."""

    def __init__(self, trained=(), **more):
        rows = {name: [row[i] for row in trained] for i, name in enumerate(("id", "lat", "lon"))}
        given = {"train_dataset": datasets.Dataset.from_dict(rows), "added": [], "logged": []}
        super().__init__(**given | more)

    def add_callback(self, one):
        self.added.append(one)

    def log(self, row):
        self.logged.append(row)


def held(asked, *more):
    given = ["train.eval_steps=3", f"data.eval_table={asked}", "data.eval_rows=4"]
    return load(None, [*SMALL, *given, *more])


# ---- which photos


def test_the_first_rows_of_the_held_out_table_are_asked_for(asked):
    """Others of it may be trained on: the fifth is, and is not among the four."""
    trainer = Trainer([("a4", 4.0, 8.0), ("a1", 1.0, 2.5), ("x", 1.0, 2.0)])
    attach(trainer, held(asked))
    (judge,) = trainer.added
    assert judge._photos.table["id"].to_pylist() == ["a0", "a1", "a2", "a3"]
    assert judge._trainer is trainer
    assert judge._best is None


def test_photos_that_are_trained_on_are_refused_in_these_words(asked):
    trainer = Trainer([("a4", 4.0, 8.0), ("a3", 3.0, 6.0), ("a1", 1.0, 2.0), ("a1", 1.0, 2.0)])
    with pytest.raises(DataError) as error:
        attach(trainer, held(asked))
    assert str(error.value) == (
        "2 of 4 held-out photos are trained on, the first with id 'a1'; name others by "
        "data.eval_table, or by data.split and data.eval_split"
    )
    assert trainer.added == []


def test_without_steps_nothing_is_read(tmp_path):
    trainer = Trainer()
    attach(trainer, held(tmp_path / "none.parquet", "train.eval_steps=0"))
    assert trainer.added == []
    with pytest.raises(DataError, match="no such file"):
        attach(trainer, held(tmp_path / "none.parquet", "data.table=t.csv"))


def test_of_a_stream_it_is_said_that_nobody_looked(asked, capsys):
    trainer = Trainer([("a1", 1.0, 2.0)])
    attach(trainer, held(asked, "data.stream=true"))
    assert len(trainer.added) == 1
    said = capsys.readouterr()
    assert " ".join((said.out + said.err).split()) == (
        "a stream does not say beforehand what it holds: held-out photos are not looked for"
    )
    attach(Trainer(), held(asked))
    said = capsys.readouterr()
    assert "stream" not in said.out + said.err


def test_a_table_without_rows_is_refused(tmp_path):
    path = write(tmp_path / "empty.parquet", [])
    with pytest.raises(DataError) as error:
        attach(Trainer(), held(path))
    assert str(error.value) == "world has no held-out rows to ask for; set data.eval_split"


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ("table=t.csv split=a eval_split=b", {"split": "b"}),
        ("table=t.csv eval_table=u.csv eval_split=b split=a",
         {"table": "u.csv", "split": "b", "version": None, "where": None}),
        ("table=t.csv eval_table=u.csv split=a",
         {"table": "u.csv", "split": None, "version": None, "where": None}),
        ("table=t.csv eval_table=world",
         {"table": "world", "split": None, "version": None, "where": None}),
        ("table=world eval_table=world split=a",
         {"places": None, "rows": 6, "split": None, "version": None}),
        ("table=world eval_table=u.csv eval_split=b split=a",
         {"places": "u.csv", "rows": 6, "split": "b", "version": None}),
        ("table=world split=a eval_split=b",
         {"places": None, "rows": 6, "split": "b", "version": None}),
    ],
)  # fmt: skip
def test_nothing_else_of_the_run_is_changed(given, changed):
    """Every other field keeps its value, none of which is its default."""
    every = ["version=3", "where=w", "image=i", "image_root=r", "lat=y", "lon=x", "id=k",
             "limit=99", "prompt=cot", "question=Q", "levels=[city]", "decimals=2",
             "round_degrees=5", "skip_missing=true", "stream=true", "places=p", "rows=77",
             "dataset=a/b", "eval_rows=6"]  # fmt: skip
    more = ["seed=11", "output=o/x", "task=grpo", "train.eval_steps=3", "model.hidden=48"]
    run = load(None, [*more, *(f"data.{one}" for one in (*every, *given.split(" ")))])
    there = {"limit": 6, "cache": str(Path("o/x/cache-held-out")), **changed}
    assert held_out_config(run) == dataclasses.replace(
        run, seed=1_000_014, data=dataclasses.replace(run.data, **there)
    )
    own = config.replace(run, data__cache="c")
    assert held_out_config(own).data.cache == "c"


def test_a_photo_is_known_by_what_is_told_of_it():
    here = pa.table({"lat": [1.0, 2.0], "lon": [3.0, 4.0], "id": ["a", "b"], "more": [0, 0]})
    refuse_trained_on(here, {"id": ["a"], "lat": [1.0], "lon": [4.0]})
    refuse_trained_on(here, {"id": [], "lat": [], "lon": []})
    with pytest.raises(DataError, match=r"^1 of 2 held-out photos .* first with id 'b'; name"):
        refuse_trained_on(here, {"id": ["b"], "lat": [2.0], "lon": [4.0]})


def test_chats_that_are_trained_on_without_a_place_are_known_by_their_id():
    """They bring their answers; what is held out needs its truth."""
    here = pa.table({"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0]})
    for names in (["c"], []):
        refuse_trained_on(here, datasets.Dataset.from_dict({"id": names, "row": [0] * len(names)}))
    with pytest.raises(DataError, match=r"^1 of 2 held-out photos .* first with id 'b'; name"):
        refuse_trained_on(here, datasets.Dataset.from_dict({"id": ["c", "b"], "row": [0, 1]}))


# ---- when


@pytest.mark.parametrize(
    ("every", "last", "steps"), [(3, 8, [3, 6, 8]), (4, 8, [4, 8]), (9, 8, [8]), (1, 2, [1, 2])]
)
@pytest.mark.parametrize("logs", [True, False])
def test_it_is_asked_at_its_steps_and_once_at_the_last(every, last, steps, logs):
    judge = HeldOut(None, load(None, [f"train.eval_steps={every}"]), None)
    found, control = [], SimpleNamespace(should_log=logs)

    def evaluate(step):
        found.append(step)
        control.should_log = not logs

    judge.evaluate = evaluate
    for step in range(1, last + 1):
        state = SimpleNamespace(global_step=step, max_steps=last)
        judge.on_step_end(None, state, control)
        assert control.should_log is logs
    assert found == steps


def judge_of(tmp_path, *more, main=True, **trainer):
    waited = []
    accelerator = SimpleNamespace(is_main_process=main, wait_for_everyone=lambda: waited.append(1))
    saved = []

    def save_model(folder):
        saved.append(folder)
        Path(folder).mkdir()
        (Path(folder) / "model.safetensors").write_bytes(b"w")

    made = Trainer(accelerator=accelerator, save_model=save_model, **trainer)
    run = load(None, [f"output={tmp_path}", *more])
    return HeldOut(made, run, None), SimpleNamespace(saved=saved, waited=waited, trainer=made)


# ---- what is kept


@pytest.mark.parametrize("name", config.EVAL_SCORES)
def test_more_is_better_of_all_scores_but_the_median_error(tmp_path, name):
    judge, seen = judge_of(tmp_path, f"train.best_metric={name}")
    for step, value in ((3, 0.5), (6, 0.25), (9, 0.75), (12, 0.5)):
        judge._keep(step, {name: value, "more": 1.0})
    step, value = (6, 0.25) if name == "median_km" else (9, 0.75)
    text = (tmp_path / "best" / "held_out.json").read_text()
    kept = {"step": step, "best_metric": name, "scores": {name: value, "more": 1.0}}
    assert text == json.dumps(kept, indent=1) + "\n"
    assert judge._best == value
    assert seen.saved == [str(tmp_path / "best.part")] * 2
    assert len(seen.waited) == 4  # before and behind each
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best"]
    assert "run" in checkpoints.verify(tmp_path / "best")


@pytest.mark.parametrize("at", ["the old one is deleted", "the new one is sealed"])
def test_a_kill_leaves_a_whole_best_model_and_nothing_in_the_way(tmp_path, monkeypatch, at):
    """Deleting the old one takes seconds for a large model: the new one is in its place before."""
    judge, _ = judge_of(tmp_path, "train.best_metric=reward")
    judge._keep(3, {"reward": 0.5})

    def killed(*_):
        raise OSError("killed")

    name = "shutil.rmtree" if at == "the old one is deleted" else "georl.run.checkpoints.seal"
    monkeypatch.setattr(name, killed)
    with pytest.raises(OSError, match="killed"):
        judge._keep(6, {"reward": 0.75})
    checkpoints.verify(tmp_path / "best")
    monkeypatch.undo()
    again, _ = judge_of(tmp_path, "train.best_metric=reward")
    again._trainer.save_model = lambda folder: (
        Path(folder).mkdir(exist_ok=True)
        or (Path(folder) / "model.safetensors").write_bytes(b"later")
    )
    again._keep(9, {"reward": 1.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best"]
    assert (tmp_path / "best" / "model.safetensors").read_bytes() == b"later"
    assert checkpoints.verify(tmp_path / "best")["files"].keys() == {
        "model.safetensors", "held_out.json"
    }  # fmt: skip


def test_the_first_process_writes_and_the_others_wait(tmp_path):
    judge, seen = judge_of(tmp_path, "train.best_metric=reward", main=False)
    judge._keep(3, {"reward": 0.5})
    assert (seen.saved, len(seen.waited)) == ([str(tmp_path / "best.part")], 2)
    assert not (tmp_path / "best").exists()
    assert not (tmp_path / "best.part" / "held_out.json").exists()
    assert judge._best == 0.5


def test_without_a_score_to_choose_by_none_is_kept(tmp_path):
    judge, seen = judge_of(tmp_path)
    judge._keep(3, {"reward": 0.5})
    assert (seen.saved, seen.waited, judge._best) == ([], [], None)
    judge, seen = judge_of(tmp_path, "train.best_metric=median_km")
    judge._keep(3, {"median_km": math.inf})
    assert (seen.saved, judge._best) == ([], None)


def test_scores_are_logged_and_kept_at_their_step(tmp_path, asked):
    judge, seen = judge_of(tmp_path, "train.best_metric=reward", model=torch.nn.Linear(1, 1))
    judge._photos = SimpleNamespace(
        table=pa.table({"id": ["a", "b"], "lat": [0.0, 0.0], "lon": [0.0, 0.0]})
    )
    modes = []
    judge._texts = lambda: modes.append(seen.trainer.model.training) or ["(0.0, 0.0)", "?"]
    found = judge.evaluate(8)
    expected = {
        "accuracy_1km": 0.5, "accuracy_25km": 0.5, "accuracy_200km": 0.5, "accuracy_750km": 0.5,
        "accuracy_2500km": 0.5, "median_km": 0.0, "reward": 0.5, "answered": 0.5,
    }  # fmt: skip
    assert found == expected
    assert seen.trainer.logged == [{f"eval_{name}": value for name, value in expected.items()}]
    assert json.loads((tmp_path / "best" / "held_out.json").read_text())["step"] == 8
    assert (modes, seen.trainer.model.training) == ([False], True)


def test_a_model_that_failed_to_answer_goes_on_training(tmp_path):
    judge, seen = judge_of(tmp_path, "train.best_metric=reward", model=torch.nn.Linear(1, 1))

    def fails():
        raise RuntimeError("no memory")

    judge._texts = fails
    with pytest.raises(RuntimeError, match="no memory"):
        judge.evaluate(8)
    assert seen.trainer.model.training
    assert (seen.trainer.logged, seen.saved) == ([], [])


# ---- who asks which


@pytest.mark.parametrize(
    ("count", "world", "shares"),
    [
        (5, 2, [[0, 2, 4], [1, 3, 4]]),
        (4, 2, [[0, 2], [1, 3]]),
        (1, 3, [[0], [0], [0]]),
        (7, 3, [[0, 3, 6], [1, 4, 6], [2, 5, 6]]),
        (66, 1, [[*range(64)], [64, 65]]),  # one process, two batches
    ],
)
def test_processes_share_the_photos_and_all_know_every_answer(
    asked, tmp_path, monkeypatch, count, world, shares
):
    """The answer of a stand-in for the model is the number of the photo's pixels and question."""
    run = held(asked, f"data.eval_rows={count}", f"output={tmp_path}", "predict.max_tokens=33",
               "grpo.max_tokens=22", "predict.temperature=1")  # fmt: skip
    photos = data.photos(held_out_config(run), "grpo")
    rows = photos.table.to_pylist()
    pictures = [photos.reader.image(row).tobytes() for row in rows]
    batches, casts, sent = [], [], []

    class Cast:
        def __enter__(self):
            casts.append(1)

        def __exit__(self, *_):
            pass

    def answering(model, processor, images, chats, options):
        assert (model, processor) == ("the whole model", "the processor")
        assert (options.max_tokens, options.temperature) == (33, 0.0)
        assert chats == [photos.reader.prompt(row) for row in rows[: len(chats)]]
        batches.append([pictures.index(one.tobytes()) for one in images])
        return [f"answer {i}" for i in batches[-1]]

    monkeypatch.setattr(evaluating, "generate", answering)

    def texts(rank):
        accelerator = SimpleNamespace(
            process_index=rank, num_processes=world, autocast=Cast,
            unwrap_model=lambda model: f"the whole {model}",
        )  # fmt: skip
        trainer = Trainer(accelerator=accelerator, model="model", processing_class="the processor")
        return HeldOut(trainer, run, photos)._texts()

    monkeypatch.setattr(evaluating, "gather_object", lambda own: sent.append(own) or own)
    for rank in range(world):
        texts(rank)
    assert batches == shares
    assert len(casts) == len(batches)
    everyone = [pair for own in sent for pair in own]
    monkeypatch.setattr(evaluating, "gather_object", lambda own: everyone)
    assert texts(world - 1) == [f"answer {i}" for i in range(count)]
