"""The science experiments, made very small; their figures against computations by hand."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from geodata import answers, sphere
from georl import demo, models
from georl.demo import cities, science, teaching
from georl.demo.telling import findings, page
from georl.demo.telling.report import Score

LESSON = demo.Lesson(cities=24, held_out=6, pictures=2, text_steps=4, picture_steps=3, batch=8)
SIZES = demo.Sizes(pool=200, held_out=20, sft_steps=2, grpo_steps=2, answers=16)


def test_both_questions_made_small_fill_the_tables_and_nothing_is_taught_twice(tmp_path, capsys):
    chains = science.chain_errors(tmp_path, (0, 1), LESSON, workers=1)
    assert [(one.seed, one.knows) for one in chains] == [
        (0, True), (0, False), (1, True), (1, False)
    ]  # fmt: skip
    assert all(len(one.km[form]) == 6 for one in chains for form in teaching.FORMS)
    assert capsys.readouterr().out.count("chain or coordinates, seed") == 4
    assert science.chain_errors(tmp_path, (0, 1), LESSON, workers=1) == chains
    assert "seed" not in capsys.readouterr().out
    pool = science.pool_scores(tmp_path / "pool", SIZES, 0, workers=2)
    assert set(pool.flat) == {"grpo-random", "grpo-hard"}
    told = findings.experiment_parts(chains, [pool, dataclasses.replace(pool, seed=1)])
    report = page.markdown("science", told)
    assert report.splitlines()[2].startswith("The chain makes no sure difference")
    assert report.count("| knows the cities |") == 3  # two seeds and their difference
    assert "50.2 - 48.6 = +1.6" in report
    assert "54.6 - 51.6 = +3.0" in report


@pytest.mark.slow
def test_both_questions_end_in_one_report_and_nothing_is_taught_twice(tmp_path, capsys):
    report = demo.run_science(tmp_path, seeds=(0, 1), lesson=LESSON, sizes=SIZES)
    assert (tmp_path / "report.md").read_text() == report
    assert report.splitlines()[2].startswith("The chain makes no sure difference")
    assert report.count("| knows the cities |") == 3  # two seeds and their difference
    assert "50.2 - 48.6 = +1.6" in report
    assert "54.6 - 51.6 = +3.0" in report
    assert "<table>" in (tmp_path / "report.html").read_text()
    assert capsys.readouterr().out.count("chain or coordinates, seed") == 4
    again = demo.run_science(tmp_path, seeds=(0, 1), lesson=LESSON, sizes=SIZES)
    assert again.splitlines()[1:] == report.splitlines()[1:]
    assert "chain or coordinates, seed" not in capsys.readouterr().out


def test_one_seed_has_no_interval(tmp_path):
    with pytest.raises(ValueError, match="at least 2"):
        demo.run_science(tmp_path, seeds=(0,), lesson=LESSON, sizes=SIZES)


def test_the_largest_cities_have_different_heads_and_lie_in_the_box():
    found = cities.largest(300)
    assert len(set(found.heads)) == len(found) == 300
    assert all(len(head) == 4 and head.isalpha() and head.isupper() for head in found.heads)
    assert found.lat.min() > -36
    assert found.lat.max() < 72
    with pytest.raises(ValueError, match="different heads"):
        cities.largest(10**6)


def test_an_answer_reads_back_as_the_city_within_a_degree():
    found = cities.largest(50)
    for index in range(50):
        pair = answers.strict_pair(found.chain(index))
        km = sphere.haversine_km(*pair, found.lat[index], found.lon[index])
        assert km < 80
        assert answers.strict_pair(found.coordinates(index)) == pair
        assert found.chain(index).startswith(f"City: {found.heads[index]}\n")


def test_pictures_of_a_word_differ_by_noise_alone_and_of_two_words_by_more():
    rng = np.random.default_rng(0)
    one, same, other = (
        np.asarray(cities.picture(head, rng), float) for head in ("PARI", "PARI", "ROME")
    )
    assert 0 < np.abs(one - same).mean() < 25
    assert np.abs(one - other).mean() > 25


def test_no_two_letters_share_their_block():
    rng = np.random.default_rng(0)
    blocks = [np.asarray(cities.picture(chr(65 + k) * 4, rng), float)[:28, :28] for k in range(26)]
    for k, block in enumerate(blocks):
        gaps = [np.abs(block - blocks[j]).mean() for j in range(26) if j != k]
        assert min(gaps) > 30


def test_held_out_cities_are_in_no_picture_and_the_control_is_not_told_of_them():
    school = teaching._School(LESSON, 3)
    assert len(school.asked) == 6
    assert set(school.asked).isdisjoint(school.shown)
    assert set(school._owner) <= set(school.shown)
    taught = school._texts(school.shown, np.random.default_rng(0))
    said = "".join(school.tokenizer.decode(before + answer) for before, answer in taught)
    assert not any(school.cities.heads[i] in said for i in school.asked)
    assert any(school.cities.heads[i] in said for i in school.shown)


def test_the_loss_is_that_of_the_answer_tokens_alone():
    school = teaching._School(LESSON, 0)
    model = models.build_model(school.tokenizer, LESSON.model, 0).eval()
    taught = school._texts(school.shown, np.random.default_rng(0))[:3]
    with torch.no_grad():
        found = float(school._loss(model, taught, None))
        total, count = 0.0, 0
        for before, answer in taught:  # one row at a time, without padding
            ids = torch.tensor([before + answer])
            chances = model(input_ids=ids).logits.log_softmax(-1)[0]
            for place, token in enumerate(answer, start=len(before)):
                total -= float(chances[place - 1, token])
                count += 1
    assert found == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("form", teaching.FORMS)
def test_pictures_are_answered_in_the_form_that_is_taught(form):
    school = teaching._School(LESSON, 0)
    model, loss, answers_to_pictures = (
        models.build_model(school.tokenizer, LESSON.model, 0),
        school._loss,
        [],
    )

    def noted(model, taught, pixels):
        if pixels is not None:
            answers_to_pictures.extend(school.tokenizer.decode(answer) for _, answer in taught)
        return loss(model, taught, pixels)

    school._loss = noted
    school.teach(model, school.shown, form)
    say = {"chain": school.cities.chain, "coordinates": school.cities.coordinates}[form]
    assert len(answers_to_pictures) == 2 * LESSON.batch  # of three steps the first is text
    possible = {school.tokenizer.decode(school._ids(say(k) + "<|im_end|>")) for k in school.shown}
    assert set(answers_to_pictures) <= possible


def test_a_picture_is_read_as_the_processor_gives_it_to_answering():
    school = teaching._School(LESSON, 0)
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Where?"}]}]
    text = school.processor.apply_chat_template(chat, add_generation_prompt=True)
    image = cities.picture("PARI", np.random.default_rng(0))
    given = school.processor(text=[text], images=[image], return_tensors="pt")
    assert given["input_ids"][0].tolist() == school._before_picture


def test_the_interval_over_seeds_is_students():
    values = [0.10, 0.14, 0.18]
    found = findings.over_seeds(values)
    half = 4.302652729696 * math.sqrt(sum((v - 0.14) ** 2 for v in values) / 2) / math.sqrt(3)
    assert (found.value, found.low) == pytest.approx((0.14, 0.14 - half))
    assert found.high == pytest.approx(0.14 + half)


def test_the_gain_is_the_share_found_with_the_chain_minus_the_one_without():
    one = findings.ChainErrors(0, True, {"chain": [10, 200, 300, None], "coordinates": [500] * 4})
    assert one.gain == 0.5
    assert one.median("chain") == 250
    none = findings.ChainErrors(0, True, {"chain": [None] * 3, "coordinates": [1.0] * 3})
    assert none.median("chain") == math.inf


@pytest.mark.parametrize(
    ("gains", "said"),
    [((0.2, 0.21, 0.22), "The chain helps a model"), ((-0.2, -0.21, -0.22), "The chain hurts")],
)
def test_the_verdict_follows_the_interval(gains, said):
    def errors(seed, knows, gain):
        near = round(100 * (0.5 + gain))
        km = {"chain": [1] * near + [900] * (100 - near), "coordinates": [1] * 50 + [900] * 50}
        return findings.ChainErrors(seed, knows, km)

    chains = [errors(s, True, g) for s, g in enumerate(gains)]
    chains += [errors(s, False, g) for s, g in enumerate((0.1, -0.1, 0.0))]
    score = Score(1.0, {200.0: 0.5}, 0.5, np.array([0.5]), np.array([1.0]))
    better = Score(1.0, {200.0: 0.6}, 0.5, np.array([0.6]), np.array([1.0]))
    arms = {"sft-cor": score, "grpo-random": score, "grpo-hard": better}
    pools = [findings.PoolScores(s, arms, {"grpo-hard": 0.1, "grpo-random": 0.9}) for s in range(3)]
    told = page.markdown("t", findings.experiment_parts(chains, pools))
    assert said in told
    assert "makes no sure difference to one that does not" in told
    assert "hard places teach more than random ones (+0.100" in told
    assert "| 90% |" in told


def test_the_pool_saturates_at_a_few_spots_and_keeps_its_ids():
    table = science.saturating(400, 0)
    lat, lon = table["lat"].to_numpy(), table["lon"].to_numpy()
    cells = set(zip(lat.round(0).tolist(), lon.round(0).tolist(), strict=True))
    assert 40 < len(cells) < 140  # twenty spots across a few cells, and forty places elsewhere
    assert len(set(table["id"].to_pylist())) == 400
    assert not science.saturating(400, 1)["lat"].equals(table["lat"])


def test_seeds_that_agree_to_the_city_by_chance_are_not_taken_for_sure():
    """Three controls that each find one city more without the chain, of a hundred."""
    chains = []
    for seed in range(3):
        alone = [1.0 if city in (seed, 50) else 9000.0 for city in range(100)]
        chain = [1.0 if city == seed + 10 else 9000.0 for city in range(100)]
        chains.append(findings.ChainErrors(seed, False, {"chain": chain, "coordinates": alone}))
    assert [one.gain for one in chains] == [pytest.approx(-0.01)] * 3
    assert sum(chains[0].gains()) == -1
    assert sorted(set(chains[0].gains())) == [-1, 0, 1]
    found = findings.over_seeds(
        [one.gain for one in chains], [gain for one in chains for gain in one.gains()]
    )
    half = 1.959963984540 * math.sqrt(9 / 300 - 0.01**2) / math.sqrt(300)
    assert (found.low, found.high) == (pytest.approx(-0.01 - half), pytest.approx(-0.01 + half))
    assert not found.sure
