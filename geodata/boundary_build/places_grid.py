"""Divide the globe into cells that know which places can win in them.

The descent starts at half a degree and quarters. A cell keeps a place only as long as no other
place of its country beats it all over the cell. With ``s = d - R`` the score of the rule, ``D``
the distance from the centre of the cell and ``h`` its radius, ``|d - D| <= h`` everywhere in it,
so a place whose ``D - R`` exceeds the best one's by more than ``2 h`` cannot win: the test may
keep too many places, never too few. A cell whose places lie in one city is finished; the others
are split until the resolution that the number of places around deserves, and once more to
shorten the lists. Distances are straight lines through the Earth, in km: the chord grows with
the great circle and obeys the same triangle inequality.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geodata.places import BASE_COLS, BASE_ROWS, MAX_KM, MAX_SHIFT
from geodata.sphere import EARTH_RADIUS_KM, unit_vectors

CELLS_PER_PLACE = 2
"""Sets the resolution: more cells make a larger file with shorter lists."""

_BASE_DEGREES = 180.0 / BASE_ROWS
_DEEPER = 2  # levels below the stored one: they shorten the lists
_SLACK_KM = 1e-3  # above the rounding of the bounds and the chord's difference from the arc

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Sites(NamedTuple):
    """What the descent knows about the places, each of shape (n,), points (n, 3); km."""

    points: Floats
    country: Ints
    city: Ints
    reach: Floats
    radius: Floats


class Pairs(NamedTuple):
    """Cells of one level and places that may win in them, sorted by both.

    A cell of level ``k`` is ``base << 2 k`` plus k pairs of bits, north then east, so that the
    quarters of a cell follow each other.
    """

    cell: Ints
    place: Ints


class Found(NamedTuple):
    """Stored cells (slots), the half-degree cells around them, and their candidates."""

    slot: Ints
    base: Ints
    place: Ints


def build_grid(sites: Sites) -> dict[str, NDArray[Any]]:
    """Return the grid's arrays, as `geodata.places.grid` describes them; places come by country."""
    pairs = _prune(_first_pairs(sites), 0, sites)
    shift = _resolution(sites.points)
    shift[pairs.cell[_uniform(pairs, sites.city)]] = 0
    active = np.unique(pairs.cell)
    size = np.zeros(len(shift), np.int64)
    size[active] = 4 ** shift[active]
    start = np.where(size > 0, 1 + np.cumsum(size) - size, 0)  # slot 0 is nobody's
    shift[size == 0] = 0
    found = _one_city_each(_join(list(_descend(pairs, shift, start, sites))), sites)
    table = _pack(found, 1 + int(size.sum()), len(shift))
    return {"base": (start * 8 + shift).astype("<i4"), **table}


def _descend(pairs: Pairs, shift: Ints, start: Ints, sites: Sites) -> Iterator[Found]:
    for level in range(MAX_SHIFT + _DEEPER + 1):
        if level:
            pairs = _prune(pairs, level, sites)
        base = pairs.cell >> 2 * level
        finest = level == shift[base] + _DEEPER
        sole = ~finest & _uniform(pairs, sites.city)
        yield from _filled(_take(pairs, finest | sole), level, shift, start)
        pairs = _quarter(_take(pairs, ~(finest | sole)))


def _first_pairs(sites: Sites) -> Pairs:
    """Pair the half-degree cells with the places of each country that may win there."""
    from scipy.spatial import cKDTree

    centre, radius = _geometry(np.arange(BASE_ROWS * BASE_COLS), 0)
    globe = cKDTree(centre)
    cells, places = [], []
    for code in np.unique(sites.country):
        own = np.flatnonzero(sites.country == code)
        tree = cKDTree(sites.points[own])
        far = MAX_KM + sites.radius[own].max() + radius.max()
        near = np.unique(balls(globe, sites.points[own], far)[0])
        nearest = tree.query(centre[near])[0]
        bound = nearest + 2 * radius[near] + sites.reach[own].max() + _SLACK_KM
        place, row = balls(tree, centre[near], bound)
        cells.append(near[row])
        places.append(own[place])
    return _sorted(Pairs(np.concatenate(cells), np.concatenate(places)))


