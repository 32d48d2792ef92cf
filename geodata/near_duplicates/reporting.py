"""What training, gallery and test rows share, by what is written and by what is seen."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata import coords, files, leakage, tables
from geodata.near_duplicates.bursts import bits_apart, burst_of
from geodata.near_duplicates.findings import PAIRS, Bursts, Leakage, Overlap
from geodata.near_duplicates.fingerprints import FINE_BITS
from geodata.near_duplicates.hashing import TABLE, fingerprints_of
from geodata.near_duplicates.searching import near
from geodata.sphere import haversine_km
from geodata.tables import DatasetError, TableVersion

MOST_BITS, MOST_FINE = 12, 80
"""Two pictures are near-duplicates if their hashes differ in at most so many of 64 and of 256 bits:
what recompressing, resizing and cutting off a twentieth leave, and chance does not reach."""


@dataclass(frozen=True)
class _Side:
    name: str
    marks: leakage.Marks
    ids: pa.Array
    has: NDArray[np.bool_]
    coarse: NDArray[np.uint64]
    fine: NDArray[np.uint8]

    @property
    def hashed(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.has)


def report(
    lake: str | os.PathLike[str],
    *,
    train: str,
    test: str,
    gallery: str | None = None,
    hashes: str = TABLE,
    most_bits: int = MOST_BITS,
    most_fine: int = MOST_FINE,
) -> Leakage:
    """Compare the test with the training rows and the gallery, and the gallery with training.

    Pictures count that `hash_photos` hashed before; the report says how many of a table did.

    Parameters
    ----------
    train, test, gallery
        Tables of the lake, ``rand`` or ``rand@paper``.
    hashes
        The table of hashes.
    most_bits, most_fine
        Most bits in which the hashes of near-duplicates differ, of 64 (up to 15) and of 256.

    Raises
    ------
    DatasetError, TableError
        If a table or its pictures' hashes are not there.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> from PIL import Image
    >>> from geodata.near_duplicates import hash_photos
    >>> lake = tempfile.TemporaryDirectory()
    >>> Image.radial_gradient("L").rotate(20).save(lake.name + "/a.png")
    >>> photos = pa.table({"photo_id": ["1"], "image": ["a.png"]})
    >>> for name in ("rand", "im2gps3k"):
    ...     _ = tables.append(f"{lake.name}/{name}", photos)
    ...     _ = hash_photos(lake.name, name, root=lake.name, workers=1)
    >>> [found] = report(lake.name, train="rand", test="im2gps3k").overlaps
    >>> found.rows_of, found.others, found.look, found.compared
    ('im2gps3k@0', 'rand@0', 1, 1)
    >>> lake.cleanup()
    """
    if not 0 <= most_fine <= FINE_BITS:
        msg = f"most_fine {most_fine!r} must be from 0 to {FINE_BITS}"
        raise DatasetError(msg)
    if not tables.exists(tables.path_of(lake, hashes)):
        msg = f"the lake has no table {hashes!r} of hashes; geodata photos hash makes it"
        raise DatasetError(msg)
    asked = {"train": train, "test": test, "gallery": gallery}
    opened = {role: _opened(lake, role, name) for role, name in asked.items() if name}
    sides = {role: _side(lake, version, hashes) for role, version in opened.items()}
    order = [("test", "train"), ("test", "gallery"), ("gallery", "train")]
    made = tables.open(tables.path_of(lake, hashes)).note
    return Leakage(
        tables={role: f"{v.path.name}@{v.version}" for role, v in opened.items()},
        overlaps=tuple(
            _overlap(sides[a], sides[b], most_bits, most_fine)
            for a, b in order
            if a in sides and b in sides
        ),
        bursts=tuple(_bursts(side, most_bits, most_fine) for side in sides.values()),
        most_bits=most_bits,
        most_fine=most_fine,
        made_by={k: made[k] for k in ("hash", "imagehash", "pillow") if k in made},
    )


def _opened(lake: str | os.PathLike[str], role: str, name: str) -> TableVersion:
    version = tables.open_input(lake, role, name).table
    missing = [column for column in ("photo_id", "image") if column not in version.schema.names]
    if missing:
        msg = f"{version.path.name}: has no column {missing[0]!r}; photos import makes it"
        raise DatasetError(msg)
    return version


def _side(lake: str | os.PathLike[str], version: TableVersion, hashes: str) -> _Side:
    names = version.schema.names
    author = "author" if "author" in names else None
    pair = ("lat", "lon") if {"lat", "lon"} <= set(names) else None
    wanted = ["photo_id", *(["author"] if author else []), *(pair or ())]
    # a table without rows has no batch, and shares nothing: it does not lack the columns
    none = version.schema.empty_table().select(wanted)
    batches = itertools.chain([none], version.batches(wanted))
    marks = leakage.marks(batches, id="photo_id", author=author, pair=pair)
    rows = version.arrow(["photo_id", "image"])
    has, coarse, fine = fingerprints_of(lake, rows, hashes)
    ids = files.id_text(rows["photo_id"]).combine_chunks()
    return _Side(f"{version.path.name}@{version.version}", marks, ids, has, coarse, fine)


def _overlap(rows: _Side, others: _Side, most_bits: int, most_fine: int) -> Overlap:
    found = near(rows.coarse, others.coarse, most_bits)
    fine = bits_apart(rows.fine[found.query], others.fine[found.known])
    sure = fine <= most_fine
    a, b = rows.hashed[found.query[sure]], others.hashed[found.known[sure]]
    pairs = _pairs(rows, others, (a, b), found.bits[sure], fine[sure])
    alike = np.zeros(rows.marks.rows, bool)
    alike[a] = True
    same = leakage.shared_photos(rows.marks, others.marks)
    return Overlap(
        rows_of=rows.name,
        others=others.name,
        rows=rows.marks.rows,
        compared=len(rows.coarse) if len(others.coarse) else 0,
        photo=_count(same),
        author=_count(leakage.shared_authors(rows.marks, others.marks)),
        place=_count(leakage.shared_places(rows.marks, others.marks)),
        look=int(alike.sum()),
        look_only=int((alike if same is None else alike & ~same).sum()),
        pairs=pairs,
    )


def _count(mask: NDArray[np.bool_] | None) -> int | None:
    return None if mask is None else int(mask.sum())


def _pairs(
    rows: _Side,
    others: _Side,
    at: tuple[NDArray[np.int64], NDArray[np.int64]],
    bits: NDArray[np.uint8],
    fine: NDArray[np.int64],
) -> pa.Table:
    a, b = at
    columns: Iterable[Any] = (
        a, rows.ids.take(pa.array(a)), b, others.ids.take(pa.array(b)), bits, fine,
        _same_photo(rows.marks, others.marks, a, b), _km(rows.marks, others.marks, a, b),
    )  # fmt: skip
    return pa.Table.from_arrays(
        [pa.array(column).cast(kind.type) for column, kind in zip(columns, PAIRS, strict=True)],
        schema=PAIRS,
    )


def _same_photo(
    rows: leakage.Marks, others: leakage.Marks, a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.bool_]:
    x, y = rows.photos, others.photos
    assert x is not None
    assert y is not None
    same = (x.path[a] == y.path[b]) & (x.path[a] != 0)
    same |= (x.number[a] == y.number[b]) & (x.number[a] != 0)
    bare = x.is_bare[a] | y.is_bare[b]
    return np.asarray(same | (bare & (x.base[a] == y.base[b])))  # a bare id is there


def _km(
    rows: leakage.Marks, others: leakage.Marks, a: NDArray[np.int64], b: NDArray[np.int64]
) -> pa.Array:
    if rows.points is None or others.points is None:
        return pa.nulls(len(a), pa.float64())
    x, y = _at(rows.points, a), _at(others.points, b)
    good = x.valid & y.valid
    return pa.array(haversine_km(x.lat, x.lon, y.lat, y.lon), mask=~good)


def _at(points: coords.Coordinates, rows: NDArray[np.int64]) -> coords.Coordinates:
    return coords.Coordinates(points.lat[rows], points.lon[rows], points.valid[rows])


def _bursts(side: _Side, most_bits: int, most_fine: int) -> Bursts:
    authors = side.marks.authors
    named = np.zeros(len(side.coarse), np.uint64) if authors is None else authors[side.hashed]
    found = burst_of(named, side.coarse, side.fine, most_bits, most_fine)
    sizes = np.bincount(found[found >= 0])
    return Bursts(
        rows_of=side.name,
        compared=int((named != 0).sum()),
        bursts=len(sizes),
        photos=int(sizes.sum()),
        largest=int(sizes.max(initial=0)),
    )
