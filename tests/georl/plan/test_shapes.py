"""Sizes are counted without a model; transformers counts the same on an empty one."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from georl import models, plan
from georl.config import ConfigError, ModelConfig

PUBLISHED = {
    "Qwen2.5-VL-3B": {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
                      "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936,
                      "tie_word_embeddings": True},
    "Qwen2.5-VL-7B": {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
                      "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
                      "tie_word_embeddings": False},
}  # fmt: skip


def stored(text, vision=None, **more):
    return {"model_type": "qwen2_5_vl", **text, "vision_config": vision or {}, **more}


def empty(text, vision):
    text = {**text, "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3]}}
    tied = text.get("tie_word_embeddings", False)
    with torch.device("meta"):
        return Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=tied)
        )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_models(tmp_path, name):
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420}
    (tmp_path / "config.json").write_text(json.dumps(stored(PUBLISHED[name], vision)))
    counted = plan.model_shape(ModelConfig(name=str(tmp_path)))
    assert counted == plan.KNOWN[name]
    assert plan.model_shape(ModelConfig(name=f"Qwen/{name}-Instruct", revision="a")) == counted


def test_a_folder_is_what_it_holds_whatever_its_name(tmp_path):
    """A model that was made smaller keeps the name of the one that it comes from."""
    folder = tmp_path / "Qwen2.5-VL-7B-pruned"
    folder.mkdir()
    small = stored(PUBLISHED["Qwen2.5-VL-3B"], {"depth": 32})
    (folder / "config.json").write_text(json.dumps(small))
    assert plan.model_shape(ModelConfig(name=str(folder))) == plan.KNOWN["Qwen2.5-VL-3B"]


def test_lora_weights_are_of_the_size_of_their_model(tmp_path):
    about = {"base_model_name_or_path": "Qwen/Qwen2.5-VL-3B-Instruct", "revision": "a", "r": 4}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    assert plan.model_shape(ModelConfig(name=str(tmp_path))) == plan.KNOWN["Qwen2.5-VL-3B"]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("width", "kv", "layers"), [(64, 2, 2), (128, 4, 3)])
def test_any_size_equals_an_empty_model(tmp_path, width, kv, layers, tied):
    text = {"hidden_size": width, "intermediate_size": 3 * width + 8, "num_attention_heads": 4,
            "num_hidden_layers": layers, "num_key_value_heads": kv, "vocab_size": 300,
            "tie_word_embeddings": tied}  # fmt: skip
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 72, "out_hidden_size": width,
              "num_heads": 4}  # fmt: skip
    model = empty(text, vision)
    (tmp_path / "config.json").write_text(json.dumps(stored(text, vision)))
    counted = plan.model_shape(ModelConfig(name=str(tmp_path)))
    assert counted.parameters == sum(p.numel() for p in model.parameters())
    tower = models.vision_tower(model)
    assert counted.vision_parameters == sum(p.numel() for p in tower.parameters())
    layer = model.model.language_model.layers[0]
    assert counted.block == pytest.approx(sum(p.numel() for p in layer.parameters()), rel=0.01)
    assert counted.kv_width == 2 * layer.self_attn.k_proj.out_features
    seen = tower.blocks[0]
    assert counted.vision_layers == len(tower.blocks)
    assert counted.vision_hidden == seen.mlp.gate_proj.in_features == 32
    assert counted.vision_intermediate == seen.mlp.gate_proj.out_features == 72


def test_the_tiny_model_is_about_as_large():
    tokenizer = models.build_tokenizer(["Where?"])
    model = models.build_model(tokenizer)
    words = (plan.model_shape(ModelConfig()).vocabulary - len(tokenizer)) * 96
    found = sum(p.numel() for p in model.parameters())
    assert plan.model_shape(ModelConfig()).parameters - words == found


def test_names_without_a_configuration(tmp_path):
    assert plan.model_shape(ModelConfig(name="some/model-13B", revision="a")).parameters == 13e9
    with pytest.raises(ConfigError, match="sizes of 'some/model' are not known"):
        plan.model_shape(ModelConfig(name="some/model", revision="a"))
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        plan.model_shape(ModelConfig(name=str(tmp_path)))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="is damaged"):
        plan.model_shape(ModelConfig(name=str(tmp_path)))


def test_planning_needs_neither_torch_nor_a_network():
    code = (
        "import sys, socket; sys.modules.update(dict.fromkeys(['torch', 'transformers', 'trl']));"
        "socket.getaddrinfo = None; sys.argv = ['georl', 'plan', 'globe-7b-8xa100', '--card',"
        "'a100-80', '--rows', '1000']; from georl.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "of one a100-80" in done.stdout
