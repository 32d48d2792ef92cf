"""Put many models into one table: the truth is opened once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from geodata import files
from geodata.evaluation.findings import Finding, finding
from geodata.evaluation.joining import Truth, read_truth
from geodata.evaluation.report import (
    models_html,
    models_markdown,
    notebook_html,
    to_latex,
    write_curves,
)
from geodata.evaluation.run import evaluate
from geodata.evaluation.scores import (
    THRESHOLDS_KM,
    Models,
    accuracy_on,
    tests_of,
)

FEW_COMMON = 0.5
"""Below this share of the truth rows, the common rows say little of the models."""


class ModelTable(Models):
    """Many models on one truth, and the forms of their table."""

    def to_latex(self) -> str:
        r"""Return the tables of accuracies as LaTeX with ``\usepackage{booktabs}``."""
        return to_latex(self)

    def to_markdown(self) -> str:
        """Return everything as Markdown."""
        return models_markdown(self)

    def to_html(self) -> str:
        """Return everything as one self-contained HTML page."""
        return models_html(self)

    def write_curves(self, path: str | os.PathLike[str]) -> None:
        """Write the error curves of all models to an SVG or PDF file."""
        write_curves(self.results, path)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return notebook_html(self)


def table(
    models: Mapping[str, Any],
    truth: Any,
    thresholds_km: Sequence[float] = THRESHOLDS_KM,
    *,
    benchmark: str | None = None,
    regions: bool = False,
    **options: Any,
) -> ModelTable:
    """Score many prediction files on one truth and test every two of them.

    Parameters
    ----------
    models : mapping of name to path, table or data frame
    truth : path, table or data frame
    thresholds_km : sequence of float, km
    benchmark : str, optional
        Whose published rows to put beside the models.
    regions : bool
        Whether to label all coordinates for country, admin1 and city accuracy.
    **options
        Those of `evaluate`.

    Returns
    -------
    ModelTable
        ``accuracy[name][25]`` is that of `evaluate`. The tests, exact and corrected by Holm for
        all pairs at a threshold, are on the truth rows that all models answered.

    Raises
    ------
    ValueError
        Without a model.

    Examples
    --------
    >>> truth = {"id": ["a", "b"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]}
    >>> good = {"id": ["a", "b"], "lat": [48.8, 35.7], "lon": [2.3, 139.8]}
    >>> bad = {"id": ["a", "b"], "lat": [48.8, 0.0], "lon": [2.3, 9.0]}
    >>> found = table({"good": good, "bad": bad}, truth, (25,))
    >>> found.accuracy["good"][25], found.accuracy["bad"][25], found.tests[0].p_holm
    (1.0, 0.5, 1.0)
    """
    if not models:
        msg = "a table needs at least one model; give {name: predictions, ...}"
        raise ValueError(msg)
    true = held(
        read_truth(
            truth,
            encoding=options.get("encoding"),
            **{name: options.pop(name, None) for name in ("id", "lat", "lon")},
        )
    )
    results = {
        str(name): evaluate(
            source, true, thresholds_km, benchmark=benchmark, regions=regions, **options
        )
        for name, source in models.items()
    }
    rows = np.asarray(np.logical_and.reduce([one.scores.there for one in results.values()]))
    count = int(rows.sum())
    first = next(iter(results.values()))
    return ModelTable(
        results,
        count,
        {name: accuracy_on(result, rows) for name, result in results.items()},
        tuple(tests_of(results, rows)),
        first.published,
        tuple(_few_common(count, results)),
    )


def held(truth: Truth) -> Truth:
    """Return a truth whose rows are in memory; one with damaged rows is left as it is."""
    names = [*truth.columns.used(), *truth.extras]
    batches = list(truth.source.batches(list(dict.fromkeys(names))))
    if any(batch.bad for batch in batches) or not batches:
        return truth
    rows = pa.concat_tables([batch.table for batch in batches], promote_options="permissive")
    made = files.source_of(rows, truth.source.name)
    identity = truth.source.identity()
    return replace(truth, source=replace(made, reference=identity))


def _few_common(common: int, results: Mapping[str, Any]) -> list[Finding]:
    rows = next(iter(results.values())).rows
    if common >= FEW_COMMON * rows:
        return []
    name, fewest = min(results.items(), key=lambda item: item[1].scores.answered)
    return [
        finding(
            "few_common_rows",
            "warning",
            f"only {common} of {rows} truth rows are answered by all models; {name} answered "
            f"{fewest.scores.answered}",
            "Leave that model out, or read the table of all truth rows.",
            count=rows - common,
        )
    ]
