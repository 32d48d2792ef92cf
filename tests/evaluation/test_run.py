"""One evaluation is one walk over the rows, and labelling is its most costly step."""

import datetime
import decimal
import json

import numpy as np
import pyarrow as pa
import pytest

from geodata import cor, evaluation
from geodata.evaluation.scores.regions.accuracy import LEVELS, region_accuracy

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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (decimal.Decimal("1.50"), "1.50"),
        (float("inf"), "inf"),
        (b"x", "b'x'"),
        (1.5, 1.5),
        (True, True),
        (float("nan"), None),
    ],
)
def test_a_result_is_json_whatever_its_groups_are(value, told):
    """Standard JSON has no Infinity, and the dictionary is what the text says."""

    def refused(name):
        raise AssertionError(name)

    truth = pa.table({"id": ["a"], "lat": [0.0], "lon": [0.0], "group": [value]})
    preds = {"id": ["a"], "lat": [0.0], "lon": [0.0]}
    found = evaluation.evaluate(preds, truth, by=("group",), regions=False, seed=np.int64(3))
    read = json.loads(found.to_json(), parse_constant=refused)
    assert read["by"] == found.as_dict()["by"]
    assert read["by"]["group"][0]["value"] == told
    assert type(read["by"]["group"][0]["value"]) is type(told)
    assert read["options"]["seed"] == 3


def test_of_equal_errors_the_first_rows_are_shown():
    """In the order of the file, also where a sort that is not stable would mix them."""
    truth = {"id": [f"{i:04}" for i in range(2000)], "lat": [0.0] * 2000, "lon": [0.0] * 2000}
    away = np.where(np.arange(2000) % 3 == 0, 5.0, 2.0)
    found = evaluation.evaluate(truth | {"lat": away}, truth, regions=False)
    assert [row.id for row in found.worst] == [f"{i:04}" for i in range(0, 3 * len(found.worst), 3)]


def test_one_column_to_break_down_by_may_be_named_alone():
    truth = {"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0], "author": ["x", "y"]}
    named, listed = (
        evaluation.evaluate(truth, truth, by=by, regions=False) for by in ("author", ["author"])
    )
    assert named.scores.by == listed.scores.by
    assert named.options.by == ("author",)


def test_results_as_json_keep_the_letters_of_names():
    """Ö stays Ö, as in the files that were read: no escapes that a person cannot read."""
    truth = {"id": ["a", "b"], "lat": [1.0, 2.0], "lon": [3.0, 4.0], "author": ["Ödön", "y"]}
    asked = {"by": ["author"], "regions": False}
    for found in (
        evaluation.evaluate(truth, truth, **asked),
        evaluation.compare(truth, truth, truth, **asked),
        evaluation.table({"one": truth}, truth, **asked),
    ):
        text = found.to_json()
        assert '"Ödön"' in text
        assert text.startswith('{\n  "schema"')
        assert text.endswith("}\n")
