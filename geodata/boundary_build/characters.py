"""Build the table of Chinese characters that are forms of one: traditional, Japanese, simplified.

``tables/han.csv`` is made from two dictionaries of OpenCC (Apache-2.0), ``TSCharacters.txt`` and
``JPVariants.txt``, as the PyPI package ``opencc-python-reimplemented`` ships them.
"""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from geodata import files

VERSION = "opencc-python-reimplemented 0.1.7"
TABLE = Path(__file__).parents[1] / "boundaries" / "tables" / "han.csv"

LAST = 0xFFFF
"""Characters beyond this are in no name that is written today."""


def write(source: str | os.PathLike[str], out: Path = TABLE) -> Path:
    """Write the table; equal input gives equal bytes.

    Parameters
    ----------
    source
        The folder with the two dictionaries.

    Raises
    ------
    OSError
        If one is missing.
    """
    simplified = _simplified(Path(source))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["variant", "simplified"])
    writer.writerows(sorted(simplified.items()))
    files.write_text(out, text.getvalue())
    return out


def _simplified(source: Path) -> dict[str, str]:
    found = {a: b[0] for a, b in _rows(source / "TSCharacters.txt") if a != b[0]}
    for japanese, traditional in _japanese(source).items():
        found.setdefault(japanese, found.get(traditional, traditional))
    return {a: b for a in found if (b := _end(a, found)) != a}


def _japanese(source: Path) -> dict[str, str]:
    """Return the traditional form of Japanese characters that have one only."""
    forms: dict[str, set[str]] = defaultdict(set)
    for traditional, variants in _rows(source / "JPVariants.txt"):
        for variant in variants:
            if variant != traditional:
                forms[variant].add(traditional)
    return {variant: next(iter(t)) for variant, t in forms.items() if len(t) == 1}


def _end(variant: str, found: dict[str, str]) -> str:
    """Follow forms of forms to the last, so that one step folds every form."""
    seen = {variant}
    target = found[variant]
    while target in found and target not in seen:
        seen.add(target)
        target = found[target]
    return target


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, values = line.partition("\t")
        kept = [value for value in values.split() if len(value) == 1 and ord(value) <= LAST]
        if len(key) == 1 and ord(key) <= LAST and kept:
            yield key, kept
