"""Photos with their truth -> the rows that the trainers and `predict` read.

A table of photos is asked the configured question; records of `geodata.records` bring their own
chats. Either way a row is small in memory: id, coordinates, labels and where its image is. The
image is opened, and the prompt written, when the row is asked for; a batch that holds a photo
several times (a GRPO group) opens it once and shares the object.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from PIL import Image

from geodata.images import started_table
from georl.config import Config, DataConfig, ModelConfig
from georl.data import chats as chat_columns, images, prompts, rows, sizes, world
from georl.data.sources import DataError, Source, home_of, open_source, pinned
from georl.data.unpacked import Unpacked, unpack

if TYPE_CHECKING:
    from datasets import Dataset

Purpose = Literal["sft", "grpo", "predict"]

_UNPACK_ROWS = 256


@dataclass(frozen=True)
class Photos:
    """The rows of a run, and what reads their images and chats."""

    table: pa.Table
    """``id``; ``lat`` and ``lon`` but for predictions; the labels that are there; and ``image``,
    a reference, or ``row``, a number in the unpacked file. Crops of the world have neither."""
    reader: Reader


class Reader:
    """Open the image and write the chat of a row of `Photos.table`, when it is asked for.

    Parameters
    ----------
    data
        Of the run.
    unpacked
        The images, and the chats if the table has them; None where rows hold references.
    chats
        Names of the chat columns in ``unpacked``; none for a table of photos.
    model
        The bounds of an image's pixels.
    sent
        Whether images go to a server: then only those inside ``data.image_root`` are opened, or
        inside the lake or folder of the table where none is named.
    """

    def __init__(
        self,
        data: DataConfig,
        unpacked: Unpacked | None = None,
        chats: Sequence[str] = (),
        model: ModelConfig | None = None,
        *,
        sent: bool = False,
    ) -> None:
        self._sent = sent
        self._data, self._unpacked, self._chats = data, unpacked, tuple(chats)
        self._model = model or ModelConfig()
        self._question = prompts.question(data)
        self._root = Path(data.image_root)
        self._earth = world.Earth() if data.table == "world" else None

    def image(self, row: Mapping[str, Any]) -> Image.Image:
        """Open the image, as large as the processor will make it.

        Raises
        ------
        DataError
            If it cannot be read or decoded, or no processor takes it: names the row's id and
            the file.
        """
        return sizes.fitted(self._opened(row), self._model)

    def _opened(self, row: Mapping[str, Any]) -> Image.Image:
        if self._earth is not None:
            return self._earth.crop(row["lat"], row["lon"])
        if self._unpacked is None:
            return self._picture(row["image"], row["id"])
        held = self._unpacked.row(row["row"], ("bytes", "path"))
        source = held["path"] if held["bytes"] is None else held["bytes"]
        return self._picture(source, row["id"])

    def _picture(self, source: str | bytes | None, name: str) -> Image.Image:
        home = home_of(self._data)
        return images.open_image(source, self._root, name, inside=self._sent, home=home)

    def prompt(self, row: Mapping[str, Any]) -> list[chat_columns.Turn]:
        """Return the turns before the answer: the row's own, or the configured question.

        Raises
        ------
        DataError
            If the row's own messages have none.
        """
        if not self._chats:
            return [{"role": "user", "content": self._question}]
        return chat_columns.question(self._chat(row), row["id"])

    def answer(self, row: Mapping[str, Any]) -> list[chat_columns.Turn]:
        """Return the turns that are taught: the row's own, or its chain. Errors as `prompt`."""
        if not self._chats:
            return [{"role": "assistant", "content": prompts.answer(row, self._data)}]
        return chat_columns.answer(self._chat(row), row["id"])

    def said(self, row: Mapping[str, Any], completions: bool) -> tuple[str, str]:
        """Return the text of the prompt, and of the answer in the form that is hoped for."""
        asked = chat_columns.text(self.prompt(row))
        if completions:
            return asked, chat_columns.text(self.answer(row))
        return asked, prompts.answer(row, self._data)  # prompts for GRPO have no answer beside them

    def _chat(self, row: Mapping[str, Any]) -> dict[str, Any]:
        assert self._unpacked is not None, "chats are always unpacked"
        return self._unpacked.row(row["row"], self._chats)


