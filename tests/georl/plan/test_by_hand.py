"""Figures of a plan against arithmetic by hand, and its scripts line by line (georl.plan)."""

import json
import re
from types import SimpleNamespace

import pytest
from peft import get_peft_model

from georl import models, plan
from georl.config import Config, ConfigError, ModelConfig, load
from georl.plan import cards, duration, estimate, parts, shapes

GIB = 2**30
SHAPE = plan.Shape(
    parameters=1000, vision_parameters=200, layers=3, hidden=8, intermediate=20, kv_width=4,
    vocabulary=50, tied=False, vision_layers=2, vision_hidden=6, vision_intermediate=10,
)  # fmt: skip
PHOTO = ["name=x", "max_pixels=7840", "train.batch=4"]  # 10 tokens of image


def told(*more, shape=SHAPE, card=80e9):
    return parts.memory(load(None, [*PHOTO, *more]), shape, card)


ROW = 10 + 120 + 60
LEARNT = "weights, gradients, Adam"


def layer(width, inner, kv, tokens, shape=SHAPE):
    return tokens * (width * shape.hidden + inner * shape.intermediate + kv * shape.kv_width)


def seen(width, inner, kv, patches):
    return patches * (width * 6 + inner * 10 + kv * 2 * 6)


def test_a_full_step_of_one_process():
    """At the loss: layers of language and vision, logits; gradients come after it."""
    found = told("per_device=4")
    layers = 3 * layer(32, 16, 4, 4 * ROW) + 2 * seen(32, 16, 4, 4 * 10 * 4)
    assert found == {
        LEARNT: 12.0 * 1000,
        "activations": layers,
        "logits and their gradient": 12.0 * 4 * ROW * 50,
    }
    half = told("per_device=2")
    assert half[LEARNT] == 16.0 * 1000  # of the micro-batch before they are there
    assert half["activations"] == layers / 2


def test_sharded_over_no_named_number_of_processes_is_whole():
    assert told("per_device=4", "strategy=fsdp")[LEARNT] == 12.0 * 1000


def test_frozen_weights_have_neither_gradients_nor_moments():
    found = told("per_device=4", "freeze_vision=true")
    assert found[LEARNT] == 12.0 * 800 + 4 * 200
    assert found["activations"] == 3 * layer(32, 16, 4, 4 * ROW)
    half = told("per_device=4", "freeze_vision=true", "dtype=bfloat16")
    assert half[LEARNT] == 12.0 * 800 + 4 * 200  # whole, as they are without LoRA
    two = told("per_device=2", "freeze_vision=true", "strategy=fsdp", "processes=2")
    assert two[LEARNT] == (12.0 * 800 + 4 * 200) / 2


@pytest.mark.parametrize(
    ("more", "kind", "held"),
    [
        ([], (32, 16, 4), 4.0),
        (["dtype=bfloat16"], (20, 8, 2), 2.0),
    ],
)
def test_lora_weights_of_one_process(more, kind, held):
    found = told("per_device=4", "lora_rank=2", *more)
    lora = 2 * 3 * (2 * (8 + 8) + 2 * (8 + 2) + 3 * (8 + 20))
    assert found[LEARNT] == 12.0 * lora + held * 1000
    assert found["activations"] == 3 * layer(*kind, 4 * ROW)
    assert "16-bit working copy" not in found


def test_half_precision_of_one_process_has_a_working_copy():
    found = told("per_device=4", "dtype=bfloat16")
    assert found["16-bit working copy"] == 2.0 * 1000
    assert found["activations"] == 3 * layer(26, 8, 2, 4 * ROW) + 2 * seen(26, 8, 2, 160)


def test_activations_that_are_made_again():
    """Inputs of the layers, and one layer: of vision where that is the larger one."""
    wide = plan.Shape(**{**vars(SHAPE), "vocabulary": 1, "parameters": 10**7})
    found = told("per_device=4", "gradient_checkpointing=true", shape=wide)
    kept = 4 * ROW * 3 * 4.0 * 8 + 160 * 2 * 4.0 * 6
    largest = max(layer(32, 16, 4, 4 * ROW), seen(32, 16, 4, 160))
    assert found["activations"] == kept + largest
    assert found[LEARNT] == 16.0 * 10**7
    assert "logits and their gradient" not in found
    narrow = told("per_device=4", "gradient_checkpointing=true", "freeze_vision=true", shape=wide)
    assert narrow["activations"] == 4 * ROW * 3 * 4.0 * 8 + layer(32, 16, 4, 4 * ROW)


