from .compiling import compile_set as compile_set
from .make import build_set as build_set
from .outlines import build_outlines as build_outlines
from .regions import RegionTables as RegionTables
