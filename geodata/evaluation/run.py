"""Evaluate and compare: read, join, score in one pass, then say how sure the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.evaluation.findings import errors_first
from geodata.evaluation.joining import (
    Joined,
    Match,
    Predictions,
    join,
    read_predictions,
    read_truth,
)
from geodata.evaluation.scores import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    THRESHOLDS_KM,
    Comparison,
    Distance,
    Evaluation,
    Interval,
    Missing,
    Options,
    RegionAccuracy,
    RegionCounts,
    Row,
    Scorer,
    Scores,
    Scoring,
    ShownRows,
    clustered_shares,
    compare_within,
    derived_columns,
    label_sources,
    labels_of,
    median_interval,
    named_labels,
    needs_labels,
    published_for,
    string_accuracy,
    true_name_columns,
    wilson,
    with_derived,
)

AUTO_REGIONS_ROWS = 1_000_000
"""Up to this many rows both coordinates are labelled unless asked otherwise."""


def evaluate(
    predictions: Any,
    truth: Any = None,
    thresholds_km: Sequence[float] = THRESHOLDS_KM,
    *,
    strict: bool = False,
    distance: Distance = "sphere",
    missing: Missing = "wrong",
    match: Match = "auto",
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    pred_id: str | None = None,
    pred_lat: str | None = None,
    pred_lon: str | None = None,
    text: str | None = None,
    by: Sequence[str] = (),
    cluster: str | None = None,
    regions: bool | None = None,
    names: bool | None = None,
    lint: bool = True,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    benchmark: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Evaluation:
    """Score predictions against the truth.

    Parameters
    ----------
    predictions : path, table or data frame
        CSV, TSV, Parquet, JSONL, or anything with ``__arrow_c_stream__``: an id and coordinates,
        or a column with the model's words, or columns with a country and a city.
    truth : path, table or data frame, optional
        An id and coordinates; None if the predictions' file holds the truth too.
    thresholds_km : sequence of float, km
    strict : bool
        Test ``d < t`` instead of ``d <= t``.
    distance : {'sphere', 'wgs84'}
        Great circle on R = 6371 km, or the ellipsoid's geodesic.
    missing : {'wrong', 'exclude'}
        What a truth row without a valid prediction is. 'exclude' takes it out of the
        denominator, and the result says so.
    match : str
        How ids are compared, see `geodata.evaluation.joining.join`.
    id, lat, lon, pred_id, pred_lat, pred_lon, text : str, optional
        Columns of the truth and of the predictions; found by their usual names if not given.
    by : sequence of str
        Columns to break the score down by: the truth's own, or country, admin1, continent, h3,
        town_km.
    cluster : str, optional
        Column whose values are resampled whole (the photographer), which widens the intervals
        to what they should be.
    regions : bool, optional
        Whether to label both coordinates for country, admin1 and city accuracy; by default up
        to a million rows.
    names : bool, optional
        Whether a row without coordinates that names a country or a city stands for the place
        of these names in `geodata.gazetteer`; by default only where no row has coordinates.
        A name that is not known counts as wrong and is listed in the findings.
    lint : bool
        Whether to look for what makes a score doubtful.
    confidence, resamples, seed
        Of the intervals.
    benchmark : str, optional
        Whose published results to put beside the numbers, e.g. ``im2gps3k``.
    progress : callable, optional
        Called with the rows done and the rows in all.

    Returns
    -------
    Evaluation

    Raises
    ------
    geodata.files.FileError
        If a file cannot be read or a column cannot be found.
    geodata.evaluation.findings.PredictionError
        If the files cannot be scored as they are: ids repeated with different answers.
    ValueError
        For an unknown option.

    Examples
    --------
    >>> truth = {"id": ["a", "b"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]}
    >>> preds = {"id": ["a", "b"], "lat": [48.80, None], "lon": [2.30, None]}
    >>> result = evaluate(preds, truth)
    >>> result.accuracy[25], result.coverage, result.rows, round(result.median_km, 1)
    (0.5, 0.5, 2, 7.6)
    """
    scoring = Scoring(tuple(thresholds_km), strict=strict, distance=distance, missing=missing)
    rows = published_for(benchmark) if benchmark else ()
    opened = (
        predictions
        if isinstance(predictions, Predictions)
        else read_predictions(
            predictions, id=pred_id, lat=pred_lat, lon=pred_lon, text=text, with_truth=truth is None
        )
    )
    if truth is None:
        joined = join(opened, id=id, lat=lat, lon=lon, match=match, names=names)
    else:
        joined = join(opened, read_truth(truth, id=id, lat=lat, lon=lon), match=match, names=names)
    options = Options(match, tuple(by), cluster, confidence, resamples, seed, benchmark, names)
    wanted = regions if regions is not None else joined.rows <= AUTO_REGIONS_ROWS
    passed = _one_pass(joined, scoring, options, wanted, progress)
    found = list(joined.findings)
    if lint:
        from geodata.evaluation.checks import against_truth

        found += against_truth(joined)
    return Evaluation(
        scores=passed.scores,
        intervals=_intervals(passed.scores, options),
        median_interval=median_interval(passed.scores.distances_km, confidence=confidence),
        regions=passed.regions,
        named_regions=passed.named_regions,
        string_regions=passed.string_regions,
        findings=tuple(errors_first(found)),
        published=rows,
        worst=passed.worst,
        sample=passed.sample,
        options=options,
        inputs={
            "predictions": opened.source.identity(),
            "truth": joined.truth.source.identity(),
            **(label_sources() if wanted or needs_labels(by) else {}),
        },
    )


def compare(a: Any, b: Any, truth: Any, **options: Any) -> Comparison:
    """Compare two prediction files on the same truth rows.

    Parameters
    ----------
    a, b, truth : path, table or data frame
    **options
        Those of `evaluate`; ``cluster`` resamples whole clusters.

    Returns
    -------
    Comparison
        Differences are A minus B, with a paired bootstrap interval and McNemar's exact test.

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
    columns["text"] = options.get("text")
    files = [read_predictions(file, **columns) for file in (a, b)]
    first, second = (evaluate(file, truth, **options) for file in files)
    scores = first.scores
    used = first.options
    clusters = scores.codes[used.cluster].codes if used.cluster else None
    paired = compare_within(
        scores.within(),
        second.scores.within(),
        scores.scoring.thresholds_km,
        clusters,
        confidence=used.confidence,
        resamples=used.resamples,
        seed=used.seed,
    )
    return Comparison(first, second, tuple(paired), tuple(near_duplicates(*files)))


