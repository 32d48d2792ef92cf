from .dots import SHAPE as SHAPE, count as count, draw as draw
from .land import outlines as outlines
from .projection import (
    NORTH as NORTH,
    SOUTH as SOUTH,
    great_circle as great_circle,
    project as project,
)
