"""The light part of a table, ids, coordinates and labels, and the rows that cannot be used.

Rows are refused, counted and named; with ``data.skip_missing`` the run goes on without them.
None is ever replaced by another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import coords
from geodata.files import ID_NAMES, axis_of, coordinate_columns, find_named, squeeze, write_text
from geodata.printable import tell
from geodata.records import TRUTH
from georl.config import Config, DataConfig
from georl.data.images import MISSING
from georl.data.sources import DataError, Source

BESIDE = ("entities",)
"""Columns that rewards read as they are: what is visible in a photo, see `georl.rewards`."""

SHOWN = 5
"""So many rows are named in a message; the others are in a file."""

Need = Literal["needed", "optional", "unused"]

_READ_ROWS = 1 << 17

_UNLOCATED = (
    "rows have no valid coordinates: {}; correct them (geodata label says what is wrong with "
    "each), or set data.skip_missing=true to go on without them"
)
_MISSING = (
    "images are missing ({}); fetch them, set data.image_root, or set data.skip_missing=true to go "
    "on without these rows"
)
_BROKEN = (
    "images cannot be used: {}; repair them, or set data.skip_missing=true to go on without these "
    "rows"
)


def limited(batches: Iterator[pa.Table], limit: int | None) -> Iterator[pa.Table]:
    """Yield batches up to a number of rows, and read no more."""
    left = limit
    for table in batches:
        if left is not None:
            table = table.slice(0, left)
            left -= table.num_rows
        yield table
        if left == 0:
            return


def light_columns(
    source: Source, data: DataConfig, image: str | None = None, *, coordinates: Need
) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Read ids, coordinates, labels and, if named, the column of image references.

    Parameters
    ----------
    source
        Where from.
    data
        Names of columns, and the limit.
    image
        A text column, which becomes ``image``.
    coordinates
        Whether there must be ``lat`` and ``lon``.

    Returns
    -------
    pyarrow.Table, shape (n,)
        ``id`` text, ``lat`` and ``lon`` (float64, degrees), the labels and ``image``.
    numpy.ndarray of bool, shape (n,)
        Which rows have no valid coordinates; none where they are not read.

    Raises
    ------
    DataError
        If a column is missing, or the ids do not name the rows.
    """
    table = _columns(source, data, image)
    columns: dict[str, Any] = {"id": _ids(table, data.id, source)}
    bad = np.zeros(table.num_rows, bool)
    pair = None if coordinates == "unused" else _pair(table, source, data, coordinates)
    if pair is not None:
        checked = coords.arrays(*(coords.parse_numbers(table[name]) for name in pair))
        columns |= {"lat": checked.lat, "lon": checked.lon}
        bad = ~checked.valid
    columns |= {n: pc.cast(table[n], pa.string()) for n in TRUTH if n in table.column_names}
    columns |= {n: table[n] for n in BESIDE if n in table.column_names}
    if image is not None:
        columns["image"] = pc.cast(table[image], pa.string())
    return pa.table(columns), bad


def _columns(source: Source, data: DataConfig, image: str | None) -> pa.Table:
    """Return the columns that may be used; of LLaVA-style records those that hold something."""
    named = {data.id, data.lat, data.lon, image}
    names = [n for n in source.schema.names if n in named or _is_usual(n)]
    names = names or source.schema.names[:1]  # the rows are counted all the same
    parts = list(limited(source.batches(names, _READ_ROWS), data.limit))
    empty = pa.schema([source.schema.field(n) for n in names]).empty_table()
    table = pa.concat_tables(parts, promote_options="permissive") if parts else empty
    if source.llava is None:
        return table
    return table.select([n for n in names if table[n].null_count < table.num_rows])


def _is_usual(name: str) -> bool:
    return squeeze(name) in ID_NAMES or axis_of(name) is not None or name in (*TRUTH, *BESIDE)


