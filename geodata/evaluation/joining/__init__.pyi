from .joined import Joined as Joined, Match as Match, Predictions as Predictions, Truth as Truth
from .joining import PROBED_ROWS as PROBED_ROWS, join as join, join_opened as join_opened
from .matching import keys as keys, looks_float as looks_float, lookup as lookup
from .opening import read_predictions as read_predictions, read_truth as read_truth
from .row_checks import (
    CONSTANT_ROWS as CONSTANT_ROWS,
    CONSTANT_SAMPLE as CONSTANT_SAMPLE,
    CONSTANT_SHARE as CONSTANT_SHARE,
    SWAPPED_SHARE as SWAPPED_SHARE,
    RowChecks as RowChecks,
    constant_answer as constant_answer,
    placeholders as placeholders,
)
from .rows import (
    MISSING as MISSING,
    UNPARSABLE as UNPARSABLE,
    Rows as Rows,
    check_rows as check_rows,
    numbers as numbers,
)
from .scan import Scan as Scan, scan_predictions as scan_predictions
