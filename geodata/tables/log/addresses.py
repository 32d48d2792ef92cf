"""Addresses of tables in buckets, told from paths."""

from __future__ import annotations

import os
import re
from pathlib import Path

from geodata.tables.errors import TableError

_views: dict[Path, str] = {}
"""Folders of this machine that stand for lakes in buckets, see `geodata.tables.near`."""

# a path that went through `pathlib` has lost one slash
_ADDRESS = re.compile(r"(s3a?|gs|gcs):/{1,2}(?=[^/])(.+)")


def address_of(path: str | os.PathLike[str]) -> str | None:
    """Return the address that a path is, None for one of this machine.

    Examples
    --------
    >>> from pathlib import Path
    >>> address_of(Path("s3://bucket/lake/photos")), address_of("lake/photos")
    ('s3://bucket/lake/photos', None)
    """
    found = _ADDRESS.fullmatch(os.fspath(path))
    return None if found is None else f"{found[1]}://{found[2].rstrip('/')}"


def stands_for(folder: Path, address: str) -> None:
    """Note that a folder stands for a lake in a bucket."""
    _views[folder] = address


def called(root: Path) -> str:
    """Return what messages call a table: its folder, or its address where it is in a bucket."""
    lake = _views.get(root.parent)
    return str(root) if lake is None else f"{lake}/{root.name}"


def lake_of(folder: Path) -> str | None:
    """Return the address of the lake that a folder stands for, if it does."""
    return _views.get(folder)


def refuse_address(path: str | os.PathLike[str]) -> None:
    """Refuse an address where only a folder will do.

    Raises
    ------
    TableError
    """
    text = os.fspath(path)
    if "://" in text or address_of(path) is not None:
        msg = (
            f"{address_of(path) or text!r} is an address; lakes in buckets (s3://, gs://) go with "
            "photos import, dataset build, list, history, verify, rebuild, audit, diff, export and "
            "card, sql, records, label and evaluate; in Python with tables.append, write, verify, "
            "open_rows and near; for all else give a path"
        )
        raise TableError(msg)


def split_version(address: str) -> tuple[str, int | None]:
    """Return the address of a table and the version behind an ``@``, if there is one.

    Raises
    ------
    TableError
        For a tag: tables in a bucket have numbers only.

    Examples
    --------
    >>> split_version("s3://bucket/photos@3"), split_version("s3://bucket/photos")
    (('s3://bucket/photos', 3), ('s3://bucket/photos', None))
    """
    folder, _, name = address.rpartition("/")
    table, at, version = name.partition("@")
    if not at:
        return address, None
    if not version.isascii() or not version.isdigit():
        msg = f"{address}: {version!r} is no version; a table in a bucket has numbers, no tags"
        raise TableError(msg)
    return f"{folder}/{table}", int(version)
