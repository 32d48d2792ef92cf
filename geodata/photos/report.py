"""What an import did, counted while its rows pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geodata.photos.repeats import IdCounter
from geodata.photos.rows import STATUSES

SWAP_SHARE = 0.01
"""More latitudes than this beyond ±90 suggest that the columns are swapped."""

MAX_EXAMPLES = 20


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    target: str
    version: int | None
    """Version of the table that was written, None for a file."""
    format: str
    detected: str
    """How the format was told."""
    columns: dict[str, str]
    """Column of the source by role."""
    rows: int
    statuses: dict[str, int]
    """Rows by status, those that occur."""
    unreadable: tuple[tuple[int, str], ...]
    """The first rows that could not be read: row number from 0, and why."""
    beyond_pole: int
    """Rows whose latitude is a number outside [-90, 90]."""
    made_by: dict[str, Any]
    repeated_ids: int | None = None
    """Rows that have the id of an earlier row of the source; None if too many to count."""
    known_ids: int | None = None
    """Rows whose id the table held before."""
    raw: Mapping[str, int] = field(default_factory=dict)
    """RAW files that were left out, by ending."""
    ids: str = "column"
    """What names the photos: ``column``, ``image``, or ``row number``."""

    @property
    def id_hint(self) -> str | None:
        """Advice where row numbers stand for ids, else None."""
        if self.ids != "row number":
            return None
        return (
            "no column names the photos, so their ids are row numbers, and rows of another file "
            "have the same; name a column with --id"
        )

    @property
    def swap_hint(self) -> str | None:
        """Advice where latitude and longitude look swapped, else None."""
        if self.beyond_pole <= SWAP_SHARE * self.rows:
            return None
        lat, lon = self.columns.get("lat"), self.columns.get("lon")
        return (
            f"{self.beyond_pole} of {self.rows} values in {lat!r} are beyond ±90: latitude and "
            f"longitude may be swapped; try --lat {lon} --lon {lat}"
        )


@dataclass
class Tally:
    """Counts that grow while rows pass."""

    rows: int = 0
    beyond: int = 0
    statuses: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    ids: IdCounter = field(default_factory=IdCounter)

    def add(self, table: pa.Table, beyond: int) -> None:
        """Count some rows, of which so many latitudes are beyond the poles."""
        self.ids.add(table)
        for item in table["status"].value_counts().to_pylist():
            self.statuses[item["values"]] += item["counts"]
        bad = table.select(["source_row", "reason"]).filter(pc.equal(table["status"], "unreadable"))
        told = bad.slice(0, MAX_EXAMPLES - len(self.unreadable)).to_pylist()
        self.unreadable += [(row["source_row"], str(row["reason"])) for row in told]
        self.rows += table.num_rows
        self.beyond += beyond
