from .checked_rows import (
    AMBIGUOUS as AMBIGUOUS,
    INVALID as INVALID,
    LEVELS as LEVELS,
    MISSING as MISSING,
    OK as OK,
    REFUSED as REFUSED,
    STATUSES as STATUSES,
    UNPARSABLE as UNPARSABLE,
    CheckedRows as CheckedRows,
    as_floats as as_floats,
    check_rows as check_rows,
    places_in as places_in,
    status_of_words as status_of_words,
)
from .distances import (
    check_distances as check_distances,
    distance_columns as distance_columns,
    distance_findings as distance_findings,
)
from .joined import (
    Answers as Answers,
    Joined as Joined,
    Match as Match,
    Predictions as Predictions,
    Truth as Truth,
    Unanswered as Unanswered,
    ids_of as ids_of,
    words_of as words_of,
)
from .opening import read_predictions as read_predictions, read_truth as read_truth
