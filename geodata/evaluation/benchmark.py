"""Check that the truth is that of the benchmark whose published rows stand beside the score."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from geodata.evaluation.findings import SHOWN, Finding, finding
from geodata.evaluation.joining import Joined
from geodata.evaluation.scores import Preset


def against_preset(joined: Joined, preset: Preset) -> list[Finding]:
    """Return a warning where the truth has other rows or ids than a benchmark.

    Parameters
    ----------
    joined
    preset
        What is known of the benchmark.
    """
    found = []
    if preset.rows is not None and joined.rows != preset.rows:
        found.append(
            finding(
                "benchmark_rows",
                "warning",
                f"the truth has {joined.rows} rows, {preset.name} has {preset.rows}: published "
                "rows are of other photos",
                "Score the whole benchmark, or leave the benchmark out.",
                count=abs(joined.rows - preset.rows),
            )
        )
    if preset.id_pattern is not None and joined.rows:
        ids = joined.table(["id"])["id"]
        other = ~np.asarray(pc.match_substring_regex(ids, preset.id_pattern)).astype(bool)
        if 2 * np.count_nonzero(other) > joined.rows:
            rows = np.flatnonzero(other)
            found.append(
                finding(
                    "benchmark_ids",
                    "warning",
                    f"{len(rows)} of {joined.rows} ids are not written as those of {preset.name} "
                    f"({preset.id_example}): the first is {ids[int(rows[0])].as_py()!r}",
                    "Look whether the truth is that of the benchmark.",
                    rows=rows[:SHOWN],
                    count=len(rows),
                )
            )
    return found
