"""Rows of JSON lines and of JSON arrays, damaged ones in their place, numbers as written.

Every column is text: the ids ``1e3`` and ``1000`` are two, and a photo id of 23 digits keeps
them all. What else than text a column holds is its *kind*, from which `typed` makes numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from geodata.files.columns import ROW_NAMES, axis_of, is_name, squeeze
from geodata.files.formats import BATCH_ROWS, FileError, TableFile
from geodata.files.readers.flattening import MAX_BATCH_BYTES, MAX_COLUMNS, MAX_DEPTH, Batch
from geodata.files.readers.text import open_text

MAX_LINE_CHARS = 1 << 26
SAMPLE_ROWS = 200
_CHUNK_CHARS = 1 << 18
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_HALF_BYTES = re.compile(_HALF.pattern.encode())
_MAX_NESTING = 200
"""Levels of a row. Each costs `_text` two calls; Python allows about a thousand in all."""
_MAX_INTEGER_DIGITS = 18
_WRAPPERS = frozenset(("choices", "outputs", "generations", "resps", "filtered_resps"))
"""Lists that servers and harnesses put around what a model said; one of one entry is that entry."""

Kinds = dict[str, str]
"""'integer', 'number', 'boolean' or 'text' of each column, in the order of first occurrence.
A column that is named like an id is text whatever it holds."""


_Row = tuple[dict[str, Any] | str, int, str]
"""A row as an object or a text that says why it is none, its line or place, and as written."""


class _Written(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Written, parse_int=_Written, parse_constant=_Written)


def json_names(file: TableFile) -> tuple[str, ...]:
    """Return the names that occur in the first rows.

    Raises
    ------
    FileError
        If the first row is none.
    """
    names: dict[str, None] = {}
    for number, (row, line, _) in enumerate(_rows(file)):
        if isinstance(row, dict):
            names.update(dict.fromkeys(_flat(row)))
        elif number == 0:
            msg = f"{file.path}: line {line} is {row}"
            raise FileError(msg)
        if number == SAMPLE_ROWS or len(names) > MAX_COLUMNS:
            break
    return tuple(names)


def json_kinds(file: TableFile) -> Kinds:
    """Read all rows and return every name that occurs, with the kind of its values."""
    kinds: Kinds = {}
    for row, _, _ in _rows(file):
        if isinstance(row, dict):
            for name, value in _leaves(row):
                found = _kind(value)
                known = kinds.setdefault(name, found)
                if found and found != known:
                    numbers = {found, known} == {"integer", "number"}
                    kinds[name] = ("number" if numbers else "text") if known else found
    return {n: "text" if is_name(n) else kind or "text" for n, kind in kinds.items()}


def json_batches(
    file: TableFile, names: Sequence[str], *, lines: bool = False, rows: int = BATCH_ROWS
) -> Iterator[Batch]:
    """Yield the rows in order as text columns, ``lines`` the objects as written beside them."""
    part = _Part(names)
    for row, line, text in _rows(file):
        part.add(row, line, text if lines else None)
        if part.rows == rows or part.size > MAX_BATCH_BYTES:
            yield part.batch()
            part = _Part(names)
    if part.rows:
        yield part.batch()


class _Part:
    """Rows of a batch as they come."""

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = self.size = 0
        self._values: dict[str, list[str | None]] = {name: [] for name in names}
        self._bad: dict[int, str] = {}
        self._at: dict[int, int] = {}
        self._lines: list[str] = []

    def add(self, row: dict[str, Any] | str, line: int, text: str | None) -> None:
        flat = {} if isinstance(row, str) else _flat(row)
        if isinstance(row, str):
            self._bad[self.rows], self._at[self.rows] = row, line
        for name, column in self._values.items():
            value = flat.get(name)
            column.append(value)
            self.size += len(value) if value else 0
        if text is not None:
            self._lines.append(text)
            self.size += len(text)
        self.rows += 1

    def batch(self) -> Batch:
        columns = {n: pa.array(map(_encodable, c), pa.string()) for n, c in self._values.items()}
        return Batch(pa.table(columns), self._bad, self._at, self._lines or None)


def json_of(text: str | bytes) -> Any:
    r"""Return what a JSON text holds, halves of letters that have no UTF-8 as question marks.

    Titles that were cut within an emoji have such a half, and no column of text could hold it.

    Examples
    --------
    >>> json_of(r'{"cut": "a\ud83d", "whole": "\ud83d\ude00"}')
    {'cut': 'a?', 'whole': '😀'}
    """
    found = json.loads(text)
    half = _HALF_BYTES.search(text) if isinstance(text, bytes) else _HALF.search(text)
    if half is None:
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def typed(table: pa.Table, kinds: Mapping[str, str]) -> pa.Table:
    """Return the text columns whose kind is not text as integers, numbers and booleans.

    Examples
    --------
    >>> typed(pa.table({"n": ["1", "2e3"]}), {"n": "number"})["n"].to_pylist()
    [1.0, 2000.0]
    """
    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    for i, field in enumerate(table.schema):
        kind = types.get(kinds.get(field.name, "text"))
        if kind is not None:
            table = table.set_column(i, field.with_type(kind), table[i].cast(kind))
    return table


def _rows(file: TableFile) -> Iterator[_Row]:
    """Yield each row."""
    if file.format == "json":
        with open_text(file) as stream:
            first = _first_character(stream)
            if first == "[":
                yield from _elements(file, stream)
                return
            whole = _whole_object(stream) if first == "{" else None
        if whole is not None:
            yield from _held(whole)
            return
    with open_text(file) as stream:
        yield from _lines(file, stream)


def _lines(file: TableFile, stream: IO[str]) -> Iterator[_Row]:
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_CHARS), ""), 1):
        if len(line) == MAX_LINE_CHARS:
            msg = f"{file.path}: a line is longer than {MAX_LINE_CHARS} characters"
            raise FileError(msg)
        text = line.strip()
        if text:
            yield _object(text), number, text


def _object(text: str) -> dict[str, Any] | str:
    try:
        row = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {str(error)[:80]}"
    return _row_of(row, text)


def _row_of(value: Any, text: str) -> dict[str, Any] | str:
    """Return a value as a row, or why it is none."""
    if not isinstance(value, dict):
        return f"{_name(value)}, expected an object"
    if text.count("{") + text.count("[") > _MAX_NESTING and _is_deep(value):
        return f"nested deeper than {_MAX_NESTING} levels"
    return value


def _is_deep(row: dict[str, Any]) -> bool:
    level: list[Any] = [row]
    for _ in range(_MAX_NESTING):
        inside = (one for v in level for one in (v.values() if isinstance(v, dict) else v))
        level = [one for one in inside if isinstance(one, dict | list)]
    return bool(level)


def _name(value: object) -> str:
    return "number" if isinstance(value, _Written) else type(value).__name__


def _first_character(stream: IO[str]) -> str:
    """Read up to the first character that is no space and return it; '' at the end."""
    first = " "
    while first.isspace():
        first = stream.read(1)
    return first


def _whole_object(stream: IO[str]) -> dict[str, Any] | None:
    """Read one object whose brace was read; None where more follows, or it is none, or too much."""
    text = "{" + stream.read(_CHUNK_CHARS)
    try:
        _, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        end = len(text)
    if text[end:].strip():
        return None
    text += stream.read(MAX_LINE_CHARS)
    try:
        whole = dict(_DECODER.decode(text)) if len(text) <= MAX_LINE_CHARS else None
    except (ValueError, RecursionError):
        return None
    return None if whole is None or _is_deep(whole) else whole


def _held(whole: dict[str, Any]) -> Iterator[_Row]:
    """Yield the rows that an object holds: under one key, or each under its id; else itself."""
    values = list(whole.values())
    lists = [value for value in values if isinstance(value, list) and value]
    tabled = [value for value in lists if all(isinstance(one, dict) for one in value)]
    deeper = any(
        isinstance(one, list) for v in values if isinstance(v, dict) for _, one in _leaves(v)
    )
    roles = [axis_of(f"{key} lat") for key in whole]  # "prediction" and "truth" are no ids
    named = any(axis_of(key) or squeeze(key) in ROW_NAMES for key in whole)
    keyed = not named and len(whole) > 1 and all(r is None or r[1] == "plain" for r in roles)
    rows: list[dict[str, Any]] = [whole]
    if not named and len(lists) == len(tabled) == 1 and not deeper:
        rows = tabled[0]
    elif keyed and all(isinstance(one, dict) for one in values):
        rows = [{"id": key, **one} for key, one in whole.items()]
    elif keyed and all(isinstance(v, list) and len(v) == 2 for v in values):
        rows = [{"id": key, "prediction": pair} for key, pair in whole.items()]
    for number, row in enumerate(rows, 1):
        yield row, number, _text(row)


def _elements(file: TableFile, stream: IO[str]) -> Iterator[_Row]:
    """Yield the elements of an array whose bracket was read, holding one of them at a time."""
    text, at, more, number = "", 0, True, 0
    while True:
        at = _skip(text, at)
        if at < len(text) and text[at] == "]":
            return
        try:
            row, end = _DECODER.raw_decode(text, at)
            whole = end < len(text) or not more  # a number at the end may go on
        except (ValueError, RecursionError) as error:
            whole = False
            if not more or len(text) - at > MAX_LINE_CHARS:
                msg = f"{file.path}: the array breaks off or is not JSON: {str(error)[:80]}"
                raise FileError(msg) from error
        if whole:
            number += 1
            yield _row_of(row, text[at:end]), number, text[at:end]
            text, at = text[end:], 0
        else:
            chunk = stream.read(max(_CHUNK_CHARS, len(text)))
            text, at, more = text[at:] + chunk, 0, bool(chunk)


def _skip(text: str, at: int) -> int:
    """Return where the next element begins, past white space and commas."""
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _leaves(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        while key in _WRAPPERS and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict) and depth < MAX_DEPTH:
            yield from _leaves(value, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, value


def _flat(row: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        name: value if value is None or isinstance(value, str) else _text(value)
        for name, value in _leaves(row)
    }


def _text(value: Any) -> str:
    """Return a value as JSON, numbers as they were written."""
    if isinstance(value, _Written):
        return str(value)
    if isinstance(value, dict):
        inside = (f"{json.dumps(k, ensure_ascii=False)}: {_text(v)}" for k, v in value.items())
        return f"{{{', '.join(inside)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _kind(value: Any) -> str:
    """Return the kind of a value, '' for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, _Written):
        digits = value.removeprefix("-")
        if not digits.isdigit():
            return "number"
        return "integer" if len(digits) <= _MAX_INTEGER_DIGITS else "text"
    return "text"


def _encodable(value: str | None) -> str | None:
    # a lone surrogate, legal in JSON, has no UTF-8
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()
