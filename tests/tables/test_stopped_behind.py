"""What stops a writer behind the moment in which its version is made takes no file of it away."""

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from geodata import tables
from geodata.tables import log
from geodata.tables.commits import attempts, tidying
from geodata.tables.log import checkpoints


def rows(*values):
    return pa.table({"a": list(values)})


@pytest.fixture
def path(tmp_path):
    for n in range(3):
        tables.append(tmp_path / "t", rows(n))
    return tmp_path / "t"


def stop(monkeypatch, module, name, error):
    """Raise an error in place of a step, once."""
    step, left = getattr(module, name), [error]

    def stopped(*given, **more):
        if left:
            raise left.pop()
        return step(*given, **more)

    monkeypatch.setattr(module, name, stopped)


STOPS = (KeyboardInterrupt(), SystemExit(143), MemoryError(), OSError(28, "No space left"))
WRITERS = {
    "append": (lambda path: tables.append(path, rows(7)), [0, 1, 2, 7]),
    "write": (lambda path: tables.write(path, rows(7)), [7]),
    "compact": (tables.compact, [0, 1, 2]),
}


@pytest.mark.parametrize("error", STOPS, ids=repr)
@pytest.mark.parametrize("step", ["seal", "keep_short"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_version_that_was_made_keeps_its_files(path, monkeypatch, writer, step, error):
    call, held = WRITERS[writer]
    stop(monkeypatch, attempts.log, step, error)
    with pytest.raises(type(error)):
        call(path)
    opened = tables.open(path)
    assert (opened.version, opened.arrow()["a"].to_pylist()) == (3, held)
    assert tables.append(path, rows(9)) == 4  # seals the one before, too
    assert tables.verify(path).problems == ()


@pytest.mark.parametrize("error", STOPS, ids=repr)
@pytest.mark.parametrize("writer", WRITERS)
def test_files_of_a_version_that_was_not_made_go(path, monkeypatch, writer, error):
    before = {file.name for file in path.iterdir()}
    stop(monkeypatch, attempts, "_check_there", error)
    with pytest.raises((type(error), tables.TableError)):
        WRITERS[writer][0](path)
    assert {file.name for file in path.iterdir()} == before
    assert tables.open(path).version == 2


def failing_behind(monkeypatch, path, is_plain, error):
    """Raise an error behind the one call that makes the version, of either way to make one."""
    if is_plain:  # read from a checkpoint, written without the library
        log.checkpoint(path)
    owner, name = (
        (attempts.appending, "commit") if is_plain else (DeltaTable, "create_write_transaction")
    )
    makes, calls = getattr(owner, name), []

    def failing(*given, **more):
        calls.append(makes(*given, **more))
        raise error

    monkeypatch.setattr(owner, name, failing)
    return calls


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
@pytest.mark.parametrize("is_plain", [True, False])
def test_who_stops_a_writer_in_its_commit_is_heard(path, monkeypatch, is_plain, error):
    """The commit was made, and yet the program is to end."""
    calls = failing_behind(monkeypatch, path, is_plain, error)
    with pytest.raises(type(error)):
        tables.append(path, rows(7))
    assert len(calls) == 1
    assert tables.open(path).arrow()["a"].to_pylist() == [0, 1, 2, 7]


@pytest.mark.parametrize("error", [OSError(5, "the answer was lost"), DeltaError("lost")], ids=repr)
@pytest.mark.parametrize("is_plain", [True, False])
def test_a_commit_that_failed_behind_its_end_is_a_version(path, monkeypatch, is_plain, error):
    calls = failing_behind(monkeypatch, path, is_plain, error)
    assert tables.append(path, rows(7)) == 3
    assert len(calls) == 1
    assert tables.open(path).arrow()["a"].to_pylist() == [0, 1, 2, 7]


@pytest.mark.parametrize("error", STOPS, ids=repr)
def test_appends_that_put_files_together_keep_them_too(path, monkeypatch, error):
    monkeypatch.setattr(tidying, "MANY", 4)
    monkeypatch.setattr(log, "is_due", lambda version: True)
    seal, calls = attempts.log.seal, []

    def second(*given):
        calls.append(given)
        if len(calls) == 2:  # of the version that puts them together
            raise error
        return seal(*given)

    monkeypatch.setattr(attempts.log, "seal", second)
    if isinstance(error, OSError):  # left to the next append
        assert tables.append(path, rows(7)) == 3
    else:
        with pytest.raises(type(error)):
            tables.append(path, rows(7))
    opened = tables.open(path)
    assert (opened.version, len(opened.files)) == (4, 1)
    assert opened.arrow()["a"].to_pylist() == [0, 1, 2, 7]


@pytest.mark.parametrize("step", ["seal_file", "break_seal"])
def test_a_checkpoint_that_is_stopped_leaves_no_seal_of_another(path, monkeypatch, step):
    tables.checkpoint(path)
    tables.append(path, rows(7))
    stop(monkeypatch, checkpoints.seals, step, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        tables.checkpoint(path)
    assert tables.verify(path).problems == ()
    assert tables.checkpoint(path) == 3
    assert (path / log.SEALS / f"{log.HINT}.sha256").is_file()
    assert tables.verify(path).problems == ()
    assert tables.open(path).arrow()["a"].to_pylist() == [0, 1, 2, 7]
