"""Formats that are read whole: Arrow IPC and feather, NumPy archives, workbooks, GeoJSON.

Arrow's batches come one after the other; of the others one table is made, and then batches.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geodata.files.arrow import as_table
from geodata.files.formats import BATCH_ROWS, FileError, TableFile
from geodata.files.readers.cutting import BOMB_RATIO, FREE_BYTES, gathered, pieces_of_file
from geodata.files.readers.flattening import Batch, flat, flat_names, outer_names
from geodata.files.readers.jsonrows import json_of

MAX_BYTES = 1 << 31
"""A file larger than this is no table of answers; Arrow IPC is mapped and has no limit."""

MAX_WORKBOOK_BYTES = 1 << 27
"""Of the XML in a workbook: a million rows of three numbers are 100 MB, and 600 MB once read."""

_ARROW_MAGIC, _ARROW_HEAD = b"ARROW1", 8
_ZIP_MAGIC, _OLD_EXCEL_MAGIC = b"PK", b"\xd0\xcf\x11\xe0"
_FRAMES = (0xFD2FB528, 0x184D2204)
"""What zstd and LZ4 begin with, behind the 8 bytes that say how long a buffer is unpacked."""


def loaded_head(path: Path, kind: str) -> TableFile:
    """Return names and number of rows."""
    if kind == "arrow":
        _refuse_unfolding(path)
        with _arrow_parts(path, narrow=True) as (schema, parts):
            rows = sum(part.num_rows for part in parts)
        return TableFile(path, kind, flat_names(schema), rows)
    table = _load(path, kind)
    return TableFile(path, kind, flat_names(table.schema), table.num_rows)


def loaded_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows in order with flat columns."""
    for table in loaded_tables(file, names, BATCH_ROWS):
        yield Batch(flat(table, names), {})