def _prune(pairs: Pairs, level: int, sites: Sites) -> Pairs:
    """Drop places that another of their country beats all over the cell, or too far cities."""
    first = _groups(pairs.cell)
    row = _numbers(first, len(pairs.cell))
    centre, radius = _geometry(pairs.cell[first], level)
    score = norm(centre[row] - sites.points[pairs.place]) - sites.reach[pairs.place]
    city = sites.city[pairs.place]
    outside = norm(centre[row] - sites.points[city]) - sites.radius[city]
    rivals = _groups(pairs.cell, sites.country[pairs.place])
    number = _numbers(rivals, len(row))
    best = np.minimum.reduceat(score, rivals)[number]
    nearest = np.minimum.reduceat(outside, rivals)[number]
    may_win = score - best <= 2 * radius[row] + _SLACK_KM
    return _take(pairs, may_win & (nearest - radius[row] <= MAX_KM + _SLACK_KM))


def _geometry(cells: Ints, level: int) -> tuple[Floats, Floats]:
    """Return centres (n, 3) and radii (n,) of cells, km; the farthest point is a corner."""
    step = _BASE_DEGREES / (1 << level)
    (row, col), (north, east) = np.divmod(cells >> 2 * level, BASE_COLS), _inside(cells, level)
    south = row * _BASE_DEGREES + north * step - 90.0
    west = col * _BASE_DEGREES + east * step - 180.0
    centre = EARTH_RADIUS_KM * unit_vectors(south + step / 2, west + step / 2)
    corners = [EARTH_RADIUS_KM * unit_vectors(edge, west) for edge in (south, south + step)]
    return centre, np.maximum(*(norm(centre - corner) for corner in corners))  # east is alike


def _resolution(points: Floats) -> Ints:
    """Return per base cell how often it is halved: by the number of places in it."""
    lat = np.degrees(np.arcsin(np.clip(points[:, 2] / EARTH_RADIUS_KM, -1.0, 1.0)))
    lon = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    row = np.minimum((lat + 90.0) / _BASE_DEGREES, BASE_ROWS - 1).astype(np.int64)
    col = ((lon + 180.0) / _BASE_DEGREES).astype(np.int64) % BASE_COLS
    count = np.bincount(row * BASE_COLS + col, minlength=BASE_ROWS * BASE_COLS)
    halvings = np.ceil(np.log2(CELLS_PER_PLACE * (count + 1)) / 2).astype(np.int64)
    return np.asarray(np.minimum(halvings, MAX_SHIFT))


def _uniform(pairs: Pairs, city: Ints) -> NDArray[np.bool_]:
    """Return for each pair whether all places of its cell belong to one city."""
    group = _groups(pairs.cell)
    if not len(group):
        return np.zeros(0, bool)
    of_place = city[pairs.place]
    same = np.minimum.reduceat(of_place, group) == np.maximum.reduceat(of_place, group)
    return np.asarray(same[_numbers(group, len(of_place))])


def _quarter(pairs: Pairs) -> Pairs:
    """Hand the places of each cell to its four quarters."""
    first = _groups(pairs.cell)
    length = np.diff(np.append(first, len(pairs.cell)))
    lengths = np.repeat(length, 4)
    begin = np.cumsum(lengths) - lengths
    source = np.arange(4 * len(pairs.cell)) + np.repeat(np.repeat(first, 4) - begin, lengths)
    quarters = (4 * pairs.cell[first][:, None] + np.arange(4)).ravel()
    return Pairs(np.repeat(quarters, lengths), pairs.place[source])


def _inside(cell: Ints, level: int) -> tuple[Ints, Ints]:
    """Return row and column of a cell within its base cell."""
    row, col = np.zeros_like(cell), np.zeros_like(cell)
    for bit in range(level):
        row |= (cell >> (2 * bit + 1) & 1) << bit
        col |= (cell >> (2 * bit) & 1) << bit
    return row, col


def _slots(cell: Ints, level: int, shift: Ints, start: Ints) -> Ints:
    """Return where cells are stored: their own slot, or that of the stored cell around them."""
    base = cell >> 2 * level
    kept = shift[base]
    deeper, wider = np.maximum(level - kept, 0), np.maximum(kept - level, 0)
    row, col = ((part >> deeper) << wider for part in _inside(cell, level))
    return np.asarray(start[base] + (row << kept) + col)


