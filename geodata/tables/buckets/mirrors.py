"""Lakes in buckets, seen from here: the logs are brought over at once, files when they are opened.

What reads a folder reads a lake in a bucket through `near`. What was brought lies in the folder
for temporary files (``TMPDIR``) and goes with the process.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from geodata.tables import log
from geodata.tables.errors import TableError
from geodata.tables.lakes import FOLDER as INPUTS
from geodata.tables.log import address_of, lake_of, stands_for

_AT_ONCE = 16

_Path = str | os.PathLike[str]

_folders_of: dict[str, tuple[tempfile.TemporaryDirectory[str], Path]] = {}
"""By address of a lake, what is removed when the process ends, and the view in it."""


def near(lake: _Path, only: str | None = None, *, inputs: bool = False) -> Path:
    """Return a folder that stands for a lake: the lake itself, or a view of one in a bucket.

    Parameters
    ----------
    lake
        A folder, or an address such as ``s3://bucket/lake``.
    only
        A table; the logs of all by default.
    inputs
        Bring the files, too, that the lake keeps for replays.

    Returns
    -------
    Path
        To read from. What is written there is not in the bucket.

    Raises
    ------
    TableError
        If the bucket cannot be read.

    Examples
    --------
    >>> near("lake")
    PosixPath('lake')
    """
    address = address_of(lake)
    if address is None:
        return Path(lake)
    if address not in _folders_of:
        made = tempfile.TemporaryDirectory(prefix="geodata-")
        # messages name the folder, so it is called as the lake is
        _folders_of[address] = made, Path(made.name, *address.replace("://", "/").split("/"))
        _folders_of[address][1].mkdir(parents=True)
        stands_for(_folders_of[address][1], address)
    folder = _folders_of[address][1]
    wanted = [*_logs(address, folder, only), *(_listed(address, INPUTS) if inputs else ())]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda one: _bring(address, folder, one), wanted))
    return folder


def is_view(folder: _Path) -> bool:
    """Return whether a folder stands for a lake in a bucket."""
    return lake_of(Path(folder)) is not None


def fill(root: Path, active: Sequence[log.Active]) -> None:
    """Bring the files of a version that are not here yet, where a table is in a bucket.

    Raises
    ------
    TableError
        If the bucket cannot be read.
    """
    address = lake_of(root.parent)
    if address is None:
        return
    wanted = [f"{root.name}/{f.name}" for f in active if not (root / f.name).is_file()]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: _bring(address, root.parent, name), wanted))


def send_inputs(lake: _Path) -> None:
    """Send the files that the view of a lake keeps for replays into its bucket.

    Raises
    ------
    TableError
        If the bucket cannot be written.
    """
    from geodata.tables.buckets.objects import upload

    address = address_of(lake)
    assert address is not None, "a lake in a bucket"
    here = _folders_of[address][1]
    there = set(_listed(address, INPUTS))
    new = [f"{INPUTS}/{p.name}" for p in (here / INPUTS).glob("*")]
    upload(address, here, [name for name in new if name not in there])


def _logs(address: str, folder: Path, only: str | None) -> Iterator[str]:
    """Yield the files of logs that are not here yet; a hint that changes is brought each time."""
    tables = [only] if only is not None else _folders(address)
    for table in tables:
        for name in _listed(address, f"{table}/{log.LOG}"):
            if not (folder / name).is_file() or PurePosixPath(name).name.startswith("_"):
                yield name


def _folders(address: str) -> list[str]:
    # Arrow tells no folder of a bucket at Google that has no entry of its own: files name theirs
    is_flat = address.startswith(("gs:", "gcs:"))
    found = _infos(address, "", recursive=is_flat)
    if not found:  # nothing below it: is there such a bucket at all?
        _infos("/".join(address.split("/")[:3]), "", missing=False)
    depth = len(address.split("://")[1].rstrip("/").split("/"))
    paths = [i.path.split("/")[depth:] for i in found if is_flat or not i.is_file]
    names = {parts[0] for parts in paths if len(parts) > is_flat}
    return sorted(name for name in names if not name.startswith(("_", ".")))


def _listed(address: str, folder: str) -> Iterator[str]:
    """Yield the files in a folder of a lake, as seen from the lake."""
    for info in _infos(address, folder):
        if info.is_file:
            yield f"{folder}/{PurePosixPath(info.path).name}"


def _infos(
    address: str, folder: str, *, missing: bool = True, recursive: bool = False
) -> list[Any]:
    import pyarrow.fs as pafs

    from geodata.tables.buckets.objects import keys_of, system_of

    system, root = system_of(address)
    try:
        return list(
            system.get_file_info(
                pafs.FileSelector(
                    f"{root}/{folder}".rstrip("/"), allow_not_found=missing, recursive=recursive
                )
            )
        )
    except OSError as error:
        told = log.first_line(error)[:300]
        msg = f"{address}: the bucket cannot be read ({told}); {keys_of(address)}"
        raise TableError(msg) from error


def _bring(address: str, folder: Path, name: str) -> None:
    """Bring one file, whole or not."""
    import pyarrow.fs as pafs

    from geodata.tables.buckets.objects import keys_of, system_of

    system, root = system_of(address)
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.part")
    try:
        pafs.copy_files(
            f"{root}/{name}", str(beside), source_filesystem=system,
            destination_filesystem=pafs.LocalFileSystem(),
        )  # fmt: skip
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        msg = (
            f"{address}/{name}: cannot be brought to {folder} ({log.first_line(error)[:300]}); "
            f"{keys_of(address)}, and TMPDIR names a folder with room"
        )
        raise TableError(msg) from error
