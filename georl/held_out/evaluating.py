"""Every so many steps the model answers held-out photos; the best model by a score is kept.

Answers are greedy and draw no random number, so a run with evaluation trains the same weights
as one without. Several processes share the photos. Where FSDP shares the weights too, each asks
as often as any other, in step with them: every forward pass needs a part of all.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from accelerate.utils import gather_object
from transformers import TrainerCallback

from geodata import answers, evaluation
from geodata.files import write_text
from geodata.printable import tell
from georl import data, rewards
from georl.config import EVAL_KM, Config, PredictConfig, replace
from georl.data import DataError, Photos
from georl.held_out.generating import generate
from georl.run import delete, seal_model

BEST = "best"

SCORES_FILE = "held_out.json"
"""In the folder of the best model: its step and its scores."""

LESS_IS_BETTER = ("median_km",)

OTHER_POINTS = 1_000_003
"""Added to the run's seed for held-out points of the world."""

BATCH = 64


def attach(trainer: Any, config: Config) -> None:
    """Let a trainer evaluate itself as ``train.eval_steps`` says; nothing if that is 0.

    Raises
    ------
    DataError
        For held-out photos that cannot be read, or are among those that are trained on.
    """
    if not config.train.eval_steps:
        return
    told = held_out_config(config)
    photos = data.photos(told, "grpo")
    if config.data.stream:
        tell("a stream does not say beforehand what it holds: held-out photos are not looked for")
    else:
        refuse_trained_on(photos.table, trainer.train_dataset.with_format(None))
    rows = photos.table.slice(0, config.data.eval_rows)
    if not rows.num_rows:
        msg = f"{told.data.table} has no held-out rows to ask for; set data.eval_split"
        raise DataError(msg)
    trainer.add_callback(HeldOut(trainer, config, Photos(rows, photos.reader)))


def held_out_config(config: Config) -> Config:
    """Return the run with its held-out photos as its photos.

    Examples
    --------
    >>> from georl.config import load
    >>> held_out_config(load(None, ["split=train", "eval_split=val"])).data.split
    'val'
    """
    given = config.data
    changes: dict[str, Any] = {"split": given.eval_split or given.split, "limit": given.eval_rows}
    if given.table == "world":
        random = given.eval_table == "world"
        changes |= {"places": None if random else given.eval_table, "rows": given.eval_rows}
        changes |= {"split": given.eval_split, "version": None}
    elif given.eval_table is not None:
        changes |= {"table": given.eval_table, "version": None, "where": None}
        changes |= {"split": given.eval_split}
    changes["cache"] = given.cache or str(Path(config.output) / "cache-held-out")
    told = dataclasses.replace(config, data=dataclasses.replace(given, **changes))
    return replace(told, seed=config.seed + OTHER_POINTS)


def refuse_trained_on(held_out: pa.Table, trained: Any) -> None:
    """Refuse held-out photos with the id and the coordinates of one that is trained on.

    Chats may be trained on without coordinates, and are known by their ids then.

    Raises
    ------
    DataError
        With how many, and the first.
    """
    known = getattr(trained, "column_names", trained)
    columns = [n for n in ("id", "lat", "lon") if n in held_out.column_names and n in known]
    seen = set(zip(*(trained[name] for name in columns), strict=True))
    rows = list(zip(*(held_out[name].to_pylist() for name in columns), strict=True))
    both = [row for row in rows if row in seen]
    if both:
        msg = (
            f"{len(both)} of {len(rows)} held-out photos are trained on, the first with id "
            f"{both[0][0]!r}; name others by data.eval_table, or by data.split and data.eval_split"
        )
        raise DataError(msg)


