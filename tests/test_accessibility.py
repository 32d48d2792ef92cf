"""axe-core finds no serious fault on what we write as HTML, in light and dark, desk and phone."""

import numpy as np
import pytest

from geodata import evaluation
from geodata.evaluation import report
from tests.evaluation.report.cases import tables as rows_of_ten_cities
from tests.test_site import script

pytest.importorskip("axe_playwright_python", reason="it is part of the development tools")
PROGRAM = script("check_access").browser()
if PROGRAM is None:
    pytest.skip("no browser is installed", allow_module_level=True)


def faults(*pages):
    return list(script("check_access").faults(pages, PROGRAM))


@pytest.fixture(scope="module")
def scored():
    """A result with everything that a report can show."""
    truth, preds = rows_of_ten_cities(np.random.default_rng(7))
    result = evaluation.evaluate(
        preds, truth, by=("country", "author"), cluster="author", benchmark="im2gps3k"
    )
    other = preds.set_column(1, "lat", preds["lon"])
    return truth, preds, other, result


def test_reports_of_scores(scored, tmp_path):
    truth, preds, other, result = scored
    pages = [tmp_path / name for name in ("report.html", "compared.html", "table.html")]
    report.write_html(result, pages[0])
    pages[1].write_text(evaluation.compare(preds, other, truth).to_html())
    pages[2].write_text(evaluation.table({"one": preds, "two": other}, truth).to_html())
    assert faults(*pages) == []


def test_faults_are_found(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<!doctype html><html lang=en><title>a</title><main><h1>a</h1><img src='data:,'>"
        "<div style='width:700px'>wide</div><p style='color:#999'>pale</p></main></html>"
    )
    found = faults(page)
    assert any("image-alt (critical)" in line for line in found)
    assert any("color-contrast (serious)" in line for line in found)
    assert any("390 px: the page is 7" in line for line in found)
