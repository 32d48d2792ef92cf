"""Say how much of a score is parsing: three readers side by side, and what was read how."""

from __future__ import annotations

from geodata.answers import HOWS
from geodata.evaluation.report.words import Section, Table, percent, threshold
from geodata.evaluation.scores import Evaluation

_READER_NAMES = {
    "tolerant": "as a person reads (scored)",
    "strict": "(lat, lon) alone, Geo-R",
    "json": "JSON only",
    "file": "columns of the file",
}
_REASONS = {
    "refused": "declines to say where",
    "no_answer": "text without a coordinate",
    "range": "only ranges, such as 40°N-50°N",
    "out_of_range": "no place on earth",
    "malformed": "half a coordinate, or damaged",
    "truncated": "ends inside a coordinate",
    "empty": "no text",
}


def of_readings(result: Evaluation) -> Section:
    """Return the section about parsing; without tables where no text was parsed."""
    found = result.readings
    if found is None:
        return Section("parsing", "How the answers were read")
    thresholds = result.scores.scoring.thresholds_km
    head = ("% of rows within", *map(threshold, thresholds), "answered")
    lines = [
        (
            _READER_NAMES.get(name, name),
            *(percent(one.accuracy[t]) for t in thresholds),
            f"{one.answered:,}",
        )
        for name, one in found.readers.items()
    ]
    tables = [Table(head, lines, title="The same answers, read in several ways", strong={0})]
    rows = [(HOWS[how], "yes", f"{n:,}", percent(n / found.texts)) for how, n in found.hows.items()]
    rows += [
        (_REASONS.get(status, status), "no", f"{n:,}", percent(n / found.texts))
        for status, n in found.readers["tolerant"].statuses.items()
        if status != "ok"
    ]
    note = f"{found.ambiguous:,} of the coordinates could be read otherwise by a careful person."
    tables.append(
        Table(
            ("layout or reason", "read", "texts", "%"),
            rows,
            title="What was read how",
            align="llrr",
            notes=[note],
        )
    )
    return Section("parsing", "How the answers were read", tables=tables)
