from .breakdowns import (
    derived_columns as derived_columns,
    needs_labels as needs_labels,
    with_derived as with_derived,
)
from .groups import Group as Group
from .intervals import (
    CONFIDENCE as CONFIDENCE,
    RESAMPLES as RESAMPLES,
    SEED as SEED,
    Interval as Interval,
    Paired as Paired,
    clustered_shares as clustered_shares,
    compare_within as compare_within,
    median_interval as median_interval,
    wilson as wilson,
)
from .metrics import Scorer as Scorer, Scores as Scores
from .published import (
    CATEGORIES as CATEGORIES,
    Published as Published,
    published_for as published_for,
)
from .regions import (
    LEVELS as LEVELS,
    RegionAccuracy as RegionAccuracy,
    region_accuracy as region_accuracy,
)
from .result import (
    SCHEMA as SCHEMA,
    Comparison as Comparison,
    Evaluation as Evaluation,
    Options as Options,
    Row as Row,
)
from .rule import (
    THRESHOLDS_KM as THRESHOLDS_KM,
    Distance as Distance,
    Missing as Missing,
    Scoring as Scoring,
)
