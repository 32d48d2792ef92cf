"""What the science demo teaches and asks, step by step (georl.demo.teaching)."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from georl import held_out, models
from georl.config import ModelConfig
from georl.demo import teaching
from georl.demo.cities import picture

SMALL = ModelConfig(hidden=48, layers=1, vision_layers=1)
LESSON = teaching.Lesson(cities=24, held_out=6, pictures=2, text_steps=4, picture_steps=7, batch=9,
                         learning_rate=1e-3, model=SMALL)  # fmt: skip


@pytest.fixture(scope="module")
def school():
    return teaching._School(LESSON, 3)


def test_a_lesson_is_this_long():
    made = teaching.Lesson()
    assert (made.cities, made.held_out, made.pictures) == (400, 100, 6)
    assert (made.text_steps, made.picture_steps, made.batch) == (1200, 900, 32)
    assert (made.learning_rate, made.model) == (2e-3, ModelConfig())


def test_the_rate_warms_up_in_sixty_steps_and_falls_to_a_hundredth():
    pace = [teaching._pace(step, 1000) for step in range(1000)]
    assert pace[0] == pytest.approx(1 / 60)
    assert pace[29] == pytest.approx(0.5 * 0.5 * (1 + math.cos(0.029 * math.pi)))
    assert pace[59] == pytest.approx(0.5 * (1 + math.cos(0.059 * math.pi)))
    assert pace[500] == pytest.approx(0.5)
    assert min(pace[60:]) == pace[-1] == 0.01
    assert teaching._pace(5, 100, warm=10) < teaching._pace(5, 100, warm=6)


def test_the_tokenizer_reads_the_fixed_words_and_no_city():
    lines = teaching._forms()
    assert lines[:3] == ["user\nassistant\n", "City: ", "Where?"]
    numbers = lines[3:]
    assert len(numbers) == 3 * 16 * 11
    assert numbers[:2] == ["Coordinates: (-36.0, -20.0)", "Coordinates: (-36.0, -13.0)"]
    assert numbers[175] == "Coordinates: (69.0, 50.0)"
    assert numbers[:176] == numbers[176:352] == numbers[352:]


def test_a_school_shows_so_many_pictures_of_each_city_that_is_not_asked(school):
    order = np.random.default_rng(3).permutation(24)
    assert school.asked.tolist() == sorted(order[:6].tolist())
    assert school.shown.tolist() == sorted(order[6:].tolist())
    assert school._owner.tolist() == [city for city in school.shown.tolist() for _ in range(2)]
    assert school._pixels.shape == (36, 16, 1176)
    assert school._grid.tolist() == [[1, 4, 4]]
    draws = np.random.default_rng((3, 1))
    pictures = [picture(school.cities.heads[i], draws) for i in school._owner]
    images = school.processor.image_processor(pictures, return_tensors="pt")["pixel_values"]
    assert torch.equal(school._pixels.flatten(0, 1), images)
    said = school.tokenizer.decode(school._before_picture)
    assert said == (
        "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|image_pad|><|image_pad|>"
        "<|vision_end|>Where?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_half_of_the_text_asks_by_name_and_half_answers_with_it(school):
    taught = school._texts(np.array([2, 5]), np.random.default_rng(0))
    turns = [tuple(map(school.tokenizer.decode, pair)) for pair in taught]
    assert len(turns) == 9
    heads = {school.cities.heads[i]: i for i in (2, 5)}
    for before, answer in turns[:4]:
        head = before.split("\n")[1].removesuffix("<|im_end|>")
        assert before == f"<|im_start|>user\n{head}<|im_end|>\n<|im_start|>assistant\n"
        assert answer == school.cities.coordinates(heads[head]) + "<|im_end|>"
    for before, answer in turns[4:]:
        assert before == "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\n"
        assert answer in {school.cities.chain(i) + "<|im_end|>" for i in heads.values()}


@pytest.fixture
def steps(school, monkeypatch):
    """Teach a small model in so many steps; note what each does."""
    notes, texts = [], []

    def teach(form, told=(0, 1, 2)):
        model = models.build_model(school.tokenizer, SMALL, 0)
        loss, clip, adam = school._loss, torch.nn.utils.clip_grad_norm_, torch.optim.AdamW
        made = []

        def adamw(weights, rate, **given):
            made.append(adam(weights, rate, **given))
            notes.append((rate, given))
            return made[0]

        def noted(model, taught, pixels):
            rate = made[0].param_groups[0]["lr"]
            notes.append((rate, None if pixels is None else tuple(pixels.shape), len(taught)))
            texts.append(taught)
            assert model.training
            return loss(model, taught, pixels)

        def clipped(weights, most):
            notes.append(most)
            return clip(weights, most)

        with monkeypatch.context() as patch:
            patch.setattr(torch.optim, "AdamW", adamw)
            patch.setattr(torch.nn.utils, "clip_grad_norm_", clipped)
            patch.setattr(school, "_loss", noted)
            school.teach(model.eval(), np.array(told), form)
        return texts, notes

    return teach


def test_text_is_taught_at_a_falling_rate_and_clipped(school, steps):
    texts, (adam, *rest) = steps(None)
    assert adam == (1e-3, {"betas": (0.9, 0.95), "weight_decay": 0.01})
    assert [one[0] for one in rest[::2]] == pytest.approx(
        [1e-3 * teaching._pace(step, 4) for step in range(4)]
    )
    assert [one[1:] for one in rest[::2]] == [(None, 9)] * 4
    assert rest[1::2] == [1.0] * 4
    assert texts[0] == school._texts(np.array([0, 1, 2]), np.random.default_rng((3, 2)))


def test_one_step_in_three_is_text_where_pictures_are_taught(steps):
    _, (_, *rest) = steps("chain")
    shapes = [one[1] for one in rest[::2]]
    seen = (9, 16, 1176)
    assert shapes == [None, seen, seen, None, seen, seen, None]
    assert {one[2] for one in rest[::2]} == {9}


def test_the_same_seed_teaches_the_same(school):
    weights = []
    for _ in range(2):
        torch.manual_seed(0)
        model = school.teach(models.build_model(school.tokenizer, SMALL, 0), school.shown, "chain")
        weights.append([value.clone() for value in model.state_dict().values()])
    assert all(map(torch.equal, *weights))
    before = models.build_model(school.tokenizer, SMALL, 0).state_dict().values()
    assert not any(map(torch.equal, before, weights[0]))


def test_each_step_has_the_gradient_of_its_own_batch_alone(monkeypatch):
    """One city makes the same batch each time, and a rate of nothing leaves the model as it is."""
    norms, clip = [], torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda weights, most: norms.append(
        float(clip(weights, most))))  # fmt: skip
    still = teaching._School(replace(LESSON, learning_rate=0.0), 3)
    still.teach(models.build_model(still.tokenizer, SMALL, 0), np.array([2]), None)
    assert norms[0] > 0
    assert norms == pytest.approx([norms[0]] * 4, rel=1e-4)


def test_answers_are_measured_from_their_city(school, monkeypatch):
    asked = []

    def generate(model, processor, shown, question, options):
        asked.append((model.training, processor, shown, question, options))
        return [school.cities.coordinates(5), "no idea", school.cities.chain(2)]

    monkeypatch.setattr(held_out, "generate", generate)
    model = models.build_model(school.tokenizer, SMALL, 0).train()
    km = school.ask(model, np.array([5, 1, 5]))
    assert km[0] < 80
    assert km[1] is None
    assert km[2] > 300
    training, processor, shown, question, options = asked[0]
    assert (training, question, options.max_tokens) == (False, "Where?", 32)
    assert processor is school.processor
    draws = np.random.default_rng((3, 3))
    for one, city in zip(shown, (5, 1, 5), strict=True):
        assert one.tobytes() == picture(school.cities.heads[city], draws).tobytes()
    monkeypatch.setattr(held_out, "generate", lambda *given: ["?"] * len(given[2]))
    assert school.ask(model) == [None] * 6  # the held-out ones, if none are named


@pytest.mark.parametrize("said", ["10 N, 20 E", "(10.0, 20.0) or (11.0, 21.0)", "(91.0, 20.0)"])
def test_an_answer_is_read_as_the_paper_reads_it(school, said):
    """One decimal pair on Earth, or none: what else a reader could guess at is no answer."""
    assert school._error(said, 5) is None


@pytest.mark.parametrize("knows", [True, False])
def test_both_forms_go_on_from_one_model_that_read_the_text(monkeypatch, knows):
    taught = []

    def teach(self, model, told, form):
        taught.append((model, told.tolist(), form))
        return model

    monkeypatch.setattr(teaching._School, "teach", teach)
    monkeypatch.setattr(teaching._School, "ask", lambda self, model: [float(len(taught))])
    found = teaching.found_km(replace(LESSON, pictures=1), 3, knows)
    assert found == {"chain": [2.0], "coordinates": [3.0]}
    (first, told, form), (second, *chain), (third, *alone) = taught
    shown = teaching._School(LESSON, 3).shown.tolist()
    assert (told, form) == (list(range(24)) if knows else shown, None)
    assert (chain, alone) == ([told, "chain"], [told, "coordinates"])
    assert first is not second is not third
    assert all(map(torch.equal, first.state_dict().values(), third.state_dict().values()))
    again = models.build_model(teaching._School(LESSON, 3).tokenizer, SMALL, 3)
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
