"""The second half of building a `geodata.locate.Index`: what each cell contains.

For the south-west corner of every base cell, rows are swept to find the regions that contain it.
Inside a divided base cell only its own edges matter: they toggle runs of sub-cell corners. A
sub-cell without edges then has its owner; one with edges becomes a record, whose starting
parities make the test on its own edges equal to the test on all edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.locate.edges import MARGIN, Edges, Floats, Heads, Ints, expand
from geodata.locate.index import CELL, COLUMNS, HIGH_EAST, LOW_EAST, ROWS, edge_masks, left_of

Bools = NDArray[np.bool_]
_CHUNK_PAIRS = 1 << 22


@dataclass(frozen=True)
class _Records:
    """The sub-cells with edges: their candidates and edges, both by record."""

    cell: Ints  # (r,)
    first: Ints  # (r + 1,) into candidate
    candidate: Ints  # regions, by precedence
    inside: Bools  # whether each contains the sub-cell's south-west corner
    edge: Ints
    edge_start: Ints  # (r + 1,)
    mask: NDArray[np.uint16]


def assemble(
    edges: Edges, layer_of: Ints, order: Ints, heads: Heads, sub_edge: Ints, sub_cell: Ints
) -> dict[str, NDArray[Any]]:
    """Return the arrays of the index; region numbers are translated by ``order`` in ``owners``."""
    full = _base_contents(edges)
    candidates = edges.candidates(sub_edge, sub_cell)
    inside, behind = _sub_contents(edges, layer_of, heads, full, candidates)
    records = _records(edges, heads, sub_edge, sub_cell, candidates, inside)
    table, table_start = _decision_tables(records, behind, layer_of)

    base = np.full((behind.shape[0], COLUMNS * ROWS), len(layer_of), np.int32)
    np.minimum.at(base, (layer_of[full[1]], full[0]), full[1].astype(np.int32))
    owners, (base_id, sub_id, table_id) = _owner_ids([base, behind, table], len(layer_of))
    base_id[heads.cell] = ~np.arange(len(heads.cell), dtype=np.int32)
    sub_id[records.cell] = ~np.arange(len(records.cell), dtype=np.int32)
    return {
        "base": base_id,
        "head": (heads.sub[:-1] << 8) | np.log2(heads.k).astype(np.int64),
        "sub": sub_id,
        "edge_start": records.edge_start.astype(np.int32),
        "table_start": table_start.astype(np.int32),
        "inside": _starting_parity(edges, heads, records),
        "edge": edges.units[records.edge],
        "mask": records.mask,
        "table": table_id,
        "owners": np.r_[order, -1].astype(np.int32)[owners],
    }


def _left_count(
    edges: Edges, edge: Ints, y: NDArray[Any], west: Floats, step: NDArray[Any], most: Any
) -> Ints:
    """Return how many lines ``west + i * step`` are strictly left of each edge at height y."""
    ax, ay, bx, by = edges.degrees[edge].T
    at = (ax + (y - ay) / (by - ay) * (bx - ax) - west) / step
    count, near = np.ceil(at), np.rint(at)
    for i in np.flatnonzero(np.abs(at - near) < 1e-6):
        line = west[i] + near[i] * step[i]
        count[i] = near[i] + left_of(ax[i], ay[i], bx[i], by[i], line, y[i])
    return np.asarray(np.clip(count, 0, most), np.int64)


def _base_contents(edges: Edges) -> tuple[Ints, Ints]:
    """Pairs (base cell, region): the regions that contain each base cell's south-west corner."""
    ay, by = edges.degrees[:, 1], edges.degrees[:, 3]
    first = np.ceil((ay + 90.0) / CELL).astype(np.int64)
    last = np.ceil((by + 90.0) / CELL).astype(np.int64) - 1
    edge, row = expand(first, last)
    west, step = np.full(len(edge), -180.0), np.full(len(edge), CELL)
    col = _left_count(edges, edge, np.asarray(-90.0 + row * CELL), west, step, COLUMNS)
    who, region = edges.bounds(edge)
    row, col = row[who], col[who]
    order = np.lexsort((col, row, region))
    region, row, col = region[order], row[order], col[order]
    run, column = expand(col[0::2], col[1::2] - 1)  # rings close: crossings come in pairs
    return row[0::2][run] * COLUMNS + column, region[0::2][run]


