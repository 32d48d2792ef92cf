from .breakdowns import (
    derived_columns as derived_columns,
    needs_labels as needs_labels,
    with_derived as with_derived,
)
from .groups import (
    Group as Group,
    share as share,
)
from .metrics import (
    Scorer as Scorer,
    Scores as Scores,
    geoscore_points as geoscore_points,
)
from .outcomes import (
    GIVEN_KM as GIVEN_KM,
    score_rows as score_rows,
)
from .rule import (
    THRESHOLDS_KM as THRESHOLDS_KM,
    Distance as Distance,
    Missing as Missing,
    Scoring as Scoring,
    thresholds_of as thresholds_of,
)
from .shown_rows import (
    Kept as Kept,
    ShownRows as ShownRows,
)
from .thresholds import (
    threshold_counts as threshold_counts,
)
