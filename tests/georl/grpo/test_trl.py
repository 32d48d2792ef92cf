"""What we take from TRL: its settings, its private methods, and what it computes."""

import dataclasses
import inspect
import math

import pytest
import torch
from trl.generation import vllm_generation
from trl.trainer import grpo_trainer
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.sft_config import SFTConfig

from georl import data, grpo, models, rewards, sft
from georl.config import load
from georl.grpo import trainer as module
from georl.run import ExactResume

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

OTHER = [  # (setting, TRL's argument, what it must then be)
    ("output=elsewhere", "output_dir", "elsewhere"),
    ("train.batch=24 train.per_device=12", "per_device_train_batch_size", 12),
    ("train.batch=48 train.per_device=12", "gradient_accumulation_steps", 4),
    ("train.learning_rate=3e-4", "learning_rate", 3e-4),
    ("train.schedule=constant", "lr_scheduler_type", "constant"),
    ("train.warmup_steps=7", "warmup_steps", 7),
    ("train.weight_decay=0.3", "weight_decay", 0.3),
    ("train.adam_beta2=0.9", "adam_beta2", 0.9),
    ("train.max_grad_norm=0.4", "max_grad_norm", 0.4),
    ("train.epochs=7", "num_train_epochs", 7),
    ("train.max_steps=11", "max_steps", 11),
    ("seed=5", "seed", 5),
    ("seed=5", "data_seed", 5),
    ("model.dtype=float32", "bf16", False),
    ("model.dtype=bfloat16", "bf16", True),
    ("model.gradient_checkpointing=true", "gradient_checkpointing", True),
    ("model.gradient_checkpointing=false", "gradient_checkpointing", False),
    ("train.logging_steps=3", "logging_steps", 3),
    ("train.report_to=[tensorboard]", "report_to", ["tensorboard"]),
    ("train.save_steps=9", "save_steps", 9),
    ("train.save_steps=9", "save_strategy", "steps"),
    ("train.save_steps=0", "save_strategy", "no"),
    ("train.workers=2", "dataloader_num_workers", 2),
]
GRPO_ONLY = [
    ("grpo.generations=6", "num_generations", 6),
    ("grpo.max_tokens=33", "max_completion_length", 33),
    ("grpo.temperature=0.7", "temperature", 0.7),
    ("grpo.top_p=0.8", "top_p", 0.8),
    ("grpo.beta=0.04", "beta", 0.04),
    ("grpo.epsilon=0.3", "epsilon", 0.3),
    ("grpo.epsilon=0.3", "epsilon_high", None),
    ("grpo.epsilon_high=0.28", "epsilon_high", 0.28),
    ("grpo.iterations=3", "num_iterations", 3),
    *((f"grpo.loss={loss}", "loss_type", loss) for loss in ("grpo", "bnpo", "dr_grpo", "dapo")),
    *((f"grpo.loss={loss}", "loss_type", loss) for loss in ("cispo", "sapo", "luspo", "vespo")),
    ("grpo.ratio=sequence", "importance_sampling_level", "sequence"),
    ("grpo.scale_rewards=batch", "scale_rewards", "batch"),
    ("grpo.scale_rewards=none", "scale_rewards", "none"),
    ("rewards.weights={geo_r: 0.7, format: 0.3}", "reward_weights", [0.7, 0.3]),
    ("model.lora_dropout=0.1", "disable_dropout", False),
    ("model.lora_dropout=null", "disable_dropout", True),
    ("grpo.vllm=colocate", "use_vllm", True),
    ("grpo.vllm=off", "use_vllm", False),
    ("grpo.vllm=colocate", "vllm_mode", "colocate"),
    ("grpo.vllm=colocate", "vllm_enable_sleep_mode", True),
    ("grpo.vllm=server grpo.vllm_url=http://h:1", "vllm_enable_sleep_mode", False),
    ("grpo.vllm=server grpo.vllm_url=http://h:1", "vllm_server_base_url", "http://h:1"),
    ("grpo.vllm=server grpo.vllm_url=http://h:1", "vllm_mode", "server"),
    ("grpo.vllm=colocate grpo.vllm_memory=0.5", "vllm_gpu_memory_utilization", 0.5),
]


