"""`build`: from anybody's files to a finished set, whole or not there."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from geodata import SOFTWARE, files
from geodata.boundaries.building.compiling import compile_set
from geodata.boundaries.building.coverage import Coverage, measure
from geodata.boundaries.building.licences import forbids_copies
from geodata.boundaries.building.mapping import own_provider
from geodata.boundaries.building.providers import OWN_FILE, Provider, provider
from geodata.boundaries.building.reading import Axes, source_files
from geodata.boundaries.building.region_rows import Origin
from geodata.boundaries.building.regions import write_tables
from geodata.boundaries.building.sources import Reading, read
from geodata.boundaries.registry import BUNDLED, home, load
from geodata.boundaries.schema import PROVENANCE, TABLE_FILES
from geodata.boundaries.set import BoundarySet, from_wkb, numbered, read_region_table
from geodata.boundaries.verifying import is_set, sealed
from geodata.files import FileError

Progress = Callable[[int, int | None], None]


def build(
    source: Any,
    target: str | os.PathLike[str],
    *,
    kind: str = OWN_FILE,
    columns: Mapping[str, str] | None = None,
    crs: Any = None,
    swap_axes: bool = False,
    release: str | None = None,
    licence: str | None = None,
    shareable: bool | None = None,
    progress: Progress | None = None,
) -> BoundarySet:
    """Build a boundary set from files; needs the extra ``boundaries``.

    Shapes are brought to longitude and latitude, made valid, cut at ±180 and snapped to 1e-7
    degrees; every repair is counted in the set's provenance. The set appears whole or not at all.

    Parameters
    ----------
    source : path or list of paths
        Boundary files, or folders with them.
    target : str or path
        A plain name goes among your own sets, where `geodata.boundaries.load` finds it; anything
        else is the folder to write. A set that is there is replaced, other files are not.
    kind : str
        Whose files they are: ``overture``, ``geoboundaries``, ``naturalearth``, ``gadm``,
        ``whosonfirst``, ``country-levels``, or ``file`` for any file with ``columns``.
    columns : mapping, optional
        For ``file``, what its columns mean: ``country`` (ISO 3166-1 code: a column, or the code
        itself), ``name``, ``level`` (a column, or one level for all rows), and where it has them
        ``code`` (ISO 3166-2), ``id``, ``parent``, ``disputed`` and ``name:fr`` for a language.
        ``{"country": "iso", "admin1": "NAME_1"}`` is short for the level and its name.
    crs : optional
        Coordinate system of files that name none, such as ``EPSG:2056``.
    swap_axes : bool
        The files have latitude before longitude.
    release, licence : str, optional
        To write down where the files do not say.
    shareable : bool, optional
        Whether the licence lets others have a copy; by default what is known of the provider,
        and what the words of the licence say.
    progress : callable, optional
        Called with the steps done and the steps in all.

    Returns
    -------
    BoundarySet

    Raises
    ------
    FileError
        One line that says which file cannot be used, why, and what helps.

    Examples
    --------
    >>> import json, tempfile
    >>> from shapely import box, geometry
    >>> folder = tempfile.TemporaryDirectory()
    >>> canton = {"type": "Feature", "properties": {"iso": "CH", "name": "Wallis"},
    ...           "geometry": geometry.mapping(box(7, 46, 8, 47))}
    >>> _ = Path(folder.name, "cantons.geojson").write_text(json.dumps(canton))
    >>> made = build(folder.name + "/cantons.geojson", folder.name + "/cantons", licence="CC0-1.0",
    ...              columns={"country": "iso", "admin1": "name"})
    >>> made.name, made.units["name"].to_pylist()
    ('cantons', ['Wallis'])
    >>> folder.cleanup()
    """
    folder = target_folder(target)
    paths = source_files(source)
    known = own_provider(columns, licence) if kind == OWN_FILE else provider(kind)
    if columns and kind != OWN_FILE:
        msg = (
            f"the columns of {kind} are known; leave out -c/--column (columns=), or build "
            f"kind {OWN_FILE!r}"
        )
        raise FileError(msg)
    drawn_by = known.name if kind != OWN_FILE else ", ".join(path.name for path in paths[:3])
    origin = Origin(drawn_by, release or release_of(known, paths), licence or known.licence)
    tell = progress or (lambda done, total: None)
    with replacing_folder(folder) as part:
        total = len(paths) + 4
        tell(0, total)
        reading = read(known, paths, axes=Axes(crs, swap_axes), origin=origin)
        tell(len(paths), total)
        write_tables(reading.tables, part)
        told = _told(reading)
        del reading  # of a large set it is a gigabyte
        tell(len(paths) + 1, total)
        coverage = {level: asdict(found) for level, found in _coverage(part).items()}
        tell(len(paths) + 2, total)
        compile_set(part)
        tell(len(paths) + 3, total)
        record = {
            "name": folder.name,
            "kind": kind,
            "release": origin.release,
            "licence": origin.licence,
            "shareable": known.shareable and not forbids_copies(origin.licence)
            if shareable is None
            else shareable,
            "url": known.url,
            "built": datetime.now(UTC).date().isoformat(),
            "inputs": [{"file": path.name, "sha256": files.sha256(path)} for path in paths],
            **told,
            "coverage": coverage,
        }
        finish(part, record)
        tell(total, total)
    return load(folder)


def finish(folder: Path, record: dict[str, Any]) -> None:
    """Write the provenance: the record, and every file of the folder with its SHA-256."""
    outputs = {}
    for path in sorted(folder.iterdir()):
        if path.name != PROVENANCE:
            outputs[path.name] = {"sha256": files.sha256(path), "bytes": path.stat().st_size}
            if path.suffix == ".parquet":
                outputs[path.name]["rows"] = pq.read_metadata(path).num_rows
    text = sealed({**record, "outputs": outputs, "software": SOFTWARE})
    files.write_text(folder / PROVENANCE, text)


def target_folder(target: str | os.PathLike[str]) -> Path:
    """Return the folder that a target names; a plain name lies among the user's own sets.

    Raises
    ------
    FileError
        If something that is no boundary set is there already, or nothing can be written there.
    """
    named = isinstance(target, str) and target not in (".", "..") and not set(target) & {"/", "\\"}
    if target == BUNDLED.name:  # it would be opened in place of the one that comes along
        msg = f"{target!r} is the name of the set that comes along; name yours otherwise"
        raise FileError(msg)
    folder = home() / target if named else Path(target).absolute()
    if folder.exists() and not is_set(folder) and not _is_empty(folder):
        msg = f"{folder}: is there already and is no boundary set; name another target"
        raise FileError(msg)
    if named:
        folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.parent.is_dir():
        msg = f"{folder}: the folder {folder.parent} does not exist; create it first"
        raise FileError(msg)
    return folder


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside to write into, and rename it if all went well.

    What killed processes left beside is cleared first. Where the new one cannot take its place,
    what was there stays.
    """
    for left in folder.parent.glob(f".{folder.name}.*.part"):
        if not _runs(left.name.split(".")[-2]):
            shutil.rmtree(left, ignore_errors=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir()
    try:
        yield part
        old = folder.with_name(f".{folder.name}.{os.getpid()}.old.part")
        if folder.exists():
            folder.rename(old)
        try:
            part.rename(folder)
        except BaseException:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def release_of(known: Provider, paths: list[Path]) -> str | None:
    """Return the release that the paths of the files name, None where they name none.

    Raises
    ------
    FileError
        If files of a provider whose levels come from one release name two.
    """
    if not known.release:
        return None
    found = {path: re.findall(known.release, str(path), re.IGNORECASE) for path in paths}
    releases = sorted({names[-1] for names in found.values() if names})
    if len(releases) > 1 and known.one_release:
        msg = f"{known.name}: files of releases {' and '.join(releases)} are mixed; give one"
        raise FileError(msg)
    return ", ".join(releases) or None


def _told(reading: Reading) -> dict[str, Any]:
    """Return what reading found, for the provenance."""
    return {
        "rows": reading.rows,
        "repairs": asdict(reading.repairs),
        "left_out": {
            "without_country": reading.without_country,
            "without_name": reading.without_name,
        },
        "joined": reading.joined,
    }


def _coverage(folder: Path) -> dict[str, Coverage]:
    """Measure the overlaps of each level, and the gaps of the units in their countries."""
    found: dict[str, Coverage] = {}
    tables = {level: folder / file for level, file in TABLE_FILES.items()}
    column = {level: "code" if level == "country" else "country" for level in tables}
    read_in = {
        level: read_region_table(path, [column[level], "geometry"])
        for level, path in tables.items()
        if path.is_file()
    }
    groups = numbered(*(table.column(0).to_pylist() for table in read_in.values()))
    around, around_group = from_wkb(read_in["country"]), groups[0]
    for (level, table), group in zip(read_in.items(), groups, strict=True):
        if level == "country":
            found[level] = measure(around, group * 0)
        elif level == "admin1":
            found[level] = measure(from_wkb(table), group, around, around_group)
        else:
            found[level] = measure(from_wkb(table), group)
    return found
