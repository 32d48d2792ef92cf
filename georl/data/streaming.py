"""Photos from shards as training goes: read in order, decoded in workers, resumed at the next row.

Nothing is laid out or kept, so the shards may be larger than disk or memory. `georl.data.loader`
makes batches of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from geodata import coords, files
from geodata.files import ID_NAMES
from geodata.records import TRUTH
from georl.config import Config
from georl.data import chats as chat_columns, rows as tables_of_rows
from georl.data.lanes import Place, Row, Shards, lane, open_shards
from georl.data.opening import Reader
from georl.data.sources import DataError

_TEXT_ROWS = 3000


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
