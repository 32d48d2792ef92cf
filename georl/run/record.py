"""The files of a run's record: they grow as it goes, and are cut back after a kill."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geodata.files import write_text

METRICS, GROUPS, ROLLOUTS = "metrics.jsonl", "groups.jsonl", "rollouts"
PART = re.compile(r"step-([0-9]{6,})-[0-9]+\.parquet")
"""Name of a file in the folder of rollouts."""

CLOSING = "train_runtime"
"""Key of the row that the trainer logs once it is done."""


class JsonLines:
    """A file of JSON objects that grows a line at a time and can be cut back to a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append rows; NaN and infinity, which JSON does not have, become null."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_as_lines(rows))

    def read(self) -> list[dict[str, Any]]:
        """Return the rows, without a last line that was cut short."""
        if not self.path.is_file():
            return []
        # of bytes: a line may be cut short inside a letter
        whole = self.path.read_bytes().rpartition(b"\n")[0].decode("utf-8")
        # an answer may hold other line breaks, such as U+2028, which JSON leaves as they are
        return [json.loads(line) for line in whole.split("\n") if line]

    def cut_back(self, step: int) -> None:
        """Drop the rows after ``step`` and closing rows, which a resumed run writes again."""
        if not self.path.is_file():
            return
        rows = [r for r in self.read() if r.get("step", 0) <= step and CLOSING not in r]
        write_text(self.path, _as_lines(rows))


def _as_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(_finite(row), ensure_ascii=False) + "\n" for row in rows)


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def cut_back(output: Path, step: int) -> None:
    """Take the record of a run back to ``step``; -1 leaves nothing of it.

    Parameters
    ----------
    output
        Folder of the run.
    step
        Optimizer step that the run goes on from.
    """
    for name in (METRICS, GROUPS):
        if step < 0:
            (output / name).unlink(missing_ok=True)
        else:
            JsonLines(output / name).cut_back(step)
    (output / "rollouts.parquet").unlink(missing_ok=True)
    for part in (output / ROLLOUTS).glob("*"):
        found = PART.fullmatch(part.name)
        if part.suffix == ".part" or (found and int(found[1]) > step):
            part.unlink()