def scores(texts: Sequence[str], truth: pa.Table) -> dict[str, float]:
    """Return what answers are worth, by the names of `georl.config.EVAL_SCORES`.

    Parameters
    ----------
    texts
        Answers, one to each row.
    truth
        Columns id, lat, lon.

    Returns
    -------
    dict
        Shares within so many km of all rows, an answer without coordinates wrong; ``median_km``
        of those with coordinates, infinite where none has them; ``reward``, the mean of Geo-R's;
        ``answered``, the share with coordinates.

    Examples
    --------
    >>> truth = pa.table({"id": ["a"], "lat": [48.9], "lon": [2.4]})
    >>> scores(["Coordinates: (48.9, 2.4)"], truth)["accuracy_25km"]
    1.0
    """
    read = [answers.parse_tolerant(text) for text in texts]
    said = {
        "id": truth["id"].to_pylist(),
        "lat": [one.lat for one in read],
        "lon": [one.lon for one in read],
    }
    lat, lon = truth["lat"].to_pylist(), truth["lon"].to_pylist()
    found = evaluation.evaluate(said, truth.select(["id", "lat", "lon"]), EVAL_KM, regions=False)
    shares = {f"accuracy_{km:g}km": float(share or 0.0) for km, share in found.accuracy.items()}
    earned = rewards.geo_r(list(texts), lat, lon)
    return shares | {
        "median_km": math.inf if found.median_km is None else float(found.median_km),
        "reward": sum(earned) / len(earned),
        "answered": sum(one.lat is not None for one in read) / len(read),
    }


class HeldOut(TrainerCallback):
    """Answer held-out photos, log their scores, keep the best model."""

    def __init__(self, trainer: Any, config: Config, photos: Photos) -> None:
        self._trainer, self._config, self._photos = trainer, config, photos
        self._best: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read how good the best model was, where the run goes on."""
        path = Path(self._config.output) / BEST / SCORES_FILE
        name = self._config.train.best_metric
        if name is None or not path.is_file():
            return
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["step"] <= state.global_step and kept["best_metric"] == name:
            self._best = kept["scores"][name]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Evaluate, where it is time to."""
        due = state.global_step % self._config.train.eval_steps == 0
        if due or state.global_step == state.max_steps:
            asked = control.should_log
            self.evaluate(state.global_step)
            control.should_log = asked  # logging the scores took it as done, the loss unlogged

    def evaluate(self, step: int) -> dict[str, float]:
        """Answer, score, log as ``eval_...``, and keep the model if it is the best."""
        model = self._trainer.model
        model.eval()
        try:
            found = scores(self._texts(), self._photos.table)
            self._trainer.log({f"eval_{name}": value for name, value in found.items()})
        finally:
            model.train()
        self._keep(step, found)
        return found

    def _texts(self) -> list[str]:
        """Return the answer to each row, the same on every process."""
        trainer = self._trainer
        rank, world = trainer.accelerator.process_index, trainer.accelerator.num_processes
        model = trainer.accelerator.unwrap_model(trainer.model)
        rows = self._photos.table.to_pylist()
        count = len(rows)
        rows = (rows + rows[-1:] * (-count % world))[rank::world]  # as many on each process
        longest = self._config.grpo if self._config.task == "grpo" else self._config.predict
        options = PredictConfig(max_tokens=longest.max_tokens)
        said: list[str] = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            images = [self._photos.reader.image(row) for row in batch]
            asked = [self._photos.reader.prompt(row) for row in batch]
            with trainer.accelerator.autocast():
                said += generate(model, trainer.processing_class, images, asked, options)
        placed: list[tuple[int, str]] = gather_object(
            [(rank + world * k, text) for k, text in enumerate(said)]
        )
        return [text for _, text in sorted(placed)[:count]]

    def _keep(self, step: int, found: dict[str, float]) -> None:
        name = self._config.train.best_metric
        if name is None:
            return
        value, sign = found[name], -1.0 if name in LESS_IS_BETTER else 1.0
        if math.isinf(value) or (self._best is not None and sign * value <= sign * self._best):
            return
        self._best = value
        trainer, output = self._trainer, Path(self._config.output)
        fresh = output / f"{BEST}.part"
        trainer.accelerator.wait_for_everyone()
        trainer.save_model(str(fresh))
        if trainer.accelerator.is_main_process:
            kept = {"step": step, "best_metric": name, "scores": found}
            write_text(fresh / SCORES_FILE, json.dumps(kept, indent=1) + "\n")
            seal_model(fresh, self._config)
            _put(fresh, output / BEST)
        trainer.accelerator.wait_for_everyone()


def _put(fresh: Path, best: Path) -> None:
    """Put a folder in the place of another one, which is deleted only then.

    Deleting takes seconds for a large model, and a run killed meanwhile has the new one.
    """
    old = best.with_name(f"{best.name}.old")
    if old.exists():
        delete(old)
    if best.exists():
        best.rename(old)
    fresh.rename(best)
    if old.exists():
        delete(old)
