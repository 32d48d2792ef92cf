"""The leakage report in words: Markdown that a paper can take over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from geodata import files, tables
from geodata.near_duplicates.findings import Leakage, Overlap
from geodata.near_duplicates.pictures import draw


def markdown(found: Leakage) -> str:
    """Return a report as Markdown, lines of at most 80 letters outside its tables.

    Examples
    --------
    >>> from geodata.near_duplicates.findings import PAIRS, Overlap
    >>> one = Overlap("test@0", "rand@1", rows=9, compared=9, photo=1, author=None, place=1, look=0,
    ...               look_only=0, pairs=PAIRS.empty_table())
    >>> tables = {"train": "rand@1", "test": "test@0"}
    >>> found = Leakage(tables, (one,), (), most_bits=8, most_fine=40)
    >>> markdown(found).splitlines()[2:4]
    ['- train: rand@1', '- test: test@0']
    """
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Leakage) -> Iterator[str]:
    yield "# Leakage report"
    yield ""
    yield from (f"- {role}: {name}" for role, name in found.tables.items())
    yield ""
    yield "| rows of | in | rows | same photo | same author | same place | looks alike | unseen |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    yield from (_overlap(one) for one in found.overlaps)
    yield ""
    yield "*Looks alike*: rows with a near-duplicate picture, of those with a readable one."
    yield "*Unseen*: those of them that share no photo id, so that ids do not tell."
    yield "A rule is *not compared* where a side lacks its column."
    yield ""
    yield "| bursts of one author in | photos compared | bursts | photos in one | largest |"
    yield "|---|---:|---:|---:|---:|"
    for one in found.bursts:
        yield (
            f"| {one.rows_of} | {one.compared:,} | {one.bursts:,} | {one.photos:,} | "
            f"{one.largest:,} |"
        )
    yield ""
    yield f"Near-duplicates differ in at most {found.most_bits} of 64 and {found.most_fine} of 256"
    yield "bits of pHash, the signs of low DCT frequencies against their median. The"
    yield "search is exact. Pictures that were cut by a tenth or mirrored are missed."
    if found.made_by:
        told = (v if k == "hash" else f"{k} {v}" for k, v in found.made_by.items())
        yield f"Made with {', '.join(told)}."


def _overlap(one: Overlap) -> str:
    shared = " | ".join(_shown(count, one.rows) for count in (one.photo, one.author, one.place))
    seen = _shown(one.look if one.compared else None, one.compared)
    unseen = f"{one.look_only:,}" if one.compared else "not compared"
    return f"| {one.rows_of} | {one.others} | {one.rows:,} | {shared} | {seen} | {unseen} |"


def _shown(count: int | None, of: int) -> str:
    if count is None:
        return "not compared"
    return f"{count:,} ({count / of:.2%})" if of else f"{count:,}"


def write(found: Leakage, folder: str | os.PathLike[str]) -> None:
    """Write a report as a folder: ``leakage.md``, ``leakage.png``, and the pairs as Parquet.

    A file of pairs is called by its tables, ``pairs-test-rand.parquet``; where two versions of one
    table are compared, by these, too.

    Parameters
    ----------
    folder
        Made if it is not there; files of an earlier report in it are replaced.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> from geodata.near_duplicates.findings import PAIRS, Overlap
    >>> one = Overlap("test@0", "rand@1", rows=9, compared=9, photo=1, author=None, place=1, look=0,
    ...               look_only=0, pairs=PAIRS.empty_table())
    >>> tables = {"train": "rand@1", "test": "test@0"}
    >>> found = Leakage(tables, (one,), (), most_bits=8, most_fine=40)
    >>> write(found, folder.name)
    >>> sorted(path.name for path in Path(folder.name).iterdir())
    ['leakage.md', 'leakage.png', 'pairs-test-rand.parquet']
    >>> folder.cleanup()
    """
    tables.refuse_address(folder)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in _names(found).items():
        files.write_table(one.pairs, folder / f"pairs-{name}.parquet")
    draw(found, folder / "leakage.png")
    with files.replacing(folder / "leakage.md") as beside:
        beside.write_text(f"{markdown(found)}\n![Nearest pictures](leakage.png)\n", "utf-8")


def _names(found: Leakage) -> dict[str, Overlap]:
    """Return what the files of pairs are called: by tables, and by versions of one table."""
    whole = {f"{one.rows_of}-{one.others}": one for one in found.overlaps}
    short = [re.sub(r"@\d+", "", name) for name in whole]
    return {
        name if short.count(one) > 1 else one: pairs
        for one, (name, pairs) in zip(short, whole.items(), strict=True)
    }
