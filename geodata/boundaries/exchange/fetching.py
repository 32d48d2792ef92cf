"""Get a set by name: downloaded, checked against its pinned SHA-256, unpacked, verified, in place.

Where sets are and what they must be stands in a registry: CSV with the columns ``name``, ``url``,
``sha256`` and ``licence``, the SHA-256 being that of the ``.zip`` that
`geodata.boundaries.exchange.export` writes. The package's own registry is the table
``known_sets``; ``registry.csv`` beside the user's sets adds to it, and so does a file that the
caller names.
"""

from __future__ import annotations

import csv
import logging
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from geodata.boundaries.building import replacing_folder, target_folder
from geodata.boundaries.exchange.downloading import Progress, Resuming
from geodata.boundaries.facts import facts_table
from geodata.boundaries.registry import home, load
from geodata.boundaries.schema import INDEX, PROVENANCE, TABLE_FILES
from geodata.boundaries.set import BoundarySet
from geodata.boundaries.verifying import verify_set
from geodata.files import FileError

TIMEOUT_S = 60.0
"""A server that sends nothing for this long has failed."""

_FILES = {*TABLE_FILES.values(), INDEX, PROVENANCE, "places.bin", "places_keys.bin"}
_FILES |= {"places_names.bin"}


@dataclass(frozen=True)
class KnownSet:
    """A line of the registry."""

    name: str
    url: str
    sha256: str
    licence: str


def known_sets(registry: str | os.PathLike[str] | None = None) -> dict[str, KnownSet]:
    r"""Return the sets that `fetch` knows, by name.

    Raises
    ------
    FileError
        For a registry that cannot be read, or a line without a name, an address or a SHA-256.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> line = f"alps,https://example.org/alps.tar.zst,{'0' * 64},ODbL-1.0"
    >>> registry = Path(folder.name, "registry.csv")
    >>> _ = registry.write_text(f"name,url,sha256,licence\n{line}\n")
    >>> known_sets(registry)["alps"].url
    'https://example.org/alps.tar.zst'
    >>> folder.cleanup()
    """
    own = home() / "registry.csv"
    rows: list[tuple[str, dict[str, str]]] = [("known_sets", r) for r in facts_table("known_sets")]
    for path in [own] if own.is_file() else []:
        rows += _read(path)
    if registry is not None:
        rows += _read(Path(registry))
    known = (_known(where, row) for where, row in rows)
    return {one.name: one for one in known}


def _read(path: Path) -> list[tuple[str, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, columns = [(str(path), row) for row in reader], reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: cannot be read as a registry of boundary sets: {error}"
        raise FileError(msg) from error
    missing = [name for name in ("name", "url", "sha256") if name not in columns]
    if missing:
        msg = (
            f"{path}: a registry of boundary sets has the columns name, url, sha256 and licence; "
            f"{missing[0]!r} is not among {', '.join(columns) or 'none'}"
        )
        raise FileError(msg)
    return rows


def _known(where: str, row: dict[str, str]) -> KnownSet:
    name, url, digest = ((row.get(key) or "").strip() for key in ("name", "url", "sha256"))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        msg = f"{where}: {name!r} is no name of a set; use letters, digits, dots and dashes"
        raise FileError(msg)
    if not url.startswith(("https://", "http://")) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        msg = f"{where}: set {name!r} needs an http(s) address and a SHA-256 of 64 hex digits"
        raise FileError(msg)
    return KnownSet(name, url, digest, (row.get("licence") or "").strip())


def fetch(
    name: str,
    *,
    registry: str | os.PathLike[str] | None = None,
    again: bool = False,
    timeout_s: float = TIMEOUT_S,
    progress: Progress | None = None,
) -> BoundarySet:
    """Download a known set into the user's own sets, and open it.

    Nothing is unpacked before its SHA-256 is right, and nothing is put in place before every file
    in it matches the set's own provenance. A download that is cut off is taken up again where it
    ended, in the same call and in the next.

    Parameters
    ----------
    name : str
        A name of `known_sets`.
    registry : path, optional
        CSV with more sets.
    again : bool
        Replace a set of that name; otherwise it is refused.
    timeout_s : float
        Seconds without a byte after which the server has failed.
    progress : callable, optional
        Called with the bytes done and the bytes in all.

    Raises
    ------
    FileError
        If the name is unknown or taken, the server fails, or what it sends is not what the
        registry says.

    Examples
    --------
    >>> fetch("lichtenland-2026").name  # doctest: +SKIP
    'lichtenland-2026'
    """
    sets = known_sets(registry)
    if name not in sets:
        there = ", ".join(sorted(sets)) or "none is registered"
        msg = f"no known boundary set {name!r} to fetch; there are: {there}"
        raise FileError(msg)
    folder = target_folder(name)
    if folder.exists() and not again:
        msg = f"{folder}: is there already; say again=True to replace it"
        raise FileError(msg)
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=folder.parent) as scratch:
        archive = _download(sets[name], Path(scratch), timeout_s, progress)
        with replacing_folder(folder) as part:
            _unpack(archive, part)
            if problems := verify_set(part):
                msg = f"{sets[name].url}: holds no whole boundary set: {problems[0]}"
                raise FileError(msg)
    return load(folder)


def _download(known: KnownSet, folder: Path, timeout_s: float, progress: Progress | None) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    part = home().parent / "downloads" / f"{known.sha256}.part"
    get = Resuming(part, timeout_s, progress)
    digest = f"sha256:{known.sha256}"
    for again in (True, False):
        try:
            return Path(
                pooch.retrieve(known.url, digest, fname="set.zip", path=folder, downloader=get)
            )
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            unlike = "does not match the known hash" in str(error)
            if unlike and get.resumed and again:  # an earlier part may be of another file
                continue
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            if unlike:
                reason = "what came is not what the registry says (SHA-256); nothing was kept"
            msg = f"{known.url}: cannot be fetched: {reason}"
            raise FileError(msg) from error
    raise AssertionError


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                if entry.filename not in _FILES:
                    msg = f"holds {entry.filename!r}, which is no file of a boundary set"
                    raise FileError(msg)
                with packed.open(entry) as source, (folder / entry.filename).open("wb") as out:
                    shutil.copyfileobj(source, out)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        msg = f"{archive.name}: cannot be unpacked: {error}"
        raise FileError(msg) from error
