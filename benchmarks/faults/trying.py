"""A copy of the project in which one fault after another is made, tried and taken back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from faults.fault import Fault

FAILED = re.compile(rb"^(?:FAILED|ERROR) (\S+)", re.M)
NOT_FOUND, FOUND_NOTHING = 4, 5
"""What pytest exits with if a name that it was given is no test, or nothing is."""


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


def pytest(copy: Path, *arguments: str, timeout: float | None = None, **env: str) -> tuple:
    """Return exit status and output of pytest in a copy."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow",
            *arguments,
        ],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
    )
    return done.returncode, done.stdout


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
    except subprocess.TimeoutExpired:
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
    pytest(copy, "-p", "benchmarks.faults.calls", *tests, GEODATA_CALLS=str(calls.resolve()))
    print(f"functions of {' '.join(tests)} noted in {time.perf_counter() - start:.0f} s")