@pytest.fixture(scope="module")
def processor():
    return models.load(load(None, SMALL).model, texts=["Where?"])[1]


def arguments(processor, setting):
    run = load(None, ["task=grpo", "train.batch=12", "train.per_device=12", *setting.split(" ")])
    return module.arguments(run, processor)


@pytest.mark.parametrize(("setting", "name", "expected"), [*OTHER, *GRPO_ONLY])
def test_every_setting_reaches_grpo(processor, setting, name, expected):
    setting = setting if "weights" not in setting else setting.replace(", ", ",").replace(": ", ":")
    setting = setting.replace(":0", ": 0") if "weights" in setting else setting
    given = [setting] if "weights" in setting else setting.split(" ")
    run = load(None, ["task=grpo", "train.batch=12", "train.per_device=12", *given])
    assert getattr(module.arguments(run, processor), name) == expected


@pytest.mark.parametrize(("setting", "name", "expected"), OTHER)
def test_every_setting_reaches_sft(setting, name, expected):
    run = load(None, ["task=sft", "train.batch=12", "train.per_device=12", *setting.split(" ")])
    assert getattr(sft.arguments(run), name) == expected


UNTESTED = {"fp16", "save_total_limit", "remove_unused_columns", "use_cpu", "disable_tqdm"}
UNTESTED |= {"activation_checkpointing", "generation_kwargs"}
UNTESTED |= {f"vllm_importance_sampling_{name}" for name in ("correction", "mode", "clip_max")}
"""Set alike in every run, or tested in test_trainer."""


def test_no_argument_of_ours_is_without_a_case(processor, monkeypatch):
    given = set()
    for kind, made in ((GRPOConfig, "GRPOConfig"), (GRPOConfig, "GRPOConfig")):
        monkeypatch.setattr(module, made, lambda **options: given.update(options))
        for more in ([], ["grpo.vllm=colocate"]):
            module.arguments(load(None, ["task=grpo", *more]), processor)
        assert given <= {field.name for field in dataclasses.fields(kind)}
    assert given - UNTESTED == {name for _, name, _ in (*OTHER, *GRPO_ONLY)}


def test_what_is_set_alike_in_every_run(processor):
    run = load(None, ["task=grpo"])
    for args in (module.arguments(run, processor), sft.arguments(load(None, []))):
        assert not args.fp16
        assert args.save_total_limit is None
        assert not args.remove_unused_columns
    args = sft.arguments(load(None, []))
    assert isinstance(args, SFTConfig)
    assert (args.max_length, args.packing, args.completion_only_loss) == (None, False, True)
    assert args.dataset_kwargs == {"skip_prepare_dataset": True}


# --- private methods ------------------------------------------------------------------------

REPLACED = {
    "_generate_and_score_completions": ["self", "inputs"],
    "_tokenize_prompts": ["self", "prompts"],
    "_generate_single_turn": [
        *("self", "prompt_ids", "images", "multimodal_fields", "num_generations"),
        "has_tool_images",
    ],
    "_compute_loss": ["self", "model", "inputs"],
    "_get_per_token_logps_and_entropies": [
        *("self", "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size"),
        *("compute_entropy", "pixel_values", "image_grid_thw", "num_images", "num_tiles"),
        *("pixel_attention_mask", "spatial_shapes", "image_sizes", "token_type_ids"),
        *("mm_token_type_ids", "image_position_ids"),
    ],
    "_calculate_rewards": ["self", "inputs", "prompts", "completions", "completion_ids_list"],
    "_get_train_sampler": ["self", "dataset"],
    "_run_epoch": None,
    "_load_from_checkpoint": ["self", "resume_from_checkpoint", "model"],
}


