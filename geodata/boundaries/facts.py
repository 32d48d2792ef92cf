"""The facts behind the bundled set: names, levels, sovereigns, disputed pieces, with reasons.

Every decision that no source takes for us is a row of a CSV table in ``tables/``, and every row
says why. The functions here read those tables; `countries` and `units` apply them.

The default worldview is "un": land belongs to the state that the General Assembly, the Security
Council or the list of Non-Self-Governing Territories names (Crimea and Donetsk to Ukraine, the
Golan to Syria, Western Sahara to itself). Where the UN takes no position, ISO 3166-1 decides
(Taiwan has its code), then who administers the land. Kosovo keeps the user-assigned code XK,
because posts, maps and data sets use it. Every such piece is a row of its own with
``disputed`` true; its claims say to whom it belongs in the view of others, by the lower-case
alpha-2 code of the state that holds the view. A piece that governs itself but has no ISO code
(Northern Cyprus, Abkhazia, Somaliland) is disputed without a claim.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib import resources

RULES_VERSION = "2"
"""Counts the changes of the rules and tables that make the bundled set."""

FOLDER = resources.files("geodata.boundaries") / "tables"
"""Where the tables lie."""

TABLES = (
    "country_names",
    "pieces",
    "claims",
    "sovereigns",
    "levels",
    "codes",
    "parents",
    "units",
    "names",
    "aliases",
    "scripts",
    "splits",
    "groups",
    "landmarks",
)


@dataclass(frozen=True)
class Piece:
    """A part of the world whose country depends on who is asked."""

    name: str
    country: str
    shape: str
    disputed: bool
    claims: tuple[tuple[str, str], ...]
    """(worldview, country code) pairs, in the order of their worldviews."""


@dataclass(frozen=True)
class Sovereign:
    """Where a territory with an own code lies when its sovereign is asked for."""

    country: str
    admin1_name: str
    admin1_code: str | None


@dataclass(frozen=True)
class Correction:
    """What to use in place of what Natural Earth says about one unit; '' keeps it."""

    action: str
    """'drop' leaves the unit out, 'rename' also forgets Natural Earth's names for it."""
    country: str
    code: str
    """ISO 3166-2 code, or 'none' where there is none today."""
    name: str
    parent: str
    """ISO 3166-2 code of admin1 where ISO does not list the unit."""


