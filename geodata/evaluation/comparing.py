"""Compare two files on the truth rows that both answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.evaluation.findings import Finding, PredictionError, finding
from geodata.evaluation.joining import open_answers, read_truth
from geodata.evaluation.notebooks import ShownComparison
from geodata.evaluation.run import evaluate
from geodata.evaluation.scores import Comparison, Paired, Scores, compare_within

PREDICTED = ("text", "encoding", "rank", "distance_column", "distance_unit")
"""Options of `evaluate` that say how a prediction file is opened."""


def compare(a: Any, b: Any, truth: Any, **options: Any) -> Comparison:
    """Compare two prediction files on the truth rows that both answered.

    Two files that answered different rows are told apart on the rows that they share: a model
    that answers easy photos only is not better for it. How many rows that are is said first.
    With ``missing='wrong'``, `Comparison.on_all` has the same on all truth rows.

    Parameters
    ----------
    a, b, truth : path, table or data frame
    **options
        Those of `evaluate`; ``cluster`` takes clusters as the units.

    Returns
    -------
    Comparison
        Differences are A minus B with an interval, Tango's or a cluster bootstrap, and an exact
        test, McNemar's or its form for clusters.

    Raises
    ------
    geodata.evaluation.findings.PredictionError
        If no truth row is answered by both.

    Examples
    --------
    >>> truth = {"id": ["a", "b"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]}
    >>> good = {"id": ["a", "b"], "lat": [48.8, 35.7], "lon": [2.3, 139.8]}
    >>> bad = {"id": ["a", "b"], "lat": [48.8, 0.0], "lon": [2.3, 9.0]}
    >>> pair = compare(good, bad, truth).paired[1]
    >>> pair.threshold_km, pair.difference.value, pair.only_a, pair.only_b
    (25.0, 0.5, 1, 0)
    """
    from geodata.evaluation.checks import near_duplicates

    columns: dict[str, Any] = {n: options.get(f"pred_{n}") for n in ("id", "lat", "lon")}
    columns |= {name: options.get(name) for name in PREDICTED}
    columns |= {"candidates": options.get("candidates", "auto")}
    files = [
        open_answers(file, confidence=options.get("confidence_column"), **columns)
        for file in (a, b)
    ]
    true = read_truth(
        truth, **{name: options.get(name) for name in ("id", "lat", "lon", "encoding")}
    )
    first, second = (evaluate(file, true, **options) for file in files)
    one, two = first.scores, second.scores
    both = one.there & two.there
    if not both.any():
        raise PredictionError(_nothing_shared(one, two))
    same = bool((one.there == two.there).all())
    further = (
        () if same or one.scoring.missing == "exclude" else tuple(_paired(first, second, None))
    )
    found = [] if same else [_other_rows(one, two, int(both.sum()))]
    found += near_duplicates(*(file.predictions for file in files))
    return ShownComparison(
        first,
        second,
        tuple(_paired(first, second, both)),
        tuple(found),
        further,
        int((one.there & ~two.there).sum()),
        int((two.there & ~one.there).sum()),
    )


def _paired(first: Any, second: Any, rows: Any) -> list[Paired]:
    """Compare two evaluations on some truth rows, all if None."""
    scores, used = first.scores, first.options
    kept = np.ones(scores.rows, bool) if rows is None else rows
    clusters = scores.codes[used.cluster].codes[kept] if used.cluster else None
    return compare_within(
        scores.within()[kept],
        second.scores.within()[kept],
        scores.scoring.thresholds_km,
        clusters,
        confidence=used.confidence,
        resamples=used.resamples,
        seed=used.seed,
    )


def _nothing_shared(a: Scores, b: Scores) -> Finding:
    return finding(
        "no_common_rows",
        "error",
        f"no truth row is answered by both: A answered {a.answered}, B {b.answered} of {a.rows}",
        "Look whether both files are for this truth, and how their ids are written.",
    )


def _other_rows(a: Scores, b: Scores, both: int) -> Finding:
    differ = a.there != b.there
    return finding(
        "row_sets_differ",
        "warning",
        f"A answered {a.answered} and B {b.answered} of {a.rows} truth rows, {both} of them both",
        "Predict the same rows with both models; refusals count in the table of all rows.",
        rows=np.flatnonzero(differ),
        count=int(differ.sum()),
    )
