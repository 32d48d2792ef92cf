"""What can go wrong with SQL, each its own type, all of them `QueryError`."""

from __future__ import annotations

from geodata.errors import GeodataError


class QueryError(GeodataError, ValueError):
    """SQL that cannot be run as asked: says what was given and what is allowed."""


class QueryLimitError(QueryError):
    """A query ran into its limit of time, of memory or of the size of its answer."""
