"""Batch functions that make columns: labels, and chats for training."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from geodata import cor, records
from geodata.cor import MAX_OFFSET_KM, Labeller
from geodata.scale.agreeing import BatchFunction


@dataclass(frozen=True)
class Label(BatchFunction):
    """Label the rows of a batch, as `geodata.cor.label_table` does.

    Parameters
    ----------
    lat, lon : str, optional
        Names of the coordinate columns; found by their usual names if not given.
    boundaries : str or path, optional
        A name or a folder that every worker finds; the bundled set if not given. Each worker
        opens it by itself.
    worldview, dependencies, max_offset_km, lang, detail
        As in `geodata.cor.label_table`.

    Examples
    --------
    >>> rows = pa.table({"id": ["a"], "lat": [48.8584], "lon": [2.2945]})
    >>> Label()(rows)["city"].to_pylist()
    ['Paris']
    """

    lat: str | None = None
    lon: str | None = None
    boundaries: str | os.PathLike[str] | None = None
    worldview: str = "un"
    dependencies: str = "own"
    max_offset_km: float = MAX_OFFSET_KM
    lang: str | None = None
    detail: bool | tuple[str, ...] = False

    def __post_init__(self) -> None:
        if self.boundaries is not None:  # an open set stands for its folder
            object.__setattr__(self, "boundaries", os.fspath(self.boundaries))
        super().__post_init__()

    def identity(self) -> dict[str, Any]:
        """Return versions, hashes of the boundary set and the places, and options."""
        detail = self.detail if isinstance(self.detail, bool) else list(self.detail)
        columns = {"lat": self.lat, "lon": self.lon, "detail": detail}
        return cor.describe(self.engine()) | columns

    def engine(self) -> Labeller:
        """Return the labeller, opened once a process."""
        return cor.labeller(
            self.boundaries, self.worldview, self.dependencies, self.max_offset_km, self.lang
        )

    def _made(self, batch: pa.Table) -> pa.Table:
        labelled: pa.Table = cor.label_table(
            batch, lat=self.lat, lon=self.lon, boundaries=self.boundaries,
            worldview=self.worldview, dependencies=self.dependencies,
            max_offset_km=self.max_offset_km, lang=self.lang, detail=self.detail,
        )  # fmt: skip
        return labelled


@dataclass(frozen=True)
class Records(BatchFunction):
    """Turn labelled photos into chats, as `geodata.records.sft` and `grpo` do; order is kept.

    Parameters
    ----------
    options : geodata.records.Options

    Examples
    --------
    >>> rows = pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3], "image": ["a.jpg"]})
    >>> Records(records.Options(kind="grpo"))(rows).column_names
    ['photo_id', 'images', 'prompt', 'lat', 'lon']
    """

    options: records.Options = field(default_factory=records.Options)

    def identity(self) -> dict[str, Any]:
        """Return version and options."""
        return super().identity() | {"records": str(self.options)}

    def _made(self, batch: pa.Table) -> pa.Table:
        parts = list(records.batches(batch, self.options))
        empty = records.schema(batch.schema, self.options).empty_table()
        return pa.concat_tables([empty, *parts])
