from .bootstrap import RESAMPLES as RESAMPLES, SEED as SEED
from .breakdowns import (
    derived_columns as derived_columns,
    needs_labels as needs_labels,
    with_derived as with_derived,
)
from .candidates import CandidateScores as CandidateScores, first as first, spread_km as spread_km
from .comparison import Comparison as Comparison
from .confidence import Confidence as Confidence
from .groups import Group as Group
from .intervals import CONFIDENCE as CONFIDENCE, Interval as Interval
from .labels import (
    label_sources as label_sources,
    labels_of as labels_of,
    named_labels as named_labels,
)
from .metrics import Scorer as Scorer, Scores as Scores, geoscore_points as geoscore_points
from .models import Models as Models, accuracy_on as accuracy_on, tests_of as tests_of
from .outcomes import GIVEN_KM as GIVEN_KM, score_rows as score_rows
from .pairs import Paired as Paired, compare_within as compare_within
from .published import (
    CATEGORIES as CATEGORIES,
    Preset as Preset,
    Published as Published,
    preset_of as preset_of,
    published_for as published_for,
)
from .readings import Readings as Readings, read_each_way as read_each_way
from .regions import RegionAccuracy as RegionAccuracy, RegionCounts as RegionCounts
from .result import SCHEMA as SCHEMA, Evaluation as Evaluation, Options as Options, Row as Row
from .rule import (
    THRESHOLDS_KM as THRESHOLDS_KM,
    Distance as Distance,
    Missing as Missing,
    Scoring as Scoring,
)
from .selective import COVERAGES as COVERAGES
from .shown_rows import Kept as Kept, ShownRows as ShownRows
from .string_rule import (
    string_accuracy as string_accuracy,
    true_name_columns as true_name_columns,
)
from .thresholds import threshold_counts as threshold_counts
from .uncertainty import (
    few_clusters as few_clusters,
    intervals_of as intervals_of,
    median_of as median_of,
)
from .ways import candidate_scores as candidate_scores
from .worth import confidence_of as confidence_of
