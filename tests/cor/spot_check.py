"""How many of the photo spots get the right name on each level; used by test and benchmark."""

import csv
import re
import unicodedata
from pathlib import Path

from geodata import cor

SPOTS = Path(__file__).parents[1] / "data" / "spots.csv"
LEVELS = ("country", "admin1", "city")

# Words that say what kind of division it is: with or without them it is the same name.
_KINDS = r"\b(prefecture|province|region|governorate|oblast|county|state|district|ken|city|of)\b"


def fold(name):
    """Case, accents, apostrophes and words for the kind of division do not make a name wrong."""
    if name is None:
        return ""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if c.isalnum() or c.isspace() or c == "-")
    words = re.sub(_KINDS, " ", letters.replace("-", " "))
    return " ".join(words.split())


def accepts(wanted, found):
    """An empty list of names accepts anything."""
    names = [fold(name) for name in wanted.split("|") if name]
    return not names or fold(found) in names


def check():
    """Yield (spot, level, right, label) for every spot and level."""
    with SPOTS.open(encoding="utf-8", newline="") as file:
        for spot in csv.DictReader(file):
            chain = cor.label(float(spot["lat"]), float(spot["lon"]))
            found = {
                "country": chain.country_code == spot["country_code"],
                "admin1": accepts(spot["admin1"], chain.admin1),
                "city": accepts(spot["city"], chain.city),
            }
            for level in LEVELS:
                yield spot, level, found[level], chain


def shares():
    """Share right on each level."""
    results = [(level, right) for _, level, right, _ in check()]
    return {
        level: sum(right for at, right in results if at == level) / (len(results) / len(LEVELS))
        for level in LEVELS
    }
