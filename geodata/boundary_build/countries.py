"""The country layer: one row a country, territory or disputed piece, from country-coder.

country-coder draws a generous coast, so that a photo on a pier or a boat has its country. Its
features nest (world, unions, countries, subterritories); the ones with a polygon do not overlap
and belong to the nearest ancestor with an ISO 3166-1 code. Disputed pieces are cut out of them
by the recipes of the table ``pieces``. Rows may overlap: the smallest that contains a point owns
it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
import shapely.geometry
from numpy.typing import NDArray

from geodata import boundaries
from geodata.boundaries.building import country_rows, polygonal, repair, snap, wkb
from geodata.boundary_build.land_borders import with_land_borders
from geodata.boundary_build.seeds import Seeds

# UN M49 areas as country-coder lists them; South America lies inside the Americas.
CONTINENTS = {
    "002": "Africa",
    "142": "Asia",
    "150": "Europe",
    "009": "Oceania",
    "005": "South America",
    "003": "North America",
}

RELEASE = "country-coder 5.6.1"

SEAM_DEGREES = 179.98

REACHES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""How far from its land unit, in degrees, a piece takes the sea and coast of its country."""


@dataclass(frozen=True)
class Feature:
    """A polygon of country-coder with the country it belongs to."""

    wikidata: str
    code: str | None
    continent: str | None
    geometry: shapely.Geometry


@dataclass(frozen=True)
class Shape:
    """A row of the country layer before it is named."""

    code: str
    piece: str
    feature: str
    geometry: shapely.Geometry


def read_features(path: Path) -> list[Feature]:
    """Read the features of country-coder's ``borders.json`` that have a polygon.

    Raises
    ------
    ValueError
        If the file is no GeoJSON feature collection.
    """
    collection = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        msg = f"{path}: expected country-coder's borders.json, a GeoJSON FeatureCollection"
        raise ValueError(msg)
    return [_feature(raw) for raw in collection["features"] if raw["geometry"] is not None]


def country_table(
    features: list[Feature],
    land: dict[tuple[str, str], shapely.Geometry],
    units: pa.Table,
    seeds: Mapping[str, Seeds],
) -> pa.Table:
    """Build the country layer.

    Parameters
    ----------
    features
        Polygons of country-coder.
    land
        Land of Natural Earth's units by (country code, name): the outlines of pieces that
        country-coder does not draw.
    units, seeds
        Divisions and places of each country, which refine land borders.

    Returns
    -------
    pyarrow.Table
        Columns of `geodata.boundaries.COUNTRY_SCHEMA`, ordered by code, then by area from large
        to small.
    """
    continents = {f.code: f.continent for f in features if f.code is not None}
    pieces = {piece.name: piece for piece in boundaries.pieces()}
    shapes = _with_land_borders(_shapes(features, land), units, seeds)
    rows = sorted(shapes, key=lambda s: (s.code, -s.geometry.area, s.piece))
    first = {shape.code: shape for shape in reversed(rows)}
    return country_rows(
        [
            {
                "id": shape.code if first[shape.code] is shape else _part_id(shape),
                **_record(shape, pieces.get(shape.piece), continents),
            }
            for shape in rows
        ]
    )


def _with_land_borders(
    shapes: list[Shape], units: pa.Table, seeds: Mapping[str, Seeds]
) -> list[Shape]:
    whole = [shape for shape in shapes if not shape.piece]
    pieces = [shape for shape in shapes if shape.piece]
    new = with_land_borders(
        [shape.geometry for shape in whole],
        [shape.code for shape in whole],
        [piece.geometry for piece in pieces],
        units,
        seeds,
    )
    return [replace(shape, geometry=g) for shape, g in zip(whole, new, strict=True)] + pieces


def _part_id(shape: Shape) -> str:
    """Return the id of a row that is not the main one of its country."""
    return f"{shape.code}/{shape.piece or shape.feature}"


def _feature(raw: dict[str, object]) -> Feature:
    properties = raw["properties"]
    assert isinstance(properties, dict)
    groups = list(properties.get("groups") or [])
    line = [properties.get("iso1A2"), *groups, properties.get("country")]
    codes = [code for code in line if boundaries.is_country(str(code))]
    continents = [name for m49, name in CONTINENTS.items() if m49 in groups]
    code = str(codes[0]) if codes else None
    continent = "Antarctica" if code == "AQ" else next(iter(continents), None)
    drawn = shapely.geometry.shape(raw["geometry"])
    fixed, _ = repair([shapely.transform(drawn, _onto_antimeridian)])
    return Feature(str(properties["wikidata"]), code, continent, fixed[0])


