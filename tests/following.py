"""Follow a tutorial word for word: run its commands and code, compare what they print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"


def blocks(name):
    """Return (kind, text) of the code blocks; a text after a command is what it prints."""
    page = (TUTORIALS / name).read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def printed(expected):
    """Return a pattern of an expected output: ... stands for anything."""
    return re.compile(
        ".*".join(re.escape(part) for part in expected.strip().split("...")), re.DOTALL
    )


def follow_python(text, names):
    for line in text.splitlines():
        code, _, comment = line.partition("  # ")
        if not comment:
            exec(line, names)
            continue
        found = repr(eval(code, names))
        assert printed(comment).fullmatch(found), (code, found)


def run_shell(text, smaller=()):
    """Run commands of the shell and return what they print; figures may be made smaller."""
    for large, small in smaller:
        text = text.replace(large, small)
    commands = "".join(
        f'{tool}() {{ {sys.executable} -c "from {tool}.cli import main; main()" "$@"; }}\n'
        for tool in ("geodata", "georl")
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    done = subprocess.run(
        [shutil.which("bash"), "-e", "-c", commands + text],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, (text, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def follow(name, smaller=()):
    """Follow a tutorial in the working directory, and return what each command block printed."""
    names, told, all_told = {}, None, []
    for kind, text in blocks(name):
        if kind == "python":
            follow_python(text, names)
        elif kind == "sh":
            told = run_shell(text, smaller)
            all_told.append(told)
            continue
        elif kind == "text" and told is not None:
            assert printed(text).fullmatch(told.strip()), told
        told = None
    return all_told
