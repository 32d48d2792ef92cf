"""A file of any of our formats as one table in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pyarrow as pa

from geodata.files.formats import FileError
from geodata.files.readers import BOMB_RATIO, FREE_BYTES, no_rows, outer_names
from geodata.files.source import open_source


def read_table(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> pa.Table:
    r"""Read a whole file that `open_source` can open; text formats come as text.

    Raises
    ------
    FileError
        Also for a small file that would fill memory: more than a hundred times its size.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "photos.csv")
    >>> _ = path.write_text("id,lat,lon\n007,48.9,2.3\n")
    >>> read_table(path).to_pylist()
    [{'id': '007', 'lat': '48.9', 'lon': '2.3'}]
    >>> read_table(path, ["id"]).column_names
    ['id']
    >>> folder.cleanup()
    """
    source = open_source(path)
    names = list(columns or source.kinds() or source.columns)
    tables, held = list[pa.Table](), 0
    size = sum(part.path.stat().st_size for part in source.parts)
    for table in source.tables(names):
        held += table.nbytes
        if held > max(FREE_BYTES, BOMB_RATIO * size):
            msg = f"{path}: unfolds from {size} bytes into {held >> 20} MiB and more, too many to"
            raise FileError(f"{msg} hold at once; keep the columns that are needed")
        tables.append(table)
    if tables:
        return pa.concat_tables(tables, promote_options="permissive")
    if source.schema is None:
        return no_rows(names)
    return source.no_rows().select(outer_names(source.schema, names))
