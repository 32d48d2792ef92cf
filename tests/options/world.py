"""The place in which an option is tried: a folder of its own, and a small lake to read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import GeodataError, datasets, tables

PARIS, LYON, KYOTO, NAIROBI = (48.8584, 2.2945), (45.76, 4.84), (35.0, 135.77), (-1.29, 36.82)
PLACES = (PARIS, LYON, KYOTO, NAIROBI)


def photos() -> pa.Table:
    """Twelve photos at four places, of three people."""
    where = [PLACES[i % 4] for i in range(12)]
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(12)],
            "lat": [lat + i / 100 for i, (lat, _) in enumerate(where)],
            "lon": [lon for _, lon in where],
            "author_id": [f"a{i % 3}" for i in range(12)],
            "split": ["train", "train", "test"] * 4,
        }
    )


@dataclass(frozen=True)
class World:
    """A folder to write in, made when asked for, and a lake that is shared and only read."""

    home: Path
    shared_lake: Path

    @staticmethod
    def lake_in(folder: Path) -> Path:
        """Make the lake: photos in two versions, labels, two datasets built from them."""
        tables.append(folder / "photos", photos().slice(0, 6), note={"by": "hand"})
        tables.append(folder / "photos", photos().slice(6))
        datasets.build("labelled", folder)
        datasets.build("rand", folder, n=6)
        return folder

    @cached_property
    def folder(self) -> Path:
        self.home.mkdir(exist_ok=True)
        return self.home

    @cached_property
    def lake(self) -> Path:
        """A copy of the lake, to be changed."""
        shutil.copytree(self.shared_lake, self.folder / "lake")
        return self.folder / "lake"

    @property
    def table(self) -> Path:
        """A table of two versions, to be changed."""
        return self.lake / "photos"

    def file(self, name: str, text: str | bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def parquet(self, **columns: list[object]) -> Path:
        """Write a Parquet file."""
        pq.write_table(pa.table(columns), self.folder / "rows.parquet")
        return self.folder / "rows.parquet"


def said(call, *args, **options):
    """Return what a call gives, or the name of what it raises."""
    try:
        return call(*args, **options)
    except (GeodataError, duckdb.Error, ValueError, TypeError) as error:
        return type(error).__name__
