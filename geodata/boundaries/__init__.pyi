from .facts import (
    KINDS as KINDS,
    RULES_VERSION as RULES_VERSION,
    Correction as Correction,
    Piece as Piece,
    corrections as corrections,
    country_name as country_name,
    digests as digests,
    drawn_level as drawn_level,
    facts_table as facts_table,
    is_country as is_country,
    parent_is_admin1 as parent_is_admin1,
    pieces as pieces,
    sovereign as sovereign,
    unit_aliases as unit_aliases,
    unit_names as unit_names,
    writes_latin as writes_latin,
)
from .nearest import Borders as Borders
from .registry import BUNDLED as BUNDLED, available as available, home as home, load as load
from .rings import Lines as Lines
from .set import (
    COUNTRIES as COUNTRIES,
    INDEX as INDEX,
    PROVENANCE as PROVENANCE,
    UNITS as UNITS,
    BoundarySet as BoundarySet,
    from_wkb as from_wkb,
    groups as groups,
    open_set as open_set,
    read_region_table as read_region_table,
    verify_set as verify_set,
)
