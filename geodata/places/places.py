"""The opened file of populated places; `geodata.places.rule` says which city a point belongs to.

A `geodata.files.arrays` file. Per place, ordered by country code and geonameid: ``lat_e5``,
``lon_e5`` (1e-5 degrees), ``population``, ``country`` and ``admin1`` (indices into the meta
lists), ``geonameid``, ``city`` (index of the place it is part of, or itself), ``reach_m``, and
the name as UTF-8 between ``name_start[i]`` and ``name_start[i + 1]``. The other arrays
are the grid of `geodata.places.grid`, which names the few places that can win at a point.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import coords, files
from geodata.files import FileError
from geodata.places.divisions import Asked, Divisions, PlaceColumns, territories
from geodata.places.grid import Floats, PlaceGrid, points_km
from geodata.places.rule import MAX_KM, NOBODY, CityRule, Inside, radius_km

_BUNDLED = Path(__file__).parents[1] / "boundaries" / "bundled" / "places.bin"
_PART = 1 << 14  # places whose positions are worked out at a time


@dataclass(frozen=True)
class PlaceMatch:
    """The cities of n points.

    Attributes
    ----------
    index : ndarray of int32, shape (n,)
        Index of the city in `Places`; -1 where there is none.
    distance_km : ndarray of float64, shape (n,)
        Great-circle distance to the city's centre; 0 where there is none, never NaN.
    """

    index: NDArray[np.int32]
    distance_km: Floats


@dataclass(frozen=True)
class Places:
    """Populated places, in a file that is mapped, not read.

    Attributes
    ----------
    file : ArrayFile
        Everything, as laid out above; ``file.meta`` says what it was made from.
    countries : tuple of str
        ISO 3166-1 alpha-2 codes, territories under their own; sorted.
    country, city, population, geonameid : ndarray of integers, shape (n,)
        Index into ``countries``; index of the city that the place is part of, or its own;
        people, 0 where unknown; GeoNames identifier.
    """

    file: files.ArrayFile
    countries: tuple[str, ...]
    country: NDArray[np.int16]
    city: NDArray[np.int32]
    population: NDArray[np.int32]
    geonameid: NDArray[np.int32]

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None, *, verify: bool = False) -> Places:
        """Open a file of places, the bundled one by default; ``verify`` checks its SHA-256.

        Raises
        ------
        FileError
            If it is not a file of places or is damaged.

        Examples
        --------
        >>> places = Places.load()
        >>> len(places) > 200_000
        True
        """
        where = path if path is not None else _BUNDLED
        file = files.load_arrays(where, verify=verify)
        if file.meta.get("kind") != "places":
            msg = f"{where}: holds {file.meta.get('kind', 'other arrays')!r}, expected 'places'"
            raise FileError(msg)
        columns = (file.arrays[k] for k in ("country", "city", "population", "geonameid"))
        return cls(file, tuple(file.meta["countries"]), *columns)

    def __len__(self) -> int:
        return len(self.city)

    @cached_property
    def lat(self) -> Floats:
        """Latitudes, shape (n,), degrees."""
        return np.asarray(self.file.arrays["lat_e5"] / 1e5)

    @cached_property
    def lon(self) -> Floats:
        """Longitudes, shape (n,), degrees."""
        return np.asarray(self.file.arrays["lon_e5"] / 1e5)

    def people(self) -> list[int]:
        """Return the people in the places of each country, in the order of ``countries``."""
        totals = np.bincount(self.country, self.population)
        return [int(total) for total in totals]

    def name(self, index: int) -> str:
        """Return the name of a place, as GeoNames spells it.

        Raises
        ------
        IndexError
            If there is no such place; -1 means that a point has no city.

        Examples
        --------
        >>> places = Places.load()
        >>> index, distance_km = places.one(48.8584, 2.2945, "FR")
        >>> places.name(index), round(distance_km, 1)
        ('Paris', 4.0)
        """
        if not 0 <= index < len(self):
            msg = f"place {index} is outside 0 to {len(self) - 1}; -1 stands for no place"
            raise IndexError(msg)
        start = self.file.arrays["name_start"]
        text = self.file.arrays["name_utf8"][start[index] : start[index + 1]]
        return text.tobytes().decode()

    @cached_property
    def names(self) -> Any:
        """All names as a pyarrow string array of length n, without a copy; `take` from it."""
        import pyarrow as pa

        start, text = self.file.arrays["name_start"], self.file.arrays["name_utf8"]
        buffers = [None, pa.py_buffer(start), pa.py_buffer(text)]
        return pa.Array.from_buffers(pa.string(), len(self), buffers)

    def country_index(self, codes: ArrayLike) -> NDArray[np.int16]:
        """Return the index in ``countries`` of each ISO code, -1 where no place has it.

        Parameters
        ----------
        codes
            Text, shape (n,) or scalar; None and unknown codes are allowed.

        Examples
        --------
        >>> places = Places.load()
        >>> found = places.country_index(["FR", None, "AQ"])
        >>> places.countries[found[0]], found[1:].tolist()
        ('FR', [-1, -1])
        """
        text = np.asarray(codes)
        if text.dtype.kind != "U":
            text = np.where(text == None, "", text).astype(str)  # noqa: E711, element by element
        # Three characters tell a two-letter code from a longer word.
        letters = np.ascontiguousarray(text).astype("<U3").reshape(-1, 1).view("<u4") - ord("A")
        first, second, rest = letters[:, 0], letters[:, 1], letters[:, 2] + np.uint32(ord("A"))
        known = (first < 26) & (second < 26) & (rest == 0)
        key = np.where(known, first * np.uint32(26) + second, 676)
        return np.asarray(self._by_letters[key].reshape(text.shape))

    def nearest(
        self,
        lat: ArrayLike,
        lon: ArrayLike,
        country: ArrayLike,
        *,
        max_km: float = MAX_KM,
        inside: Inside = None,
    ) -> PlaceMatch:
        """Return the city of every point by the city rule.

        Parameters
        ----------
        lat, lon
            Degrees, shape (n,), checked coordinates.
        country
            Shape (n,) or scalar: ISO codes, or indices into ``countries`` (-1 for none).
        max_km
            A point further outside the radius of its city has none; at most 25.
        inside : (Divisions, ndarray of int, shape (n,)), optional
            Divisions of the places from `divisions`, and that of each point: only places that
            fit it can win.

        Raises
        ------
        ValueError
            For coordinates that are not finite or out of range, unequal shapes, or a
            ``max_km`` outside [0, 25].

        Examples
        --------
        >>> places = Places.load()
        >>> match = places.nearest([35.6595, 0.0], [139.7005, -30.0], ["JP", None])
        >>> places.name(match.index[0]), match.index[1], match.distance_km[1]
        ('Tokyo', np.int32(-1), np.float64(0.0))
        """
        lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        codes = np.asarray(country)
        if codes.dtype.kind not in ("i", "u"):
            codes = self.country_index(codes)
        if lat.ndim != 1 or lat.shape != lon.shape or codes.shape not in ((), lat.shape):
            msg = (
                f"lat, lon, country have shapes {lat.shape}, {lon.shape}, {codes.shape}; need (n,)"
            )
            raise ValueError(msg)
        lon = _checked(lat, lon)
        _check_max(max_km)
        codes = np.broadcast_to(codes, lat.shape)
        return PlaceMatch(*self._rule.many(lat, lon, codes, max_km, inside))

    def one(
        self,
        lat: float,
        lon: float,
        country_code: str,
        *,
        max_km: float = MAX_KM,
        inside: tuple[Asked, int] | None = None,
    ) -> tuple[int, float] | None:
        """Return (index, distance in km) of the city of one point, None where there is none.

        The same numbers as `nearest`, bit for bit, without its fixed cost.

        Examples
        --------
        >>> Places.load().one(-75.1, 123.35, "AQ") is None
        True
        """
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon < 180.0):
            lat, lon = coords.scalar(lat, lon)
        _check_max(max_km)
        return self._rule.one(lat, lon, self._codes.get(country_code, NOBODY), max_km, inside)

    def divisions(self, division: NDArray[Any]) -> Divisions:
        """Return the places under the divisions of a boundary set.

        Parameters
        ----------
        division
            Number of the division that each place lies in, shape (n,); -1 where none is known.
        """
        return Divisions.of(self._columns, division)

    @cached_property
    def territories(self) -> NDArray[np.int64]:
        """Cities that are their whole territory, as Hong Kong is: they lie in no division."""
        return territories(self._columns)

    @cached_property
    def _columns(self) -> PlaceColumns:
        codes = [code.partition(".")[2] for code in self.file.meta["admin1_codes"]]
        admin1, rule = self.file.arrays["admin1"], self._rule
        return PlaceColumns(
            self.lat, self.country, self.city, self.population, rule.sites, rule.radius, admin1,
            np.isin(codes, ["", "00"])[admin1],
        )  # fmt: skip

    @cached_property
    def _rule(self) -> CityRule:
        sites = np.empty((len(self), 4))
        lat, lon = self.file.arrays["lat_e5"], self.file.arrays["lon_e5"]
        for begin in range(0, len(self), _PART):  # at once, a first label takes 20 MB more
            part = slice(begin, begin + _PART)
            sites[part, :3] = points_km(lat[part] / 1e5, lon[part] / 1e5).T
        sites[:, 3] = self.file.arrays["reach_m"] / 1000.0
        return CityRule(
            self.country,
            self.city,
            sites,
            radius_km(self.population),
            PlaceGrid.of(self.file),
        )

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {code: index for index, code in enumerate(self.countries)}

    @cached_property
    def _by_letters(self) -> NDArray[np.int16]:
        table = np.full(677, NOBODY, np.int16)
        for code, index in self._codes.items():
            table[(ord(code[0]) - 65) * 26 + ord(code[1]) - 65] = index
        return table


def _checked(lat: Floats, lon: Floats) -> Floats:
    """Return longitudes in [-180, 180); refuse what no point on Earth has."""
    if not len(lat):
        return lon
    if not (lat.min() >= -90.0 and lat.max() <= 90.0 and np.isfinite(lon).all()):
        bad = int(np.flatnonzero(~(np.abs(lat) <= 90.0) | ~np.isfinite(lon))[0])
        msg = (
            f"coordinates ({lat[bad]}, {lon[bad]}) in row {bad} are not a point on Earth: latitude "
            "lies in [-90, 90], longitude is finite; check columns with geodata.coords.arrays"
        )
        raise ValueError(msg)
    if lon.min() >= -180.0 and lon.max() < 180.0:
        return lon
    wrapped = np.remainder(lon + 180.0, 360.0) - 180.0
    inside = (lon >= -180.0) & (lon < 180.0)
    return np.where(inside, lon, np.where(wrapped < 180.0, wrapped, -180.0))


def _check_max(max_km: float) -> None:
    if not 0.0 <= max_km <= MAX_KM:
        msg = f"max_km is {max_km!r}, must lie in [0, {MAX_KM:g}]: the grid ends there"
        raise ValueError(msg)
