"""Check coordinates at the door: one rule for scalars, arrays, Arrow columns and text.

A latitude is a finite number in [-90, 90]; a longitude is a finite number in [-360, 360] and
is wrapped into [-180, 180). Booleans, strings, dates and missing values are not numbers. A
scalar that breaks the rule raises; in an array the row is kept and marked invalid.
"""

from __future__ import annotations

import math
import numbers
import re
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata import buffers

MAX_LAT = 90.0
MAX_LON = 360.0

_NUMBER_TEXT = (
    r"^[ \t]*[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?[ \t]*$"
)
_PAIR_TEXT = re.compile(r"[\s(\[]*([^\s,;()]+)(?:\s*[,;]\s*|\s+)([^\s,;()\]]+)[\s)\]]*")


class Coordinates(NamedTuple):
    """Checked coordinates: where ``valid`` is False, ``lat`` and ``lon`` are 0."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    valid: NDArray[np.bool_]


def wrap_lon(lon: float) -> float:
    """Return a longitude in [-180, 180).

    Examples
    --------
    >>> wrap_lon(180.0), wrap_lon(190.0), wrap_lon(-180.0)
    (-180.0, -170.0, -180.0)
    """
    if -180.0 <= lon < 180.0:
        return lon
    wrapped = (lon + 180.0) % 360.0 - 180.0
    return wrapped if wrapped < 180.0 else -180.0


def scalar(lat: Any, lon: Any) -> tuple[float, float]:
    """Return one checked pair, longitude wrapped into [-180, 180).

    Raises
    ------
    TypeError
        For anything that is not a real number: strings, booleans, None, dates, arrays.
    ValueError
        For a number that is not finite or out of range.

    Examples
    --------
    >>> scalar(48.8584, 2.2945)
    (48.8584, 2.2945)
    >>> scalar(91, 0)
    Traceback (most recent call last):
        ...
    ValueError: latitude 91.0 is outside [-90, 90]; did you swap lat and lon?
    """
    y = _real("latitude", lat)
    x = _real("longitude", lon)
    if not -MAX_LAT <= y <= MAX_LAT:
        msg = f"latitude {y!r} is outside [-90, 90]; did you swap lat and lon?"
        raise ValueError(msg)
    if not -MAX_LON <= x <= MAX_LON:
        msg = f"longitude {x!r} is outside [-360, 360]; give degrees east of Greenwich"
        raise ValueError(msg)
    return y, wrap_lon(x)


def _real(name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and not np.ma.isMaskedArray(value):
        value = value[()]  # the number in an array without dimensions
    is_number = isinstance(value, numbers.Real | Decimal) and not isinstance(value, bool | np.bool_)
    if not is_number or isinstance(value, np.timedelta64):
        msg = (
            f"{name} must be a number in degrees, got {value!r} ({type(value).__name__}); "
            "convert text with float() and pass tables to label_table"
        )
        raise TypeError(msg)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        msg = f"{name} {number!r} is not finite; drop the row or use label_table, which marks it"
        raise ValueError(msg)
    return number


def pair(text: str) -> tuple[float, float]:
    """Return the checked pair in a text such as ``48.85, 2.35``, latitude first.

    Two decimal numbers with a comma, a semicolon or white space between, parentheses around them
    or not.

    Raises
    ------
    ValueError
        For any other text, or a number out of range.

    Examples
    --------
    >>> pair("48.85,2.35"), pair("(-33.9 151.2)")
    ((48.85, 2.35), (-33.9, 151.2))
    """
    found = _PAIR_TEXT.fullmatch(text)
    texts = found.groups() if found else ("",)
    if not all(re.fullmatch(_NUMBER_TEXT, text) for text in texts):
        msg = f"{text[:60]!r} is no coordinate; write latitude and longitude as in '48.85,2.35'"
        raise ValueError(msg)
    return scalar(*(float(text) for text in texts))


def arrays(lat: Any, lon: Any, *, wrap: bool = True) -> Coordinates:
    """Return checked coordinate arrays; rows that break the rule have ``valid`` False.

    Parameters
    ----------
    lat, lon
        Equally long 1-d columns, degrees: lists, NumPy or masked arrays, Arrow arrays or
        chunked arrays. Text is not parsed here, see `parse_numbers`.
    wrap
        False keeps longitudes as given, bit for bit, instead of wrapped into [-180, 180).

    Raises
    ------
    ValueError
        If the two lengths differ or an array has more than one dimension.

    Examples
    --------
    >>> arrays([48.8, 91, None, True], [2.3, 0, 0, 0]).valid
    array([ True, False, False, False])
    """
    y, ok_y = _column("lat", lat)
    x, ok_x = _column("lon", lon)
    if len(y) != len(x):
        msg = f"lat has {len(y)} rows and lon has {len(x)}; they must be equally long"
        raise ValueError(msg)
    valid = ok_y & ok_x & (np.abs(y) <= MAX_LAT) & (np.abs(x) <= MAX_LON)
    if not valid.all():
        y, x = np.where(valid, y, 0.0), np.where(valid, x, 0.0)
    out = (x < -180.0) | (x >= 180.0)
    if wrap and out.any():
        wrapped = np.remainder(x[out] + 180.0, 360.0) - 180.0
        x[out] = np.where(wrapped < 180.0, wrapped, -180.0)
    return Coordinates(y, x, valid)


def _column(name: str, values: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _arrow_column(values)
    if hasattr(values, "__arrow_c_stream__") and not isinstance(values, np.ndarray):
        return _arrow_column(pa.chunked_array(values))
    mask = None
    if isinstance(values, np.ndarray) and type(values) is not np.ndarray:  # `np.ma` takes 25 ms
        mask, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    array = np.asarray(_as_objects(values))
    if array.ndim != 1:
        msg = f"{name} must be one-dimensional, got shape {array.shape}; use .ravel() first"
        raise ValueError(msg)
    if array.dtype.kind in ("f", "i", "u"):
        out = array.astype(np.float64)
        ok = np.isfinite(out)
    elif array.dtype.kind == "O":
        out, ok = _object_column(array)
    else:  # bool, text, bytes, dates, complex: no row is a coordinate
        out, ok = np.zeros(len(array)), np.zeros(len(array), bool)
    return out, ok if mask is None else ok & ~mask


def _as_objects(values: Any) -> Any:
    """Keep a list's own types: NumPy would turn [48.8, None, "2"] into text or NaN."""
    if isinstance(values, list | tuple):
        out = np.empty(len(values), object)
        out[:] = values
        return out
    return values