def facts_table(name: str) -> list[dict[str, str]]:
    """Read a table of facts.

    Parameters
    ----------
    name
        One of `TABLES`.

    Returns
    -------
    list of dict
        The rows in file order; absent cells are empty text.

    Examples
    --------
    >>> [row["admin1"] for row in facts_table("levels") if row["country"] == "FR"]
    ['parent']
    """
    text = (FOLDER / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def digests() -> dict[str, str]:
    """Return the SHA-256 of every table, by name."""
    return {
        name: hashlib.sha256((FOLDER / f"{name}.csv").read_bytes()).hexdigest() for name in TABLES
    }


def pieces() -> tuple[Piece, ...]:
    """Return the pieces whose country is disputed, each with its claims.

    Examples
    --------
    >>> {piece.name: piece.claims for piece in pieces()}["crimea"]
    (('ru', 'RU'),)
    """
    claims: dict[str, list[tuple[str, str]]] = {}
    for row in facts_table("claims"):
        claims.setdefault(row["piece"], []).append((row["worldview"], row["code"]))
    return tuple(
        Piece(
            row["piece"],
            row["country"],
            row["shape"],
            row["disputed"] == "true",
            tuple(sorted(claims.get(row["piece"], []))),
        )
        for row in facts_table("pieces")
    )


@cache
def _sovereigns() -> dict[tuple[str, str], Sovereign]:
    return {
        (row["code"], row["feature"]): Sovereign(
            row["sovereign_code"], row["admin1_name"], row["admin1_code"] or None
        )
        for row in facts_table("sovereigns")
    }


def sovereign(code: str, feature: str = "") -> Sovereign | None:
    """Return the sovereign of a territory, or None for a state.

    Parameters
    ----------
    code
        ISO 3166-1 alpha-2 code.
    feature
        Wikidata id of the island where the islands of a territory differ.

    Examples
    --------
    >>> sovereign("RE")
    Sovereign(country='FR', admin1_name='La Réunion', admin1_code='FR-974')
    >>> sovereign("FR") is None
    True
    """
    found = _sovereigns()
    return found.get((code, feature)) or found.get((code, ""))


@cache
def _names() -> dict[str, str]:
    return {row["code"]: row["name"] for row in facts_table("country_names")}


def country_name(code: str) -> str:
    """Return the English short name of a country or territory.

    The rule: ISO's common name where it has one, else its name; where neither is what an atlas
    prints (inverted names, second names in brackets, two names alike), the name in the table
    ``country_names``.

    Raises
    ------
    KeyError
        If ISO 3166-1 and the table do not have the code.

    Examples
    --------
    >>> country_name("KR"), country_name("CD"), country_name("CI")
    ('South Korea', 'Democratic Republic of the Congo', "Côte d'Ivoire")
    """
    import pycountry

    if code in _names():
        return _names()[code]
    country = pycountry.countries.get(alpha_2=code)
    if country is None:
        msg = f"country code {code!r} is neither in ISO 3166-1 nor in the table country_names"
        raise KeyError(msg)
    return str(getattr(country, "common_name", country.name))


def is_country(code: str) -> bool:
    """Tell whether a code is a country here: ISO 3166-1 alpha-2, or XK for Kosovo.

    Examples
    --------
    >>> is_country("XK"), is_country("IC")
    (True, False)
    """
    import pycountry

    return code in _names() or pycountry.countries.get(alpha_2=code) is not None


@cache
def parent_is_admin1(country: str) -> bool:
    """Tell whether ISO's parent of a unit, not the unit itself, is the first level.

    Examples
    --------
    >>> parent_is_admin1("FR"), parent_is_admin1("ID")
    (True, False)
    """
    return any(
        row["country"] == country and row["admin1"] == "parent" for row in facts_table("levels")
    )


@cache
def drawn_level(country: str) -> str:
    """Return which level of ISO 3166-2 Natural Earth draws where there are two: top or child.

    Examples
    --------
    >>> drawn_level("IT"), drawn_level("BD"), drawn_level("US")
    ('child', 'top', 'top')
    """
    drawn = {row["country"]: row["drawn"] for row in facts_table("levels")}
    return drawn.get(country, "top")


@cache
def writes_latin(country: str) -> bool:
    """Tell whether a country writes its names in Latin letters.

    Examples
    --------
    >>> writes_latin("TR"), writes_latin("JP")
    (True, False)
    """
    return all(row["country"] != country for row in facts_table("scripts"))


@cache
def unit_aliases() -> dict[str, frozenset[str]]:
    """Return English and other common names by ISO 3166-2 code."""
    found: dict[str, frozenset[str]] = {}
    for row in facts_table("aliases"):
        found[row["code"]] = found.get(row["code"], frozenset()) | {row["alias"]}
    return found


def corrections() -> dict[tuple[str, str, str], Correction]:
    """Return the corrections of Natural Earth's units by (country code, name, hint).

    The hint is the FIPS code or another name of the unit, and empty where country and name are
    enough to tell it.
    """
    return {
        (row["ne_country"], row["ne_name"], row["hint"]): Correction(
            row["action"], row["country"], row["code"], row["name"], row["parent"]
        )
        for row in facts_table("units")
    }


@cache
def unit_names() -> dict[str, str]:
    """Return the names that replace those of the sources, by ISO 3166-2 code."""
    return {row["code"]: row["name"] for row in facts_table("names")}


# Words for the kind of division, in the languages of the sources, without accents.
KIND_WORDS = """
province provincia provincie provinsi provinz region regione regio state estado county
counties district distrito department departamento departement departement governorate
muhafazat oblast oblasti oblys oblysy kray krai respublika republic republika rayon raion
lan laens laen fylke maakond novads pagasts apskritis kraj zupanija judet megye prefecture
municipality municipalities municipio commune comuna council borough london city of the and
wilaya wilayat gouvernorat sheng shi zizhiqu do si gwangyeoksi teukbyeolsi teukbyeoljachi
teukbyeoljachido gwangyoksi changwat tinh thanh pho thanhpho ken to fu division autonomous
autonoma autonome avtonomnyy avtonomnaya okrug parish zone union territory national capital
ward khoueng khet rajonas savivaldybe opstina obcina kanton canton land bundesland voivodeship
wojewodztwo de del la el le du des di da do dos das al hlavni mesto metropolitan island islands
"""


KINDS = frozenset(KIND_WORDS.split())
