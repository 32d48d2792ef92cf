"""Build a `geodata.locate.Index` from polygons: vectorised and exact.

Here polygons become unique edges with the regions they bound, and edges become pairs of edge and
grid cell. `geodata.locate.contents` then finds what lies behind each cell and writes the arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.locate.contents import assemble
from geodata.locate.edges import MARGIN, Edges, Floats, Heads, Ints, expand
from geodata.locate.index import CELL, COLUMNS, FORMAT, MAX_CANDIDATES, ROWS, UNITS, Index

MIN_DIVISION, MAX_DIVISION = 4, 64
FINER_DIVISION = 16
HARD_DIVISION = 1024
EDGES_PER_STRIP = 4.0


def build(
    geometries: Sequence[Any] | NDArray[Any],
    layer: Sequence[int] | NDArray[Any] | None = None,
    *,
    meta: dict[str, Any] | None = None,
    edges_per_strip: float = EDGES_PER_STRIP,
    max_division: int = MAX_DIVISION,
    finer: Sequence[int] | NDArray[Any] = (),
) -> Index:
    """Build the index of polygons in one or more layers.

    Parameters
    ----------
    geometries : sequence of shapely Polygon or MultiPolygon, lon/lat degrees
        Within ±180 and ±90; vertices are snapped to 1e-7 degrees.
    layer : sequence of int, shape (n,), optional
        0, 1, ... for each geometry, e.g. 0 = country and 1 = admin1; all 0 by default.
    meta : dict, optional
        Notes to keep with the index (JSON).
    edges_per_strip, max_division
        A base cell with n edges is divided into k x k, k the power of two from
        ``n / edges_per_strip``, at least 4 and at most ``max_division``: finer is faster and
        larger.
    finer : sequence of int
        Base cells, row by row from the south-west, that are divided into 16 x 16 at least where
        a border crosses them.

    Returns
    -------
    Index
        Its regions are positions in ``geometries``.

    Raises
    ------
    ValueError
        For an empty or non-polygonal geometry, coordinates out of range, geometries that are
        all smaller than 1e-7 degrees, or more than 14 regions that meet in one cell of 1/4096
        degree.

    Examples
    --------
    >>> west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    >>> index = build([west, east])
    >>> index.regions([0.5, 0.5, 0.5, 5.0], [0.5, 1.0, 1.5, 5.0]).ravel()  # 1.0: the border
    array([ 0,  1,  1, -1], dtype=int32)
    """
    polygons = np.asarray(geometries)
    layers = np.zeros(len(polygons), np.int64) if layer is None else np.asarray(layer, np.int64)
    _check(polygons, layers)
    # Regions are renumbered by layer, then area, so that the smaller number wins.
    order = np.lexsort((np.arange(len(polygons)), shapely.area(polygons), layers))
    edges = _unique_edges(polygons[order])
    if not len(edges.units):
        msg = (
            f"no geometry is as large as {1 / UNITS:g} degrees (1 cm), so none has an edge; check "
            "their unit"
        )
        raise ValueError(msg)
    heads, sub_edge, sub_cell = _divide(edges, edges_per_strip, max_division, finer)
    data = assemble(edges, layers[order], order, heads, sub_edge, sub_cell)
    notes = {
        "format": FORMAT,
        "layers": int(layers.max()) + 1,
        "regions": len(polygons),
        "edges": len(edges.units),
    }
    return Index(data, {**notes, **(meta or {})})


def _check(polygons: NDArray[Any], layers: Ints) -> None:
    if len(polygons) == 0:
        msg = "no geometries to index; give at least one polygon"
        raise ValueError(msg)
    if layers.shape != polygons.shape or layers.min() < 0:
        msg = f"layer must hold one number >= 0 a geometry, got shape {layers.shape}"
        raise ValueError(msg)
    kinds = shapely.get_type_id(polygons)
    wrong = np.flatnonzero(((kinds != 3) & (kinds != 6)) | shapely.is_empty(polygons))
    if len(wrong):
        msg = f"geometry {wrong[0]} is {polygons[wrong[0]]!r:.60}; expected a filled polygon"
        raise ValueError(msg)
    xmin, ymin, xmax, ymax = shapely.total_bounds(polygons)
    if not (xmin >= -180 and xmax <= 180 and ymin >= -90 and ymax <= 90):
        msg = (
            f"coordinates span {xmin}..{xmax}, {ymin}..{ymax}; expected longitudes within ±180 "
            "and latitudes within ±90: reproject, and split at the antimeridian"
        )
        raise ValueError(msg)


def _unique_edges(polygons: NDArray[Any]) -> Edges:
    """Edges with both ends in order; one that a region has twice bounds nothing there."""
    parts, part_region = shapely.get_parts(polygons, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    xy, vertex_ring = shapely.get_coordinates(rings, return_index=True)
    units = np.rint(xy * UNITS).astype(np.int32)
    same_ring = vertex_ring[1:] == vertex_ring[:-1]
    a, b = units[:-1][same_ring], units[1:][same_ring]
    region = part_region[ring_part][vertex_ring[:-1][same_ring]]
    differs = (a != b).any(axis=1)
    a, b, region = a[differs], b[differs], region[differs]
    swap = (a[:, 1] > b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] > b[:, 0]))
    a[swap], b[swap] = b[swap], a[swap]
    ends = np.ascontiguousarray(np.hstack([a, b]))
    halves = ends.view(np.int64)  # two sort keys instead of four
    order = np.lexsort((region, halves[:, 1], halves[:, 0]))
    halves, region = halves[order], region[order]
    new_edge = np.r_[True, (halves[1:] != halves[:-1]).any(axis=1)]
    new_pair = new_edge | np.r_[True, region[1:] != region[:-1]]
    first = np.flatnonzero(new_pair)
    odd = np.diff(np.r_[first, len(region)]) % 2 == 1
    pair = first[odd]
    edge_id = (np.cumsum(new_edge) - 1)[pair]
    kept, compact = np.unique(edge_id, return_inverse=True)
    units_kept = np.ascontiguousarray(ends[order][np.flatnonzero(new_edge)[kept]])
    start = np.r_[0, np.cumsum(np.bincount(compact, minlength=len(kept)))]
    bounded = region[pair].astype(np.int64)
    return Edges(units_kept, units_kept / UNITS, start, bounded, len(polygons))


def _base_cells(edges: Edges) -> tuple[Ints, Ints]:
    """Pairs (edge, base cell) for every base cell an edge touches, by cell."""
    n = len(edges.degrees)
    west, south, step = np.full(n, -180.0), np.full(n, -90.0), np.full(n, CELL)
    who, row, col = _touched(edges.degrees, west, south, step, ROWS, COLUMNS)
    cell = row * COLUMNS + col
    order = np.argsort(cell, kind="stable")
    return who[order], cell[order]


def _touched(
    ends: Floats, west: Floats, south: Floats, step: Floats, rows: Any, columns: Any
) -> tuple[Ints, Ints, Ints]:
    """Return (edge, row, column) for the cells within `MARGIN` of each edge, in its own grid.

    Edge i lies in a grid of ``rows[i] x columns[i]`` square cells of ``step[i]`` degrees.
    """
    ax, ay, bx, by = ends.T
    rows, columns = np.broadcast_to(rows, len(ends)), np.broadcast_to(columns, len(ends))
    r0 = np.maximum(np.floor((ay - MARGIN - south) / step), 0)
    r1 = np.minimum(np.floor((by + MARGIN - south) / step), rows - 1)
    who, row = expand(r0.astype(np.int64), r1.astype(np.int64))
    ax, ay, bx, by, west_, step_ = (v[who] for v in (ax, ay, bx, by, west, step))
    low = south[who] + row * step_ - MARGIN
    rise = by - ay
    flat = rise == 0
    safe = np.where(flat, 1.0, rise)
    t0 = np.where(flat, 0.0, np.clip((low - ay) / safe, 0.0, 1.0))
    t1 = np.where(flat, 1.0, np.clip((low + step_ + 2 * MARGIN - ay) / safe, 0.0, 1.0))
    xa, xb = ax + t0 * (bx - ax), ax + t1 * (bx - ax)
    # rounding of (low - ay) moves x by the slope, and so does the margin in low, which is larger
    c0 = np.maximum(np.floor((np.minimum(xa, xb) - 2 * MARGIN - west_) / step_), 0)
    c1 = np.minimum(np.floor((np.maximum(xa, xb) + 2 * MARGIN - west_) / step_), columns[who] - 1)
    pair, col = expand(c0.astype(np.int64), c1.astype(np.int64))
    return who[pair], row[pair], col


def _divide(
    edges: Edges,
    edges_per_strip: float,
    max_division: int,
    finer: Sequence[int] | NDArray[Any],
) -> tuple[Heads, Ints, Ints]:
    """Choose k for each base cell with edges; return (edge, sub-cell) pairs, by sub-cell."""
    base_edge, base_cell = _base_cells(edges)
    cell, head, count = np.unique(base_cell, return_inverse=True, return_counts=True)
    wanted = np.ceil(np.log2(np.maximum(count / edges_per_strip, 1.0)))
    k = np.clip(2 ** wanted.astype(np.int64), min(MIN_DIVISION, max_division), max_division)
    k = np.where(np.isin(cell, finer), np.maximum(k, FINER_DIVISION), k)
    while True:
        heads = Heads(cell, k, np.r_[0, np.cumsum(k * k)], base_edge, head)
        sub_edge, sub_cell = _sub_cells(edges, heads)
        crowded = _crowded(edges, heads, sub_edge, sub_cell)
        if not len(crowded):
            return heads, sub_edge, sub_cell
        if k[crowded].max() >= HARD_DIVISION:
            msg = (
                f"more than {MAX_CANDIDATES} regions meet in one small cell near lat "
                f"{heads.south[crowded[0]]}, lon {heads.west[crowded[0]]}; "
                "dissolve or drop duplicate polygons"
            )
            raise ValueError(msg)
        k[crowded] *= 4


def _sub_cells(edges: Edges, heads: Heads) -> tuple[Ints, Ints]:
    head = heads.edge_head
    k = heads.k[head]
    who, row, col = _touched(
        edges.degrees[heads.edge], heads.west[head], heads.south[head], CELL / k, k, k
    )
    cell = heads.sub[head[who]] + row * k[who] + col
    order = np.argsort(cell, kind="stable")
    return heads.edge[who][order], cell[order]


def _crowded(edges: Edges, heads: Heads, sub_edge: Ints, sub_cell: Ints) -> Ints:
    """Heads with a sub-cell where more regions meet than a record has bits."""
    pair_cell, _ = edges.candidates(sub_edge, sub_cell)
    cell, count = np.unique(pair_cell, return_counts=True)
    return np.unique(np.searchsorted(heads.sub, cell[count > MAX_CANDIDATES], "right") - 1)
