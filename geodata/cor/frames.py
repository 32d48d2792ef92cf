"""Any frame in, the same frame out: how rows become coordinates, and labels come back to them.

Frames are told by the module that their type comes from, so none of their libraries is imported
here: whoever has a frame has its library loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from geodata import buffers, coords
from geodata.cor.points import arrow_points, frame_points
from geodata.files import FileError, as_table, coordinate_columns, plain_column


class Frame(NamedTuple):
    """Rows with their coordinates, and how labels are put beside them."""

    points: coords.Coordinates
    with_labels: Callable[[pa.Table], Any]


def frame_of(
    table: Any, lon_array: Any = None, lat: str | None = None, lon: str | None = None
) -> Frame:
    """Take coordinates from a frame of any kind that `geodata.cor.label_table` takes.

    Raises
    ------
    TypeError
        For what is no frame, or one of no use; says what to do with it.
    ValueError
        If no column, or more than one, can be the latitude or the longitude.
    """
    if lon_array is not None:
        return _arrays(table, lon_array)
    for kind, open_frame in _KINDS.items():
        if _is(table, *kind):
            return open_frame(table, lat, lon)
    if isinstance(table, str | bytes):
        msg = f"expected a table, got the text {table[:60]!r}; label a file with cor.label_file"
        raise TypeError(msg)
    if isinstance(table, np.ndarray | list | tuple):
        return _sequence(table, lat, lon)
    rows = pa.table(dict(table)) if isinstance(table, Mapping) else as_table(table)
    return _arrow(rows, lat, lon)


def attach(rows: pa.Table, labels: pa.Table) -> pa.Table:
    """Return the rows with the label columns behind their own, replacing any of the same name.

    What the schema and its fields say beside names and types stays.
    """
    kept = [name for name in rows.column_names if name not in labels.column_names]
    columns = [rows[name] for name in kept] + labels.columns
    fields = [rows.schema.field(name) for name in kept] + list(labels.schema)
    return pa.table(columns, schema=pa.schema(fields, metadata=rows.schema.metadata))


def _is(value: Any, library: str, name: str) -> bool:
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] == library
        for base in type(value).__mro__
    )


def _arrays(lat: Any, lon: Any) -> Frame:
    if _is(lat, "pandas", "Series") and _is(lon, "pandas", "Series"):
        _refuse_other_rows(lat, lon)
    points = coords.arrays(lat, lon)
    invalid = ~points.valid
    columns = [buffers.column(values, absent=invalid) for values in (points.lat, points.lon)]
    rows = pa.table(columns, names=["lat", "lon"])
    return Frame(points, lambda labels: attach(rows, labels))


def _refuse_other_rows(lat: Any, lon: Any) -> None:
    """Refuse series whose rows are not each other's, which only their indexes tell."""
    if not lat.index.equals(lon.index):
        msg = (
            "the latitudes and the longitudes have different indexes; put them into one frame, "
            "pd.DataFrame({'lat': lat, 'lon': lon}), or give lat.array, lon.array to pair them "
            "by position"
        )
        raise ValueError(msg)


def _sequence(values: Any, lat: str | None, lon: str | None) -> Frame:
    """Take pairs, dictionaries, or an array of shape (n, 2)."""
    if isinstance(values, np.ndarray):
        if values.ndim == 2 and values.shape[1] == 2:
            return _arrays(values[:, 0], values[:, 1])
        msg = (
            f"an array of shape {values.shape} has no two columns of lat, lon; "
            "give shape (n, 2), or latitudes and longitudes as two arrays"
        )
        raise ValueError(msg)
    if not values:
        return _arrays([], [])
    if all(isinstance(row, Mapping) for row in values):
        try:
            return _arrow(pa.Table.from_pylist([dict(row) for row in values]), lat, lon)
        except (pa.ArrowException, TypeError) as error:
            msg = f"the dictionaries make no table: {error}; give each key one type"
            raise TypeError(msg) from None
    pairs = [row for row in values if isinstance(row, Sequence | np.ndarray) and len(row) == 2]
    if len(pairs) == len(values) and not any(isinstance(row, str | bytes) for row in pairs):
        return _arrays([row[0] for row in pairs], [row[1] for row in pairs])
    msg = (
        f"a {type(values).__name__} of {type(values[0]).__name__} is no table; give pairs "
        "(lat, lon), dictionaries, or latitudes and longitudes as two arguments"
    )
    raise TypeError(msg)


def _arrow(rows: pa.Table, lat: str | None, lon: str | None) -> Frame:
    points = None if lat or lon else arrow_points(rows)
    if points is None:
        names = coordinate_columns(rows.column_names, lat, lon)
        points = coords.arrays(*(_numbers(rows[name]) for name in names))
    return Frame(points, lambda labels: attach(rows, labels))


def _numbers(column: Any) -> Any:
    """Return a column as numbers; text is read as it is in files."""
    return coords.parse_numbers(plain_column(column))


