"""Recipes ``join`` and ``annotate``: what other rows say of a photo, once or by several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import query
from geodata.cor import attach
from geodata.datasets.recipes.sampling import ID, Made, need_plain
from geodata.tables import DatasetError, Input

HOW = ("left", "inner")
BY = "by"
"""Name of who gave an answer, in each answer."""


def join(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    on: str = ID,
    columns: Sequence[str] | str | None = None,
    prefix: str | None = None,
    how: str = "left",
) -> Made:
    """Add columns of another table or file to the rows that have the same id.

    Parameters
    ----------
    on
        Column that both have; ids are compared as text. The other side has each id once: where it
        has several rows for a photo, `annotate` keeps them all.
    columns
        Of the other side; all but ``on`` if left out.
    prefix
        Of the new names, where the rows have those names already.
    how
        ``left`` keeps a row without a partner, with NULLs; ``inner`` leaves it out.
    """
    rows, other = inputs["rows"], inputs["other"]
    need_plain(rows, on)
    if how not in HOW:
        msg = f"how={how!r} is not known; expected {' or '.join(HOW)}"
        raise DatasetError(msg)
    names = _wanted(other, on, columns)
    found = query.typed_rows(other.source, [on, *names])
    keys = _text(found[on])
    _refuse_repeated(other, keys, on)
    added = found.select(names).rename_columns([f"{prefix or ''}{name}" for name in names])
    _refuse_taken(rows, added.column_names)
    places = [_places(_text(t[on]), keys) for t in rows.batches([on])]
    place = np.concatenate([np.empty(0, np.int64), *places])
    kept = place >= 0 if how == "inner" else np.ones(len(place), bool)
    report = {
        "rows_in": len(place),
        "with_a_partner": int((place >= 0).sum()),
        "without_a_partner": int((place < 0).sum()),
        "rows_of_the_other_side_unused": len(keys) - len(np.unique(place[place >= 0])),
        "rows": int(kept.sum()),
    }

    def batches() -> Iterator[pa.Table]:
        start = 0
        for table in rows.batches():
            at, keep = (a[start : start + table.num_rows] for a in (place, kept))
            start += table.num_rows
            if keep.any():
                yield _beside(table.filter(pa.array(keep)), added, at[keep])

    schema = _beside(rows.table.schema.empty_table(), added, np.empty(0, np.int64)).schema
    why = f"no {on} of {rows.label} is in {other.label}"
    return Made(schema, batches(), report["rows"], report, why)


def annotate(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    on: str = ID,
    by: str | None = None,
    values: Sequence[str] | str | None = None,
    column: str = "answers",
) -> Made:
    """Give each row the list of all that others said of it, with who said it.

    The new column is a list of structs: ``by``, then the values; empty where nobody said
    anything. Answers are sorted by who gave them, those of one in the order they came.

    Parameters
    ----------
    on
        Column of the photo's id on both sides, compared as text.
    by
        Column of the answers that says who gave one, a model or a person; if left out, all are of
        one, who is called like the table or file.
    values
        Columns of the answers to keep; all others if left out.
    column
        Name of the new column.
    """
    rows, given = inputs["rows"], inputs["annotations"]
    need_plain(rows, on)
    need_plain(given, *([by] if by else []))
    names = [n for n in _wanted(given, on, values) if values is not None or n != by]
    _refuse_twice(given, names)
    found = query.typed_rows(given.source, list(dict.fromkeys([on, *([by] if by else []), *names])))
    _refuse_taken(rows, [column])
    who = _text(found[by]) if by else pa.repeat(given.label.split("@")[0], found.num_rows)
    answers = _Answers(_text(found[on]), pa.array(who, pa.string()), found.select(names))
    sizes = [answers.counts(_text(t[on])) for t in rows.batches([on])]
    size = np.concatenate([np.empty(0, np.int64), *sizes])
    report = {
        "rows_in": len(size),
        "answers": found.num_rows,
        "answers_given": int(size.sum()),
        "answers_of_no_row": answers.unused([_text(t[on]) for t in rows.batches([on])]),
        "by": {str(k): v for k, v in sorted(answers.givers().items())[:100]},
        "rows_without_an_answer": int((size == 0).sum()),
        "rows": len(size),
    }

    def made(table: pa.Table) -> pa.Table:
        return attach(table, pa.table({column: answers.lists(_text(table[on]))}))

    schema = made(rows.table.schema.empty_table()).schema
    return Made(schema, map(made, rows.batches()), len(size), report)


class _Answers:
    """Answers in the order of the ids they are about, and of who gave them."""

    def __init__(self, ids: pa.Array, who: pa.Array, values: pa.Table) -> None:
        words = ids.dictionary_encode()
        code = np.asarray(words.indices.fill_null(-1)).astype(np.int64)
        rank = np.asarray(pc.rank(who, tiebreaker="min")).astype(np.int64)
        order = np.lexsort([np.arange(len(code)), rank, code])
        order = order[code[order] >= 0]
        self._ids = words.dictionary
        self._counts = np.bincount(code[order], minlength=len(self._ids))
        self._starts = np.cumsum(self._counts) - self._counts
        columns = [who, *map(_whole, values.columns)]
        fields = [BY, *values.column_names]
        self._structs = pa.StructArray.from_arrays(columns, fields).take(pa.array(order))
        self._who = who

    def givers(self) -> dict[str, int]:
        return {str(v["values"]): v["counts"] for v in pc.value_counts(self._who).to_pylist()}

    def _find(self, ids: pa.Array) -> NDArray[np.int64]:
        return _places(ids, self._ids)

    def counts(self, ids: pa.Array) -> NDArray[np.int64]:
        """Return how many answers there are of each photo, shape (n,)."""
        at = self._find(ids)
        out = np.zeros(len(at), np.int64)
        out[at >= 0] = self._counts[at[at >= 0]]
        return out

    def unused(self, ids: Sequence[pa.Array]) -> int:
        """Return how many answers are of none of the photos."""
        used = np.zeros(len(self._ids), bool)
        for part in ids:
            at = self._find(part)
            used[at[at >= 0]] = True
        return len(self._who) - int(self._counts[used].sum())

    def lists(self, ids: pa.Array) -> pa.Array:
        """Return the answers of each photo, shape (n,)."""
        at, counts = self._find(ids), self.counts(ids)
        ends = np.cumsum(counts)
        starts = np.zeros(len(at), np.int64)
        starts[at >= 0] = self._starts[at[at >= 0]]
        index = np.arange(int(counts.sum())) + np.repeat(starts - (ends - counts), counts)
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        picked = self._structs.take(pa.array(index, pa.int64()))
        return pa.ListArray.from_arrays(pa.array(offsets), picked)


def _wanted(other: Input, on: str, columns: Sequence[str] | str | None) -> list[str]:
    if columns is None:
        names = [name for name in other.columns if name != on]
    elif isinstance(columns, str):
        names = [name.strip() for name in columns.split(",")]
    else:
        names = list(columns)
    need_plain(other, on)
    other.need(*names)
    if not names:
        msg = f"{other.label} has no column but {on!r}, so there is nothing to add"
        raise DatasetError(msg)
    return names


def _refuse_taken(rows: Input, names: Sequence[str]) -> None:
    held = {name.lower(): name for name in rows.columns}
    taken = [held[name.lower()] for name in names if name.lower() in held]
    if taken:
        msg = (
            f"{rows.label} has a column {taken[0]!r} already; choose columns=, or another name "
            "(prefix= of join, column= of annotate)"
        )
        raise DatasetError(msg)


def _refuse_twice(given: Input, names: Sequence[str]) -> None:
    """Check that no two values of an answer have one name to SQL; ``by`` is one of them."""
    seen = [BY, *(name.lower() for name in names)]
    twice = [name for i, name in enumerate(names, 1) if name.lower() in seen[:i]]
    if twice:
        msg = (
            f"{given.label}: an answer would hold {twice[0]!r} twice, as {BY!r} is who gave it and "
            "case does not tell names apart; choose values= (--values), or say with by= (--by) "
            "which column tells who gave an answer"
        )
        raise DatasetError(msg)


def _refuse_repeated(other: Input, keys: pa.Array, on: str) -> None:
    counts = pc.value_counts(keys.drop_null())
    several = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
    if len(several):
        first = several[0].as_py()
        msg = (
            f"{other.label}: {len(several):,} values of {on!r} occur several times, such as "
            f"{first['values']!r} {first['counts']} times; keep one of each (dedupe), or keep "
            "them all as a list with the recipe annotate"
        )
        raise DatasetError(msg)


def _text(column: pa.ChunkedArray) -> pa.Array:
    return _whole(column.cast(pa.string()))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole


def _places(keys: pa.Array, known: pa.Array) -> NDArray[np.int64]:
    """Return where each key is among those known, -1 for none and for NULL."""
    found = pc.if_else(pc.is_valid(keys), pc.index_in(keys, known), None)
    return np.asarray(pc.fill_null(found, -1)).astype(np.int64)


def _beside(table: pa.Table, added: pa.Table, at: NDArray[np.int64]) -> pa.Table:
    index = pa.array(at, pa.int64(), mask=at < 0)
    return attach(table, added.take(index))
