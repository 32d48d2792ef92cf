"""The Chain of Region of one point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geodata import answers
from geodata.cor import languages
from geodata.cor.detail import Detail
from geodata.printable import html


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
    detail: Detail | None = None
    """Ids, methods and distances to borders; where they were asked for."""

    def _repr_html_(self) -> str:
        """Return the levels as a table, for a notebook."""
        levels = [
            ("Country", self.country, self.country_code),
            ("Region", self.admin1, self.admin1_code),
            ("District", self.admin2, None),
            ("City", self.city, None),
            ("Coordinates", f"({self.lat}, {self.lon})", None),
        ]
        rows = "".join(
            f"<tr><th scope=row>{level}</th><td>{html(name)}</td><td>{html(code or '')}</td></tr>"
            for level, name, code in levels
            if name is not None
        )
        return f"<table>{rows}</table>"

    @property
    def border_km(self) -> Mapping[str, float]:
        """Great-circle distance to the nearest border of each level, km.

        A border is the edge of a polygon of the level, whether another region or the open sea
        lies behind it. Within 1 km or so, what the label says depends on how finely the set is
        drawn.
        """
        return self._detail.border_km

    @property
    def ids(self) -> Mapping[str, str]:
        """Identity of the region of each level: the set's own or its code; the city's geonameid."""
        return self._detail.ids

    @property
    def method(self) -> Mapping[str, str]:
        """How each level was decided: ``inside`` a polygon, the ``nearest``, or a ``place``."""
        return self._detail.method

    @property
    def _detail(self) -> Detail:
        if self.detail is None:
            msg = (
                "the label was made without its details; ask for them with label(..., detail=True)"
            )
            raise ValueError(msg)
        return self.detail

    def text(self, lang: str | None = None) -> str:
        """Return the chain as the answer that Geo-R trains a model to give.

        `geodata.answers.parse_strict` reads it back.

        Parameters
        ----------
        lang : str, optional
            Language of the country's name (BCP 47, `geodata.cor.languages_covered`); the other
            names stay as they were labelled.

        Examples
        --------
        >>> from geodata import cor
        >>> print(cor.label(48.8584, 2.2945).text())
        Country: France
        State: Île-de-France
        City: Paris
        Coordinates: (48.858400, 2.294500)
        """
        country, code = self.country, self.country_code
        if lang is not None and country is not None and code is not None:
            country = languages.country_names(languages.language(lang) or "en").get(code, country)
        return answers.render(country, self.admin1, self.city, self.lat, self.lon)
