from .checked_rows import as_floats as as_floats, check_rows as check_rows
from .joined import (
    Joined as Joined,
    Match as Match,
    Predictions as Predictions,
    Truth as Truth,
    Unanswered as Unanswered,
)
from .joining import join as join
from .matching import find_rows as find_rows, id_keys as id_keys
from .opening import read_predictions as read_predictions, read_truth as read_truth
from .scan import Scan as Scan, scan_predictions as scan_predictions
