"""A finished model is written in the type that it computed in (georl.models.saving)."""

import json

import pytest
import torch
from safetensors.torch import load_file

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
