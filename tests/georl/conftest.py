"""The georl program, as a person runs it."""

import sys

import pytest

from georl import cli


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command as a person does; return its status and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/georl", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        found = capsys.readouterr()
        code = stop.value.code
        return (1, found.out, f"{code}\n") if isinstance(code, str) else (code, *found)

    return run
