"""The recipe ``split``: train, validation and test that share no photographer and no place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.cor import attach
from geodata.datasets.recipes.sampling import (
    CELL,
    Made,
    Mask,
    cells_of,
    has_cells,
    left_out,
    need_plain,
    usable_points,
    where,
)
from geodata.hashing import seeded
from geodata.tables import DatasetError, Input

SPLITS = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST, _NONE = range(4)
_CELL_RESOLUTION = 5

_Cells = NDArray[np.int64]
_Splits = NDArray[np.int8]


def split(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    validation: float = 0.05,
    test: float = 0.05,
    resolution: int = 3,
    buffer: int = 1,
    least: float = 0.5,
) -> Made:
    """Divide the rows by place and photographer; those that would leak are left out, counted.

    1. H3 cells of ``resolution`` are shuffled with the seed and dealt out until the shares of
       rows are reached: a cell is wholly in one split.
    2. A photographer's rows stay where most of them are; the others are left out.
    3. Rows whose cell of resolution 5 (about 9 km) is within ``buffer`` steps of a test row's
       cell are left out unless they are test rows, then the same for validation.

    So validation and test end up smaller than asked, the more so the more photographers travel;
    the report counts what was left out for each reason and how full each part became. A part
    that misses its share by too much is refused: a test of 0.01% where 10% was asked for would
    pass for what it is not.

    The column ``split`` holds ``train``, ``validation`` or ``test``.

    Parameters
    ----------
    validation, test
        Shares of the rows, before any are left out.
    resolution
        0 (coarse) to 5. Coarser cells leave out fewer rows and divide the world less evenly.
    buffer
        Steps, 0 for none.
    least
        A part must hold this share of the rows that were asked for it, from 0 (any) to 1.
    """
    rows = inputs["rows"]
    _check(validation, test, resolution, buffer, least)
    valid, usable, cell, author = _read(rows)
    found, at = np.unique(cell, return_inverse=True)
    blocks = _dealt(found, np.bincount(at, minlength=len(found)), seed, resolution,
                    validation, test)  # fmt: skip
    part = blocks[at]
    foreign = _away_from_home(part, author)
    part[foreign] = _NONE
    near = _near_others(found, at, part, buffer)
    part[near] = _NONE
    part_of_row = np.full(len(usable), _NONE, np.int8)
    part_of_row[usable] = part
    counts = np.bincount(part_of_row, minlength=4)
    report: dict[str, Any] = {
        **left_out(valid, usable),
        "photographer_at_home_in_another_split": int(foreign.sum()),
        "near_another_split": int(near.sum()),
        "without_photographer": int((author < 0).sum()),
        "splits": {name: int(counts[i]) for i, name in enumerate(SPLITS)},
        "rows": int(counts[:3].sum()),
    }
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    report["parts"] = _filled(report["splits"], shares, int(usable.sum()))
    _check_all_filled(report, shares, least)
    schema = _named(rows.table.schema.empty_table(), part_of_row[:0]).schema
    return Made(schema, _with_split(rows, part_of_row), report["rows"], report)


def _check(validation: float, test: float, resolution: int, buffer: int, least: float) -> None:
    if not (validation >= 0 and test >= 0 and 0 < validation + test < 1):
        msg = (
            f"validation={validation!r} and test={test!r} must be shares from 0 whose sum is above "
            "0 and below 1, such as 0.05 each"
        )
        raise DatasetError(msg)
    if isinstance(resolution, bool) or resolution not in range(_CELL_RESOLUTION + 1):
        msg = f"resolution={resolution!r} must be an H3 resolution from 0 (coarse) to 5"
        raise DatasetError(msg)
    if isinstance(buffer, bool) or buffer not in range(101):
        msg = f"buffer={buffer!r} must be a number of steps from 0 to 100"
        raise DatasetError(msg)
    if isinstance(least, bool) or not 0 <= least <= 1:
        msg = f"least={least!r} must be a share from 0 to 1"
        raise DatasetError(msg)


def _read(rows: Input) -> tuple[Mask, Mask, _Cells, NDArray[np.int64]]:
    """Return valid and usable rows, and cell and photographer (-1: none) of the usable ones."""
    who = ["author"] if "author" in rows.columns else []
    need_plain(rows, *who)
    stored = [CELL] if CELL in rows.columns else []
    valid, usable, cells = [np.empty(0, bool)], [np.empty(0, bool)], [np.empty(0, np.int64)]
    authors: list[pa.Array] = []
    for points, fit, table in usable_points(rows, [*who, *stored]):
        valid.append(points.valid)
        usable.append(fit)
        kept = table.filter(pa.array(fit))
        if has_cells(kept) and not kept[CELL].null_count:
            cells.append(np.asarray(kept[CELL]).astype(np.int64))
        else:
            cells.append(cells_of(points.lat[fit], points.lon[fit], _CELL_RESOLUTION))
        nobody = [pa.nulls(len(kept), pa.string())]
        authors += kept["author"].cast(pa.string()).chunks if who else nobody
    words = pa.chunked_array(authors, pa.string()).dictionary_encode().unify_dictionaries()
    codes = [np.asarray(c.indices.fill_null(-1)).astype(np.int64) for c in words.chunks]
    author = np.concatenate([np.empty(0, np.int64), *codes])
    return np.concatenate(valid), np.concatenate(usable), np.concatenate(cells), author


def _dealt(
    found: _Cells,
    sizes: NDArray[np.int64],
    seed: int,
    resolution: int,
    validation: float,
    test: float,
) -> _Splits:
    """Return the split of each cell: blocks in shuffled order go to test, validation, train."""
    import h3ronpy

    if not len(found):
        return np.empty(0, np.int8)
    parents = pa.array(h3ronpy.change_resolution(found.view(np.uint64), resolution))
    block, at = np.unique(np.asarray(parents).astype(np.uint64), return_inverse=True)
    rows = np.bincount(at, weights=sizes)
    order = np.argsort(seeded(block, seed), kind="stable")
    middle = (np.cumsum(rows[order]) - rows[order] / 2) / rows.sum()
    dealt = np.full(len(block), _TRAIN, np.int8)
    dealt[order[middle < test + validation]] = _VALIDATION
    dealt[order[middle < test]] = _TEST
    return np.asarray(dealt[at])


def _away_from_home(part: _Splits, author: NDArray[np.int64]) -> Mask:
    """Return the rows that are not in the split where their photographer has most rows."""
    known = author >= 0
    counts = np.bincount(author[known] * 3 + part[known], minlength=3 * (author.max(initial=0) + 1))
    home = counts.reshape(-1, 3).argmax(axis=1)  # train where it is a tie
    return np.asarray(known & (home[author] != part))


def _near_others(found: _Cells, at: _Cells, part: _Splits, buffer: int) -> Mask:
    """Return rows of train near validation or test, and of validation near test."""
    import h3ronpy

    near = np.zeros(len(at), bool)
    if not buffer:
        return near
    for guarded in (_TEST, _VALIDATION):
        cells = np.unique(found[at[(part == guarded) & ~near]])
        if len(cells):
            disk = pa.array(h3ronpy.grid_disk(cells.view(np.uint64), buffer, flatten=True))
            around = np.isin(found, np.asarray(disk).astype(np.uint64).view(np.int64))
            near |= around[at] & (part < guarded)
    return near


def _filled(
    rows: Mapping[str, int], shares: Mapping[str, float], usable: int
) -> list[dict[str, Any]]:
    """Return how full each part became: rows asked for and there, and their share of all."""
    return [
        {
            "part": name,
            "asked": round(share * usable),
            "rows": rows[name],
            "share_asked": round(share, 6),
            "share": round(rows[name] / max(usable, 1), 6),
        }
        for name, share in shares.items()
    ]


def _check_all_filled(report: Mapping[str, Any], shares: Mapping[str, float], least: float) -> None:
    asked = [part for part in report["parts"] if shares[part["part"]]]
    for part in asked:
        name, rows = part["part"], part["rows"]
        missed = rows < least * part["asked"] or not rows
        if report["rows"] and missed:
            left = f"only {rows:,} rows are" if rows else "no row is"
            msg = (
                f"{left} left for {name!r}, {part['share']:.2%} of the usable rows where "
                f"{part['share_asked']:.2%} was asked for: of {report['rows_in']:,} rows "
                f"{report['photographer_at_home_in_another_split']:,} were left out as their "
                f"photographer is at home in another split and {report['near_another_split']:,} "
                "as they are near another split; raise its share, choose another seed, a finer "
                f"resolution or a smaller buffer{_insisting(asked)}"
            )
            raise DatasetError(msg)


def _insisting(parts: list[dict[str, Any]]) -> str:
    """Return how to take the parts as they are; not where one is empty."""
    enough = min(part["rows"] * 100 // max(part["asked"], 1) / 100 for part in parts)
    if not all(part["rows"] for part in parts):
        return ""
    return f", or accept all parts as they are with least={enough:g} (--least {enough:g})"


def _with_split(rows: Input, part_of_row: _Splits) -> Iterator[pa.Table]:
    keep = part_of_row != _NONE
    kept, done = part_of_row[keep], 0
    for table in where(rows, keep):
        yield _named(table, kept[done : done + table.num_rows])
        done += table.num_rows


def _named(table: pa.Table, parts: _Splits) -> pa.Table:
    names = pa.array(SPLITS, pa.string()).take(pa.array(parts))
    return attach(table, pa.table({"split": names}))
