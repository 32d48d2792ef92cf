"""Formats that are read whole: Arrow IPC and feather, NumPy archives, workbooks, GeoJSON.

Each becomes one Arrow table, which is then handed out in batches like any other file.
"""

from __future__ import annotations

import importlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.files.arrow import as_table
from geodata.files.flat import Batch, flat, flat_names, outer_names
from geodata.files.formats import BATCH_ROWS, FileError, TableFile

MAX_BYTES = 1 << 31
MAX_WORKBOOK_BYTES = 1 << 27
"""Of the XML in a workbook: a million rows of three numbers are 100 MB, and 600 MB once read."""
"""A file larger than this is no table of answers; Arrow IPC is mapped and has no limit."""

_ARROW_MAGIC = b"ARROW1"
_ZIP_MAGIC, _OLD_EXCEL_MAGIC = b"PK", b"\xd0\xcf\x11\xe0"


def loaded_head(path: Path, kind: str) -> TableFile:
    """Return names and number of rows."""
    table = _load(path, kind)
    return TableFile(path, kind, flat_names(table.schema), table.num_rows)


def loaded_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows in order with flat columns."""
    table = _load(file.path, file.format)
    for start in range(0, table.num_rows, BATCH_ROWS):
        yield Batch(flat(table.slice(start, BATCH_ROWS), names), {})


def loaded_tables(file: TableFile, names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
    """Yield the rows in order with the columns as they are stored, all or those named."""
    table = _load(file.path, file.format)
    if names is not None:
        table = table.select(outer_names(table.schema, names))
    for start in range(0, table.num_rows, rows):
        yield table.slice(start, rows)


def loaded_schema(file: TableFile) -> pa.Schema:
    """Return the schema as stored."""
    return _load(file.path, file.format).schema


def _load(path: Path, kind: str) -> pa.Table:
    if kind != "arrow" and path.stat().st_size > MAX_BYTES:
        msg = f"{path}: {path.stat().st_size >> 20} MiB of {kind}; write it as Parquet first"
        raise FileError(msg)
    return READERS[kind](path)


def _arrow(path: Path) -> pa.Table:
    """Map an IPC file or stream: feather, ``.arrow``, shards of ``datasets.save_to_disk``."""
    with pa.memory_map(str(path)) as mapped:
        magic = mapped.read(len(_ARROW_MAGIC))
        mapped.seek(0)
        if magic == _ARROW_MAGIC:
            return as_table(pa.ipc.open_file(mapped).read_all())
        return as_table(pa.ipc.open_stream(mapped).read_all())


def _npz(path: Path) -> pa.Table:
    """Read named arrays of one length; a two-column one becomes a list column."""
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
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
        with zipfile.ZipFile(path) as packed:
            size = sum(member.file_size for member in packed.infolist())
        if size > MAX_WORKBOOK_BYTES:
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
        whole = json.loads(path.read_text("utf-8-sig"))
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
    row = dict(feature.get("properties") or {})
    if "id" in feature:
        row.setdefault("id", feature["id"])
    geometry = feature.get("geometry") or {}
    at = geometry.get("coordinates") if geometry.get("type") == "Point" else None
    lon, lat = at[:2] if isinstance(at, list) and len(at) >= 2 else (None, None)
    return {**row, "geometry.lat": lat, "geometry.lon": lon}


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


READERS: dict[str, Callable[[Path], pa.Table]] = {
    "arrow": _arrow,
    "npz": _npz,
    "xlsx": _xlsx,
    "geojson": _geojson,
}
"""Format -> what reads a file of it whole."""
