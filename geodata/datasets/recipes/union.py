"""The recipe ``union``: the rows of two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from geodata.datasets.recipes.made_by import refuse_two_sets
from geodata.datasets.recipes.sampling import Made
from geodata.tables import DatasetError, Input, TableSchemaError, fitted, kept_schema


def union(inputs: Mapping[str, Input], seed: int, *, origin: str | None = None) -> Made:
    """Put the rows of two tables one after the other; a column that one lacks is NULL there.

    Tables that two boundary sets, or two views of the world, have labelled are refused.

    Parameters
    ----------
    origin
        Name of a new column that says which table a row is from; none if left out.
    """
    rows, other = inputs["rows"], inputs["other"]
    try:
        schema = kept_schema(other.table.schema, kept_schema(rows.table.schema))
    except TableSchemaError as error:
        msg = f"{rows.label} and {other.label} do not fit: {error}"
        raise DatasetError(msg) from error
    if origin is not None and origin.lower() in {name.lower() for name in schema.names}:
        msg = f"origin={origin!r} is a column of the rows already; choose another name"
        raise DatasetError(msg)
    refuse_two_sets(rows, other)
    whole = schema if origin is None else schema.append(pa.field(origin, pa.string()))

    def batches() -> Iterator[pa.Table]:
        for part in (rows, other):
            for table in part.batches():
                made = fitted(table, schema)
                if origin is not None:
                    names = pa.repeat(part.table.path.name, table.num_rows)
                    made = made.append_column(whole.field(origin), names)
                yield made

    counts = {part.label: part.table.rows for part in (rows, other)}
    total = rows.table.rows + other.table.rows
    return Made(whole, batches(), total, {"rows_in": counts, "rows": total})
