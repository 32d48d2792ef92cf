"""Steps b to d: photos that can be located, answers that are true, models that agree.

Each takes rows that were kept so far and returns them in the same order, some dropped.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from geodata import cor, gazetteer, sphere
from georl.config import ReasonConfig
from georl.reasoning.predictor import Predictor
from georl.reasoning.rows import Row, dropped
from georl.reasoning.similarity import Similarity


class Spot(NamedTuple):
    """What the names of an answer mean; None where they mean nothing."""

    country: str | None
    city: str | None
    lat: float | None
    lon: float | None


def locatable(rows: list[Row], config: ReasonConfig) -> list[Row]:
    """Step b: drop photos that a model calls impossible or unlikely to locate.

    Reasons are ``no_localizability``, ``not_localizable`` (0) and ``low_localizability``.
    """
    return [_locatable(row, config.filter.min_localizability) for row in rows]


def _locatable(row: Row, least: float) -> Row:
    scores = {one["by"]: one["localizability"] for one in row["answers"]}
    for by, score in scores.items():
        if score is None:
            return dropped(row, "filter", "no_localizability", by)
    by, lowest = min(scores.items(), key=lambda pair: pair[1])
    if lowest == 0.0 and least > 0.0:
        return dropped(row, "filter", "not_localizable", by)
    if lowest < least:
        return dropped(row, "filter", "low_localizability", f"{by}: {lowest:g}")
    return row


def true(rows: list[Row], config: ReasonConfig, predictor: Predictor | None) -> list[Row]:
    """Step c: drop answers that contradict where the photo was taken.

    Reasons are ``no_place`` (no country said), ``unknown_place`` (a name that is none),
    ``wrong_country``, ``no_city``, ``wrong_city`` and ``predictor_elsewhere``. A place within
    ``truth.near_km`` is right whatever its names; ``distance_km`` of a row is that of the answer
    which is kept.
    """
    labels = cor.label_table([row["lat"] for row in rows], [row["lon"] for row in rows])
    real = zip(labels["country_code"].to_pylist(), labels["city"].to_pylist(), strict=True)
    spots = spots_of(rows)
    found = []
    for row, said, (country, city) in zip(rows, spots, real, strict=True):
        at = {by: distance(spot, row["lat"], row["lon"]) for by, spot in said.items()}
        row = row | {"distance_km": at[row["model"]]}
        found.append(_true(row, said, at, Spot(country, city, row["lat"], row["lon"]), config))
    return found if predictor is None else [predictor.judged(row) for row in found]


def _true(
    row: Row, said: dict[str, Spot], at: dict[str, float | None], real: Spot, config: ReasonConfig
) -> Row:
    for one in row["answers"]:
        spot, km = said[one["by"]], at[one["by"]]
        near = km is not None and km <= config.truth.near_km
        problem = _contradicts(one, spot, real, near, config.truth.need_city)
        if problem is not None:
            words = ", ".join(name for name in (one["city"], one["country"]) if name)
            away = f", {km:.0f} km away" if km is not None else ""
            return dropped(row, "truth", problem, f"{one['by']}: {words[:200]}{away}")
    return row


def _contradicts(one: Row, spot: Spot, real: Spot, near: bool, need_city: bool) -> str | None:
    if not one["country"]:
        return "no_place"
    if one["city"] is None:
        if need_city:
            return "no_city"
    elif spot.lat is None:
        return "unknown_place"
    if spot.country is None:
        return "unknown_place"
    if near and one["city"] is not None:
        return None
    if spot.country != real.country:
        return "wrong_country"
    if one["city"] is None or (spot.city is not None and spot.city == real.city):
        return None
    return "wrong_city"


def agreed(rows: list[Row], config: ReasonConfig, similarity: Similarity) -> list[Row]:
    """Step d: keep photos whose models agree on the place and whose reasonings align.

    Reasons are ``other_country``, ``other_city``, ``unlike_reasoning`` and, where a server of
    embeddings fails, ``no_similarity``.
    """
    spots, out = spots_of(rows), []
    for row, said in zip(rows, spots, strict=True):
        problem = next(filter(None, (
            _disagree(a, b, config.agree.place_km) for a, b in combinations(said.values(), 2)
        )), None)  # fmt: skip
        out.append(dropped(row, "agree", problem, _named(row)) if problem else row)
    texts = [[one["reasoning"] for one in row["answers"]] for row in out if row["kept"]]
    scores = iter(similarity.least(texts))
    return [_aligned(row, next(scores), config) if row["kept"] else row for row in out]


def _aligned(row: Row, score: float | None, config: ReasonConfig) -> Row:
    if score is None:
        return dropped(row, "agree", "no_similarity")
    row = row | {"similarity": score}
    if score < config.agree.least:
        return dropped(row, "agree", "unlike_reasoning", f"{score:.3f}")
    return row


def _named(row: Row) -> str:
    return "; ".join(f"{o['by']}: {o['city']}, {o['country']}" for o in row["answers"])[:300]


def _disagree(one: Spot, other: Spot, place_km: float) -> str | None:
    km = distance(one, other.lat, other.lon)
    if km is not None and km <= place_km:
        return None
    if one.country != other.country:
        return "other_country"
    return None if one.city == other.city else "other_city"


def spots_of(rows: list[Row]) -> list[dict[str, Spot]]:
    """Return what the names of each row's answers mean, by the model that said them."""
    said = [(i, one) for i, row in enumerate(rows) for one in row["answers"]]
    country, city = ([one[name] for _, one in said] for name in ("country", "city"))
    codes = gazetteer.codes(country=country, city=city)
    points = gazetteer.places(country=country, city=city)
    columns = (codes["country_code"], codes["city"], points["lat"], points["lon"])
    found: list[dict[str, Spot]] = [{} for _ in rows]
    for (i, one), spot in zip(
        said, zip(*(c.to_pylist() for c in columns), strict=True), strict=True
    ):
        found[i][one["by"]] = Spot(*spot)
    return found


def distance(spot: Spot, lat: float | None, lon: float | None) -> float | None:
    """Return how far a spot is from a point, km; None where there is none."""
    known = [degrees for degrees in (spot.lat, spot.lon, lat, lon) if degrees is not None]
    return float(np.asarray(sphere.haversine_km(*known))) if len(known) == 4 else None
