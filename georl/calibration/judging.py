"""Ask a judge about records that were kept back, and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from geodata.files import write_table, write_text
from geodata.images import started
from georl.calibration import measures
from georl.calibration.page import html_page
from georl.calibration.result import Calibration
from georl.config import DataConfig
from georl.data import DataError, home_of, open_image, open_source
from georl.rewards import Localizability

_NEEDED = ("photo", "image", "reasoning", "label", "step")
_READ_ROWS = 256


def calibrate(
    data: DataConfig, judge: Localizability, output: Path, *, name: str = "judge"
) -> Calibration:
    """Measure a judge on records and write calibration.json, .html and verdicts.parquet.

    Parameters
    ----------
    data
        ``table``: what `georl.data.write_judgements` wrote; ``split``: the rows, 'test' for
        those that were kept back; ``image_root``: where relative image paths start from.
    judge
        The reward itself, `georl.rewards.localizability`, so that what is measured is what trains.
    output
        Folder for the files.
    name
        What the report calls the judge.

    Raises
    ------
    DataError
        If the table holds no such records, or the judge gives no verdict on any.
    georl.config.ConfigError
        If the judge cannot be loaded, or its server refuses.

    Examples
    --------
    >>> from georl.rewards import localizability
    >>> judge = localizability(model="runs/judge/final")  # doctest: +SKIP
    >>> kept_back = DataConfig(table="judge.parquet", split="test")
    >>> found = calibrate(kept_back, judge, Path("out"))  # doctest: +SKIP
    >>> print(found.text())  # doctest: +SKIP
    """
    source = open_source(data)
    if missing := [column for column in _NEEDED if column not in source.schema.names]:
        msg = (
            f"{source.label} has no column {', '.join(missing)}; give records that georl "
            "judge-records wrote"
        )
        raise DataError(msg)
    judged = [_judged(table, judge, data) for table in source.batches(_NEEDED, _READ_ROWS)]
    rows = pa.concat_tables(judged) if judged else pa.table({"said": pa.array([], pa.float64())})
    has = rows.filter(rows["said"].is_valid())
    if not has.num_rows:
        msg = f"{name} gave no verdict on {source.label}: {judge.told()}"
        raise DataError(msg)
    without = {what: n for what, n in judge.counts.items() if what in ("failed", "no_image")}
    found = _measured(has, name, source.label, data.split or "all", without)
    output.mkdir(parents=True, exist_ok=True)
    write_table(rows, output / "verdicts.parquet")
    write_text(output / "calibration.json", json.dumps(found.as_dict(), indent=1) + "\n")
    write_text(output / "calibration.html", html_page(found))
    return found


def _judged(table: pa.Table, judge: Localizability, data: DataConfig) -> pa.Table:
    """Return the rows with ``said``, the verdicts, in place of image and reasoning."""
    texts = [f"<think>{text}</think>" for text in table["reasoning"].to_pylist()]
    said = judge(texts, image=[_opened(held, data) for held in table["image"].to_pylist()])
    kept = table.select(["photo", "label", "step"])
    return kept.append_column("said", pa.array(said, pa.float64()))


def _opened(held: dict[str, Any], data: DataConfig) -> Image.Image | None:
    (path,) = started([held["path"]], home_of(data))
    try:
        return open_image(held["bytes"] or path, Path(data.image_root), "of the records")
    except DataError:
        return None


def _measured(
    rows: pa.Table, name: str, records: str, split: str, without: dict[str, int]
) -> Calibration:
    said, yes = rows["said"].to_numpy(), rows["label"].to_numpy()
    bins = measures.reliability(said, yes)
    return Calibration(
        judge=name,
        records=records,
        split=split,
        rows=len(said),
        without=without,
        yes=int(yes.sum()),
        auc=measures.auc(said, yes),
        interval=measures.auc_interval(said, yes, rows["photo"].to_pylist()),
        ece=measures.expected_error(bins),
        brier=measures.brier(said, yes),
        bins=tuple(bins),
        by_step=_by_step(said, yes, rows["step"].to_pylist()),
    )


def _by_step(
    said: measures.Floats, yes: measures.Bools, steps: list[str | None]
) -> dict[str, tuple[int, float | None]]:
    """Return, for each step, its dropped rows and the AUC of kept rows against them."""
    names = np.array(["" if step is None else step for step in steps], object)
    found = {}
    for step in sorted(set(names[~yes].tolist())):
        dropped = ~yes & (names == step)
        inside = yes | dropped
        value = measures.auc(said[inside], yes[inside])
        found[step or "not said"] = (int(dropped.sum()), value)
    return found