def test_several_processes_average_in_buckets_or_share_the_weights():
    two = told("per_device=2", "processes=2")
    assert two["buckets in which gradients are averaged"] == 4.0 * 1000
    assert "two layers gathered" not in two
    for strategy in ("fsdp", "deepspeed"):
        found = told("per_device=2", "processes=2", f"strategy={strategy}")
        assert found[LEARNT] == 12.0 * 1000 / 2
        assert found.get("embedding and output gathered, and their gradient") == 2 * 4.0 * 800
        assert "buckets in which gradients are averaged" not in found
    wide = plan.Shape(**{**vars(SHAPE), "parameters": 1600})
    half = told("per_device=2", "processes=2", "strategy=fsdp", "dtype=bfloat16", shape=wide)
    assert half["two layers gathered"] == 2 * 2.0 * 200
    assert half["embedding and output gathered, and their gradient"] == 2 * 2.0 * 800
    assert half["activations"] == 3 * layer(20, 8, 2, 2 * ROW) + 2 * seen(20, 8, 2, 80)


GRPO = ("task=grpo", "grpo.max_tokens=30", "per_device=4", "grpo.generations=4")


def test_grpo_scores_answers_only_and_holds_a_cache_and_a_reference():
    row = 10 + 120 + 30
    found = told(*GRPO)
    assert found["logits and their gradient"] == 12.0 * 4 * 30 * 50
    assert found["key-value cache of sampling"] == 4.0 * 3 * 4 * row * 4
    assert "reference model" not in found
    assert told(*GRPO, "dtype=bfloat16")["key-value cache of sampling"] == 2.0 * 3 * 4 * row * 4
    assert told(*GRPO, "grpo.beta=0.1")["reference model"] == 4.0 * 1000
    assert "reference model" not in told(*GRPO, "grpo.beta=0.1", "lora_rank=2")
    two = told(*GRPO, "grpo.beta=0.1", "processes=2", "strategy=fsdp", "train.batch=8")
    assert two["reference model"] == 4.0 * 1000 / 2
    assert two["key-value cache of sampling"] == 4.0 * 3 * 4 * row * 4
    more = told(*GRPO, "train.batch=16")  # sampled at once, and learnt from in four parts
    assert more["key-value cache of sampling"] == 4.0 * 3 * 4 * row * 16


def test_vllm_takes_the_place_of_the_update_where_that_is_smaller():
    found = told(*GRPO, "grpo.vllm=colocate", "grpo.vllm_memory=0.5", card=1e9)
    assert found["vLLM, 50% of the card; asleep in the update"] == 0.5e9
    assert "key-value cache of sampling" not in found
    assert not {"activations", "logits and their gradient"} & found.keys()
    small = told(*GRPO, "grpo.vllm=colocate", "grpo.vllm_memory=0.5", card=1e3)
    assert not any(name.startswith("vLLM") for name in small)
    assert small["activations"] > 0
    # as large as the update it is not larger; by itself a card is one of 80 GB
    update = small["activations"] + small["logits and their gradient"]
    assert told(*GRPO, "grpo.vllm=colocate", "grpo.vllm_memory=0.5", card=2 * update) == small
    run = load(None, [*PHOTO, *GRPO, "grpo.vllm=colocate", "grpo.vllm_memory=0.5"])
    assert 40e9 in parts.memory(run, SHAPE).values()


