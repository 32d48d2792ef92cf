"""A file of a coordinate predictor, such as GeoCLIP's: a further witness against an answer."""

from __future__ import annotations

import numpy as np

from geodata import coords, sphere
from geodata.files import ID_NAMES, coordinate_columns, find_named, id_text
from geodata.tables import open_rows
from georl.config import ConfigError, ReasonConfig
from georl.reasoning.rows import Row, dropped

_CONFIDENCE = ("confidence", "conf", "score", "probability", "prob")


class Predictor:
    """Predictions by id, those that are sure enough.

    Raises
    ------
    ConfigError
        If the file has no ids, or no confidence where one is asked for.
    FileError
        If it cannot be read.
    """

    def __init__(self, config: ReasonConfig) -> None:
        self._max_km = config.truth.predictor_km
        source = open_rows(config.truth.predictor)
        names, where = source.columns, str(source.name)
        key = find_named(names, ID_NAMES, "id", where)
        sure = find_named(names, _CONFIDENCE, "confidence", where)
        least = config.truth.predictor_confidence
        if key is None or (sure is None and least > 0.0):
            lacks = "id" if key is None else "confidence"
            msg = f"truth.predictor {where} has no column {lacks!r}; it has {', '.join(names)}"
            raise ConfigError(msg)
        lat, lon = coordinate_columns(names, roles=("pred", "plain"), where=where)
        self._at: dict[str, tuple[float, float]] = {}
        for table in source.tables([key, lat, lon, *([sure] if sure else [])]):
            checked = coords.arrays(*(coords.parse_numbers(table[name]) for name in (lat, lon)))
            keep = checked.valid
            if sure is not None:
                scores = table[sure].to_numpy(zero_copy_only=False).astype(float)
                keep = keep & (np.nan_to_num(scores, nan=-np.inf) >= least)
            ids = id_text(table[key]).to_pylist()
            self._at |= {
                ids[i]: (float(checked.lat[i]), float(checked.lon[i])) for i in np.flatnonzero(keep)
            }

    def judged(self, row: Row) -> Row:
        """Return a row, dropped where the predictor puts its photo far away."""
        at = self._at.get(row["id"])
        if at is None or not row["kept"]:
            return row
        km = float(np.asarray(sphere.haversine_km(*at, row["lat"], row["lon"])))
        if km <= self._max_km:
            return row
        return dropped(row, "truth", "predictor_elsewhere", f"{km:.0f} km away")
