"""The Chain of Region of a point, of arrays and of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geodata import coords
from geodata.cor.chain import RegionChain
from geodata.cor.detail import detail_columns
from geodata.cor.frames import frame_of
from geodata.cor.labelling import labeller

__all__ = ["MAX_OFFSET_KM", "RegionChain", "label", "label_table"]

MAX_OFFSET_KM = 10.0
"""A point outside every country takes the nearest one within this distance."""


def label(
    lat: float | str,
    lon: float | None = None,
    *,
    boundaries: Any = None,
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
    lang: str | None = None,
    detail: bool = False,
) -> RegionChain:
    """Return the Chain of Region of one point.

    Parameters
    ----------
    lat, lon : float, degrees
        A longitude between ±180 and ±360 is wrapped into [-180, 180); beyond that it is refused.
        Or one text with both, ``"48.85,2.35"``.
    boundaries : BoundarySet, str or path, optional
        From `geodata.boundaries.load`, or what it takes; the bundled set by default.
    worldview : str
        Whose view of disputed areas: ``un`` (default) or the ISO code of a claimant in lower
        case, e.g. ``in``.
    dependencies : {'own', 'sovereign'}
        Whether a territory with its own ISO code (Réunion, Hong Kong) is its own country, or a
        region of its sovereign.
    max_offset_km : float, km
        A point outside every country takes the nearest one within this distance.
    lang : str, optional
        Language of the names (BCP 47, e.g. ``ja``): those that the boundary set carries, and for
        countries those of Unicode CLDR in 87 languages. A name without a translation stays as
        the set has it; the bundled set carries none for divisions and cities.
    detail : bool
        Also find ``border_km``, ``ids`` and ``method`` of each level, which takes longer.

    Returns
    -------
    RegionChain

    Raises
    ------
    TypeError
        For anything that is not a number.
    ValueError
        For a text that is not a coordinate, a number that is not finite or out of range, or an
        unknown option.

    Examples
    --------
    >>> chain = label(48.8584, 2.2945)
    >>> chain.country_code, chain.admin1_code, chain.admin2, chain.city
    ('FR', 'FR-IDF', 'Paris', 'Paris')
    >>> label(0, -20).match  # the open Atlantic
    'none'
    >>> label("35.66, 139.70", lang="ja").country
    '日本'
    """
    y, x = coords.pair(lat) if isinstance(lat, str) and lon is None else coords.scalar(lat, lon)
    engine = labeller(boundaries, worldview, dependencies, max_offset_km, lang)
    return engine.one(y, x, detail=detail)


def label_table(
    table: Any,
    lon_array: Any = None,
    *,
    lat: str | None = None,
    lon: str | None = None,
    boundaries: Any = None,
    worldview: str = "un",
    dependencies: str = "own",
    max_offset_km: float = MAX_OFFSET_KM,
    lang: str | None = None,
    detail: bool | Sequence[str] = False,
) -> Any:
    """Label every row of a frame or table, or of coordinate arrays.

    Parameters
    ----------
    table
        Rows with a latitude and a longitude column (degrees; text is read as in files), or with
        points: a pandas or polars frame, a GeoDataFrame or GeoSeries in any CRS, a Hugging Face
        dataset, a pyarrow table or anything with ``__arrow_c_stream__`` (a DuckDB relation;
        GeoArrow and WKB points too), a mapping of columns, dictionaries or (lat, lon) pairs in a
        list, an array of shape (n, 2), or the latitudes.
    lon_array : array of shape (n,), optional
        The longitudes, where ``table`` is an array of latitudes.
    lat, lon : str, optional
        Names of the coordinate columns; found by their usual names if not given. A GeoDataFrame
        is read by its geometry unless they are.
    boundaries, worldview, dependencies, max_offset_km, lang
        As in `label`.
    detail : bool or sequence of str
        Columns of `DETAIL` to add: border distances, ids, methods and claims; True adds all.

    Returns
    -------
    The kind of ``table``, else pyarrow.Table
        A new frame with the same rows in the same order, its index, and its columns as they are,
        and behind them country, country_code, admin1, admin1_code, admin2, city,
        city_distance_km, match, offset_km and disputed. A row whose coordinates are missing or
        not valid has match 'invalid' and no names. A column of the input that has one of these
        names is replaced. A LazyFrame is collected for it.

    Raises
    ------
    TypeError
        For what is no table; says what to do with it.
    ValueError
        If a coordinate column is missing or two could be meant, or arrays differ in length.

    Examples
    --------
    >>> rows = label_table([48.8584, None], [2.2945, 0.0])
    >>> rows.select(["country_code", "city", "match"]).to_pylist()
    [{'country_code': 'FR', 'city': 'Paris', 'match': 'inside'},
     {'country_code': None, 'city': None, 'match': 'invalid'}]
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"lat": [35.66], "lon": [139.7]}, index=["shibuya"])
    >>> label_table(frame).loc["shibuya", "city"]
    'Tokyo'
    """
    engine = labeller(boundaries, worldview, dependencies, max_offset_km, lang)
    frame = frame_of(table, lon_array, lat, lon)
    return frame.with_labels(engine.table(frame.points, detail=detail_columns(detail)))