def test_main_memory_and_disk():
    for more, copies, shards in (
        (["processes=4"], 4, False),
        (["processes=16"], 8, False),
        (["processes=8", "strategy=fsdp"], 1, True),
        (["processes=2", "strategy=fsdp"], 1, True),
        (["processes=8", "strategy=deepspeed"], 8, True),
        ([], 1, False),
    ):
        run = load(None, [*more, "train.workers=3"])
        here = min(max(run.train.processes, 1), 8)
        expected = {"weights while they are loaded": 4.0 * 1000 * copies}
        if shards:
            expected["a checkpoint on its way to the disk"] = 12.0 * 1000
        expected["Python and libraries, a process"] = (3.0 * here + 0.6 * here * 3) * GIB
        assert parts.host_memory(run, SHAPE) == pytest.approx(expected)
    alone = parts.host_memory(load(None, ["train.workers=0"]), SHAPE)
    assert alone["Python and libraries, a process"] == 3 * GIB
    lora = 2 * 3 * (32 + 20 + 84)
    for more, weights, learnt, final in (
        ([], 4000.0, 1000, 4000.0),
        (["dtype=bfloat16"], 4000.0, 1000, 2000.0),
        (["freeze_vision=true"], 4000.0, 800, 4000.0),
        (["dtype=bfloat16", "lora_rank=2"], 4.0 * lora, lora, 4.0 * lora),
    ):
        found = parts.checkpoint_bytes(load(None, [*more, "keep_checkpoints=5"]), SHAPE)
        one = weights + 8 * learnt
        assert found == {"one checkpoint": one, "5 that are kept": 5 * one, "final": final}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_lora_parameters_are_those_that_peft_makes():
    config = ModelConfig(hidden=48, layers=3, vision_layers=1, lora_rank=8)
    model = models.build_model(models.build_tokenizer(["Where?"]), config)
    made = get_peft_model(model, models.lora(config))
    learns = sum(p.numel() for p in made.parameters() if p.requires_grad)
    assert parts.trained_parameters(config, shapes.model_shape(config)) == learns


def test_the_largest_picture_is_that_of_the_run_or_of_the_model(tmp_path):
    assert parts.largest_image(ModelConfig()) == 56 * 56
    assert parts.largest_image(ModelConfig(name="x")) == 12_845_056
    assert parts.largest_image(ModelConfig(name="x", max_pixels=500)) == 500
    for content, pixels in (({"max_pixels": 700}, 700), ({"size": {"longest_edge": 800}}, 800),
                            ({}, 12_845_056), ({"size": {}}, 12_845_056)):  # fmt: skip
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(content))
        assert parts.largest_image(ModelConfig(name=str(tmp_path))) == pixels
        assert parts.largest_image(ModelConfig(name=str(tmp_path), max_pixels=9)) == 9
    assert parts.tokens_of(load(None, ["name=x", "max_pixels=3"]))["image"] == 1
    assert parts.tokens_of(load(None, []))["image"] == 4  # of 28 x 28 pixels each
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"max_pixels": 3 * 784}))
    assert parts.tokens_of(load(None, [f"name={tmp_path}"]))["image"] == 3
    assert parts.tokens_of(load(None, ["task=grpo", "grpo.max_tokens=7"]))["answer"] == 7
    assert parts.longest_row(load(None, ["name=x", "max_pixels=785"])) == 2 + 1024 + 256


# --- cards and time -------------------------------------------------------------------------


def test_cards_are_those_of_the_data_sheets():
    """Dense 16-bit TFLOPS; memory in GiB is less than the name says, by less than a tenth."""
    flops = {"a100-40": 312, "a100-80": 312, "h100-80": 989, "h200-141": 989, "l40s-48": 362,
             "rtx4090-24": 165}  # fmt: skip
    assert {name: card.flops / 1e12 for name, card in cards.CARDS.items()} == flops
    for name, card in cards.CARDS.items():
        assert card.name == name
        said = float(name.rpartition("-")[2])
        assert 0.9 * said < card.memory / GIB < said
    usable = {"a100-40": 39.4, "a100-80": 79.1, "h100-80": 79.1, "h200-141": 139.8,
              "l40s-48": 44.4, "rtx4090-24": 23.5}  # fmt: skip
    assert {name: plan.card_of(name).memory / GIB for name in cards.CARDS} == usable
    assert plan.card_of("H100-80") is cards.CARDS["h100-80"]


def test_what_is_needed_is_five_percent_more_and_what_cuda_takes():
    assert cards.needed({"a": 100 * GIB, "b": 50 * GIB}) == pytest.approx(159.1 * GIB)


@pytest.mark.parametrize("spread", [1, 2])
def test_vllm_may_fill_its_share_to_the_last_byte(spread):
    more = ["grpo.vllm=colocate", "grpo.vllm_memory=0.5", f"grpo.vllm_tensor_parallel={spread}"]
    run = load(None, [*PHOTO, *GRPO, "grpo.vllm_max_length=100", *more])
    need = (2.0 * 1000 + 2.0 * 3 * 4 * 100) / spread + 1.5 * GIB
    assert cards._sampler_problem(run, SHAPE, cards.Card("c", 2 * need, 1.0)) is None
    said = cards._sampler_problem(run, SHAPE, cards.Card("c", 2 * need - 2, 1.0))
    assert said.startswith("vLLM gets 50% of one c, ")
    assert said.endswith("set grpo.vllm_memory=0.55, or grpo.vllm=server, on cards of its own")
    few = cards._sampler_problem(run, SHAPE, cards.Card("c", need / 0.71, 1.0))
    assert few.endswith("; set grpo.vllm=server, on cards of its own")
    some = cards._sampler_problem(run, SHAPE, cards.Card("c", need / 0.69, 1.0))
    assert "set grpo.vllm_memory=0.74, or" in some
    just = cards.Card("c", need / 0.7, 1.0)
    assert need / just.memory == 0.7
    assert "set grpo.vllm_memory=0.75, or" in cards._sampler_problem(run, SHAPE, just)
    for off in ("grpo.vllm=server", "task=sft"):
        other = load(None, [*PHOTO, *GRPO, *more, off])
        assert cards._sampler_problem(other, SHAPE, cards.Card("c", 1.0, 1.0)) is None


