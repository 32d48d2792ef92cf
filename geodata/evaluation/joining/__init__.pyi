from .checked_rows import STATUSES as STATUSES, as_floats as as_floats, check_rows as check_rows
from .confidences import confidence_column as confidence_column, read_numbers as read_numbers
from .distances import (
    distance_columns as distance_columns,
    distance_findings as distance_findings,
)
from .joined import (
    Joined as Joined,
    Match as Match,
    Predictions as Predictions,
    Truth as Truth,
    Unanswered as Unanswered,
    words_of as words_of,
)
from .joining import join as join
from .matching import find_rows as find_rows, id_keys as id_keys
from .opening import read_predictions as read_predictions, read_truth as read_truth
from .scan import Scan as Scan, scan_predictions as scan_predictions
from .several import (
    REPEATED_SHARE as REPEATED_SHARE,
    Layout as Layout,
    Opened as Opened,
    Several as Several,
    of_rows as of_rows,
    open_answers as open_answers,
)
