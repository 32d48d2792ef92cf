from .cells import SHAPE as SHAPE, count_cells as count_cells
from .interactive import write_page as write_page
from .land import outlines as outlines
from .projection import (
    NORTH as NORTH,
    SOUTH as SOUTH,
    great_circle as great_circle,
    project as project,
)
from .world import WorldMap as WorldMap, cap as cap, format_of as format_of