def _object_column(array: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    out, ok = np.zeros(len(array)), np.zeros(len(array), bool)
    for i, value in enumerate(array):
        try:
            out[i] = _real("coordinate", value)
        except (TypeError, ValueError):
            continue
        ok[i] = True
    return out, ok


def _arrow_column(
    column: pa.Array | pa.ChunkedArray,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        return np.zeros(len(column)), np.zeros(len(column), bool)
    ok = buffers.flags(pc.is_valid(column))
    if pa.types.is_decimal(kind):  # its own cast to floating point is off by a last digit
        column = pc.cast(column, pa.string())
    out = np.array(buffers.numbers(pc.cast(column, pa.float64(), safe=False), absent=0.0))
    return out, ok & np.isfinite(out)


def parse_numbers(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return a text column as float64, NULL where the text is not a plain decimal number.

    Only ASCII decimals with an optional exponent are numbers: no ``nan``, no ``1_0``, no
    digits of other scripts. A numeric column comes back unchanged.

    Examples
    --------
    >>> parse_numbers(pa.array(["48.85", " -2e1", "nan", "1_0", ""])).to_pylist()
    [48.85, -20.0, None, None, None]
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    plain = pc.match_substring_regex(column, _NUMBER_TEXT)
    trimmed = pc.utf8_trim(pc.if_else(plain, column, pa.nulls(1, column.type)[0]), " \t+")
    return pc.cast(trimmed, pa.float64())
