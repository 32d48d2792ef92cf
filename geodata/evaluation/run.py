"""Evaluate and compare: read, join, score in one pass, then say how sure the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

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
    LEVELS,
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
    Row,
    Scorer,
    Scores,
    Scoring,
    clustered_shares,
    compare_within,
    derived_columns,
    median_interval,
    needs_labels,
    published_for,
    region_accuracy,
    wilson,
    with_derived,
)

WORST_ROWS = 20
SAMPLE_ROWS = 2_000
AUTO_REGIONS_ROWS = 1_000_000
"""Up to this many rows both coordinates are labelled unless asked otherwise."""

_AUTHORS = ("author", "user", "user_id", "owner", "photographer")


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
        or a column with the model's words.
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
        How ids are compared, see `geodata.evaluation.joining.opening.join`.
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
        joined = join(opened, id=id, lat=lat, lon=lon, match=match)
    else:
        joined = join(opened, read_truth(truth, id=id, lat=lat, lon=lon), match=match)
    options = Options(match, tuple(by), cluster, confidence, resamples, seed, benchmark)
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
        named_regions=_named_regions(joined) if wanted else {},
        findings=tuple(errors_first(found)),
        published=rows,
        worst=passed.worst,
        sample=passed.sample,
        options=options,
        inputs={
            "predictions": opened.source.identity(),
            "truth": joined.truth.source.identity(),
            **(_label_sources() if wanted or needs_labels(by) else {}),
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
    worst: tuple[Row, ...]
    sample: tuple[Row, ...]


@dataclass
class _Shown:
    """The rows with the largest errors, and a seeded sample, kept while walking."""

    seed: int
    worst: list[tuple[float, int, Row]] = field(default_factory=list)
    sample: list[tuple[float, int, Row]] = field(default_factory=list)
    rows: int = 0

    def add(self, batch: pa.Table, distance: NDArray[np.float64], answered: NDArray[Any]) -> None:
        draw = np.random.default_rng([self.seed, self.rows]).random(batch.num_rows)
        for kept, key, most in (
            (self.worst, distance, WORST_ROWS),
            (self.sample, draw, SAMPLE_ROWS),
        ):
            # only rows that beat the last one kept are sorted: few, after the first batches
            cut = -kept[-1][0] if len(kept) == most else -np.inf
            at = np.flatnonzero(answered & (key > cut))
            at = at[np.argsort(-key[at], kind="stable")[:most]]
            picked = batch.select(["id", "lat", "lon", "pred_lat", "pred_lon"]).take(at)
            for i, row in zip(at.tolist(), picked.to_pylist(), strict=True):
                shown = Row(**row, distance_km=float(distance[i]))
                kept.append((-float(key[i]), self.rows + i, shown))
            kept.sort(key=lambda entry: entry[:2])
            del kept[most:]
        self.rows += batch.num_rows


def _one_pass(
    joined: Joined,
    scoring: Scoring,
    options: Options,
    regions: bool,
    progress: Callable[[int, int | None], None] | None,
) -> _Pass:
    by = tuple(dict.fromkeys([*options.by, *([options.cluster] if options.cluster else [])]))
    made = derived_columns(by, joined.columns)
    read = ["id", "lat", "lon", "pred_lat", "pred_lon", *(n for n in by if n not in made)]
    scorer = Scorer(scoring, by=by)
    shown = _Shown(options.seed)
    found: dict[str, RegionAccuracy] = {}
    for batch in joined.batches(list(dict.fromkeys(read))):
        labels = _labels(batch, "") if regions or needs_labels(made) else None
        table = with_derived(batch, made, labels)
        outcome = scorer.add(table)
        shown.add(table, outcome.distance_km, outcome.answered)
        if regions and labels is not None:
            for level, part in region_accuracy(_pair(labels, _labels(batch, "pred_"))).items():
                found[level] = found[level] + part if level in found else part
        if progress is not None:
            progress(shown.rows, joined.rows)
    worst, sample = ([row for *_, row in kept] for kept in (shown.worst, shown.sample))
    return _Pass(scorer.finish(), found, tuple(worst), tuple(sample))


def _labels(batch: pa.RecordBatch, prefix: str) -> pa.Table:
    from geodata import coords
    from geodata.cor import labeller

    points = coords.arrays(batch.column(f"{prefix}lat"), batch.column(f"{prefix}lon"))
    return labeller(None, "un", "own", 10.0).table(points)


def _label_sources() -> dict[str, dict[str, str]]:
    """Say what labels come from, so that a number can be made again."""
    from geodata.cor import labeller

    engine = labeller(None, "un", "own", 10.0)
    return {
        "boundaries": {"name": engine.boundaries.name, "sha256": engine.boundaries.sha256},
        "places": {"name": "bundled", "sha256": engine.places.file.sha256},
    }


def _pair(
    truth: pa.Table, guess: pa.Table, levels: Iterable[str] = ("country", "admin1", "city")
) -> pa.Table:
    columns = [LEVELS[level] for level in levels]
    named = {name: truth[name] for name in columns}
    return pa.table(named | {f"pred_{name}": guess[name] for name in columns})


def _named_regions(joined: Joined) -> dict[str, RegionAccuracy]:
    """Accuracy of the names that predictions give, resolved through aliases."""
    if "country" not in joined.pred_regions:
        return {}
    from geodata import gazetteer

    names = [f"pred_{level}" for level in joined.pred_regions]
    found: dict[str, RegionAccuracy] = {}
    for batch in joined.batches(["lat", "lon", *names]):
        guess = gazetteer.codes(
            **{name.removeprefix("pred_"): batch.column(name) for name in names}
        )
        # a level that no answer names says nothing about the answers
        pair = _pair(_labels(batch, ""), cast(pa.Table, guess), joined.pred_regions)
        for level, part in region_accuracy(pair).items():
            found[level] = found[level] + part if level in found else part
    return found


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
