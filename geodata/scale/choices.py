"""Batch functions that choose rows: far from popular places, well localized, or by a condition."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from geodata import coords, files, popular, query, sphere
from geodata.popular import Circles
from geodata.scale.agreeing import BatchFunction


@dataclass(frozen=True)
class Exclude(BatchFunction):
    """Drop the rows within a radius of a popular point, as `geodata.popular.exclude` does.

    Parameters
    ----------
    popular_points : str or path
        A table of points that every worker finds under this name, and that is the same file.
    radius_km : float, km
    lat, lon : str, optional
        Columns of the rows, found by their usual names if not given.
    invalid : {'keep', 'drop'}
        What becomes of rows without a valid coordinate.

    Raises
    ------
    FileError
        If the points cannot be read.
    ValueError
        For a radius that is none, a popular point that is no place, or another ``invalid``.
    """

    popular_points: str | os.PathLike[str]
    radius_km: float = 200.0
    lat: str | None = None
    lon: str | None = None
    invalid: Literal["keep", "drop"] = "keep"

    def __post_init__(self) -> None:
        if self.invalid not in ("keep", "drop"):
            msg = f"invalid={self.invalid!r} is not known; expected 'keep' or 'drop'"
            raise ValueError(msg)
        super().__post_init__()

    def identity(self) -> dict[str, Any]:
        """Return version, the hash of the popular points, and options."""
        options = {"radius_km": self.radius_km, "invalid": self.invalid}
        return super().identity() | {"popular_sha256": self._opened().sha256} | options

    def _made(self, batch: pa.Table) -> pa.Table:
        names = files.coordinate_columns(batch.column_names, self.lat, self.lon)
        lat, lon = (_numbers(batch[name]) for name in names)
        keep = ~self._opened().circles.hold(lat, lon)
        if self.invalid == "drop":
            keep &= coords.arrays(lat, lon).valid
        return batch.filter(pa.array(keep))

    def _opened(self) -> _Popular:
        path = Path(self.popular_points).absolute()
        made = path.stat() if path.is_file() else None
        stamp = (made.st_ino, made.st_mtime_ns) if made else (0, 0)
        return _popular(str(path), float(self.radius_km), stamp)


class _Popular(NamedTuple):
    sha256: str
    circles: Circles


@lru_cache(maxsize=4)
def _popular(path: str, radius_km: float, stamp: tuple[int, int]) -> _Popular:
    """Open popular points, once a process for a file as it is."""
    table = files.read_table(path)
    lat, lon = (_numbers(table[name]) for name in files.coordinate_columns(table.column_names))
    return _Popular(files.sha256(path), Circles(lat, lon, radius_km))


def _numbers(column: Any) -> Any:
    """Return a column as numbers; text is read as it is in files."""
    return coords.parse_numbers(files.plain_column(column))


@dataclass(frozen=True)
class Popular(BatchFunction):
    """Keep the rows that a model has already localized, with how far off it was.

    They are the popular points of Geo-R's MP16-Hard.

    Parameters
    ----------
    within_km : float, km
        A row is localized where its prediction is at most so far off.

    References
    ----------
    Geo-R, arXiv 2601.00388, construction of MP16-Hard.

    Examples
    --------
    >>> rows = pa.table({"lat": [0.0, 0.0, 0.0], "lon": [0.0, 0.0, 0.0],
    ...                  "pred_lat": [0.1, 9.0, None], "pred_lon": [0.0, 0.0, 0.0]})
    >>> Popular(25.0)(rows)["error_km"].to_pylist()
    [11.119...]
    """

    within_km: float = 25.0

    def __post_init__(self) -> None:
        popular.check_radius(self.within_km)
        super().__post_init__()

    def identity(self) -> dict[str, Any]:
        """Return version and radius."""
        return super().identity() | {"within_km": self.within_km}

    def _made(self, batch: pa.Table) -> pa.Table:
        true = coords.arrays(_numbers(batch["lat"]), _numbers(batch["lon"]))
        guess = coords.arrays(_numbers(batch["pred_lat"]), _numbers(batch["pred_lon"]))
        points = true.lat, true.lon, guess.lat, guess.lon
        near = sphere.haversine_a(*points) <= sphere.threshold_a(self.within_km)
        keep = np.flatnonzero(near & true.valid & guess.valid)
        error = sphere.haversine_km(*(axis[keep] for axis in points))
        rest = [name for name in batch.column_names if name != "error_km"]
        return batch.select(rest).take(pa.array(keep)).append_column("error_km", pa.array(error))


@dataclass(frozen=True)
class Filter(BatchFunction):
    """Keep the rows for which a SQL condition is true, as the recipe ``filter`` does.

    Parameters
    ----------
    where : str
        What would follow WHERE; see `geodata.query.true_rows`.

    Raises
    ------
    QueryError
        For what is no condition on single rows.

    Examples
    --------
    >>> Filter("country_code = 'JP'")(pa.table({"country_code": ["FR", "JP", None]})).num_rows
    1
    """

    where: str

    def identity(self) -> dict[str, Any]:
        """Return version and condition."""
        return super().identity() | {"where": self.where}

    def _made(self, batch: pa.Table) -> pa.Table:
        said = query.true_rows(files.source_of(batch, "rows"), self.where)
        return batch.filter(pa.array(said.true))
