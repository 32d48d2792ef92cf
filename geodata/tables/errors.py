"""What can go wrong with a versioned table, each its own type, all of them `TableError`."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from geodata.errors import GeodataError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CODE = re.compile(r"os error (\d{1,4})\)")


class TableError(GeodataError, ValueError):
    """A versioned table cannot do what was asked."""


class TableNotFoundError(TableError):
    """There is no table at the path."""


class VersionNotFoundError(TableError):
    """The table has no such version or tag."""


class TableChangedError(TableError):
    """Files of a version are gone or are not what was committed."""


class TableSchemaError(TableError):
    """Columns do not fit the table, or no table can hold them."""


class TableConflictError(TableError):
    """Other writers kept committing first."""


class StorageFullError(TableError):
    """The disk or a quota is full, or a file size limit was reached; nothing was committed."""


@contextlib.contextmanager
def storage(path: Path, doing: str, passing: Sequence[BaseException] = ()) -> Iterator[None]:
    """Turn a full disk into `StorageFullError`; everything else passes, and ``passing`` too."""
    try:
        yield
    except TableError:
        raise
    except Exception as error:
        if not is_full(error) or any(error is known for known in passing):
            raise
        lines = str(error).splitlines()
        reason = next((line for line in lines if "os error" in line), lines[0]).strip()
        msg = (
            f"{path}: no room left while {doing} ({reason}); the table is as it was before: "
            "free space or choose another disk, then try again"
        )
        raise StorageFullError(msg) from error


def is_full(error: BaseException) -> bool:
    """Return whether an error of Python or of the Delta library means a full disk."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(int(code) in _FULL for code in _CODE.findall(str(error)))
