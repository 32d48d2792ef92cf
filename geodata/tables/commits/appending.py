"""An append to a table of ours, committed without the Delta library, which lists the whole log.

It is the transaction that Delta Lake describes: a commit file of the next number, whole, put there
only if nobody was first (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Atomicity").
The name is given with link(2), as it fails where there is one; the library's own commits do too.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from deltalake.exceptions import CommitFailedError

import geodata
from geodata.tables import log
from geodata.tables.data_files import DataFile, now_ms
from geodata.tables.log import KEY, LOG

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without links answer."""


def commit(
    root: Path, version: int, written: Sequence[DataFile], payload: str, identity: str
) -> bool:
    """Make files the next version behind one; False where the file system has no links.

    Parameters
    ----------
    payload
        Of the commit, JSON, with its identity in it.

    Raises
    ------
    CommitFailedError
        If another version came first.
    OSError
        If there is no room, or the folder cannot be written.
    """
    log.refuse_fork(root)
    folder = root / LOG
    target = folder / f"{version + 1:020}.json"
    beside = folder / f"_commit_{uuid.uuid4().hex}.json.tmp"
    try:
        _write_new(beside, _text(written, payload))
        os.link(beside, target)
    except FileExistsError as error:
        if identity not in target.read_text(encoding="utf-8", errors="replace"):
            msg = f"version {version + 1} is there"
            raise CommitFailedError(msg) from error
    except FileNotFoundError as error:  # the folder was exchanged: rows were forgotten
        raise CommitFailedError(str(error)) from error
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    finally:
        beside.unlink(missing_ok=True)
    return True


def _write_new(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _text(written: Sequence[DataFile], payload: str) -> str:
    now = now_ms()
    info = {
        "timestamp": now,
        "operation": "WRITE",
        "operationParameters": {"mode": "Append", "partitionBy": "[]"},
        "engineInfo": f"geodata/{geodata.__version__}",
        KEY: payload,
    }
    adds = [
        {"path": file.name, "partitionValues": {}, "size": file.size, "modificationTime": now,
         "dataChange": True, "stats": file.stats}
        for file in written
    ]  # fmt: skip
    actions = [{"commitInfo": info}, *({"add": add} for add in adds)]
    return "".join(json.dumps(action, ensure_ascii=False) + "\n" for action in actions)
