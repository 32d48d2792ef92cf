"""Polygons made fit for the index: valid, snapped, split at ±180, every repair counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import shapely
from numpy.typing import NDArray

DECIMALS = 7
"""Coordinates are multiples of 1e-7 degrees (about 1 cm), which a 32-bit integer holds."""

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Repairs:
    """How many geometries a repair changed; a geometry may count under several.

    Examples
    --------
    >>> Repairs(invalid=1) + Repairs(invalid=2, empty=1)
    Repairs(invalid=3, empty=1, wrapped=0, snapped=0)
    """

    invalid: int = 0
    """Made valid (self-crossing rings and the like)."""
    empty: int = 0
    """Without any area: no polygon, dropped."""
    wrapped: int = 0
    """Reached beyond ±180 degrees and were cut there."""
    snapped: int = 0
    """Had coordinates between the multiples of 1e-7 degrees."""

    def __add__(self, other: Repairs) -> Repairs:
        return Repairs(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def polygonal(geometry: shapely.Geometry) -> shapely.Geometry:
    """Keep the polygons of a geometry, as one MultiPolygon.

    Examples
    --------
    >>> mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)])
    >>> polygonal(mixed).area
    1.0
    """
    parts = shapely.get_parts(shapely.get_parts(geometry))
    wanted = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    return shapely.MultiPolygon(wanted)


def snap(geometry: shapely.Geometry) -> shapely.Geometry:
    """Move coordinates to multiples of 1e-7 degrees; valid in, valid out.

    A geometry whose coordinates already are such multiples comes back unchanged.

    Examples
    --------
    >>> snap(shapely.Point(0.12345678, 1)).x
    0.1234568
    """
    if geometry.is_empty or np.array_equal(_rounded(geometry), shapely.get_coordinates(geometry)):
        return geometry
    moved = shapely.set_precision(geometry, 10.0**-DECIMALS)
    return shapely.set_coordinates(moved, _rounded(moved))


def repair(geometries: Iterable[shapely.Geometry | None]) -> tuple[Geometries, Repairs]:
    """Make polygons valid, cut them at ±180, snap them; tell what had to be done.

    Parameters
    ----------
    geometries
        shape (n,), lon/lat degrees; None and empty geometries are allowed.

    Returns
    -------
    geometries
        shape (n,), MultiPolygons in canonical order of rings and parts; None where nothing
        with an area was left.
    repairs
        The counts.

    Raises
    ------
    ValueError
        If a latitude lies outside [-90, 90] or a longitude outside [-540, 540], which means
        that the coordinates are no degrees, or lat and lon are swapped.

    Examples
    --------
    >>> bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    >>> fixed, counts = repair([bow_tie, None, shapely.box(179, 0, 181, 1)])
    >>> [None if g is None else g.area for g in fixed]
    [2.0, None, 2.0]
    >>> counts
    Repairs(invalid=1, empty=1, wrapped=1, snapped=0)
    """
    found = [_repair_one(row, geometry) for row, geometry in enumerate(geometries)]
    result = np.empty(len(found), dtype=object)
    result[:] = [geometry for geometry, _ in found]
    return result, sum((count for _, count in found), Repairs())


def wkb(geometries: Iterable[shapely.Geometry]) -> list[bytes]:
    """Return little-endian WKB, the same bytes for the same shape."""
    return [
        bytes(shapely.to_wkb(shapely.normalize(geometry), byte_order=1, include_srid=False))
        for geometry in geometries
    ]


def _repair_one(
    row: int, geometry: shapely.Geometry | None
) -> tuple[shapely.Geometry | None, Repairs]:
    if geometry is None or geometry.is_empty:
        return None, Repairs(empty=1)
    _check_degrees(row, geometry)
    flat = shapely.force_2d(geometry)
    valid = flat if flat.is_valid else shapely.make_valid(flat)
    inside = _cut_at_antimeridian(valid)
    snapped = snap(inside)
    result = polygonal(snapped)
    counts = Repairs(
        invalid=int(valid is not flat),
        empty=int(result.is_empty),
        wrapped=int(inside is not valid),
        snapped=int(snapped is not inside),
    )
    return (None if result.is_empty else shapely.normalize(result)), counts


def _rounded(geometry: shapely.Geometry) -> NDArray[np.float64]:
    coordinates: NDArray[np.float64] = shapely.get_coordinates(geometry)
    return np.round(coordinates * 10.0**DECIMALS) / 10.0**DECIMALS


def _check_degrees(row: int, geometry: shapely.Geometry) -> None:
    west, south, east, north = geometry.bounds
    if south < -90 or north > 90 or west < -540 or east > 540:
        msg = (
            f"geometry in row {row} reaches from ({south:g}, {west:g}) to ({north:g}, {east:g}), "
            "outside latitude [-90, 90]; expected lon/lat degrees (WGS 84): reproject the file, "
            "or swap lat and lon"
        )
        raise ValueError(msg)


def _cut_at_antimeridian(geometry: shapely.Geometry) -> shapely.Geometry:
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    turns = [
        shapely.transform(
            shapely.intersection(geometry, shapely.box(360 * k - 180, -90, 360 * k + 180, 90)),
            lambda xy, k=k: xy - [360.0 * k, 0.0],
        )
        for k in (-1, 0, 1)
    ]
    return shapely.union_all(turns)
