from .dots import SHAPE as SHAPE, count as count, draw as draw
from .projection import (
    NORTH as NORTH,
    SOUTH as SOUTH,
    great_circle as great_circle,
    outlines as outlines,
    project as project,
)
