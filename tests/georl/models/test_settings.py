"""What of the configuration reaches the model and its LoRA layers (georl.models.loading)."""

import inspect
import json
import re
import shutil
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor, LlavaProcessor

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


# --- strangers ------------------------------------------------------------------------------

EVIL = """
Path(__file__).with_name("it ran").touch()
Path({marker!r}).touch()
class Evil:
    pass
"""


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("config.json", "AutoConfig"),
        ("config.json", "AutoModelForImageTextToText"),
        ("tokenizer_config.json", "AutoTokenizer"),
        ("preprocessor_config.json", "AutoImageProcessor"),
        ("processor_config.json", "AutoProcessor"),
    ],
)
def test_a_program_in_a_model_s_folder_does_not_run(stored, tmp_path, file, part):
    """A model of strangers is data: what its files ask to be run is not looked at."""
    folder, marker = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(stored, folder)
    (folder / "evil.py").write_text(EVIL.format(marker=str(marker)))
    about = json.loads((folder / file).read_text())
    one = ["evil.Evil", "evil.Evil"] if part == "AutoTokenizer" else "evil.Evil"
    (folder / file).write_text(json.dumps(about | {"auto_map": {part: one}}))
    loading.load(ModelConfig(name=str(folder)))
    assert not marker.exists()


def test_every_reader_is_told_to_run_nothing(stored, monkeypatch):
    """Also for a model of another family, whose processor is found by its name."""
    told = []

    def noted(kind):
        stock = kind.from_pretrained

        def read(name, **options):
            told.append((kind.__name__, options.get("trust_remote_code")))
            return stock(name, **options)

        monkeypatch.setattr(kind, "from_pretrained", read)

    for kind in (loading.AutoConfig, loading.AutoModelForImageTextToText, tiny.AutoTokenizer):
        noted(kind)
    loading.load(ModelConfig(name=stored))
    mine = ("AutoConfig", "AutoModelForImageTextToText", "AutoTokenizer")
    assert {one for one in told if one[0] in mine and one[1] is not None} == {
        (name, False) for name in mine
    }
    source = inspect.getsource(loading) + inspect.getsource(tiny)
    assert len(re.findall("trust_remote_code=False", source)) == 4


@pytest.fixture
def other(tmp_path):
    """The folder of a model of another family, as far as a processor needs it."""
    tokenizer = tiny.build_tokenizer(["Where?"])
    made = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer,
        patch_size=14,
        image_token="<|image_pad|>",
    )
    made.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llava"}')
    return tmp_path


def test_a_model_of_another_family_has_its_own_processor(other):
    found = loading.load_processor(ModelConfig(name=str(other)))
    assert type(found).__name__ == "LlavaProcessor"


def test_a_model_of_another_family_is_read_at_its_commit_with_the_bounds_of_the_run(
    other, monkeypatch
):
    asked, stock = [], loading.AutoProcessor.from_pretrained
    monkeypatch.setattr(
        loading.AutoProcessor,
        "from_pretrained",
        lambda name, **options: asked.append((name, options)) or stock(name),
    )
    for more in ({}, {"min_pixels": 784}, {"max_pixels": 7840}):
        loading.load_processor(ModelConfig(name=str(other), revision="a" * 40, **more))
        fixed = {"revision": "a" * 40, "trust_remote_code": False}
        assert asked.pop() == (str(other), fixed | more)


def test_a_model_that_takes_no_images_is_refused_by_its_family(tmp_path):
    """For it transformers finds a tokenizer alone, and photos would be dropped without a word."""
    tiny.build_tokenizer(["Where?"]).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ConfigError) as error:
        loading.load_processor(ModelConfig(name=str(tmp_path)))
    assert str(error.value) == (
        f"model {str(tmp_path)!r} (bert) takes no images; choose a vision-language model"
    )


def test_a_configuration_that_is_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(ConfigError, match=r"\(folder\) cannot be loaded"):
        loading.load(ModelConfig(name=str(tmp_path)))


# --- where it comes from --------------------------------------------------------------------


def test_the_hub_is_asked_for_the_model_at_its_commit_before_anything_is_read(monkeypatch):
    asked = []

    def nobody(name, revision):
        asked.append((name, revision))
        raise ConfigError("nobody there")

    monkeypatch.setattr(loading, "reach", nobody)
    with pytest.raises(ConfigError, match=r"^nobody there$"):
        loading.load(ModelConfig(name="No/Such", revision="b" * 40))
    assert asked == [("No/Such", "b" * 40)]


