"""Build the table of country names in many languages from Unicode CLDR.

``tables/cldr_names.csv`` is made from the npm package ``cldr-localenames-full`` and committed,
because its licence (Unicode-3.0) lets anyone pass it on. The translations of ISO 3166-1 that
come with pycountry are LGPL and are not used. ``tables/more_country_names.csv`` holds what earlier
versions of CLDR and the npm package ``i18n-iso-countries`` (MIT) spell otherwise. Names that all of
them lack are rows of the table ``country_aliases``, each with its reason.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from geodata import files
from geodata.boundaries import facts_table
from geodata.gazetteer import key

VERSION = "48.2.0"
TABLE = Path(__file__).parents[1] / "boundaries" / "tables" / "cldr_names.csv"

MORE_TABLE = TABLE.with_name("more_country_names.csv")
EARLIER_VERSIONS = ("29.0.0", "31.0.1", "36.0.0", "38.1.0", "40.0.0", "42.0.0", "44.1.0")
ISO_VERSION = "7.14.0"
"""Of the npm package ``i18n-iso-countries``."""

HOMONYMS = frozenset(["Albani", "Guayana", "Jezi", "Mena", "ЦАР", "গ্রানাডা", "奥兰"])
"""Spellings of a country in one language that elsewhere are a city, a region or a word."""

LANGUAGES = TABLE.with_name("cldr_languages.csv")
"""The name that a country has in each language, to show; `TABLE` holds spellings, to recognise."""

# Languages of states and large presses; more of them bring chance homonyms.
LANGUAGE_CODES = """
en af am ar az be bg bn bs ca cs cy da de el es es-419 es-MX et eu fa fi fil fr ga gl gu he hi hr
hu hy id is it ja ka kk km kn ko ky lb lo lt lv mk ml mn mr ms mt my nb ne nl nn pa pl ps pt pt-PT
ro ru si sk sl so sq sr sr-Latn sv sw ta te tg th tk tr uk ur uz uz-Cyrl vi zh zh-Hant zu
"""

TWO_NAMES = frozenset({"FK", "MM", "NZ"})
"""Countries where CLDR has a second name in brackets; elsewhere brackets tell two apart."""

MAX_ABBREVIATION = 3
"""Capitals up to this length are left out: "SAD" is the United States in one language only."""


def write(source: str | os.PathLike[str], codes: set[str], out: Path = TABLE) -> Path:
    """Write the table of names; equal input gives equal bytes.

    Parameters
    ----------
    source
        The unpacked npm package, the folder that holds ``main``.
    codes
        Countries to name: the codes of the bundled set.

    Raises
    ------
    FileError
        If a language is missing or is no file of CLDR.
    """
    return _written(names(_cldr(Path(source)), codes), out)


def write_more(
    earlier: Sequence[str | os.PathLike[str]],
    iso: str | os.PathLike[str],
    codes: set[str],
    out: Path = MORE_TABLE,
) -> Path:
    """Write the spellings that `write`'s table and ``country_aliases`` lack; see `write`.

    Parameters
    ----------
    earlier
        The unpacked npm packages of earlier versions of CLDR, see `EARLIER_VERSIONS`.
    iso
        The unpacked npm package ``i18n-iso-countries``, the folder that holds ``langs``.
    """
    known = {key(row["name"]) for row in facts_table("cldr_names")}
    known |= {key(row["alias"]) for row in facts_table("country_aliases")}
    found = _iso(Path(iso))
    for source in earlier:
        found.extend(_cldr(Path(source), all_languages=False))
    rows = [row for row in names(found, codes) if key(row[1]) not in known]
    return _written([row for row in rows if row[1] not in HOMONYMS], out)


def _written(rows: list[tuple[str, str]], out: Path) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["code", "name"])
    writer.writerows(rows)
    files.write_text(out, text.getvalue())
    return out


def write_languages(source: str | os.PathLike[str], codes: set[str], out: Path = LANGUAGES) -> Path:
    """Write the table of one name a country and language; see `write`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["language", "code", "name"])
    for language in LANGUAGE_CODES.split():
        named = dict(row for row in _territories(Path(source), language, plain=True))
        writer.writerows([language, c, named[c]] for c in sorted(codes & named.keys()))
    files.write_text(out, text.getvalue())
    return out


def names(found: list[tuple[str, str]], codes: set[str]) -> list[tuple[str, str]]:
    """Return (code, name), one row for each key; a key of two countries belongs to neither."""
    spellings: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for code, name in found:
        if code in codes:
            for reading in _readings(code, name):
                spellings[key(reading)][code, reading] += 1
    return sorted(
        min(found, key=lambda row: (-found[row], row))
        for folded, found in spellings.items()
        if len({code for code, _ in found}) == 1 and not _is_abbreviation(folded, found)
    )


def _is_abbreviation(folded: str, found: Counter[tuple[str, str]]) -> bool:
    if len(folded) > MAX_ABBREVIATION or not folded.isascii():
        return False
    return len(folded) < MAX_ABBREVIATION or all(name.isupper() for _, name in found)


def _cldr(source: Path, *, all_languages: bool = True) -> list[tuple[str, str]]:
    languages = [
        language
        for language in LANGUAGE_CODES.split()
        if all_languages or (source / "main" / language).is_dir()
    ]
    return [row for language in languages for row in _territories(source, language)]


def _iso(source: Path) -> list[tuple[str, str]]:
    """Return (code, name) of i18n-iso-countries, which may have several names a country."""
    languages = sorted({language.partition("-")[0] for language in LANGUAGE_CODES.split()})
    return [row for language in languages for row in _listed(source, language)]


def _listed(source: Path, language: str) -> Iterator[tuple[str, str]]:
    path = source / "langs" / f"{language}.json"
    if not path.is_file():  # it lacks some languages of CLDR
        return
    for code, listed in json.loads(path.read_text(encoding="utf-8"))["countries"].items():
        for name in listed if isinstance(listed, list) else [listed]:
            yield code, name


def _territories(source: Path, language: str, *, plain: bool = False) -> list[tuple[str, str]]:
    """Return (code, name); only the name that is usual, or also short and other ones."""
    path = source / "main" / language / "territories.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["main"][language]
        territories = found["localeDisplayNames"]["territories"]
    except (OSError, ValueError, KeyError) as error:
        msg = (
            f"{path}: cannot be read ({type(error).__name__}: {error}); expected a file of the "
            f"npm package cldr-localenames-full {VERSION}"
        )
        raise files.FileError(msg) from error
    return [
        (code.split("-")[0], name)
        for code, name in territories.items()
        if "-" not in code or not plain
    ]


def _readings(code: str, name: str) -> list[str]:
    """Return a name and, where brackets hold a second one, both: "Myanmar (Burma)"."""
    inside = re.fullmatch(r"(.+?)\s*[(（](.+)[)）]", name)
    return [name, inside[1], inside[2]] if inside and code in TWO_NAMES else [name]
