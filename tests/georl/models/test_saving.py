"""A finished model is written in the type that it computed in (georl.models.saving)."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from georl.config import load
from georl.models import loading, saving

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
TINY = ["model.hidden=48", "model.layers=1", "model.vision_layers=1"]


@pytest.mark.parametrize("size", ["50GB", "100KB"], ids=["one file", "several"])
@pytest.mark.parametrize(
    ("more", "halved"),
    [
        (["model.dtype=bfloat16"], True),
        ([], False),
        (["model.dtype=bfloat16", "model.lora_rank=4"], False),
    ],
)
def test_weights_are_halved_where_the_run_computed_in_halves(tmp_path, size, more, halved):
    model, _ = loading.load(load(None, TINY).model)
    model.save_pretrained(tmp_path, max_shard_size=size)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert (len(files) > 1) == (size == "100KB")
    before = {name: value for path in files for name, value in load_file(path).items()}
    saving.halve(tmp_path, load(None, [*TINY, *more]).model)
    after = {name: value for path in files for name, value in load_file(path).items()}
    kind = torch.bfloat16 if halved else torch.float32
    assert {value.dtype for value in after.values()} == {kind}
    assert all(torch.equal(after[name], before[name].to(kind)) for name in before)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == str(kind)[6:]
    if size == "100KB":
        index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
        assert index["metadata"]["total_size"] == sum(value.nbytes for value in after.values())
        assert index["weight_map"].keys() == after.keys()
    again = type(model).from_pretrained(tmp_path)
    assert {value.dtype for value in again.parameters()} == {kind}


def test_random_weights_are_those_of_the_seed():
    def weights(**options):
        model, _ = loading.load(load(None, TINY).model, **options)
        return torch.cat([value.flatten() for value in model.parameters()])

    assert torch.equal(weights(), weights(seed=0))
    assert not torch.equal(weights(), weights(seed=1))


def test_numbers_of_other_kinds_stay_and_the_index_counts_them(tmp_path):
    """Sums by hand: 6 numbers of two bytes in place of four, 3 of eight, 2 of two."""
    save_file({"b": torch.arange(6.0), "n": torch.arange(3)}, tmp_path / "model-1.safetensors")
    save_file({"h": torch.ones(2, dtype=torch.float16)}, tmp_path / "model-2.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 52, "by": "x"}, "weight_map": {}}))
    (tmp_path / "notes.txt").write_text("mine")
    saving.halve(tmp_path, load(None, ["model.dtype=bfloat16"]).model)
    first, second = (load_file(tmp_path / f"model-{n}.safetensors") for n in (1, 2))
    assert first["b"].dtype == torch.bfloat16
    assert first["b"].tolist() == [0, 1, 2, 3, 4, 5]
    assert first["n"].tolist() == [0, 1, 2]
    assert first["n"].dtype == torch.int64
    assert second["h"].dtype == torch.float16
    about = json.loads(index.read_text())
    assert about == {"metadata": {"total_size": 12 + 24 + 4, "by": "x"}, "weight_map": {}}
    names = {"model-1.safetensors", "model-2.safetensors", index.name, "notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == names  # no config.json is made
    with safe_open(tmp_path / "model-1.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}  # transformers reads no file without it


def test_weights_are_whole_or_as_they_were(tmp_path, monkeypatch):
    save_file({"a": torch.ones(2)}, tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()

    def broken(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("safetensors.torch.save_file", broken)
    with pytest.raises(OSError, match="no space"):
        saving.halve(tmp_path, load(None, ["model.dtype=bfloat16"]).model)
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_settings_of_a_model_are_kept_but_for_its_type(tmp_path):
    (tmp_path / "config.json").write_text('{"z": "\u00e9", "dtype": "float32", "a": [1]}')
    saving.halve(tmp_path, load(None, ["model.dtype=bfloat16"]).model)
    text = (tmp_path / "config.json").read_text()
    assert json.loads(text) == {"z": "\u00e9", "dtype": "bfloat16", "a": [1]}
    assert text.startswith('{\n  "a": [')  # sorted and indented, as transformers writes it
    assert text.endswith("}\n")