def _sub_contents(
    edges: Edges,
    layer_of: Ints,
    heads: Heads,
    full: tuple[Ints, Ints],
    candidates: tuple[Ints, Ints],
) -> tuple[Bools, NDArray[np.int32]]:
    """Find containment at the south-west corner of every sub-cell.

    Returns ``inside`` for each (sub-cell, candidate) pair, and ``behind`` (layers, sub-cells):
    the first region among those that contain the sub-cell and have no edge in it.
    """
    pair_head, pair_region = edges.candidates(heads.edge, heads.edge_head)
    pair_key = pair_head * edges.regions + pair_region
    corner, behind = _base_corners(edges, layer_of, heads, full, pair_key)
    cell, region = candidates
    head = np.searchsorted(heads.sub, cell, "right") - 1
    pair = np.searchsorted(pair_key, head * edges.regions + region)
    inside = np.empty(len(cell), bool)
    for lo, hi in _head_chunks(heads, pair_head):
        pairs = slice(*np.searchsorted(pair_head, (lo, hi)))
        size = heads.k[pair_head[pairs]] ** 2
        offset = np.r_[0, np.cumsum(size)]
        parity = _parities(edges, heads, (lo, hi), pair_key[pairs], offset)
        parity ^= np.repeat(parity[offset[:-1]] ^ corner[pairs], size)
        mine = slice(*np.searchsorted(head, (lo, hi)))
        place = offset[pair[mine] - pairs.start] + cell[mine] - heads.sub[head[mine]]
        inside[mine] = parity[place]
        parity[place] = False  # a candidate is decided by its edges: it is not behind them
        found = np.flatnonzero(parity)
        of = np.searchsorted(offset, found, "right") - 1
        at = heads.sub[pair_head[pairs][of]] + found - offset[of]
        winner = pair_region[pairs][of]
        np.minimum.at(behind, (layer_of[winner], at), winner.astype(np.int32))
    return inside, behind


def _base_corners(
    edges: Edges, layer_of: Ints, heads: Heads, full: tuple[Ints, Ints], pair_key: Ints
) -> tuple[Bools, NDArray[np.int32]]:
    """Which candidates contain their base cell's corner, and what contains whole base cells.

    East of a corner that a region contains is an edge of it, so a head and a pair are found.
    """
    head = np.searchsorted(heads.cell, full[0])
    divided = heads.cell[head] == full[0]
    head, region = head[divided], full[1][divided]
    key = head * edges.regions + region
    at = np.searchsorted(pair_key, key)
    is_candidate = pair_key[at] == key
    corner = np.zeros(len(pair_key), bool)
    corner[at[is_candidate]] = True
    whole = np.full((int(layer_of.max()) + 1, len(heads.cell)), len(layer_of), np.int32)
    region, head = region[~is_candidate], head[~is_candidate]
    np.minimum.at(whole, (layer_of[region], head), region.astype(np.int32))
    return corner, np.repeat(whole, heads.k**2, axis=1)


def _head_chunks(heads: Heads, pair_head: Ints) -> Iterator[tuple[int, int]]:
    """Ranges of heads whose (candidate, sub-cell) arrays fit in memory."""
    size = np.cumsum(np.bincount(pair_head, minlength=len(heads.cell)) * heads.k**2)
    lo = 0
    while lo < len(heads.cell):
        done = int(size[lo - 1]) if lo else 0
        hi = max(int(np.searchsorted(size, done + _CHUNK_PAIRS, "right")), lo + 1)
        yield lo, hi
        lo = hi


def _parities(
    edges: Edges, heads: Heads, chunk: tuple[int, int], pair_key: Ints, offset: Ints
) -> Bools:
    """Parity of each candidate's edges at every sub-cell corner, up to a constant a candidate.

    In each row of corners that it spans, an edge toggles the corners left of it; an end east of
    the base cell toggles all rows above it, as in `geodata.locate.edge_masks`. A toggle is a run
    in one flat array, so the parity is a running sum over run ends.
    """
    span = slice(*np.searchsorted(heads.edge_head, chunk))
    edge, head = heads.edge[span], heads.edge_head[span]
    k = heads.k[head]
    west, south, step = heads.west[head], heads.south[head], CELL / k
    ax, ay, bx, by = edges.degrees[edge].T
    low = np.clip(np.ceil((ay - south) / step), 0, k).astype(np.int64)
    high = np.clip(np.ceil((by - south) / step), 0, k).astype(np.int64)
    who, row = expand(low, high - 1)
    height = south[who] + row * step[who]
    width = _left_count(edges, edge[who], height, west[who], step[who], k[who])
    runs = [(who, row * k[who], row * k[who] + width)]
    for end, first in ((ax, low), (bx, high)):
        east = np.flatnonzero(end > west + CELL + MARGIN)
        runs.append((east, first[east] * k[east], k[east] ** 2))
    toggles = np.zeros(int(offset[-1]) + 1, np.int64)
    for of, begin, stop in runs:
        which, region = edges.bounds(edge[of])
        pair = np.searchsorted(pair_key, head[of][which] * edges.regions + region)
        for place in (begin, stop):
            at = offset[pair] + place[which]
            toggles += np.bincount(at, minlength=len(toggles))
    return np.asarray(np.cumsum(toggles[:-1]) % 2 == 1)


