"""Write a table, open it, and tell its history."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata.tables import commits, data_files, lakes, log
from geodata.tables.errors import TableConflictError, TableError, TableNotFoundError
from geodata.tables.versions.past import Commit, History
from geodata.tables.versions.version import TableVersion, open_version

_Path = str | os.PathLike[str]


def append(
    path: _Path,
    table: Any,
    note: Mapping[str, Any] | None = None,
    *,
    schema: pa.Schema | None = None,
    file_rows: int = data_files.FILE_ROWS,
) -> int:
    """Append rows as a new version and return its number; a new table begins at version 0.

    Behind some appends the many small files of those before become one, in a version of its own
    (`Commit.kind` is ``compact``), so that a table stays quick however often it is appended to.

    Parameters
    ----------
    path
        The table's folder, or its address in a bucket, ``s3://bucket/lake/photos``. The folder's
        name is a letter and then letters, digits, ``_``, ``-``, ``.``.
        It is made with its parents where it does not exist, and must differ from the other
        tables beside it in more than case and punctuation, since SQL would not tell them apart.
    table
        Rows, shape (n,): a pyarrow.Table or anything with ``__arrow_c_stream__``. A
        RecordBatchReader is written as it is read, memory flat; so is an iterable of tables or
        record batches, if ``schema`` is given. Missing columns become NULL; new ones are added to
        the table, in a version of their own just before, and are NULL in older rows.
    note
        What the commit keeps, JSON: inputs with versions and hashes, parameters, seed, sources,
        licences. See `TableVersion.reference` for naming an input.
    schema
        Names and types of the columns, where ``table`` is an iterable that cannot tell.
    file_rows
        Most rows a file; smaller files are skipped more finely by selective queries.

    Raises
    ------
    TableError
        And its kinds, each with nothing committed: `TableSchemaError` where columns do not fit,
        `TableConflictError` where others kept committing, `StorageFullError`. An error raised
        by an iterable passes as it is, with nothing committed either.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> append(lake.name + "/photos", pa.table({"photo_id": ["a"]}), note={"source": "import"})
    0
    >>> append(lake.name + "/photos", pa.table({"photo_id": ["b"], "country": ["France"]}))
    2
    >>> open(lake.name + "/photos").arrow().to_pylist()  # version 1 added the column
    [{'photo_id': 'a', 'country': None}, {'photo_id': 'b', 'country': 'France'}]
    >>> open(lake.name + "/photos", 0).rows, history(lake.name + "/photos")[-1].note
    (1, {'source': 'import'})
    >>> lake.cleanup()
    """
    return _write(path, table, "append", note, schema, file_rows)


def write(
    path: _Path,
    table: Any,
    note: Mapping[str, Any] | None = None,
    *,
    schema: pa.Schema | None = None,
    file_rows: int = data_files.FILE_ROWS,
) -> int:
    """Replace all rows and columns in a new version and return its number.

    Older versions stay as they are. Parameters and errors are those of `append`.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> write(lake.name + "/photos", pa.table({"photo_id": ["a", "b"]}))
    0
    >>> write(lake.name + "/photos", pa.table({"photo_id": ["b"]}), note={"why": "no screenshots"})
    1
    >>> open(lake.name + "/photos").rows, open(lake.name + "/photos", 0).rows
    (1, 2)
    >>> lake.cleanup()
    """
    return _write(path, table, "overwrite", note, schema, file_rows)


def open(path: _Path, version: int | str | None = None) -> TableVersion:  # noqa: A001
    """Open a table at a version, a tag, or (None) its latest version.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError
        If there is no such table, version or tag.
    TableChangedError
        If a file of the version is gone or has another size than was committed.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = append(lake.name + "/photos", pa.table({"photo_id": ["a", "b"]}))
    >>> opened = open(lake.name + "/photos")
    >>> opened.version, opened.rows, opened.arrow()["photo_id"].to_pylist()
    (0, 2, ['a', 'b'])
    >>> lake.cleanup()
    """
    return open_version(path, version)


def history(path: _Path) -> History:
    """Return the commits of a table, newest first; a notebook shows them as a table.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> for name in "ab":
    ...     _ = append(lake.name + "/photos", pa.table({"photo_id": [name]}), note={"photo": name})
    >>> [(commit.version, commit.note["photo"]) for commit in history(lake.name + "/photos")]
    [(1, 'b'), (0, 'a')]
    >>> lake.cleanup()
    """
    root = log.check_path(path)
    named: dict[int, list[str]] = {}
    for name, version in log.tags(root).items():
        named.setdefault(version, []).append(name)
    entries = log.commits(root, log.check_version(root))
    return History(_commit(one, named.get(one["version"], [])) for one in reversed(entries))


def path_of(lake: _Path, name: str) -> Path:
    """Return the folder of a table in a lake; the name is checked, so it cannot lead elsewhere.

    Examples
    --------
    >>> path_of("lake", "photos").as_posix()
    'lake/photos'
    >>> path_of("lake", "../photos")
    Traceback (most recent call last):
        ...
    geodata.tables.errors.TableError: '../photos' cannot name a table or tag: a name ...
    """
    return Path(lake) / log.check_name(name)


def names(lake: _Path) -> list[str]:
    """Return the names of the tables in a lake, sorted.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> for name in ("rand", "photos"):
    ...     _ = append(path_of(lake.name, name), pa.table({"photo_id": ["a"]}))
    >>> names(lake.name)
    ['photos', 'rand']
    >>> lake.cleanup()
    """
    log.refuse_address(lake)
    folder = Path(lake)
    if not folder.is_dir():
        msg = f"{folder}: there is no such folder; a lake is a folder of tables"
        raise TableNotFoundError(msg)
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and log.exists(p))


def _write(
    path: _Path,
    rows: Any,
    mode: str,
    note: Mapping[str, Any] | None,
    schema: pa.Schema | None,
    file_rows: int,
) -> int:
    checked = check_note(note)
    address = log.address_of(path)
    root = log.check_path(path) if address is None else Path()
    if isinstance(file_rows, bool) or not isinstance(file_rows, int) or file_rows < 1:
        msg = f"file_rows {file_rows!r} must be a whole number above 0"
        raise TableError(msg)
    if address is not None:
        from geodata.tables.buckets import write_bucket

        return write_bucket(address, rows, mode, checked, schema, file_rows)
    schema, tables = data_files.stream(rows, schema)
    known = opened = None
    if log.exists(root):
        opened = log.snapshot(root)
        order = opened.version + 1
        known = opened.schema if mode == "append" else None
    else:
        lakes.check_new(root)
        order = 0
    kept = data_files.kept_schema(schema, known)
    fresh = _make_folder(root)
    try:
        written = data_files.write(root, tables, kept, order, file_rows)
        try:
            number = commits.commit(root, written, _schema_for(kept, mode), mode, checked, opened)
        except BaseException:
            commits.discard(root, written)
            raise
    except BaseException:
        _forget_folder(fresh)
        raise
    if mode == "append":
        commits.keep_few(root, number)
    return number


def _schema_for(kept: pa.Schema, mode: str) -> Callable[[pa.Schema | None], pa.Schema]:
    """Return the rule for the columns after the commit, whatever others commit meanwhile."""

    def after(known: pa.Schema | None) -> pa.Schema:
        if mode == "overwrite" or known is None:
            return kept
        found = data_files.kept_schema(kept, known)
        for field in kept:  # the files are written, with the types of before
            if found.field(field.name).type != field.type:
                msg = (
                    f"column {field.name!r} became {found.field(field.name).type} while rows with "
                    f"{field.type} were written; nothing was committed: append them again"
                )
                raise TableConflictError(msg)
        return found

    return after


def _make_folder(root: Path) -> list[Path]:
    """Make the table's folder and return the folders that are new, deepest first."""
    new = [p for p in (root, *root.parents) if not p.exists()]
    root.mkdir(parents=True, exist_ok=True)
    return new


def _forget_folder(new: list[Path]) -> None:
    """Remove folders that were made for a table that did not come to be."""
    for folder in new:
        try:
            folder.rmdir()
        except OSError:  # another writer uses it
            return


def check_note(note: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a note as JSON gives it back.

    Raises
    ------
    TableError
        For what is no JSON.
    """
    checked = dict(note or {})
    try:
        text = json.dumps(checked, allow_nan=False)
    except (TypeError, ValueError) as error:
        msg = f"the note must be JSON (text, finite numbers, lists, objects): {error}"
        raise TableError(msg) from error
    result: dict[str, Any] = json.loads(text)
    return result


def _commit(entry: dict[str, Any], named: list[str]) -> Commit:
    ours = entry[log.KEY]
    files = ours.get("files")
    counts = [log.rows_of(one) for one in files.values()] if isinstance(files, dict) else [None]
    rows = None if None in counts else sum(filter(None, counts))
    return Commit(
        version=entry["version"],
        time=log.committed_at(entry),
        kind=ours.get("kind", entry["operation"]),
        rows_added=0 if ours.get("kind") in ("schema", "compact", "restore", "forget") else rows,
        note=ours.get("note", {}),
        tags=tuple(sorted(named)),
        software=ours.get("software", {}),
    )
