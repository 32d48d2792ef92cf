"""What of the configuration reaches the model and its LoRA layers (georl.models.loading)."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from georl import models
from georl.config import ConfigError, ModelConfig
from georl.models import loading, tiny

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TINY = ModelConfig(hidden=48, layers=1, vision_layers=1)


def test_lora_is_made_as_the_run_says():
    made = loading.lora(ModelConfig(lora_rank=8, lora_alpha=24, revision="abc"), 0.25)
    assert (made.r, made.lora_alpha, made.lora_dropout) == (8, 24, 0.25)
    assert (made.task_type, made.revision) == ("CAUSAL_LM", "abc")
    assert set(made.target_modules) == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert loading.lora(ModelConfig(lora_rank=8, lora_dropout=0.125), 0.25).lora_dropout == 0.125
    assert loading.lora(ModelConfig(lora_rank=8, lora_dropout=0.0), 0.25).lora_dropout == 0.0
    assert loading.lora(ModelConfig(lora_rank=8)).lora_dropout == 0.0
    assert loading.lora(ModelConfig(lora_rank=0), 0.25) is None


@pytest.mark.parametrize(
    ("dtype", "rank", "kind"),
    [
        ("float32", 0, torch.float32),
        ("float32", 8, torch.float32),
        ("bfloat16", 0, torch.float32),
        ("bfloat16", 8, torch.bfloat16),
    ],
)
def test_weights_that_learn_are_held_whole(dtype, rank, kind):
    assert loading.weight_dtype(ModelConfig(dtype=dtype, lora_rank=rank)) == kind


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    for part in loading.load(TINY, texts=["Where?"]):
        part.save_pretrained(folder)
    return str(folder)


def test_a_stored_model_is_loaded_as_the_run_says(stored):
    lora = ModelConfig(name=stored, dtype="bfloat16", lora_rank=4, attention="eager")
    model, _ = loading.load(lora)
    assert model.dtype == torch.bfloat16
    assert model.config._attn_implementation == "eager"
    model, _ = loading.load(ModelConfig(name=stored))
    assert model.dtype == torch.float32
    assert model.config._attn_implementation == "sdpa"
    assert all(value.requires_grad for value in model.parameters())


@pytest.mark.parametrize(
    ("bounds", "tokens"),
    [({}, 4), ({"max_pixels": 784 * 2}, 1), ({"min_pixels": 784 * 9, "max_pixels": 784 * 12}, 9)],
)
def test_the_bounds_of_a_picture_reach_the_processor(stored, bounds, tokens):
    processor = loading.load_processor(ModelConfig(name=stored, **bounds))
    found = processor.image_processor(images=[Image.new("RGB", (56, 56))], return_tensors="pt")
    assert int(found["image_grid_thw"].prod()) // 4 == tokens


def test_a_tower_is_found_by_any_of_its_names_and_frozen_where_there_is_one():
    tower = torch.nn.Linear(1, 1)
    for name in ("visual", "vision_tower", "vision_model"):
        for model in (
            SimpleNamespace(model=SimpleNamespace(**{name: tower})),
            SimpleNamespace(**{name: tower}),
        ):
            assert models.vision_tower(model) is tower
    assert models.vision_tower(SimpleNamespace(visual="a path")) is None
    blind = SimpleNamespace()
    assert loading._prepared(blind, ModelConfig()) is blind
    with pytest.raises(ConfigError, match=r"names no vision tower; set model\.freeze_vision=false"):
        loading._prepared(blind, ModelConfig(freeze_vision=True))


def test_what_cannot_be_loaded_is_told_on_one_line(tmp_path):
    error = OSError("first\nsecond")
    said = loading._unreadable(ModelConfig(name="a/b", revision="c"), error)
    assert said == "model.name 'a/b' (hub name) at revision c cannot be loaded: first"
    said = loading._unreadable(ModelConfig(name=str(tmp_path)), error)
    assert said == f"model.name {str(tmp_path)!r} (folder) cannot be loaded: first"
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ConfigError, match=r"\(folder\) cannot be loaded|takes no images"):
        loading.load(ModelConfig(name=str(tmp_path)))


def test_no_special_token_is_sampled_but_the_end():
    tokenizer = SimpleNamespace(all_special_ids=[7, 3, 3, 9], eos_token_id=9)
    assert models.special_ids(SimpleNamespace(tokenizer=tokenizer)) == [3, 7]
    assert models.special_ids(tokenizer) == [3, 7]


def test_a_rank_that_is_not_the_stored_one():
    loading._check_rank(ModelConfig(lora_rank=4), {"r": 4})
    loading._check_rank(ModelConfig(lora_rank=0), {"r": 4})
    with pytest.raises(
        ConfigError, match=r"rank 4 and model\.lora_rank is 3; set model\.lora_rank=4"
    ):
        loading._check_rank(ModelConfig(lora_rank=3, name="x"), {"r": 4})


@pytest.mark.parametrize("commit", [None, "a" * 40])
def test_the_commit_of_a_run_is_that_of_every_part_of_its_processor(stored, monkeypatch, commit):
    asked = []

    def noted(kind):
        stock = kind.from_pretrained

        def read(name, **options):
            asked.append((name, options.pop("revision", None)))
            return stock(stored, **options)

        monkeypatch.setattr(kind, "from_pretrained", read)

    for kind in (tiny.AutoTokenizer, tiny.Qwen2VLImageProcessorPil, loading.AutoConfig):
        noted(kind)
    made = loading.load_processor(ModelConfig(name="Qwen/X", revision=commit, max_pixels=784 * 5))
    assert [one for one in asked if one[0] != stored] == [("Qwen/X", commit)] * 3
    assert made.image_processor.size["longest_edge"] == 784 * 5
    assert made.tokenizer.padding_side == "left"
