import json

import pytest

from geodata.evaluation.scores import published


@pytest.mark.parametrize("name", ["IM2GPS3K", "im2gps3k", "Im2GPS-3k", " IM2GPS 3K ", "im2gps_3k"])
def test_names_are_tolerant(name):
    assert published.published_for(name) == published.published_for("IM2GPS3K")


def test_unknown_names_say_what_there_is():
    with pytest.raises(ValueError, match="'im2gps'; there are IM2GPS3K, YFCC4K, MP16-Reason-Test"):
        published.published_for("im2gps")
    with pytest.raises(ValueError, match="expected one of closed-world, llm-assisted, web-search"):
        published.published_for("YFCC4K", category="retrieval")


def test_categories_stay_apart():
    rows = published.published_for("YFCC4K")
    split = [published.published_for("YFCC4K", category=c) for c in published.CATEGORIES]
    assert rows == tuple(row for part in split for row in part)
    assert {r.method for r in split[2]} == {"GeoSearch + GeoRanker"}
    assert {r.method for r in split[1]} == {"GeoToken + Gemini-2.0-Flash", "TransGeoCLIP"}


def test_unchecked_rows_are_marked():
    rows = published.published_for("IM2GPS3K")
    assert all(row.label.endswith(" *") != row.checked for row in rows)
    assert any(row.checked for row in rows)
    assert any(not row.checked for row in rows)


def test_geo_r_row_is_the_papers():
    row = next(r for r in published.published_for("im2gps3k") if r.method == "Geo-R (7B)")
    assert row.accuracy == {1: 0.181, 25: 0.4153, 200: 0.5831, 750: 0.7533, 2500: 0.8642}
    assert row.checked
    assert row.category == "closed-world"


def test_numbers_not_printed_are_none():
    row = next(r for r in published.published_for("MP16-Reason-Test") if r.method == "Geo-R1")
    assert row.accuracy[25] is None
    assert row.accuracy[1] == 0.1798


def test_every_row_is_a_share_that_grows_with_the_threshold():
    for benchmark in published.benchmarks():
        for row in published.published_for(benchmark):
            known = [v for _, v in sorted(row.accuracy.items()) if v is not None]
            assert known == sorted(known)
            assert all(0 < v < 1 for v in known)
            assert row.source
            assert row.venue


def test_every_collected_row_is_there(shared):
    collected = json.loads((shared / "published_results.json").read_text(encoding="utf-8"))
    mine = {
        (r.benchmark, r.method): r
        for b in published.benchmarks()
        for r in published.published_for(b)
    }
    assert len(mine) == len(collected)
    for row in collected:
        found = mine[row["benchmark"], row["method"]]
        assert (found.checked, found.venue, found.source) == (
            row["checked"],
            row["venue"],
            row["source"],
        )
        for km, percent in row["acc"].items():
            share = found.accuracy[float(km)]
            assert share == (None if percent is None else pytest.approx(percent / 100))


def test_a_benchmark_is_found_by_its_paper():
    assert published.preset_of("arXiv 2506.14674").name == "MP16-Reason-Test"
    assert published.published_for("2506.14674") == published.published_for("MP16-Reason-Test")
    with pytest.raises(ValueError, match="is a paper on IM2GPS3K, YFCC4K; name one"):
        published.preset_of("1705.04838")


def test_presets_have_rows_and_thresholds():
    rows = {one.name: one.rows for one in published.presets()}
    assert rows == {"IM2GPS3K": 2997, "YFCC4K": 4536, "MP16-Reason-Test": 12000, "GeoBench": None}
    assert {0.5, 2.0, 10.0} <= set(published.preset_of("geobench").thresholds_km)
    assert {row.benchmark for row in published._rows()} <= set(rows)


def test_ablations_are_shown_where_they_are_asked_for():
    plain = published.published_for("im2gps3k")
    every = published.published_for("im2gps3k", ablations=True)
    assert list(plain) == [row for row in every if not row.ablation]
    named = {row.method: row for row in every}
    best = named["Qwen2.5-VL-3B, SFT 500k + RL Hard-200k"]
    assert [*best.accuracy.values()] == [0.148, 0.363, 0.546, 0.727, 0.838]
    assert named["Qwen2.5-VL-7B, CoR prompt"].accuracy[25] == 0.337
    globe = published.published_for("mp16-reason-test", ablations=True)
    assert [row.accuracy[25] for row in globe if row.ablation] == [
        0.5111, 0.5676, 0.5924, 0.5983, 0.6285,
    ]  # fmt: skip
