"""Evaluate: read, join, score in one pass, then say how sure the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geodata.evaluation.benchmark import against_preset
from geodata.evaluation.findings import (
    Finding,
    PredictionError,
    errors_first,
    with_missing_excluded,
)
from geodata.evaluation.further import read_confidence, several_of, truth_places, with_words
from geodata.evaluation.joining import (
    REPEATED_SHARE,
    Joined,
    Layout,
    Match,
    Opened,
    Truth,
    join,
    of_rows,
    open_answers,
    read_truth,
)
from geodata.evaluation.notebooks import ShownEvaluation
from geodata.evaluation.one_pass import Progress, one_pass
from geodata.evaluation.scores import (
    CONFIDENCE,
    RESAMPLES,
    SEED,
    THRESHOLDS_KM,
    Distance,
    Evaluation,
    Missing,
    Options,
    Readings,
    Scores,
    Scoring,
    candidate_scores,
    confidence_of,
    few_clusters,
    intervals_of,
    label_sources,
    median_of,
    preset_of,
    published_for,
    read_each_way,
    thresholds_of,
)

AUTO_REGIONS_ROWS = 1_000_000
"""Up to this many rows both coordinates are labelled unless asked otherwise."""

WORDS_ROWS = 20_000
"""So many rows are compared with the words beside them; `lint` looks at more."""


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
    encoding: str | None = None,
    by: Sequence[str] | str = (),
    cluster: str | None = None,
    regions: bool | None = None,
    names: bool | None = None,
    lint: bool = True,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    benchmark: str | None = None,
    candidates: Layout = "auto",
    rank: str | None = None,
    confidence_column: str | None = None,
    distance_column: str | None = None,
    distance_unit: str | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Evaluation:
    """Score predictions against the truth.

    Parameters
    ----------
    predictions : path, table or data frame
        CSV, TSV, Parquet, JSONL, or anything with ``__arrow_c_stream__``: an id and coordinates,
        or a column with the model's words, or columns with a country and a city, or the
        distance of each answer from the truth.
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
    encoding : str, optional
        Of text files that are neither UTF-8 nor UTF-16, such as 'latin-1'; never guessed.
    by : sequence of str, or str
        Columns to break the score down by: the truth's own, or country, admin1, continent, h3,
        town_km. One may be named alone.
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
        Whose published results to put beside the numbers, and whose rows and ids the truth is
        to have, e.g. ``im2gps3k``, or the arXiv id of the paper that made it.
    candidates : {'auto', 'rows', 'columns', 'list', 'none'}
        How the predictions hold several answers a photo: several rows with one id, numbered pairs
        of columns (``lat_1, lon_1, lat_2, ...``), or a column of lists. 'auto' tells by names,
        and takes repeated ids for it where most of them are. The first answer is scored.
    rank : str, optional
        Column that orders the rows of one photo; by its usual names, else the order of the file.
    confidence_column : str, optional
        Column that says how sure an answer is, the higher the surer; by its usual names if not
        given.
    distance_column : str, optional
        Column with the error of each answer, where the predictions' file has no coordinates; by
        its usual names (``distance_km``, ``error_m``) if not given. Nothing that needs places is
        computed then. Coordinates go first unless the column is given.
    distance_unit : {'km', 'm', 'mi'}, optional
        Unit of that column; if not given, what its name says, else km with a warning.
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
    scoring = Scoring(
        thresholds_of(thresholds_km), strict=strict, distance=distance, missing=missing
    )
    columns = (by,) if isinstance(by, str) else tuple(by)
    options = Options(match, columns, cluster, confidence, resamples, seed, benchmark, names)
    if benchmark:
        published_for(benchmark)  # an unknown name is refused before anything is read
    opened = (
        predictions
        if isinstance(predictions, Opened)
        else open_answers(
            predictions, candidates=candidates, rank=rank, confidence=confidence_column,
            id=pred_id, lat=pred_lat, lon=pred_lon, text=text, with_truth=truth is None,
            encoding=encoding, distance_column=distance_column, distance_unit=distance_unit,
        )
    )  # fmt: skip
    true = truth
    if truth is not None and not isinstance(truth, Truth):
        true = read_truth(truth, id=id, lat=lat, lon=lon, encoding=encoding)
    of_truth = {"id": id, "lat": lat, "lon": lon} if truth is None else {}
    opened, joined = _join(
        opened, true, candidates, confidence_column, match=match, names=names, **of_truth
    )
    wanted = regions if regions is not None else joined.rows <= AUTO_REGIONS_ROWS
    return evaluate_joined(
        opened, joined, scoring, options,
        regions=wanted, lint=lint, column=confidence_column, progress=progress,
    )  # fmt: skip


