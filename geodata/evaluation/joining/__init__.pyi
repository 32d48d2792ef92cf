from .joining import PROBED_ROWS as PROBED_ROWS, join_opened as join_opened
from .matching import id_text as id_text, keys as keys, looks_float as looks_float, lookup as lookup
from .opening import (
    Joined as Joined,
    Match as Match,
    Predictions as Predictions,
    Truth as Truth,
    join as join,
    read_predictions as read_predictions,
    read_truth as read_truth,
)
from .rows import (
    MISSING as MISSING,
    UNPARSABLE as UNPARSABLE,
    Rows as Rows,
    check_rows as check_rows,
    numbers as numbers,
)
from .scan import Scan as Scan, scan_predictions as scan_predictions
