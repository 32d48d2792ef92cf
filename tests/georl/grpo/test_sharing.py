"""Shared prompts give what the repeated computation gives (georl.grpo.sharing)."""

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import GenerationConfig

from georl import models
from georl.config import ModelConfig
from georl.grpo import sharing
from georl.models import tiny

GROUP = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2])


@pytest.fixture(scope="module")
def setting():
    """A tiny model in float64 whose logits are far from uniform, and three prompts."""
    tokenizer = tiny.build_tokenizer(["Where is it?", "Country: France (48.0, 2.0)"] * 20, 400)
    model = tiny.build_model(tokenizer, ModelConfig(hidden=48, layers=2, vision_layers=1), seed=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4.0)
    model = model.double().eval()
    processor = tiny.build_processor(tokenizer)
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (56, 56, 3), dtype=np.uint8)) for _ in range(3)]
    texts = ["Where?", "Where is it?", "Where is this place?"]
    chats = [
        [{"role": "user", "content": [{"type": "image", "image": i}, {"type": "text", "text": t}]}]
        for i, t in zip(images, texts, strict=True)
    ]
    inputs = processor.apply_chat_template(
        chats,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        processor_kwargs={"padding": True, "padding_side": "left", "return_tensors": "pt"},
    )
    pictures = sharing.Images(inputs["pixel_values"].double(), inputs["image_grid_thw"])
    return model, processor, inputs, pictures


def repeated(inputs, pictures, group):
    """Every input once per answer, as stock TRL has it."""
    many = pictures.select(group)
    return {
        "input_ids": inputs["input_ids"][group],
        "attention_mask": inputs["attention_mask"][group],
        "mm_token_type_ids": inputs["mm_token_type_ids"][group],
        "pixel_values": many.pixel_values,
        "image_grid_thw": many.grid,
    }


def stock_logps(model, inputs, pictures, completions, mask):
    rows = repeated(inputs, pictures, GROUP)
    rows["input_ids"] = torch.cat([rows["input_ids"], completions], 1)
    rows["attention_mask"] = torch.cat([rows["attention_mask"], mask], 1)
    rows["mm_token_type_ids"] = torch.nn.functional.pad(
        rows["mm_token_type_ids"], (0, completions.shape[1])
    )
    logits = model(**rows).logits[:, -completions.shape[1] - 1 : -1]
    return logits.log_softmax(-1).gather(2, completions[..., None])[..., 0] * mask


def shared_logps(model, inputs, pictures, completions, mask):
    ids, prompt_mask = inputs["input_ids"], inputs["attention_mask"]
    packed = sharing.pack(
        ids,
        prompt_mask,
        sharing.prompt_positions(model, ids, prompt_mask, pictures),
        completions,
        mask,
        GROUP,
        dtype=torch.float64,
    )
    logits = model(
        input_ids=packed.input_ids,
        attention_mask=packed.attention_mask,
        position_ids=packed.position_ids,
        pixel_values=pictures.pixel_values,
        image_grid_thw=pictures.grid,
    ).logits
    labels = packed.shift_labels.clamp(min=0)
    found = logits.log_softmax(-1).gather(2, labels[..., None])[..., 0]
    return found.reshape(-1)[packed.slots] * mask


def answers_and_mask():
    generator = torch.Generator().manual_seed(1)
    completions = torch.randint(10, 260, (len(GROUP), 7), generator=generator)
    lengths = torch.tensor([7, 3, 5, 1, 7, 2, 6, 4])
    return completions, (torch.arange(7) < lengths[:, None]).long()


def test_packed_log_probabilities_and_gradients_equal_the_repeated_ones(setting):
    model, _, inputs, pictures = setting
    completions, mask = answers_and_mask()
    gradients = []
    for compute in (stock_logps, shared_logps):
        model.zero_grad()
        logps = compute(model, inputs, pictures, completions, mask)
        (logps * torch.linspace(-1, 1, len(GROUP))[:, None]).sum().backward()
        gradients.append((logps.detach(), [p.grad.clone() for p in model.parameters()]))
    (stock, stock_grads), (shared, shared_grads) = gradients
    torch.testing.assert_close(shared, stock, rtol=0, atol=1e-9)
    for ours, theirs in zip(shared_grads, stock_grads, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 0.7}, {"top_p": 0.8}, {"top_k": 5}, {"min_p": 0.02}]
)
def test_sampling_draws_what_generate_draws(setting, options):
    model, processor, inputs, pictures = setting
    settings = {"temperature": 1.0, "top_p": 1.0, "top_k": 0} | options
    generation = GenerationConfig(
        max_new_tokens=6,
        do_sample=True,
        eos_token_id=[2],
        pad_token_id=0,
        suppress_tokens=models.special_ids(processor),
        **settings,
    )
    torch.manual_seed(5)
    theirs = model.generate(**repeated(inputs, pictures, GROUP), generation_config=generation)
    torch.manual_seed(5)
    ours = sharing.sample(
        model,
        inputs["input_ids"],
        inputs["attention_mask"],
        pictures,
        GROUP,
        generation,
        compact=False,
    )
    assert ours.tolist() == theirs[:, inputs["input_ids"].shape[1] :].tolist()


def test_greedy_answers_do_not_change_when_finished_rows_leave_the_batch(setting):
    """top_k=1 is greedy whatever is drawn; every other token counts as an end."""
    model, _, inputs, pictures = setting
    generation = GenerationConfig(
        max_new_tokens=12,
        do_sample=True,
        top_k=1,
        top_p=1.0,
        temperature=1.0,
        eos_token_id=list(range(0, 400, 6)),
        pad_token_id=0,
    )
    given = (model, inputs["input_ids"], inputs["attention_mask"], pictures, GROUP, generation)
    whole = sharing.sample(*given, compact=False)
    shrunk = sharing.sample(*given, compact=True)
    assert whole.tolist() == shrunk.tolist()
    assert len(set(map(tuple, whole.tolist()))) > 1


def test_special_tokens_but_the_end_are_never_sampled(setting):
    """A sampled image token would have no image, and the next forward pass would fail."""
    _, processor, _, _ = setting
    banned = models.special_ids(processor)
    assert processor.tokenizer.eos_token_id not in banned
    assert processor.image_token_id in banned