def test_a_run_may_fill_its_card_to_the_last_byte():
    run = load(None, [*PHOTO, "per_device=4"])
    need = cards.needed(parts.memory(run, SHAPE))
    plan.check_fit(run, SHAPE, cards.Card("c", need, 1.0))
    with pytest.raises(ConfigError, match="this run needs about 2 GiB and one c has 2"):
        plan.check_fit(run, SHAPE, cards.Card("c", need - 1, 1.0))


CARD = cards.Card("mine", 10 * GIB, 100e12)


ALONE = ("task=grpo", "grpo.share_prompts=false")


@pytest.mark.parametrize(
    ("more", "operations", "slower"),
    [
        ([], 6, None),
        (["gradient_checkpointing=true"], 8, None),
        (["lora_rank=8"], 4, None),
        (["lora_rank=8", "gradient_checkpointing=true"], 6, None),
        (["grpo.beta=0.1", "grpo.vllm=colocate"], 6, None),
        ([*ALONE], 6, 8.0),
        ([*ALONE, "grpo.beta=0.1"], 8, 8.0),
        ([*ALONE, "grpo.vllm=colocate"], 8, 1.0),
        ([*ALONE, "grpo.vllm=colocate", "grpo.vllm_correction=off"], 6, 1.0),
        ([*ALONE, "grpo.vllm=colocate", "grpo.beta=0.1", "lora_rank=8"], 8, 1.0),
        ([*ALONE, "grpo.vllm_correction=token_truncate"], 6, 8.0),
        ([*ALONE, "gradient_checkpointing=true"], 8, 8.0),
        ([*ALONE, "grpo.vllm=server"], 8, 1.0),
    ],
)
def test_time_by_operations(more, operations, slower):
    given = ["name=x", "max_pixels=7840", "train.batch=64", "grpo.generations=8", "processes=2"]
    run = load(None, [*given, "train.epochs=1.5", "grpo.max_tokens=60", *more])
    shape = plan.Shape(**{**vars(SHAPE), "parameters": 10**9})
    rows = 64 if run.task == "sft" else 8  # photos of a step
    found = duration.work(run, shape, CARD, 1000)
    steps = int(1000 * 1.5 / rows)
    assert (found.steps, found.rows) == (steps, steps * rows)
    assert found.trained_tokens == steps * 64 * ROW
    assert found.update_s == pytest.approx(
        operations * 1e9 * found.trained_tokens / (0.35 * 100e12 * 2)
    )
    if slower is None:
        assert (found.sampled_tokens, found.sampling_s) == (0, 0)
    else:
        assert found.sampled_tokens == steps * 64 * 60
        a_second = 1500 * 8.3 * 2  # of a model of a billion, on two cards
        assert found.sampling_s == pytest.approx(found.sampled_tokens * slower / a_second)
    assert found.hours == pytest.approx((found.update_s + found.sampling_s) / 3600)


def test_answers_that_serve_two_steps_are_sampled_once():
    """64 answers to 8 photos a draw: 187 draws of 1,500 photos; of 7 steps the last is half."""
    given = ["task=grpo", "name=x", "max_pixels=7840", "train.batch=64", "grpo.generations=8",
             "grpo.share_prompts=false", "grpo.max_tokens=60", "grpo.iterations=2"]  # fmt: skip
    whole = duration.work(load(None, [*given, "train.epochs=1.5"]), SHAPE, CARD, 1000)
    assert (whole.steps, whole.rows, whole.sampled_tokens) == (374, 187 * 8, 187 * 64 * 60)
    assert whole.trained_tokens == 374 * 64 * ROW
    # each of 374 updates 6 operations, each of 187 draws one look at what the weights said
    operations = 6 * whole.trained_tokens + 2 * 187 * 64 * ROW
    assert whole.update_s == pytest.approx(SHAPE.parameters * operations / 35e12)
    seven = duration.work(load(None, [*given, "train.max_steps=7"]), SHAPE, CARD)
    assert (seven.steps, seven.rows, seven.sampled_tokens) == (7, 4 * 8, 4 * 64 * 60)
    other = [*given, "task=sft", "train.max_steps=7"]  # which samples nothing
    assert duration.work(load(None, other), SHAPE, CARD).rows == 7 * 64


