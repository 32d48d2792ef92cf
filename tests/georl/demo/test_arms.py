"""What each training run of the demos is told, beside what every run is told."""

from dataclasses import asdict
from pathlib import Path

import pytest

from georl.config import dump, load
from georl.demo import arms, globe_arms
from georl.demo.arms import Arm, Sizes, arm_config
from georl.demo.globe_arms import GlobeArm, GlobeSizes, globe_config

HERE = Path("o")
SIZES = Sizes(10, 20, sft_steps=30, grpo_steps=40, answers=50, grpo_learning_rate=6e-3)
GLOBE = GlobeSizes(10, 20, base_steps=80, sft_steps=30, judge_steps=40, grpo_steps=50, answers=56)


def told(run):
    """Return the settings of a run that are not the usual ones, by their whole name."""
    ours, usual = asdict(run), asdict(load(None, []))
    found = {}
    for block, settings in ours.items():
        if not isinstance(settings, dict):
            settings, usual[block] = {"": settings}, {"": usual[block]}
        changed = {k: v for k, v in settings.items() if usual[block][k] != v}
        found |= {f"{block}.{k}".rstrip("."): v for k, v in changed.items()}
    return found


def test_an_sft_run_is_told_its_places_its_question_and_its_pace():
    usual = {
        "seed": 3, "data.question": "Where?", "data.levels": ("country",), "data.decimals": 1,
        "data.round_degrees": 1.0, "train.adam_beta2": 0.95,
    }  # fmt: skip
    pace = {
        "train.batch": 32, "train.per_device": 32, "train.max_steps": 30, "train.warmup_steps": 60,
        "train.learning_rate": 1.5e-3, "train.weight_decay": 0.01,
    }  # fmt: skip
    made = arm_config(Arm("one", "One", "sft", "random"), HERE, SIZES, 3)
    where = {"output": "o/one", "data.places": "o/data/random.parquet"}
    assert told(made) == usual | pace | where
    other = arm_config(Arm("two", "Two", "sft", "hard", prompt="location"), HERE, SIZES, 3)
    where = {"output": "o/two", "data.places": "o/data/hard.parquet", "data.prompt": "location"}
    assert told(other) == usual | pace | where


def test_a_grpo_run_starts_from_the_model_of_another():
    made = told(arm_config(Arm("two", "Two", "grpo", "hard", start="one"), HERE, SIZES, 3))
    assert made["task"] == "grpo"
    assert made["model.name"] == "o/one/final"
    assert {k: v for k, v in made.items() if k.startswith(("train", "grpo"))} == {
        "train.batch": 50, "train.per_device": 50, "train.max_steps": 40, "train.warmup_steps": 5,
        "train.learning_rate": 6e-3, "train.schedule": "constant_with_warmup",
        "train.logging_steps": 2, "train.adam_beta2": 0.95, "grpo.max_tokens": 40,
    }  # fmt: skip


def test_the_demo_compares_these_runs():
    """Each name is that of a folder; each is trained in so many steps."""
    assert [(one.name, one.task, one.places, one.prompt, one.start) for one in arms.MAIN] == [
        ("sft-cor", "sft", "random", "cor", None), ("grpo-random", "grpo", "random", "cor",
                                                    "sft-cor"),
    ]  # fmt: skip
    assert [(one.name, one.task, one.places, one.prompt, one.start) for one in arms.QUESTIONS] == [
        ("grpo-hard", "grpo", "hard", "cor", "sft-cor"),
        ("sft-location", "sft", "random", "location", None), ("sft-hard", "sft", "hard", "cor",
                                                              None),
    ]  # fmt: skip
    assert Sizes() == Sizes(20_000, 512, 700, 140, 192, 6e-5)
    assert Sizes(6_000, 256, 320, 60, 128, 2e-4) == arms.QUICK
    for sizes in (Sizes(), arms.QUICK):
        assert sizes.answers % 8 == 0  # eight to each photo


def test_globe_s_base_is_taught_its_forms_from_nothing():
    assert told(globe_config(globe_arms.BASE, HERE, GLOBE, 3)) == {
        "seed": 3, "output": "o/base", "model.name": "o/blank", "data.table": "o/data/base.parquet",
        "train.batch": 32, "train.per_device": 32, "train.max_steps": 80, "train.warmup_steps": 20,
        "train.learning_rate": 2e-3, "train.adam_beta2": 0.95,
    }  # fmt: skip


