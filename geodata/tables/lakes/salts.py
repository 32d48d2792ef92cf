"""The salt of a lake: what is hashed before each author's id.

It lies in the folder ``_private`` of the lake, for its owner's eyes only, and in nothing that is
made from the lake: no table, card, export or history holds it. Who publishes the folder of a lake
as it is leaves ``_private`` out.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from geodata import leakage
from geodata.leakage import Salt
from geodata.tables.errors import TableError

PRIVATE = "_private"
_BYTES = 32


def lake_salt(lake: str | os.PathLike[str], *, make: bool = False) -> Salt | None:
    """Return the salt of a lake; with ``make``, one is drawn where there is none.

    Parameters
    ----------
    lake
        Folder of tables.
    make
        Draw one where there is none. Of two that do so at once, both get the same.

    Raises
    ------
    TableError
        If the file holds no salt, or others may read it.

    Examples
    --------
    >>> import tempfile
    >>> lake = tempfile.TemporaryDirectory()
    >>> lake_salt(lake.name) is None, lake_salt(lake.name, make=True) == lake_salt(lake.name)
    (True, True)
    >>> lake.cleanup()
    """
    file = Path(lake) / PRIVATE / "salt"
    if not file.exists():
        if not make:
            return None
        _draw(file)
    return leakage.marked_salt(_read(file))


def _draw(file: Path) -> None:
    """Make the file whole and for the owner only; another's that came first stays."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, beside = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(_BYTES) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, file)
    finally:
        Path(beside).unlink()


def _read(file: Path) -> bytes:
    if file.stat().st_mode & 0o077:
        msg = f"{file}: others may read the salt of the lake; chmod 600 it"
        raise TableError(msg)
    text = file.read_text(encoding="ascii", errors="replace").strip()
    if len(text) != 2 * _BYTES or set(text) - set("0123456789abcdef"):
        msg = (
            f"{file}: expected {2 * _BYTES} hex digits, which are the lake's salt; put the file "
            "back from a copy of the lake: with another one authors are not those of before"
        )
        raise TableError(msg)
    return bytes.fromhex(text)
