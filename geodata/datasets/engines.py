"""Who makes and writes the rows of a dataset: this process, or an engine of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from geodata import tables
from geodata.datasets.recipes import Made, Recipe
from geodata.tables import DatasetError, Input


class EmptyDatasetError(DatasetError):
    """A recipe that would leave no row; nothing was written."""


class Task(NamedTuple):
    """What is to be built, opened and checked."""

    recipe: str
    spec: Recipe
    opened: Mapping[str, Input]
    seed: int
    values: Mapping[str, Any]
    path: Path
    """The table to write."""

    def make(self) -> Made:
        """Return what the recipe makes in this process.

        Raises
        ------
        EmptyDatasetError
            If no row would be left.
        """
        made = self.spec.make(self.opened, self.seed, **self.values)
        if not made.rows:
            msg = f"recipe {self.recipe!r} leaves no row: {made.empty}"
            raise EmptyDatasetError(msg)
        return made

    def rows(self, made: Made) -> Iterator[pa.Table]:
        """Yield the rows; then refuse inputs that were written meanwhile."""
        yield from made.batches
        for one in self.opened.values():
            one.refuse_changed()


Commit = Callable[[dict[str, Any]], int]
"""Given a note, makes the rows a version and returns its number."""

Engine = Callable[[Task], tuple[Made, Commit]]
"""Makes the rows of a task; returns also what writes and commits them."""


def here(task: Task) -> tuple[Made, Commit]:
    """Make and write the rows in this process."""
    made = task.make()
    return made, lambda note: tables.write(task.path, task.rows(made), note, schema=made.schema)


def for_lake(engine: Engine, lake: Any) -> tuple[Engine, Any]:
    """Return the engine for a lake and the folder to read it from; for a bucket its own.

    Raises
    ------
    DatasetError
        For an engine of several machines with a lake in a bucket.
    """
    address = tables.address_of(lake)
    if address is None:
        return engine, lake
    if engine is not here:
        msg = (
            f"{address}: an engine of several machines builds in a folder that all of them see; "
            "leave the engine out for a lake in a bucket"
        )
        raise DatasetError(msg)
    return _in_bucket(address), tables.near(address)


def _in_bucket(address: str) -> Engine:
    """Return what makes the rows in this process and writes them into a lake in a bucket."""

    def engine(task: Task) -> tuple[Made, Commit]:
        made = task.make()

        def commit(note: dict[str, Any]) -> int:
            tables.send_inputs(address)
            there = tables.path_of(address, task.path.name)
            number = tables.write(there, task.rows(made), note, schema=made.schema)
            tables.near(address, task.path.name)
            return number

        return made, commit

    return engine
