"""Batches of streamed photos: what workers read and decode, and where a process stands.

A process of the run reads its own lanes, one a worker (`georl.data.lanes`). What a checkpoint needs
to go on is a place a lane, and it comes with every batch, so rows that a worker has read ahead are
read again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from geodata.files import write_text
from georl.config import ConfigError
from georl.data.lanes import Place, Row
from georl.data.sources import DataError
from georl.data.streaming import Stream
from georl.run import JsonLines

UNUSABLE = "unusable_photos.jsonl"


@dataclass
class Standing:
    """What the batches that a process was given amount to.

    Attributes
    ----------
    batches : int
        Given so far; they come from the workers in turn.
    places : dict of int to Place
        Of each lane, behind the last row given.
    images, bad : int
        Rows given, and rows passed over.
    seconds : float
        That workers spent on them.
    """

    batches: int = 0
    places: dict[int, Place] = field(default_factory=dict)
    images: int = 0
    bad: int = 0
    seconds: float = 0.0


@dataclass
class _Lanes(IterableDataset):  # type: ignore[type-arg]
    """What the workers of one process iterate over: batches, each with what it amounts to."""

    stream: Stream
    batch: int
    first: int
    workers: int
    in_all: int
    standing: Standing
    collate: Callable[[list[Row]], Any]

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        told = get_worker_info()
        worker = 0 if told is None else told.id
        # batches come from the workers in turn, beginning with worker 0: who was next goes first
        number = self.first + (worker + self.standing.batches) % self.workers
        start = self.standing.places.get(number, Place())
        rows, bad, began = [], [], time.perf_counter()
        for place, row, problem in self.stream.made(number, self.in_all, start):
            if problem is None:
                rows.append(row)
            else:
                bad.append(problem)
                if not self.stream.skips:
                    yield None, {"bad": bad}
                    return
                if len(bad) > 1000 and not rows:
                    yield None, {"bad": bad, "none": True}
                    return
            if len(rows) == self.batch:
                made = self.collate(rows)
                spent = time.perf_counter() - began
                yield made, {"lane": number, "place": tuple(place), "bad": bad, "seconds": spent}
                rows, bad, began = [], [], time.perf_counter()


class Loader:
    """The batches of one process of a run, for ever; knows where it stands.

    Parameters
    ----------
    stream
    batch
        Rows a batch.
    collate
        Makes a batch of rows, in the worker.
    workers
        Processes that read and decode; 0 does it in this one.
    rank, processes
        Which process of the run this is, of how many.
    output
        Folder of the run, for the list of rows that are passed over.
    step
        Returns the step that a batch is for.
    pin
        Whether batches are laid where a GPU fetches them while it computes.
    """

    def __init__(
        self, stream: Stream, batch: int, collate: Callable[[list[Row]], Any], *, workers: int,
        rank: int, processes: int, output: Path, step: Callable[[], int], pin: bool,
    ) -> None:  # fmt: skip
        self._stream, self._batch, self._collate, self._pin = stream, batch, collate, pin
        self._workers, self._rank, self._processes = workers, rank, processes
        self._step = step
        self._name = f"stream-{rank:05d}.json"
        listed = UNUSABLE if processes == 1 else f"unusable_photos-{rank:05d}.jsonl"
        self._unusable = JsonLines(output / listed)
        self.standing = Standing()

    def __iter__(self) -> Iterator[Any]:
        """Yield batches.

        Raises
        ------
        DataError
            For a row that cannot be used, unless they are skipped.
        """
        if not self.standing.batches:  # a run killed before a checkpoint listed these rows before
            self._unusable.path.unlink(missing_ok=True)
        lanes = max(self._workers, 1)
        dataset = _Lanes(
            self._stream, self._batch, self._rank * lanes, lanes, self._processes * lanes,
            self.standing, self._collate,
        )  # fmt: skip
        loader: Any = DataLoader(
            dataset, batch_size=None, num_workers=self._workers, pin_memory=self._pin,
            collate_fn=_as_it_is,
        )  # fmt: skip
        for made, told in loader:
            self._note(told)
            yield made

    def _note(self, told: dict[str, Any]) -> None:
        if told["bad"]:
            step = self._step()
            self._unusable.path.parent.mkdir(parents=True, exist_ok=True)
            self._unusable.write([{"step": step, **row} for row in told["bad"]])
        if "lane" not in told:
            problem = told["bad"][-1]["problem"]
            if told.get("none"):
                msg = (
                    f"{len(told['bad'])} rows after each other cannot be used, the last: {problem}"
                )
            else:
                msg = f"{problem}; repair it, or set data.skip_missing=true to go on without it"
            raise DataError(msg)
        standing = self.standing
        standing.batches += 1
        standing.places[told["lane"]] = Place(*told["place"])
        standing.images += self._batch
        standing.bad += len(told["bad"])
        standing.seconds += told["seconds"]

    def save(self, folder: Path) -> None:
        """Write where this process stands into the folder of a checkpoint."""
        text = json.dumps({"shape": self._shape(), **vars(self.standing)})
        write_text(folder / self._name, text)

    def restore(self, folder: Path, step: int) -> None:
        """Go on behind the rows that a checkpoint has seen.

        Raises
        ------
        ConfigError
            If the run has other shards, another number of processes or of workers now.
        """
        path = folder / self._name
        held: Any = json.loads(path.read_text("utf-8")) if path.is_file() else {"shape": None}
        there, here = held.pop("shape"), json.loads(json.dumps(self._shape()))
        if there != here:
            names = [k for k in here if there is None or there[k] != here[k]]
            told = "; ".join(
                f"{k}: {_short(there and there[k])} there, {_short(here[k])} now" for k in names
            )
            msg = (
                f"{folder} was streamed otherwise ({told}); start it as it was, or set "
                "train.resume=false to start over"
            )
            raise ConfigError(msg)
        places = {int(k): Place(*v) for k, v in held.pop("places").items()}
        self.standing = Standing(**held, places=places)
        self._unusable.cut_back(step)

    def _shape(self) -> dict[str, Any]:
        return {"processes": self._processes, "train.workers": self._workers,
                "shards": self._stream.shards.stamp()}  # fmt: skip

    def per_second(self) -> float | None:
        """Return how many images a second the workers of this process can give."""
        standing = self.standing
        ready = standing.images * max(self._workers, 1)
        return ready / standing.seconds if standing.seconds else None


def _as_it_is(made: Any) -> Any:
    return made


def _short(value: Any) -> str:
    return f"{len(value)} of certain names and sizes" if isinstance(value, list) else str(value)