def evaluate_joined(
    opened: Opened,
    joined: Joined,
    scoring: Scoring,
    options: Options,
    *,
    regions: bool,
    lint: bool,
    column: str | None,
    progress: Progress | None,
) -> Evaluation:
    """Score predictions that stand beside their truth rows.

    Parameters
    ----------
    opened, joined, scoring, options
    regions
        Whether to compare regions.
    lint
        Whether to look for what makes the score doubtful.
    column
        Of the confidence.
    progress
    """
    regions = regions and joined.pred_distance_km is None  # a region needs coordinates
    without = joined.unanswered()
    several = several_of(opened, joined)
    sure = read_confidence(opened, joined, several, column)
    passed = one_pass(
        joined, scoring, options,
        regions=regions, keep=sure is not None, progress=progress,
    )  # fmt: skip
    found = [*joined.findings, *few_clusters(passed.scores, options)]
    ways = worth = None
    if several is not None:
        ways, told = candidate_scores(
            several, opened.layout, truth_places(joined), passed.scores, options, regions,
            asked=opened.asked,
        )  # fmt: skip
        found += told
    if sure is not None:
        worth, doubts = confidence_of(*sure, passed.scores, options, passed.right, passed.labelled)
        found += doubts
    if lint:
        found += _checks(opened, joined, options)
    if scoring.missing == "exclude":
        found = with_missing_excluded(found)
    return ShownEvaluation(
        scores=passed.scores,
        intervals=intervals_of(passed.scores, options),
        median_interval=median_of(passed.scores, options),
        regions=passed.regions,
        named_regions=passed.named_regions,
        string_regions=passed.string_regions,
        findings=tuple(errors_first(found)),
        published=published_for(options.benchmark) if options.benchmark else (),
        worst=with_words(opened, joined, passed.worst, passed.worst_at),
        sample=passed.sample,
        options=options,
        inputs={
            "predictions": opened.predictions.source.identity(),
            "truth": joined.truth.source.identity(),
            **(label_sources() if passed.labels_made else {}),
        },
        refused=without.refused,
        unreadable=without.unreadable,
        readings=_readings(opened, joined, passed.scores, scoring),
        candidates=ways,
        confidence=worth,
    )


def _join(
    opened: Opened,
    truth: Truth | None,
    candidates: Layout,
    column: str | None,
    **options: Any,
) -> tuple[Opened, Joined]:
    """Join; ids that are mostly repeated are several answers a photo."""
    try:
        return opened, join(opened.predictions, truth, **options)
    except PredictionError as error:
        repeated = error.finding.code == "duplicate_ids"
        alone = opened.several is not None or opened.predictions.distance is not None
        if not repeated or candidates != "auto" or alone or truth is None:
            raise
        again = of_rows(opened.predictions, confidence=column, least=REPEATED_SHARE)
        if again is None:
            raise
        return again, join(again.predictions, truth, **options)


def _readings(opened: Opened, joined: Joined, scores: Scores, scoring: Scoring) -> Readings | None:
    """Return how texts were read; None where what was scored are the names in them."""
    if not opened.predictions.columns.text:
        return None
    found = read_each_way(opened.predictions, joined, scoring)
    by_name = scores.answered and not any(way.answered for way in found.readers.values())
    return None if by_name else found


def _checks(opened: Opened, joined: Joined, options: Options) -> list[Finding]:
    from geodata.evaluation.checks import against_text, against_truth

    found = against_truth(joined, opened.predictions)
    found += against_text(opened.predictions, WORDS_ROWS)
    if options.benchmark:
        found += against_preset(joined, preset_of(options.benchmark))
    return found
