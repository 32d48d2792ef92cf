"""Photos from shards as training goes: read in order, decoded in workers, resumed at the next row.

Nothing is laid out or kept, so the shards may be larger than disk or memory. A process of the run
reads its own lanes, one a worker (`georl.data.lanes`). What a checkpoint needs to go on is a place
a lane, and it comes with every batch, so rows that a worker has read ahead are read again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from geodata import coords, files
from geodata.files import ID_NAMES, write_text
from geodata.records import TRUTH
from georl.config import Config, ConfigError
from georl.data import chats as chat_columns, rows as tables_of_rows
from georl.data.lanes import Place, Row, Shards, lane, open_shards
from georl.data.opening import Reader
from georl.data.sources import DataError
from georl.run import JsonLines

UNUSABLE = "unusable_photos.jsonl"
_TEXT_ROWS = 3000


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


class Stream:
    """The photos of an SFT run in the order of their shards.

    Parameters
    ----------
    config
        With ``data.stream``.

    Raises
    ------
    DataError, FileError, TableError
        As `georl.data.photos`, of what heads tell.

    Examples
    --------
    >>> import io, tempfile
    >>> import pyarrow.parquet as pq
    >>> from PIL import Image
    >>> from georl.config import load
    >>> picture = io.BytesIO()
    >>> Image.new("RGB", (56, 28)).save(picture, "PNG")
    >>> rows = {"id": ["a"], "lat": [48.9], "lon": [2.3], "image": [picture.getvalue()]}
    >>> folder = tempfile.TemporaryDirectory()
    >>> pq.write_table(pa.table(rows), folder.name + "/photos.parquet")
    >>> stream = Stream(load(None, ["data.stream=true", f"data.table={folder.name}"]))
    >>> next(iter(stream))["image"].size
    (56, 28)
    >>> folder.cleanup()
    """

    def __init__(self, config: Config) -> None:
        self._config, data = config, config.data
        self.skips = data.skip_missing
        self.shards = open_shards(data)
        if self.shards.chats:
            chat_columns.check_answers(self.shards.chats, self.shards.label)
        names = self.shards.schema.names
        self._id = data.id or files.find_named(names, ID_NAMES, "id", "data.table")
        self._pair = _pair(self.shards, config)
        labels = [n for n in (*TRUTH, *tables_of_rows.BESIDE) if n in names]
        wanted = [self._id, *(self._pair or ()), *labels, *self.shards.chats]
        self.columns = tuple(dict.fromkeys(n for n in wanted if n is not None))
        self._labels = labels
        self.reader = _StreamReader(data, None, self.shards.chats, config.model)
        self._check_question()

    def __iter__(self) -> Iterator[Row]:
        """Yield the usable rows of a single process for ever."""
        for _, row, problem in self.made(0, 1, Place()):
            if problem is None:
                yield row

    def made(
        self, number: int, count: int, start: Place
    ) -> Iterator[tuple[Place, Row, dict[str, Any] | None]]:
        """Yield the rows of a lane as trainers read them, each with its place and its problem."""
        found = lane(self.shards, self.columns, number, count, self._config.seed, start)
        for place, row in found:
            name, made, problem = self._name(row, place), row, None
            try:
                made = self._trained(row, name)
            except DataError as error:
                problem = {"id": name, "image": row["path"], "problem": str(error)}
            yield place, made, problem

    def texts(self) -> list[str]:
        """Return questions and answers of the first rows, for the tiny model's tokenizer."""
        if self._config.model.name != "tiny":
            return []
        said: list[tuple[str, str]] = []
        for place, row in lane(self.shards, self.columns, 0, 1, self._config.seed, Place()):
            if place.round or len(said) == _TEXT_ROWS:
                break
            try:
                said.append(self.reader.said(self._light(row, self._name(row, place)), True))
            except DataError:
                continue
        asked = [f"user\n{question}" for question in dict.fromkeys(q for q, _ in said)]
        return [line for q in asked for line in (q, "assistant\n")] * 50 + [a for _, a in said]

    def _check_question(self) -> None:
        """Refuse a configured question beside chats, which the first row tells."""
        if self.shards.chats:
            place, row = next(lane(self.shards, self.columns, 0, 1, self._config.seed, Place()))
            asked = self.reader.prompt(row | {"id": self._name(row, place)})
            chat_columns.check_question(asked, self._config.data, self.shards.label)

    def _trained(self, row: Row, name: str) -> Row:
        light = self._light(row, name)
        if row["problem"] is not None:
            msg = f"image of row {name!r} cannot be used: it {row['problem']}"
            raise DataError(msg.replace("it missing", "it is missing"))
        image = self.reader.image(light)
        kept = {k: light[k] for k in light if k not in ("bytes", "path", "problem")}
        kept = {k: v for k, v in kept.items() if k not in self.shards.chats}
        answer = self.reader.answer(light)
        return kept | {"image": image, "prompt": self.reader.prompt(light), "completion": answer}

    def _light(self, row: Row, name: str) -> Row:
        """Return a row with its id and checked coordinates."""
        light = {k: row[k] for k in (*self._labels, *self.shards.chats, "bytes", "path", "problem")}
        if self._pair is not None:
            given = (pa.array([row[axis]]) for axis in self._pair)
            checked = coords.arrays(*(coords.parse_numbers(axis) for axis in given))
            if checked.valid[0]:
                light |= {"lat": float(checked.lat[0]), "lon": float(checked.lon[0])}
            elif not self.shards.chats:
                msg = f"row {name!r} has no valid coordinates"
                raise DataError(msg)
        return light | {"id": name}

    def _name(self, row: Row, place: Place) -> str:
        given = None if self._id is None else row[self._id]
        return str(row["path"] or f"row {place.row - 1}") if given is None else str(given)


class _StreamReader(Reader):
    """Reads what comes with the row."""

    def _opened(self, row: Mapping[str, Any]) -> Any:
        source = row["path"] if row["bytes"] is None else row["bytes"]
        return self._picture(source, row["id"])

    def _chat(self, row: Mapping[str, Any]) -> Row:
        return {name: row[name] for name in self._chats}


def _pair(shards: Shards, config: Config) -> tuple[str, str] | None:
    """Return the coordinate columns; records that bring their answers need none."""
    data, names = config.data, shards.schema.names
    try:
        return files.coordinate_columns(names, data.lat, data.lon)
    except ValueError as error:
        if shards.chats and data.lat is None and data.lon is None:
            return None
        msg = f"{shards.label}, with columns {', '.join(names)}: {error}; data.lat and data.lon"
        raise DataError(f"{msg} name them") from error


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
