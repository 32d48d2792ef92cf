"""The rows of a set between its steps, and the table at its end.

A row is a photo. It is dropped by the first step that finds a reason, and stays.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

STEPS = ("ask", "filter", "truth", "agree", "verify")
"""In their order; GLOBE's five, a to e."""

_TEXTS = pa.list_(pa.string())
ANSWER = pa.struct(
    [
        ("by", pa.string()),
        ("problem", pa.string()),
        ("detail", pa.string()),
        ("localizability", pa.float64()),
        ("reasoning", pa.string()),
        ("country", pa.string()),
        ("city", pa.string()),
        ("evidence", _TEXTS),
    ]
)

# The first of these are the contract of the table: GLOBE's columns, and who, whether and why.
SET_COLUMNS = [
    ("id", pa.string()),
    ("image", pa.string()),
    ("lat", pa.float64()),
    ("lon", pa.float64()),
    ("country", pa.string()),
    ("city", pa.string()),
    ("reasoning", pa.string()),
    ("localizability", pa.float64()),
    ("entities", _TEXTS),
    ("model", pa.string()),
    ("kept", pa.bool_()),
    ("step", pa.string()),
    ("reason", pa.string()),
    ("split", pa.string()),
    ("said_country", pa.string()),
    ("said_city", pa.string()),
    ("distance_km", pa.float64()),
    ("similarity", pa.float64()),
    ("detail", pa.string()),
]
SET = pa.schema(SET_COLUMNS)
"""Of the table that is written."""

SCHEMA = pa.schema([*SET_COLUMNS, ("answers", pa.list_(ANSWER))])
"""Of the files between steps."""

Row = dict[str, Any]


def dropped(row: Row, step: str, reason: str, detail: str | None = None) -> Row:
    """Return a row that a step leaves out, with the reason; a word of detail for a person."""
    return row | {"kept": False, "step": step, "reason": reason, "detail": detail}


def answer(by: str, problem: str | None = None, detail: str | None = None, **said: Any) -> Row:
    """Return one model's answer as a row holds it."""
    empty = dict.fromkeys(field.name for field in ANSWER)
    return empty | {"by": by, "problem": problem, "detail": detail, "evidence": []} | said
