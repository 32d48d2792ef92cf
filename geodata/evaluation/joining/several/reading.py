"""Read files that hold several answers a photo: K rows, K column pairs, or a list in a cell.

One answer a photo, the first, goes on as any prediction does; all of them are kept beside it as
flat arrays, 16 bytes an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from geodata import coords
from geodata.evaluation.joining import sides
from geodata.evaluation.joining.several.confidences import confidence_column
from geodata.evaluation.joining.several.lists import list_columns, read_lists
from geodata.evaluation.joining.several.numbered import numbered_confidences, numbered_pairs
from geodata.evaluation.joining.sides import Predictions, as_floats, check_rows
from geodata.files import Role, Source, find_named, find_pair, given, id_text, source_of
from geodata.tables import open_rows

Layout = Literal["auto", "rows", "columns", "list", "none"]

RANK_NAMES = (
    *("rank", "candidaterank", "candidate", "candidateid", "candidateindex", "sampleindex"),
    *("sampleidx", "attempt", "trial", "beam", "topk"),
)
"""Usual names of the column that orders the answers of one photo, squeezed."""

REPEATED_SHARE = 0.8
"""From this share of ids with several rows on, repeated ids are several answers a photo."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Several(NamedTuple):
    """The answers of n photos, one after another, the first of each photo first."""

    start: Ints
    """Answers ``start[i]`` to ``start[i + 1]`` are those of photo i, shape (n + 1,)."""
    lat: Floats
    """Degrees, NaN where an answer is no place."""
    lon: Floats
    confidence: Floats | None
    """NaN where an answer has none; None where no answer has one."""

    @property
    def counts(self) -> Ints:
        """Answers of each photo, shape (n,)."""
        return np.diff(self.start)

    def owners(self) -> Ints:
        """Return the photo of each answer, shape (answers,)."""
        return np.repeat(np.arange(len(self.start) - 1), self.counts)

    def take(self, photos: ArrayLike) -> Several:
        """Return the answers of photos in another order; -1 is a photo without answers.

        Examples
        --------
        >>> found = Several(np.array([0, 2, 3]), np.arange(3.0), np.zeros(3), None)
        >>> again = found.take([1, -1, 0])
        >>> again.start.tolist(), again.lat.tolist()
        ([0, 1, 1, 3], [2.0, 0.0, 1.0])
        """
        at = np.asarray(photos, np.int64)
        counts = np.where(at >= 0, self.counts[at], 0) if len(self.counts) else np.zeros_like(at)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = np.arange(start[-1]) - np.repeat(start[:-1] - self.start[at], counts)
        sure = None if self.confidence is None else self.confidence[rows]
        return Several(start, self.lat[rows], self.lon[rows], sure)


@dataclass(frozen=True)
class Opened:
    """Predictions, and all answers where there are several a photo."""

    predictions: Predictions
    several: Several | None = None
    """A photo is a row of the predictions."""
    layout: str = "none"
    asked: bool = False
    """Whether the caller said that the file holds them so."""


def open_answers(
    source: Any,
    *,
    candidates: Layout = "auto",
    rank: str | None = None,
    with_truth: bool = False,
    confidence: str | None = None,
    encoding: str | None = None,
    **columns: Any,
) -> Opened:
    """Open predictions that may hold several answers a photo.

    Parameters
    ----------
    source, with_truth, encoding, **columns
        As in `read_predictions`.
    candidates
        How the file holds several answers. 'auto': column pairs and lists by their names, and
        rows if a column orders them; 'none': one answer a row.
    rank
        Column that orders the rows of one photo, the first lowest; by its usual names if None.
    confidence
        Column of a row's confidence; by its usual names if None.

    Raises
    ------
    ValueError
        For another ``candidates``, or where the columns or lists that it names are not there.

    Examples
    --------
    >>> table = {"id": ["a"], "lat_1": [1.0], "lon_1": [2.0], "lat_2": [3.0], "lon_2": [4.0]}
    >>> found = open_answers(table)
    >>> found.layout, found.several.lat.tolist()
    ('columns', [1.0, 3.0])
    """
    if candidates not in get_args(Layout):
        msg = f"candidates={candidates!r} is unknown; choose {', '.join(get_args(Layout))}"
        raise ValueError(msg)
    if isinstance(source, Predictions):
        rows, opened = source.source, source
    else:
        rows = open_rows(source, what="predictions", encoding=encoding)
        opened = None
        told = any(columns.get(name) for name in ("lat", "text", "distance_column"))
        names = None if told else list(rows.columns)
        if names and candidates in ("auto", "columns") and len(numbered_pairs(names)) > 1:
            return replace(_of_columns(rows, with_truth, columns), asked=candidates == "columns")
        if names and candidates in ("auto", "list") and (found := list_columns(rows)):
            return replace(_of_lists(rows, found, with_truth, columns), asked=candidates == "list")
        if candidates in ("columns", "list"):
            why = "; columns that are named for the answer hold one a row" if told else ""
            msg = f"{rows.name}: found no {candidates} of several answers among {[*rows.columns]}"
            raise ValueError(msg + why)
    opened = opened or sides.read_predictions(rows, with_truth=with_truth, **columns)
    if opened.distance is not None:
        return Opened(opened)  # several answers a photo are told apart by their coordinates
    order = given(rank, rows.columns, "rank", rows.name)
    order = order or find_named(rows.columns, RANK_NAMES, "rank", rows.name)
    if candidates == "rows" or (candidates == "auto" and order is not None):
        rowwise = of_rows(opened, rank=order, confidence=confidence) or Opened(opened)
        return replace(rowwise, asked=candidates == "rows")
    return Opened(opened)