@pytest.mark.parametrize(("steps", "warm"), [(4, 1), (30, 7), (163, 40), (375, 40)])
def test_globe_s_sft_goes_on_from_the_base_and_warms_up_a_quarter_of_its_steps(steps, warm):
    made = globe_config(globe_arms.TRAINED[0], HERE, GlobeSizes(sft_steps=steps), 3)
    assert told(made) == {
        "seed": 3, "output": "o/sft", "model.name": "o/base/final",
        "data.table": "o/data/train.parquet", "train.batch": 32, "train.per_device": 32,
        "train.max_steps": steps, "train.warmup_steps": warm, "train.learning_rate": 1e-3,
        "train.adam_beta2": 0.95,
    }  # fmt: skip


def test_globe_s_judge_is_the_bundled_reward_model_on_verdicts():
    made = globe_config(globe_arms.JUDGE, HERE, GLOBE, 3)
    given = ["seed=3", "output=o/judge", "model.name=o/base/final",
             "data.table=o/data/judge.parquet", "train.max_steps=40"]  # fmt: skip
    assert made == load("reward-model-tiny-cpu", given)


def test_globe_s_arms_weigh_their_rewards_as_the_release_does():
    weights = {"place_accuracy": 1.0, "localizability": 0.5, "visual_grounding": 0.2}
    assert weights == globe_arms.WEIGHTS
    for arm in globe_arms.TRAINED[1:]:
        made = globe_config(arm, HERE, GLOBE, 3)
        assert made.task == "grpo"
        assert made.rewards.preset is None
        wanted = {name: weights[name] for name in arm.rewards} | {"think_format": 1.0}
        assert made.rewards.weights == wanted
        judge = {"localizability": {"model": "o/judge/final"}}
        alone = {"place_accuracy": {"alpha": 0.8}}
        has_judge = "localizability" in arm.rewards
        assert made.rewards.arguments == alone | (judge if has_judge else {})
        given = {"train.batch": 56, "train.per_device": 56, "train.max_steps": 50, "seed": 3,
                 "output": f"o/{arm.name}", "model.name": "o/base/final",
                 "data.table": "o/data/train.parquet"}  # fmt: skip
        assert told(made) | given == told(made)


def test_globe_s_runs_and_the_paper_s_figures_beside_them():
    """Table of the ablation: percent within 25 and 200 km on MP16-Reason-Test."""
    rows = (globe_arms.BASE, *globe_arms.TRAINED)
    assert [(one.name, one.task, one.paper) for one in rows] == [
        ("base", "sft", (51.11, 61.29)), ("sft", "sft", (56.76, 70.21)),
        ("accuracy", "grpo", (59.24, 71.93)), ("localizability", "grpo", (59.83, 72.22)),
        ("all", "grpo", (62.85, 73.83)),
    ]  # fmt: skip
    assert [one.rewards for one in rows[2:]] == [
        ("place_accuracy",), ("place_accuracy", "localizability"),
        ("place_accuracy", "localizability", "visual_grounding"),
    ]  # fmt: skip
    assert GlobeArm("judge", "reward model", "sft") == globe_arms.JUDGE
    assert GlobeSizes() == GlobeSizes(3000, 600, 375, 100, 150, 60, 192, 64, 3)
    assert GlobeSizes(600, 120, 250, 5, 10, 3, 32, 48, 2) == globe_arms.GLOBE_QUICK


def test_what_is_written_of_a_run_is_read_back_as_it_was(tmp_path):
    """By it a finished run is known again; one that is not would be refused."""
    made = [arm_config(arm, HERE, arms.QUICK, 3) for arm in (*arms.MAIN, *arms.QUESTIONS)]
    rows = (globe_arms.BASE, globe_arms.JUDGE, *globe_arms.TRAINED)
    made += [globe_config(arm, HERE, globe_arms.GLOBE_QUICK, 3) for arm in rows]
    for run in made:
        (tmp_path / "run.yaml").write_text(dump(run), encoding="utf-8")
        assert load(tmp_path / "run.yaml") == run