def _onto_antimeridian(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move what is drawn up to 2 km short of ±180 onto it, so that no gap is left there."""
    lon = np.where(np.abs(xy[:, 0]) > SEAM_DEGREES, np.sign(xy[:, 0]) * 180.0, xy[:, 0])
    return np.stack([lon, xy[:, 1]], axis=1)


def _shapes(features: list[Feature], land: dict[tuple[str, str], shapely.Geometry]) -> list[Shape]:
    recipes = {piece.name: piece.shape for piece in boundaries.pieces()}
    moved = {
        part.removeprefix("feature:")
        for recipe in recipes.values()
        for part in recipe.split("+")
        if part.startswith("feature:")
    }
    whole = {
        part.removeprefix("country:"): name
        for name, recipe in recipes.items()
        for part in recipe.split("+")
        if part.startswith("country:")
    }
    own = _by_country([f for f in features if f.wikidata not in moved])
    # A country all of whose pieces are features (Palestine) has no rest.
    rest = [Shape(code, "", feature, g) for (code, feature), g in own.items() if code not in whole]
    hosts = {code: g for (code, _), g in own.items()}
    by_id = {f.wikidata: f.geometry for f in features}
    cut = [
        Shape(piece.country, piece.name, "", _cut(piece.shape, hosts, by_id, land))
        for piece in boundaries.pieces()
    ]
    return rest + cut


def _by_country(features: list[Feature]) -> dict[tuple[str, str], shapely.Geometry]:
    """Join the features of each country; keep islands apart whose sovereign names differ."""
    parts: dict[tuple[str, str], list[shapely.Geometry]] = {}
    for feature in features:
        if feature.code is not None:
            apart = boundaries.sovereign(feature.code, feature.wikidata)
            same = boundaries.sovereign(feature.code)
            key = (feature.code, "" if apart == same else feature.wikidata)
            parts.setdefault(key, []).append(feature.geometry)
    return {key: _joined(geometries) for key, geometries in parts.items()}


def _joined(geometries: list[shapely.Geometry]) -> shapely.Geometry:
    return polygonal(snap(shapely.union_all(geometries)))


def _cut(
    recipe: str,
    hosts: dict[str, shapely.Geometry],
    by_id: dict[str, shapely.Geometry],
    land: dict[tuple[str, str], shapely.Geometry],
) -> shapely.Geometry:
    """Follow a recipe: ``kind:value[@host]``, several joined by ``+``."""
    parts = []
    for part in recipe.split("+"):
        kind, _, rest = part.partition(":")
        value, _, host = rest.partition("@")
        if kind == "feature":
            parts.append(by_id[value])
        elif kind == "country":
            parts.append(hosts[value])
        elif kind == "box":
            parts.append(shapely.intersection(hosts[host], shapely.box(*_numbers(value)[0])))
        elif kind == "polygon":
            parts.append(shapely.intersection(hosts[host], shapely.Polygon(_numbers(value))))
        else:
            names = {tuple(name.split("/", 1)) for name in value.split("|")}
            parts.append(_spread(names, host, hosts[host], land))
    return _joined(parts)


def _numbers(text: str) -> list[list[float]]:
    return [[float(number) for number in point.split()] for point in text.split(",")]


def _spread(
    names: set[tuple[str, ...]],
    country: str,
    host: shapely.Geometry,
    land: dict[tuple[str, str], shapely.Geometry],
) -> shapely.Geometry:
    """Give units the coast of their country that is nearer to them than to other units."""
    mine = shapely.union_all([land[code, name] for code, name in names])
    near = mine.buffer(REACHES[-1])
    others = shapely.union_all(
        [
            shapely.intersection(g, near)
            for key, g in land.items()
            if key[0] == country and key not in names and g.intersects(near)
        ]
    )
    # A point nearer to the units than to the others is, for some reach, within it of the
    # units only; a few reaches leave slivers at sea, which stay with the country as a whole.
    closer = [
        shapely.difference(mine.buffer(reach, quad_segs=4), others.buffer(reach, quad_segs=4))
        for reach in REACHES
    ]
    grown = shapely.difference(shapely.union_all([mine, *closer]), others)
    return shapely.intersection(host, grown)


def _record(
    shape: Shape, piece: boundaries.Piece | None, continents: dict[str, str | None]
) -> dict[str, object]:
    import pycountry

    iso = pycountry.countries.get(alpha_2=shape.code)
    sovereign = boundaries.sovereign(shape.code, shape.feature)
    claims = piece.claims if piece else ()
    return {
        "level": "country",
        "code": shape.code,
        "alpha3": iso.alpha_3 if iso else "XKX",
        "name": boundaries.country_name(shape.code),
        "names": {"en": boundaries.country_name(shape.code)},
        "continent": continents.get(shape.code),
        "sovereign_code": sovereign.country if sovereign else None,
        "sovereign_admin1_name": sovereign.admin1_name if sovereign else None,
        "sovereign_admin1_code": sovereign.admin1_code if sovereign else None,
        "disputed": bool(piece and piece.disputed),
        "approximate": bool(piece and "polygon:" in piece.shape),
        "claims": [{"worldview": view, "code": code} for view, code in claims],
        "source": "country-coder and Natural Earth" if piece else "country-coder",
        "release": RELEASE,
        "licence": "ISC",
        "geometry": wkb([shape.geometry])[0],
    }
