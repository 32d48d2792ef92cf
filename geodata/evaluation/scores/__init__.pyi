from .candidates import CandidateScores as CandidateScores, first as first, spread_km as spread_km
from .comparison import Comparison as Comparison
from .confidence import COVERAGES as COVERAGES, Confidence as Confidence
from .counting import (
    GIVEN_KM as GIVEN_KM,
    THRESHOLDS_KM as THRESHOLDS_KM,
    Distance as Distance,
    Group as Group,
    Kept as Kept,
    Missing as Missing,
    Scorer as Scorer,
    Scores as Scores,
    Scoring as Scoring,
    ShownRows as ShownRows,
    derived_columns as derived_columns,
    geoscore_points as geoscore_points,
    needs_labels as needs_labels,
    score_rows as score_rows,
    threshold_counts as threshold_counts,
    thresholds_of as thresholds_of,
    with_derived as with_derived,
)
from .intervals import (
    CONFIDENCE as CONFIDENCE,
    RESAMPLES as RESAMPLES,
    SEED as SEED,
    Interval as Interval,
    Paired as Paired,
    compare_within as compare_within,
)
from .models import Models as Models, accuracy_on as accuracy_on, tests_of as tests_of
from .published import (
    CATEGORIES as CATEGORIES,
    Preset as Preset,
    Published as Published,
    preset_of as preset_of,
    published_for as published_for,
)
from .readings import Readings as Readings, read_each_way as read_each_way
from .regions import (
    RegionAccuracy as RegionAccuracy,
    RegionCounts as RegionCounts,
    label_sources as label_sources,
    labels_of as labels_of,
    named_labels as named_labels,
    string_accuracy as string_accuracy,
    true_name_columns as true_name_columns,
)
from .result import SCHEMA as SCHEMA, Evaluation as Evaluation, Options as Options, Row as Row
from .uncertainty import (
    few_clusters as few_clusters,
    intervals_of as intervals_of,
    median_of as median_of,
)
from .ways import candidate_scores as candidate_scores
from .worth import confidence_of as confidence_of
