from .findings import (
    SHOWN as SHOWN,
    Finding as Finding,
    PredictionError as PredictionError,
    failing as failing,
    finding as finding,
)
from .linting import (
    against_truth as against_truth,
    lint as lint,
    near_duplicates as near_duplicates,
    overlap as overlap,
)
from .rows import (
    CONSTANT_ROWS as CONSTANT_ROWS,
    CONSTANT_SAMPLE as CONSTANT_SAMPLE,
    CONSTANT_SHARE as CONSTANT_SHARE,
    SWAPPED_SHARE as SWAPPED_SHARE,
    RowChecks as RowChecks,
    constant_answer as constant_answer,
    float_ids as float_ids,
    is_summary as is_summary,
    placeholders as placeholders,
)
