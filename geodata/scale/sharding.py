"""Shards without an engine: each task of a SLURM array makes one, and writes down what it made."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata import SOFTWARE, cor, files, hashing, records, tables
from geodata.cor import LabelReport
from geodata.scale.agreeing import refuse_differences
from geodata.scale.dealing import Shard, ShardError, count_rows, part_of
from geodata.scale.makers import Label
from geodata.scale.manifests import Manifest, read_all, refuse_another_job

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Sharded:
    """A shard that is there.

    Attributes
    ----------
    path : Path
        Its file, or the folder where it has several.
    shard : Shard
    rows : int
    resumed : bool
        Whether an earlier run had made it.
    report : LabelReport or Written, optional
        What was done; None where nothing was.
    """

    path: Path
    shard: Shard
    rows: int
    resumed: bool
    report: LabelReport | records.Written | None = None


def label_shard(
    source: Any,
    folder: _Path,
    shard: str | Shard,
    *,
    progress: Any = None,
    **options: Any,
) -> Sharded:
    """Label one of n equal parts of a source into a folder of Parquet shards.

    Parameters
    ----------
    source
        A file, a folder or a table of a lake, as `geodata.cor.label_file` takes it.
    folder : path
        Where the shards of this job go; made if it is not there. A shard that is there already is
        left as it is.
    shard : str
        ``i/n``, numbered from 1.
    progress : callable, optional
        Called with the rows done and the rows of the shard.
    **options
        Of `Label`: columns, boundaries, worldview, detail and so on.

    Raises
    ------
    ShardError
        For a shard that is none, or a folder with shards of another input or other options.
    FileError, ValueError
        As `geodata.cor.label_file`.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = {"id": ["a", "b", "c"], "lat": [48.9, 35.7, 0.0], "lon": [2.3, 139.7, 0.0]}
    >>> label_shard(rows, folder.name, "2/2").rows
    2
    >>> folder.cleanup()
    """
    return LabelJob.of(source, folder, **options).make(Shard.of(shard), progress)


@dataclass(frozen=True)
class LabelJob:
    """What all shards of one labelling share, looked at once; it can be pickled.

    Attributes
    ----------
    source, folder
        As in `label_shard`.
    label : Label
        Also what every worker must have.
    rows : int
        Of the whole source.
    about : dict
        What goes into every manifest.
    """

    source: Any
    folder: Path
    label: Label
    rows: int
    about: Mapping[str, Any]

    @classmethod
    def of(cls, source: Any, folder: _Path, **options: Any) -> LabelJob:
        """Look at the source: its rows and its hash."""
        tables.refuse_address(folder)
        label = Label(**options)
        opened = tables.open_rows(source)
        rows = count_rows(opened)
        about = _about("label", opened.identity(), rows, label.identity())
        return cls(source, Path(folder), label, rows, about)

    def make(self, shard: Shard, progress: Any = None) -> Sharded:
        """Make one shard, or leave it as it is where it is there.

        Raises
        ------
        WorkerMismatchError
            If this process has another boundary set or version, or sees another source.
        """
        label, path = self.label, self.folder / f"{shard.name}.parquet"
        label.check()
        opened = tables.open_rows(self.source)
        if opened.rows is not None:
            refuse_differences(
                {"rows in the source": self.rows}, {"rows in the source": opened.rows}
            )
        there = _prepared(self.folder, shard, self.about)
        if there is not None:
            return Sharded(path, shard, there.rows, resumed=True)
        with tables.storage(path, f"labelling on {socket.gethostname()}"):
            report = cor.label_file_with(
                label.engine(), part_of(opened, *shard.span(self.rows)), path,
                lat=label.lat, lon=label.lon, detail=label.detail, progress=progress,
            )  # fmt: skip
        more = {"content": list(_content([path])), "match": report.matches}
        manifest = Manifest(shard, self.about, report.rows, {path.name: files.sha256(path)}, more)
        manifest.write(self.folder)
        return Sharded(path, shard, report.rows, resumed=False, report=report)

    def prepare(self, count: int) -> None:
        """Refuse a folder with another job's shards before anything starts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for known in read_all(self.folder):
            refuse_another_job(known, Shard(known.shard.number, count), self.about, self.folder)


def records_shard(rows: Any, folder: _Path, shard: str | Shard, **options: Any) -> Sharded:
    """Write every n-th file of a folder of records; all shards together are the whole folder.

    Parameters
    ----------
    rows, **options
        As in `geodata.records.write`, which writes the same files in one process.
    folder : path
        A folder; made if it is not there.
    shard : str
        ``i/n``, numbered from 1.

    Raises
    ------
    ShardError
        As `label_shard`.
    RecordError, FileError
        As `geodata.records.write`.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> from geodata import cor
    >>> folder = tempfile.TemporaryDirectory()
    >>> rows = cor.label_table(pa.table({"photo_id": ["a"], "lat": [48.9], "lon": [2.3]}))
    >>> rows = rows.append_column("image", pa.array(["a.jpg"]))
    >>> options = records.Options(check="tell")  # the pictures are elsewhere
    >>> records_shard(rows, folder.name + "/sft", "1/1", options=options).rows
    1
    >>> folder.cleanup()
    """
    tables.refuse_address(folder)
    asked, out = Shard.of(shard), Path(folder)
    if out.suffix.lower() in (".parquet", ".jsonl"):
        msg = f"{out}: shards of records lie in a folder; name one, such as {out.with_suffix('')}"
        raise ShardError(msg)
    about: dict[str, Any] = {}
    there: list[Manifest] = []

    def chosen(stamp: str, count: int) -> range:
        told = hashlib.sha256(stamp.encode()).hexdigest()
        form = options.get("format") or "parquet"
        plain = {"records": str(options.get("options") or records.Options()), "format": form}
        about.update(_about("records", {"records_sha256": told, "files": count}, None, plain))
        if (known := _prepared(out, asked, about)) is not None:
            there.append(known)
        return range(0) if there else range(asked.number - 1, count, asked.count)

    written = records.write(rows, out, files_of=chosen, **options)
    if there:
        return Sharded(out, asked, there[0].rows, resumed=True)
    names = {name: files.sha256(out / name) for name in written.names}
    tables_ = [out / name for name in written.names if name.endswith(".parquet")]
    more: dict[str, Any] = {"dropped": written.dropped}
    if len(tables_) == len(names):
        more["content"] = list(_content(tables_))
    Manifest(asked, about, written.rows, names, more).write(out)
    return Sharded(out, asked, written.rows, resumed=False, report=written)


def _about(
    kind: str, source: Mapping[str, Any], rows: int | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what all shards of a job share."""
    whole = {"kind": kind, "input": dict(source), "software": SOFTWARE, "options": dict(options)}
    return whole if rows is None else whole | {"rows_in_all": rows}


def _prepared(out: Path, shard: Shard, about: Mapping[str, Any]) -> Manifest | None:
    """Make the folder, refuse another job's, and return the shard's manifest if it is whole."""
    out.mkdir(parents=True, exist_ok=True)
    for known in read_all(out):
        refuse_another_job(known, shard, about, out)
        if known.shard == shard and not known.problem(out):
            return known
    return None


def _content(paths: Iterable[Path]) -> hashing.Sums:
    """Return the content of Parquet files, read back: what is hashed is what a reader gets."""
    return hashing.combine(
        hashing.of_table(tables.fitted(table, tables.kept_schema(table.schema)))
        for path in paths
        for table in files.open_source(path).tables()
    )
