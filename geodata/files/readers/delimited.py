"""Rows of CSV and TSV, damaged ones in their place.

Every column is text until somebody parses it: type sniffing merges the ids ``1e3`` and
``1000`` and loses leading zeros.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import functools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from geodata.files.columns import axis_of
from geodata.files.formats import FileError, TableFile
from geodata.files.readers.flattening import Batch, no_rows
from geodata.files.readers.text import encoding_hint, open_bytes, open_text

READ_AHEAD_S = 0.2
"""Longer than pyarrow takes for the block of a CSV file that it is reading ahead."""

_BLOCK_BYTES = 1 << 22
_MEASURES = re.compile(
    r"(?i)distance|dist\b|dist_|error|haversine|(?<![a-z])(km|m|mi)\)?$|conf|prob"
)
_DECIMAL_COMMA = r"^\s*([-+]?[0-9]+),([0-9]+)\s*$"


def delimited_batches(file: TableFile, names: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a CSV or TSV file in order; ``bad`` names the damaged ones."""
    waiting: list[tuple[int, str]] = []
    row = file.above + (2 if file.header else 1)  # the number of the next one
    for good in _good_rows(file, list(names), waiting):
        batch = _insert(good, row, waiting, file, names)
        row += batch.table.num_rows
        yield batch
    if waiting:
        yield _insert(no_rows(names), row, waiting, file, names)


class _Lines(Mapping[int, int]):
    """The lines that damaged rows begin at, by offset: counted when one is asked for.

    pyarrow numbers rows, not lines: a blank line is none, and a quoted text may have several.
    """

    def __init__(self, file: TableFile, numbers: Mapping[int, int]) -> None:
        self._file, self._numbers = file, numbers

    def __getitem__(self, offset: int) -> int:
        number = self._numbers[offset]
        return self._begins.get(number, number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    @functools.cached_property
    def _begins(self) -> dict[int, int]:
        """The first lines of rows by their numbers, as far as they are sought."""
        found: dict[int, int] = {}
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self._file.quoting else csv.QUOTE_NONE
        sought, number, line = set(self._numbers.values()), 0, 1
        last = max(sought)
        with contextlib.suppress(csv.Error), open_text(self._file, errors="replace") as lines:
            reader = csv.reader(lines, delimiter=self._file.delimiter, quoting=quoting)
            for fields in reader:
                number += bool(fields)
                if fields and number in sought:
                    found[number] = line
                if number == last:
                    break
                line = reader.line_num + 1
        return found


def _good_rows(
    file: TableFile, columns: list[str], bad_rows: list[tuple[int, str]]
) -> Iterator[pa.Table]:
    """Yield rows that fit the header; others go into ``bad_rows`` with their number, line 1 first.

    Reading is sequential, so that a row has its number.
    """

    def put_aside(row: pacsv.InvalidRow) -> str:
        bad_rows.append((row.number, row.text))
        return "skip"

    whole = False
    source = open_bytes(file.path, file.compression) if file.compression else file.path
    try:
        with pacsv.open_csv(source, *_options(file, columns, put_aside)) as reader:
            for batch in reader:
                if batch.num_rows:
                    yield _points_for_commas(pa.Table.from_batches([batch]), file)
        whole = True
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        reason = str(error).splitlines()[0]
        msg = f"{file.path}: cannot be read as CSV: {reason}{encoding_hint(error, file)}"
        raise FileError(msg) from error
    finally:
        if not whole:
            _outlast_readers()


def _options(
    file: TableFile, columns: list[str], handler: object
) -> tuple[pacsv.ReadOptions, pacsv.ParseOptions, pacsv.ConvertOptions]:
    return (
        pacsv.ReadOptions(
            column_names=list(file.columns),
            skip_rows=file.above + (1 if file.header else 0),
            use_threads=False,
            block_size=_BLOCK_BYTES,
            encoding=file.encoding,
        ),
        pacsv.ParseOptions(
            delimiter=file.delimiter,
            quote_char='"' if file.quoting else False,
            newlines_in_values=file.quoting,
            invalid_row_handler=handler,
        ),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(file.columns, pa.string()),
            include_columns=columns,
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=False,
        ),
    )


@functools.cache
def _outlast_readers() -> None:
    """Let pyarrow's threads end before the interpreter does.

    After a read that was broken off, a thread still reads ahead and then lets go of
    ``invalid_row_handler``, a Python object; if the interpreter is ending by then, the process
    aborts. Two of 75 runs did so under load.
    """
    atexit.register(time.sleep, READ_AHEAD_S)


def _points_for_commas(table: pa.Table, file: TableFile) -> pa.Table:
    """Read ``48,85`` in columns of numbers as 48.85 where no comma separates the fields.

    These are coordinates and what is told apart by its unit, such as ``distance_km``.
    """
    if file.delimiter == ",":
        return table
    for i, name in enumerate(table.column_names):
        if axis_of(name) is not None or _MEASURES.search(name):
            column = pc.replace_substring_regex(table[name], _DECIMAL_COMMA, r"\1.\2")
            table = table.set_column(i, name, column)
    return table


def _insert(
    good: pa.Table,
    first: int,
    waiting: list[tuple[int, str]],
    file: TableFile,
    names: Sequence[str],
) -> Batch:
    """Put damaged rows back among the good ones, whose numbers begin at ``first``."""
    bad: dict[int, str] = {}
    rows: list[dict[str, str | None]] = []
    for number, text in waiting:
        if number > first + good.num_rows + len(bad):
            break
        fields = _split(text, file)
        # after the damage nothing is in its column for sure; the first field is before it
        rows.append({name: fields[0] if name == file.columns[0] else None for name in names})
        bad[number - first] = f"{len(fields)} fields, the header has {len(file.columns)}"
    if not bad:
        return Batch(good, {})
    del waiting[: len(bad)]
    damaged = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))
    order = np.empty(good.num_rows + len(bad), np.int64)
    is_bad = np.zeros(len(order), bool)
    is_bad[list(bad)] = True
    order[~is_bad] = np.arange(good.num_rows)
    order[is_bad] = good.num_rows + np.arange(len(bad))
    at = _Lines(file, {offset: first + offset for offset in bad})
    return Batch(pa.concat_tables([good, damaged]).take(pa.array(order)), bad, at)


def _split(text: str, file: TableFile) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=file.delimiter), []) or [""]
    except csv.Error:
        return text.split(file.delimiter)


def refuse_open_quotes(file: TableFile) -> None:
    """Find a quote that is never closed: it would swallow the rows that follow it.

    Raises
    ------
    FileError
        With the line where the field begins.
    """
    with open_bytes(file.path, file.compression) as raw:
        if not any(b'"' in block for block in iter(lambda: raw.read(1 << 20), b"")):
            return
    if csv.field_size_limit() < _BLOCK_BYTES:  # of the process, so it is raised and never lowered
        csv.field_size_limit(_BLOCK_BYTES)
    with open_text(file, errors="replace") as lines:
        reader = csv.reader(lines, delimiter=file.delimiter, strict=True)
        start = 1
        try:
            for _ in reader:
                start = reader.line_num + 1
        except csv.Error as error:
            msg = f"{file.path}: line {start}: a quoted field does not end as it should ({error})"
            raise FileError(msg) from error
