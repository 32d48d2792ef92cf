"""The tiny model, part by part: its tokens, its chats, its sizes (georl.models.tiny)."""

import json
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image

from georl import models
from georl.config import ModelConfig
from georl.models import tiny

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TEXTS = ["Country: France, City: New York City (12.5, -3.0)\n"] * 20


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.build_tokenizer(TEXTS)


def pieces(tokenizer, text):
    return [tokenizer.decode([one]) for one in tokenizer(text)["input_ids"]]


# --- tokens ---------------------------------------------------------------------------------


def test_the_special_tokens_come_first_and_have_their_roles(tokenizer):
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
             "<|image_pad|>", "<|video_pad|>"]  # fmt: skip
    assert [tokenizer.convert_tokens_to_ids(name) for name in names] == list(range(7))
    assert (tokenizer.pad_token, tokenizer.eos_token) == ("<|endoftext|>", "<|im_end|>")
    assert sorted(tokenizer.all_special_ids) == list(range(7))
    assert tokenizer.padding_side == "left"
    assert tokenizer(["a", "a b c"], padding=True)["attention_mask"][0][0] == 0
    for name in names:
        assert len(tokenizer(name)["input_ids"]) == 1


def test_a_number_is_its_digits_and_a_name_its_words_together(tokenizer):
    """A digit is one token, so that 12.5 and 12.6 share all but the last."""
    assert pieces(tokenizer, "12.5") == ["1", "2", ".", "5"]
    assert pieces(tokenizer, "New York City") == ["New York City"]
    assert pieces(tokenizer, "France") == ["France"]
    assert pieces(tokenizer, " (1") == [" (", "1"]
    assert pieces(tokenizer, ", ")[0] == ","


def test_a_word_in_small_letters_is_not_joined_to_the_one_before():
    made = tiny.build_tokenizer(["New York", "New york"] * 20)
    assert pieces(made, "New York") == ["New York"]
    assert len(pieces(made, "New york")) > 1


@given(st.text(max_size=30))
def test_any_text_comes_back(text):
    tokenizer = _plain()
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


_made = []


def _plain():
    if not _made:
        _made.append(tiny.build_tokenizer(TEXTS))
    return _made[0]


@pytest.mark.parametrize("size", [280, 320])
def test_the_vocabulary_holds_as_many_as_asked_with_every_byte(size):
    many = [f"Country: {chr(97 + i)}{chr(97 + j)}" for i in range(26) for j in range(26)]
    made = tiny.build_tokenizer(many, size)
    assert len(made) == size
    assert len(tiny.build_tokenizer(many)) == 600
    assert len(tiny.build_tokenizer([])) == 7 + 256


# --- chats and pictures ---------------------------------------------------------------------


def test_a_chat_is_written_as_qwen_writes_it_without_its_system_turn(tokenizer):
    chat = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "image"}, {"type": "text", "text": "Where?"}, {"type": "other"}],
        },
        {"role": "assistant", "content": "Here."},
    ]
    written = (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Where?<|im_end|>\n"
        "<|im_start|>assistant\nHere.<|im_end|>\n"
    )
    processor = tiny.build_processor(tokenizer)
    for part in (tokenizer, processor):
        assert part.apply_chat_template(chat, tokenize=False) == written
        asked = part.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        assert asked == written + "<|im_start|>assistant\n"


@pytest.mark.parametrize("size", [(56, 56), (448, 448), (20, 20)])
def test_a_picture_is_four_tokens_whatever_its_size(tokenizer, size):
    processor = tiny.build_processor(tokenizer)
    text = "<|vision_start|><|image_pad|><|vision_end|>"
    made = processor(images=[Image.new("RGB", size)], text=[text], return_tensors="pt")
    assert made["image_grid_thw"].tolist() == [[1, 4, 4]]
    assert made["input_ids"].tolist() == [[3, 5, 5, 5, 5, 4]]
    assert made["pixel_values"].shape == (16, 3 * 2 * 14 * 14)


def test_a_processor_knows_its_picture_and_has_no_part_for_videos(tokenizer):
    processor = tiny.build_processor(tokenizer)
    assert (processor.image_token, processor.image_token_id) == ("<|image_pad|>", 5)
    assert (processor.video_token, processor.video_token_id) == ("<|video_pad|>", 6)
    assert processor.video_processor is None
    assert type(processor).get_attributes() == ["image_processor", "tokenizer"]
    assert type(processor).__name__ == "Qwen2_5_VLProcessor"


