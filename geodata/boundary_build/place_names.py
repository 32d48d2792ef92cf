"""Build the name index of the bundled places: the key of every name, hashed and sorted.

``places_keys.bin`` is a `geodata.files.ArrayFile`. ``key`` holds in ascending order the 40-bit
BLAKE2b hash of each name's key (`geodata.gazetteer.text.key`), ``place`` beside it
``2 * index`` of the place in `geodata.places.Places`, plus 1 if it is not the place's own name.
Half a million names make a wrong hit by chance one in 10^13 queries.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata import files
from geodata.files import ArrayFile, load_arrays, save_arrays
from geodata.gazetteer import KEYS_FILE, hashed, key, places_identity
from geodata.places import Places


def write(folder: str | os.PathLike[str]) -> Path:
    """Write ``places_keys.bin`` from the two files of places beside it; return its path.

    Raises
    ------
    FileError
        If they are missing or were not made from the same source.
    """
    folder = Path(folder)
    places = Places.load(folder / "places.bin")
    other = load_arrays(folder / "places_names.bin")
    if other.meta["source"] != places.file.meta["source"]:
        msg = f"{folder}: places.bin and places_names.bin differ in their source; build both"
        raise files.FileError(msg)
    entries: dict[tuple[int, int], None] = {}
    for index, name in enumerate(places.names.to_pylist()):
        entries[hashed(key(name)), 2 * index] = None
    own = {(code, place // 2) for code, place in entries}
    for index, names in zip(other.arrays["place"].tolist(), _texts(other), strict=True):
        for code in {hashed(key(name)) for name in names if key(name)}:
            if (code, index) not in own:
                entries[code, 2 * index + 1] = None
    table = np.array(sorted(entries), np.uint64).reshape(-1, 2)
    columns = {"key": table[:, 0].astype("<u8"), "place": table[:, 1].astype("<i4")}
    meta = {"kind": "place keys", "places": places_identity(places)}
    save_arrays(folder / KEYS_FILE, columns, meta)
    return folder / KEYS_FILE


def _texts(file: ArrayFile) -> list[list[str]]:
    start: NDArray[np.int32] = file.arrays["names_start"]
    text = file.arrays["names_utf8"].tobytes()
    return [
        text[a:b].decode().split("\n")
        for a, b in zip(start[:-1].tolist(), start[1:].tolist(), strict=True)
    ]
