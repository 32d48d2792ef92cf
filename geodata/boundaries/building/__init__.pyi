from .compiling import compile_set as compile_set
from .iso import (
    NameIndex as NameIndex,
    Subdivision as Subdivision,
    plain as plain,
    readings as readings,
    subdivisions as subdivisions,
    without_kinds as without_kinds,
)
from .making import (
    build as build,
    finish as finish,
    replacing_folder as replacing_folder,
    target_folder as target_folder,
)
from .providers import KINDS as KINDS, Layout as Layout, Provider as Provider, provider as provider
from .regions import (
    RegionTables as RegionTables,
    country_rows as country_rows,
    unit_rows as unit_rows,
    write_tables as write_tables,
)
from .shapes import (
    Repairs as Repairs,
    polygonal as polygonal,
    repair as repair,
    snap as snap,
    wkb as wkb,
)
from .sources import Reading as Reading, read as read
