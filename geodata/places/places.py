r"""Populated places: which city a point belongs to.

The rule
--------
A photo in the middle of a metropolis belongs to the metropolis, not to the quarter or hamlet
whose centre happens to be nearest; a photo in a village belongs to the village. GeoNames
lists quarters beside cities without saying which is which, so the rule decides it from
population and position. A place of population ``p`` has a built-up area of radius

.. math:: r = \sqrt{\max(p, 300) / (2000\,\pi)}\ \text{km}

(2,000 people per km²: 12.6 km for a million). Only places of the point's country compete.

1. **Part of a city.** Place ``q`` is part of place ``m`` if both lie in one GeoNames first-level
   division (or one of them in none), ``m`` is larger (or equal and of lower geonameid), and
   ``m`` covers all of ``q``: ``d(q, m) + r_q <= r_m``. If several do, the one with the smallest
   ``d / r_m``; a part of a part belongs to the whole. So quarters trace the real outline of
   their city, which no circle does, a large neighbour (Sakai beside Osaka) stays itself, and
   the division keeps Jersey City out of New York.
2. **Reach.** ``R_i = min(r_i, d_i) / 2``, where ``d_i`` is the distance to the nearest place of
   another city: a large town begins to count before its centre is near, but never further
   than half-way to its neighbour.
3. **Winner.** The point belongs to the city of the place with the smallest ``d - R``, the lowest
   geonameid among equals.
4. **Cap.** A point more than ``max_km`` (25) outside the radius of that city has none. 25 km is
   what image geolocalization counts as city level, and 97.5% of photos on land are that near.

The factors were chosen on the outlines of some 170 cities in OpenStreetMap and on the Swiss
localities of Who's On First, where the optimum is flat. The plain nearest place names the city
for 32% of the photo-like points inside such an outline and the locality for 72% of the Swiss
ones; this rule for 70% and 82%, at the price of naming the city for 14% of the points around an
outline instead of 6%. Of well-known places, which set the cap and the tie-break but no factor,
90% get the right city, against 69%. ``benchmarks/places.py`` prints these figures.

Distances of the rule are straight lines through the Earth, which rank as great circles do and
are a metre shorter at 100 km; the distance reported, and capped, is the great circle to the
city's centre.

The file
--------
A `geodata.files.arrays` file. Per place, ordered by country code and geonameid: ``lat_e5``,
``lon_e5`` (1e-5 degrees), ``population``, ``country`` and ``admin1`` (indices into the meta
lists), ``geonameid``, ``city`` (index of the place it is part of, or itself), ``reach_m``, and
the name as UTF-8 between ``name_start[i]`` and ``name_start[i + 1]``. The other arrays
are the grid of `geodata.places.grid`, which names the few places that can win at a point.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata import coords, files
from geodata.files import FileError
from geodata.places.grid import Lists, PlaceGrid, point_km, points_km
from geodata.sphere import EARTH_RADIUS_KM

MAX_KM = 25.0
"""How far outside its city's radius a point may be, at most."""

DENSITY = 2_000.0
"""People per km² of built-up area."""

MIN_POPULATION = 300
"""Stands in for a population that is smaller or unknown."""

_NOBODY = -1
_CHUNK = 1 << 16  # points a time: the fastest of 2**11 to 2**18
_DIAMETER_KM = 2.0 * EARTH_RADIUS_KM

_BUNDLED = Path(__file__).parents[1] / "boundaries" / "bundled" / "places.bin"

Floats = NDArray[np.float64]


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


