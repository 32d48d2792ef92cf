"""Open prediction and truth files and find their columns; no row is read but the head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geodata.evaluation.joining.sides.checked_rows import LEVELS
from geodata.evaluation.joining.sides.distances import check_unit, choose_distances
from geodata.evaluation.joining.sides.joined import Predictions, Truth
from geodata.files import (
    REGION_NAMES,
    ROW_NAMES,
    TEXT_NAMES,
    Columns,
    FileError,
    Source,
    find_named,
    find_pair,
    given,
    not_found,
    squeeze,
    with_points,
)
from geodata.tables import open_rows


def read_predictions(
    source: Any,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    text: str | None = None,
    format: str | None = None,  # noqa: A002
    encoding: str | None = None,
    with_truth: bool = False,
    distance_column: str | None = None,
    distance_unit: str | None = None,
) -> Predictions:
    """Open predictions and find their columns; no row is read yet but the head.

    Parameters
    ----------
    source
        Path of a CSV, TSV, Parquet or JSONL file, Arrow table or data frame.
    id, lat, lon
        Column names; found by their usual names if None. Nested ones are joined with points.
    text
        Column with the model's words. If it is given and ``lat`` and ``lon`` are not, or if
        the source has no coordinate columns, answers are parsed from it. A source without
        either may have columns with the country and the city by name.
    format
        'csv', 'tsv', 'parquet' or 'jsonl' where the ending of a path does not tell.
    encoding
        Of text files that are neither UTF-8 nor UTF-16, such as 'latin-1'; never guessed.
    with_truth
        The source holds the truth as well: bare ``lat, lon`` are the truth then, and
        predictions need a name such as ``lat_pred`` or a text column.
    distance_column
        Column with the error of each answer, for a source without coordinates; by its usual
        names if None. Coordinates and words go first, unless the column is given and they are
        not.
    distance_unit
        'km', 'm' or 'mi'; if None, what the column's name says, else km.

    Raises
    ------
    geodata.files.FileError
        If the file cannot be read or a column cannot be found.
    TypeError
        If the source is not a table.

    Examples
    --------
    >>> table = {"IMG_ID": ["a.jpg"], "lat_pred": [48.9], "lon_pred": [2.3]}
    >>> read_predictions(table).columns.lat
    'lat_pred'
    """
    opened = with_points(open_rows(source, format=format, what="predictions", encoding=encoding))
    names, where = list(opened.columns), opened.name
    given_id = given(id, names, "id", where)
    usual_id = given_id or _usual(names, ROW_NAMES, "id", where)
    if usual_id is None and not with_truth:
        raise not_found(names, "id column (name it: --pred-id, pred_id=)", where)
    words = given(text, names, "text", where)
    pair = _given_pair(names, lat, lon, where)
    errors = given(distance_column, names, "distance_column", where)
    check_unit(distance_unit)
    if errors and pair is None and words is None:
        return _of_distances(opened, usual_id, errors, distance_unit)
    if pair is None and words is None:
        pair = find_pair(names, ("pred",) if with_truth else ("pred", "plain"), where)
        if with_truth and pair is None and find_pair(names, ("truth",), where):
            pair = find_pair(names, ("plain",), where)
    free = [name for name in names if name not in {usual_id, *(pair or ())}]
    words = words or _usual(free, TEXT_NAMES, "text", where)
    regions = _region_columns(names, with_truth, where) if pair or words is None else ()
    if pair is None and words is None and not {"country", "city"} & {level for level, _ in regions}:
        return _of_distances(opened, usual_id, errors, distance_unit)
    y, x = pair or (None, None)
    found = Columns(usual_id, y, x, None if pair else words, regions)
    return Predictions(opened, found, words if pair else None)


def _of_distances(
    opened: Source, id_column: str | None, name: str | None, unit: str | None
) -> Predictions:
    """Return predictions of which only the errors are known."""
    column = choose_distances(opened.columns, opened.name, name, unit)
    if column is None:
        what = "predicted latitude and longitude, nor a text column, nor country and city,"
        raise not_found(list(opened.columns), what, opened.name)
    return Predictions(opened, Columns(id_column, None, None), None, column)


def read_truth(
    source: Any,
    *,
    id: str | None = None,  # noqa: A002
    lat: str | None = None,
    lon: str | None = None,
    format: str | None = None,  # noqa: A002
    encoding: str | None = None,
    predictions: Predictions | None = None,
) -> Truth:
    """Open the truth and find its columns; parameters and errors are those of `read_predictions`.

    With ``predictions`` given, the source is theirs and the columns that they use are left. Where
    it has distances and no coordinates at all, the truth is its rows, without places.

    Examples
    --------
    >>> read_truth({"id": ["a"], "lat": [48.9], "lon": [2.3], "author": ["x"]}).extras
    ('author',)
    """
    opened = (
        with_points(open_rows(source, format=format, what="truth", encoding=encoding))
        if predictions is None
        else (predictions.source)
    )
    taken = set(predictions.used()) if predictions else set()
    if predictions:
        taken.discard(str(predictions.columns.id))
    names, where = [name for name in opened.columns if name not in taken], opened.name
    id_column = given(id, names, "id", where) or _usual(names, ROW_NAMES, "id", where)
    if id_column is None and predictions is None:
        raise not_found(names, "id column (name it: --id, id=)", where)
    pair = _given_pair(names, lat, lon, where) or find_pair(names, ("truth", "plain"), where)
    if pair is None and predictions is not None and predictions.distance is not None:
        extras = tuple(name for name in names if name != id_column)
        return Truth(opened, Columns(id_column, None, None), extras)
    if pair is None:
        missing = not_found(names, "true latitude and longitude", where)
        if predictions is None:
            raise missing
        msg = f"{missing}; name the file that holds the truth: --truth (truth=)"
        raise FileError(msg)
    extras = tuple(name for name in names if name not in {id_column, *pair})
    return Truth(opened, Columns(id_column, *pair), extras)


def _usual(names: Sequence[str], usual: Sequence[str], what: str, where: str) -> str | None:
    """Return the column of a usual name; a nested one also by its last part, if it is the only."""
    found = find_named(names, usual, what, where)
    if found is not None:
        return found
    nested = [name for name in names if "." in name and squeeze(name.rpartition(".")[2]) in usual]
    return nested[0] if len(nested) == 1 else None


def _given_pair(
    names: Sequence[str], lat: str | None, lon: str | None, where: str
) -> tuple[str, str] | None:
    if lat is None and lon is None:
        return None
    if lat is None or lon is None:
        msg = f"{where}: name both lat= and lon=, got {lat!r} and {lon!r}"
        raise FileError(msg)
    return str(given(lat, names, "lat", where)), str(given(lon, names, "lon", where))


def _region_columns(
    names: Sequence[str], with_truth: bool, where: str
) -> tuple[tuple[str, str], ...]:
    found = []
    for level in LEVELS:
        bare = REGION_NAMES[level]
        usual = [f"{role}{n}" for n in bare for role in ("pred", "predicted", "prediction")]
        usual += [f"{n}{role}" for n in bare for role in ("pred", "predicted")]
        name = find_named(names, usual if with_truth else [*usual, *bare], level, where)
        if name is not None:
            found.append((level, name))
    return tuple(found)
