"""The picture of what was learnt, and the page around it, from answers that are made up."""

import base64
import io
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import sphere
from georl.demo.arms import MAIN
from georl.demo.telling import page, pictures, report, verdict

ROWS = 60


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The parts of a report on answers that GRPO brought nearer, three of them missing."""
    output = tmp_path_factory.mktemp("demo")
    (output / "data").mkdir()
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-30, 60, ROWS), rng.uniform(-10, 45, ROWS)
    ids = [str(i) for i in range(ROWS)]
    truth = output / "data" / "held-out.parquet"
    pq.write_table(pa.table({"id": ids, "lat": lat, "lon": lon}), truth)
    scores = {}
    for arm, off in zip(MAIN, (4.0, 1.0)):
        (output / arm.name).mkdir()
        said = [f"Coordinates: ({a + off:.6f}, {b:.6f})" for a, b in zip(lat, lon)]
        missing = np.arange(ROWS) < 3
        answers = pa.table(
            {
                "id": ids,
                "answer": said,
                "lat": pa.array(lat + off, mask=missing),
                "lon": pa.array(lon, mask=missing),
            }
        )
        pq.write_table(answers, output / arm.name / report.PREDICTIONS)
        (output / arm.name / "metrics.jsonl").write_text("")
        scores[arm.name] = report.score(output / arm.name, truth, [answers])
    return output, report.parts(output, MAIN, scores)


def test_the_report_opens_with_its_verdict_and_then_shows_it(told):
    output, parts = told
    assert parts[0].startswith("SFT learnt where photos are")
    assert isinstance(parts[1], page.Picture)
    text = page.markdown("t", parts)
    assert "](learnt.png)" in text
    assert "- Median error, km, grpo-random minus sft-cor: -334 [" in text
    html = page.html_page("t", parts)
    assert html.index(parts[0][:20]) < html.index("<picture>") < html.index("<table>")
    assert "<script" not in html
    shown = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    kept = [(output / name).read_bytes() for name in ("learnt-dark.png", "learnt.png")]
    assert [base64.b64decode(one) for one in shown] == kept
    dark, light = (np.asarray(Image.open(io.BytesIO(one)).convert("L")) for one in kept)
    assert dark.shape == light.shape
    assert dark.mean() < 60
    assert light.mean() > 200


def test_each_stage_has_its_place_count_by_error(monkeypatch, tmp_path):
    seen, points = [], pictures.WorldMap.points

    def noted(self, lat, lon, label="", **look):
        seen.append((len(lat), label))
        points(self, lat, lon, label, **look)

    monkeypatch.setattr(pictures.WorldMap, "points", noted)
    km = np.array([10.0, 200.0, 201.0, 5000.0, np.inf])
    ways = np.column_stack([np.arange(5.0)] * 4)
    ways[4, 2:] = np.nan
    stages = [pictures.Stage("after SFT", np.ones(5), km, ways)] * 2
    pictures.draw(stages, np.zeros(5), km, tmp_path / "a.png", dark=False)
    assert seen[:3] == [
        (2, "up to 200 km off: 2"),
        (1, "up to 750 km off: 1"),
        (1, "over 750 km off: 1"),
    ]


def test_the_standard_error_is_that_of_a_mean():
    draws = np.random.default_rng(1).normal(0.0, 2.0, (4000, 50))
    found = np.array([pictures.standard_error(row) for row in draws])
    assert found.mean() == pytest.approx(draws.mean(axis=1).std(), rel=0.05)


def test_the_best_single_answer_is_the_best_of_all_places():
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-30, 60, 40), rng.uniform(-10, 50, 40)
    medians = [
        np.median([float(sphere.haversine_km(a, b, c, d)) for c, d in zip(lat, lon)])
        for a, b in zip(lat, lon)
    ]
    assert verdict.best_single(lat, lon) == int(np.argmin(medians))