def test_a_saved_processor_is_read_by_ours_and_names_the_class_that_others_know(
    tokenizer, tmp_path
):
    tiny.build_processor(tokenizer).save_pretrained(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"preprocessor_config.json", "tokenizer.json", "chat_template.jinja"} <= names
    about = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert (about["patch_size"], about["size"]) == (
        14,
        {"shortest_edge": 3136, "longest_edge": 3136},
    )
    told = json.loads((tmp_path / "processor_config.json").read_text())
    assert told["processor_class"] == "Qwen2_5_VLProcessor"
    again = tiny.load_processor(tmp_path)
    assert again.chat_template == tiny.CHAT_TEMPLATE
    assert again.tokenizer.get_vocab() == tokenizer.get_vocab()
    bounded = tiny.load_processor(tmp_path, min_pixels=784, max_pixels=784 * 2)
    assert (bounded.image_processor.size["shortest_edge"], again.image_processor.size) == (
        784,
        {"shortest_edge": 3136, "longest_edge": 3136},
    )


def test_a_model_s_own_words_around_a_chat_are_kept(tokenizer, tmp_path):
    """Qwen's template has a system turn that ours leaves out: the model was trained on its own."""
    tiny.build_processor(tokenizer).save_pretrained(tmp_path)
    own = "{% for message in messages %}<|im_start|>{{ message['content'] }}!{% endfor %}"
    (tmp_path / "chat_template.jinja").write_text(own)
    found = tiny.load_processor(tmp_path)
    assert found.chat_template == own
    chat = [{"role": "user", "content": "Where?"}]
    assert found.apply_chat_template(chat, tokenize=False) == "<|im_start|>Where?!"


# --- the model ------------------------------------------------------------------------------


def test_a_model_has_the_sizes_of_the_run(tokenizer):
    model = tiny.build_model(tokenizer, ModelConfig(hidden=64, layers=3, vision_layers=2))
    text, sight = model.config.text_config, model.config.vision_config
    assert (text.hidden_size, text.intermediate_size, text.num_hidden_layers) == (64, 192, 3)
    assert (text.num_attention_heads, text.num_key_value_heads) == (4, 2)
    assert text.vocab_size == len(tokenizer)
    assert text.max_position_embeddings == 1024
    assert text.rope_parameters["rope_theta"] == 10000.0
    assert text.rope_parameters["rope_type"] == "default"
    assert (text.bos_token_id, text.eos_token_id, text.pad_token_id) == (None, 2, 0)
    assert (sight.hidden_size, sight.out_hidden_size, sight.intermediate_size) == (64, 64, 192)
    assert (sight.depth, sight.num_heads) == (2, 4)
    assert (sight.patch_size, sight.window_size, list(sight.fullatt_block_indexes)) == (
        14,
        112,
        [0, 1],
    )
    about = model.config
    assert (about.image_token_id, about.video_token_id) == (5, 6)
    assert (about.vision_start_token_id, about.vision_end_token_id) == (3, 4)
    assert (model.generation_config.eos_token_id, model.generation_config.pad_token_id) == (2, 0)
    embedded, said = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    assert embedded.data_ptr() == said.data_ptr()  # tied
    assert len(model.model.language_model.layers) == 3
    assert len(model.model.visual.blocks) == 2


@pytest.mark.parametrize(
    ("hidden", "sections"), [(48, [2, 2, 2]), (64, [4, 2, 2]), (80, [4, 3, 3]), (128, [6, 5, 5])]
)
def test_time_height_and_width_share_half_a_head(tokenizer, hidden, sections):
    """Of hidden / 4 channels a head half turn; what a third leaves over goes to time."""
    made = tiny.build_model(tokenizer, ModelConfig(hidden=hidden, layers=1, vision_layers=1))
    assert made.config.text_config.rope_parameters["mrope_section"] == sections
    assert sum(sections) == hidden // 4 // 2


def test_a_seed_decides_the_weights_and_the_random_state_goes_on_as_if_nothing_was(tokenizer):
    sizes = ModelConfig(hidden=48, layers=1, vision_layers=1)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    first = tiny.build_model(tokenizer, sizes)
    assert torch.equal(torch.rand(4), expected)
    again, other = tiny.build_model(tokenizer, sizes, 0), tiny.build_model(tokenizer, sizes, 1)
    for (name, one), two, three in zip(
        first.named_parameters(), again.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(one, two), name
        assert one.ndim == 1 or not torch.equal(one, three), name


def test_without_a_configuration_it_has_the_sizes_of_the_default_run(tokenizer):
    model, sizes = tiny.build_model(tokenizer), ModelConfig()
    text = model.config.text_config
    assert (text.hidden_size, text.num_hidden_layers) == (sizes.hidden, sizes.layers)


def test_a_picture_and_a_question_go_through_the_model(tokenizer):
    """The parts fit together: as many features as image tokens, positions in three directions."""
    processor = tiny.build_processor(tokenizer)
    model = tiny.build_model(tokenizer, ModelConfig(hidden=48, layers=1, vision_layers=1))
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "France"}]}]
    text = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    inputs = processor(images=[Image.new("RGB", (90, 60))], text=[text], return_tensors="pt")
    with torch.no_grad():
        assert model(**inputs).logits.shape == (1, inputs["input_ids"].shape[1], len(tokenizer))
    assert models.vision_tower(SimpleNamespace(model=model.model)) is model.model.visual