def photos(config: Config, purpose: Purpose) -> Photos:
    """Open the run's photos; no image is decoded.

    Parameters
    ----------
    config
        The run; see `georl.config.DataConfig.table` for what it may name.
    purpose
        ``sft`` and ``grpo`` need coordinates, ``predict`` does not; nor does ``sft`` on records,
        which bring their answers.

    Raises
    ------
    DataError
        For missing columns, rows without coordinates, images that are missing or are none: how
        many, which, and what to do; for records without answers, or beside a configured question.
    FileError, TableError
        If the table, its version or a file cannot be read.

    Examples
    --------
    >>> from georl.config import load as load_config
    >>> found = photos(load_config(None, ["data.rows=2"]), "grpo")
    >>> found.table.select(["id", "country_code"]).to_pylist()
    [{'id': 'world-0-0', 'country_code': 'DZ'}, {'id': 'world-0-1', 'country_code': 'ZA'}]
    """
    data = config.data
    if data.table == "world":
        return Photos(_world_table(pinned(config)), Reader(data, model=config.model))
    source = open_source(data)
    chats = chat_columns.columns(source.schema)
    if chats and purpose == "sft":
        chat_columns.check_answers(chats, source.label)
    image = chat_columns.image_column(source.schema, data, source.label)
    sent = purpose == "predict" and config.predict.url is not None
    need: rows.Need = "optional" if chats and purpose == "sft" else "needed"
    if purpose == "predict":
        need = "unused"
    if images.is_text(source.schema.field(image).type) and not chats:
        table, bad = rows.light_columns(source, data, image, coordinates=need)
        table = started_table(table, home_of(data))
        references = table["image"].to_pylist()
        root, home = Path(data.image_root), home_of(data)
        problems = images.problems(references, root, inside=sent, home=home)
        reader = Reader(data, model=config.model, sent=sent)
        return Photos(rows.usable(table, bad, problems, references, config), reader)
    table, bad = rows.light_columns(source, data, coordinates=need)
    unpacked = _unpack(source, image, chats, config)
    table = table.append_column("row", pa.array(range(table.num_rows), pa.int64()))
    problems, references = _of_unpacked(unpacked, data, sent)
    table = rows.usable(table, bad, problems, references, config)
    reader = Reader(data, unpacked, chats, config.model, sent=sent)
    if chats and table.num_rows:
        first = table.slice(0, 1).to_pylist()[0]
        chat_columns.check_question(reader.prompt(first), data, source.label)
    return Photos(table, reader)


def load(config: Config, *, completions: bool) -> Dataset:
    """Return the training rows as a `datasets.Dataset` that opens images on access.

    Parameters
    ----------
    config
        The run.
    completions
        True for SFT (prompt and completion), False for GRPO (prompt and truth columns).

    Returns
    -------
    datasets.Dataset
        Rows with ``prompt`` (chat), ``image`` (PIL), id, lat, lon, the labels, and for SFT
        ``completion`` (chat).

    Raises
    ------
    DataError, FileError, TableError
        As `photos`, and if there is no row.

    Examples
    --------
    >>> from georl import config
    >>> dataset = load(config.load(None, ["data.rows=2"]), completions=True)
    >>> dataset[0]["image"].size, dataset[0]["completion"][0]["role"]
    ((56, 56), 'assistant')
    """
    import datasets

    found = photos(config, "sft" if completions else "grpo")
    if found.table.num_rows == 0:
        msg = f"{config.data.table} has no rows to train on"
        raise DataError(msg)
    dataset = datasets.Dataset(datasets.table.InMemoryTable(found.table.combine_chunks()))
    return dataset.with_transform(_Renderer(found.reader, completions))


