from .building import build as build
from .index import CELL as CELL, COLUMNS as COLUMNS, Index as Index, load as load
