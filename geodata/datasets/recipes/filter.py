"""The recipe ``filter``: the rows for which a SQL condition is true."""

from __future__ import annotations

from collections.abc import Mapping

from geodata import query
from geodata.datasets.recipes.sampling import Made, chosen
from geodata.tables import DatasetError, Input


def filter_(inputs: Mapping[str, Input], seed: int, *, where: str | None = None) -> Made:
    """Keep the rows for which a condition is true, in their order.

    Parameters
    ----------
    where
        What would follow WHERE in SQL: ``country_code = 'JP' AND lat > 35``. It runs on the
        closed connection of `geodata.query.run`; a condition that depends on chance or on the
        clock is refused. A row for which it is NULL is left out, and counted.
    """
    rows = inputs["rows"]
    if where is None:
        msg = "the recipe 'filter' needs a condition: where=\"country_code = 'JP'\""
        raise DatasetError(msg)
    rows.table  # noqa: B018, says that a file is none
    try:
        said = query.true_rows(rows.source, where)
    except query.QueryError as error:
        raise DatasetError(str(error)) from error
    report = {
        "rows_in": len(said.true),
        "where_false": int((~said.true & ~said.null).sum()),
        "where_null": int(said.null.sum()),
        "rows": int(said.true.sum()),
    }
    why = f"the condition is true for none of {len(said.true):,} rows: {where}"
    return chosen(rows, said.true, report, empty=why)
