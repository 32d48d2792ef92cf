"""Models that transformers counts, and configurations that tell no sizes (georl.plan.shapes)."""

import builtins
import json

import pytest
from transformers import FuyuConfig, LlavaConfig, LlavaForConditionalGeneration, Qwen2VLConfig

from georl import plan
from georl.config import ConfigError, ModelConfig, load

TEXT = {"hidden_size": 64, "intermediate_size": 100, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300,
        "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
ATTENTION = 2 * 64 * 64 + 2 * 64 * 32
MLP = 3 * 64 * 100


def counted(config, folder):
    config.save_pretrained(folder)
    return plan.model_shape(ModelConfig(name=str(folder)))


def test_qwen2_vl_is_counted_with_its_tower(tmp_path):
    """Three layers with biases of q, k and v; in the tower two of width 32, and the merger."""
    seen = {"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 4, "mlp_ratio": 2}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3]}
    block = 4 * 32 + 3 * 32 * 32 + 3 * 32 + 32 * 32 + 32 + 2 * 32 * 64 + 64 + 32
    merger = 2 * 32 + 128 * 128 + 128 + 128 * 64 + 64
    tower = 3 * 2 * 14 * 14 * 32 + 2 * block + merger
    language = 3 * (ATTENTION + 64 + 2 * 32 + MLP + 2 * 64) + 64 + 300 * 64
    for tied in (True, False):
        text = {**TEXT, "rope_parameters": rope, "tie_word_embeddings": tied}
        made = Qwen2VLConfig(text_config=text, vision_config=seen, tie_word_embeddings=tied)
        assert counted(made, tmp_path) == plan.Shape(
            parameters=language + tower + (0 if tied else 300 * 64), vision_parameters=tower,
            layers=3, hidden=64, intermediate=100, kv_width=64, vocabulary=300, tied=tied,
        )  # fmt: skip


def test_heads_may_be_wider_than_their_share_of_the_model(tmp_path):
    """Qwen3's are 128 wide at a width of 2560 and 32 heads."""
    seen = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 1, "num_attention_heads": 4, "image_size": 28,
            "patch_size": 14}  # fmt: skip
    text = {**TEXT, "model_type": "qwen3", "head_dim": 24}
    found = counted(LlavaConfig(text_config=text, vision_config=seen), tmp_path)
    assert found.kv_width == 2 * 2 * 24


def test_a_model_that_names_no_output_layer_has_none_beside_its_words(tmp_path, monkeypatch):
    seen = {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 1, "num_attention_heads": 4, "image_size": 28,
            "patch_size": 14}  # fmt: skip
    made = LlavaConfig(text_config={**TEXT, "model_type": "llama"}, vision_config=seen)
    kind = LlavaForConditionalGeneration
    for layer, tied in ((kind.get_output_embeddings, False), (lambda _: None, True)):
        monkeypatch.setattr(kind, "get_output_embeddings", layer)
        assert counted(made, tmp_path).tied is tied


def test_a_model_without_a_tower_of_its_own_has_none(tmp_path):
    text = {**TEXT, "model_type": "persimmon", "num_key_value_heads": 4}
    own = {name: text[name] for name in TEXT if name != "num_key_value_heads"}
    found = counted(FuyuConfig(**own, text_config=text), tmp_path)
    assert (found.vision_parameters, found.layers, found.kv_width) == (0, 3, 2 * 64)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"model_type": "qwen2_5_vl"}, "it has no 'vision_config'"),
        ({"model_type": "qwen2_5_vl", "vision_config": {}}, "it has no 'hidden_size'"),
        ({"model_type": "nothing"}, "The checkpoint you are trying to load has model type `nothin"),
        ({"model_type": "bert"}, "Unrecognized configuration class <class 'transformers.models"),
        ({}, "Unrecognized model in "),
        ([1], "Unrecognized model in "),
    ],
)
def test_a_configuration_that_tells_no_sizes_is_told_in_a_line(tmp_path, content, reason):
    """Planning goes on without an estimate; a run is refused as its model is loaded."""
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError) as caught:
        plan.model_shape(ModelConfig(name=str(tmp_path)))
    said = str(caught.value)
    begin = f"{tmp_path / 'config.json'} tells no sizes of a vision-language model ({reason}"
    assert said.startswith(begin)
    assert said.endswith("); name another model, or copy it again")
    assert "\n" not in said
    run = load(None, [f"model.name={tmp_path}"])
    assert plan.describe(run).endswith(f"\n# no memory estimate: {said}")
    plan.check_memory(run)


def test_code_beside_a_model_is_neither_run_nor_asked_about(tmp_path, monkeypatch):
    monkeypatch.setattr(builtins, "input", lambda *_: pytest.fail("a question"))
    content = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    (tmp_path / "own.py").write_text("raise SystemExit('code was run')\n")
    with pytest.raises(ConfigError, match="The repository "):
        plan.model_shape(ModelConfig(name=str(tmp_path)))
