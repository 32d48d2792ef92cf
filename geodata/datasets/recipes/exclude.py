"""The recipe ``exclude-benchmark``: rows that share nothing with a test set."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from geodata import leakage, photos, popular
from geodata.datasets.recipes.sampling import Made, Mask, chosen, need_plain
from geodata.files import AUTHOR_NAMES, ID_NAMES, find_named, find_pair
from geodata.popular import check_radius
from geodata.tables import DatasetError, Input, lake_salt

RULES = ("photo_id", "author", "coordinate", "radius")


def exclude_benchmark(
    inputs: Mapping[str, Input],
    seed: int,
    *,
    by: Sequence[str] | str = RULES,
    radius_km: float = 1.0,
) -> Made:
    """Drop the rows that share a photo, a photographer or a place with a test set.

    A test set in a file is read as `photos.read` does. Photographers without a salt are compared
    with those under the salt of the lake, which is here. Those under the salts of two lakes are
    not compared, and the report says so. Where the rows have a salt that was given to their
    import, import the test set with the same one, as a table.

    Parameters
    ----------
    by
        Rules, any of: ``photo_id``, ``author`` and ``coordinate``, the same photo, photographer
        or place as `geodata.leakage` has it; ``radius``, within ``radius_km`` of a test row. A
        rule for which one side has no column is not applied, and the report says so.
    radius_km
        Of the rule ``radius``; 1 km is the finest threshold of the usual evaluation.
    """
    rows, benchmark = inputs["rows"], inputs["benchmark"]
    rules = _rules(by)
    check_radius(radius_km)
    salt = lake_salt(rows.table.path.parent)
    known, asked = _marks(benchmark, rules, salt), _marks(rows, rules, salt)
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
    if (unknown := leakage.not_compared(asked, known)) is not None:
        report["not_compared"] = unknown
    why = f"every row shares something with {benchmark.label}: {report['rows_that_share']}"
    return chosen(rows, ~dropped, report, empty=why)


def _rules(by: Sequence[str] | str) -> list[str]:
    rules = [r.strip() for r in by.split(",")] if isinstance(by, str) else list(by)
    unknown = [r for r in rules if r not in RULES]
    if unknown or not rules:
        msg = f"by={by!r} must be some of {', '.join(RULES)}"
        raise DatasetError(msg)
    return rules


def _marks(source: Input, rules: Sequence[str], salt: leakage.Salt | None) -> leakage.Marks:
    # a file is read as photos are imported: any layout, and bad coordinates are none
    is_raw = source.version is None and not set(photos.SCHEMA.names) <= set(source.columns)
    names = tuple(photos.SCHEMA.names) if is_raw else source.columns
    tables: Callable[[list[str]], Iterator[pa.Table]] = (
        functools.partial(_imported, source) if is_raw else source.batches
    )
    photo = find_named(names, ID_NAMES, "id", source.label) if "photo_id" in rules else None
    who = find_named(names, AUTHOR_NAMES, "author", source.label) if "author" in rules else None
    pair = find_pair(names, ("truth", "plain"), source.label)
    if not is_raw:
        need_plain(source, *filter(None, (photo, who)))
    wanted = [name for name in (photo, who, *(pair or ())) if name]
    found = leakage.marks(tables(wanted), id=photo, author=who, pair=pair, salt=salt)
    if wanted and not found.rows:
        msg = f"{source.label} has no rows"
        raise DatasetError(msg)
    return found


def _imported(source: Input, columns: list[str]) -> Iterator[pa.Table]:
    for table in photos.read(source.source.path):
        yield table.select(list(dict.fromkeys(columns)))


def _hits(
    rule: str, rows: leakage.Marks, benchmark: leakage.Marks, radius_km: float
) -> Mask | None:
    """Return which rows break a rule, None where it cannot be applied."""
    if rule == "photo_id":
        return leakage.shared_photos(rows, benchmark)
    if rule == "author":
        return leakage.shared_authors(rows, benchmark)
    if rule == "coordinate":
        return leakage.shared_places(rows, benchmark)
    if rows.points is None or benchmark.points is None:
        return None
    known = benchmark.points
    near = popular.within_km(
        rows.points.lat, rows.points.lon, known.lat[known.valid], known.lon[known.valid], radius_km
    )
    return near & rows.points.valid