def _pair(table: pa.Table, source: Source, data: DataConfig, need: Need) -> tuple[str, str] | None:
    try:
        return coordinate_columns(table.column_names, data.lat, data.lon)
    except ValueError as error:
        if need == "optional" and data.lat is None and data.lon is None:
            return None
        columns = ", ".join(source.schema.names)
        msg = f"{source.label}, with columns {columns}: {error}; data.lat and data.lon name them"
        raise DataError(msg) from error


def _ids(table: pa.Table, name: str | None, source: Source) -> pa.Array | pa.ChunkedArray:
    found = name or find_named(table.column_names, ID_NAMES, "id", "data.table")
    if found is None:
        return pa.array(map(str, range(table.num_rows)), pa.string())
    if found not in table.column_names:
        columns = ", ".join(source.schema.names)
        msg = f"{source.label} has no column {found!r} for the id; set data.id to one of {columns}"
        raise DataError(msg)
    ids = pc.cast(table[found], pa.string())
    if pc.count_distinct(ids).as_py() != table.num_rows:  # NULL is none
        msg = f"column {found!r} does not name the rows: ids repeat or are missing"
        raise DataError(msg)
    return ids


def usable(
    table: pa.Table,
    bad: NDArray[np.bool_],
    problems: Sequence[str | None],
    references: Sequence[str | None],
    config: Config,
) -> pa.Table:
    """Return the rows that have what they need: all, or those that are left after a word.

    Parameters
    ----------
    table
        With ``id``, shape (n,).
    bad
        Rows without coordinates, shape (n,).
    problems
        Of the images, as `georl.data.images.problems` gives them, shape (n,). A prediction
        keeps the row of an image that is there and cannot be opened.
    references
        What names the images in messages; None stands for the row's id.

    Raises
    ------
    DataError
        With every kind of problem: how many rows, the first of them, and what to do; unless
        ``data.skip_missing`` is set.
    """
    missing = np.array([p == MISSING for p in problems], bool)
    broken = np.array([p is not None for p in problems], bool) & ~missing
    if config.task == "predict":
        broken[:] = False
    out = bad | missing | broken
    if not out.any():
        return table
    ids = table["id"].to_pylist()
    names = [r or f"row {name!r}" for r, name in zip(references, ids, strict=True)]
    told = [
        (bad, _UNLOCATED, [f"row {i} (id {name!r})" for i, name in enumerate(ids)]),
        (missing, _MISSING, names),
        (broken, _BROKEN, [f"{n} {p}" for n, p in zip(names, problems, strict=True)]),
    ]
    n = table.num_rows
    lines = [
        f"{m.sum()} of {n} {say.format(_shown(m, named))}" for m, say, named in told if m.any()
    ]
    rows = [
        (i, "no valid coordinates" if bad[i] else problems[i]) for i in np.flatnonzero(out).tolist()
    ]
    if len(rows) > SHOWN:
        lines.append(f"all are listed in {_listed(rows, ids, references, config)}")
    if not config.data.skip_missing:
        raise DataError("\n".join(lines))
    tell(f"going on without {len(rows)} of {n} photos:")
    for line in lines:
        tell(line)
    return table.filter(pa.array(~out))


def _shown(mask: NDArray[np.bool_], names: Sequence[str]) -> str:
    rows = np.flatnonzero(mask)
    return ", ".join(names[i] for i in rows[:SHOWN]) + (", ..." if len(rows) > SHOWN else "")


def _listed(
    rows: Sequence[tuple[int, str | None]],
    ids: Sequence[str],
    references: Sequence[str | None],
    config: Config,
) -> Path:
    """Write one line of JSON a row that cannot be used, and return the file."""
    lines = [{"id": ids[i], "image": references[i], "problem": problem} for i, problem in rows]
    folder = output_folder(config)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "unusable_photos.jsonl"
    write_text(target, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return target


def output_folder(config: Config) -> Path:
    """Return the folder that the run writes to."""
    is_predict = config.task == "predict"
    return Path(config.predict.output).parent if is_predict else Path(config.output)
