"""From coordinates to label columns: a boundary set, places, and the caller's view of the world.

`geodata.cor` is the door; this is the engine behind it, made once for each set of options.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import boundaries as _boundaries, buffers
from geodata.boundaries import BoundarySet
from geodata.coords import Coordinates
from geodata.cor import languages
from geodata.cor.chain import RegionChain
from geodata.cor.cities import Cities
from geodata.cor.deeper import Deeper
from geodata.cor.detail import Details
from geodata.cor.naming import FIELDS, Naming, View
from geodata.places import Places

DEFAULT_WORLDVIEW = "un"
DEPENDENCIES = ("own", "sovereign")

MATCHES = ("inside", "nearest", "none", "invalid")
_INSIDE, _NEAREST, _NONE, _INVALID = range(4)


@dataclass(frozen=True, eq=False)
class Labeller:
    """Labels points with one boundary set and one view of the world.

    Attributes
    ----------
    boundaries : BoundarySet
    places : Places
    view : View
        ``worldview``, ``dependencies`` and ``lang``, as in `geodata.cor.label`.
    max_offset_km : float
        As in `geodata.cor.label`.
    """

    boundaries: BoundarySet
    places: Places
    view: View
    max_offset_km: float

    @property
    def worldview(self) -> str:
        """Whose view of disputed areas."""
        return self.view.worldview

    @property
    def dependencies(self) -> str:
        """Whether territories are their own country."""
        return self.view.dependencies

    def one(self, lat: float, lon: float, *, detail: bool = False) -> RegionChain:
        """Return the chain of one checked point."""
        country, unit, offset = self.boundaries.locate_one(
            lat, lon, max_offset_km=self.max_offset_km
        )
        more = self._details.one(lat, lon, country, unit) if detail else None
        if country < 0:
            return RegionChain(
                lat, lon, None, None, None, None, None, None, None, "none", None, False, (), more
            )
        naming = self._naming
        region = naming.region(country, unit)
        city, distance = self._cities.one(lat, lon, country, unit) or (-1, None)
        if more is not None:
            more = more.with_city(self.places, city)
        name = self.places.name(city) if city >= 0 else None
        inside = self.boundaries.deeper_one(lat, lon) if offset == 0.0 else {}
        if locality := self._deeper.name("locality", inside, country):
            name, distance = locality, 0.0
        return RegionChain(
            lat, lon, region.country, region.country_code, region.admin1, region.admin1_code,
            self._deeper.name("admin2", inside, country) or region.admin2, name, distance,
            "inside" if offset == 0.0 else "nearest", offset,
            naming.disputed[country], naming.claims[country], more,
        )  # fmt: skip

    def table(
        self, points: Coordinates, *, detail: Sequence[str] = (), coded: bool = False
    ) -> pa.Table:
        """Return the label columns of checked points, in order; invalid rows have NULL names.

        Parameters
        ----------
        points : Coordinates
        detail : sequence of str
            Which columns of `geodata.cor.DETAIL` to add.
        coded : bool
            Names as dictionaries: 32-bit codes into texts, as they are found.
        """
        found = self.boundaries.locate(points.lat, points.lon, max_offset_km=self.max_offset_km)
        country = np.where(points.valid, found.country, np.int32(-1))
        number = self._naming.numbers(country, found.unit)
        city, distance = self._cities.many(points, country, found.unit)
        columns = self._named(number, coded)
        columns["city"] = self._city_names(city, coded)
        columns["city_distance_km"] = _or_null(distance, city < 0)
        self._deeper.put(columns, found.deeper, country)
        match = _match(points.valid, country, found.offset_km)
        columns["match"] = _texts(buffers.column(match), buffers.texts(MATCHES), coded)
        columns["offset_km"] = _or_null(found.offset_km, country < 0)
        columns["disputed"] = buffers.column(self._disputed.take(country))
        if detail:
            columns |= self._details.columns(points, country, found.unit, city, detail)
        if not coded:
            columns = {name: _plain(column) for name, column in columns.items()}
        return pa.table(columns)

    def _named(self, number: NDArray[np.int32], coded: bool) -> dict[str, pa.Array]:
        """Return the names of numbered pairs, -1 for none."""
        if coded:
            return {field: self._coded_names(field, number) for field in FIELDS}
        indices = _or_null(number, number < 0)
        return {field: _texts(indices, self._naming.names(field), coded) for field in FIELDS}

    def _coded_names(self, field: str, number: NDArray[np.int32]) -> pa.DictionaryArray:
        words, code = self._naming.texts(field)
        codes = np.append(code, np.int32(-1)).take(number)
        return _texts(_or_null(codes, codes < 0), buffers.texts(words), coded=True)

    def _city_names(self, city: NDArray[np.int32], coded: bool) -> pa.Array:
        """Return names of places; only those that occur are in the dictionary."""
        if not coded:
            return _texts(_or_null(city, city < 0), self.places.names, coded)
        code = self._name_codes.take(city)
        there = np.zeros(len(self._name_texts) + 1, bool)
        there[code] = True
        there[-1] = False
        used = np.flatnonzero(there)
        short = np.full(len(there), -1, np.int32)
        short[used] = np.arange(len(used))
        codes = short.take(code)
        words = self._name_texts.take(buffers.column(used))
        return _texts(_or_null(codes, codes < 0), words, coded)

    @cached_property
    def _name_texts(self) -> pa.Array:
        return self._encoded_names.dictionary

    @cached_property
    def _name_codes(self) -> NDArray[np.int32]:
        """Position in the distinct names of each place, and -1 at the end, for none."""
        return np.append(buffers.numbers(self._encoded_names.indices), np.int32(-1))

    @cached_property
    def _encoded_names(self) -> pa.DictionaryArray:
        return self.places.names.dictionary_encode()

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self.boundaries, self.view)

    @cached_property
    def _deeper(self) -> Deeper:
        return Deeper(self.boundaries, self._naming)

    @cached_property
    def _details(self) -> Details:
        return Details(self.boundaries, self.places, self._naming)

    @cached_property
    def _cities(self) -> Cities:
        naming = self._naming
        pairs = zip(naming.codes, naming.claims, strict=True)
        codes = [tuple(dict.fromkeys([code, *(c for _, c in claims)])) for code, claims in pairs]
        return Cities(self.boundaries, self.places, codes)

    @cached_property
    def _disputed(self) -> NDArray[np.bool_]:
        """Whether each country row is disputed, and False at the end, for none."""
        return np.array([*self._naming.disputed, False])


def _match(
    valid: NDArray[np.bool_], country: NDArray[np.int32], offset_km: NDArray[np.float64]
) -> NDArray[np.int32]:
    match = np.full(len(country), _INSIDE, np.int32)
    match[offset_km > 0] = _NEAREST
    match[country < 0] = _NONE
    match[~valid] = _INVALID
    return match


def _texts(indices: pa.Array, words: pa.Array, coded: bool) -> pa.Array:
    """Return the words that are meant; as a dictionary of them where it is coded."""
    if coded:
        return pa.DictionaryArray.from_arrays(indices, words, safe=False)  # all are in range
    return pc.take(words, indices, boundscheck=False)


def _or_null(values: NDArray[Any], missing: NDArray[np.bool_]) -> pa.Array:
    return buffers.column(values, absent=missing)


def _plain(column: pa.Array) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return column
    return pc.take(column.dictionary, column.indices)


def labeller(
    boundaries: Any,
    worldview: str,
    dependencies: str,
    max_offset_km: float,
    lang: str | None = None,
) -> Labeller:
    """Return the labeller for these options; the same one for the same options.

    Raises
    ------
    ValueError
        For an unknown worldview, dependencies or language, or a negative or non-finite offset.
    """
    if isinstance(boundaries, BoundarySet):
        chosen = boundaries
    else:
        chosen = _boundaries.load("bundled" if boundaries is None else os.fspath(boundaries))
    return _labeller(chosen, worldview.lower(), dependencies, max_offset_km, lang)


@lru_cache(maxsize=16)
def _labeller(
    chosen: BoundarySet, worldview: str, dependencies: str, max_offset_km: float, lang: str | None
) -> Labeller:
    if dependencies not in DEPENDENCIES:
        msg = f"dependencies {dependencies!r} is unknown; choose 'own' or 'sovereign'"
        raise ValueError(msg)
    if not 0.0 <= max_offset_km < float("inf"):
        msg = f"max_offset_km {max_offset_km!r} is not a distance; give kilometres, 0 or more"
        raise ValueError(msg)
    view = View(worldview, dependencies, languages.language(lang))
    engine = Labeller(chosen, Places.load(), view, float(max_offset_km))  # 10 is 10.0 in records
    known = sorted({view for claims in engine._naming.claims for view, _ in claims})
    if worldview != DEFAULT_WORLDVIEW and worldview not in known:
        msg = f"worldview {worldview!r} is unknown; choose {', '.join(['un', *known])}"
        raise ValueError(msg)
    return engine
