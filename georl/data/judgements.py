"""Kept and dropped rows of a reasoning set -> yes and no: what GLOBE's reward model learns from.

A row is a photo and somebody's reasoning about it. A row that was kept is a yes, a row that any
step dropped is a no, each asked in the words in which `georl.rewards.localizability` asks. Rows
without a photo, a reasoning or a verdict teach nothing; they are left out and counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import files
from georl.config import DataConfig
from georl.data.images import is_text, unpacked
from georl.data.sources import DataError, Source, open_source
from georl.rewards import addresses_judge, judge_question, reasoning

TEST_SHARE = 0.1
"""Share of photos that are kept back to measure the judge on, where a set has no split."""

TRAIN, TEST = "train", "test"

READ = ("id", "reasoning", "kept", "model", "step", "reason", "split")

_LEFT_OUT = ("no_verdict", "no_reasoning", "no_image", "addressed")
"""Columns that are read beside the image; the first three must be there."""

_TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("photo", pa.string()),
        ("image", _IMAGE),
        ("prompt", _TURNS),
        ("completion", _TURNS),
        ("reasoning", pa.string()),
        ("label", pa.bool_()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("split", pa.string()),
    ]
)
"""Of the records: chats as ``georl sft`` reads them, and what a calibration is told by."""

_READ_ROWS = 256


def write_judgements(
    data: DataConfig,
    target: Path,
    *,
    leave_out: Collection[str] = (),
    test_share: float = TEST_SHARE,
) -> Counter[str]:
    """Write the records of a reward model from a reasoning set, whole or not at all.

    Parameters
    ----------
    data
        ``table``, and what else `georl.config.DataConfig` has to choose rows and the image column.
    target
        A Parquet file.
    leave_out
        Steps whose drops are no evidence either way, by their name in the column ``step``.
    test_share
        Of photos that are kept back, in [0, 1).

    Returns
    -------
    Counter
        Rows: 'yes', 'no', each split, and what was left out by the reason.

    Raises
    ------
    DataError
        If a column is missing, or nothing or one kind of answer alone is left.
    FileError, TableError
        If the table cannot be read or the file not be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = pa.table({"id": ["a", "b"], "image": ["a.jpg", "b.jpg"], "kept": [True, False],
    ...                  "reasoning": ["Blue street signs.", "It looks warm."]})
    >>> files.write_table(rows, Path(folder.name, "reasons.parquet"))
    >>> data = DataConfig(table=folder.name + "/reasons.parquet")
    >>> counts = write_judgements(data, Path(folder.name, "judgements.parquet"))
    >>> counts["yes"], counts["no"]
    (1, 1)
    >>> folder.cleanup()
    """
    source = open_source(data)
    counts: Counter[str] = Counter()
    with files.replacing(target) as beside:
        with pq.ParquetWriter(beside, SCHEMA) as writer:
            for table in _batches(source, data):
                made, found = judge_records(table, leave_out=leave_out, test_share=test_share)
                writer.write_table(_numbered(made, counts))
                counts += found
        _check_both(counts, source)
    return counts


def told_records(counts: Mapping[str, int]) -> str:
    """Return what `write_judgements` counted, in words: answers, splits, what was left out.

    Examples
    --------
    >>> told_records({"yes": 2, "no": 1, "validation": 3, "no_image": 4})
    '2 yes, 1 no, 3 validation; left out 4 no_image'
    """
    left = [name for name in sorted(counts) if name in _LEFT_OUT or name.startswith("step ")]
    splits = [name for name in counts if name not in ("yes", "no", *left)]
    splits.sort(key=lambda name: (name != TRAIN, name))
    text = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("yes", "no", *splits))
    return text + ("; left out " + ", ".join(f"{counts[n]} {n}" for n in left) if left else "")


def judge_records(
    rows: pa.Table,
    *,
    image: str = "image",
    leave_out: Collection[str] = (),
    test_share: float = TEST_SHARE,
) -> tuple[pa.Table, Counter[str]]:
    """Return the records of some rows of a reasoning set, and what became of each row.

    Parameters
    ----------
    rows
        Shape (n,): id, reasoning, kept and the image; also read are model, step, reason and split.
    image
        Column with a path, bytes, or structs of both.
    leave_out, test_share
        As in `write_judgements`.

    Returns
    -------
    pyarrow.Table, shape (m,), m <= n
        As `SCHEMA`. All reasonings about a photo lie in one split.
    Counter
        As in `write_judgements`.

    Raises
    ------
    DataError
        If a column is missing.
    ValueError
        If ``test_share`` is out of range.

    Examples
    --------
    >>> said = {"id": ["a"] * 3, "image": ["a.jpg"] * 3, "kept": [True, False, False],
    ...         "reasoning": ["A red tram.", "No idea.", None], "model": ["m", "n", "o"]}
    >>> made, counts = judge_records(pa.table(said))
    >>> [turns[0]["content"] for turns in made["completion"].to_pylist()], counts["no_reasoning"]
    (['yes', 'no'], 1)
    """
    if not 0.0 <= test_share < 1.0:
        msg = f"test_share is {test_share}; it is a share of the photos in [0, 1), such as 0.1"
        raise ValueError(msg)
    shown = _images(_checked(rows, image)[image])
    rows = pa.table({name: rows[name] for name in READ if name in rows.column_names})
    counts: Counter[str] = Counter()
    made: list[dict[str, Any]] = []
    for row, picture in zip(rows.to_pylist(), shown, strict=True):
        thought = _thought(row["reasoning"])
        left = _left_out(row, thought, picture, leave_out)
        if left is not None:
            counts[left] += 1
            continue
        made.append(_record(row, thought, picture, test_share))
        counts.update(("yes" if row["kept"] else "no", made[-1]["split"]))
    return pa.Table.from_pylist(made, SCHEMA), counts


def answer_records(rows: pa.Table, question: str, *, image: str = "image") -> pa.Table:
    """Return the kept rows of a reasoning set as chats that teach the whole answer.

    SFT reads them with their answers, GRPO and predictions as questions, with the truth beside.

    Parameters
    ----------
    rows
        As `judge_records`, and lat, lon, country, city and entities.
    question
        What is asked about each photo.
    image
        Column with a path, bytes, or structs of both.

    Returns
    -------
    pyarrow.Table, shape (m,)
        id, image, lat, lon, country, city, entities, prompt and completion: the reasoning between
        ``<think>`` and ``</think>``, then the names between ``<answer>`` and ``</answer>``.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> one = {"id": ["a"], "image": ["a.jpg"], "kept": [True], "reasoning": ["A red tram."],
    ...        "lat": [38.7], "lon": [-9.1], "country": ["Portugal"], "city": ["Lisbon"],
    ...        "entities": [["tram"]]}
    >>> print(answer_records(pa.table(one), "Where?")["completion"][0][0]["content"])
    <think>A red tram.</think><answer>country: Portugal
    city: Lisbon</answer>
    """
    kept = _checked(rows, image).filter(pc.fill_null(rows["kept"], False))
    said = zip(*(kept[n].to_pylist() for n in ("reasoning", "country", "city")), strict=True)
    answers = [
        f"<think>{_thought(text)}</think>"
        f"<answer>country: {country or ''}\ncity: {city or ''}</answer>"
        for text, country, city in said
    ]
    asked = [[{"role": "user", "content": question}]] * len(answers)
    taught = [[{"role": "assistant", "content": text}] for text in answers]
    beside = ("id", "lat", "lon", "country", "city", "entities")
    columns = {name: kept[name] for name in beside if name in kept.column_names}
    columns["image"] = pa.array(_images(kept[image]), _IMAGE)
    columns["prompt"], columns["completion"] = pa.array(asked, _TURNS), pa.array(taught, _TURNS)
    return pa.table(columns)


def _record(row: dict[str, Any], thought: str, picture: Any, share: float) -> dict[str, Any]:
    photo, model = str(row["id"]), row.get("model")
    said = "yes" if row["kept"] else "no"
    return {
        "id": photo if model is None else f"{photo}/{model}",
        "photo": photo,
        "image": picture,
        "prompt": [{"role": "user", "content": judge_question(thought)}],
        "completion": [{"role": "assistant", "content": said}],
        "reasoning": thought,
        "label": row["kept"],
        "step": None if row.get("step") is None else str(row["step"]),
        "reason": row.get("reason"),
        "split": row.get("split") or (TEST if _drawn(photo) < share else TRAIN),
    }


def _thought(text: str | None) -> str:
    """Return what a policy that says this will be judged by: the thinking without its tags."""
    return "" if text is None else reasoning(text) or text.strip()


def _left_out(
    row: dict[str, Any], thought: str, picture: Any, leave_out: Collection[str]
) -> str | None:
    if row["kept"] is None:
        return "no_verdict"
    if not row["kept"] and str(row.get("step")) in leave_out:
        return f"step {row['step']}"
    if not thought:
        return "no_reasoning"
    if picture is None:
        return "no_image"
    return "addressed" if addresses_judge(thought) else None


def _drawn(photo: str) -> float:
    """Return a number in [0, 1) that a photo alone decides."""
    return int.from_bytes(hashlib.sha256(photo.encode()).digest()[:7], "big") / 2**56


def _images(column: pa.ChunkedArray) -> list[dict[str, Any] | None]:
    held = unpacked(column).select(["bytes", "path"]).to_pylist()
    return [one if one["bytes"] or one["path"] else None for one in held]


def _checked(rows: pa.Table, image: str) -> pa.Table:
    missing = [name for name in (*READ[:3], image) if name not in rows.column_names]
    if missing:
        msg = (
            f"a reasoning set has id, image, reasoning and kept; missing is {', '.join(missing)}, "
            f"the columns are {', '.join(rows.column_names)}"
        )
        raise DataError(msg)
    if not pa.types.is_boolean(rows.schema.field("kept").type):
        msg = f"kept is {rows.schema.field('kept').type}; it says true or false of each row"
        raise DataError(msg)
    return rows


def _batches(source: Source, data: DataConfig) -> Iterator[pa.Table]:
    """Yield what is read, with the image under its usual name."""
    wanted = [name for name in source.schema.names if name in (*READ, data.image)]
    for table in source.batches(wanted, _READ_ROWS):
        if data.image in table.column_names and data.image != "image":
            table = table.append_column("image", table[data.image]).drop_columns([data.image])
        at = table.schema.get_field_index("kept")
        if at >= 0 and is_text(table.schema.field(at).type):  # CSV has no types
            said = table["kept"].cast(pa.string())
            table = table.set_column(at, "kept", _verdicts(said, source.label))
        yield table


def _verdicts(kept: pa.ChunkedArray, label: str) -> pa.ChunkedArray:
    """Return verdicts that are text, as in CSV; an empty cell holds none."""
    known = pc.is_in(pc.utf8_lower(kept), pa.array(["true", "false", "1", "0", "", None]))
    if not pc.all(known).as_py():
        msg = (
            f"{label}: kept is {kept.filter(pc.invert(known))[0].as_py()!r}; it says true or false"
        )
        raise DataError(f"{msg} of each row")
    return pc.if_else(pc.equal(kept, ""), None, kept).cast(pa.bool_())


def _numbered(made: pa.Table, counts: Counter[str]) -> pa.Table:
    """Return records with a number behind each id: a model may speak twice about a photo."""
    start = counts["yes"] + counts["no"]
    ids = [f"{name}#{start + i}" for i, name in enumerate(made["id"].to_pylist())]
    return made.set_column(0, "id", pa.array(ids, pa.string()))


def _check_both(counts: Counter[str], source: Source) -> None:
    if counts["yes"] and counts["no"]:
        return
    told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "no rows"
    msg = (
        f"{source.label} gives {told}; a judge learns from rows that were kept and rows that were "
        "dropped with their reasoning"
    )
    raise DataError(msg)
