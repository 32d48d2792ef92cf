"""The tables of a lake as views, each made when a statement first names it.

A table with 10,000 versions would be 10,001 views, and each costs a look at its files. A statement
is searched for words that are the name of a table or of one of its versions; a word too many makes
a view too many and nothing else.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from geodata import tables
from geodata.query.views import claim

if TYPE_CHECKING:
    import duckdb

    from geodata.query.held_files import HeldFiles

_LISTING = re.compile(
    r"\b(show|information_schema|query_table|sqlite_master|duckdb_\w+|pg_\w+)\b", re.IGNORECASE
)
"""Words with which a statement lists tables, or names one that cannot be told from the text."""
_VERSION = re.compile(r"(.+)_v(0|[1-9][0-9]{0,17})")


class LakeViews:
    """Views of the tables in a folder, made on demand.

    Parameters
    ----------
    held
        The connection's file system.
    lake
        A folder of Delta tables, or one Delta table.
    names
        View names taken so far, in lower case; grows.

    Raises
    ------
    TableError
        If the lake, or the latest version of a table in it, cannot be opened.
    ValueError
        If two tables would have the same name in SQL.
    """

    def __init__(self, held: HeldFiles, lake: Path, names: set[str]) -> None:
        self._held = held
        self._latest: dict[str, tables.TableVersion] = {}
        self._made: set[str] = set()
        self._one_at_a_time = threading.Lock()
        self._is_view = tables.is_view(lake)  # of a lake in a bucket: files come when named
        is_table = (lake / "_delta_log").is_dir()
        for folder in [lake] if is_table else [lake / name for name in tables.names(lake)]:
            name = tables.sql_name(folder.resolve().name if is_table else folder.name)
            claim(name, names)
            self._latest[name.casefold()] = tables.open_version(
                folder, None, check=not self._is_view
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables in SQL."""
        return tuple(self._latest)

    def make(self, con: duckdb.DuckDBPyConnection, sql: str) -> None:
        """Make the views that a statement may need.

        Raises
        ------
        TableError
            If it names a version whose files are gone.
        """
        words = {word.casefold() for word in re.findall(r"\w+", sql)}
        wanted = set(self._latest) if _LISTING.search(sql) else set()
        with self._one_at_a_time:
            for name in sorted((wanted | words) - self._made):
                version = self._version(name)
                if version is not None:
                    paths = self._held.hold(name, version.files)
                    version.duckdb(con, paths).create_view(name)
                    self._made.add(name)

    def _version(self, name: str) -> tables.TableVersion | None:
        if name in self._latest:
            newest = self._latest[name]
            return tables.open(newest.path, newest.version) if self._is_view else newest
        found = _VERSION.fullmatch(name)
        latest = self._latest.get(found[1]) if found else None
        if found is None or latest is None or int(found[2]) > latest.version:
            return None
        return tables.open(latest.path, int(found[2]))
