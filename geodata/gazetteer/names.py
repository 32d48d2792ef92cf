"""Names to regions and coordinates: the offline geocoder.

Models and people write the same region in many ways: USA, United States, Estados Unidos. Here a
name becomes the code that labels have, and a place name becomes a point. Names match exactly
once case, accents, punctuation, "and", "the" and the form of a state ("Kingdom of Spain") are
set aside; never by parts of words and never by likeness, so Niger is not Nigeria, and a name
that is not known is None. Words for no answer ("None", "unknown", "N/A") are no names.

What a name means:

- *Country.* The names and codes of ISO 3166-1, names in 70 languages from Unicode CLDR, and
  common, formal and former names. A part of a country stands for it: England is GB, because
  that is what labels call its land. Names that two countries share go to the usual one and are
  flagged: Congo is CG, Korea is KR.
- *Region.* Names, other names and ISO 3166-2 codes of first-level divisions, and within a
  country the end of the code ("CA" in the United States). The word for the kind of division may
  be missing or added (Kyoto Prefecture). A second-level division stands for the one it is in.
  Without a country, a name of several regions goes to the most populous country and is flagged.
- *City.* Populated places by all their names in GeoNames, the largest first; a name that is not
  the place's own counts for a twentieth of its people. It is ambiguous if another place more than
  25 km away, not of the same city, weighs at least a tenth of it. Words about surroundings are
  left out where the whole is not known: "near Paris", "San Francisco Bay Area". Where no city of
  comparable size has the name, a region stands for it (Bali), or a territory of the country that
  has its own code (Macau, China). LA alone is Los Angeles and flagged, because it is Laos too.
- *Point.* A country or region without a city is the populated place nearest to its centre of
  population: inside it, and where people are; a point of its largest part where it has no place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from geodata.gazetteer import columns, points
from geodata.gazetteer.points import Place
from geodata.gazetteer.regions import Region, country_named, division_named
from geodata.gazetteer.text import is_name

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Place", "Region", "codes", "geocode", "places", "resolve", "resolve_many"]

Level = Literal["country", "admin1"]

_LEVELS = ("country", "admin1")


def resolve(name: Any, level: Level = "country", country: Any = None) -> Region | None:
    """Return the region that a name or code means, None if it means none.

    Parameters
    ----------
    name : str
        Anything else, empty text and text of more than 200 characters give None.
    level : {'country', 'admin1'}
    country : str, optional
        Name or code of the country to look in; None looks everywhere. Only for 'admin1'.

    Raises
    ------
    ValueError
        For another level.

    Examples
    --------
    >>> resolve("the U.S.").code, resolve("Côte d'Ivoire").code, resolve("日本").name
    ('US', 'CI', 'Japan')
    >>> resolve("Georgia").code, resolve("Georgia", level="admin1").code
    ('GE', 'US-GA')
    >>> resolve("CA", level="admin1", country="USA").name, resolve("CA", level="admin1")
    ('California', None)
    >>> resolve("Congo").ambiguous, resolve("Atlantis"), resolve(None)
    (True, None, None)
    """
    if level not in _LEVELS:
        msg = f"level is {level!r}, must be 'country' or 'admin1'; cities have geocode"
        raise ValueError(msg)
    if not is_name(name):
        return None
    if level == "country":
        return country_named(name)
    if country is None:
        return division_named(name, None)
    within = country_named(country) if is_name(country) else None
    return division_named(name, within.code) if within is not None else None


def resolve_many(names: Any, level: Level = "country", country: Any = None) -> list[Region | None]:
    """Return `resolve` of each name, in order.

    Parameters
    ----------
    names : sequence or Arrow array of text, shape (n,)
    level : {'country', 'admin1'}
    country : str, or sequence or Arrow array of text of shape (n,), optional

    Examples
    --------
    >>> [region and region.code for region in resolve_many(["Deutschland", "", "España"])]
    ['DE', None, 'ES']
    """
    texts = columns.texts(names)
    if country is None or isinstance(country, str):
        return [resolve(text, level, country) for text in texts]
    within = columns.texts(country)
    if len(within) != len(texts):
        msg = f"{len(texts)} names and {len(within)} countries; give one country for each name"
        raise ValueError(msg)
    pairs = zip(texts, within, strict=True)
    return [resolve(text, level, of or "") for text, of in pairs]


def geocode(
    query: Any = None, *, country: Any = None, admin1: Any = None, city: Any = None
) -> Place | None:
    """Return the point of a free text such as "Kyoto, Japan", or of the names of its levels.

    Parameters
    ----------
    query : str, optional
        Names from the small to the large, separated by commas. One name alone is a country
        before a region before a city; but a large city within the region of its name comes
        before that region (New York). Names in the middle that are not known are skipped.
    country, admin1, city : str, optional
        Names or codes. An unknown country or city is no place; beside a city, a region that is
        not known restricts nothing.

    Returns
    -------
    Place or None
        None where no place has these names.

    Raises
    ------
    ValueError
        If both a text and names are given.

    Examples
    --------
    >>> place = geocode(country="Japan", city="Kyoto")
    >>> round(place.lat), round(place.lon), place.code, place.admin1_code
    (35, 136, 'JP', 'JP-26')
    >>> geocode("Paris").country_code, geocode("Paris, Texas").admin1_code
    ('FR', 'US-TX')
    >>> geocode("Bavaria, Germany").level, geocode("Springfield, USA").ambiguous
    ('admin1', True)
    >>> geocode(city="Atlantis", country="Greece") is None
    True
    """
    if query is None:
        return points.by_names(country, admin1, city)
    if (country, admin1, city) != (None, None, None):
        msg = "give either a text or country, admin1 and city, not both"
        raise ValueError(msg)
    return points.by_text(query)


def codes(*, country: Any = None, admin1: Any = None, city: Any = None) -> pa.Table:
    """Return codes and canonical city names for columns of names, as labels have them.

    Parameters
    ----------
    country, admin1, city : sequence or Arrow array of text, shape (n,), optional
        Names or codes; a column that is not given is NULL. Values that are no text are NULL.

    Returns
    -------
    pyarrow.Table
        Text columns ``country_code``, ``admin1_code`` and ``city``, n rows; NULL where unknown.
        Regions and cities are looked for inside the row's country and are NULL without one.

    Raises
    ------
    ValueError
        If the columns differ in length, or none is given.

    Examples
    --------
    >>> codes(country=["USA", "Niger", "?"], city=["NYC", None, "Paris"]).to_pydict()
    {'country_code': ['US', 'NE', None], 'admin1_code': [None, None, None],
     'city': ['New York City', None, None]}
    """
    return columns.code_table(country, admin1, city)


def places(*, country: Any = None, admin1: Any = None, city: Any = None) -> pa.Table:
    """Return `geocode` of columns of names; each distinct combination is looked up once.

    Parameters
    ----------
    country, admin1, city : sequence or Arrow array of text, shape (n,), optional
        Names or codes. Values that are no names (blank, "unknown", "N/A") count as not given,
        so a country with an unknown city is the country.

    Returns
    -------
    pyarrow.Table
        Columns ``lat``, ``lon`` (degrees), ``code``, ``name``, ``level`` and ``ambiguous`` of
        `Place`, n rows; NULL where no place has these names.

    Raises
    ------
    ValueError
        If the columns differ in length, or none is given.

    Examples
    --------
    >>> found = places(country=["Japan", "France", "France"], city=["Kyoto", "N/A", "Atlantis"])
    >>> found["name"].to_pylist(), found["level"].to_pylist()
    (['Kyoto', 'France', None], ['city', 'country', None])
    """
    return columns.place_table(country, admin1, city)
