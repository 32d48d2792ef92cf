"""axe-core finds no serious fault on what we write as HTML, in light and dark, desk and phone."""

import importlib.util

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor, evaluation, maps, tables
from geodata.evaluation import report
from georl import calibration
from georl.demo.telling import page as demo_page, pictures
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


def test_pages_of_training_and_maps(tmp_path):
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(-10, 40, 40)
    km = rng.uniform(10, 3000, 40)
    stages = [
        pictures.Stage(name, np.exp(-km / 800), km, np.column_stack([lat, lon, lat + 3, lon]))
        for name in ("after SFT", "after GRPO")
    ]
    drawn = [tmp_path / "light.png", tmp_path / "dark.png"]
    for path in drawn:
        pictures.draw(stages, np.full(40, 0.05), km * 3, path, dark=path.stem == "dark")
    parts = [
        "It learnt.",
        demo_page.Picture(*drawn, "Rewards and maps"),
        demo_page.Heading("Scores"),
        demo_page.Table(["run", "median km"], [["SFT", "190"]]),
        demo_page.Points("Gains:", ["a", "b"]),
    ]
    bins = [calibration.Bin(0.0, 0.5, rows=40, said=0.3, was=0.25)]
    one = calibration.reliability_svg(bins) + calibration.grid(("judge", "AUC"), [("tiny", "0.8")])
    pages = {
        "training.html": demo_page.html_page("georl demo", parts),
        "calibration.html": calibration.document("Calibration", one),
    }
    for name, text in pages.items():
        (tmp_path / name).write_text(text)
    found = [tmp_path / name for name in pages]
    if importlib.util.find_spec("bokeh"):  # an extra
        counts = maps.count_cells(lat, lon)
        counts[200, 300] = 70
        found.append(tmp_path / "map.html")
        maps.write_page(found[-1], "map", counts, counts > 1, "near")
    assert faults(*found) == []


def test_tables_that_a_notebook_shows(tmp_path):
    rows = pa.table({"photo_id": ["a"]})
    tables.append(tmp_path / "photos", rows, note={"source": {"name": "a.csv"}})
    shown = [tables.history(tmp_path / "photos"), cor.label(48.8584, 2.2945)]
    body = "<h2>Shown</h2>".join(one._repr_html_() for one in shown)
    page = tmp_path / "notebook.html"
    page.write_text(
        "<!doctype html><html lang=en><meta name=viewport content='width=device-width'>"
        "<style>:root{color-scheme:light dark}div{overflow-x:auto}</style><title>a</title>"
        f"<main><h1>Notebook</h1><div tabindex=0>{body}</div></main></html>"
    )
    assert faults(page) == []
