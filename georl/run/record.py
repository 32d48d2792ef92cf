"""The lines of a run's record: written as they come, read back after a kill."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geodata.files import replacing

METRICS, GROUPS, ROLLOUTS = "metrics.jsonl", "groups.jsonl", "rollouts"


CLOSING = "train_runtime"
"""Key of the row that the trainer logs once it is done."""


class JsonLines:
    """A file of JSON objects that grows a line at a time and can be cut back to a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append rows; NaN and infinity, which JSON does not have, become null."""
        text = "".join(json.dumps(_finite(row), ensure_ascii=False) + "\n" for row in rows)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def read(self) -> list[dict[str, Any]]:
        """Return the rows, without a last line that was cut short."""
        if not self.path.is_file():
            return []
        whole = self.path.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def cut(self, step: int) -> None:
        """Drop the rows after ``step`` and closing rows, which a resumed run writes again."""
        if not self.path.is_file():
            return
        rows = [r for r in self.read() if r.get("step", 0) <= step and CLOSING not in r]
        with replacing(self.path) as beside:
            beside.write_text(
                "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8"
            )


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
