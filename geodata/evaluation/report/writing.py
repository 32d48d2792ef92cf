"""Write reports to files; a file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence

from geodata import files
from geodata.evaluation.report.html import to_html
from geodata.evaluation.report.markdown import to_markdown
from geodata.evaluation.scores import Comparison, Evaluation


def write_html(result: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write `to_html`."""
    files.write_text(path, to_html(result))


def write_markdown(
    result: Evaluation, path: str | os.PathLike[str], *, by: Sequence[str] | None = None
) -> None:
    """Write `to_markdown`."""
    files.write_text(path, to_markdown(result, by=by))


def write_json(result: Evaluation | Comparison, path: str | os.PathLike[str]) -> None:
    """Write a result's JSON."""
    files.write_text(path, result.to_json())
