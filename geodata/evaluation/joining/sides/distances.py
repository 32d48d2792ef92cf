"""Read how far off each answer is from a file that keeps distances and no coordinates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.joining.sides.checked_rows import (
    INVALID,
    MISSING,
    OK,
    CheckedRows,
    as_floats,
    is_blank,
    mark_damaged,
    not_finite,
)
from geodata.files import Batch, FileError, given, squeeze
from geodata.sphere import HALF_CIRCUMFERENCE_KM

KM_IN = {"km": 1.0, "m": 0.001, "mi": 1.609344}
"""Unit of a distance, and its length in km."""

LONGEST_KM = HALF_CIRCUMFERENCE_KM + 30.0
"""No distance on Earth is longer, on a sphere of any radius that is used for it."""

_UNITS = {
    "km": "kilometers|kilometres|kilometer|kilometre|kms|km",
    "mi": "miles|mile|mi",
    "m": "meters|metres|meter|metre|m",
}
_UNIT = "|".join(f"(?P<{{0}}{unit}>{words})" for unit, words in _UNITS.items())
_BEFORE = (
    "predictions|prediction|predicted|preds|pred|guess|answer|model|final|best|abs|absolute|geo"
    "|geolocation|geolocalization|localization|location|spherical|the"
)
_NOUN = "distances|distance|dists|dist|errors|error|errs|err|deviation|haversine|geodesic|gcd"
_NOUN += "|greatcircle"
_NAME = re.compile(
    rf"(?:{_BEFORE})*(?:{_UNIT.format('first_')})?(?:{_NOUN})+"
    r"(?:(?:to|from)?(?:the)?(?:groundtruth|truth|gt|target|label))?"
    rf"(?:in)?(?:{_UNIT.format('last_')})?"
)


_WORD = re.compile("[a-z]+")


class DistanceColumn(NamedTuple):
    """A column with the error of each answer."""

    name: str
    unit: str
    """'km', 'm' or 'mi'."""
    told: bool
    """Whether its name or the caller tells the unit; if not, it is taken for km."""


def distance_columns(names: Iterable[str]) -> list[DistanceColumn]:
    """Return the columns that are named as errors are, those whose name tells a unit first.

    Examples
    --------
    >>> distance_columns(["id", "error", "distance_m", "dist_bin"])  # doctest: +ELLIPSIS
    [...name='distance_m', unit='m', told=True), ...name='error', unit='km', told=False)]
    """
    found = []
    for name in names:
        last = name.rpartition(".")[2]  # a nested name is read by its last part
        match = _NAME.fullmatch(squeeze(name)) or _NAME.fullmatch(squeeze(last))
        if match is not None:
            units = [unit for group, unit in _GROUPS if match[group]]
            found.append(DistanceColumn(name, units[0] if units else "km", bool(units)))
    return sorted(found, key=lambda one: not one.told)


_GROUPS = [(f"{place}_{unit}", unit) for place in ("last", "first") for unit in KM_IN]


def choose_distances(
    names: Sequence[str], where: str, name: str | None = None, unit: str | None = None
) -> DistanceColumn | None:
    """Return the column to score, None where there is none.

    Parameters
    ----------
    names
        The columns there are.
    where
        What the messages call the file.
    name, unit
        What the caller says, checked; found from the names if None.

    Raises
    ------
    geodata.files.FileError
        If the named column is not there, or several could be meant.

    Examples
    --------
    >>> choose_distances(["id", "distance_km"], "a.csv").unit
    'km'
    """
    asked = given(name, names, "distance_column", where)
    known = distance_columns(names if asked is None else [asked])
    if asked is not None and not known:  # any name will do: its last word may be a unit
        last = _WORD.findall(asked.lower())[-1:]
        units = [one for one, words in _UNITS.items() if last and last[0] in words.split("|")]
        known = [DistanceColumn(asked, units[0] if units else "km", bool(units))]
    sure = [one for one in known if one.told] or known
    if len(sure) > 1:
        msg = (
            f"{where}: {', '.join(one.name for one in sure)} could all be the distances; name one "
            "with --distance-column (distance_column=)"
        )
        raise FileError(msg)
    if not sure:
        return None
    return sure[0] if unit is None else DistanceColumn(sure[0].name, unit, told=True)


def check_unit(unit: str | None) -> None:
    """Refuse a unit of distances that there is not."""
    if unit is not None and unit not in KM_IN:
        msg = f"distance_unit {unit!r} is unknown; expected one of {', '.join(KM_IN)}"
        raise ValueError(msg)


def check_distances(batch: Batch, column: DistanceColumn) -> CheckedRows:
    """Return the errors of a batch in km, NaN where there is none, with a status each.

    Examples
    --------
    >>> import pyarrow as pa
    >>> rows = pa.table({"dist_m": ["25000", "", "-1"]})
    >>> found = check_distances(Batch(rows, {}), DistanceColumn("dist_m", "m", told=True))
    >>> found.distance_km, found.status
    (array([25., nan, nan]), array([0, 1, 3], dtype=uint8))
    """
    cells = batch.table.column(column.name)
    km = as_floats(cells) * KM_IN[column.unit]
    good = (km >= 0) & (km <= LONGEST_KM)
    blank = is_blank(cells)
    status = np.where(good, OK, np.where(blank, MISSING, INVALID)).astype(np.uint8)
    endless = not_finite(cells, km) & ~good
    problems = {
        "not_finite": endless,
        "no_distance": np.isnan(km) & ~blank & ~endless,
        "distance_range": np.isfinite(km) & ~good,
    }
    none = np.full(len(km), np.nan)
    rows = CheckedRows(none, none.copy(), status, problems, {}, np.where(good, km, np.nan))
    mark_damaged(rows, batch)
    return rows


def distance_findings(column: DistanceColumn, where: str, *, truth: bool) -> list[Finding]:
    """Say that errors are the file's own, what follows from that, and which unit was assumed.

    Parameters
    ----------
    column
    where
        What the message calls the file.
    truth
        Whether the true places are known.
    """
    lost = "country, region and city accuracy and the map need coordinates"
    rows = "" if truth else "; there is no truth either, so that the file's own rows are all rows"
    found = [
        finding(
            "distances_only",
            "info",
            f"{where} has no coordinates: its column {column.name!r} is scored, in {column.unit}, "
            f"and cannot be checked; {lost}{rows}",
            "Keep the coordinates of each answer, then its distance is measured here.",
        )
    ]
    if not column.told:
        found.append(
            finding(
                "distance_unit",
                "warning",
                f"{where}: nothing tells the unit of {column.name!r}, which is taken for km",
                "Name the unit with --distance-unit (distance_unit=): km, m or mi.",
            )
        )
    return found
