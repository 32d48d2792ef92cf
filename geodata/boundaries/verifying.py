"""Is a set what its maker wrote? Every byte of every file, the provenance included.

``PROVENANCE.json`` names each file with its SHA-256 and carries a ``seal``: the SHA-256 of its own
text without that line. So a change anywhere in the folder is found.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from geodata import files
from geodata.boundaries.schema import COUNTRIES, INDEX, PROVENANCE, UNITS
from geodata.files import FileError


def is_set(folder: Path) -> bool:
    """Tell whether a folder holds a boundary set, whole or damaged."""
    return any((folder / file).is_file() for file in (PROVENANCE, INDEX, COUNTRIES))


def sealed(record: dict[str, Any]) -> str:
    """Return the text of a provenance: JSON with the SHA-256 of the rest of it as its seal.

    Examples
    --------
    >>> json.loads(sealed({"name": "mine"}))["seal"][:8]
    '9d797dfd'
    """
    plain = {key: value for key, value in record.items() if key != "seal"}
    seal = hashlib.sha256(_text(plain).encode()).hexdigest()
    return _text({**plain, "seal": seal})


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def verify_set(folder: str | os.PathLike[str]) -> list[str]:
    """Return what is wrong with the files of a set, compared with its provenance; [] if nothing.

    Raises
    ------
    FileError
        If the folder holds no set.

    Examples
    --------
    >>> from geodata.boundaries import available
    >>> verify_set(available()["bundled"])
    []
    """
    folder = Path(folder)
    if not is_set(folder):
        msg = f"{folder}: not a boundary set; make one with 'geodata boundaries build'"
        raise FileError(msg)
    try:
        text = (folder / PROVENANCE).read_bytes().decode()
        record = json.loads(text)
        intact = sealed(record) == text
        outputs = {name: entry["sha256"] for name, entry in record["outputs"].items()}
    except FileNotFoundError:
        return [f"{PROVENANCE} is missing"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return [f"{PROVENANCE} is damaged: {type(error).__name__}"]
    problems = [] if intact else [f"{PROVENANCE} does not match its seal"]
    problems += [
        f"{name} is not named in it" for name in (COUNTRIES, UNITS, INDEX) if name not in outputs
    ]
    for name, digest in outputs.items():
        if not (folder / name).is_file():
            problems.append(f"{name} is missing")
        elif files.sha256(folder / name) != digest:
            problems.append(f"{name} does not match its SHA-256")
    strangers = {path.name for path in folder.iterdir()} - {*outputs, PROVENANCE}
    problems += [f"{name} is no file of the set" for name in sorted(strangers)]
    return problems
