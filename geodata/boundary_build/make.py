"""Make a boundary set: region tables, places where they are bundled, the index, provenance."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geodata import SOFTWARE, files
from geodata.boundaries import BUNDLED, INDEX, PROVENANCE, home
from geodata.boundary_build import bundled, place_names, places as place_files, regions
from geodata.boundary_build.compiling import compile_set


def build_set(
    name: str,
    source: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Build the bundled set, or a set of your own from a provider's files; return its folder.

    Parameters
    ----------
    name : str
        ``bundled``, or one of `geodata.boundary_build.providers.PROVIDERS`, e.g. ``overture``.
    source : path
        Folder with the source files.
    out : path, optional
        Folder to write: the package's own for ``bundled``, else one named after the provider
        and the date among `geodata.boundaries.available`.

    Raises
    ------
    FileError
        If there is no such provider or a source file is missing or unreadable.
    """
    source = Path(source)
    if not source.is_dir():
        msg = f"{source}: expected a folder with the source files, found none"
        raise files.FileError(msg)
    if name == "bundled":
        return build_bundled(source, Path(out) if out is not None else BUNDLED)
    day = datetime.now(UTC).date().isoformat()
    folder = Path(out) if out is not None else home() / f"{name}-{day}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in source.iterdir() if path.is_file())
    written = regions.write_tables(bundled.read_source(name, paths), folder)
    inputs = [{"file": path.name, "sha256": files.sha256(path)} for path in paths]
    _finish(folder, {"name": folder.name, "provider": name, "inputs": inputs}, written)
    return folder


def build_bundled(source: Path, folder: Path) -> Path:
    """Build the bundled set; the same sources and tool versions give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    *written, record = bundled.write_bundled(source, folder)
    places = place_files.write(folder)
    provenance = json.loads(record.read_text(encoding="utf-8"))
    provenance["inputs"].append(place_files.provenance())
    names = [folder / "places_names.bin", place_names.write(folder)]
    _finish(folder, provenance, [*written, places, *names])
    return folder


def _finish(folder: Path, provenance: dict[str, Any], written: list[Path]) -> None:
    """Compile the index and name every output with its SHA-256."""
    compile_set(folder)
    outputs = provenance.setdefault("outputs", {})
    for path in [*written, folder / INDEX]:
        entry = outputs.setdefault(path.name, {})
        entry["sha256"], entry["bytes"] = files.sha256(path), path.stat().st_size
    provenance["software"] = SOFTWARE
    text = json.dumps(provenance, indent=2, ensure_ascii=False) + "\n"
    files.write_text(folder / PROVENANCE, text)
