"""What a calibration prints, draws and counts, worked out by hand (georl.calibration)."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl import calibration, rewards
from georl.calibration import judging, measures, page
from georl.calibration.measures import Bin, auc_interval
from georl.config import DataConfig
from georl.data import DataError


def slowly(said, yes, photos, resamples, seed):
    """The bootstrap, row by row: photos in the order of their names are drawn with replacement."""
    names = sorted(set(map(str, photos)))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = [names[i] for i in rng.integers(0, len(names), len(names))]
        rows = [i for name in drawn for i, photo in enumerate(photos) if str(photo) == name]
        one = calibration.auc([said[i] for i in rows], [yes[i] for i in rows])
        found += [] if one is None else [one]
    return found


@pytest.mark.parametrize("seed", [0, 3])
def test_the_interval_is_the_middle_95_percent_of_draws_of_photos(seed):
    rng = np.random.default_rng(7)
    photos = [f"p{i}" for i in rng.integers(0, 12, 40)]
    yes = rng.random(40) < 0.5
    said = rng.integers(0, 21, 40) / 20
    found = auc_interval(said, yes, photos, resamples=60, seed=seed)
    assert found == pytest.approx(
        tuple(np.quantile(slowly(said, yes, photos, 60, seed), [0.025, 0.975]))
    )


def test_by_itself_a_thousand_draws_are_made_from_seed_0():
    rng = np.random.default_rng(2)
    said, yes, photos = rng.random(50), rng.random(50) < 0.5, list(range(50))
    found = auc_interval(said, yes, photos)
    assert found == auc_interval(said, yes, photos, resamples=1000, seed=0)
    assert found != auc_interval(said, yes, photos, resamples=1001, seed=0)
    assert found != auc_interval(said, yes, photos, resamples=1000, seed=1)
    assert type(found[0]) is type(found[1]) is float


@pytest.mark.parametrize(("usable", "there"), [(5, True), (4, False)])
def test_half_of_the_draws_must_hold_both_kinds(monkeypatch, usable, there):
    values = iter([0.5] * usable + [None] * (10 - usable))
    monkeypatch.setattr(measures, "auc", lambda *_: next(values))
    found = auc_interval(np.array([0.1, 0.9]), np.array([False, True]), [1, 2], resamples=10)
    assert (found == (0.5, 0.5)) if there else (found is None)


def test_scores_of_another_shape_and_below_zero_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 2\) and labels \(1, 2\)"):
        calibration.auc([[0.1, 0.2]], [[True, False]])
    with pytest.raises(ValueError, match=r"the score in row 2 is -0\.1; a probability"):
        calibration.brier([0.0, 1.0, -0.1], [1, 0, 1])


def test_a_score_on_a_border_belongs_to_the_upper_part():
    found = calibration.reliability([0.0, 0.1, 0.95, 1.0], [0, 1, 1, 0])
    assert found == [
        Bin(0.0, 0.1, 1, 0.0, 0.0), Bin(0.1, 0.2, 1, 0.1, 1.0), Bin(0.9, 1.0, 2, 0.975, 0.5),
    ]  # fmt: skip


FOUND = calibration.Calibration(
    judge="a<b", records="set.parquet", split="test", rows=6, yes=2, auc=0.75,
    interval=(0.5, 1.0), ece=0.25, brier=0.125, bins=(Bin(0.1, 0.2, 1, 0.15, 0.0),
    Bin(0.5, 0.6, 4, 0.5, 0.25)), by_step={"truth": (3, 0.5), "not said": (1, None)},
    without={"no_image": 2, "failed": 1},
)  # fmt: skip


def test_the_lines_of_a_calibration():
    assert FOUND.text().splitlines() == [
        "judge    a<b",
        "records  set.parquet, split test",
        "rows     6, 2 of them yes",
        "AUC      0.750 [0.500, 1.000]   (0.5 is chance; 95% over photos)",
        "ECE      0.250   (0 is calibrated)",
        "Brier    0.125",
        "",
        "  it says          rows   mean   were yes",
        "  0.10 to 0.20         1  0.150      0.000",
        "  0.50 to 0.60         4  0.500      0.250",
        "",
        "  dropped in step                   rows     AUC",
        "  truth                                3   0.500",
        "  not said                             1       -",
        "",
        "without a verdict, in no number above: 1 failed, 2 no_image",
    ]


def test_the_result_as_json():
    found = json.loads(json.dumps(FOUND.as_dict()))
    assert found["by_step"] == {
        "truth": {"rows": 3, "auc": 0.5}, "not said": {"rows": 1, "auc": None},
    }  # fmt: skip
    assert found["schema"] == "georl.calibration/1"
    assert found["bins"][0] == {"low": 0.1, "high": 0.2, "rows": 1, "said": 0.15, "was": 0.0}
    assert (found["interval"], found["without"]["failed"]) == ([0.5, 1.0], 1)


def cells(text):
    return [re.sub("<[^>]*>", "", one) for one in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", text)]


def test_the_page_has_the_numbers_of_the_text():
    text = calibration.html_page(FOUND)
    assert "<h1>Calibration of a&lt;b</h1>" in text
    assert "<p>6 rows of <code>set.parquet</code>, split test; 2 of them are a yes.</p>" in text
    assert cells(text) == [
        *("measure", "value", "95% interval, over photos"),
        *("AUC (0.5 is chance)", "0.750", "0.500 to 1.000"),
        *("expected calibration error", "0.250", ""), *("Brier score", "0.125", ""),
        *("it says", "rows", "mean", "were a yes"),
        *("0.10 to 0.20", "1", "0.150", "0.000"), *("0.50 to 0.60", "4", "0.500", "0.250"),
        *("dropped in", "rows", "AUC against all kept rows"),
        *("truth", "3", "0.500"), *("not said", "1", "-"),
    ]  # fmt: skip
    assert "Without a verdict, in no number above: 1 failed, 2 no_image." in text


def test_without_interval_steps_and_failures_the_page_says_so():
    bare = calibration.Calibration(
        judge="j", records="r", split="all", rows=3, yes=3, auc=None, interval=None, ece=0.25,
        brier=0.125, bins=(), by_step={}, without={},
    )  # fmt: skip
    text = calibration.html_page(bare)
    assert cells(text)[3:6] == ["AUC (0.5 is chance)", "-", "-"]
    assert "dropped in" not in text
    assert "Without a verdict" not in text
    assert "<circle" not in text


def test_the_curve_lies_where_its_numbers_are():
    """A square of 360 from (50, 10): right is what is said, up is what was so."""
    drawn = page.reliability_svg(FOUND.bins)
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn)
    assert dots == [("104.0", "370.0", "7.5"), ("230.0", "280.0", "12.0")]
    assert '<polyline points="104.0,370.0 230.0,280.0"' in drawn
    assert 'viewBox="0 0 426 420"' in drawn
    assert '<line x1="50" y1="370" x2="410" y2="10"' in drawn
    labels = re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="\w+">([\d.]+)</text>', drawn)
    assert labels == [
        ("50", "390", "0"), ("42", "374", "0"), ("140", "390", "0.25"), ("42", "284", "0.25"),
        ("230", "390", "0.5"), ("42", "194", "0.5"), ("320", "390", "0.75"), ("42", "104", "0.75"),
        ("410", "390", "1"), ("42", "14", "1"),
    ]  # fmt: skip
    assert '<text x="230" y="410" text-anchor="middle">the judge says' in drawn
    assert "translate(14 190) rotate(-90)" in drawn


def test_a_step_that_is_not_said_is_a_group_of_its_own():
    said, yes = np.array([0.9, 0.8, 0.7, 0.95, 0.1]), np.array([True, True, False, False, False])
    found = judging._by_step(said, yes, [None, "truth", "truth", None, "agree"])
    assert found == {"not said": (1, 0.0), "agree": (1, 1.0), "truth": (1, 1.0)}
    assert list(found) == ["not said", "agree", "truth"]


class Judge(rewards.Localizability):
    """Says what it is told, in the order in which it is asked."""

    def __init__(self, said):
        self.said, self.asked, self.counts = iter(said), [], {"failed": 1, "judged": 4}

    def __call__(self, texts, *, image, **_):
        self.asked.append((texts, [None if one is None else one.size for one in image]))
        return [next(self.said) for _ in texts]

    def told(self):
        return "nothing"


@pytest.fixture
def records(tmp_path):
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (6, 4)).save(tmp_path / "photos" / "a.png")
    content = (tmp_path / "photos" / "a.png").read_bytes()
    Image.new("RGB", (3, 5)).save(tmp_path / "photos" / "b.png")
    rows = [
        {"photo": f"p{i}", "reasoning": f"r{i}", "label": i < 2, "step": None if i < 2 else "truth",
         "image": {"bytes": content if i % 2 else None, "path": "b.png"},
         "split": "test"}  # bytes are the photo, whatever the path beside them
        for i in range(5)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "judge.parquet")
    photos = str(tmp_path / "photos")
    return DataConfig(str(tmp_path / "judge.parquet"), split="test", image_root=photos)


def test_rows_are_judged_in_parts_with_their_own_photos(records, tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "_READ_ROWS", 2)
    judge = Judge([0.9, None, 0.2, 0.4, 0.6])
    found = calibration.calibrate(records, judge, tmp_path / "a" / "b", name="mine")
    assert judge.asked == [
        (["<think>r0</think>", "<think>r1</think>"], [(3, 5), (6, 4)]),
        (["<think>r2</think>", "<think>r3</think>"], [(3, 5), (6, 4)]),
        (["<think>r4</think>"], [(3, 5)]),
    ]
    assert (found.judge, found.rows, found.yes, found.without) == ("mine", 4, 1, {"failed": 1})
    assert found.auc == 1.0
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.16 + 0.36) / 4)
    assert found.ece == pytest.approx((0.1 + 0.2 + 0.4 + 0.6) / 4)
    assert found.interval == (1.0, 1.0)
    assert (found.split, found.records) == ("test", records.table)
    assert found.by_step == {"truth": (3, 1.0)}
    written = pq.read_table(tmp_path / "a" / "b" / "verdicts.parquet").to_pylist()
    assert [(row["photo"], row["said"]) for row in written] == [
        ("p0", 0.9), ("p1", None), ("p2", 0.2), ("p3", 0.4), ("p4", 0.6),
    ]  # fmt: skip


def test_a_report_is_written_again_in_its_folder(records, tmp_path):
    for auc, said in ((1.0, [0.9, 0.8, 0.2, 0.4, 0.6]), (0.0, [0.1, 0.2, 0.5, 0.5, 0.5])):
        assert calibration.calibrate(records, Judge(said), tmp_path / "out").auc == auc
        text = (tmp_path / "out" / "calibration.json").read_text()
        assert json.loads(text)["auc"] == auc
        assert text.startswith('{\n "judge": "judge",\n "records": ')
        assert text.endswith("}\n")


def test_records_without_splits_are_all_measured(records, tmp_path):
    pq.write_table(pq.read_table(records.table).drop_columns("split"), records.table)
    bare = DataConfig(records.table, image_root=records.image_root)
    found = calibration.calibrate(bare, Judge([0.9, 0.8, 0.2, 0.4, 0.6]), tmp_path / "out")
    assert (found.split, found.rows) == ("all", 5)


def test_a_table_without_rows_gives_no_verdict(records, tmp_path):
    table = pq.read_table(records.table)
    pq.write_table(table.slice(0, 0), records.table)
    with pytest.raises(DataError):
        calibration.calibrate(records, Judge([]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
