"""Rows of shared prompts, laid out by hand: who sees what, where, and is scored as what."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image
from transformers import BatchFeature, GenerationConfig

from georl import models
from georl.config import ModelConfig
from georl.grpo import shared_trainer, sharing

LOWEST = torch.finfo(torch.float32).min


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3).flatmap(
        lambda prompts: st.tuples(
            st.just(prompts),
            st.lists(
                st.tuples(st.integers(0, len(prompts) - 1), st.integers(0, 4)),
                min_size=1,
                max_size=6,
            ),
        )
    )
)
def test_each_answer_sees_its_prompt_and_itself_and_nothing_else(case):
    """Prompts of some lengths, padded on the left; answers of some lengths, in any order."""
    prompts, answers = case
    wide, long = max(prompts), max(1, *(length for _, length in answers))
    ids = torch.tensor([[0] * (wide - n) + [100 * u + i for i in range(1, n + 1)]
                        for u, n in enumerate(prompts, 1)])  # fmt: skip
    mask = torch.tensor([[0] * (wide - n) + [1] * n for n in prompts])
    at = (
        torch.arange(wide).expand(3, len(prompts), wide) * torch.tensor([1, 10, 100])[:, None, None]
    )
    group = torch.tensor([row for row, _ in answers])
    real = torch.tensor([[1] * n + [0] * (long - n) for _, n in answers])
    said = torch.tensor([[1000 * b + i for i in range(long)] for b in range(1, len(answers) + 1)])
    packed = sharing.pack(ids, mask, at, said, real, group)
    count, width = packed.input_ids.shape
    assert packed.attention_mask.shape == (count, 1, width, width)
    assert set(packed.attention_mask.unique().tolist()) <= {0.0, LOWEST}
    assert packed.attention_mask.dtype == torch.float32
    scored = 0
    for b, (row, n) in enumerate(answers):
        for j in range(n):
            slot = int(packed.slots[b, j])
            assert slot // width == row
            here = slot % width
            sees = (packed.attention_mask[row, 0, here] == 0).nonzero().squeeze(1)
            seen = packed.input_ids[row, sees].tolist()
            prompt = ids[row, wide - prompts[row] :].tolist()
            assert seen == [*prompt, *said[b, :j].tolist()]
            assert int(packed.shift_labels[row, here]) == int(said[b, j])
            assert packed.position_ids[:, row, here].tolist() == (at[:, row, -1] + j).tolist()
            scored += 1
    assert int((packed.shift_labels != -100).sum()) == scored
    per_row = [sum(n for row, n in answers if row == u) for u in range(len(prompts))]
    assert width == wide - 1 + max(per_row[row] for row, _ in answers)
    assert (packed.position_ids[:, :, : wide - 1] == at[:, :, :-1]).all()


def test_a_mask_has_the_type_that_is_asked_for():
    one = torch.ones(1, 2, dtype=torch.long)
    packed = sharing.pack(
        one, one, torch.zeros(3, 1, 2), one, one, torch.tensor([0]), torch.bfloat16
    )
    assert packed.attention_mask.dtype == torch.bfloat16
    assert packed.attention_mask.min() == torch.finfo(torch.bfloat16).min


def test_positions_of_a_prompt_without_pictures_begin_at_its_first_word():
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    found = sharing.prompt_positions(None, mask, mask, None)
    assert found.tolist() == [[[0, 0, 0, 1], [0, 1, 2, 3]]] * 3


def test_pictures_are_taken_by_their_patches():
    grid = torch.tensor([[1, 2, 2], [1, 4, 2], [1, 2, 4]])
    pictures = sharing.Images(torch.arange(20)[:, None], grid)
    found = pictures.select(torch.tensor([2, 0]))
    assert found.pixel_values[:, 0].tolist() == [*range(12, 20), *range(4)]
    assert found.grid.tolist() == [[1, 2, 4], [1, 2, 2]]
    assert found.arguments() == {"pixel_values": found.pixel_values, "image_grid_thw": found.grid}


@pytest.mark.parametrize(
    ("kind", "attention", "said"),
    [
        ("qwen2_5_vl", "sdpa", None),
        ("qwen2_vl", "eager", None),
        ("qwen2_vl", "flash_attention_2", "model.attention=flash_attention_2 takes no mask"),
        ("llava", "sdpa", "it is known how for qwen2_5_vl and qwen2_vl, and the model is llava"),
    ],
)
def test_models_whose_prompts_cannot_be_shared(kind, attention, said):
    model = SimpleNamespace(config=SimpleNamespace(model_type=kind, _attn_implementation=attention))
    told = sharing.unsupported(model)
    assert told is None if said is None else told.startswith(said)


def test_changes_to_the_logits_are_those_that_change_something():
    def made(**options):
        base = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "max_new_tokens": 1}
        kinds = sharing._adjustments(GenerationConfig(**{**base, **options}))
        return [type(one).__name__.split("Logits")[0] for one in kinds]

    assert made() == []
    assert made(temperature=0.5) == ["Temperature"]
    assert made(top_k=3, top_p=0.9, min_p=0.1, suppress_tokens=[1], temperature=2.0) == [
        "SuppressTokens", "Temperature", "TopK", "TopP", "MinP",
    ]  # fmt: skip


# --- what stands around them ----------------------------------------------------------------


def test_prompts_are_alike_by_their_words_and_their_very_picture():
    one, same = Image.new("RGB", (4, 4)), Image.new("RGB", (4, 4))

    def chat(picture, text="Where?", role="user"):
        parts = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
        return [{"role": role, "content": parts}]

    key = shared_trainer._prompt_key
    assert key(chat(one)) == key(chat(one))
    assert len({key(c) for c in (chat(one), chat(same), chat(one, "?"), chat(one, role="a"))}) == 4
    hash(key(chat(one)))


def test_pictures_of_a_batch_are_shared_where_each_row_has_one():
    read, grid = shared_trainer._images_of, torch.tensor([[1, 2, 2]] * 2)
    pixels = torch.arange(8)
    whole = {"pixel_values": pixels, "image_grid_thw": grid, "num_images": [1, 1]}
    found = read(whole)
    assert (found.pixel_values is pixels, found.grid is grid) == (True, True)
    assert read({}) is None
    assert read(whole | {"pixel_values": None}) is None
    assert read(whole | {"num_images": None}) is None
    assert read(whole | {"num_images": [1, 2]}) is False
    assert read(whole | {"num_images": [0, 1]}) is False
    assert read(whole | {"image_grid_thw": None}) is False


class Processor:
    """An image processor that notes what it was given; a picture has as many patches as pixels."""

    size = "large"

    def __init__(self):
        self.seen = []

    def __call__(self, images, *rest, **options):
        self.seen.append((list(images), rest, options))
        grids = [[1, image.height, image.width] for image in images]
        pixels = [
            np.full((h * w, 3), images[k].getpixel((0, 0))) for k, (_, h, w) in enumerate(grids)
        ]
        return BatchFeature(
            {"pixel_values": np.concatenate(pixels), "image_grid_thw": np.array(grids)}
        )


def test_a_picture_is_prepared_once_however_often_it_is_shown():
    a, b = Image.new("L", (2, 1), 7), Image.new("L", (1, 3), 9)
    inner = Processor()
    outer = SimpleNamespace(image_processor=inner)
    with shared_trainer._once_per_image(outer):
        memo = outer.image_processor
        assert memo.size == "large"
        out = memo([[a], [b], [a]], 5, x=1)
        again = memo([b])
    assert outer.image_processor is inner
    assert inner.seen == [([a, b], (5,), {"x": 1})]
    assert isinstance(out, BatchFeature)
    assert out["pixel_values"][:, 0].tolist() == [7, 7, 9, 9, 9, 7, 7]
    assert out["image_grid_thw"].tolist() == [[1, 1, 2], [1, 3, 1], [1, 1, 2]]
    assert again["pixel_values"][:, 0].tolist() == [9] * 3
    with pytest.raises(ValueError, match="stop"), shared_trainer._once_per_image(outer):
        raise ValueError("stop")
    assert outer.image_processor is inner


@pytest.mark.parametrize("training", [True, False])
def test_a_model_is_put_back_into_the_mode_that_it_was_in(training):
    layer = torch.nn.Dropout().train(training)
    with shared_trainer._without_dropout(layer):
        assert not layer.training
    assert layer.training == training
    with pytest.raises(ValueError, match="stop"), shared_trainer._without_dropout(layer):
        raise ValueError("stop")
    assert layer.training == training


def test_prompts_are_padded_on_the_left_with_the_pad_of_the_tokenizer():
    trainer = SimpleNamespace(
        _tokenizer=SimpleNamespace(pad_token_id=9), accelerator=SimpleNamespace(device="cpu")
    )
    padded = shared_trainer.SharedPromptsTrainer._padded
    ids, mask, images = padded(trainer, [[1, 2, 3], [4]], {})
    assert ids.tolist() == [[1, 2, 3], [9, 9, 4]]
    assert mask.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert images is None
    fields = {"pixel_values": [[1.0], [2.0]], "image_grid_thw": [[1, 1, 2]]}
    _, _, images = padded(trainer, [[1]], fields)
    assert images.pixel_values.tolist() == [[1.0], [2.0]]
    assert images.grid.tolist() == [[1, 1, 2]]


def test_a_run_of_one_word_that_ends_at_once_and_of_one_that_never_ends():
    """Sampling stops when all have ended, and at the length that it was given."""
    tokenizer = models.build_tokenizer(["Where?"])
    model = models.build_model(tokenizer, ModelConfig(hidden=48, layers=1, vision_layers=1)).eval()
    prompt, mask = torch.tensor([[5, 6, 7], [0, 5, 6]]), torch.tensor([[1, 1, 1], [0, 1, 1]])
    group = torch.tensor([0, 0, 1])
    for ends, length in (([*range(len(tokenizer))], 1), ([len(tokenizer) + 5], 4)):
        options = GenerationConfig(
            max_new_tokens=4, eos_token_id=ends, pad_token_id=3, temperature=1.0, top_p=1.0, top_k=0
        )
        found = sharing.sample(model, prompt, mask, None, group, options)
        assert found.shape == (3, length)
