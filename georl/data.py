"""Photos with their truth -> the rows that the trainers and `predict` read.

A row is small on disk and in memory: ids, coordinates, labels and a reference to the image.
The image is opened, and the prompt written, when the row is asked for; a batch that holds a
photo several times (a GRPO group) opens it once and shares the object.
"""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, UnidentifiedImageError

from geodata import coords, files
from georl import prompts, world
from georl.config import Config, DataConfig

if TYPE_CHECKING:
    from datasets import Dataset

ID_NAMES = ("id", "image_id", "img_id", "photo_id")
TRUTH = ("country", "country_code", "admin1", "admin2", "city")
MAX_IMAGE_BYTES = 64 << 20


class DataError(ValueError):
    """Photos that cannot be trained on or predicted: says which rows, why and what to do."""


def photo_table(config: Config) -> pa.Table:
    """Return the run's photos: id, lat, lon, the labels that are there, and ``image``.

    Returns
    -------
    pyarrow.Table
        ``image`` is a path or URL (text), the encoded bytes, or for 'world' NULL, since the
        coordinates say where to crop.

    Raises
    ------
    DataError
        For missing columns, rows without coordinates or missing image files: how many, the
        first of them, and what to do.
    """
    data = config.data
    if data.table == "world":
        return _limited(_world_table(data, config.seed), data.limit)
    table = _limited(files.read_table(data.table), data.limit)
    if data.image not in table.column_names:
        msg = (
            f"{data.table} has no column {data.image!r} for the image; set data.image to one of "
            f"{', '.join(table.column_names)}"
        )
        raise DataError(msg)
    truth = config.task != "predict"
    return _without_missing(_standard(table, data, truth=truth), data)


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
    """
    return as_dataset(photo_table(config), config, completions=completions)


def as_dataset(table: pa.Table, config: Config, *, completions: bool) -> Dataset:
    """Return rows of `photo_table` as `load` does."""
    import datasets

    if table.num_rows == 0:
        msg = f"{config.data.table} has no rows to train on"
        raise DataError(msg)
    rows = datasets.Dataset(datasets.table.InMemoryTable(table.combine_chunks()))
    render = _Renderer(config, completions)
    return rows.with_transform(render)


def texts(rows: Dataset, config: Config, limit: int = 3000) -> list[str]:
    """Return prompts and answers for training the tiny model's tokenizer."""
    if config.model.name != "tiny":
        return []
    data = config.data
    question = data.question or prompts.question(data.prompt, data.levels)
    head = rows.with_format(None).select(range(min(limit, len(rows))))
    return [f"user\n{question}", "assistant\n"] * 50 + [prompts.answer(row, data) for row in head]


class _Renderer:
    """Turn stored columns into what the trainers read; shares images within a batch."""

    def __init__(self, config: Config, completions: bool) -> None:
        data = config.data
        text = data.question or prompts.question(data.prompt, data.levels)
        self._prompt = [{"role": "user", "content": text}]
        self._data, self._completions = data, completions
        self._open = opener(data)

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        rows = [
            dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)
        ]
        opened: dict[str, Image.Image] = {}
        for row in rows:
            if row["id"] not in opened:
                opened[row["id"]] = self._open(row)
        out = {**batch, "image": [opened[row["id"]] for row in rows]}
        out["prompt"] = [list(self._prompt) for _ in rows]
        if self._completions:
            out["completion"] = [[self._answer(row)] for row in rows]
        return out

    def _answer(self, row: Mapping[str, Any]) -> prompts.Message:
        return {"role": "assistant", "content": prompts.answer(row, self._data)}


def opener(data: DataConfig) -> Callable[[Mapping[str, Any]], Image.Image]:
    """Return the function that opens the image of a row of `photo_table`.

    Raises
    ------
    DataError
        From the returned function, for an image that cannot be read or decoded: names the
        row's id and the file.
    """
    if data.table == "world":
        earth = world.Earth()
        return lambda row: earth.crop(row["lat"], row["lon"])
    root = Path(data.image_root)
    return lambda row: open_image(row["image"], root, row["id"])


