"""The recipe ``exclude-benchmark``: rows that share nothing with a test set."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geodata import coords, photos, popular
from geodata.datasets.recipes.sampling import Keys, Made, Mask, chosen
from geodata.files import AUTHOR_NAMES, ID_NAMES, find_named, find_pair, id_text
from geodata.hashing import row_hashes
from geodata.popular import check_radius
from geodata.tables import DatasetError, Input

RULES = ("photo_id", "author", "coordinate", "radius")

_FLICKR = r"^(?:.*[/\\])?(?P<number>[1-9][0-9]{5,})(?:_[0-9a-f]{10}(?:_.*)?)?(?:\.[A-Za-z]{3,4})?$"
"""Folders, number, then perhaps the secret of ten digits and more, then perhaps an ending."""


def exclude_benchmark(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    by: Sequence[str] | str = RULES,
    radius_km: float = 1.0,
) -> Made:
    """Drop the rows that share a photo, a photographer or a place with a test set.

    A test set in a file is read as `photos.read` does, its photographers hashed without a salt.
    Where the rows were imported with a salt, import the test set with the same one, as a table.

    Parameters
    ----------
    by
        Rules, any of: ``photo_id``, the same text, or the same Flickr photo number however the
        file is named; ``author``; ``coordinate``, exactly the same; ``radius``, within
        ``radius_km`` of a test row. A rule for which one side has no column is not applied, and
        the report says so.
    radius_km
        Of the rule ``radius``; 1 km is the finest threshold of the usual evaluation.
    """
    rows, benchmark = inputs["rows"], inputs["benchmark"]
    rules = _rules(by)
    check_radius(radius_km)
    known, asked = _marks(benchmark, rules), _marks(rows, rules)
    hits = {rule: _hits(rule, asked, known, radius_km) for rule in rules}
    applied = [hit for hit in hits.values() if hit is not None]
    if not applied:
        msg = (
            f"{benchmark.label} shares no column with {rows.label} for the rules "
            f"{', '.join(rules)}; its columns are {', '.join(benchmark.columns)}"
        )
        raise DatasetError(msg)
    dropped = np.logical_or.reduce(applied)
    report: dict[str, Any] = {
        "rows_in": len(dropped),
        "benchmark_rows": known.rows,
        "rows_that_share": {r: None if h is None else int(h.sum()) for r, h in hits.items()},
        "dropped": int(dropped.sum()),
        "rows": int((~dropped).sum()),
    }
    why = f"every row shares something with {benchmark.label}: {report['rows_that_share']}"
    return chosen(rows, ~dropped, report, empty=why)


def _rules(by: Sequence[str] | str) -> list[str]:
    rules = [r.strip() for r in by.split(",")] if isinstance(by, str) else list(by)
    unknown = [r for r in rules if r not in RULES]
    if unknown or not rules:
        msg = f"by={by!r} must be some of {', '.join(RULES)}"
        raise DatasetError(msg)
    return rules


@dataclass(frozen=True)
class _Marks:
    """What rows can share, as 64-bit keys, 0 for a row without; None where there is no column."""

    rows: int
    text: Keys | None
    number: Keys | None
    author: Keys | None
    points: coords.Coordinates | None


def _marks(source: Input, rules: Sequence[str]) -> _Marks:
    if source.file is not None:
        return _marks_of_file(source, rules)
    return _marks_in(source.batches, source.columns, source.label, rules)


def _marks_of_file(source: Input, rules: Sequence[str]) -> _Marks:
    """Read a file as photos are imported, so that its photographers are hashed as theirs are."""
    path = source.file.path if source.file else None
    if set(photos.SCHEMA.names) <= set(source.columns):  # a file that photos import wrote
        return _marks_in(source.batches, source.columns, source.label, rules)
    read = functools.partial(_imported, path)
    return _marks_in(read, tuple(photos.SCHEMA.names), source.label, rules)


def _imported(path: Any, columns: Sequence[str]) -> Iterator[pa.Table]:
    for table in photos.read(path):
        yield table.select(list(dict.fromkeys(columns)))


def _marks_in(
    batches: Callable[[Sequence[str]], Iterator[pa.Table]],
    names: Sequence[str],
    label: str,
    rules: Sequence[str],
) -> _Marks:
    photo = find_named(names, ("photoid", *ID_NAMES), "id", label)
    who = find_named(names, AUTHOR_NAMES, "author", label)
    photo = photo if "photo_id" in rules else None
    who = who if "author" in rules else None
    pair = find_pair(names, ("truth", "plain"), label)
    parts: dict[str, list[Any]] = {"text": [], "number": [], "author": [], "points": []}
    rows = 0
    for table in batches([n for n in (photo, who, *(pair or ())) if n]):
        rows += table.num_rows
        if photo:
            ids = id_text(table[photo])
            parts["text"].append(_keys(ids))
            parts["number"].append(_keys(_flickr_numbers(ids)))
        if who:
            parts["author"].append(_keys(id_text(table[who])))
        if pair:
            y, x = (coords.parse_numbers(table[name]) for name in pair)
            parts["points"].append(coords.arrays(y, x))
    keys = {n: np.concatenate(parts[n]) if parts[n] else None for n in ("text", "number", "author")}
    points = [np.concatenate(columns) for columns in zip(*parts["points"], strict=True)]
    return _Marks(rows, **keys, points=coords.Coordinates(*points) if points else None)


def _keys(values: Any) -> Keys:
    hashed = row_hashes(pa.table({"value": values}))
    hashed[np.asarray(pc.is_null(values)).astype(bool)] = 0
    return hashed


def _flickr_numbers(ids: Any) -> Any:
    """Return the number of a Flickr photo in ``45/77/3228511372.jpg``, ``3228511372_8a3f0c12de``.

    Examples
    --------
    >>> names = ["45/77/3228511372.jpg", "3228511372_8a3f0c12de_45@N00.jpg", "00012.jpg"]
    >>> _flickr_numbers(pa.array(names)).to_pylist()
    ['3228511372', '3228511372', None]
    """
    return pc.struct_field(pc.extract_regex(ids, _FLICKR), "number")


def _hits(rule: str, rows: _Marks, benchmark: _Marks, radius_km: float) -> Mask | None:
    """Return which rows break a rule, None where it cannot be applied."""
    if rule == "photo_id":
        same_text = _shared(rows.text, benchmark.text)
        same_number = _shared(rows.number, benchmark.number)
        return None if same_text is None or same_number is None else same_text | same_number
    if rule == "author":
        return _shared(rows.author, benchmark.author)
    if rows.points is None or benchmark.points is None:
        return None
    if rule == "coordinate":
        return _shared(_place_keys(rows.points), _place_keys(benchmark.points))
    known = benchmark.points
    near = popular.within_km(
        rows.points.lat, rows.points.lon, known.lat[known.valid], known.lon[known.valid], radius_km
    )
    return near & rows.points.valid


def _shared(keys: Keys | None, others: Keys | None) -> Mask | None:
    if keys is None or others is None:
        return None
    return np.asarray((keys != 0) & np.isin(keys, np.unique(others)))


def _place_keys(points: coords.Coordinates) -> Keys:
    hashed = row_hashes(pa.table({"lat": points.lat + 0.0, "lon": points.lon + 0.0}))
    hashed[~points.valid] = 0
    return hashed