def _filled(pairs: Pairs, level: int, shift: Ints, start: Ints) -> Iterator[Found]:
    """Yield every slot that finished cells cover or lie in, with their candidates."""
    base = pairs.cell >> 2 * level
    kept = shift[base]
    corner = _slots(pairs.cell, level, shift, start)
    for halvings in np.unique(kept):
        own = kept == halvings
        side = np.arange(1 << max(int(halvings) - level, 0))
        block = ((side[:, None] << int(halvings)) + side).ravel()
        slot = (corner[own][:, None] + block).ravel()
        yield Found(slot, *(np.repeat(v[own], len(block)) for v in (base, pairs.place)))


def _join(parts: list[Found]) -> Found:
    """Sort by slot and place, and keep each pair once."""
    slot, base, place = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((place, slot))
    slot, base, place = slot[order], base[order], place[order]
    first = _groups(slot, place)
    return Found(slot[first], base[first], place[first])


def _one_city_each(found: Found, sites: Sites) -> Found:
    """Let the city stand for its parts where a country has no other in a slot."""
    city = sites.city[found.place]
    group = _groups(found.slot, sites.country[found.place])
    same = np.minimum.reduceat(city, group) == np.maximum.reduceat(city, group)
    same = same[_numbers(group, len(city))]
    return _join([found._replace(place=np.where(same, city, found.place))])


def _pack(found: Found, n_slots: int, n_bases: int) -> dict[str, Any]:
    """Give candidates a number within their half-degree cell, and store equal lists once."""
    near, local = _local(found)
    near_start = np.searchsorted(near[0], np.arange(n_bases + 1))
    cells = np.zeros(n_slots, np.int64)
    items, ends, count = [], [np.zeros(2, np.int64)], 1  # the empty list for no place
    first = _groups(found.slot)
    length = np.diff(np.append(first, len(found.slot)))
    for size in np.unique(length):
        own = first[length == size]
        rows, number = _distinct(local[own[:, None] + np.arange(size)])
        cells[found.slot[own]] = count + number
        items.append(rows.ravel())
        ends.append(ends[-1][-1] + size * np.arange(1, len(rows) + 1))
        count += len(rows)
    return {
        "cells": cells.astype("<i4"),
        "near_start": near_start.astype("<i4"),
        "near": near[1].astype("<i4"),
        "list_start": np.concatenate(ends).astype("<i4"),
        "list_item": np.concatenate(items).astype("<u2"),
    }


def _local(found: Found) -> tuple[tuple[Ints, Ints], Ints]:
    """Return the (base, place) pairs in order, and the rank of each candidate in its base."""
    order = np.lexsort((found.place, found.base))
    base, place = found.base[order], found.place[order]
    first = _groups(base, place)
    rank = np.arange(len(first)) - np.searchsorted(base[first], base[first])
    local = np.empty(len(order), np.int64)
    local[order] = rank[_numbers(first, len(order))]
    return (base[first], place[first]), local


def _distinct(rows: Ints) -> tuple[Ints, Ints]:
    """Return the distinct rows in order, and the number of each row among them."""
    order = np.lexsort(rows.T[::-1])
    first = _groups(*rows[order].T)
    number = np.empty(len(rows), np.int64)
    number[order] = _numbers(first, len(rows))
    return rows[order][first], number


def _groups(*keys: Ints) -> Ints:
    """Return the first row of each run of equal keys."""
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    changed = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return np.flatnonzero(np.concatenate([[True], changed]))


def _numbers(first: Ints, n: int) -> Ints:
    """Return for each of n rows the number of its run."""
    return np.repeat(np.arange(len(first)), np.diff(np.append(first, n)))


def _take(pairs: Pairs, mask: NDArray[np.bool_]) -> Pairs:
    return Pairs(pairs.cell[mask], pairs.place[mask])


def _sorted(pairs: Pairs) -> Pairs:
    order = np.lexsort((pairs.place, pairs.cell))
    return Pairs(pairs.cell[order], pairs.place[order])


def norm(vectors: Floats) -> Floats:
    """Return the lengths of vectors, (n, 3) -> (n,)."""
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=1)))


def balls(tree: Any, centres: Floats, radius: Floats | float) -> tuple[Ints, Ints]:
    """Return (item of the tree, centre) for each item within the radius of a centre."""
    found = tree.query_ball_point(centres, radius, return_sorted=True)
    sizes = np.fromiter(map(len, found), np.int64, len(found))
    items = np.fromiter((i for row in found for i in row), np.int64, int(sizes.sum()))
    return items, np.repeat(np.arange(len(centres)), sizes)
