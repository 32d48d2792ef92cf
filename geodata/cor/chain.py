"""The Chain of Region of one point."""

from __future__ import annotations

from dataclasses import dataclass

from geodata import answers


@dataclass(frozen=True)
class RegionChain:
    """The regions that a point lies in, from country to city; a missing level is None.

    Attributes
    ----------
    lat, lon : float
        Degrees; the longitude in [-180, 180).
    country, country_code : str or None
        Name and ISO 3166-1 alpha-2 code.
    admin1, admin1_code : str or None
        First-level division and its ISO 3166-2 code, None where no code is certain.
    admin2 : str or None
        Second-level division, where the boundary set has it.
    city : str or None
        Populated place, by the rule of `geodata.places`.
    city_distance_km : float or None
        Great-circle distance to it.
    match : str
        ``inside`` a country's border, ``nearest`` within the tolerance, or ``none``.
    offset_km : float or None
        Distance to the country's border: 0 inside, None without a country.
    disputed : bool
        Whether other worldviews give the place to another country.
    """

    lat: float
    lon: float
    country: str | None
    country_code: str | None
    admin1: str | None
    admin1_code: str | None
    admin2: str | None
    city: str | None
    city_distance_km: float | None
    match: str
    offset_km: float | None
    disputed: bool
    claims: tuple[tuple[str, str], ...]
    """(worldview, country code) for the worldviews that differ from the default."""

    def text(self) -> str:
        """Return the chain as the answer that Geo-R trains a model to give.

        `geodata.answers.parse_strict` reads it back.

        Examples
        --------
        >>> from geodata import cor
        >>> print(cor.label(48.8584, 2.2945).text())
        Country: France
        State: Île-de-France
        City: Paris
        Coordinates: (48.858400, 2.294500)
        """
        return answers.render(self.country, self.admin1, self.city, self.lat, self.lon)
