"""Providers of boundaries: which of their columns mean what. `sources` reads their files."""

from __future__ import annotations

from collections.abc import Iterable
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
        One of `geodata.boundaries.schema.LEVELS`, or '' where ``level_column`` tells.
    level_column, level_values
        Column and (value, level) pairs; rows with other values are left out.
    key, parents
        Column that identifies a row, and the columns where a row names those above it by their
        key or ISO 3166-2 code, the nearest first. Without them the region above that contains
        the row is found by place.
    code
        Column with the ISO 3166-2 code; values that ISO does not list become NULL.
    keep
        Column that must be true, where the file has it.
    disputed
        Column that is true for disputed land.
    languages
        (language, column) pairs: names by language.
    language_map
        Column with a map from language to name.
    views
        Prefix of the columns that say, by the upper-case code of a worldview, which country the
        row belongs to in its view, by ISO 3166-1 alpha-3: Natural Earth's ``ADM0_A3_``.
    country_code
        Code of the country of all rows, where no column has it.
    """

    requires: tuple[str, ...]
    country: tuple[str, ...]
    names: tuple[str, ...]
    level: str = ""
    level_column: str = ""
    level_values: tuple[tuple[str | None, str], ...] = ()
    key: str = ""
    parents: tuple[str, ...] = ()
    code: str = ""
    keep: str = ""
    disputed: str = ""
    languages: tuple[tuple[str, str], ...] = ()
    language_map: str = ""
    views: str = ""
    country_code: str = ""

    def columns(self, there: Iterable[str]) -> set[str]:
        """Return those of a file's columns that the layout reads."""
        named = {
            *self.requires, *self.country, *self.names, self.level_column, self.key, self.code,
            *self.parents, self.keep, self.disputed, *(column for _, column in self.languages),
        }  # fmt: skip
        wanted = {column.partition(".")[0] for column in (*named, self.language_map)} - {""}
        return {
            column
            for column in there
            if column in wanted or (self.views and column.startswith(self.views))
        }


@dataclass(frozen=True)
class Provider:
    """A source of boundaries: its files, where they come from and under which licence.

    Attributes
    ----------
    layouts
        The kinds of file; the first whose required columns a file has is used.
    shareable
        Whether the licence lets others have a copy; if not, `geodata.boundaries.export` refuses.
    release
        Pattern that finds the release in a file's path, where the provider writes it there.
    one_release
        Whether all levels must come from one release; each file of Natural Earth has its own.
    """

    name: str
    licence: str
    url: str
    layouts: tuple[Layout, ...] = field(repr=False)
    shareable: bool = True
    release: str = ""
    one_release: bool = True


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
                ("locality", "locality"),
                ("macrohood", "neighbourhood"),
                ("neighborhood", "neighbourhood"),
            ),
            country=("country",),
            names=("names.common.en", "names.primary"),
            key="division_id",
            parents=("region",),
            code="region",
            keep="is_territorial",
            languages=(("local", "names.primary"),),
            language_map="names.common",
        ),
    ),
    release=r"\d{4}-\d{2}-\d{2}\.\d+",
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
            key="shapeID",
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
            key="GID_2",
            parents=("GID_1",),
            languages=(("local", "NL_NAME_2"),),
        ),
        Layout(
            requires=("GID_0", "GID_1", "NAME_1"),
            level="admin1",
            country=("GID_0",),
            names=("NAME_1", "VARNAME_1", "NL_NAME_1"),
            key="GID_1",
            code="ISO_1",
            languages=(("local", "NL_NAME_1"),),
        ),
        Layout(
            requires=("GID_0", "COUNTRY"),
            level="country",
            country=("GID_0",),
            names=(),
            key="GID_0",
        ),
    ),
    shareable=False,
    release=r"gadm_?(\d+\.?\d*)",
)

_NE_LANGUAGES = (
    *(
        (code, f"NAME_{code.upper()}")
        for code in (
            [
                "ar",
                "bn",
                "de",
                "el",
                "en",
                "es",
                "fa",
                "fr",
                "he",
                "hi",
                "hu",
                "id",
                "it",
                "ja",
                "ko",
                "nl",
                "pl",
                "pt",
                "ru",
                "sv",
                "tr",
                "uk",
                "ur",
                "vi",
                "zh",
            ]
        )
    ),
    ("zh-Hant", "NAME_ZHT"),
)

NATURAL_EARTH = Provider(
    "naturalearth",
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
            names=("NAME_EN", "ADMIN"),
            key="ADM0_A3",
            languages=_NE_LANGUAGES,
            views="ADM0_A3_",
        ),
    ),
    release=r"ne_(\d+\.\d+(?:\.\d+)?)",
    one_release=False,
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
                ("locality", "locality"),
                ("macrohood", "neighbourhood"),
                ("neighbourhood", "neighbourhood"),
            ),
            country=("country",),
            names=("name_en", "name"),
            key="wof_id",
            parents=("locality_id", "county_id", "region_id"),
            code="iso",
            languages=(("en", "name_en"), ("local", "name")),
        ),
    ),
)

COUNTRY_LEVELS = Provider(
    "country-levels",
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
            parents=("parent",),
            code="code",
            languages=(("en", "name_en"), ("local", "name_local")),
        ),
        Layout(
            requires=("country_iso2", "country_iso3"),
            level="country",
            country=("country_iso2", "country_iso3"),
            names=("name_en", "name_local"),
            key="country_iso2",
            disputed="disputed",
            languages=(("en", "name_en"), ("local", "name_local")),
        ),
    ),
)

OWN_FILE = "file"
"""The kind of a file whose columns the user names."""

PROVIDERS = (OVERTURE, GEOBOUNDARIES, GADM, NATURAL_EARTH, WHOS_ON_FIRST, COUNTRY_LEVELS)


KINDS = (*(known.name for known in PROVIDERS), OWN_FILE)
"""What `geodata.boundaries.build` takes as ``kind``."""


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
    msg = (
        f"no boundary provider {name!r}; there are {', '.join(KINDS)}: "
        f"{OWN_FILE} takes any file with columns of your own"
    )
    raise FileError(msg)
