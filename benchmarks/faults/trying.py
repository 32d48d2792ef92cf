"""A copy of the project in which one fault after another is made, tried and taken back."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NoReturn

from faults.fault import Fault

ROOT = Path(__file__).resolve().parents[2]
SLOW_TO_IMPORT = (
    "duckdb",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "shapely",
    "rich.progress",
    "typer",
    "transformers.models.qwen2_5_vl.modeling_qwen2_5_vl",
    "peft",
    "trl.trainer.grpo_trainer",
    "trl.trainer.sft_trainer",
)
LOADED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
FAILED = re.compile(rb"^(?:FAILED|ERROR) (\S+)", re.M)
SOME_FAILED, NOT_FOUND, FOUND_NOTHING = 1, 4, 5
"""What pytest exits with if tests failed, a name that it was given is no test, or nothing is."""


def copied(root: Path, folder: Path) -> Path:
    """Return a copy of what git knows and does not ignore; real data beside it stays reachable."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    copy = folder / "tree"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    shared = root.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared)
    return copy


def loaded_once() -> None:
    """Import what is slow to import and not ours, so that each try starts with it."""
    sys.path[:] = [path for path in sys.path if Path(path).name != "benchmarks"]
    for name in SLOW_TO_IMPORT:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def pytest(copy: Path, *arguments: str, timeout: float | None = None, **env: str) -> tuple:
    """Return exit status and output of pytest in a copy, run by a fork of this process.

    Raises
    ------
    TimeoutError
        If it takes that much of the processor, or waits ten times as long; it and what it started
        are ended. Seconds of the clock alone would blame a loaded machine on the fault.
    """
    words = ["-q", "-p", "no:cacheprovider", "-m", "not slow", "-W", LOADED, *arguments]
    with tempfile.TemporaryFile() as output:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            _become(copy, words, output.fileno(), env, timeout)
        until = time.monotonic() + 10.0 * (timeout or math.inf)
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.killpg(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
                break
            time.sleep(0.05)
        status = os.waitstatus_to_exitcode(ended[1])
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            msg = f"pytest took more than {timeout} s"
            raise TimeoutError(msg)
        output.seek(0)
        return status, output.read()


def _become(
    copy: Path, words: list[str], output: int, env: dict[str, str], timeout: float | None
) -> NoReturn:
    """Be what ``python -m pytest`` in the copy would be, also to processes that a test spawns."""
    status = 1
    try:
        os.setsid()
        if timeout:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(timeout), resource.RLIM_INFINITY))
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(copy)
        os.environ.update(env, PYTHONPATH=str(copy))
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in env
        sys.path[:] = [str(copy), *(p for p in sys.path if Path(p).resolve() != ROOT)]
        sys.argv[:] = ["pytest", *words]
        sys.modules["__main__"].__spec__ = importlib.util.find_spec("pytest.__main__")
        status = int(importlib.import_module("pytest").main(words))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def noticed_by(copy: Path, fault: Fault, tests: list[str], timeout: float) -> str | None:
    """Return which test fails with a fault, ``"timeout"``, or None if all pass.

    Raises
    ------
    RuntimeError
        If the tests cannot be run without the fault.
    """
    target, listed = copy / fault.file, copy / "tests.args"
    whole, stat = target.read_text(encoding="utf-8"), target.stat()
    listed.write_text("\n".join(tests), encoding="utf-8")
    target.write_text(fault.applied(whole), encoding="utf-8")
    try:  # no bytecode: that of the fault would be taken for the file's
        status, output = pytest(
            copy, "-x", f"@{listed}", timeout=timeout, PYTHONDONTWRITEBYTECODE="1"
        )
    except TimeoutError:
        return "timeout"
    finally:
        target.write_text(whole, encoding="utf-8")
        os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    if status == 0:
        return None
    if status in (NOT_FOUND, FOUND_NOTHING):
        status, told = pytest(copy, "--collect-only", f"@{listed}")
        if status:
            msg = f"the tests for {fault.file} cannot be run: {told.decode()[-500:]}"
            raise RuntimeError(msg)
    found = FAILED.search(output)
    return found[1].decode() if found else f"exit {status}"


def note_calls(copy: Path, calls: Path, tests: list[str]) -> None:
    """Run tests once and note which functions each of them runs, file by file."""
    start = time.perf_counter()
    options = ("-p", "benchmarks.faults.calls")
    status, told = pytest(copy, *options, *tests, GEODATA_CALLS=str(calls.resolve()))
    if status > SOME_FAILED or status < 0:
        print(told.decode(errors="replace")[-2000:])
    print(f"functions of {' '.join(tests)} noted in {time.perf_counter() - start:.0f} s")