class _View(NamedTuple):
    """Columns as flat memory: one element costs a fifth of what it does through NumPy."""

    country: memoryview
    city: memoryview
    sites: memoryview
    radius: memoryview


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
        totals = np.bincount(self.country, self.population, minlength=len(self.countries))
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
        self, lat: ArrayLike, lon: ArrayLike, country: ArrayLike, *, max_km: float = MAX_KM
    ) -> PlaceMatch:
        """Return the city of every point by the rule of this module.

        Parameters
        ----------
        lat, lon
            Degrees, shape (n,), checked coordinates.
        country
            Shape (n,) or scalar: ISO codes, or indices into ``countries`` (-1 for none).
        max_km
            A point further outside the radius of its city has none; at most 25.

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
        if codes.dtype.kind not in "iu":
            codes = self.country_index(codes)
        if lat.ndim != 1 or lat.shape != lon.shape or codes.shape not in ((), lat.shape):
            msg = (
                f"lat, lon, country have shapes {lat.shape}, {lon.shape}, {codes.shape}; need (n,)"
            )
            raise ValueError(msg)
        lon = _checked(lat, lon)
        _check_max(max_km)
        codes = np.broadcast_to(codes, lat.shape)
        index, distance = np.empty(len(lat), np.int32), np.empty(len(lat))
        for begin in range(0, len(lat), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            index[part], distance[part] = self._chunk(lat[part], lon[part], codes[part], max_km)
        return PlaceMatch(index, distance)

    def one(
        self, lat: float, lon: float, country_code: str, *, max_km: float = MAX_KM
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
        code = self._codes.get(country_code, _NOBODY)
        point = point_km(lat, lon)
        view, best, winner = self._view, math.inf, _NOBODY
        for place in self._grid.at(lat, lon):
            if view.country[place] == code:
                score = _chord(view, place, point) - view.sites[4 * place + 3]
                if score < best:
                    best, winner = score, place
        if winner == _NOBODY:
            return None
        city = view.city[winner]
        chord = _chord(view, city, point)
        distance = _DIAMETER_KM * float(np.arcsin(chord / _DIAMETER_KM))
        return (city, distance) if distance - view.radius[city] <= max_km else None

    def _chunk(
        self, lat: Floats, lon: Floats, country: NDArray[Any], max_km: float
    ) -> tuple[NDArray[np.int32], Floats]:
        point = points_km(lat, lon)
        winner = self._winners(self._grid.lists(lat, lon), point, country)
        city = self.city.take(winner, mode="clip")
        chord, _ = _chords(self._sites, city, point)
        distance = _DIAMETER_KM * np.arcsin(chord / _DIAMETER_KM)
        known = (winner >= 0) & (distance - self._radius.take(city) <= max_km)
        return np.where(known, city, np.int32(_NOBODY)), np.where(known, distance, 0.0)

    def _winners(self, lists: Lists, point: Floats, country: NDArray[Any]) -> NDArray[np.int32]:
        """Return the winning place of each point, -1 where no place of its country is near.

        Points are put in order of their number of candidates, so that round ``k`` weighs
        candidate ``k`` of a leading slice and moves no point. A single candidate wins unweighed.
        """
        most = int(lists.length.max(initial=0))
        order = np.argsort((most - lists.length).astype(np.uint16), kind="stable")
        lists = Lists(*(column.take(order) for column in lists))
        point, country = point.take(order, axis=1), country.take(order)
        longer = len(order) - np.cumsum(np.bincount(lists.length, minlength=most + 1))
        best, winner = np.full(len(order), np.inf), np.full(len(order), _NOBODY, np.int32)
        several = int(longer[1]) if most > 1 else 0
        for k, m in enumerate(longer[:most].tolist()):
            place = self._grid.places(lists, k, m)
            if k == 0:
                alone = place[several:]
                own = self.country.take(alone) == country[several:m]
                np.copyto(winner[several:m], alone, where=own)
                place, m = place[:several], several
            chord, reach = _chords(self._sites, place, point[:, :m])
            score = chord - reach
            better = (score < best[:m]) & (self.country.take(place) == country[:m])
            np.copyto(best[:m], score, where=better)
            np.copyto(winner[:m], place, where=better)
        out = np.empty_like(winner)
        out[order] = winner
        return out

    @cached_property
    def _grid(self) -> PlaceGrid:
        return PlaceGrid.of(self.file)

    @cached_property
    def _sites(self) -> Floats:
        """Position and reach of every place, km, shape (n, 4): one cache line or two each."""
        vectors = points_km(self.lat, self.lon)
        return np.ascontiguousarray(np.vstack([vectors, self.file.arrays["reach_m"] / 1000.0]).T)

    @cached_property
    def _radius(self) -> Floats:
        return radius_km(self.population)

    @cached_property
    def _view(self) -> _View:
        sites = self._sites.reshape(-1)
        return _View(self.country.data, self.city.data, sites.data, self._radius.data)

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {code: index for index, code in enumerate(self.countries)}

    @cached_property
    def _by_letters(self) -> NDArray[np.int16]:
        table = np.full(677, _NOBODY, np.int16)
        for code, index in self._codes.items():
            table[(ord(code[0]) - 65) * 26 + ord(code[1]) - 65] = index
        return table


def radius_km(population: ArrayLike) -> Floats:
    """Return the radius of the built-up area, ``sqrt(max(p, 300) / (2000 pi))`` km.

    Examples
    --------
    >>> radius_km([0, 1_000_000]).round(2)
    array([ 0.22, 12.62])
    """
    people = np.maximum(np.asarray(population, np.float64), MIN_POPULATION)
    return np.asarray(np.sqrt(people / (np.pi * DENSITY)))


def _chord(view: _View, place: int, point: tuple[float, float, float]) -> float:
    """Return the straight distance from a point to a place, km: `_chords` for one."""
    x, y, z = view.sites[4 * place : 4 * place + 3]
    dx, dy, dz = x - point[0], y - point[1], z - point[2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


def _chords(sites: Floats, place: NDArray[Any], point: Floats) -> tuple[Floats, Floats]:
    """Return straight distances from places to points (3, n), and the places' reach, km."""
    site = sites.take(place, axis=0)
    dx, dy, dz = site[:, 0] - point[0], site[:, 1] - point[1], site[:, 2] - point[2]
    dx *= dx
    dy *= dy
    dz *= dz
    dx += dy
    dx += dz
    return np.sqrt(dx, out=dx), site[:, 3]


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