def test_a_run_that_names_no_processes_is_on_one_card():
    """Nothing is shared out: 6 operations a parameter and token at 35 of 100 TFLOPS."""
    given = [*PHOTO, *GRPO, "grpo.share_prompts=false"]
    for more in ([], ["processes=1"]):
        found = duration.work(load(None, [*given, *more]), SHAPE, CARD, 40)
        assert found.trained_tokens == found.steps * 4 * (130 + 30)
        assert found.update_s == pytest.approx(6e3 * found.trained_tokens / 35e12)
        assert found.sampling_s == pytest.approx(found.steps * 4 * 30 * 8 / (1500 * 8.3e6))


def test_a_limit_of_steps_needs_no_rows_and_none_of_both_is_no_time():
    run = load(None, ["train.max_steps=7"])
    assert duration.work(run, SHAPE, CARD).steps == 7
    assert duration.work(load(None, ["train.max_steps=0"]), SHAPE, CARD).steps == 0
    assert duration.work(load(None, []), SHAPE, CARD) is None
    assert "# time: name the cards" in plan.describe(run, SHAPE)
    page = plan.describe(load(None, []), SHAPE, card=CARD)
    assert "# time: say how many rows" in page
    assert "\n# batch 64 = 64 x 1 accumulated x 1 processes\n" in page
    assert "h on 1 x mine; measure" in plan.describe(run, SHAPE, card=CARD)


def test_the_page_says_what_was_computed():
    run = load("qwen2.5-vl-7b-8xa100", ["task=grpo", "per_device=8", "train.batch=256"])
    shape, card = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-80"]
    text = plan.describe(run, shape, card=card, rows=3200)
    held = parts.memory(run, shape, card.memory)
    for name, size in {
        **held,
        **parts.host_memory(run, shape),
        **parts.checkpoint_bytes(run, shape),
    }.items():
        assert re.search(rf"^#   {re.escape(name)} +{size / GIB:.2f} GiB$", text, re.M), name
    totals = re.findall(r"^#   total +([\d.]+) GiB$", text, re.M)
    assert totals == [
        f"{sum(one.values()) / GIB:.2f}" for one in (held, parts.host_memory(run, shape))
    ]
    assert f"5% of gaps {cards.needed(held) / GIB:8.1f} of 79.1 GiB of one a100-80" in text
    assert "# parameters: 8.29 B, of them vision 0.677 B\n" in text
    assert "# batch 256 = 8 x 4 accumulated x 8 processes\n" in text
    assert "# tokens of a row at most: image 512, prompt 120, answer 128\n" in text
    assert "# positions of 8 answers in an update: 1,656, stock TRL 6,080; 3.67x fewer\n" in text
    found = duration.work(run, shape, card, 3200)
    assert f"# time: {found.steps:,} steps, 3,200 rows, 5 M tokens updated in" in text
    assert f"in {found.update_s / 3600:,.1f} h (35% of 312 TFLOPS)\n" in text
    assert f"#   3 M sampled in {found.sampling_s / 3600:,.1f} h\n" in text
    assert f"#   about {found.hours:,.0f} h on 8 x a100-80;" in text


