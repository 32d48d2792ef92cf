"""Faults of SQL, made from its text without its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from faults.fault import Fault

CHANGES = (  # (kind, what stands there, what is put in its place)
    ("comparison", r"<=", "<"),
    ("comparison", r">=", ">"),
    ("comparison", r"(?<![<>=])<(?![=>])", "<="),
    ("comparison", r"(?<![<>=])>(?!=)", ">="),
    ("comparison", r"(?<= )=(?= )", "<>"),
    ("comparison", r"<>", "="),
    ("and, or", r"\bAND\b", "OR"),
    ("and, or", r"\bOR\b(?! REPLACE)", "AND"),
    ("NULL", r"\bIS NOT NULL\b", "IS NULL"),
    ("NULL", r"\bIS NULL\b", "IS NOT NULL"),
    ("NULL", r"\bIS NOT DISTINCT FROM\b", "="),
    ("NULL", r"\bcoalesce\((\w+), 0\)", r"\1"),
    ("clause dropped", r"\bDISTINCT (?!FROM)", ""),
    ("clause dropped", r"\bNOT (?!NULL|DISTINCT)", ""),
    ("clause dropped", r"\bORDER BY [^\n;)]+", ""),
    ("join", r"\bLEFT JOIN\b", "JOIN"),
    ("join", r"\bANTI JOIN\b", "SEMI JOIN"),
    ("join", r"\bUNION ALL\b", "UNION"),
    ("order", r"\bDESC\b", "ASC"),
    ("name", r"\bleast\(", "greatest("),
    ("name", r"\bgreatest\(", "least("),
    ("name", r"\bmin\(", "max("),
    ("name", r"\bmax\(", "min("),
    ("name", r"\bsin\(", "cos("),
    ("name", r"\bcos\(", "sin("),
    ("name", r"\basin\(", "acos("),
    ("name", r"\bradians\(", "degrees("),
    ("name", r"\bquantile_cont\b", "quantile_disc"),
    ("name", r"\bquantile_disc\b", "quantile_cont"),
    ("name", r"\bcount_if\(", "count("),
    ("lat, lon", r"(?<=\.)lat\b", "lon"),
    ("lat, lon", r"(?<=\.)lon\b", "lat"),
    ("lat, lon", r"\bpred_lat\b", "pred_lon"),
    ("operator", r"(?<= )\+(?= )", "-"),
    ("operator", r"(?<= )-(?= )", "+"),
    ("operator", r"(?<= )\*(?= )", "/"),
    ("operator", r"(?<= )/(?= )", "*"),
)
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
COMMENT = re.compile(r"--[^\n]*")


def sql_faults(root: Path, top: str) -> Iterator[Fault]:
    """Yield every fault of the SQL files under a folder."""
    for path in sorted((root / top).rglob("*.sql")):
        whole = path.read_text(encoding="utf-8")
        file = path.relative_to(root).as_posix()
        code = COMMENT.sub(lambda found: " " * len(found[0]), whole)
        for kind, there, instead in CHANGES:
            for found in re.finditer(there, code):
                yield Fault(file, *found.span(), found.expand(instead), kind)
        for found in NUMBER.finditer(code):
            number = float(found[0]) * 1.5 + 1 if "." in found[0] else int(found[0]) + 1
            yield Fault(file, *found.span(), str(number), "constant")
