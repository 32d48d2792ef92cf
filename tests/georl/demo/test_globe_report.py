"""The ablation table of GLOBE in small: its lines, from numbers by hand."""

import pytest

from georl.demo import globe_report
from georl.demo.globe_report import ArmScore, Found

NAMES = ("base", "sft", "accuracy", "localizability", "all")


def score(k, **earned):
    within = {"25": [0.1 * k, 0.1 * k - 0.2, 0.1 * k + 0.7], "200": [0.2 * k, 0.0, 1.0]}
    given = {"place_accuracy": 0.1 * k, "localizability": None, "visual_grounding": 0.5,
             "think_format": 1.0}  # fmt: skip
    return ArmScore(within, 0.15 * k, 0.11 * k, 1.0, given | earned)


def found(seed=7, scores=None, **judge):
    calibration = {"auc": 0.9012, "ece": 0.1004, "rows": 321, "by_step": {"localizable": {
        "auc": 0.95}}, "bins": []}  # fmt: skip
    gaps = (
        {"25": [0.1, 0.05, 0.15], "200": [-0.1, -0.15, -0.05]},
        {"25": [0.1, 0.0, 0.2], "200": [-0.1, -0.2, 0.0]},
        {"25": [0.0, -0.1, 0.1], "200": None}, {},
    )  # fmt: skip
    names = [name for name, _, _ in globe_report.QUESTIONS]
    made = scores or {name: score(k + 1) for k, name in enumerate(NAMES)}
    return Found(seed, calibration | judge, made, dict(zip(names, gaps, strict=True)))


def test_the_report_is_read_as_it_stands():
    assert globe_report.markdown([found()]).split("\n\n") == [
        "# GLOBE in small: seed 7",
        "| run | % @25 km [95%] | % @200 km [95%] | country | city |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| base | 10.0 [0.0, 80.0] | 20.0 [0.0, 100.0] | 15.0 | 11.0 |\n"
        "| SFT | 20.0 [0.0, 90.0] | 40.0 [0.0, 100.0] | 30.0 | 22.0 |\n"
        "| accuracy only | 30.0 [10.0, 100.0] | 60.0 [0.0, 100.0] | 45.0 | 33.0 |\n"
        "| + localizability | 40.0 [20.0, 100.0] | 80.0 [0.0, 100.0] | 60.0 | 44.0 |\n"
        "| all three | 50.0 [30.0, 100.0] | 100.0 [0.0, 100.0] | 75.0 | 55.0 |",
        "What greedy answers earn, and the paper's own rows (7B, photos; not comparable):",
        "| run | place | localiz. | visual | format | paper @25 / @200 |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| base | 0.100 | - | 0.500 | 1.000 | 51.11 / 61.29 |\n"
        "| SFT | 0.200 | - | 0.500 | 1.000 | 56.76 / 70.21 |\n"
        "| accuracy only | 0.300 | - | 0.500 | 1.000 | 59.24 / 71.93 |\n"
        "| + localizability | 0.400 | - | 0.500 | 1.000 | 59.83 / 72.22 |\n"
        "| all three | 0.500 | - | 0.500 | 1.000 | 62.85 / 73.83 |",
        "Paired differences in points, a missing answer is wrong, 95% over photos:\n"
        "- SFT against the base:\n"
        "  @25 km +10.0 [+5.0, +15.0] more; @200 km -10.0 [-15.0, -5.0] less\n"
        "- accuracy reward against the base:\n"
        "  @25 km +10.0 [+0.0, +20.0] not told apart; @200 km -10.0 [-20.0, +0.0] not told apart\n"
        "- + localizability against accuracy only:\n"
        "  @25 km +0.0 [-10.0, +10.0] not told apart; @200 km none in common\n"
        "- all three against accuracy only:\n"
        "  @25 km none in common; @200 km none in common",
        "The reward model on photos that it has not seen:\n"
        "- seed 7: AUC kept against dropped 0.901, land against open\n"
        "  sea and cloud 0.950; ECE 0.100; 321 rows",
        "The photos are crops of Blue Marble around 32 cities, the reasonings are written\n"
        "by rules, the models have under a million parameters: what is tested here is the\n"
        "path, not the paper's claims. A base that has learnt the answers' form stands in\n"
        "for Qwen2.5-VL-7B, and every other row is trained from it on the same photos.\n",
    ]


def test_a_judge_without_verdicts_and_one_without_the_sea_are_told():
    silent = globe_report._judges([found(auc=None), found(8, by_step={})])
    assert silent[1] == "- seed 7: no verdict that could be measured"
    assert silent[3] == "  sea and cloud -; ECE 0.100; 321 rows"


def test_several_seeds_are_averaged_and_what_is_missing_left_out():
    few = {name: score(k + 1, localizability=0.25) for k, name in enumerate(NAMES)}
    more = {name: score(k + 3, localizability=0.75) for k, name in enumerate(NAMES)}
    three = [found(0, few), found(1, more), found(2)]
    text = globe_report.markdown(three)
    assert text.startswith("# GLOBE in small: 3 seeds (0, 1, 2)\n")
    assert "| base | 0.167 | 0.500 | 0.500 | 1.000 | 51.11 / 61.29 |" in text
    mean, half = 100 * (0.1 + 0.3 + 0.1) / 3, 4.303 * 11.547 / 3**0.5
    line = next(line for line in text.splitlines() if line.startswith("| base |"))
    assert f"{mean:.1f} [0.0, {mean + half:.1f}]" in line
    assert line.endswith("| 25.0 | 18.3 |")
    assert "95% over seeds:" in text
    assert "@25 km +10.0 [+10.0, +10.0] more" in text


def test_a_page_has_the_same_and_a_curve_a_judge():
    bins = [{"low": 0.0, "high": 0.5, "rows": 10, "said": 0.2, "was": 0.3}]
    html = globe_report.page([found(bins=bins), found(8)])
    for part in ("<h2>What greedy answers earn</h2>", "<h2>Differences</h2>",
                 "<h2>The reward model</h2>", "<h3>Reliability, seed 7</h3>",
                 "<h3>Reliability, seed 8</h3>", "<h2>How to read it</h2>",
                 "GLOBE in small: 2 seeds (7, 8)"):  # fmt: skip
        assert part in html
    assert html.count("<svg") == 2
    assert (
        "<p>Paired differences in points, a missing answer is wrong, 95% over seeds:</p>\n<ul>"
        "<li>SFT against the base: @25 km +10.0 [+10.0, +10.0] more; "
    ) in html
    assert "</ul>\n<h2>The reward model</h2>" in html
    assert "on the same photos.</p>" in html


def test_html_of_lines_is_a_sentence_and_its_points():
    made = globe_report._paragraphs(["One <two>", "three.", "- a & b", "  goes on", "- c"])
    assert made == [
        "<p>One &lt;two&gt; three.</p>", "<ul><li>a &amp; b goes on</li><li>c</li></ul>"
    ]  # fmt: skip
    assert globe_report._paragraphs(["alone"]) == ["<p>alone</p>", ""]


@pytest.mark.parametrize(("n", "quantile"), [(10, 2.26216), (11, 2.22814), (2, 12.7062)])
def test_the_quantile_is_student_s_for_any_number_of_seeds(n, quantile):
    values = [[float(i % 2)] for i in range(n)]
    mean, low, high = globe_report.over_seeds(values)
    spread = (sum((i % 2 - mean) ** 2 for i in range(n)) / (n - 1)) ** 0.5
    half = quantile * spread / n**0.5
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=1e-5)
