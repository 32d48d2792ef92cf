"""Recipes ``popular`` and ``hard``: where a base model is right, and rows far from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import popular as regions, sphere
from geodata.cor import attach
from geodata.datasets.recipes.sampling import (
    ID,
    Keys,
    Made,
    Mask,
    cells_of,
    check_count,
    chosen,
    left_out,
    need_plain,
    smallest,
    usable_points,
    where,
)
from geodata.files import Columns, Source
from geodata.hashing import sampling_keys
from geodata.popular import check_radius
from geodata.tables import DatasetError, Input

RADII_KM = (1.0, 25.0, 200.0)
"""What "localizes correctly" may mean; each is counted, as the paper leaves it open."""

_STEP = 1 << 18

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Points:
    """Coordinates, what can be used, and sampling keys of every row, each of shape (rows,)."""

    lat: _Floats
    lon: _Floats
    valid: Mask
    usable: Mask
    key: Keys

    @classmethod
    def joined(cls, parts: list[tuple[Any, ...]]) -> _Points:
        kinds = (np.float64, np.float64, bool, bool, np.uint64)
        return cls(*(np.concatenate([np.empty(0, kind), *(p[i] for p in parts)])
                     for i, kind in enumerate(kinds)))  # fmt: skip


def popular(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    radius_km: float = 25.0,
    thin: int | None = None,
    n: int | None = None,
    exclude_km: float = 200.0,
) -> Made:
    """Choose the rows that a base model localizes: its answer lies within ``radius_km``.

    The rows carry the answer, ``pred_lat`` and ``pred_lon``, and its distance ``error_km``.

    Parameters
    ----------
    radius_km
        What counts as localized; an answer exactly at it does.
    thin
        H3 resolution, 0 to 15: at most one row a cell stays. None keeps all.
    n
        Rows to choose at random from those; Geo-R has 100,000.
    exclude_km
        Radius of the hard set whose size the report gives for each meaning of "localized".
    """
    rows = inputs["rows"]
    need_plain(rows, ID)
    radius, exclude = check_radius(radius_km), check_radius(exclude_km)
    found = _localized(rows, inputs["predictions"], seed)
    right = found.within(radius)
    keep = found.rows(right if thin is None else _first_of_cell(found, right, thin))
    what = f"of {rows.label} are localized within {radius:g} km"
    if thin is not None:
        what += f" and first in their cell of resolution {thin}"
    keep = smallest(rows, found.key, keep, check_count(n, int(keep.sum()), what), seed)
    report = {
        **left_out(found.valid, found.usable),
        "with_prediction": int(np.isfinite(found.pred_lat).sum()),
        "localized": int(right.sum()),
        "if_localized_means": [
            _hard_set_size(found, r, exclude) for r in sorted({*RADII_KM, radius})
        ],
        "rows": int(keep.sum()),
    }
    answers = _answers(found, keep)
    schema = attach(rows.table.schema.empty_table(), answers.slice(0, 0)).schema
    batches = _rows_with_answers(rows, keep, answers)
    empty = f"no prediction is within {radius:g} km of its photo"
    return Made(schema, batches, int(keep.sum()), report, empty)


def hard(
    inputs: Mapping[str, Input], seed: int, *, radius_km: float = 200.0, n: int | None = None
) -> Made:
    """Choose rows farther than ``radius_km`` from every popular point, as Geo-R's MP16-Hard.

    Parameters
    ----------
    radius_km
        A row exactly at it is too near.
    n
        Rows to choose at random from those; Geo-R has 200,000. None keeps all.
    """
    rows, places = inputs["rows"], inputs["popular"]
    rows.need(ID)
    found = _points(rows, seed)
    y, x = _places(places)
    near = regions.within_km(found.lat, found.lon, y, x, check_radius(radius_km))
    far = found.usable & ~near
    report: dict[str, Any] = {
        **left_out(found.valid, found.usable),
        "popular_points": len(y),
        "near_a_popular_point": int((near & found.usable).sum()),
        "far_from_all": int(far.sum()),
    }
    empty = (
        f"every row is within {radius_km:g} km of a popular point: radius or popular set too large?"
        if found.usable.any()
        else f"no row of {rows.label} has valid coordinates and status ok"
    )
    what = f"of {rows.label} are farther than {radius_km:g} km from every popular point"
    count = check_count(n, int(far.sum()), what)
    keep = smallest(rows, found.key, far, count, seed)
    return chosen(rows, keep, {**report, "rows": count}, empty=empty)


def _points(rows: Input, seed: int) -> _Points:
    parts = [(*points, fit, sampling_keys(t, seed)) for points, fit, t in usable_points(rows, [ID])]
    return _Points.joined(parts)


def _places(places: Input) -> tuple[_Floats, _Floats]:
    parts = [points for points, _ in places.points()]
    bad = sum(int((~p.valid).sum()) for p in parts)
    if bad:
        msg = (
            f"{places.label}: {bad} of its rows have no valid coordinates; "
            "every popular point must be a place: drop these rows"
        )
        raise DatasetError(msg)
    if not sum(len(p.lat) for p in parts):
        msg = f"{places.label} has no rows; without popular points every row would be hard"
        raise DatasetError(msg)
    return np.concatenate([p.lat for p in parts]), np.concatenate([p.lon for p in parts])


@dataclass(frozen=True)
class _Localized:
    """The usable rows beside their predictions; NaN, only here, where there is none."""

    valid: Mask
    usable: Mask
    key: Keys
    """Of every row, shape (rows,)."""
    lat: _Floats
    lon: _Floats
    pred_lat: _Floats
    pred_lon: _Floats
    """Of the usable rows, shape (usable,)."""
    a: _Floats
    """How far apart they are, as `sphere.haversine_a` has it, shape (usable,)."""

    def within(self, radius_km: float) -> Mask:
        """Return which usable rows have a prediction at most ``radius_km`` away, (usable,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.a <= sphere.threshold_a(radius_km))

    def rows(self, among: Mask) -> Mask:
        """Return a mask of the usable rows as one of all rows."""
        out = self.usable.copy()
        out[self.usable] = among
        return out


