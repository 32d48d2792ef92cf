"""Answer over a table of photos: a checkpoint, a hub model, or an OpenAI-compatible server.

    georl predict configs/tiny-cpu.yaml model.name=out/final predict.output=preds.parquet
    georl predict CONFIG model.name=Qwen/Qwen2.5-VL-7B-Instruct predict.url=http://localhost:8000/v1

One row per photo, in the table's order, whatever happened to it: ``id, answer, lat, lon,
status``. A photo without an answer keeps its row with a status and no coordinates. Answers are
appended to a file beside the output as they come; a run that was stopped goes on from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from PIL import Image

from geodata import answers
from geodata.files import file_format, replacing
from geodata.printable import tell
from georl import data, held_out, models
from georl.config import Config, ConfigError, check
from georl.data import DataError, Turn
from georl.predict.server import Server
from georl.run import JsonLines

_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("answer", pa.string()),
        ("lat", pa.float64()),
        ("lon", pa.float64()),
        ("status", pa.string()),
    ]
)


def predict(config: Config) -> Path:
    """Write the predictions file of a run and return its path.

    Parameters
    ----------
    config
        ``model.name`` (folder or hub name), or ``predict.url`` with the name the server knows.

    Raises
    ------
    ConfigError, DataError
        Before a model is loaded; also if the half-written file belongs to another run.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load
    >>> folder = tempfile.TemporaryDirectory()
    >>> given = ["name=tiny", "data.rows=2", "predict.max_tokens=4"]
    >>> model, processor = models.load(load(None, given).model, texts=["Where is this?"])
    >>> model.save_pretrained(folder.name)
    >>> _ = processor.save_pretrained(folder.name)
    >>> run = load(None, [*given[1:], f"model.name={folder.name}",
    ...                   f"predict.output={folder.name}/preds.jsonl"])
    >>> predict(run).name
    'preds.jsonl'
    >>> folder.cleanup()
    """
    check(config)
    output = Path(config.predict.output)
    kind = file_format(output)
    config = data.pinned(config)
    photos = data.photos(config, "predict")
    table = photos.table
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = JsonLines(output.with_name(f"{output.name}.partial.jsonl"))
    done = _done(partial, config)
    todo = table.filter(pc.invert(pc.is_in(table["id"], pa.array(list(done), pa.string()))))
    if there := table.num_rows - todo.num_rows:
        tell(f"going on: {there} of {table.num_rows} answers are there")
    answer = _from_server if config.predict.url else _from_model
    for rows in _shown(answer(config, photos.reader, todo), len(todo)):
        partial.write(rows)
        done |= {row["id"]: row for row in rows}
    _write(output, kind, [done[name] for name in table["id"].to_pylist()])
    partial.path.unlink()
    return output


def _done(partial: JsonLines, config: Config) -> dict[str, dict[str, Any]]:
    """Return the answers of an earlier start; a failed request is asked again."""
    head = {"run": _run_id(config)}
    rows = partial.read()
    if not rows:
        partial.path.unlink(missing_ok=True)
        partial.write([head])
        return {}
    if rows[0] != head:
        msg = (
            f"{partial.path} holds answers of another model, prompt or table; delete it or set "
            "another predict.output"
        )
        raise ConfigError(msg)
    kept = [row for row in rows[1:] if row["status"] != "request_failed"]
    with replacing(partial.path) as beside:  # a last line that was cut short is left out
        JsonLines(beside).write([head, *kept])
    return {row["id"]: row for row in kept}


def _run_id(config: Config) -> str:
    asked = config.data
    parts = [config.model.name, config.model.revision, asked.table, asked.version]
    parts.append(data.question(asked))
    settings = [config.predict.temperature, config.predict.max_tokens, asked.image]
    settings += [config.model.min_pixels, config.model.max_pixels]  # what the model sees
    return hashlib.sha256(json.dumps([parts, settings, config.seed]).encode()).hexdigest()


def _row(name: str, text: str | None, failed: str) -> dict[str, Any]:
    """Return a row of the file: an answer and its reading, or without one why it failed."""
    if text is None:
        return {"id": name, "answer": None, "lat": None, "lon": None, "status": failed}
    read = answers.parse_tolerant(text)
    return {"id": name, "answer": text, "lat": read.lat, "lon": read.lon, "status": read.status}


# --- a local model ------------------------------------------------------------------------


def _from_model(
    config: Config, reader: data.Reader, todo: pa.Table
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each batch, answered greedily unless a temperature is set."""
    if not len(todo):
        return
    import torch

    loaded, processor = models.load(config.model, seed=config.seed)
    model: Any = loaded
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    torch.manual_seed(config.seed)
    for start in range(0, len(todo), config.predict.batch):
        batch = todo.slice(start, config.predict.batch).to_pylist()
        shown = {row["id"]: pair for row in batch if (pair := _opened(row, reader))}
        chats, images = [chat for chat, _ in shown.values()], [image for _, image in shown.values()]
        texts = held_out.generate(model, processor, images, chats, config.predict)
        said = dict(zip(shown, texts, strict=True))
        yield [_row(row["id"], said.get(row["id"]), "image_unreadable") for row in batch]


def _opened(row: dict[str, Any], reader: data.Reader) -> tuple[list[Turn], Image.Image] | None:
    """Return the chat and the image of a row, None after a word where the image does not open."""
    chat = reader.prompt(row)
    try:
        return chat, reader.image(row)
    except DataError as error:
        tell(error)
        return None


# --- a server -----------------------------------------------------------------------------


def _from_server(
    config: Config, reader: data.Reader, todo: pa.Table
) -> Iterator[list[dict[str, Any]]]:
    """Yield each answer as it comes; at most ``concurrency`` requests are under way."""
    server = Server(config)
    if len(todo):
        tell(server.told())

    def one(row: dict[str, Any]) -> dict[str, Any]:
        shown, name = _opened(row, reader), row["id"]
        if shown is None:
            return _row(name, None, "image_unreadable")
        return _row(name, server.ask(name, *shown), "request_failed")

    with ThreadPoolExecutor(config.predict.concurrency) as pool:
        for start in range(0, len(todo), 8 * config.predict.concurrency):
            window = todo.slice(start, 8 * config.predict.concurrency)
            for answered in pool.map(one, window.to_pylist()):
                yield [answered]


# --- the file -----------------------------------------------------------------------------


def _shown(batches: Iterator[list[dict[str, Any]]], total: int) -> Iterator[list[dict[str, Any]]]:
    """Pass the batches on under a progress bar, where there is a terminal to draw it on."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("predicting", total=total)
        for rows in batches:
            yield rows
            progress.advance(task, len(rows))


def _write(output: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, _SCHEMA)
    with replacing(output) as beside:
        if kind == "parquet":
            pq.write_table(table, beside)
        elif kind == "jsonl":
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
            beside.write_text(text, encoding="utf-8")
        else:
            options = pacsv.WriteOptions(delimiter="\t" if kind == "tsv" else ",")
            pacsv.write_csv(table, beside, options)