@pytest.mark.parametrize("hub", [True, False])
def test_the_weights_are_those_of_the_commit(stored, monkeypatch, hub):
    commit = "c" * 40 if hub else None
    asked, stock = [], loading.AutoModelForImageTextToText.from_pretrained

    def read(name, **options):
        asked.append((name, options.pop("revision")))
        return stock(stored, **options)

    monkeypatch.setattr(loading.AutoModelForImageTextToText, "from_pretrained", read)
    monkeypatch.setattr(loading, "reach", lambda *_: None)
    monkeypatch.setattr(loading, "load_processor", lambda _: "processor")
    monkeypatch.setattr(loading, "find_adapter_config_file", lambda *_, **__: None)
    name = "Some/Model" if hub else stored
    model, processor = loading.load(ModelConfig(name=name, revision=commit))
    assert asked == [(name, commit)]
    assert (type(model).__name__, processor) == ("Qwen2_5_VLForConditionalGeneration", "processor")


def test_the_model_below_lora_weights_is_read_at_the_commit_that_their_folder_names(
    monkeypatch, tmp_path
):
    """The run's own commit is that of no model then."""
    about = {"base_model_name_or_path": "Qwen/X", "revision": "e" * 40, "r": 4}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    asked = []

    def read(name, **options):
        asked.append((name, options["revision"]))
        raise OSError("no further")

    for kind in (loading.AutoModelForImageTextToText, loading.AutoConfig):
        monkeypatch.setattr(kind, "from_pretrained", read)
    monkeypatch.setattr(loading, "reach", lambda *given: asked.append(given))
    run = ModelConfig(name=str(tmp_path), revision="f" * 40, lora_rank=4)
    with pytest.raises(OSError, match="no further"):
        loading.load_processor(run)
    monkeypatch.setattr(loading, "load_processor", lambda _: "processor")
    with pytest.raises(ConfigError, match="no further"):
        loading.load(run)
    assert asked == [("Qwen/X", "e" * 40)] * 3  # its settings, the hub, the weights


def test_lora_weights_are_looked_for_at_the_commit_and_only_on_the_hub(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        loading, "find_adapter_config_file", lambda *given, **more: asked.append((given, more))
    )
    loading._refuse_hub_adapter(ModelConfig(name="Some/Model", revision="d" * 40))
    assert asked == [(("Some/Model",), {"revision": "d" * 40})]
    loading._refuse_hub_adapter(ModelConfig(name=str(tmp_path)))
    assert len(asked) == 1


def test_a_folder_of_lora_weights_stands_for_its_model(tmp_path):
    about = {"base_model_name_or_path": "Qwen/X", "revision": "e" * 40, "r": 4}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    run = ModelConfig(name=str(tmp_path), revision="f" * 40, lora_rank=4)
    assert loading.base_name(run.name) == "Qwen/X"
    assert loading.base_revision(run) == "e" * 40
    assert loading.lora(run) is None  # it has its own
    plain = ModelConfig(name="Qwen/X", revision="f" * 40)
    assert (loading.base_name(plain.name), loading.base_revision(plain)) == ("Qwen/X", "f" * 40)


def test_the_vision_tower_of_any_family_is_left_out_of_lora():
    """Its layers have the names of the language model's."""
    left_out = loading.lora(ModelConfig(lora_rank=4)).exclude_modules
    for name, out in (
        ("model.visual.blocks.0.attn.q_proj", True),
        ("model.vision_tower.layers.3.self_attn.q_proj", True),
        ("vision_model.encoder.layers.0.mlp.up_proj", True),
        ("model.language_model.layers.0.self_attn.q_proj", False),
    ):
        assert (re.fullmatch(left_out, name) is not None) == out, name


def test_an_error_of_another_kind_in_lora_weights_is_not_explained(monkeypatch):
    import peft

    def broken(*_, **__):
        raise RuntimeError("another problem")

    monkeypatch.setattr(peft.PeftModel, "from_pretrained", broken)
    for rank in (0, 4):
        with pytest.raises(RuntimeError, match="another problem"):
            loading._adapted(SimpleNamespace(), ModelConfig(name="x", lora_rank=rank))


def test_the_tiny_model_is_made_of_its_texts_its_sizes_and_its_seed():
    text = "Atlantis" * 3
    sizes = ModelConfig(hidden=48, layers=1, vision_layers=1, freeze_vision=True)
    model, processor = loading.load(sizes, texts=[text] * 9, seed=4)
    assert len(processor.tokenizer(text)["input_ids"]) < 3
    expected = tiny.build_model(processor.tokenizer, sizes, 4)
    for one, two in zip(model.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, two)
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert frozen
    assert all(name.startswith("model.visual.") for name in frozen)
