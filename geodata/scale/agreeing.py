"""What a worker must have in common with the driver, checked before it touches a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from geodata import SOFTWARE
from geodata.errors import GeodataError


class WorkerMismatchError(GeodataError, ValueError):
    """A worker that has another version, boundary set or file than the driver."""


@dataclass(frozen=True)
class BatchFunction:
    """A function of one Arrow batch that finds on every worker what the driver had.

    Attributes
    ----------
    expected : dict
        What the driver has: versions, hashes, options. It travels with the function.
    """

    expected: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        if not self.expected:
            object.__setattr__(self, "expected", self.identity())

    def __call__(self, batch: pa.Table | pa.RecordBatch) -> pa.Table:
        """Return what becomes of some rows.

        Raises
        ------
        WorkerMismatchError
            If this process has something else than the driver.
        """
        self.check()
        if isinstance(batch, pa.RecordBatch):
            batch = pa.Table.from_batches([batch])
        return self._made(batch)

    def check(self) -> None:
        """Refuse to work where this process has something else than the driver.

        Raises
        ------
        WorkerMismatchError
        """
        refuse_differences(self.expected, self.identity())

    def identity(self) -> dict[str, Any]:
        """Return what the rows depend on, as this process has it."""
        return {"software": SOFTWARE}

    def _made(self, batch: pa.Table) -> pa.Table:
        raise NotImplementedError


def refuse_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Refuse to work where something differs.

    Raises
    ------
    WorkerMismatchError
        Naming the first difference.

    Examples
    --------
    >>> refuse_differences({"software": "a 1"}, {"software": "a 1"})
    >>> refuse_differences({"software": "a 1"}, {"software": "a 2"})
    Traceback (most recent call last):
        ...
    geodata.scale.agreeing.WorkerMismatchError: software is 'a 2' on this worker and 'a 1' on the \
driver; install the same versions and the same boundary set on both
    """
    for name in [*expected, *(n for n in found if n not in expected)]:
        if expected.get(name) != found.get(name):
            msg = (
                f"{name} is {_short(found.get(name))} on this worker and "
                f"{_short(expected.get(name))} on the driver; install the same versions and the "
                "same boundary set on both"
            )
            raise WorkerMismatchError(msg)


def _short(value: Any) -> str:
    is_hash = isinstance(value, str) and len(value) == 64
    return value[:12] if is_hash else repr(value)
