"""The schema of a boundary set: which files its folder holds and which columns they have.

A set is a folder. Each level that its source draws is one GeoParquet 1.1 table:

======================  ==============  ==========================================================
file                    level           rows
======================  ==============  ==========================================================
``countries.parquet``   country         one a country, territory or disputed piece
``units.parquet``       admin1          the first divisions that are drawn; admin2 in a country
                                        where its source draws only those
``admin2.parquet``      admin2          the second divisions, where the first are drawn too
``localities.parquet``  locality        cities, towns, municipalities
``neighbourhoods...``   neighbourhood   parts of localities
======================  ==============  ==========================================================

The first two are always there. ``index.geoindex`` is compiled from all of them, and
``PROVENANCE.json`` names the sources, the release, the licence, every repair and the SHA-256 of
every file. Columns of all tables:

``id``, ``parent``
    Text; unique in the set. The parent is the id of the smallest region above that is drawn.
``level``
    One of `LEVELS`.
``name``, ``names``, ``aliases``
    The name that labels show, English where the source has it; names by language (BCP 47, and
    ``local`` where the source does not say which language); other spellings.
``disputed``, ``claims``
    Whether worldviews differ, and for those that differ from the set's own the country by
    ISO 3166-1 alpha-2: ``{worldview, code}``, the worldview in lower case.
``approximate``
    True where the outline is no source's: drawn by hand or from the cells of places, and right to
    some kilometres. NULL in sets that do not say.
``source``, ``release``, ``licence``
    Who drew the region, in which release, under which licence.
``bbox``, ``geometry``
    WKB MultiPolygon, longitude and latitude in degrees (OGC:CRS84), multiples of 1e-7, valid, cut
    at ±180; its bounds as the GeoParquet covering.

Countries also have ``code`` and ``alpha3`` (ISO 3166-1), ``continent`` and their sovereign.
The other levels have ``country`` (the alpha-2 code), ``code`` (ISO 3166-2 where it lists the
region), and the names and codes of the admin1 and admin2 that they are or lie in.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

LEVELS = ("country", "admin1", "admin2", "locality", "neighbourhood")

COUNTRIES, UNITS = "countries.parquet", "units.parquet"
INDEX, PROVENANCE = "index.geoindex", "PROVENANCE.json"

TABLE_FILES = {
    "country": COUNTRIES,
    "admin1": UNITS,
    "admin2": "admin2.parquet",
    "locality": "localities.parquet",
    "neighbourhood": "neighbourhoods.parquet",
}
"""The table of each level, in the order of the index's layers."""

DEEPER = LEVELS[2:]
"""The levels that a set may lack."""

_TEXT = pa.string()
_CLAIMS = pa.list_(pa.struct([("worldview", _TEXT), ("code", _TEXT)]))
_BBOX = pa.struct([(side, pa.float64()) for side in ("xmin", "ymin", "xmax", "ymax")])

_IDENTITY = [
    pa.field("id", _TEXT, nullable=False),
    pa.field("level", _TEXT, nullable=False),
    pa.field("parent", _TEXT),
]
_NAMES = [
    pa.field("name", _TEXT),
    pa.field("names", pa.map_(_TEXT, _TEXT)),
    pa.field("aliases", pa.list_(_TEXT)),
]
_ORIGIN = [
    pa.field("disputed", pa.bool_(), nullable=False),
    pa.field("claims", _CLAIMS),
    pa.field("approximate", pa.bool_()),
    pa.field("source", _TEXT),
    pa.field("release", _TEXT),
    pa.field("licence", _TEXT),
    pa.field("bbox", _BBOX),
    pa.field("geometry", pa.binary(), nullable=False),
]

COUNTRY_SCHEMA = pa.schema(
    [
        *_IDENTITY,
        pa.field("code", _TEXT, nullable=False),
        pa.field("alpha3", _TEXT),
        *_NAMES,
        pa.field("continent", _TEXT),
        pa.field("sovereign_code", _TEXT),
        pa.field("sovereign_admin1_name", _TEXT),
        pa.field("sovereign_admin1_code", _TEXT),
        *_ORIGIN,
    ]
)

UNIT_SCHEMA = pa.schema(
    [
        *_IDENTITY,
        pa.field("country", _TEXT, nullable=False),
        pa.field("code", _TEXT),
        *_NAMES,
        pa.field("admin1_name", _TEXT),
        pa.field("admin1_code", _TEXT),
        pa.field("admin1_aliases", pa.list_(_TEXT)),
        pa.field("admin2_name", _TEXT),
        pa.field("admin2_code", _TEXT),
        *_ORIGIN,
    ]
)


def geo_metadata(bounds: tuple[float, float, float, float]) -> dict[str, str]:
    """Return the metadata that makes a Parquet table of a set GeoParquet 1.1.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east and north of the whole table, degrees.

    Examples
    --------
    >>> json.loads(geo_metadata((0, 0, 1, 1))["geo"])["primary_column"]
    'geometry'
    """
    covering = {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["MultiPolygon"],
        "bbox": list(bounds),
        "covering": {"bbox": covering},
    }
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return {"geo": json.dumps(geo)}
