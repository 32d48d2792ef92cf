"""The formulas beside what torch really allocates, at sizes that a CPU runs."""

import dataclasses

import pytest
import torch
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from georl import plan
from georl.config import ConfigError, load

TEXT = {"hidden_size": 256, "num_attention_heads": 4, "bos_token_id": 1, "eos_token_id": 2,
        "tie_word_embeddings": False,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4,
                            "mrope_section": [8, 12, 12]}}  # fmt: skip
VISION = {"hidden_size": 64, "depth": 1, "num_heads": 4, "intermediate_size": 128,
          "out_hidden_size": 256}  # fmt: skip
# image 64, prompt 120, answer 60: what plan counts for a row of these pixels
PIXELS, ROW = 64 * 28 * 28, 244


def built(layers, inner, kv, words, dtype=torch.float32):
    text = {**TEXT, "num_hidden_layers": layers, "intermediate_size": inner,
            "num_key_value_heads": kv, "vocab_size": words}  # fmt: skip
    config = Qwen2_5_VLConfig(text_config=text, vision_config=VISION, tie_word_embeddings=False)
    return Qwen2_5_VLForConditionalGeneration(config).to(dtype)


def shape_of(model):
    text = model.config.get_text_config()
    seen = sum(p.numel() for p in model.model.visual.parameters())
    return plan.Shape(
        parameters=sum(p.numel() for p in model.parameters()), vision_parameters=seen,
        layers=text.num_hidden_layers, hidden=256, intermediate=text.intermediate_size,
        kv_width=2 * text.num_key_value_heads * 64, vocabulary=text.vocab_size, tied=False,
    )  # fmt: skip


def measured(model, rows):
    """Return the peak of one optimizer step on rows of text, bytes."""
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        words = torch.randint(5, model.config.get_text_config().vocab_size, (rows, ROW))
        model(input_ids=words, labels=words).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    tracker = MemTracker()
    tracker.track_external(model, optimizer)
    with tracker:
        step()
    return next(iter(tracker.get_tracker_snapshot("peak").values()))["Total"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("layers", "inner", "kv", "words", "rows", "again"),
    [
        (6, 1376, 2, 4096, 4, False),
        (6, 1376, 2, 4096, 4, True),
        (4, 1024, 4, 16384, 4, True),
        (4, 1024, 4, 1024, 8, False),
        (12, 1376, 2, 1024, 1, True),
    ],
)
def test_the_peak_of_a_step_within_15_percent(layers, inner, kv, words, rows, again):
    torch.manual_seed(0)
    model = built(layers, inner, kv, words)
    if again:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.train()
    config = load(None, [
        f"max_pixels={PIXELS}", f"per_device={rows}", f"train.batch={rows}",
        f"gradient_checkpointing={str(again).lower()}", "freeze_vision=true", "name=x",
    ])  # fmt: skip
    shape = dataclasses.replace(shape_of(model), vision_layers=1, vision_hidden=64)
    said = plan.memory(config, shape)
    assert sum(said.values()) == pytest.approx(measured(model, rows), rel=0.15)


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "autocast"])
@pytest.mark.parametrize(("inner", "kv"), [(1376, 2), (1024, 4)])
def test_what_a_layer_keeps_for_a_token(kind, inner, kv):
    from georl.plan.parts import _KEPT

    tokens = 777
    model = built(2, inner, kv, 512, torch.bfloat16 if kind == "bfloat16" else torch.float32)
    language = model.model.language_model
    dtype = torch.float32 if kind == "float32" else torch.bfloat16
    given = torch.randn(1, tokens, 256, requires_grad=True).to(dtype)
    at = torch.arange(tokens)[None].expand(3, 1, tokens)
    turned = tuple(part.to(dtype) for part in language.rotary_emb(given, at))
    layer = language.layers[0]
    own = {parameter.shape for parameter in layer.parameters()}
    own |= {shape[::-1] for shape in own if len(shape) == 2}
    kept, alive = {}, []

    def pack(tensor):
        storage = tensor.untyped_storage()
        if tensor.shape not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        alive.append(tensor)
        return tensor

    lower = torch.autocast("cpu", dtype=torch.bfloat16, enabled=kind == "autocast")
    with lower, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(given, position_embeddings=turned, attention_mask=None, position_ids=at)
    width, by_inner, by_kv = _KEPT[kind]
    said = width * 256 + by_inner * inner + by_kv * 2 * kv * 64
    assert said == pytest.approx(sum(kept.values()) / tokens, rel=0.05)


def test_seven_billions_keep_63_bytes_by_width():
    from georl.plan.parts import _KEPT

    shape = plan.KNOWN["Qwen2.5-VL-7B"]
    width, inner, kv = _KEPT["bfloat16"]
    kept = width + (inner * shape.intermediate + kv * shape.kv_width) / shape.hidden
    assert round(kept) == 63


def test_sharding_divides_what_is_sharded_and_gathers_the_root():
    shape = plan.KNOWN["Qwen2.5-VL-7B"]
    base = ["dtype=bfloat16", "strategy=fsdp", "max_pixels=401408", "train.batch=64",
            "per_device=1", "gradient_checkpointing=true"]  # fmt: skip
    eight = plan.memory(load(None, [*base, "processes=8"]), shape)
    sixteen = plan.memory(load(None, [*base, "processes=16"]), shape)
    learnt = "weights, gradients, Adam"
    assert eight[learnt] == pytest.approx(16 * shape.parameters / 8)
    assert sixteen[learnt] == pytest.approx(eight[learnt] / 2)
    assert eight["embedding and output gathered, and their gradient"] == 4 * shape.root
    assert shape.root == 2 * 152064 * 3584


