"""Locks of folders where the file system has none, or refuses them."""

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest

from geodata import tables
from geodata.tables.log import locking

fcntl = pytest.importorskip("fcntl")


def handles():
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_where_folders_cannot_be_locked_all_goes_on(tmp_path, monkeypatch, number):
    def refuses(*_):
        raise OSError(number, "no locks here")

    tables.append(tmp_path / "t", pa.table({"n": [1]}))
    monkeypatch.setattr(fcntl, "flock", refuses)
    before = handles() if Path("/proc/self/fd").is_dir() else 0
    for _ in range(3):
        assert not locking.is_held(tmp_path / "t")
        with locking.alone(tmp_path / "t"):
            assert not locking.is_held(tmp_path / "t")
    assert before == 0 or handles() == before
    assert locking._handles == set()
    assert tables.append(tmp_path / "t", pa.table({"n": [2]})) == 1
    assert tables.verify(tmp_path / "t").ok


def test_asking_and_waiting_leave_no_file_open(tmp_path, monkeypatch):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("the system does not tell which files are open")
    monkeypatch.setattr(locking, "PATIENCE_S", 0.02)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    before = handles()
    for _ in range(3):
        assert locking.is_held(tmp_path)
        with pytest.raises(tables.TableConflictError), locking.alone(tmp_path):
            pass
    assert handles() == before
    os.close(handle)
    with locking.alone(tmp_path):
        assert handles() == before
    assert handles() == before - 1
