"""What a leakage report says, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

PAIRS = pa.schema(
    [
        ("row", pa.int64()),
        ("photo_id", pa.string()),
        ("other_row", pa.int64()),
        ("other_id", pa.string()),
        ("bits", pa.int64()),
        ("bits_fine", pa.int64()),
        ("same_photo", pa.bool_()),
        ("km", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Overlap:
    """What the rows of one table share with those of another. None: a side lacks the column."""

    rows_of: str
    others: str
    rows: int
    compared: int
    """Rows with a hashed picture, where the others have some too."""
    photo: int | None
    author: int | None
    place: int | None
    look: int
    """Rows with a near-duplicate among the others."""
    look_only: int
    """Of these, rows that share no id with the others: ids do not tell."""
    pairs: pa.Table
    """Every pair of near-duplicates: rows from 0, ids, bits that differ, km between positions."""


@dataclass(frozen=True)
class Bursts:
    """Photos of one author that look alike."""

    rows_of: str
    compared: int
    """Rows with a hashed picture and an author."""
    bursts: int
    photos: int
    """Rows in a burst."""
    largest: int


@dataclass(frozen=True)
class Leakage:
    """A leakage report: a table, and the pairs behind it."""

    tables: Mapping[str, str]
    """The table and version by role: train, test, gallery."""
    overlaps: tuple[Overlap, ...]
    bursts: tuple[Bursts, ...]
    most_bits: int
    most_fine: int
    made_by: Mapping[str, str] = field(default_factory=dict)