def test_memory_that_is_there_is_asked_before_a_model_is_loaded(monkeypatch, capsys):
    have = 100.0 * 2**20
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(estimate.os, "sysconf", lambda name: 2**20 if "SIZE" in name else 100)
    run = load(None, ["name=x", "max_pixels=784", "per_device=1", "train.batch=1"])
    estimate.check_memory(run, plan.Shape(**{**vars(SHAPE), "parameters": 1000}))
    assert capsys.readouterr().out == ""
    large = plan.Shape(**{**vars(SHAPE), "parameters": int(have / 17), "vocabulary": 10**5})
    estimate.check_memory(run, large)
    said = capsys.readouterr().out
    assert said.startswith("warning: about ")
    assert "on a device that has 0;" in said
    with pytest.raises(ConfigError, match="weights, gradients and optimizer need"):
        estimate.check_memory(run, plan.Shape(**{**vars(SHAPE), "parameters": int(have)}))
    monkeypatch.setattr(estimate.os, "sysconf", lambda name: 1)
    estimate.check_memory(Config())  # the tiny model fits anywhere
    estimate.check_memory(load(None, ["name=some/unknown"]))
    assert capsys.readouterr().out == ""
    for run, sizes in ((Config(), SHAPE), (load(None, ["name=Qwen/Qwen2.5-VL-3B"]), None)):
        with pytest.raises(ConfigError, match="weights, gradients and optimizer need"):
            estimate.check_memory(run, sizes)


def test_the_memory_of_a_gpu_is_that_of_the_first(monkeypatch, capsys):
    sizes = {0: SimpleNamespace(total_memory=10**6), 1: SimpleNamespace(total_memory=1)}
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_properties", sizes.__getitem__)
    monkeypatch.setattr(estimate.os, "sysconf", lambda _: 1)
    run = load(None, ["name=x", "max_pixels=784", "per_device=1", "train.batch=1"])
    estimate.check_memory(run, SHAPE)
    # half of what this one has, not of a card of 80 GB
    sampled = load(None, [*PHOTO, *GRPO, "grpo.vllm=colocate", "grpo.vllm_memory=0.5"])
    sizes[0].total_memory = 10**8
    estimate.check_memory(sampled, SHAPE)
    assert capsys.readouterr().out == ""
    sizes[0].total_memory = 1
    with pytest.raises(ConfigError, match="optimizer need 0 GiB on a device that has 0;"):
        estimate.check_memory(run, SHAPE)


# --- scripts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "machines", "line"),
    [
        ([], 1, "python -m georl.cli"),
        (["processes=4"], 1, "torchrun --nproc_per_node 4 --standalone -m georl.cli"),
        (["processes=8"], 1, "torchrun --nproc_per_node 8 --standalone -m georl.cli"),
        (["processes=16"], 2, 'torchrun --nproc_per_node 8 --nnodes 2 --rdzv_backend c10d '
         '--rdzv_endpoint "$head:29500" -m georl.cli'),
        (["processes=8", "strategy=fsdp"], 1,
         'accelerate launch --config_file "$here/accelerate.yaml" -m georl.cli'),
        (["processes=24", "strategy=deepspeed"], 3,
         'accelerate launch --config_file "$here/accelerate.yaml" --machine_rank "$SLURM_NODEID" '
         '--main_process_ip "$head" --main_process_port 29500 -m georl.cli'),
    ],
)  # fmt: skip
def test_a_job_starts_on_all_of_its_machines(tmp_path, more, machines, line):
    run = load(None, [*more, "train.workers=3"])
    here = min(max(run.train.processes, 1), 8)
    plan.write(run, "x.yaml", tmp_path, hours=7)
    job = (tmp_path / "job.sbatch").read_text()
    assert f"exec {line} sft x.yaml\n" in job.replace("'\"'\"'", "'")
    for option in (f"nodes={machines}", "ntasks-per-node=1", f"gpus-per-node={here}", "requeue",
                   f"cpus-per-task={4 * here}", "time=7:00:00", "signal=B:USR1@300"):  # fmt: skip
        assert f"#SBATCH --{option}\n" in job, option
    assert "TORCH_ELASTIC_SHUTDOWN_TIMEOUT=280\n" in job
    assert 'if [ "$status" -eq 75 ]' in job
    alone = (tmp_path / "run.sh").read_text()
    assert "TORCH_ELASTIC_SHUTDOWN_TIMEOUT=280\n" in alone
    assert "$SLURM" not in alone
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o755
    if run.train.strategy != "auto":
        import yaml

        settings = yaml.safe_load((tmp_path / "accelerate.yaml").read_text())
        assert settings["num_machines"] == machines
        assert settings["num_processes"] == run.train.processes
        assert settings["mixed_precision"] == "no"


def test_a_job_without_workers_has_two_cores_a_card(tmp_path):
    plan.write(load(None, ["processes=4"]), "x.yaml", tmp_path)
    assert "#SBATCH --cpus-per-task=8\n" in (tmp_path / "job.sbatch").read_text()
    assert "#SBATCH --time=24:00:00\n" in (tmp_path / "job.sbatch").read_text()
