"""The time of a query: how much of it is left, and how far the query is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from geodata.query.errors import QueryLimitError

if TYPE_CHECKING:
    from geodata.query.connection import Connection

_TICK_S = 0.1


class Clock:
    """Interrupts a connection when its time is over, again and again until it is left.

    Parameters
    ----------
    con
        The connection.
    limit_s
        Seconds; None for no limit.
    progress
        Called with percent done, some times a second, while DuckDB knows it.
    """

    def __init__(
        self,
        con: Connection,
        limit_s: float | None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._con, self._limit_s, self._progress = con, limit_s, progress
        self._end = None if limit_s is None else time.monotonic() + limit_s
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self._end is not None and time.monotonic() >= self._end

    def check(self) -> None:
        """Raise `QueryLimitError` if the time is over."""
        if self.is_over:
            raise self.error()

    def error(self) -> QueryLimitError:
        """Return what is raised when the time is over."""
        return QueryLimitError(
            f"the query ran longer than {self._limit_s:g} s and was stopped; ask for less, or "
            "allow more: timeout_s=, --timeout"
        )

    def __enter__(self) -> None:
        if self._is_needed:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._left.set()
        if self._is_needed:
            self._thread.join()

    @property
    def _is_needed(self) -> bool:
        return self._end is not None or self._progress is not None

    def _watch(self) -> None:
        while not self._left.wait(self._wait()):
            if self.is_over:
                self._con.interrupt()
            elif self._progress is not None:
                percent = float(self._con.query_progress())
                if percent >= 0:
                    self._progress(min(percent, 100.0))

    def _wait(self) -> float:
        if self._progress is not None or self._end is None:
            return _TICK_S / 2
        return max(self._end - time.monotonic(), _TICK_S / 2)
