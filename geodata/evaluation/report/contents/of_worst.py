"""The largest errors: ids, places and where to look at them, names, and the model's words."""

from __future__ import annotations

import math

from geodata import cor
from geodata.evaluation.report.words import NONE, Section, Table, km
from geodata.evaluation.scores import Evaluation

MAP = "https://www.openstreetmap.org/?mlat={0:.5f}&mlon={1:.5f}#map=9/{0:.5f}/{1:.5f}"
"""Opened only by one who follows the link: a page loads nothing."""


def of_worst(result: Evaluation) -> Section:
    """Return the rows with the largest errors.

    Places have names where the truth was labelled anyway: labels cost more than the table.
    """
    head = ("id", "error, km", "true lat", "lon", "predicted lat", "lon")
    lines: list[tuple[str, ...]] = []
    links: dict[tuple[int, int], str] = {}
    for i, row in enumerate(result.worst):
        places = (row.lat, row.lon, row.pred_lat, row.pred_lon)
        shown = (NONE if math.isnan(x) else f"{x:.5f}" for x in places)
        lines.append((row.id, km(row.distance_km), *shown))
        for column, pair in ((2, places[:2]), (4, places[2:])):
            if not math.isnan(pair[0]):
                links[i, column] = MAP.format(*pair)
    tables = [Table(head, lines, links=links)] if lines else []
    told = _told(result)
    if told is not None:
        tables.append(told)
    return Section("worst", "Largest errors", "Worth a look one by one.", tables)


def _told(result: Evaluation) -> Table | None:
    """Return what places are called and what the model said, None where neither is known."""
    rows = result.worst
    named = bool(rows) and (bool(result.regions) or "country" in result.scores.by)
    columns = [("id", [row.id for row in rows])]
    for head, places in (
        ("is in", [(row.lat, row.lon) for row in rows]),
        ("answered", [(row.pred_lat, row.pred_lon) for row in rows]),
    ):
        if named and not math.isnan(places[0][0]):
            columns.append((head, _names(places)))
    if any(row.words for row in rows):
        columns.append(("in the model's words", [row.words or NONE for row in rows]))
    if len(columns) < 2:
        return None
    heads, cells = zip(*columns, strict=True)
    lines = list(zip(*cells, strict=True))
    return Table(heads, lines, title="What they are", align="l" * len(heads))


def _names(places: list[tuple[float, float]]) -> list[str]:
    lat, lon = ([place[i] for place in places] for i in (0, 1))
    rows = cor.label_table(lat, lon).select(["city", "country"]).to_pylist()
    return [", ".join(filter(None, (row["city"], row["country"]))) or NONE for row in rows]
