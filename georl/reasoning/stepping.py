"""Run one step on what the one before left, and tell what each step dropped.

Between steps lie Parquet files in the run's folder, written whole. A file says what it was made
from: the file before it, and the settings of its step. A step whose input is of other settings is
refused; one that is up to date is not run again.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import files
from geodata.printable import tell
from geodata.tables import open_rows
from georl.config import ConfigError, ReasonConfig, check_reason, recorded
from georl.reasoning import asking, judging, photos
from georl.reasoning.calls import Calls, key_of
from georl.reasoning.predictor import Predictor
from georl.reasoning.rows import SCHEMA, STEPS, Row
from georl.reasoning.seeing import Witness
from georl.reasoning.similarity import Similarity

_BATCH = 1024
_AGAIN = ("request_failed", "model_changed", "image_missing", "no_similarity")
"""Reasons that may be gone the next time."""

Judge = Callable[[list[Row]], list[Row]]


def run(config: ReasonConfig, step: str, *, again: bool = True) -> Path:
    """Run a step, and return the file that it left.

    Parameters
    ----------
    config
        Of the set.
    step
        One of `STEPS`.
    again
        False leaves a step alone whose file is up to date and has no failures to try again.

    Raises
    ------
    ConfigError
        If the configuration cannot run, the step before has not been run with these settings, a
        server refuses, or another process is at work in the folder.
    FileError, TableError
        If the photo table or a file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load_reason
    >>> folder = tempfile.TemporaryDirectory()
    >>> served = [f"models.{name}.{key}" for name in "ab" for key in
    ...           ("url=http://localhost:8000/v1", f"model={name}")]
    >>> config = load_reason(None, ["photos.table=photos.csv", f"output={folder.name}", *served])
    >>> run(config, "filter")
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: step filter needs what ask leaves, and ask has not ...
    >>> folder.cleanup()
    """
    check_reason(config)
    target, origin = file_of(config, step), _origin(config, step)
    if not again and _made_of(target) == origin and not _failures(target):
        return target
    with Calls(Path(config.output)) as calls:
        made_by = {"step": step, "made_of": origin}
        with files.writing(target, SCHEMA, made_by) as writer:
            for rows in _batches(config, step, calls):
                writer.write(pa.Table.from_pylist(rows, SCHEMA))
    tell(told(target, step))
    return target


def file_of(config: ReasonConfig, step: str) -> Path:
    """Return the file that a step leaves."""
    if step not in STEPS:
        msg = f"step is {step!r}; expected one of {', '.join(STEPS)}"
        raise ConfigError(msg)
    return Path(config.output) / f"{STEPS.index(step) + 1}-{step}.parquet"


def counts(path: Path) -> dict[tuple[str | None, str | None], int]:
    """Return the rows of each step and reason; (None, None) are those that are kept."""
    table = pq.read_table(path, columns=["step", "reason"])
    pairs = zip(table["step"].to_pylist(), table["reason"].to_pylist(), strict=True)
    return dict(Counter(pairs))


def told(path: Path, step: str) -> str:
    """Return what a step dropped, in words."""
    found = counts(path)
    total, kept = sum(found.values()), found.get((None, None), 0)
    lines = [f"{step}: {kept} of {total} photos are left"]
    mine = {reason: n for (where, reason), n in found.items() if where == step}
    lines += [f"  {n:>9} {reason}" for reason, n in sorted(mine.items(), key=lambda p: -p[1])]
    return "\n".join(lines + _again(path, step, mine))


def _again(path: Path, step: str, dropped: Mapping[str | None, int]) -> list[str]:
    """Return what a person can do about rows that failed: an example, and that they are retried."""
    failed = [reason for reason in _AGAIN if dropped.get(reason)]
    if not failed:
        return []
    rows = pq.read_table(path, columns=["id", "step", "reason", "detail"])
    mine = pc.and_(pc.equal(rows["step"], step), pc.is_in(rows["reason"], pa.array(failed)))
    first = rows.filter(mine).slice(0, 1).to_pylist()[0]
    said = f"such as {first['id']}: {first['detail'] or first['reason']}; start again to try again"
    return textwrap.wrap(
        said, 76, initial_indent="    ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def status(config: ReasonConfig) -> str:
    """Return what each step left, and which files are of other settings than these.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load_reason
    >>> folder = tempfile.TemporaryDirectory()
    >>> print(status(load_reason(None, [f"output={folder.name}"])))
    ask: not run
    filter: not run
    truth: not run
    agree: not run
    verify: not run
    >>> folder.cleanup()
    """
    lines = []
    for step in STEPS:
        path = file_of(config, step)
        if not path.is_file():
            lines.append(f"{step}: not run")
            continue
        try:
            fresh = _made_of(path) == _origin(config, step)
        except ConfigError:
            fresh = False
        lines.append(told(path, step) + ("" if fresh else "\n  of other settings: run it again"))
    return "\n".join(lines)


def _origin(config: ReasonConfig, step: str) -> str:
    """Return what a step's file is made of: its settings, and the file before or the photos."""
    settings: Any = recorded(config)
    if step == "ask":
        asked = [settings[name] for name in ("photos", "question", "models")]
        asked.append(config.photos.image_root)
        return key_of(step, asked, photos.opened(config.photos).identity())
    before = STEPS[STEPS.index(step) - 1]
    path = file_of(config, before)
    if _made_of(path) is None or _made_of(path) != _origin(config, before):
        why = "was run with other settings" if path.is_file() else "has not been run"
        msg = f"step {step} needs what {before} leaves, and {before} {why}; run it first"
        raise ConfigError(msg)
    beside = inputs(config).get({"truth": "predictor", "verify": "visible"}.get(step, ""))
    # where a server is decides nothing, but whether one is asked does
    url = {"agree": config.agree.url, "verify": config.verify.url}.get(step)
    named = [] if url is None else ["server"]
    return key_of(step, settings[step], beside, files.sha256(path), *named)


def inputs(config: ReasonConfig) -> dict[str, dict[str, Any]]:
    """Return what tells the files of a set from others: photos, predictions, what is visible."""
    found = {"photos": photos.opened(config.photos).identity()}
    for role, file in (("predictor", config.truth.predictor), ("visible", config.verify.file)):
        if file is not None:
            found[role] = open_rows(file).identity()
    return found


def _made_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    said = json.loads((pq.read_schema(path).metadata or {}).get(b"geodata", b"{}"))
    found = said.get("made_of")
    return str(found) if found else None


def _failures(path: Path) -> bool:
    return any(reason in _AGAIN for _, reason in counts(path))


def _batches(config: ReasonConfig, step: str, calls: Calls) -> Iterator[list[Row]]:
    if step == "ask":
        yield from asking.ask(config, calls)
        return
    judge = _judge(config, step, calls)
    before = file_of(config, STEPS[STEPS.index(step) - 1])
    with pq.ParquetFile(before) as file:
        for batch in file.iter_batches(_BATCH):
            rows = batch.to_pylist()
            left = [row for row in rows if row["kept"]]
            judged = iter(judge(left) if left else [])
            yield [next(judged) if row["kept"] else row for row in rows]


def _judge(config: ReasonConfig, step: str, calls: Calls) -> Judge:
    if step == "filter":
        return lambda rows: judging.locatable(rows, config)
    if step == "truth":
        predictor = Predictor(config) if config.truth.predictor else None
        return lambda rows: judging.true(rows, config, predictor)
    if step == "agree":
        similarity = Similarity(config.agree, calls)
        tell(similarity.told())
        return lambda rows: judging.agreed(rows, config, similarity)
    witness = Witness(config, calls)
    tell(witness.told())
    return witness.judged
