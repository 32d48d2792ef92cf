"""All steps, then the table: one row a photo, with what dropped it, a card and its lineage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata import files, tables
from georl.config import ReasonConfig, recorded
from georl.reasoning import asking, prompt, stepping
from georl.reasoning.calls import Calls
from georl.reasoning.rows import SET, STEPS
from georl.reasoning.seeing import Witness
from georl.reasoning.similarity import Similarity


@dataclass(frozen=True)
class Built:
    """A version of the set that was written, or was there already.

    Attributes
    ----------
    table : pathlib.Path
        Folder of the table.
    version : int
    rows, kept : int
    card : pathlib.Path
    """

    table: Path
    version: int
    rows: int
    kept: int
    card: Path


def build(config: ReasonConfig) -> Built:
    """Run the steps that are not up to date, and write the table and its card.

    Parameters
    ----------
    config
        Of the set.

    Returns
    -------
    Built
        The version that stands for this configuration and these answers; a second call writes
        none.

    Raises
    ------
    ConfigError, FileError, TableError
        As `run`; the table keeps its version.

    Examples
    --------
    >>> from georl.config import load_reason
    >>> made = build(load_reason("reason.yaml"))  # doctest: +SKIP
    >>> made.rows, made.kept  # doctest: +SKIP
    (3000, 1188)
    """
    for step in STEPS:
        last = stepping.run(config, step, again=False)
    target = Path(config.table)
    note = _note(config, last)
    found = tables.open(target) if (target / "_delta_log").is_dir() else None
    if found is not None and found.note == note:
        version = found.version
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        version = tables.write(target, _rows(last), note, schema=SET)
    card = tables.write_card(target, Path(config.output) / "card", version)
    report = stepping.counts(last)
    return Built(target, version, sum(report.values()), report.get((None, None), 0), card)


def _rows(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=SET.names):
            yield pa.Table.from_batches([batch]).select(SET.names).cast(SET)


def _note(config: ReasonConfig, last: Path) -> dict[str, Any]:
    """Return the lineage of a set: what it was made from, how, and what each step dropped."""
    with Calls(Path(config.output)) as calls:
        pixels, question = config.photos.max_pixels, config.question or prompt.QUESTION
        served = {
            name: calls.served.get(asking.kind_of(options, question, pixels), "")
            for name, options in config.models.items()
        }
        measures = [Similarity(config.agree, calls).told(), Witness(config, calls).told()]
    return {
        "about": (
            "Reasonings of vision-language models about photos, in the columns of GLOBE's "
            "MP16-Reason and who said it, whether it is kept, and why not. Texts are machine-"
            "written; country and city are true, said_country and said_city what the model said."
        ),
        "recipe": "reason",
        "inputs": stepping.inputs(config),
        "parameters": recorded(config),
        "question": question,
        "models_served": served,
        "measures": [text.partition("\n")[0].partition(" to http")[0] for text in measures],
        "report": _report(last),
        "rows_sha256": files.sha256(last),
        "code": tables.software(),
    }


def _report(last: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"kept": {}}
    for (step, reason), n in sorted(stepping.counts(last).items(), key=str):
        found.setdefault(step or "kept", {})[reason or "rows"] = n
    return found