def ours():
    """The methods of TRL's trainer and its base that our classes replace."""
    classes = [kind for kind in grpo.GeoGRPOTrainer.__mro__ if kind.__module__.startswith("georl")]
    names = {name for kind in classes for name in vars(kind) if callable(vars(kind)[name])}
    return {name for name in names if hasattr(GRPOTrainer, name) and name != "__init__"} - set(
        dir(object)
    )


def test_the_private_methods_that_we_replace_are_there_as_we_know_them():
    """A new TRL that renames one would train without it, and say nothing."""
    assert ours() == set(REPLACED)
    changed = {
        name: list(inspect.signature(getattr(GRPOTrainer, name)).parameters)
        for name, known in REPLACED.items()
        if known and list(inspect.signature(getattr(GRPOTrainer, name)).parameters) != known
    }
    assert not changed, f"TRL changed what we replace: {changed}"
    assert issubclass(grpo.GeoGRPOTrainer, ExactResume)


def test_the_private_names_that_we_use_are_there():
    for name in ("create_model_from_path", "get_config_model_id", "add_fused_lm_head"):
        assert callable(getattr(grpo_trainer, name)), name
    source = inspect.getsource(GRPOTrainer.__init__)
    assert "self.ref_model = create_model_from_path(" in source
    part = vllm_generation.VLLMGeneration
    known = ["self", "prompts", "images", "num_generations", "profiler"]
    assert list(inspect.signature(part.generate).parameters) == known
    assert "self.vllm_generation.generate(" in inspect.getsource(GRPOTrainer._generate_single_turn)


# --- the same numbers -----------------------------------------------------------------------


def step(trainer):
    """Take a step and return what was logged and the weights after it."""
    torch.manual_seed(0)
    trainer.train()
    rows = [row for row in trainer.state.log_history if "loss" in row]
    kept = ("loss", "grad_norm", "reward", "kl", "entropy", "completions/mean_length")
    return [{k: row[k] for k in kept if k in row} for row in rows], flat(trainer.model)


def flat(model):
    return torch.cat([value.detach().flatten() for _, value in sorted(model.named_parameters())])


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["grpo.loss=grpo", "grpo.scale_rewards=none", "grpo.epsilon=0.1"],
        ["grpo.iterations=2", "train.per_device=8", "grpo.loss=cispo", "grpo.epsilon_high=5.0"],
        ["grpo.loss=sapo", "grpo.ratio=sequence"],
    ],
    ids=["dapo", "grpo", "cispo, two updates, two micro-batches", "sapo by answer"],
)
@pytest.mark.parametrize("share", [False, True])
def test_the_trainer_computes_what_stock_trl_computes(tmp_path, more, share):
    """The same start, photos, draws and rewards: stock GRPOTrainer against ours, two steps."""
    places = write_places(tmp_path)
    settings = [*SMALL, "task=sft", f"data.places={places}", f"output={tmp_path / 'sft'}"]
    sizes = ["train.batch=16", "train.per_device=16"]
    taught = sft.train(load(None, [*settings, *sizes, "max_steps=40", "learning_rate=1e-2"]))
    sizes += ["train.max_steps=2", "train.logging_steps=1", "grpo.generations=4"]
    given = [f"model.name={taught}", "learning_rate=1e-3", "grpo.max_tokens=24", "task=grpo"]
    given += [f"grpo.share_prompts={str(share).lower()}", f"output={tmp_path / 'out'}"]
    run = load(None, [*settings, *sizes, *given, *more])
    parts = data.trainer_inputs(run, completions=False)
    stock = GRPOTrainer(
        args=module.arguments(run, parts["processing_class"]),
        reward_funcs=[rewards.geo_r],
        **parts,
    )
    start = flat(stock.model).clone()
    logged, end = step(stock)
    mine, ended = step(grpo.build(run))
    assert len(logged) == len(mine) == 2
    for row, other in zip(mine, logged, strict=True):
        assert row == pytest.approx(other, rel=1e-4, abs=1e-6)
    assert math.dist(end, start) > 1e-3
    assert math.dist(end, ended) < 1e-3 * math.dist(end, start)
