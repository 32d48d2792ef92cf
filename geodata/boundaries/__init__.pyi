from .building import build as build
from .exchange import (
    describe as describe,
    diff as diff,
    draw_map as draw_map,
    export as export,
    fetch as fetch,
    fetch_overture as fetch_overture,
    known_sets as known_sets,
    rows_changed as rows_changed,
)
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
from .registry import (
    BUNDLED as BUNDLED,
    available as available,
    find as find,
    home as home,
    load as load,
)
from .rings import Lines as Lines
from .schema import (
    COUNTRIES as COUNTRIES,
    COUNTRY_SCHEMA as COUNTRY_SCHEMA,
    INDEX as INDEX,
    LEVELS as LEVELS,
    PROVENANCE as PROVENANCE,
    UNIT_SCHEMA as UNIT_SCHEMA,
    UNITS as UNITS,
)
from .set import BoundarySet as BoundarySet, open_set as open_set
from .verifying import verify_set as verify_set
