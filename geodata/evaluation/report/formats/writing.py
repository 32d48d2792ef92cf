"""Write reports to files; a file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence

from geodata import files
from geodata.evaluation.report.contents import of_comparison, of_evaluation, of_models
from geodata.evaluation.report.formats.html import fragment, page, to_html
from geodata.evaluation.report.formats.markdown import text_of, to_markdown
from geodata.evaluation.scores import Comparison, Evaluation, Models


def write_html(result: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write `to_html`."""
    files.write_text(path, to_html(result))


def write_markdown(
    result: Evaluation, path: str | os.PathLike[str], *, by: Sequence[str] | None = None
) -> None:
    """Write `to_markdown`."""
    files.write_text(path, to_markdown(result, by=by))


def comparison_html(found: Comparison) -> str:
    """Return two files as one self-contained HTML page."""
    return page(of_comparison(found), {})


def notebook_html(found: Evaluation | Comparison | Models) -> str:
    """Return a result as a notebook shows it: HTML without pictures, in the notebook's style."""
    if isinstance(found, Evaluation):
        return fragment(of_evaluation(found))
    return fragment(of_comparison(found) if isinstance(found, Comparison) else of_models(found))


def models_html(found: Models) -> str:
    """Return many models as one self-contained HTML page."""
    return page(of_models(found), {})


def models_markdown(found: Models) -> str:
    """Return many models as Markdown tables."""
    return text_of(of_models(found))


def write_json(result: Evaluation | Comparison | Models, path: str | os.PathLike[str]) -> None:
    """Write a result's JSON."""
    files.write_text(path, result.to_json())