def of_rows(
    predictions: Predictions,
    *,
    rank: str | None = None,
    confidence: str | None = None,
    least: float = 0.0,
) -> Opened | None:
    """Take rows with one id as the answers of one photo; None where ids (nearly) all differ.

    Parameters
    ----------
    predictions
    rank
        Column that orders them; the order of the file if None.
    confidence
        Column of their confidence; by its usual names if None.
    least
        Smallest share of ids that must have several rows.
    """
    source, columns = predictions.source, predictions.columns
    if columns.id is None:
        return None
    sure_name = confidence_column(predictions, confidence)
    tables, lat, lon, sure, ranks = [], [], [], [], []
    for batch in source.batches():
        rows = check_rows(batch, columns)
        tables.append(batch.table)
        lat.append(rows.lat)
        lon.append(rows.lon)
        if sure_name:
            sure.append(as_floats(batch.table.column(sure_name)))
        if rank:
            ranks.append(as_floats(batch.table.column(rank)))
    if not tables:
        return None
    table = pa.concat_tables(tables, promote_options="permissive")
    codes = _codes(id_text(table.column(columns.id)))
    counts = np.bincount(codes)
    if counts.max() < 2 or np.mean(counts > 1) < least:
        return None
    keys = (np.arange(len(codes)), np.concatenate(ranks), codes) if rank else (codes,)
    order = np.lexsort(keys) if rank else np.argsort(codes, kind="stable")
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    y, x = np.concatenate(lat)[order], np.concatenate(lon)[order]
    several = Several(start, y, x, np.concatenate(sure)[order] if sure else None)
    flat = _named(source, table.take(pa.array(order[start[:-1]])))
    single = Predictions(flat, columns, predictions.checked_text)
    return Opened(single, several, "rows")


def _codes(ids: Any) -> Ints:
    """Return a number for each id by first appearance; a row without an id is its own photo."""
    whole = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    encoded = whole.dictionary_encode()
    codes = np.array(encoded.indices.fill_null(-1), np.int64)
    lost = np.flatnonzero(codes < 0)
    codes[lost] = len(encoded.dictionary) + np.arange(len(lost))
    return codes


def _of_columns(source: Source, with_truth: bool, columns: dict[str, Any]) -> Opened:
    pairs = numbered_pairs(source.columns)
    confidences = numbered_confidences(source.columns, len(pairs))
    lat: list[list[Floats]] = []
    lon: list[list[Floats]] = []
    sure: list[list[Floats]] = []
    for batch in source.batches([name for pair in pairs for name in pair] + confidences):
        found = [
            coords.arrays(as_floats(batch.table.column(y)), as_floats(batch.table.column(x)))
            for y, x in pairs
        ]
        lat.append([np.where(one.valid, one.lat, np.nan) for one in found])
        lon.append([np.where(one.valid, one.lon, np.nan) for one in found])
        sure.append([as_floats(batch.table.column(name)) for name in confidences])
    flat = [_interleaved(parts) for parts in (lat, lon, sure)]
    rows = len(flat[0]) // len(pairs)
    roles: tuple[Role, ...] = ("pred",) if with_truth else ("pred", "plain")
    numbered = {name for pair in pairs for name in pair}
    others = [name for name in source.columns if name not in numbered]
    lat_1, lon_1 = find_pair(others, roles, source.name) or pairs[0]
    names = {**columns, "lat": lat_1, "lon": lon_1}
    opened = sides.read_predictions(source, **names, with_truth=with_truth)
    several = Several(
        np.arange(rows + 1, dtype=np.int64) * len(pairs),
        flat[0],
        flat[1],
        flat[2] if confidences else None,
    )
    return Opened(opened, _without_blanks(several), "columns")


def _interleaved(parts: Sequence[Sequence[Floats]]) -> Floats:
    """Return columns of batches as one array, row by row."""
    rows = [np.stack(part, axis=1).ravel() for part in parts if len(part)]
    return np.concatenate(rows) if rows else np.empty(0)


def _without_blanks(several: Several) -> Several:
    """Leave out answers after the first that are no place: a photo then has fewer."""
    keep = ~np.isnan(several.lat)
    keep[several.start[:-1]] = True
    counts = np.bincount(several.owners(), keep, len(several.start) - 1).astype(np.int64)
    sure = None if several.confidence is None else several.confidence[keep]
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Several(start, several.lat[keep], several.lon[keep], sure)


def _of_lists(
    source: Source, found: Sequence[str], with_truth: bool, columns: dict[str, Any]
) -> Opened:
    """Read lists of answers; the first of each goes on in columns of its own."""
    rest = [name for name in source.columns if name not in found]
    table, parts = read_lists(source, found, rest)
    several = Several(*parts)
    head = np.where(several.counts > 0, several.start[:-1], -1)
    for name, values in (("pred_lat", several.lat), ("pred_lon", several.lon)):
        first = np.full(len(head), np.nan)
        first[head >= 0] = values[head[head >= 0]]
        table = table.append_column(name, pa.array(first, mask=np.isnan(first)))
    names = {**columns, "lat": "pred_lat", "lon": "pred_lon"}
    flat = _named(source, table)
    opened = sides.read_predictions(flat, **names, with_truth=with_truth)
    return Opened(opened, several, "list")


def _named(source: Source, table: pa.Table) -> Source:
    """Return a table in memory that is known by the file it was made of."""
    return replace(source_of(table, source.name), reference=source.identity())
