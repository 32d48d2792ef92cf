"""Providers of boundaries: which of their columns mean what. `sources` reads their files."""

from __future__ import annotations

from dataclasses import dataclass, field

from geodata.files import FileError


@dataclass(frozen=True)
class Layout:
    """What the columns of one kind of file mean; a dot goes into a struct or map.

    Attributes
    ----------
    requires
        Columns that tell this kind of file from others.
    country
        Columns with the ISO 3166-1 code, alpha-2 or alpha-3; the first that has one counts.
    names
        Columns with the name, the best first (English, then local); the others become aliases.
    level
        'country', 'admin1' or 'admin2', or '' where ``level_column`` tells.
    level_column, level_values
        Column and (value, level) pairs; rows with other values are left out.
    key, parent
        Column that identifies an admin1 row, and the column where an admin2 row names its
        admin1 by it. Without them the admin1 that contains the admin2 is found by place.
    code
        Column with the ISO 3166-2 code; values that ISO does not list become NULL.
    keep
        Column that must be true, where the file has it.
    disputed
        Column that is true for disputed land.
    """

    requires: tuple[str, ...]
    country: tuple[str, ...]
    names: tuple[str, ...]
    level: str = ""
    level_column: str = ""
    level_values: tuple[tuple[str | None, str], ...] = ()
    key: str = ""
    parent: str = ""
    code: str = ""
    keep: str = ""
    disputed: str = ""


@dataclass(frozen=True)
class Provider:
    """A source of boundaries: its files, where they come from and under which licence.

    Attributes
    ----------
    layouts
        The kinds of file; the first whose required columns a file has is used.
    """

    name: str
    licence: str
    url: str
    layouts: tuple[Layout, ...] = field(repr=False)


OVERTURE = Provider(
    "overture",
    "ODbL 1.0",
    "https://docs.overturemaps.org/schema/reference/divisions/division_area/",
    (
        Layout(
            requires=("subtype", "country", "names", "division_id"),
            level_column="subtype",
            level_values=(
                ("country", "country"),
                ("dependency", "country"),
                ("region", "admin1"),
                ("county", "admin2"),
            ),
            country=("country",),
            names=("names.common.en", "names.primary"),
            key="region",
            parent="region",
            code="region",
            keep="is_territorial",
        ),
    ),
)

GEOBOUNDARIES = Provider(
    "geoboundaries",
    "CC BY 4.0",
    "https://www.geoboundaries.org",
    (
        Layout(
            requires=("shapeName", "shapeGroup", "shapeType"),
            level_column="shapeType",
            level_values=(("ADM0", "country"), ("ADM1", "admin1"), ("ADM2", "admin2")),
            country=("shapeGroup",),
            names=("shapeName",),
            code="shapeISO",
        ),
    ),
)

GADM = Provider(
    "gadm",
    "GADM licence: no commercial use, no redistribution",
    "https://gadm.org",
    (
        Layout(
            requires=("GID_0", "GID_1", "GID_2", "NAME_2"),
            level="admin2",
            country=("GID_0",),
            names=("NAME_2", "VARNAME_2", "NL_NAME_2"),
            parent="GID_1",
        ),
        Layout(
            requires=("GID_0", "GID_1", "NAME_1"),
            level="admin1",
            country=("GID_0",),
            names=("NAME_1", "VARNAME_1", "NL_NAME_1"),
            key="GID_1",
            code="ISO_1",
        ),
        Layout(requires=("GID_0", "COUNTRY"), level="country", country=("GID_0",), names=()),
    ),
)

NATURAL_EARTH = Provider(
    "natural-earth",
    "public domain",
    "https://www.naturalearthdata.com",
    (
        Layout(
            requires=("iso_a2", "adm0_a3", "name"),
            level="admin1",
            country=("iso_a2", "adm0_a3"),
            names=("name_en", "name", "woe_name", "gn_name"),
            code="iso_3166_2",
        ),
        Layout(
            requires=("ADM0_A3", "ISO_A2_EH"),
            level="country",
            country=("ISO_A2_EH", "ADM0_A3"),
            names=("NAME_EN",),
        ),
    ),
)

WHOS_ON_FIRST = Provider(
    "whosonfirst",
    "CC BY 4.0 and the licences of its sources",
    "https://whosonfirst.org",
    (
        Layout(
            requires=("placetype", "country", "name"),
            level_column="placetype",
            level_values=(
                ("country", "country"),
                ("dependency", "country"),
                ("region", "admin1"),
                ("county", "admin2"),
            ),
            country=("country",),
            names=("name_en", "name"),
            key="wof_id",
            parent="region_id",
            code="iso",
        ),
    ),
)

OSM_2020 = Provider(
    "osm-2020",
    "ODbL 1.0",
    "https://www.openstreetmap.org/copyright",
    (
        Layout(
            requires=("code", "country_iso2", "parent"),
            level_column="parent",
            level_values=((None, "admin1"), ("*", "admin2")),
            country=("country_iso2",),
            names=("name_en", "name_local"),
            key="code",
            parent="parent",
            code="code",
        ),
        Layout(
            requires=("country_iso2", "country_iso3"),
            level="country",
            country=("country_iso2", "country_iso3"),
            names=("name_en", "name_local"),
            disputed="disputed",
        ),
    ),
)

PROVIDERS = (OVERTURE, GEOBOUNDARIES, GADM, NATURAL_EARTH, WHOS_ON_FIRST, OSM_2020)


def provider(name: str) -> Provider:
    """Return a known provider by name.

    Raises
    ------
    FileError
        If there is none of that name.

    Examples
    --------
    >>> provider("gadm").licence
    'GADM licence: no commercial use, no redistribution'
    """
    for known in PROVIDERS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in PROVIDERS)
    msg = f"no boundary provider {name!r}; there are {names}; or describe your file by a Layout"
    raise FileError(msg)
