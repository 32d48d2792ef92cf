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
from .candidates import (
    CandidateScores as CandidateScores,
    first as first,
    medoid as medoid,
    most as most,
    nearest_rank as nearest_rank,
    spread_km as spread_km,
    vote as vote,
)
from .clusters import FEW_CLUSTERS as FEW_CLUSTERS
from .comparison import Comparison as Comparison
from .confidence import Confidence as Confidence
from .groups import Group as Group
from .held_out import (
    PARTS as PARTS,
    TARGET as TARGET,
    BackOff as BackOff,
    Radius as Radius,
    back_off as back_off,
    halves as halves,
    radii as radii,
)
from .intervals import (
    CONFIDENCE as CONFIDENCE,
    Interval as Interval,
    clustered_median as clustered_median,
    median_interval as median_interval,
    wilson as wilson,
)
from .labels import (
    label_sources as label_sources,
    labels_at as labels_at,
    labels_of as labels_of,
    named_labels as named_labels,
)
from .metrics import Scorer as Scorer, Scores as Scores
from .models import (
    Models as Models,
    Tested as Tested,
    accuracy_on as accuracy_on,
    common_rows as common_rows,
    tests_of as tests_of,
)
from .outcomes import score_rows as score_rows
from .pairs import Paired as Paired, compare_within as compare_within, holm as holm
from .published import (
    CATEGORIES as CATEGORIES,
    Preset as Preset,
    Published as Published,
    preset_of as preset_of,
    published_for as published_for,
)
from .regions import RegionAccuracy as RegionAccuracy, RegionCounts as RegionCounts
from .result import (
    SCHEMA as SCHEMA,
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
from .selective import COVERAGES as COVERAGES, Selective as Selective, selective as selective
from .shown_rows import ShownRows as ShownRows
from .thresholds import threshold_counts as threshold_counts
