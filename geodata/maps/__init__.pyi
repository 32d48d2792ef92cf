from .dots import SHAPE as SHAPE, count_cells as count_cells, draw_dots as draw_dots
from .land import outlines as outlines
from .projection import (
    NORTH as NORTH,
    SOUTH as SOUTH,
    great_circle as great_circle,
    project as project,
)
