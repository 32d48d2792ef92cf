from .confidences import confidence_column as confidence_column, read_numbers as read_numbers
from .reading import (
    RANK_NAMES as RANK_NAMES,
    REPEATED_SHARE as REPEATED_SHARE,
    Floats as Floats,
    Ints as Ints,
    Layout as Layout,
    Opened as Opened,
    Several as Several,
    of_rows as of_rows,
    open_answers as open_answers,
)
