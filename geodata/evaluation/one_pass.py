"""One walk over the joined rows: scores, regions, rows to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.evaluation.joining import Joined
from geodata.evaluation.scores import (
    GIVEN_KM,
    Kept,
    Options,
    RegionAccuracy,
    RegionCounts,
    Row,
    Scorer,
    Scores,
    Scoring,
    ShownRows,
    derived_columns,
    labels_of,
    named_labels,
    needs_labels,
    string_accuracy,
    true_name_columns,
    with_derived,
)

Progress = Callable[[int, int | None], None]
Bools = NDArray[np.bool_]


@dataclass
class Pass:
    """What one walk over the joined rows gathers."""

    scores: Scores
    regions: dict[str, RegionAccuracy]
    named_regions: dict[str, RegionAccuracy]
    string_regions: dict[str, RegionAccuracy]
    worst: tuple[Row, ...]
    sample: tuple[Row, ...]
    worst_at: NDArray[np.int64]
    """Numbers of the truth rows that are ``worst``."""
    right: dict[str, Bools]
    """By level, whether each truth row's region is right; empty unless kept."""
    labelled: Bools
    """Whether each truth row lies in a country; empty unless kept."""
    labels_made: bool
    """Whether anything was told from labels of coordinates."""


def one_pass(
    joined: Joined,
    scoring: Scoring,
    options: Options,
    *,
    regions: bool,
    keep: bool,
    progress: Progress | None,
) -> Pass:
    """Walk over the joined rows once.

    Parameters
    ----------
    joined, scoring, options
    regions
        Whether to compare regions, which labels both coordinates.
    keep
        Whether to keep which rows' regions are right.
    progress
        Called with the rows done and the rows in all.
    """
    by = tuple(dict.fromkeys([*options.by, *([options.cluster] if options.cluster else [])]))
    made = derived_columns(by, joined.columns)
    named = joined.pred_regions if regions and "country" in joined.pred_regions else ()
    read = ["lat", "lon", "pred_lat", "pred_lon", *(n for n in by if n not in made)]
    read += [f"pred_{level}" for level in named]
    if joined.pred_distance_km is not None:
        read.append(GIVEN_KM)
    true_names = true_name_columns(joined.columns, joined.truth.source.name) if named else {}
    read += true_names.values()
    scorer, shown = Scorer(scoring, by=by), ShownRows(options.seed)
    right, right_named, right_text = RegionCounts(keep=keep), RegionCounts(), RegionCounts()
    wanted = regions or needs_labels(made)
    for batch in joined.batches(list(dict.fromkeys(read))):
        # labelling costs more than all the rest: the truth's labels serve every use of them
        here: Any = labels_of(batch) if wanted else None
        table = with_derived(batch, made, here)
        outcome = scorer.add(table)
        shown.add(outcome.distance_km, outcome.answered)
        if regions:
            right.add(here, labels_of(batch, "pred_"))
            if named:
                # a level that no answer names says nothing about the answers
                right_named.add(here, named_labels(batch, named), named)
                right_text.count(string_accuracy(batch, true_names))
        if progress is not None:
            progress(shown.rows, joined.rows)
    worst, sample = _rows_of(joined, (shown.worst, shown.sample))
    if joined.pred_distance_km is not None:
        sample = ()  # a map needs places
    return Pass(
        scorer.finish(),
        right.found,
        right_named.found,
        right_text.found,
        worst,
        sample,
        shown.worst.rows,
        {level: _joined(parts) for level, parts in right.rows.items()},
        _joined(right.labelled),
        wanted,
    )


def _rows_of(joined: Joined, shown: Sequence[Kept]) -> list[tuple[Row, ...]]:
    """Return rows as they are shown; ids are read for these only."""
    wanted = np.unique(np.concatenate([kept.rows for kept in shown]))
    ids = dict(zip(wanted.tolist(), joined.ids_at(wanted), strict=True))
    out = []
    for rows, distance_km, _ in shown:
        at = rows if joined.matched is None else joined.matched[rows]
        places = joined.lat[rows], joined.lon[rows], joined.pred_lat[at], joined.pred_lon[at]
        columns = (values.tolist() for values in (rows, *places, distance_km))
        out.append(tuple(Row(ids[row], *rest) for row, *rest in zip(*columns, strict=True)))
    return out


def _joined(parts: Sequence[Bools]) -> Bools:
    return np.concatenate([np.empty(0, bool), *parts])
