"""Tables in a bucket: `s3://` and `gs://`, through Delta's object store and Arrow's file systems.

Files are made and hashed here, then uploaded, then committed with a conditional write: of two
writers who commit the same version one is refused, and commits again on top of the other. Keys,
region and endpoint come from the environment (``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, ...).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError as _NoTable
from deltalake.transaction import create_table_with_add_actions

from geodata import files, hashing
from geodata.files import Source
from geodata.hashing import Sums
from geodata.tables import commits, data_files, log
from geodata.tables.data_files import DataFile
from geodata.tables.errors import (
    TableChangedError,
    TableConflictError,
    TableError,
    TableNotFoundError,
    TableSchemaError,
    VersionNotFoundError,
)
from geodata.tables.log import split_version

PATIENCE_S = 120.0
_TRIES = 8
"""Of a request to a server that answers 500 or cuts the connection."""
_GOOGLE_PATIENCE = timedelta(seconds=20)
"""Of Arrow without credentials or an answer; its own is a quarter of an hour."""


def keys_of(address: str) -> str:
    """Return what to look at where a bucket cannot be used, for the end of a message."""
    if address.startswith(("gs:", "gcs:")):
        return (
            "credentials come from the file that GOOGLE_APPLICATION_CREDENTIALS names, or from the "
            "account of a machine at Google"
        )
    return (
        "keys and endpoint come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and "
        "AWS_ENDPOINT_URL, and a clock that is minutes off is refused like a wrong key"
    )


@dataclass(frozen=True)
class BucketVersion:
    """A version of a table in a bucket; rows are read when they are asked for."""

    address: str
    version: int
    schema: pa.Schema
    files: tuple[log.Active, ...]
    rows: int
    total: Sums | None
    """The content that its commit recorded; None where another tool made it."""

    def recorded(self) -> dict[str, dict[str, Any]]:
        """Return what the commits recorded of each file."""
        noted = (_noted(self.address, number) for number in range(self.version + 1))
        return {name: entry for one in noted for name, entry in one.get("files", {}).items()}

    @property
    def content_hash(self) -> str | None:
        """As that of a table in a folder, from what was recorded."""
        return None if self.total is None else hashing.digest(self.total, self.schema)

    def batches(
        self, columns: Sequence[str] | None = None, batch_rows: int = data_files.ROW_GROUP
    ) -> Iterator[pa.Table]:
        """Yield the rows, or some of their columns, in the order written, memory flat."""
        wanted = list(self.schema.names if columns is None else columns)
        schema = pa.schema([self.schema.field(name) for name in wanted])
        for file in self.files:
            yield from self.of_file(file.name, schema, batch_rows)

    def of_file(self, name: str, schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
        """Yield the rows of one file with the columns of a schema."""
        system, root = system_of(self.address)
        with system.open_input_file(f"{root}/{name}") as opened:
            for table in files.parquet_rows(opened, schema.names, rows, checksums=True):
                yield data_files.fitted(table, schema)

    def source(self) -> Source:
        """Return it as a source of rows."""

        def stream(names: Sequence[str] | None, rows: int) -> Iterator[pa.Table]:
            outer = None if names is None else files.outer_names(self.schema, names)
            yield from self.batches(outer, rows)

        reference = {
            "address": self.address, "version": self.version, "rows": self.rows,
            "content_hash": self.content_hash,
        }  # fmt: skip
        return Source(
            f"{self.address}@{self.version}", files.flat_names(self.schema), "table", self.rows,
            schema=self.schema, stream=stream, reference=reference,
        )  # fmt: skip


def open_bucket(address: str, version: int | None = None) -> BucketVersion:
    """Open a table in a bucket at a version, the latest for None.

    Parameters
    ----------
    address
        ``s3://bucket/lake/photos``, also with ``@3`` for a version.

    Raises
    ------
    TableNotFoundError, VersionNotFoundError
        If there is no table, or no such version.
    TableError
        If the bucket cannot be read: no rights, no answer.
    """
    address, asked = split_version(address)
    table = _load(address, asked if version is None else version)
    if table is None:
        msg = f"{address}: there is no table; make one with tables.append or tables.write"
        raise TableNotFoundError(msg)
    found = pa.table(table.get_add_actions()).select(["path", "size_bytes", "num_records"])
    active = sorted(log.Active(*row.values()) for row in found.to_pylist())
    for file in active:
        if "/" in file.name or "%" in file.name:
            msg = f"{address}: the log names {file.name!r}, which is no file of the table's folder"
            raise TableChangedError(msg)
    number = int(table.version())
    return BucketVersion(
        address, number, log.schema_of(table), tuple(active),
        sum(file.rows or 0 for file in active), _total(_noted(address, number)),
    )  # fmt: skip


def write_bucket(
    address: str, rows: Any, mode: str, note: dict[str, Any], schema: pa.Schema | None, most: int
) -> int:
    """Append to, or overwrite, a table in a bucket; return the number of the version.

    Raises
    ------
    TableSchemaError
        For columns that the table does not have.
    TableConflictError
        If others kept committing.
    TableError
        If the bucket cannot be written. Nothing was committed.
    """
    schema, parts = data_files.stream(rows, schema)
    table = _load(address, None)
    known = log.schema_of(table) if table is not None and mode == "append" else None
    kept = data_files.kept_schema(schema, known)
    if known is not None and kept.names != known.names:
        new = [name for name in kept.names if name not in known.names]
        msg = f"{address} has no column {new[0]!r}; a table in a bucket keeps its columns"
        raise TableSchemaError(msg)
    order = 0 if table is None else int(table.version()) + 1
    with tempfile.TemporaryDirectory(prefix="geodata-") as folder:
        written = data_files.write(Path(folder), parts, kept, order, most)
        upload(address, Path(folder), [file.name for file in written])
    return _commit(address, written, kept, mode, note)


def problems_of(version: BucketVersion) -> tuple[Sums, list[str]]:
    """Compute the content of a version from its rows, and what is wrong with its files."""
    found, problems = Sums(), []
    system, root = system_of(version.address)
    recorded = version.recorded()
    for file in version.files:
        entry = recorded.get(file.name)
        try:
            if entry is not None and _sha256(system, f"{root}/{file.name}") != entry["sha256"]:
                problems.append(f"{file.name} does not have the SHA-256 that was committed")
                continue
            rows = version.of_file(file.name, version.schema, data_files.ROW_GROUP)
            found = found.plus(hashing.combine(map(hashing.of_table, rows)))
        except (OSError, pa.ArrowException) as error:
            problems.append(f"{file.name} cannot be read: {log.first_line(error)}")
    if not problems and version.total is not None and version.total != found:
        problems.append("the version does not hold the rows that its commit counted")
    return found, problems


def _commit(
    address: str, written: list[DataFile], schema: pa.Schema, mode: str, note: dict[str, Any]
) -> int:
    """Commit, again while others commit first; a commit that was made counts once."""
    kind = "append" if mode == "append" else "write"
    payload = commits.Payload(uuid.uuid4().hex, kind, note, written)
    deadline, since = time.monotonic() + PATIENCE_S, None
    while True:
        table = _load(address, None)
        now = -1 if table is None else int(table.version())
        since = now if since is None else since
        made = _version_of(address, payload.identity, range(since + 1, now + 1))
        if made is not None:  # the answer was lost, the commit was not
            return made
        try:
            return _attempt(address, table, schema, mode, payload)
        except TableError:
            raise
        except (DeltaError, OSError) as error:
            after = _load(address, None)
            newest = -1 if after is None else int(after.version())
            if newest == now and not isinstance(error, CommitFailedError):
                msg = f"{address}: the commit was refused: {log.first_line(error)}"
                raise TableError(msg) from error
            if time.monotonic() > deadline:
                msg = f"{address}: other writers kept committing for {PATIENCE_S:g} s; try again"
                raise TableConflictError(msg) from error
            time.sleep(random.uniform(0.01, 0.2))


def _attempt(
    address: str, table: DeltaTable | None, schema: pa.Schema, mode: str, payload: commits.Payload
) -> int:
    adds, kept = commits.actions(payload.written), Schema.from_arrow(schema)
    if table is None:
        text = payload.text(payload.sums())
        create_table_with_add_actions(
            address, kept, adds, mode="error", configuration=commits.CONFIGURATION,
            **commits.properties(text),
        )  # fmt: skip
        return 0
    before: Sums | None = Sums()
    if mode == "append":
        if log.schema_of(table) != schema:
            msg = (
                f"{address}: its columns changed while rows were written; nothing was committed: "
                "append them again"
            )
            raise TableConflictError(msg)
        before = _total(_noted(address, int(table.version())))
    total = None if before is None else before.plus(payload.sums())
    table.create_write_transaction(adds, mode, kept, **commits.properties(payload.text(total)))
    return int(table.version()) + 1


def _noted(address: str, version: int) -> dict[str, Any]:
    """Return what we noted in a commit, read from the log itself; nothing of another tool's."""
    system, root = system_of(address)
    try:
        with system.open_input_stream(f"{root}/{log.LOG}/{version:020}.json") as stream:
            lines = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
        info: dict[str, Any] = next((x["commitInfo"] for x in lines if "commitInfo" in x), {})
        found = json.loads(info.get(log.KEY) or "{}")
    except (OSError, ValueError, AttributeError) as error:
        msg = f"{address}: commit {version} cannot be read ({log.first_line(error)[:300]})"
        raise TableChangedError(msg) from error
    return found if isinstance(found, dict) else {}


