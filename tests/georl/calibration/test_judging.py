"""A judge behind a server measured on records that were kept back (georl.calibration)."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from georl import calibration, cli, data, endpoints, rewards
from georl.config import DataConfig
from georl.data import DataError
from tests.georl.chat_server import ChatServer
from tests.georl.data.test_judgements import reasons


def verdicts(asked):
    """Believe the words: right about most, sure of all."""
    yes = 0.9 if "tram" in asked.text.split("[TEXT]")[1] else 0.1
    return "yes", {"yes": yes, "no": 1.0 - yes}


@pytest.fixture
def records(tmp_path):
    rows = reasons() + [
        {**row, "id": f"{row['id']}-again", "reasoning": "A tram, I think."}
        for row in reasons()[1:3]
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "reasons.parquet")
    given = DataConfig(table=str(tmp_path / "reasons.parquet"))
    data.write_judgements(given, tmp_path / "judge.parquet", test_share=0.0)
    return DataConfig(table=str(tmp_path / "judge.parquet"), split="train")


def test_a_calibration_is_of_the_reward_itself(records, tmp_path, monkeypatch):
    monkeypatch.setattr(endpoints, "LONGEST_PAUSE_S", 0.01)
    with ChatServer(verdicts) as server:
        judge = rewards.localizability(url=server.url, model="judge", retries=0)
        found = calibration.calibrate(records, judge, tmp_path / "out", name="<b>judge</b>")
    assert (found.rows, found.yes, found.without) == (6, 2, {})
    assert found.auc == (2 * 2 + 2 * 2 / 2) / (2 * 4)  # two of four dropped rows say tram too
    assert found.by_step == {"localizable": (2, 0.75), "truth": (2, 0.75)}
    assert [(b.rows, round(b.said, 3), b.was) for b in found.bins] == [(2, 0.1, 0.0), (4, 0.9, 0.5)]
    assert found.ece == pytest.approx((2 * 0.1 + 4 * 0.4) / 6)
    kept = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert kept["auc"] == found.auc
    assert kept["split"] == "train"
    page = (tmp_path / "out" / "calibration.html").read_text()
    assert "&lt;b&gt;judge" in page
    assert "<b>" not in page
    assert page.count("<circle") == 2
    assert pq.read_table(tmp_path / "out" / "verdicts.parquet").num_rows == 6
    assert max(len(line) for line in found.text().splitlines() if records.table not in line) <= 80


def test_the_rows_are_those_of_the_split_and_a_split_is_named(records, tmp_path):
    """Half of the photos are kept back; the others were learnt from."""
    given = DataConfig(table=str(tmp_path / "reasons.parquet"))
    data.write_judgements(given, tmp_path / "halved.parquet", test_share=0.5)
    kept = pq.read_table(tmp_path / "halved.parquet", columns=["photo", "split"]).to_pylist()
    test = sorted(row["photo"] for row in kept if row["split"] == "test")
    with ChatServer(verdicts) as server:
        judge = rewards.localizability(url=server.url, model="judge", retries=0)
        halved = DataConfig(table=str(tmp_path / "halved.parquet"), split="test")
        found = calibration.calibrate(halved, judge, tmp_path / "out")
        whole = DataConfig(table=halved.table, split="all")
        everything = calibration.calibrate(whole, judge, tmp_path / "all")
        with pytest.raises(DataError, match=r"has splits \(.*\); choose one"):
            calibration.calibrate(DataConfig(halved.table), judge, tmp_path / "none")
    assert (found.split, found.rows, found.judge) == ("test", len(test), "judge")
    assert (everything.split, everything.rows) == ("all", len(kept))
    written = pq.read_table(tmp_path / "out" / "verdicts.parquet")
    assert sorted(written["photo"].to_pylist()) == test
    assert written.column_names == ["photo", "label", "step", "said"]
    assert 0 < len(test) < len(kept)


def test_a_row_without_a_verdict_is_in_no_number(records, tmp_path):
    with ChatServer(verdicts, [500]) as server:
        judge = rewards.localizability(url=server.url, model="judge", retries=0, concurrency=1)
        found = calibration.calibrate(records, judge, tmp_path / "out")
    assert (found.rows, found.without) == (5, {"failed": 1})
    assert "without a verdict, in no number above: 1 failed" in found.text()
    assert "1 failed" in calibration.html_page(found)


def test_a_photo_that_cannot_be_opened_is_counted(records, tmp_path):
    rows = pq.read_table(records.table).to_pylist()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(rows[0]["image"]["bytes"])
    rows[0]["image"] = {"bytes": None, "path": "a.png"}
    rows[1]["image"] = {"bytes": b"no image", "path": None}
    pq.write_table(pa.Table.from_pylist(rows), records.table)
    given = DataConfig(records.table, split="train", image_root=str(tmp_path / "photos"))
    with ChatServer(verdicts) as server:
        judge = rewards.localizability(url=server.url, model="judge", retries=0)
        found = calibration.calibrate(given, judge, tmp_path / "out")
    assert (found.rows, found.without) == (5, {"no_image": 1})


def test_a_judge_without_a_single_verdict_and_another_table_are_refused(records, tmp_path):
    with ChatServer(lambda asked: ("Well", {"Well": 1.0})) as server:
        judge = rewards.localizability(url=server.url, model="judge", retries=0)
        with pytest.raises(DataError, match="gave no verdict"):
            calibration.calibrate(records, judge, tmp_path / "out")
        other = DataConfig(table=str(tmp_path / "reasons.parquet"))
        with pytest.raises(DataError, match="no column photo, label"):
            calibration.calibrate(other, judge, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_measures_a_split_behind_a_server(records, tmp_path, monkeypatch, capsys):
    with ChatServer(verdicts) as server:
        words = ["georl", "calibrate", records.table, "--model", "judge", "--url", server.url,
                 "--split", "all", "--image-root", str(tmp_path)]  # fmt: skip
        words += ["-o", str(tmp_path / "out")]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert end.value.code == 0
    assert "AUC" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "calibration.json").read_text())["rows"] == 6
