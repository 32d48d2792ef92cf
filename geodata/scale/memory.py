"""Memory that a worker freed, given back to the system.

What a task frees stays with its process where the C library is glibc: it returns the end of its
heap only, and raises the size from which an array lies outside of the heap with every array that
is freed. In a worker of Ray, whose own threads hold pieces between ours, 10 shards of 500,000 rows
left 993 MiB, of which 230 were in use; with this, 327, for 1% of CPU time; a threshold of 1 MiB
would cost 25%. (mallopt(3), malloc_trim(3).)
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

_M_MMAP_THRESHOLD = -3
_OUTSIDE = 1 << 24
"""Arrays of so many bytes lie outside of the heap, and go when they are freed."""


@contextlib.contextmanager
def given_back() -> Iterator[None]:
    """Run a task of a worker; give the system what it freed, within milliseconds.

    Examples
    --------
    >>> with given_back():
    ...     pass
    """
    library = _glibc()
    try:
        yield
    finally:
        pa.default_memory_pool().release_unused()
        if library is not None:
            library.malloc_trim(0)


@functools.cache
def _glibc() -> Any:
    """Return the C library, told once not to raise its threshold; None where it is another."""
    try:
        library = ctypes.CDLL(None)
        library.malloc_trim  # noqa: B018, glibc alone has it
        library.mallopt(_M_MMAP_THRESHOLD, _OUTSIDE)
    except (AttributeError, OSError, TypeError):
        return None
    return library