def _total(noted: dict[str, Any]) -> Sums | None:
    return Sums.read(noted.get("total"))


def _version_of(address: str, identity: str, among: range) -> int | None:
    """Return which commit carries an identity; read by Arrow, which lets other threads run."""
    return next((v for v in among if _noted(address, v).get("id") == identity), None)


def _load(address: str, version: int | None) -> DeltaTable | None:
    try:
        return DeltaTable(address, version=version)
    except _NoTable as error:
        if version is None or _load(address, None) is None:
            return None
        msg = f"{address}: there is no version {version}"
        raise VersionNotFoundError(msg) from error
    except (DeltaError, OSError) as error:
        told = log.first_line(error)
        if version is not None and re.search(r"version|not exist", told, re.IGNORECASE):
            msg = f"{address}: there is no version {version} ({told[:200]})"
            raise VersionNotFoundError(msg) from error
        msg = f"{address}: the bucket cannot be read ({told[:300]}); {keys_of(address)}"
        raise TableError(msg) from error


def upload(address: str, folder: Path, names: Sequence[str]) -> None:
    """Send files of a folder into a bucket, under their names.

    Raises
    ------
    TableError
        If they cannot be written.
    """
    system, root = system_of(address)
    try:
        for name in names:
            with (
                (folder / name).open("rb") as source,
                system.open_output_stream(f"{root}/{name}") as to,
            ):
                while block := source.read(1 << 23):
                    to.write(block)
    except OSError as error:
        told = log.first_line(error)[:300]
        msg = f"{address}: cannot be written ({told}); nothing was committed; {keys_of(address)}"
        raise TableError(msg) from error


def system_of(address: str) -> tuple[Any, str]:
    """Return Arrow's file system of a bucket and the folder in it."""
    scheme, _, rest = address.partition("://")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if scheme in ("s3", "s3a") and endpoint:
        kind, _, host = endpoint.rstrip("/").partition("://")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        patient = pafs.AwsStandardS3RetryStrategy(max_attempts=_TRIES)
        return pafs.S3FileSystem(
            endpoint_override=host, scheme=kind, region=region, retry_strategy=patient
        ), rest
    if scheme in ("gs", "gcs"):
        emulator = os.environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
        kind, _, host = emulator.rpartition("://")
        where = {"endpoint_override": host, "scheme": kind or "http", "anonymous": True}
        return pafs.GcsFileSystem(
            retry_time_limit=_GOOGLE_PATIENCE, **(where if emulator else {})
        ), rest
    system, path = pafs.FileSystem.from_uri(f"s3://{rest}")  # Arrow does not know s3a
    return system, str(path)


def _sha256(system: Any, path: str) -> str:
    digest = hashlib.sha256()
    with system.open_input_stream(path) as stream:
        while block := stream.read(1 << 23):
            digest.update(block)
    return digest.hexdigest()
