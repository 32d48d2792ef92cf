"""What a set holds, from whom, and what had to be done to it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.boundaries.registry import load


@dataclass(frozen=True)
class Description:
    """A boundary set in figures.

    Attributes
    ----------
    name : str
    folder : Path
    sha256 : str
        Identity of the set, as labels record it.
    regions : dict of str to int
        Regions of each level.
    sources, releases, licences : tuple of str
        Who drew the regions, in which releases, under which licences.
    worldviews : tuple of str
        What `geodata.cor.label` takes as ``worldview``.
    disputed : int
        Regions whose country depends on the worldview.
    approximate : int
        Regions whose outline no source draws: by hand or from the cells of places.
    size : int
        Bytes of all files.
    provenance : dict
        The set's record: inputs, repairs, what was left out, overlaps and gaps.
    """

    name: str
    folder: Path
    sha256: str
    regions: dict[str, int]
    sources: tuple[str, ...]
    releases: tuple[str, ...]
    licences: tuple[str, ...]
    worldviews: tuple[str, ...]
    disputed: int
    approximate: int
    size: int
    provenance: dict[str, Any]


def describe(name: str | os.PathLike[str] = "bundled") -> Description:
    """Return what a set holds.

    Examples
    --------
    >>> found = describe("bundled")
    >>> found.regions["country"] > 240, "in" in found.worldviews
    (True, True)
    """
    chosen = load(name)
    wanted = ["level", "source", "release", "licence", "disputed", "approximate"]
    rows = pa.concat_tables(
        [chosen.table(level, wanted) for level in chosen.levels], promote_options="default"
    )
    views = {
        claim["worldview"]
        for claims in chosen.countries["claims"].to_pylist()
        for claim in claims or ()
    }
    return Description(
        chosen.name,
        chosen.folder,
        chosen.sha256,
        dict(Counter(rows["level"].to_pylist())),
        _distinct(rows["source"]),
        _distinct(rows["release"]),
        _distinct(rows["licence"]),
        ("un", *sorted(views)),
        sum(rows["disputed"].to_pylist()),
        sum(map(bool, rows["approximate"].to_pylist()))
        if "approximate" in rows.schema.names
        else 0,
        sum(path.stat().st_size for path in chosen.folder.iterdir()),
        chosen.provenance,
    )


def _distinct(column: pa.ChunkedArray) -> tuple[str, ...]:
    return tuple(sorted(text for text in column.unique().to_pylist() if text))
