"""What our SFT trainer adds to TRL's, method by method (georl.sft)."""

from types import SimpleNamespace

import pytest
import torch
from datasets import IterableDataset
from trl.trainer.sft_trainer import SFTTrainer

from georl import data, sft
from georl.config import load
from georl.run import ExactResume


def made(**given):
    """A trainer without its training: only what a method is asked here."""
    trainer = object.__new__(sft.GeoSFTTrainer)
    trainer.__dict__ |= given
    return trainer


@pytest.fixture
def watch(monkeypatch):
    """A clock that stands at 100 s until it is put forward."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(sft.time, "perf_counter", lambda: clock.now)
    return clock


class Stream(data.Stream):
    """Rows of nowhere."""

    def __init__(self):
        self.seen = [{"row": 1}, {"row": 2}]

    def __iter__(self):
        return iter(self.seen)


@pytest.mark.parametrize(("wanted", "there", "pinned"), [(True, True, True), (True, False, False),
                                                         (False, True, False)])  # fmt: skip
def test_a_stream_is_loaded_as_the_arguments_say(monkeypatch, watch, wanted, there, pinned):
    """TRL's own set-up is left out: its arguments are looked at, and what is put on top."""
    asked, added = {}, []
    args = SimpleNamespace(
        dataloader_num_workers=3, process_index=2, world_size=5, output_dir="out/run",
        dataloader_pin_memory=wanted,
    )  # fmt: skip

    def stock(self, train_dataset, **options):
        asked.update(options, rows=train_dataset)
        self.__dict__ |= {"_train_batch_size": 7, "data_collator": "collate", "args": args,
                          "state": SimpleNamespace(global_step=10),
                          "add_callback": added.append}  # fmt: skip

    loaded = []
    monkeypatch.setattr(SFTTrainer, "__init__", stock)
    monkeypatch.setattr(data, "Loader", lambda *given, **more: loaded.append((given, more)) or "L")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    stream = Stream()
    trainer = sft.GeoSFTTrainer(train_dataset=stream, args="args", model="model")
    rows = asked.pop("rows")
    assert isinstance(rows, IterableDataset)
    assert list(rows) == stream.seen
    assert asked == {"args": "args", "model": "model"}
    ((given, more),) = loaded
    assert given == (stream, 7, "collate")
    step, output = more.pop("step"), more.pop("output")
    assert (step(), str(output)) == (11, "out/run")  # a batch is for the step behind the last
    assert more == {"workers": 3, "rank": 2, "processes": 5, "pin": pinned}
    assert trainer.loader == "L"
    assert trainer.get_train_dataloader() == "L"
    assert trainer.model_accepts_loss_kwargs is True
    assert (trainer._before, trainer._since) == (0, 100.0)
    (callback,) = added
    assert callback._loader == "L"


def test_rows_that_lie_in_memory_are_trl_s(monkeypatch):
    asked = []
    monkeypatch.setattr(
        SFTTrainer, "__init__", lambda self, train_dataset, **more: asked.append(train_dataset)
    )
    monkeypatch.setattr(SFTTrainer, "get_train_dataloader", lambda self: "TRL's")
    trainer = sft.GeoSFTTrainer(train_dataset="rows")
    assert asked == ["rows"]
    assert trainer.loader is None
    assert trainer.get_train_dataloader() == "TRL's"
    assert trainer.model_accepts_loss_kwargs is True


class Double:
    """Two processes that do the same: what each gives counts twice."""

    num_processes = 2

    def __init__(self):
        self.given = []

    def reduce(self, values):
        self.given.append(values)
        return 2 * torch.tensor(values.tolist(), dtype=values.dtype)


def standing(images, bad, per_second):
    return SimpleNamespace(
        standing=SimpleNamespace(images=images, bad=bad), per_second=lambda: per_second
    )


def test_images_are_counted_over_processes_and_since_the_last_row(watch):
    both = Double()
    trainer = made(
        _before=40, _since=97.0, accelerator=both, args=SimpleNamespace(device=torch.device("cpu"))
    )
    loader = standing(50, 3, 4.126)
    assert trainer._images(loader) == {
        "images": 100.0, "bad_images": 6.0, "images_per_second": 6.67,  # 2 x 10 in 3 s
        "images_ready_per_second": 8.25,
    }  # fmt: skip
    assert both.given[0].tolist() == [10.0, 50.0, 3.0, 4.126]
    assert (trainer._before, trainer._since) == (50, 100.0)
    watch.now = 105.0
    loader.standing.images = 60
    loader.per_second = lambda: None  # no time was spent yet
    assert trainer._images(loader) == {
        "images": 120.0, "bad_images": 6.0, "images_per_second": 4.0,
        "images_ready_per_second": 0.0,
    }  # fmt: skip
    watch.now, loader.standing.images = 106.0, (1 << 24) + 1  # no number of 32 bits is that
    assert trainer._images(loader)["images"] == 2 * (1 << 24) + 2
    trainer._before = loader.standing.images = 60
    assert trainer._images(loader) == {"images": 120.0, "bad_images": 6.0}  # the closing row
    assert trainer._since == 106.0


