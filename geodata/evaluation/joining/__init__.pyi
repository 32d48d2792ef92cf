from .joining import join as join
from .matches import (
    Scan as Scan,
    find_rows as find_rows,
    id_keys as id_keys,
    scan_predictions as scan_predictions,
)
from .several import (
    REPEATED_SHARE as REPEATED_SHARE,
    Layout as Layout,
    Opened as Opened,
    Several as Several,
    confidence_column as confidence_column,
    of_rows as of_rows,
    open_answers as open_answers,
    read_numbers as read_numbers,
)
from .sides import (
    STATUSES as STATUSES,
    Joined as Joined,
    Match as Match,
    Predictions as Predictions,
    Truth as Truth,
    Unanswered as Unanswered,
    as_floats as as_floats,
    check_rows as check_rows,
    distance_columns as distance_columns,
    distance_findings as distance_findings,
    read_predictions as read_predictions,
    read_truth as read_truth,
    words_of as words_of,
)
