"""Describe a version for people, as a dataset card, and hand it on as plain Parquet files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geodata import coords, files, maps
from geodata.files import coordinate_columns
from geodata.tables import data_files, errors
from geodata.tables.errors import TableError
from geodata.tables.versions import TableVersion, open_version

_Path = str | os.PathLike[str]
_MOST = 20
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MAP = "map.png"
_COUNTRIES = Path(__file__).parents[1] / "boundaries" / "bundled" / "countries.parquet"


def card(path: _Path, version: int | str | None = None, *, title: str | None = None) -> str:
    """Return the dataset card of a version: Markdown with the head that Hugging Face reads.

    It counts rows by continent and country, sources and licences where the columns are there
    (``country_code`` or ``country``, ``continent``, ``source``, ``licence``), and gives columns,
    parameters and lineage from the note, and the content hash.

    Examples
    --------
    >>> import tempfile
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> rows = pa.table({"country_code": ["FR", "FR", "JP"], "country": ["France"] * 2 + ["Japan"]})
    >>> _ = tables.append(lake.name + "/photos", rows, note={"parameters": {"seed": 7}})
    >>> print(card(lake.name + "/photos"))
    ---
    pretty_name: "photos"
    size_categories:
    - n<1K
    ...
    | Europe | 2 | 66.67% |
    | Asia | 1 | 33.33% |
    ...
    >>> lake.cleanup()
    """
    return _card(open_version(path, version), title, has_map=False, has_data=False)


def write_card(path: _Path, folder: _Path, version: int | str | None = None) -> Path:
    """Write the card of a version as ``README.md``, and its map, into a folder; return the card.

    Raises
    ------
    FileError
        If the folder does not exist.
    """
    opened, out = open_version(path, version), Path(folder)
    with errors.storage(out, "writing the card"):
        return _write_card(opened, out, has_data=False)


def export(path: _Path, out: _Path, version: int | str | None = None) -> Path:
    """Write a version as a folder that any Parquet reader and ``datasets`` open; return it.

    The folder holds ``data/train-00000-of-00003.parquet`` and so on, ``README.md`` (the card) and
    a map. It appears whole or not at all. Read it with ``datasets.load_dataset("parquet",
    data_dir=out)`` or ``datasets.load_dataset(out)``.

    Raises
    ------
    TableError
        If ``out`` exists and is not an empty folder.
    StorageFullError
        If there is no room.
    """
    opened, target = open_version(path, version), Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"{target} exists and is not an empty folder; choose another one to export to"
        raise TableError(msg)
    if not target.parent.is_dir():
        msg = f"{target.parent}: there is no such folder; create it before exporting into it"
        raise TableError(msg)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        beside.chmod(0o755)
        with errors.storage(target, "exporting"):
            _write_data(opened, beside / "data")
            _write_card(opened, beside, has_data=True)
        beside.replace(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def _write_data(version: TableVersion, folder: Path) -> None:
    folder.mkdir()
    count = max(len(version.files), 1)
    names = [folder / f"train-{i:05d}-of-{count:05d}.parquet" for i in range(count)]
    for i, name in enumerate(names):
        parts: Iterator[pa.Table] = iter(())
        if version.files:
            parts = data_files.read(version.files[i], version.schema)
        with (
            files.replacing(name) as beside,
            pq.ParquetWriter(
                beside, version.schema, compression="zstd", write_page_checksum=True
            ) as writer,
        ):
            for part in parts:
                writer.write_table(part)


def _write_card(version: TableVersion, folder: Path, *, has_data: bool) -> Path:
    has_map = _draw(version, folder / _MAP)
    text = _card(version, None, has_map=has_map, has_data=has_data)
    files.write_text(folder / "README.md", text)
    return folder / "README.md"


def _draw(version: TableVersion, path: Path) -> bool:
    """Draw the rows on a map; False where there are no coordinates."""
    try:
        lat, lon = coordinate_columns(version.schema.names)
    except ValueError:
        return False
    counts = np.zeros(maps.SHAPE, np.int64)
    for table in _columns(version, [lat, lon]):
        points = coords.arrays(table[lat], table[lon])
        counts += maps.count_cells(points.lat[points.valid], points.lon[points.valid])
    if not counts.any():
        return False
    maps.draw_dots(counts, path, f"{version.path.name}, version {version.version}")
    return True


def _card(version: TableVersion, title: str | None, *, has_map: bool, has_data: bool) -> str:
    name = title or version.path.name
    parts = [_head(version, name, has_data=has_data), f"# {name}", _facts(version)]
    if has_map:
        parts.append(f"![Where the rows are, on a world map]({_MAP})")
    parts += _counts(version)
    parts.append("## Columns\n\n" + _table(("column", "type"), _schema_rows(version.schema)))
    for key, value in version.note.items():
        parts.append(f"## {_heading(key)}\n\n{_value(value)}")
    return "\n\n".join(parts) + "\n"


def _head(version: TableVersion, name: str, *, has_data: bool) -> str:
    size = next((text for limit, text in _SIZES if version.rows < limit), "n>1M")
    lines = ["---", f"pretty_name: {json.dumps(name)}", "size_categories:", f"- {size}"]
    licence = version.note.get("licence") or version.note.get("license")
    if isinstance(licence, str):
        lines += ["license: other", f"license_name: {json.dumps(licence)}"]
    if has_data:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        lines += ["  - split: train", "    path: data/train-*.parquet"]
    return "\n".join([*lines, "---"])


def _facts(version: TableVersion) -> str:
    size = sum(f.stat().st_size for f in version.files)
    rows = [
        ("rows", f"{version.rows:,}"),
        ("version", str(version.version)),
        ("content hash", f"`{version.content_hash}`"),
        ("files", f"{len(version.files)}, {size:,} bytes"),
    ]
    return _table(("", ""), rows)


def _counts(version: TableVersion) -> list[str]:
    names = set(version.schema.names)
    parts: list[str] = []
    country = next((c for c in ("country", "country_code") if c in names), None)
    if "continent" in names:
        parts.append(_section("Continents", version, _count(version, ["continent"])))
    elif "country_code" in names:
        found = _count(version, ["country_code"])
        parts.append(_section("Continents", version, _by_continent(found)))
    if country:
        parts.append(_section("Countries", version, _count(version, [country])))
    for column, heading in (("source", "Sources"), ("licence", "Licences"), ("status", "Status")):
        if column in names and pa.types.is_string(version.schema.field(column).type):
            parts.append(_section(heading, version, _count(version, [column])))
    return parts


def _columns(version: TableVersion, names: list[str]) -> Iterator[pa.Table]:
    for batch in version.dataset().to_batches(columns=names):
        yield pa.Table.from_batches([batch])


def _count(version: TableVersion, names: list[str]) -> dict[str | None, int]:
    total: dict[str | None, int] = {}
    for table in _columns(version, names):
        for found in pc.value_counts(table[names[0]]):
            key, count = found["values"].as_py(), found["counts"].as_py()
            total[key] = total.get(key, 0) + count
    return total


def _by_continent(codes: dict[str | None, int]) -> dict[str | None, int]:
    # the file and not the module, because tables are a floor below boundaries
    countries = pq.read_table(_COUNTRIES, columns=["code", "continent"])
    continents = dict(
        zip(countries["code"].to_pylist(), countries["continent"].to_pylist(), strict=True)
    )
    total: dict[str | None, int] = {}
    for code, count in codes.items():
        name = continents.get(code) if code else None
        total[name] = total.get(name, 0) + count
    return total


def _section(heading: str, version: TableVersion, counts: dict[str | None, int]) -> str:
    ranked = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0] is None, str(kv[0])))
    rows = [
        ("(none)" if key is None else str(key), f"{n:,}", f"{n / max(version.rows, 1):.2%}")
        for key, n in ranked[:_MOST]
    ]
    rest = sum(n for _, n in ranked[_MOST:])
    if rest:
        share = f"{rest / version.rows:.2%}"
        rows.append((f"{len(ranked) - _MOST} others", f"{rest:,}", share))
    return f"## {heading}\n\n" + _table((heading.lower(), "rows", "share"), rows)


def _schema_rows(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(field.name, f"`{field.type}`") for field in schema]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return "| " + " | ".join(escaped) + " |"


def _heading(key: str) -> str:
    return key.replace("_", " ").replace("\n", " ").capitalize()


def _value(value: Any) -> str:
    if isinstance(value, str | int | float | bool):
        return str(value)
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return f"```json\n{text}\n```"
