"""Models and their LoRA weights: what a run starts from is what the last one ended with."""

import json
import shutil

import pytest
import torch
from transformers import AutoTokenizer

from georl import models, sft
from georl.config import ConfigError, check, load

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SMALL = [
    "task=sft",
    "model.hidden=48",
    "model.layers=1",
    "model.vision_layers=1",
    "data.rows=40",
    "data.question=Where?",
    "data.levels=[country]",
    "data.decimals=1",
    "train.batch=8",
    "train.per_device=8",
]


def trained(output, *more):
    return sft.train(load(None, [*SMALL, f"output={output}", *more]))


def logits(name, *more):
    model, _ = models.load(load(None, [f"model.name={name}", *more]).model)
    with torch.no_grad():
        return model.eval()(input_ids=torch.arange(60, 90)[None]).logits


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """A full model, and LoRA weights trained on top of it."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models")
    base = trained(folder / "base", "train.max_steps=1")
    lora = ["model.lora_rank=4", "train.learning_rate=3e-2", "train.max_steps=6"]
    return base, trained(folder / "lora", f"model.name={base}", *lora)


@pytest.mark.parametrize("rank", [4, 0], ids=["go on with the adapter", "merge it, train all"])
def test_a_run_on_lora_weights_starts_where_they_ended(stages, tmp_path, rank):
    base, lora = stages
    still = ["train.learning_rate=1e-12", "train.max_steps=1", f"model.lora_rank={rank}"]
    again = trained(tmp_path, f"model.name={lora}", *still)
    assert not torch.allclose(logits(base), logits(lora), atol=1e-2)
    assert torch.allclose(logits(again), logits(lora), atol=1e-5)
    assert (again / "adapter_config.json").is_file() == bool(rank)


def test_training_goes_on_with_the_same_adapter(stages, tmp_path):
    _, lora = stages
    more = ["model.lora_rank=4", "train.learning_rate=3e-2", "train.max_steps=2"]
    again = trained(tmp_path, f"model.name={lora}", *more)
    assert not torch.allclose(logits(again), logits(lora), atol=1e-3)


def test_merged_weights_all_learn_and_a_frozen_tower_stays(stages):
    _, lora = stages
    model, _ = models.load(load(None, [f"model.name={lora}", "model.freeze_vision=true"]).model)
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {n for n, _ in model.named_parameters() if n.startswith("model.visual.")}


def test_another_rank_than_the_stored_one_is_refused(stages):
    _, lora = stages
    with pytest.raises(ConfigError, match=r"rank 4 and model\.lora_rank is 8; set"):
        models.load(load(None, [f"model.name={lora}", "model.lora_rank=8"]).model)


@pytest.mark.parametrize("rank", [4, 0])
def test_lora_weights_of_a_model_of_other_sizes_are_refused(stages, tmp_path, rank):
    base, lora = stages
    for part in models.load(load(None, ["model.hidden=64", "model.layers=1"]).model):
        part.save_pretrained(tmp_path / "wider")
    shutil.copytree(lora, tmp_path / "lora")
    about = tmp_path / "lora" / "adapter_config.json"
    about.write_text(about.read_text().replace(str(base), str(tmp_path / "wider")))
    run = load(None, [f"model.name={tmp_path / 'lora'}", f"model.lora_rank={rank}"])
    with pytest.raises(ConfigError, match=r"made for a model of other sizes than .*wider, which"):
        models.load(run.model)


def test_an_adapter_keeps_the_commit_of_its_base(stages):
    pin = "0123456789012345678901234567890123456789"
    run = load(None, ["model.name=Qwen/Some-VL", f"model.revision={pin}", "model.lora_rank=2"])
    assert models.lora(run.model).revision == pin
    assert models.base_revision(run.model) == pin
    assert models.base_revision(load(None, [f"model.name={stages[1]}"]).model) is None


def adapter(folder, **settings):
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


PIN = "0123456789012345678901234567890123456789"


@pytest.mark.parametrize("task", ["sft", "grpo", "predict"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_model_name_or_path": "Evil/Model-3B", "r": 4}, "pins no commit; write .revision"),
        ({"base_model_name_or_path": "no/such/folder", "revision": None}, "pins no commit"),
        ({"base_model_name_or_path": "Evil/Model-3B", "revision": ""}, "pins no commit"),
        ({"r": 4}, "does not name the model"),
        ({"base_model_name_or_path": 3}, "does not name the model"),
        ([1], "does not name the model"),
    ],
)
def test_the_model_below_an_adapter_is_pinned_like_any_other(tmp_path, task, settings, message):
    """Whoever wrote the adapter's folder would else choose the weights and when they change."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    run = load(None, [f"task={task}", f"model.name={folder}", f"model.revision={PIN}"])
    with pytest.raises(ConfigError, match=message):
        check(run)
    with pytest.raises(ConfigError, match=message):
        models.load(run.model)


def test_adapters_on_folders_and_on_pinned_hub_models_pass_and_on_adapters_do_not(tmp_path):
    (tmp_path / "base").mkdir()
    on_folder = adapter(tmp_path / "a", base_model_name_or_path=str(tmp_path / "base"))
    on_hub = adapter(tmp_path / "b", base_model_name_or_path="Qwen/X-3B", revision=PIN)
    on_adapter = adapter(tmp_path / "c", base_model_name_or_path=str(on_hub))
    damaged = tmp_path / "d"
    damaged.mkdir()
    (damaged / "adapter_config.json").write_text("{")
    for folder in (on_folder, on_hub):
        check(load(None, [f"model.name={folder}"]))
    assert models.base_revision(load(None, [f"model.name={on_hub}"]).model) == PIN
    with pytest.raises(ConfigError, match="which holds LoRA weights itself; merge"):
        check(load(None, [f"model.name={on_adapter}"]))
    with pytest.raises(ConfigError, match="is damaged"):
        check(load(None, [f"model.name={damaged}"]))


def test_lora_weights_on_the_hub_are_not_followed(monkeypatch):
    """What the hub would say is given here; nothing is asked of it."""
    from georl.models import loading

    monkeypatch.setattr(loading, "load_processor", lambda config: None)
    monkeypatch.setattr(loading, "reach", lambda name, revision: None)
    monkeypatch.setattr(loading, "find_adapter_config_file", lambda name, revision: "found")
    run = load(None, ["model.name=Some/Adapter", f"model.revision={PIN}"])
    with pytest.raises(ConfigError, match="is a hub name of LoRA weights"):
        models.load(run.model)


def test_passages_that_are_kept_whole_are_one_token_each_also_after_saving(tmp_path):
    whole = ["Is it in the sea? Yes or no.\n", " in "]
    text = f"{whole[0]}Lisbon in Portugal"
    tokenizer = models.build_tokenizer([text, "Lisbon", "Portugal"] * 9, whole=whole)
    models.build_processor(tokenizer).save_pretrained(tmp_path)
    for read in (tokenizer, AutoTokenizer.from_pretrained(tmp_path)):
        ids = read(text)["input_ids"]
        assert [read.decode([one]) for one in ids] == [whole[0], "Lisbon", " in ", "Portugal"]
        assert read.decode(ids) == text
    plain = models.build_tokenizer([text, "Lisbon", "Portugal"] * 9)
    assert len(plain(text)["input_ids"]) > 10
    assert len(tokenizer) == len(plain) + 2