def _localized(rows: Input, predictions: Input, seed: int) -> _Localized:
    valid, usable, keys = [np.empty(0, bool)], [np.empty(0, bool)], [np.empty(0, np.uint64)]
    for points, fit, table in usable_points(rows, [ID]):
        valid.append(points.valid)
        usable.append(fit)
        keys.append(sampling_keys(table, seed))
    lat, lon, y, x = _joined(predictions, rows, sum(int(fit.sum()) for fit in usable))
    step = range(0, len(lat), _STEP)  # whole columns would be copied a dozen times
    apart = [sphere.haversine_a(*(c[i : i + _STEP] for c in (lat, lon, y, x))) for i in step]
    a = np.concatenate([np.empty(0), *apart])
    key = np.concatenate(keys)
    return _Localized(np.concatenate(valid), np.concatenate(usable), key, lat, lon, y, x, a)


def _joined(predictions: Input, rows: Input, count: int) -> tuple[_Floats, ...]:
    """Return lat and lon of each usable row and of its prediction, NaN where there is none."""
    from geodata.evaluation.joining import Truth, join, read_predictions

    if not count:
        return (np.empty(0),) * 4
    truth = Truth(_usable_rows(rows), Columns("id", "lat", "lon"), ())
    joined = join(read_predictions(predictions.source), truth)
    at = np.arange(count) if joined.matched is None else joined.matched
    if not (at >= 0).any():
        (first,) = joined.ids_at(np.zeros(1, np.int64))
        msg = (
            f"no id of {predictions.label} is a {ID} of {rows.label}, whose first is {first!r}; "
            "predict the photos of that table, or name the columns by their usual names"
        )
        raise DatasetError(msg)
    y, x = (np.where(at >= 0, c[at], np.nan) for c in (joined.pred_lat, joined.pred_lon))
    return joined.lat, joined.lon, y, x


def _usable_rows(rows: Input) -> Source:
    """Return ids and places of the usable rows, read anew each time: ids are long."""

    def stream(names: Sequence[str] | None, _: int) -> Iterator[pa.Table]:
        for points, fit, table in usable_points(rows, [ID]):
            ids = table[ID].cast(pa.string())
            found = pa.table({"id": ids, "lat": points.lat, "lon": points.lon})
            yield found.filter(pa.array(fit)).select(list(names or found.column_names))

    return Source(rows.label, ("id", "lat", "lon"), "table", None, stream=stream)


def _first_of_cell(found: _Localized, among: Mask, thin: int) -> Mask:
    """Return which of the usable rows ``among`` come first in their cell, shape (usable,)."""
    if isinstance(thin, bool) or thin not in range(16):
        msg = f"thin={thin!r} is not an H3 resolution; choose 0 (coarse) to 15 (fine)"
        raise DatasetError(msg)
    rows = np.flatnonzero(among)
    cell = cells_of(found.lat[rows], found.lon[rows], thin)
    order = np.lexsort([rows, found.key[found.usable][rows], cell])
    first = np.ones(len(order), bool)
    first[1:] = cell[order][1:] != cell[order][:-1]
    keep = np.zeros(len(among), bool)
    keep[rows[order[first]]] = True
    return keep


def _hard_set_size(found: _Localized, radius_km: float, exclude_km: float) -> dict[str, Any]:
    """Count popular points, and rows far from all of them, for one meaning of "localized"."""
    right = found.within(radius_km)
    places = found.lat[right], found.lon[right]
    near = regions.within_km(found.lat, found.lon, *places, exclude_km)
    return {
        "within_km": radius_km,
        "popular_points": int(right.sum()),
        "exclude_km": exclude_km,
        "kept_rows": int((~near).sum()),
    }


def _rows_with_answers(rows: Input, keep: Mask, answers: pa.Table) -> Iterator[pa.Table]:
    done = 0
    for table in where(rows, keep):
        yield attach(table, answers.slice(done, table.num_rows))
        done += table.num_rows


def _answers(found: _Localized, keep: Mask) -> pa.Table:
    """Return the predictions of the rows that stay, and how far off they are."""
    stays = keep[found.usable]
    columns = (found.lat, found.lon, found.pred_lat, found.pred_lon)
    lat, lon, pred_lat, pred_lon = (column[stays] for column in columns)
    error = sphere.haversine_km(lat, lon, pred_lat, pred_lon)
    return pa.table({"pred_lat": pred_lat, "pred_lon": pred_lon, "error_km": error})
