"""One evaluation is one walk over the rows, and labelling is its most costly step."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor, evaluation
from geodata.evaluation.scores.regions import LEVELS, region_accuracy

ROWS = 300


def _rows(seed: int) -> dict:
    rng = np.random.default_rng(seed)
    return {
        "id": np.arange(ROWS),
        "lat": rng.uniform(-55, 70, ROWS),
        "lon": rng.uniform(-180, 180, ROWS),
    }


@pytest.fixture
def labelled(monkeypatch) -> list[int]:
    """How many points each call of the labeller got."""
    points, whole = [], cor.Labeller.table

    def table(self, given):
        points.append(len(given.lat))
        return whole(self, given)

    monkeypatch.setattr(cor.Labeller, "table", table)
    return points


@pytest.mark.parametrize(
    ("by", "regions", "times"),
    [
        ((), False, 0),
        (("h3",), False, 0),
        (("country",), False, 1),
        (("country", "town_km"), True, 2),
        ((), True, 2),
    ],
)
def test_each_coordinate_is_labelled_once(labelled, by, regions, times):
    """Break-downs, regions and the names that were answered use the same labels of the truth."""
    preds = pa.table({**_rows(1), "country": ["France"] * ROWS})
    found = evaluation.evaluate(preds, _rows(0), by=by, regions=regions)
    assert sum(labelled) == times * ROWS
    assert set(found.regions) == (set(LEVELS) if regions else set())
    assert set(found.named_regions) == ({"country"} if regions else set())


def test_regions_are_those_of_labels_made_apart():
    truth, preds = pa.table(_rows(0)), pa.table(_rows(0))
    moved = np.array(preds["lat"]) + np.where(np.arange(ROWS) % 3, 0.0, 4.0)
    preds = preds.set_column(1, "lat", pa.array(moved))
    here = cor.label_table(truth["lat"], truth["lon"])
    there = cor.label_table(preds["lat"], preds["lon"])
    for level in LEVELS:
        preds = preds.append_column(level, there["admin1_code" if level == "admin1" else level])
    found = evaluation.evaluate(preds, truth, by=("country",), regions=True)
    both = {name: here[name] for name in LEVELS.values()}
    both |= {f"pred_{name}": there[name] for name in LEVELS.values()}
    assert found.regions == region_accuracy(pa.table(both))
    assert found.named_regions["country"] == found.regions["country"]
    assert 0 < found.regions["country"].correct < found.regions["country"].labelled
