from .describing import Description as Description, describe as describe
from .differences import (
    Difference as Difference,
    diff as diff,
    rows_changed as rows_changed,
)
from .drawing import draw_map as draw_map
from .exporting import export as export
from .fetching import KnownSet as KnownSet, fetch as fetch, known_sets as known_sets
from .overture import fetch_overture as fetch_overture
