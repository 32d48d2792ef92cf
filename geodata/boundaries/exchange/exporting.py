"""A copy of a set for others, where its licence lets them have one."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geodata import files
from geodata.boundaries.registry import load
from geodata.boundaries.schema import geo_metadata
from geodata.boundaries.set import BoundarySet
from geodata.files import FileError

FORMATS = (".zip", ".parquet", ".geojson")


def export(name: str | os.PathLike[str], target: str | os.PathLike[str]) -> Path:
    """Write a set as one file.

    Parameters
    ----------
    name
        Name or folder of a set.
    target : path
        ``.zip`` holds the whole set, as `fetch` takes it; ``.parquet`` (GeoParquet) and
        ``.geojson`` hold its regions of all levels. The file appears whole or not at all.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileError
        If the licence does not let others have a copy, or for another ending.

    Examples
    --------
    >>> import json, tempfile
    >>> from shapely import box, geometry
    >>> from geodata.boundaries import build
    >>> folder = tempfile.TemporaryDirectory()
    >>> canton = {"type": "Feature", "properties": {"iso": "CH", "name": "Wallis"},
    ...           "geometry": geometry.mapping(box(7, 46, 8, 47))}
    >>> _ = Path(folder.name, "cantons.geojson").write_text(json.dumps(canton))
    >>> made = build(folder.name + "/cantons.geojson", folder.name + "/cantons", licence="CC0-1.0",
    ...              columns={"country": "iso", "admin1": "name"})
    >>> export(made.folder, folder.name + "/cantons.zip").name
    'cantons.zip'
    >>> folder.cleanup()
    """
    target = Path(target)
    kind = target.suffix.lower()
    if kind not in FORMATS:
        msg = f"{target}: expected a name that ends in {', '.join(FORMATS)}"
        raise FileError(msg)
    chosen = load(name)
    record = chosen.provenance
    if not record.get("shareable", True):
        msg = (
            f"{chosen.name}: its licence ({record.get('licence')}) does not let others have a "
            "copy; give them the command that builds it"
        )
        raise FileError(msg)
    with files.replacing(target) as part:
        if kind == ".zip":
            _zip(chosen, part)
        elif kind == ".parquet":
            _parquet(chosen, part)
        else:
            with part.open("w", encoding="utf-8") as out:
                out.writelines(_geojson(chosen))
    return target


def _zip(chosen: BoundarySet, part: Path) -> None:
    """Pack all files, in order and without times: the same set gives the same bytes."""
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(chosen.folder.iterdir()):
            entry = zipfile.ZipInfo(path.name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as out:
                while block := source.read(1 << 20):
                    out.write(block)


def _tables(chosen: BoundarySet, columns: list[str]) -> Iterator[pa.Table]:
    """Yield the regions of each level with the same columns."""
    for level in chosen.levels:
        named = ["code" if c == "country" and level == "country" else c for c in columns]
        table = chosen.table(level, list(dict.fromkeys(named)))
        yield pa.table([table[name] for name in named], names=columns)


_COLUMNS = [
    "id", "level", "parent", "country", "code", "name", "names", "aliases", "disputed", "claims",
    "source", "release", "licence", "bbox", "geometry",
]  # fmt: skip


def _parquet(chosen: BoundarySet, part: Path) -> None:
    table = pa.concat_tables(list(_tables(chosen, _COLUMNS)))
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    bounds = shapely.total_bounds(shapes).tolist()
    pq.write_table(table.replace_schema_metadata(geo_metadata(bounds)), part, compression="zstd")


def _geojson(chosen: BoundarySet) -> Iterator[str]:
    yield '{"type": "FeatureCollection", "features": [\n'
    between = ""
    for table in _tables(chosen, [name for name in _COLUMNS if name != "bbox"]):
        for batch in table.to_batches(1000):
            for row in batch.to_pylist():
                shape = json.loads(shapely.to_geojson(shapely.from_wkb(row.pop("geometry"))))
                properties: dict[str, Any] = {**row, "names": dict(row["names"] or ())}
                feature = {"type": "Feature", "properties": properties, "geometry": shape}
                yield between + json.dumps(feature, ensure_ascii=False)
                between = ",\n"
    yield "\n]}\n"
