"""Whether a file that is hashed and read was written in between."""

from __future__ import annotations

from pathlib import Path


def seen(path: Path | None) -> tuple[int, ...] | None:
    """Return what the system says of a file: time, size and number; None where there is none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     before = seen(Path(file.name))
    ...     _ = file.write(b"more")
    ...     file.flush()
    ...     before == seen(Path(file.name))
    False
    """
    if path is None or not path.is_file():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
