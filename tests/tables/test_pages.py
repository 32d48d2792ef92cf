"""The pages about private, published and shared lakes, followed word for word."""

import shutil
import subprocess
import sys

import pytest

from tests.boundaries.test_tutorials import blocks, printed


@pytest.mark.parametrize("name", ["private-lake.md", "published-lake.md", "shared-sql.md"])
def test_the_page_works_word_for_word(tmp_path, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("GEODATA_SALT", raising=False)
    found = blocks(name)
    assert {kind for kind, _ in found} == {"sh", "text"}
    for (kind, text), (after, expected) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind != "sh":
            continue
        script = f'geodata() {{ {sys.executable} -m geodata "$@"; }}\n{text}'
        done = subprocess.run(
            [shutil.which("bash"), "-e", "-c", script], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, (text, done.stderr)
        if after == "text":
            shown = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
            assert printed(expected).fullmatch(shown), (text, shown)
