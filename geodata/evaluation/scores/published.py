"""Published threshold accuracies, to print beside a user's own numbers.

The rows are facts from the named sources, kept in ``published.json``. What a method may use
when it answers decides whether two numbers can stand in one table, so the categories stay apart,
and a row that nobody compared with the paper's own table is marked as unchecked.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

CATEGORIES = ("closed-world", "llm-assisted", "web-search")
"""Own weights and gallery only; a general language model beside it; live search."""


@dataclass(frozen=True)
class Published:
    """One row of a published table."""

    benchmark: str
    method: str
    venue: str
    category: str
    """One of `CATEGORIES`."""
    approach: str
    """Finer than the category: retrieval, retrieval-free, hierarchical tokens, ..."""
    accuracy: dict[float, float | None]
    """Share in [0, 1] of test rows by threshold in km; None where the source prints none."""
    checked: bool
    """Whether the numbers were compared with the paper's own table."""
    source: str
    note: str

    @property
    def label(self) -> str:
        """Method and venue, with an asterisk where the row is unchecked."""
        return f"{self.method} ({self.venue}){'' if self.checked else ' *'}"


def published_for(name: str, *, category: str | None = None) -> tuple[Published, ...]:
    """Return the published rows of a benchmark, by category and then in order of publication.

    Parameters
    ----------
    name
        Benchmark; case, spaces and punctuation do not matter.
    category
        One of `CATEGORIES`, or None for all.

    Raises
    ------
    ValueError
        For a benchmark without rows or an unknown category; the message lists what there is.

    Examples
    --------
    >>> rows = published_for("im2gps-3k")
    >>> rows[0].method, rows[0].accuracy[25.0], rows[0].checked
    ('[L]kNN sigma=4', 0.194, True)
    >>> sorted({row.category for row in rows})
    ['closed-world', 'llm-assisted', 'web-search']
    >>> published_for("im2gps")
    Traceback (most recent call last):
        ...
    ValueError: no published results for benchmark 'im2gps'; there are IM2GPS3K, YFCC4K, ...
    """
    if category is not None and category not in CATEGORIES:
        msg = f"category {category!r} is unknown; expected one of {', '.join(CATEGORIES)}"
        raise ValueError(msg)
    wanted = _key(name)
    rows = [row for row in _rows() if _key(row.benchmark) == wanted]
    if not rows:
        known = ", ".join(benchmarks())
        msg = f"no published results for benchmark {name!r}; there are {known}"
        raise ValueError(msg)
    chosen = [row for row in rows if category in (None, row.category)]
    return tuple(sorted(chosen, key=lambda row: CATEGORIES.index(row.category)))


def benchmarks() -> tuple[str, ...]:
    """Return the benchmarks that have published rows.

    Examples
    --------
    >>> benchmarks()
    ('IM2GPS3K', 'YFCC4K', 'MP16-Reason-Test')
    """
    return tuple(dict.fromkeys(row.benchmark for row in _rows()))


@functools.cache
def _rows() -> tuple[Published, ...]:
    text = (
        resources.files("geodata.evaluation.scores").joinpath("published.json").read_text("utf-8")
    )
    return tuple(_published(row) for row in json.loads(text)["results"])


def _published(row: dict[str, Any]) -> Published:
    accuracy = {
        float(km): None if percent is None else round(percent / 100, 6)
        for km, percent in row["percent"].items()
    }
    rest = {name: value for name, value in row.items() if name != "percent"}
    return Published(accuracy=accuracy, **rest)


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