def texts(dataset: Dataset, config: Config, limit: int = 3000) -> list[str]:
    """Return prompts and answers for training the tiny model's tokenizer.

    Examples
    --------
    >>> from georl import config as settings
    >>> config = settings.load(None, ["name=tiny", "data.rows=2"])
    >>> [text.splitlines()[0] for text in texts(load(config, completions=True), config)][-1]
    'Country: South Africa'
    """
    if config.model.name != "tiny":
        return []
    renderer: _Renderer = dataset.format["format_kwargs"]["transform"]
    head = dataset.with_format(None).select(range(min(limit, len(dataset))))
    return renderer.texts(list(head))


class _Renderer:
    """Turn stored columns into what the trainers read; shares images within a batch."""

    def __init__(self, reader: Reader, completions: bool) -> None:
        self._reader, self._completions = reader, completions

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        held = [dict(zip(batch, row, strict=True)) for row in zip(*batch.values(), strict=True)]
        opened: dict[str, Image.Image] = {}
        for row in held:
            if row["id"] not in opened:
                opened[row["id"]] = self._reader.image(row)
        out = {name: values for name, values in batch.items() if name != "row"}
        out["image"] = [opened[row["id"]] for row in held]
        out["prompt"] = [self._reader.prompt(row) for row in held]
        if self._completions:
            out["completion"] = [self._reader.answer(row) for row in held]
        return out

    def texts(self, head: list[Mapping[str, Any]]) -> list[str]:
        """Return each question fifty times, for its weight among the answers, and the answers."""
        pairs = [self._reader.said(row, self._completions) for row in head]
        asked = [f"user\n{question}" for question in dict.fromkeys(q for q, _ in pairs)]
        return [line for q in asked for line in (q, "assistant\n")] * 50 + [a for _, a in pairs]


def _world_table(config: Config) -> pa.Table:
    data = config.data
    if data.places is None:
        table = world.world_photos(data.rows, config.seed)
        return table if data.limit is None else table.slice(0, data.limit)
    source = open_source(dataclasses.replace(data, table=data.places))
    table, bad = rows.light_columns(source, data, coordinates="needed")
    nothing = [None] * table.num_rows
    return rows.usable(table, bad, nothing, nothing, config)


def _unpack(source: Source, image: str, chats: Sequence[str], config: Config) -> Unpacked:
    data = config.data

    def batches() -> Iterator[pa.Table]:
        parts = source.batches([image, *chats], _UNPACK_ROWS)
        for part in rows.limited(parts, data.limit):
            made = started_table(images.unpacked(part[image]), home_of(data), "path")
            for name in chats:
                made = made.append_column(name, part[name])
            yield made

    folder = Path(data.cache) if data.cache else rows.output_folder(config) / "cache"
    stamp = [source.stamp(), image, list(chats), data.limit, data.split, data.where]
    stamp.append(str(home_of(data)))
    return unpack(batches, folder, str(stamp), source.label)


def _of_unpacked(
    unpacked: Unpacked, data: DataConfig, sent: bool
) -> tuple[list[str | None], list[str | None]]:
    """Return the problem and the reference of each image, without touching the bytes."""
    problems: list[str | None] = []
    references: list[str | None] = []
    for batch in unpacked.table.to_batches():
        known, paths = batch["problem"].to_pylist(), batch["path"].to_pylist()
        held = batch["bytes"].is_valid().to_pylist()
        root, home = Path(data.image_root), home_of(data)
        looked = images.problems(paths, root, inside=sent, home=home)  # none beside bytes
        pairs = zip(known, held, looked, strict=True)
        problems += [k if k or h else seen for k, h, seen in pairs]
        references += paths
    return problems, references
