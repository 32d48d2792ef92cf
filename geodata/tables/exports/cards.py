"""Describe a version for people, as a dataset card with a map."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import geodata
from geodata import files
from geodata.printable import code as as_code, json_text, markdown, printable
from geodata.tables import errors, log
from geodata.tables.exports.mapping import draw_version
from geodata.tables.versions import TableVersion, open_version

_Path = str | os.PathLike[str]
_MOST = 20
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MAP = "map.png"
TASK = "image-to-text"
"""The task that Hugging Face files geolocation by chats under."""
_KNOWN_LICENCES = {
    re.sub(r"[^a-z0-9]", "", name): name
    for name in (
        *("cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-2.0", "cc-by-sa-3.0"),
        *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
        *("cc-by-nc-nd-4.0", "odbl", "mit", "apache-2.0", "pddl"),
    )
}
"""Names of licences that Hugging Face knows, by their letters and digits."""
_ABSOLUTE = re.compile(r"(?:/|~[\\/]|\\\\|[A-Za-z]:[\\/]|file://)")
_COUNTRIES = Path(geodata.__file__).parent / "boundaries" / "bundled" / "countries.parquet"


def card(path: _Path, version: int | str | None = None, *, title: str | None = None) -> str:
    """Return the dataset card of a version: Markdown with the head that Hugging Face reads.

    It names the task, the licence where the note or all rows have one, and counts splits, and
    rows by continent and country, sources and licences where such columns of text are there
    (``split``, ``country_code`` or ``country``, ``continent``, ``source``, ``licence``), and gives
    columns, parameters and lineage from the note, files by their names only, and the content hash.

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
    return _card(open_version(path, version), title, has_map=False)


def write_card(path: _Path, folder: _Path, version: int | str | None = None) -> Path:
    """Write the card of a version as ``README.md``, and its map, into a folder; return the card.

    The folder is made where it does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from geodata import tables
    >>> lake = tempfile.TemporaryDirectory()
    >>> _ = tables.append(lake.name + "/photos", pa.table({"country_code": ["FR", "JP"]}))
    >>> write_card(lake.name + "/photos", lake.name + "/card").name
    'README.md'
    >>> lake.cleanup()
    """
    log.refuse_address(folder)
    opened, out = open_version(path, version), Path(folder)
    with errors.storage(out, "writing the card"):
        out.mkdir(parents=True, exist_ok=True)
        return write_into(opened, out)


def write_into(
    version: TableVersion, folder: Path, exported: Mapping[str, int] | None = None
) -> Path:
    """Write card and map; with the rows of each split that lies in ``data`` beside them."""
    has_map = draw_version(version, folder / _MAP)
    text = _card(version, None, exported, has_map=has_map)
    files.write_text(folder / "README.md", text)
    return folder / "README.md"


def _card(
    version: TableVersion,
    title: str | None,
    exported: Mapping[str, int] | None = None,
    *,
    has_map: bool,
) -> str:
    name = title or version.path.name
    parts = [_head(version, name, exported), f"# {markdown(name)}", _facts(version)]
    if has_map:
        parts.append(f"![Where the rows are, on a world map]({_MAP})")
    parts += _counts(version)
    parts.append("## Columns\n\n" + _table(("column", "type"), _schema_rows(version.schema)))
    for key, value in without_folders(version.note).items():
        parts.append(f"## {_heading(key)}\n\n{_value(value)}")
    return "\n\n".join(parts) + "\n"


def _head(version: TableVersion, name: str, exported: Mapping[str, int] | None) -> str:
    size = next((text for limit, text in _SIZES if version.rows < limit), "n>1M")
    lines = ["---", f"pretty_name: {json.dumps(name)}", "size_categories:", f"- {size}"]
    lines += ["task_categories:", f"- {TASK}", "tags:", "- image-geolocation", "- geospatial"]
    lines += _licence_lines(licences(version))
    if exported is not None:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in exported:
            lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
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
    names = {field.name for field in version.schema if pa.types.is_string(field.type)}
    parts: list[str] = []
    if splits := split_counts(version):
        parts.append(_section("Splits", version, splits))
    country = next((c for c in ("country", "country_code") if c in names), None)
    if "continent" in names:
        parts.append(_section("Continents", version, _count(version, ["continent"])))
    elif "country_code" in names:
        found = _count(version, ["country_code"])
        parts.append(_section("Continents", version, _by_continent(found)))
    if country:
        parts.append(_section("Countries", version, _count(version, [country])))
    for column, heading in (("source", "Sources"), ("licence", "Licences"), ("status", "Status")):
        if column in names:
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
        ("(none)" if key is None else markdown(key), f"{n:,}", f"{n / max(version.rows, 1):.2%}")
        for key, n in ranked[:_MOST]
    ]
    rest = sum(n for _, n in ranked[_MOST:])
    if rest:
        share = f"{rest / version.rows:.2%}"
        rows.append((f"{len(ranked) - _MOST} others", f"{rest:,}", share))
    return f"## {heading}\n\n" + _table((heading.lower(), "rows", "share"), rows)


def _schema_rows(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(markdown(field.name), as_code(field.type)) for field in schema]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _heading(key: str) -> str:
    return markdown(key.replace("_", " ").capitalize())


def _value(value: Any) -> str:
    if isinstance(value, str | int | float | bool):
        return markdown(value)
    text = json_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
    return f"```json\n{text}\n```"


def split_counts(version: TableVersion) -> dict[str | None, int]:
    """Return the rows of each value of a text column ``split``; none where nothing says so."""
    if "split" not in version.schema.names:
        return {}
    if not pa.types.is_string(version.schema.field("split").type):
        return {}
    counts = _count(version, ["split"])
    return {} if set(counts) <= {None} else counts


def licences(version: TableVersion) -> list[str]:
    """Return the licences of the rows, those that most have first; else that of the note."""
    said = version.note.get("licence") or version.note.get("license")
    if isinstance(said, str):
        return [said]
    if "licence" not in version.schema.names:
        return []
    if not pa.types.is_string(version.schema.field("licence").type):
        return []
    counts = {k: n for k, n in _count(version, ["licence"]).items() if k}
    return sorted(counts, key=lambda name: (-counts[name], name))[:_MOST]


def _licence_lines(found: Sequence[str]) -> list[str]:
    if not found:
        return []
    known = _KNOWN_LICENCES.get(re.sub(r"[^a-z0-9]", "", found[0].lower()))
    if len(found) == 1 and known:
        return [f"license: {known}"]
    return [
        "license: other",
        f"license_name: {json.dumps(printable(', '.join(found)), ensure_ascii=False)}",
    ]


def committed(version: TableVersion) -> datetime:
    """Return when a version was committed, UTC."""
    return log.committed_at(log.commits(version.path, version.version)[-1])


def without_folders(value: Any) -> Any:
    """Return JSON whose absolute paths are cut to their last name: a card tells no home folder.

    Examples
    --------
    >>> without_folders({"file": "/home/me/preds.csv", "by": ["lat/lon"]})
    {'file': 'preds.csv', 'by': ['lat/lon']}
    """
    if isinstance(value, Mapping):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_folders(item) for item in value]
    if isinstance(value, str) and _ABSOLUTE.match(value):
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1] or value
    return value
