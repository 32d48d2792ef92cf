"""Sessions with the command line, whole: no word that is told or written changes unseen."""

import pytest
import typer

from .whole import GOLDEN, SESSIONS, session


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_reads_as_it_did(name):
    known = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    if name == "helps" and not known.startswith(f"# typer {typer.__version__}\n"):
        pytest.skip("another version of Typer draws other pages of help")
    assert session(name).splitlines() == known.splitlines(), (
        "python -m tests.cli.whole writes the sessions anew; read what changed"
    )