@dataclass
class _Pass:
    """What one walk over the joined rows gathers."""

    scores: Scores
    regions: dict[str, RegionAccuracy]
    named_regions: dict[str, RegionAccuracy]
    string_regions: dict[str, RegionAccuracy]
    worst: tuple[Row, ...]
    sample: tuple[Row, ...]


def _one_pass(
    joined: Joined,
    scoring: Scoring,
    options: Options,
    regions: bool,
    progress: Callable[[int, int | None], None] | None,
) -> _Pass:
    by = tuple(dict.fromkeys([*options.by, *([options.cluster] if options.cluster else [])]))
    made = derived_columns(by, joined.columns)
    named = joined.pred_regions if regions and "country" in joined.pred_regions else ()
    read = ["id", "lat", "lon", "pred_lat", "pred_lon", *(n for n in by if n not in made)]
    read += [f"pred_{level}" for level in named]
    true_names = true_name_columns(joined.columns, joined.truth.source.name) if named else {}
    read += true_names.values()
    scorer, shown = Scorer(scoring, by=by), ShownRows(options.seed)
    right, right_named, right_text = RegionCounts(), RegionCounts(), RegionCounts()
    for batch in joined.batches(list(dict.fromkeys(read))):
        # labelling costs more than all the rest: the truth's labels serve every use of them
        labels = labels_of(batch) if regions or needs_labels(made) else None
        table = with_derived(batch, made, labels)
        outcome = scorer.add(table)
        shown.add(table, outcome.distance_km, outcome.answered)
        if regions and labels is not None:
            right.add(labels, labels_of(batch, "pred_"))
            if named:
                # a level that no answer names says nothing about the answers
                right_named.add(labels, named_labels(batch, named), named)
                right_text.count(string_accuracy(batch, true_names))
        if progress is not None:
            progress(shown.rows, joined.rows)
    return _Pass(
        scorer.finish(),
        right.found,
        right_named.found,
        right_text.found,
        shown.worst_rows(),
        shown.sample_rows(),
    )


def _intervals(scores: Scores, options: Options) -> dict[float, Interval | None]:
    thresholds = scores.scoring.thresholds_km
    if options.cluster is None or not scores.rows:
        return {
            t: wilson(scores.correct[t], scores.denominator, confidence=options.confidence)
            for t in thresholds
        }
    found = clustered_shares(
        scores.within().astype(np.int8),
        scores.codes[options.cluster].codes,
        confidence=options.confidence,
        resamples=options.resamples,
        seed=options.seed,
    )
    return dict(zip(thresholds, found, strict=True))
