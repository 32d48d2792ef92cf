"""The demo from places to report, made very small (georl.demo)."""

import time

import pytest

from geodata.files import read_table
from georl import config
from georl.demo import demo
from georl.demo.runs import DemoError, Job, train_all
from georl.run import JsonLines


def test_the_demo_goes_from_places_to_a_report_and_picks_up_where_it_stopped(tmp_path, capsys):
    sizes = demo.Sizes(pool=200, held_out=20, sft_steps=3, grpo_steps=2, answers=16)
    report = demo.run(tmp_path, quick=True, sizes=sizes)
    assert "then GRPO on random places" in report
    assert "too few steps to draw" in report  # one logged step is no curve
    assert "then GRPO on random places: done" in capsys.readouterr().out
    assert "GRPO against SFT" in report
    assert report.splitlines()[2].startswith("SFT has not learnt where photos are: ")
    assert "Median error, km, grpo-random minus sft-cor: " in report
    assert (tmp_path / "report.md").read_text() == report
    assert (tmp_path / "curves.png").is_file()
    for name in ("sft-cor", "grpo-random"):
        assert read_table(tmp_path / name / "predictions.parquet").num_rows == 20
        assert (tmp_path / name / "final" / "COMPLETE").is_file()
    assert len(JsonLines(tmp_path / "grpo-random" / "groups.jsonl").read()) == 2 * 16 // 8
    again = demo.run(tmp_path, quick=True, sizes=sizes)  # nothing is trained twice
    assert again.splitlines()[1:] == report.splitlines()[1:]


def test_held_out_places_are_none_of_the_training_places(tmp_path):
    for name, rows, seed in (("a", 50, 0), ("b", 50, demo.HELD_OUT_SEED)):
        (tmp_path / "data").mkdir(exist_ok=True)
        demo._places(tmp_path, name, rows, seed)
    one, two = (read_table(tmp_path / "data" / f"{name}.parquet") for name in "ab")
    pairs = [set(zip(t["lat"].to_pylist(), t["lon"].to_pylist(), strict=True)) for t in (one, two)]
    assert pairs[0].isdisjoint(pairs[1])


def test_a_run_that_fails_ends_the_demo_with_the_end_of_its_log(tmp_path):
    run = config.load(None, ["task=sft", f"output={tmp_path / 'arm'}", "data.table=nowhere.csv"])
    with pytest.raises(DemoError, match=r"arm stopped with status 2[\s\S]*nowhere\.csv"):
        train_all([Job("arm", "an arm", run)], 2, time.perf_counter())


def test_answers_are_also_drawn_where_grpo_is_concerned(tmp_path, monkeypatch):
    """Every arm of the report that GRPO is compared with or trained, and no other."""
    asked = {}
    monkeypatch.setattr(
        demo, "_predict", lambda arm, *_: asked.update({arm: asked.get(arm, 0) + 1})
    )
    monkeypatch.setattr(demo.telling, "score", lambda folder, truth, drawn: len(drawn))
    arms = (*demo.MAIN, *demo.QUESTIONS)
    drawn = {arm: demo._score(arm, tmp_path, tmp_path, None) for arm in arms}
    assert {arm for arm, n in drawn.items() if n} == {
        arm for arm in arms if arm in demo.MAIN or arm.task == "grpo"
    }
    assert set(drawn.values()) == {0, demo.SAMPLES}
    assert asked == {arm: 1 + n for arm, n in drawn.items()}
