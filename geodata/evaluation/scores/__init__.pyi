from .bootstrap import (
    RESAMPLES as RESAMPLES,
    SEED as SEED,
    clustered_shares as clustered_shares,
)
from .breakdowns import (
    derived_columns as derived_columns,
    needs_labels as needs_labels,
    with_derived as with_derived,
)
from .groups import Group as Group
from .intervals import (
    CONFIDENCE as CONFIDENCE,
    Interval as Interval,
    median_interval as median_interval,
    wilson as wilson,
)
from .labels import (
    label_sources as label_sources,
    labels_of as labels_of,
    named_labels as named_labels,
)
from .metrics import Scorer as Scorer, Scores as Scores
from .pairs import Paired as Paired, compare_within as compare_within
from .published import (
    CATEGORIES as CATEGORIES,
    Published as Published,
    published_for as published_for,
)
from .regions import RegionAccuracy as RegionAccuracy, RegionCounts as RegionCounts
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
from .shown_rows import ShownRows as ShownRows
from .string_rule import (
    string_accuracy as string_accuracy,
    true_name_columns as true_name_columns,
)
from .thresholds import threshold_counts as threshold_counts