def loaded_tables(file: TableFile, names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    """Yield the rows in order with the columns as they are stored, all or those named."""
    whole = gathered(_parts(file, names), rows)
    some = (t.slice(start, rows) for t in whole for start in range(0, t.num_rows, rows))
    yield from pieces_of_file(some, str(file.path), file.path.stat().st_size)


def loaded_schema(file: TableFile) -> pa.Schema:
    """Return the schema as stored."""
    if file.format == "arrow":
        with _arrow_parts(file.path, narrow=True) as (schema, _):
            return schema
    return _load(file.path, file.format).schema


def _parts(file: TableFile, names: Sequence[str] | None) -> Iterator[pa.Table]:
    if file.format != "arrow":
        table = _load(file.path, file.format)
        yield table if names is None else table.select(outer_names(table.schema, names))
        return
    with _arrow_parts(file.path, names) as (_, parts):
        yield from parts


def _load(path: Path, kind: str) -> pa.Table:
    if path.stat().st_size > MAX_BYTES:
        msg = f"{path}: {path.stat().st_size >> 20} MiB of {kind}; write it as Parquet first"
        raise FileError(msg)
    return READERS[kind](path)


@contextlib.contextmanager
def _arrow_parts(
    path: Path, names: Sequence[str] | None = None, *, narrow: bool = False
) -> Iterator[tuple[pa.Schema, Iterator[pa.Table]]]:
    """Map an IPC file or stream: feather, ``.arrow``, shards of ``datasets.save_to_disk``.

    Gives the schema, and the batches one after the other; with ``narrow`` only their first column,
    to count rows without unpacking the others.
    """
    with pa.memory_map(str(path)) as mapped:
        magic = mapped.read(len(_ARROW_MAGIC))
        mapped.seek(0)
        is_file = magic == _ARROW_MAGIC
        opener = pa.ipc.open_file if is_file else pa.ipc.open_stream
        schema = opener(mapped).schema
        wanted = (
            range(len(schema))
            if names is None
            else map(schema.get_field_index, outer_names(schema, names))
        )
        fields = [0] if narrow else sorted(wanted)
        mapped.seek(0)
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        reader = opener(mapped, options=options) if len(schema) else opener(mapped)
        batches = map(reader.get_batch, range(reader.num_record_batches)) if is_file else reader
        parts = (as_table(pa.Table.from_batches([batch])) for batch in batches)
        yield as_table(schema.empty_table()).schema, parts


def _refuse_unfolding(path: Path) -> None:
    """Refuse an IPC file with a batch that says of itself that it is a bomb when unpacked.

    Only its compressed buffers count: what is not compressed is mapped and takes no memory.
    """
    with pa.memory_map(str(path)) as mapped:
        mapped.seek(_ARROW_HEAD if mapped.read(len(_ARROW_MAGIC)) == _ARROW_MAGIC else 0)
        for message in pa.ipc.MessageReader.open_stream(mapped):
            if message.body is None:
                continue
            body = np.frombuffer(message.body, np.uint8)
            words = body[: len(body) // 8 * 8].view(np.uint64)  # where every buffer begins
            low = words[1:].astype(np.uint32)
            claimed = sum(words[:-1][(low == _FRAMES[0]) | (low == _FRAMES[1])].tolist())
            if claimed > FREE_BYTES:
                msg = f"{path}: a batch of {len(body)} bytes unfolds into {claimed >> 20} MiB"
                raise FileError(f"{msg}; write it as Parquet, or in batches of fewer rows")


def _members_bytes(path: Path) -> int:
    """Return the bytes that the members of a zip archive say they unfold into."""
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


def _refuse_members(path: Path) -> None:
    """Refuse a zip archive whose members are far more than it is."""
    claimed = _members_bytes(path)
    if claimed > max(FREE_BYTES, BOMB_RATIO * path.stat().st_size):
        msg = f"{path}: its members unfold from {path.stat().st_size} bytes into"
        raise FileError(f"{msg} {claimed >> 20} MiB; not a table of answers")


def _npz(path: Path) -> pa.Table:
    """Read named arrays of one length; a two-column one becomes a list column."""
    try:
        _refuse_members(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileError:
        raise
    except (EOFError, zipfile.BadZipFile, AttributeError) as error:
        msg = f"{path}: cannot be read as NPZ: {error or 'the file is empty'}"
        raise FileError(msg) from error
    except ValueError as error:
        msg = f"{path}: holds Python objects ({error}); save numbers and text, not dtype=object"
        raise FileError(msg) from error
    whole = {name: array for name, array in arrays.items() if array.ndim in (1, 2)}
    lengths = {len(array) for array in whole.values()}
    if len(lengths) != 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        msg = f"{path}: expected arrays of one length, one value a row; found {shapes or 'none'}"
        raise FileError(msg)
    return pa.table({name: _column(array) for name, array in whole.items()})


def _column(array: Any) -> pa.Array:
    if array.dtype.kind == "S":
        array = array.astype(str)
    return pa.array(array.tolist() if array.dtype.kind == "U" or array.ndim == 2 else array)


def _xlsx(path: Path) -> pa.Table:
    """Read the first sheet; its first row names the columns."""
    with path.open("rb") as file:
        head = file.read(512).lstrip()
    if not head.startswith(_ZIP_MAGIC):
        what = "an HTML or XML page" if head.startswith(b"<") else "no workbook"
        what = "a workbook of the old .xls kind" if head.startswith(_OLD_EXCEL_MAGIC) else what
        msg = f"{path}: is {what}; open it in a spreadsheet and save it as .xlsx or .csv"
        raise FileError(msg)
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        msg = f"{path}: reading .xlsx needs openpyxl (pip install openpyxl), or save it as .csv"
        raise FileError(msg) from error
    try:
        if (size := _members_bytes(path)) > MAX_WORKBOOK_BYTES:
            raise _too_large(path, size)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    except FileError:
        raise
    except (KeyError, ValueError, OSError, IndexError, zipfile.BadZipFile) as error:
        msg = f"{path}: cannot be read as XLSX: {error}"
        raise FileError(msg) from error
    return table_of_cells(rows, str(path))


def _too_large(path: Path, size: int) -> FileError:
    return FileError(
        f"{path}: unfolds into {size >> 20} MiB, and a workbook is read whole, up to "
        f"{MAX_WORKBOOK_BYTES >> 20} MiB; save it as .csv, which is read in parts"
    )


def table_of_cells(rows: Sequence[Sequence[Any]], where: str) -> pa.Table:
    """Return a table of text from the rows of a sheet; empty rows are left out.

    Examples
    --------
    >>> table_of_cells([["id", "lat"], [7, 48.5], [None, None]], "a.xlsx").to_pylist()
    [{'id': '7', 'lat': '48.5'}]
    """
    rows = [row for row in rows if any(cell is not None for cell in row)]
    if not rows:
        msg = f"{where}: the first sheet is empty; expected a header with column names"
        raise FileError(msg)
    names = [None if cell is None else str(cell).strip() for cell in rows[0]]
    kept = [i for i, name in enumerate(names) if name]
    cells = {
        str(names[i]): [_cell(row[i]) if i < len(row) else None for row in rows[1:]] for i in kept
    }
    if len(cells) < len(kept):
        msg = f"{where}: the header repeats a name; names must be unique"
        raise FileError(msg)
    return pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()})


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _geojson(path: Path) -> pa.Table:
    """Read features: their properties, and of a point ``geometry.lat`` and ``geometry.lon``."""
    try:
        whole = json_of(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        msg = f"{path}: cannot be read as GeoJSON: {error}"
        raise FileError(msg) from error
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        msg = f"{path}: expected a GeoJSON FeatureCollection with features"
        raise FileError(msg)
    rows = [_feature(one) for one in features]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({n: pa.array([_as_text(r.get(n)) for r in rows], pa.string()) for n in names})


def _feature(feature: dict[str, Any]) -> dict[str, Any]:
    own, geometry = feature.get("properties"), feature.get("geometry")
    row = dict(own) if isinstance(own, dict) else {}
    if "id" in feature:
        row.setdefault("id", feature["id"])
    geometry = geometry if isinstance(geometry, dict) else {}
    at = geometry.get("coordinates") if geometry.get("type") == "Point" else None
    lon, lat = at[:2] if isinstance(at, list) and len(at) >= 2 else (None, None)
    return {**row, "geometry.lat": lat, "geometry.lon": lon}


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


READERS: dict[str, Callable[[Path], pa.Table]] = {
    "npz": _npz,
    "xlsx": _xlsx,
    "geojson": _geojson,
}
"""Format -> what reads a file of it whole."""

LOADED = frozenset(("arrow", *READERS))