def _records(
    edges: Edges,
    heads: Heads,
    sub_edge: Ints,
    sub_cell: Ints,
    candidates: tuple[Ints, Ints],
    inside: Bools,
) -> _Records:
    cand_cell, cand_region = candidates
    cell, first = np.unique(cand_cell, return_index=True)
    first = np.r_[first, len(cand_cell)]
    bit = np.arange(len(cand_cell)) - np.repeat(first[:-1], np.diff(first))
    who, region = edges.bounds(sub_edge)
    at = np.searchsorted(
        cand_cell * edges.regions + cand_region, sub_cell[who] * edges.regions + region
    )
    bits = np.bincount(who, weights=np.exp2(bit[at]), minlength=len(sub_edge))
    head = np.searchsorted(heads.sub, sub_cell, "right") - 1
    k = heads.k[head]
    column = (sub_cell - heads.sub[head]) % k
    east = heads.west[head] + (column + 1) * (CELL / k) + MARGIN
    ends = edges.degrees[sub_edge]
    mask = bits.astype(np.uint16)
    mask |= np.where(ends[:, 0] > east, LOW_EAST, np.uint16(0))
    mask |= np.where(ends[:, 2] > east, HIGH_EAST, np.uint16(0))
    start = np.r_[np.searchsorted(sub_cell, cell), len(sub_cell)]
    return _Records(cell, first, cand_region, inside, sub_edge, start, mask)


def _starting_parity(edges: Edges, heads: Heads, records: _Records) -> NDArray[np.uint16]:
    """Bits that, with the record's own edges, give the known containment at its corner."""
    bit = np.arange(len(records.inside)) - np.repeat(records.first[:-1], np.diff(records.first))
    known = np.add.reduceat(records.inside.astype(np.int64) << bit, records.first[:-1])
    head = np.searchsorted(heads.sub, records.cell, "right") - 1
    k = heads.k[head]
    row, column = np.divmod(records.cell - heads.sub[head], k)
    y, x = heads.south[head] + row * (CELL / k), heads.west[head] + column * (CELL / k)
    of = np.repeat(np.arange(len(records.cell)), np.diff(records.edge_start))
    masks = edge_masks(edges.units[records.edge], records.mask, y[of], x[of])
    own = np.bitwise_xor.reduceat(masks, records.edge_start[:-1])
    return np.asarray(known.astype(np.uint16) ^ own)


def _decision_tables(
    records: _Records, behind: NDArray[np.int32], layer_of: Ints
) -> tuple[NDArray[np.int32], Ints]:
    """For every set of parities, the winner of each layer; equal tables are stored once.

    Returns the winners (layers, rows of all tables), and where each record's table begins.
    """
    count = np.diff(records.first)
    back = behind[:, records.cell]
    table_start = np.empty(len(records.cell), np.int64)
    winners: list[NDArray[np.int32]] = []
    rows = 0
    for n in np.unique(count):
        mine = np.flatnonzero(count == n)
        regions = records.candidate[records.first[mine, None] + np.arange(n)]
        distinct, which = _distinct(np.hstack([regions, back[:, mine].T]))
        regions, last = distinct[:, :n], distinct[:, n:]
        table = np.broadcast_to(last[:, None, :], (len(last), 1 << n, last.shape[1])).copy()
        has = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1  # (2^n, n)
        for j in range(int(n)):
            layer = layer_of[regions[:, j]]
            won = table[np.arange(len(layer)), :, layer]
            least = np.where(has[:, j], np.minimum(won, regions[:, j, None]), won)
            table[np.arange(len(layer)), :, layer] = least
        table_start[mine] = rows + which * (1 << n)
        rows += len(table) << n
        winners.append(table.reshape(-1, last.shape[1]).T.astype(np.int32))
    return np.hstack(winners), table_start


def _distinct(rows: Ints) -> tuple[Ints, Ints]:
    """Return the distinct rows and which of them each row is."""
    group = np.zeros(len(rows), np.int64)
    for column in rows.T:
        _, group = np.unique(group * (int(column.max()) + 1) + column, return_inverse=True)
    _, first = np.unique(group, return_index=True)
    return rows[first], group


def _owner_ids(
    winners: list[NDArray[np.int32]], none: int
) -> tuple[NDArray[np.int32], list[NDArray[np.int32]]]:
    """Give each combination of regions over the layers a number; 0 is none in any layer."""
    rows = np.hstack(winners).T.astype(np.int64)
    distinct, which = _distinct(np.vstack([np.full((1, rows.shape[1]), none), rows]))
    home = which[0]
    rank = np.arange(len(distinct))
    rank[home], rank[0] = 0, rank[home]
    distinct[[0, home]] = distinct[[home, 0]]
    ids = rank[which[1:]].astype(np.int32)
    bounds = np.cumsum([w.shape[1] for w in winners])[:-1]
    return distinct.astype(np.int32), np.split(ids, bounds)
