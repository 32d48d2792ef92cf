"""``cor_label(lat, lon)`` in SQL: the Chain of Region of every row, as `geodata.cor` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

FIELDS = {
    "country": "VARCHAR",
    "country_code": "VARCHAR",
    "admin1": "VARCHAR",
    "admin1_code": "VARCHAR",
    "admin2": "VARCHAR",
    "city": "VARCHAR",
    "city_distance_km": "DOUBLE",
    "match": "VARCHAR",
    "offset_km": "DOUBLE",
}
"""What the struct holds: the columns of `geodata.cor.label_table`."""


def add_cor_label(con: duckdb.DuckDBPyConnection) -> None:
    """Add the function ``cor_label(lat, lon)`` to a connection.

    It takes degrees as any number that DuckDB can make a DOUBLE and returns one STRUCT a row. A
    row without a valid coordinate has ``match`` 'invalid' and NULL elsewhere. Borders and places
    are loaded when the first row is labelled.

    Examples
    --------
    >>> import duckdb
    >>> con = duckdb.connect()
    >>> add_cor_label(con)
    >>> con.sql("SELECT cor_label(48.8584, 2.2945).city, cor_label(NULL, 0).match").fetchall()
    [('Paris', 'invalid')]
    >>> con.close()
    """
    double = con.sqltype("DOUBLE")
    con.create_function(  # type: ignore[call-overload]
        "cor_label",
        _label,
        [double, double],
        con.struct_type(FIELDS),
        type="arrow",
        null_handling="special",
    )


def _label(lat: pa.ChunkedArray, lon: pa.ChunkedArray) -> pa.Array:
    from geodata import cor

    found = cor.label_table(pa.table({"lat": lat, "lon": lon}))
    columns = [found[name].combine_chunks() for name in FIELDS]
    return pa.StructArray.from_arrays(columns, names=list(FIELDS))
