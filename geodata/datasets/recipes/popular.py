"""Recipes ``popular`` and ``hard``: where a base model is right, and rows far from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    smallest,
    usable_points,
    where,
)
from geodata.hashing import sampling_keys
from geodata.popular import check_radius
from geodata.tables import DatasetError, Input

RADII_KM = (1.0, 25.0, 200.0)
"""What "localizes correctly" may mean; each is counted, as the paper leaves it open."""

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
    rows.need(ID)
    radius, exclude = check_radius(radius_km), check_radius(exclude_km)
    found = _localized(rows, inputs["predictions"], seed)
    right = found.within(radius)
    keep = right if thin is None else _first_of_cell(found, right, thin)
    what = f"of {rows.label} are localized within {radius:g} km"
    if thin is not None:
        what += f" and first in their cell of resolution {thin}"
    if keep.any():
        keep = smallest(rows, found.points.key, keep, check_count(n, int(keep.sum()), what), seed)
    report = {
        **left_out(found.points.valid, found.points.usable),
        "with_prediction": int(np.isfinite(found.pred_lat).sum()),
        "localized": int(right.sum()),
        "if_localized_means": [
            _hard_set_size(found, r, exclude) for r in sorted({*RADII_KM, radius})
        ],
        "rows": int(keep.sum()),
    }
    schema = _with_answers(rows.table.schema.empty_table(), found, np.empty(0, np.int64)).schema
    batches = _rows_with_answers(rows, found, keep)
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
    count = check_count(n, int(far.sum()), what) if far.any() else 0
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
    """Every row of the input beside its prediction; NaN, only here, where there is none."""

    points: _Points
    pred_lat: _Floats
    pred_lon: _Floats

    def within(self, radius_km: float) -> Mask:
        """Return which usable rows have a prediction at most ``radius_km`` away."""
        a = sphere.haversine_a(self.points.lat, self.points.lon, self.pred_lat, self.pred_lon)
        with np.errstate(invalid="ignore"):
            return np.asarray(self.points.usable & (a <= sphere.threshold_a(radius_km)))


def _localized(rows: Input, predictions: Input, seed: int) -> _Localized:
    parts = [(*points, fit, t) for points, fit, t in usable_points(rows, [ID])]
    found = _Points.joined([(*p[:4], sampling_keys(p[4], seed)) for p in parts])
    chunks = [chunk for *_, table in parts for chunk in table[ID].cast(pa.string()).chunks]
    truth = pa.table({"id": pa.chunked_array(chunks, pa.string()), "lat": found.lat,
                      "lon": found.lon}).filter(pa.array(found.usable))  # fmt: skip
    del parts, chunks
    answers = np.full((2, len(found.lat)), np.nan)
    answers[:, np.flatnonzero(found.usable)] = _joined(predictions, truth, rows.label)
    return _Localized(found, *answers)


def _joined(predictions: Input, truth: pa.Table, label: str) -> _Floats:
    """Return predicted lat and lon of each truth row, shape (2, n), NaN where there is none."""
    from geodata.evaluation.joining import join, read_predictions

    out = np.full((2, truth.num_rows), np.nan)
    if not truth.num_rows:
        return out
    source = predictions.source
    joined = join(read_predictions(source), truth)
    at = np.arange(truth.num_rows) if joined.matched is None else joined.matched
    matched = np.flatnonzero(at >= 0)
    if not len(matched):
        first = truth["id"][0].as_py()
        msg = (
            f"no id of {predictions.label} is a {ID} of {label}, whose first is {first!r}; "
            "predict the photos of that table, or name the columns by their usual names"
        )
        raise DatasetError(msg)
    out[0, matched], out[1, matched] = joined.pred_lat[at[matched]], joined.pred_lon[at[matched]]
    return out


def _first_of_cell(found: _Localized, among: Mask, thin: int) -> Mask:
    if isinstance(thin, bool) or thin not in range(16):
        msg = f"thin={thin!r} is not an H3 resolution; choose 0 (coarse) to 15 (fine)"
        raise DatasetError(msg)
    rows = np.flatnonzero(among)
    cell = cells_of(found.points.lat[rows], found.points.lon[rows], thin)
    order = np.lexsort([rows, found.points.key[rows], cell])
    first = np.ones(len(order), bool)
    first[1:] = cell[order][1:] != cell[order][:-1]
    keep = np.zeros(len(among), bool)
    keep[rows[order[first]]] = True
    return keep


def _hard_set_size(found: _Localized, radius_km: float, exclude_km: float) -> dict[str, Any]:
    """Count popular points, and rows far from all of them, for one meaning of "localized"."""
    right = found.within(radius_km)
    near = regions.within_km(
        found.points.lat,
        found.points.lon,
        found.points.lat[right],
        found.points.lon[right],
        exclude_km,
    )
    return {
        "within_km": radius_km,
        "popular_points": int(right.sum()),
        "exclude_km": exclude_km,
        "kept_rows": int((found.points.usable & ~near).sum()),
    }


def _rows_with_answers(rows: Input, found: _Localized, keep: Mask) -> Iterator[pa.Table]:
    chosen_rows, done = np.flatnonzero(keep), 0
    for table in where(rows, keep):
        at = chosen_rows[done : done + table.num_rows]
        done += table.num_rows
        yield _with_answers(table, found, at)


def _with_answers(table: pa.Table, found: _Localized, at: NDArray[np.int64]) -> pa.Table:
    lat, lon = found.pred_lat[at], found.pred_lon[at]
    error = sphere.haversine_km(found.points.lat[at], found.points.lon[at], lat, lon)
    return attach(table, pa.table({"pred_lat": lat, "pred_lon": lon, "error_km": error}))
