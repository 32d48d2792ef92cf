"""What machines read of an exported dataset: its files, columns and origin, as Croissant 1.0.

Croissant is a vocabulary on schema.org for machine-learning datasets.
https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from geodata import files
from geodata.printable import json_text
from geodata.tables.exports import cards
from geodata.tables.versions import TableVersion

NAME = "croissant.json"

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_PARQUET = "application/x-parquet"


def write(version: TableVersion, folder: Path, written: Mapping[str, Sequence[Path]]) -> Path:
    """Write ``croissant.json`` beside the files of an export, given by split; return it."""
    text = json.dumps(_document(version, folder, written), indent=2, ensure_ascii=False)
    files.write_text(folder / NAME, json_text(text) + "\n")
    return folder / NAME


def _document(
    version: TableVersion, folder: Path, written: Mapping[str, Sequence[Path]]
) -> dict[str, Any]:
    name = version.path.name
    licences = cards.licences(version)
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": name,
        "description": (
            f"{version.rows:,} rows of the table {name}, version {version.version}, content hash "
            f"{version.content_hash}."
        ),
        "license": licences or ["unknown: the rows and the note of the version name none"],
        "url": f"urn:sha256:{version.content_hash}",
        "version": f"{version.version}.0.0",
        "datePublished": cards.committed(version).date().isoformat(),
        "keywords": ["image geolocation", "geospatial"],
        "isLiveDataset": False,
        "rai:dataCollection": json.dumps(
            cards.without_folders(version.note), ensure_ascii=False, sort_keys=True
        ),
        "rai:personalSensitiveInformation": [
            "Coordinates tell where a photo was taken, and so where its photographer was."
        ],
        "distribution": [
            part for split, paths in written.items() for part in _distribution(split, paths, folder)
        ],
        "recordSet": [
            _records(split, paths, version.schema) for split, paths in written.items() if paths
        ],
    }


def _distribution(split: str, paths: Sequence[Path], folder: Path) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": path.relative_to(folder).as_posix(),
            "name": path.name,
            "contentUrl": path.relative_to(folder).as_posix(),
            "contentSize": f"{path.stat().st_size} B",
            "encodingFormat": _PARQUET,
            "sha256": files.sha256(path),
        }
        for path in paths
    ]
    if len(parts) > 1:
        parts.append(
            {
                "@type": "cr:FileSet",
                "@id": f"files-{split}",
                "name": f"files-{split}",
                "encodingFormat": _PARQUET,
                "includes": f"data/{split}-*.parquet",
            }
        )
    return parts


def _records(split: str, paths: Sequence[Path], schema: pa.Schema) -> dict[str, Any]:
    source = {"fileObject": {"@id": f"data/{paths[0].name}"}}
    if len(paths) > 1:
        source = {"fileSet": {"@id": f"files-{split}"}}
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The rows of the split {split}.",
        "field": [_field(split, one, source) for one in schema],
    }


def _field(split: str, column: pa.Field, source: dict[str, Any]) -> dict[str, Any]:
    kind = column.type
    found: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{split}/{column.name}",
        "name": column.name,
        "description": f"Column {column.name}, {kind}.",
        "dataType": _data_type(kind.value_type if pa.types.is_list(kind) else kind),
        "source": {**source, "extract": {"column": column.name}},
    }
    if pa.types.is_list(kind):
        found["repeated"] = True
    return found


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "sc:Float"
    if pa.types.is_timestamp(kind):
        return "sc:DateTime"
    return "sc:Date" if pa.types.is_date(kind) else "sc:Text"
