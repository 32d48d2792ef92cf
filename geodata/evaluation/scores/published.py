"""Benchmarks: what is known of each, and published threshold accuracies to print beside one's own.

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
    ablation: bool = False
    """Whether the row is one of a paper's ablations rather than a method."""

    @property
    def label(self) -> str:
        """Method and venue, with an asterisk where the row is unchecked."""
        return f"{self.method} ({self.venue}){'' if self.checked else ' *'}"


@dataclass(frozen=True)
class Preset:
    """What is known of a benchmark."""

    name: str
    papers: tuple[str, ...]
    """arXiv ids of the papers that made it or report on it, by any of which it is found."""
    rows: int | None
    """Photos of the test; None where sources do not agree or say."""
    thresholds_km: tuple[float, ...]
    id_pattern: str | None
    """Regular expression of its ids; None where no rule is known."""
    id_example: str
    source: str
    """Where this was read."""


def presets() -> tuple[Preset, ...]:
    """Return all benchmarks that something is known of.

    Examples
    --------
    >>> [(one.name, one.rows) for one in presets()][:2]
    [('IM2GPS3K', 2997), ('YFCC4K', 4536)]
    """
    return tuple(
        Preset(
            **{
                **known,
                "papers": tuple(known["papers"]),
                "thresholds_km": tuple(map(float, known["thresholds_km"])),
            }
        )
        for known in _file()["benchmarks"]
    )


def preset_of(name: str) -> Preset:
    """Return what is known of a benchmark, by its name or the arXiv id of a paper.

    Raises
    ------
    ValueError
        For an unknown name, or a paper that reports on several.

    Examples
    --------
    >>> preset_of("im2gps-3k").rows, preset_of("arXiv:2506.14674").name
    (2997, 'MP16-Reason-Test')
    """
    wanted = _key(name)
    named = [one for one in presets() if _key(one.name) == wanted]
    paper = wanted.removeprefix("arxiv")
    named = named or [one for one in presets() if paper in map(_key, one.papers)]
    if len(named) == 1:
        return named[0]
    if named:
        several = ", ".join(one.name for one in named)
        msg = f"benchmark {name!r} is a paper on {several}; name one of them"
        raise ValueError(msg)
    known = ", ".join(one.name for one in presets())
    msg = f"no published results for benchmark {name!r}; there are {known}"
    raise ValueError(msg)


def published_for(
    name: str, *, category: str | None = None, ablations: bool = False
) -> tuple[Published, ...]:
    """Return the published rows of a benchmark, by category and then in order of publication.

    Parameters
    ----------
    name
        Benchmark, or arXiv id of its paper; case, spaces and punctuation do not matter.
    category
        One of `CATEGORIES`, or None for all.
    ablations
        Whether to give the rows of ablations too.

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
    benchmark = preset_of(name).name
    rows = [row for row in _rows() if row.benchmark == benchmark]
    rows = [row for row in rows if ablations or not row.ablation]
    chosen = [row for row in rows if category in (None, row.category)]
    return tuple(sorted(chosen, key=lambda row: CATEGORIES.index(row.category)))


def benchmarks() -> tuple[str, ...]:
    """Return the benchmarks that have published rows.

    Examples
    --------
    >>> benchmarks()
    ('IM2GPS3K', 'YFCC4K', 'MP16-Reason-Test', 'GeoBench')
    """
    return tuple(dict.fromkeys(row.benchmark for row in _rows()))


@functools.cache
def _rows() -> tuple[Published, ...]:
    return tuple(_published(row) for row in _file()["results"])


@functools.cache
def _file() -> dict[str, Any]:
    text = (
        resources.files("geodata.evaluation.scores").joinpath("published.json").read_text("utf-8")
    )
    found: dict[str, Any] = json.loads(text)
    return found


def _published(row: dict[str, Any]) -> Published:
    accuracy = {
        float(km): None if percent is None else round(percent / 100, 6)
        for km, percent in row["percent"].items()
    }
    rest = {name: value for name, value in row.items() if name != "percent"}
    return Published(accuracy=accuracy, **rest)


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
