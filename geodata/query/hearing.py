"""Steps of a query beside the thread that waits for them, so that an interrupt is heard meanwhile.

Python hears a signal between two steps of its main thread, and DuckDB may need minutes for one:
while it looks for the next rows of a stream nothing is heard, and of a statement only that it was
interrupted, not by what. A thread that waits for another hears at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

_TICK_S = 0.05


class Stoppable(Protocol):
    """A connection."""

    def interrupt(self) -> None:
        """Stop what runs on it."""


class Hearing:
    """Takes the steps of a connection; what stops the wait for one interrupts the connection.

    Examples
    --------
    >>> from geodata.query import connect
    >>> with connect() as con, Hearing(con) as hearing:
    ...     hearing.step(lambda: con.sql("SELECT 6 * 7").fetchall())
    [(42,)]
    """

    def __init__(self, con: Stoppable) -> None:
        self._con = con
        self._beside = ThreadPoolExecutor(1, "geodata-query")
        self._beside.submit(int).result()  # a thread whose start was interrupted is waited by none

    def step(self, call: Callable[[], T]) -> T:
        """Return what a call returns, or raise what it raises; one at a time."""
        made: Future[T] = Future()
        try:
            self._beside.submit(_make, made, call)
            while not wait([made], _TICK_S).done:
                pass  # in pieces: a signal that comes just before a wait is heard behind it
            return made.result()
        except BaseException:
            while not (made.done() or made.cancel()):  # this thread was told to stop, not that one
                self._con.interrupt()
                wait([made], _TICK_S)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._beside.shutdown()


def _make(made: Future[T] | None, call: Callable[[], T]) -> None:
    """Make what is awaited, unless nobody awaits it any more."""
    if made is None or not made.set_running_or_notify_cancel():
        return
    try:
        made.set_result(call())
    except BaseException as error:
        made.set_exception(error)
        made = None  # else the error would hold its own frame