def open_image(source: str | bytes | None, root: Path, name: str) -> Image.Image:
    """Open an RGB image from a path (relative to ``root``), an http(s) URL or its bytes."""
    try:
        content = source if isinstance(source, bytes) else _read(str(source), root)
        return Image.open(io.BytesIO(content)).convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        shown = f"{len(source)} bytes" if isinstance(source, bytes) else source
        msg = f"image of row {name!r} ({shown}) cannot be read: {error}; repair or drop the row"
        raise DataError(msg) from error


def _read(source: str, root: Path) -> bytes:
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=60) as response:
            content: bytes = response.read(MAX_IMAGE_BYTES + 1)
        if len(content) > MAX_IMAGE_BYTES:
            msg = f"larger than {MAX_IMAGE_BYTES >> 20} MiB"
            raise OSError(msg)
        return content
    return (root / source).read_bytes()


def _world_table(data: DataConfig, seed: int) -> pa.Table:
    if data.places is None:
        table = world.photos(data.rows, seed)
    else:
        table = _standard(files.read_table(data.places), data, truth=True)
    return table.append_column("image", pa.nulls(table.num_rows, pa.string()))


def _limited(table: pa.Table, limit: int | None) -> pa.Table:
    return table if limit is None else table.slice(0, limit)


def _standard(table: pa.Table, data: DataConfig, *, truth: bool) -> pa.Table:
    """Return the columns of `photo_table`; with ``truth`` every row needs coordinates."""
    columns: dict[str, Any] = {"id": _ids(table, data.id)}
    if truth:
        lat, lon = coords.find_columns(table.column_names, data.lat, data.lon)
        checked = coords.arrays(coords.parse_numbers(table[lat]), coords.parse_numbers(table[lon]))
        if not checked.valid.all():
            bad = (~checked.valid).nonzero()[0]
            msg = (
                f"{len(bad)} of {table.num_rows} rows have no valid coordinates, the first is "
                f"row {bad[0]} (id {columns['id'][int(bad[0])].as_py()!r}); drop them, e.g. with "
                "geodata label, which marks them"
            )
            raise DataError(msg)
        columns |= {"lat": checked.lat, "lon": checked.lon}
    columns |= {name: table[name] for name in TRUTH if name in table.column_names}
    if data.table != "world":
        columns["image"] = _image_column(table[data.image])
    return pa.table(columns)


def _ids(table: pa.Table, name: str | None) -> pa.Array | pa.ChunkedArray:
    lower = {column.lower(): column for column in table.column_names}
    found = name or next((lower[n] for n in ID_NAMES if n in lower), None)
    if found is None:
        return pa.array([str(i) for i in range(table.num_rows)])
    if found not in table.column_names:
        msg = f"no column {found!r} for the id; the columns are {', '.join(table.column_names)}"
        raise DataError(msg)
    ids = pc.cast(table[found], pa.string())
    if ids.null_count or pc.count_distinct(ids).as_py() != table.num_rows:
        msg = f"column {found!r} does not name the rows: ids repeat or are missing"
        raise DataError(msg)
    return ids


def _image_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return paths or bytes; Hugging Face stores an image as a struct of both."""
    if pa.types.is_struct(column.type):
        return pc.struct_field(column, "bytes")
    return column


def _without_missing(table: pa.Table, data: DataConfig) -> pa.Table:
    """Refuse rows whose file is not there, or drop them after listing if the run says so."""
    missing = [i for i, ref in enumerate(table["image"].to_pylist()) if _is_missing(ref, data)]
    if not missing:
        return table
    names = table["image"].take(missing[:5]).to_pylist()
    listed = ", ".join(map(str, names)) + (", ..." if len(missing) > 5 else "")
    if not data.skip_missing:
        msg = (
            f"{len(missing)} of {table.num_rows} images are missing ({listed}); fetch them, set "
            "data.image_root, or set data.skip_missing=true to go on without these rows"
        )
        raise DataError(msg)
    print(f"going on without {len(missing)} of {table.num_rows} photos, missing: {listed}")
    keep = pa.array([True] * table.num_rows).to_numpy(zero_copy_only=False).copy()
    keep[missing] = False
    return table.filter(pa.array(keep))


def _is_missing(ref: str | bytes | None, data: DataConfig) -> bool:
    if ref is None:
        return True
    if isinstance(ref, bytes):
        return len(ref) == 0
    return (
        not ref.startswith(("http://", "https://")) and not (Path(data.image_root) / ref).is_file()
    )