def _pandas(frame: Any, lat: str | None, lon: str | None) -> Frame:
    if frame.columns.nlevels > 1:
        msg = (
            f"the columns have {frame.columns.nlevels} levels; flatten them first: "
            "frame.columns = ['_'.join(map(str, names)) for names in frame.columns]"
        )
        raise ValueError(msg)
    keys = list(frame.columns)
    names = [str(key) for key in keys]
    repeated = sorted({name for name in names if names.count(name) > 1})
    y, x = coordinate_columns(names, lat, lon)
    if y in repeated or x in repeated:
        msg = f"column {y if y in repeated else x!r} occurs twice; names must be unique"
        raise FileError(msg)
    points = coords.arrays(*(_pandas_numbers(frame[keys[names.index(name)]]) for name in (y, x)))
    return Frame(points, lambda labels: _pandas_labelled(frame, labels))


def _pandas_numbers(series: Any) -> Any:
    try:
        return _numbers(pa.Array.from_pandas(series.array))
    except (pa.ArrowException, TypeError):  # objects of several kinds: one by one
        values = list(series.array)
        texts = pa.array([v if isinstance(v, str) else None for v in values], pa.string())
        numbers = coords.parse_numbers(texts).to_pylist()
        pairs = zip(values, numbers, strict=True)
        return [number if isinstance(value, str) else value for value, number in pairs]


def _pandas_labelled(frame: Any, labels: pa.Table) -> Any:
    """Return a copy of the frame with labels by position, whatever its index."""
    out = frame.drop(columns=[c for c in frame.columns if str(c) in labels.column_names])
    made = labels.to_pandas()
    return out.assign(**{name: made[name].array for name in labels.column_names})


def _geo_frame(frame: Any, lat: str | None, lon: str | None) -> Frame:
    if lat is not None or lon is not None:
        return _pandas(frame, lat, lon)
    if frame._geometry_column_name not in frame.columns:
        msg = "the GeoDataFrame has no active geometry; choose one with set_geometry"
        raise ValueError(msg)
    return Frame(frame_points(frame.geometry), lambda labels: _pandas_labelled(frame, labels))


def _geo_series(series: Any, lat: str | None, lon: str | None) -> Frame:
    name = series.name if isinstance(series.name, str) else "geometry"
    frame = sys.modules["geopandas"].GeoDataFrame({name: series}, geometry=name, crs=series.crs)
    return _geo_frame(frame, lat, lon)


def _polars(frame: Any, lat: str | None, lon: str | None) -> Frame:
    names = coordinate_columns(frame.columns, lat, lon)
    points = coords.arrays(*(_numbers(frame[name].to_arrow()) for name in names))

    def labelled(labels: pa.Table) -> Any:
        rest = frame.drop([name for name in frame.columns if name in labels.column_names])
        return rest.hstack(sys.modules["polars"].from_arrow(labels))

    return Frame(points, labelled)


def _lazy(frame: Any, lat: str | None, lon: str | None) -> Frame:
    points, labelled = _polars(frame.collect(), lat, lon)
    return Frame(points, lambda labels: labelled(labels).lazy())


def _hugging_face(dataset: Any, lat: str | None, lon: str | None) -> Frame:
    names = coordinate_columns(dataset.column_names, lat, lon)
    columns = dataset.select_columns(list(names)).with_format("arrow")[:]
    points = coords.arrays(*(_numbers(columns[name]) for name in names))

    def labelled(labels: pa.Table) -> Any:
        clash = [name for name in dataset.column_names if name in labels.column_names]
        made = type(dataset)(labels)
        beside = sys.modules["datasets"].concatenate_datasets
        return beside([dataset.remove_columns(clash), made], axis=1)

    return Frame(points, labelled)


def _refused(remedy: str) -> Callable[..., Frame]:
    def refuse(value: Any, *_: Any) -> Frame:
        msg = f"label_table does not take {type(value).__name__}; {remedy}"
        raise TypeError(msg)

    return refuse


_KINDS: dict[tuple[str, str], Callable[..., Frame]] = {
    ("geopandas", "GeoDataFrame"): _geo_frame,
    ("geopandas", "GeoSeries"): _geo_series,
    ("pandas", "DataFrame"): _pandas,
    ("pandas", "Series"): _refused("give two: label_table(latitudes, longitudes)"),
    ("polars", "DataFrame"): _polars,
    ("polars", "LazyFrame"): _lazy,
    ("polars", "Series"): _refused("give two: label_table(latitudes, longitudes)"),
    ("datasets", "Dataset"): _hugging_face,
    ("datasets", "DatasetDict"): _refused("label each split: label_table(splits['train'])"),
    ("datasets", "IterableDataset"): _refused(
        "label batches of it: stream.with_format('arrow').map(label_table, batched=True)"
    ),
    ("datasets", "IterableDatasetDict"): _refused("label each split by itself"),
}
