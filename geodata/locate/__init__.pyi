from .building import build as build
from .index import (
    CANDIDATE_BITS as CANDIDATE_BITS,
    CELL as CELL,
    COLUMNS as COLUMNS,
    FORMAT as FORMAT,
    MAX_CANDIDATES as MAX_CANDIDATES,
    UNITS as UNITS,
    Index as Index,
    edge_masks as edge_masks,
    left_of as left_of,
    load as load,
)
