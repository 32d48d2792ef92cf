from .building import build as build
from .index import (
    CELL as CELL,
    COLUMNS as COLUMNS,
    Index as Index,
    base_cell as base_cell,
    load as load,
)