def test_vllm_takes_its_share_of_the_card_or_is_refused():
    shape = plan.KNOWN["Qwen2.5-VL-7B"]
    run = load("qwen2.5-vl-7b-8xa100", ["task=grpo", "per_device=8", "train.batch=256"])
    small, large = plan.CARDS["a100-40"], plan.CARDS["a100-80"]
    parts = plan.memory(run, shape, large.memory)
    assert parts["vLLM, 30% of the card; asleep in the update"] == 0.3 * large.memory
    assert "activations" not in parts
    plan.check_fit(run, shape, large)
    with pytest.raises(ConfigError, match=r"weights with their workspace alone.*vllm_memory=0\.48"):
        plan.check_fit(run, shape, small)
    more = load("qwen2.5-vl-7b-8xa100", ["task=grpo", "per_device=8", "train.batch=256",
                                        "grpo.vllm_memory=0.48"])  # fmt: skip
    with pytest.raises(ConfigError, match="this run needs about"):
        plan.check_fit(more, shape, small)


@pytest.mark.parametrize(
    ("overrides", "remedy"),
    [
        (["gradient_checkpointing=false", "per_device=16"], "model.gradient_checkpointing=true"),
        (["per_device=64", "train.batch=512"], r"train\.per_device=\d+"),
        (["strategy=ddp"], r"train\.strategy=fsdp"),
        (["strategy=auto", "processes=1", "train.batch=64"], r"model\.lora_rank=64"),
    ],
)
def test_what_cannot_fit_names_the_field_to_change(overrides, remedy):
    shape, card = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
    run = load("qwen2.5-vl-7b-8xa100", overrides)
    with pytest.raises(ConfigError, match=rf"it fits with {remedy}") as error:
        plan.check_fit(run, shape, card)
    field, value = str(error.value).rpartition("it fits with ")[2].split("=")
    plan.check_fit(load("qwen2.5-vl-7b-8xa100", [*overrides, f"{field}={value}"]), shape, card)


def test_a_card_that_is_none():
    with pytest.raises(ConfigError, match="no card 'a101'; there are a100-40"):
        plan.card_of("a101")


def test_disk_main_memory_and_time():
    shape, card = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
    run = load("qwen2.5-vl-7b-8xa100", [])
    disk = plan.checkpoint_bytes(run, shape)
    assert disk["one checkpoint"] == 12 * shape.parameters  # 33 GB of weights, 66 of Adam
    assert disk["3 that are kept"] == 3 * disk["one checkpoint"]
    host = plan.host_memory(run, shape)
    assert host["weights while they are loaded"] == 4 * shape.parameters
    alone = plan.host_memory(load("qwen2.5-vl-7b-8xa100", ["strategy=ddp"]), shape)
    assert alone["weights while they are loaded"] == 8 * 4 * shape.parameters
    assert plan.work(run, shape, card) is None
    found = plan.work(run, shape, card, 500_000)
    assert found.steps == 500_000 // 64
    by_hand = 8 * 8.292e9 * found.steps * 64 * (512 + 120 + 60) / (0.35 * 312e12 * 8)
    assert found.update_s == pytest.approx(by_hand, rel=1e-3)
    limited = plan.work(load("qwen2.5-vl-7b-8xa100", ["train.max_steps=10"]), shape, card)
    assert (limited.steps, limited.rows) == (10, 640)


def test_the_time_of_an_update_counts_a_shared_prompt_as_often_as_it_is_laid_out():
    shape, card = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
    run = ["task=grpo", "per_device=8", "train.batch=256", "train.max_steps=10"]
    ours = plan.work(load("qwen2.5-vl-7b-8xa100", run), shape, card)
    stock = plan.work(load("qwen2.5-vl-7b-8xa100", [*run, "grpo.share_prompts=false"]), shape, card)
    assert ours.trained_tokens == 10 * 32 * (632 + 8 * 128)
    assert stock.trained_tokens == 10 * 256 * (632 + 128)
    assert stock.update_s / ours.update_s == pytest.approx(3.67, abs=0.01)
    assert stock.sampling_s == ours.sampling_s


def test_a_plan_says_by_what_its_time_is_reckoned():
    shape, card = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
    run = ["task=grpo", "per_device=8", "train.batch=256", "train.max_steps=10"]
    fast = plan.describe(load("qwen2.5-vl-7b-8xa100", run), shape, card=card)
    slow = plan.describe(
        load("qwen2.5-vl-7b-8xa100", [*run, "grpo.vllm=off", "strategy=ddp"]), shape, card=card
    )
    assert "(7B and a card: vLLM 1,500 tokens a second)" in fast
    assert "(7B and a card: vLLM 1,500 tokens a second, 8 times slower without)" in slow
    lines = [line for line in (fast + slow).splitlines() if line.startswith("#")]
    assert max(len(line) for line in lines if not line.startswith("# time")) <= 80
    assert not [line for line in lines if " 0.00 GiB" in line]