def test_images_are_summed_on_the_device_of_the_run(watch):
    """A collective of several GPUs takes tensors of theirs only."""
    seen = []
    both = SimpleNamespace(
        num_processes=2, reduce=lambda values: seen.append(values) or torch.ones(4)
    )
    trainer = made(
        _before=0, _since=99.0, accelerator=both, args=SimpleNamespace(device=torch.device("meta"))
    )
    trainer._images(standing(1, 0, 1.0))
    assert seen[0].device.type == "meta"


def test_one_process_alone_counts_without_its_device(watch):
    """A Mac's GPU has no float64, and nobody is there to sum with."""
    alone = made(_before=8, _since=98.0, accelerator=SimpleNamespace(num_processes=1), args=None)
    found = alone._images(standing(10, 1, None))
    assert found == {
        "images": 10.0, "bad_images": 1.0, "images_per_second": 1.0,
        "images_ready_per_second": 0.0,
    }  # fmt: skip
    assert all(isinstance(value, float) for value in found.values())


def test_the_log_of_a_stream_has_its_images_and_any_other_none(monkeypatch):
    logged = []
    monkeypatch.setattr(SFTTrainer, "log", lambda self, logs, *given: logged.append((logs, given)))
    trainer = made(_images=lambda loader: {"images": loader})
    trainer.log({"loss": 1.0}, 5.0)
    trainer.loader = 7
    trainer.log({"loss": 2.0}, 6.0)
    assert logged == [({"loss": 1.0}, (5.0,)), ({"loss": 2.0, "images": 7}, (6.0,))]


def test_a_stream_goes_on_behind_the_rows_of_the_checkpoint(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr(ExactResume, "go_on_from", lambda self, start: told.append(start))
    start = tmp_path / "checkpoint-30"
    made().go_on_from(start)
    assert told == [start]
    loader = standing(90, 0, None)
    loader.restore = lambda *given: told.append(given)
    trainer = made(loader=loader, _before=0)
    trainer.go_on_from(start)
    assert told == [start, start, (start, 30)]
    assert trainer._before == 90


def test_where_a_stream_stands_goes_into_the_folder_of_the_checkpoint(tmp_path):
    saved = []
    callback = sft._SavePlaces(SimpleNamespace(save=saved.append))
    args, state = SimpleNamespace(output_dir=tmp_path), SimpleNamespace(global_step=12)
    callback.on_save(args, state, None, model=None)
    assert saved == [tmp_path / "checkpoint-12"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_is_not_read_again_up_to_where_it_stopped(stream):
    """Trainer would draw the batches of the steps before and throw them away."""
    run = load(None, [f"data.stream={str(stream).lower()}", "train.max_steps=2"])
    assert sft.arguments(run).ignore_data_skip is stream


def test_a_run_is_checked_built_looked_at_and_fitted(monkeypatch):
    told = []

    class Kept(sft.GeoSFTTrainer):
        def __init__(self, **given):
            told.append(given)

    def inputs(config, *, completions):
        return {"model": "a model", "rows": (config, completions)}

    monkeypatch.setattr(data, "checked", lambda config: told.append(config) or "sound")
    monkeypatch.setattr(data, "trainer_inputs", inputs)
    monkeypatch.setattr(sft, "arguments", lambda config: f"arguments of a {config} run")
    monkeypatch.setattr(sft, "GeoSFTTrainer", Kept)
    monkeypatch.setattr(sft.held_out, "attach", lambda *given: told.append(given))
    monkeypatch.setattr(sft.run, "fit", lambda *given: told.append(given) or "final")
    assert sft.train("a run") == "final"
    given, made_of, looked, fitted = told
    assert given == "a run"
    assert made_of == {"args": "arguments of a sound run", "model": "a model",
                       "rows": ("sound", True)}  # fmt: skip
    assert looked == fitted
    assert (type(looked[0]), looked[1]) == (Kept, "sound")


def test_what_is_said_to_trl_beside_what_both_methods_share(monkeypatch):
    """Also where it is TRL's own default today."""
    monkeypatch.setattr(sft, "SFTConfig", dict)
    monkeypatch.setattr(sft.run, "common_arguments", lambda config: {"seed": config.seed})
    assert sft.arguments(load(None, ["seed=4"])) == {
        "seed": 4, "max_length": None, "packing": False, "completion_only_loss": True,
        "average_tokens_across_devices": True, "ignore_data_skip": False,
        "dataset_kwargs": {"skip_prepare_dataset": True},
    }  # fmt: skip
