"""What we take from TRL: its settings, its private methods, and what it computes."""

import dataclasses
import inspect

import numpy as np
import pytest
import torch
from trl.generation import vllm_generation
from trl.trainer import grpo_trainer
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from georl import data, grpo, models, rewards, sft
from georl.config import load
from georl.grpo import trainer as module
from georl.run import ExactResume

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

OTHER = [  # (setting, TRL's argument, what it must then be)
    ("output=elsewhere", "output_dir", "elsewhere"),
    ("output=else/where", "run_name", "where"),
    ("output=elsewhere", "project", "georl"),
    ("train.per_device=12", "per_device_train_batch_size", 12),
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
    ("grpo.vllm=colocate grpo.vllm_tensor_parallel=2", "vllm_tensor_parallel_size", 2),
    ("grpo.vllm=colocate grpo.vllm_max_length=2222", "vllm_max_model_length", 2222),
    ("grpo.vllm=colocate grpo.max_tokens=100", "vllm_max_model_length", 4 + 1024 + 100),
]


@pytest.fixture(scope="module")
def processor():
    return models.load(load(None, SMALL).model, texts=["Where?"])[1]


BATCH = ["train.batch=24", "train.per_device=24"]


@pytest.mark.parametrize(("setting", "name", "expected"), [*OTHER, *GRPO_ONLY])
def test_every_setting_reaches_grpo(processor, setting, name, expected):
    given = [setting] if "{" in setting else setting.split(" ")
    run = load(None, ["task=grpo", *BATCH, *given])
    assert getattr(module.arguments(run, processor), name) == expected


@pytest.mark.parametrize(("setting", "name", "expected"), OTHER)
def test_every_setting_reaches_sft(setting, name, expected):
    run = load(None, ["task=sft", *BATCH, *setting.split(" ")])
    assert getattr(sft.arguments(run), name) == expected


UNTESTED = {"fp16", "save_total_limit", "remove_unused_columns", "use_cpu", "disable_tqdm"}
UNTESTED |= {"activation_checkpointing", "generation_kwargs"}
UNTESTED |= {f"vllm_importance_sampling_{name}" for name in ("correction", "mode", "clip_max")}
"""Set alike in every run, or tested in test_trainer."""


def test_no_argument_of_ours_is_without_a_case(processor, monkeypatch):
    given = set()
    monkeypatch.setattr(module, "GRPOConfig", lambda **options: given.update(options))
    for more in ([], ["grpo.vllm=colocate"]):
        module.arguments(load(None, ["task=grpo", *more]), processor)
    assert given <= {field.name for field in dataclasses.fields(GRPOConfig)}
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
    assert args.average_tokens_across_devices


# --- private methods ------------------------------------------------------------------------

REPLACED = {
    "_generate_and_score_completions": ["self", "inputs"],
    "_prepare_inputs": ["self", "generation_batch"],
    "_tokenize_prompts": ["self", "prompts"],
    "_generate_single_turn": [
        *("self", "prompt_ids", "images", "multimodal_fields", "num_generations"),
        "has_tool_images",
    ],
    "_compute_loss": ["self", "model", "inputs"],
    "_get_per_token_logps_and_entropies": [
        *("self", "model", "input_ids", "attention_mask", "logits_to_keep", "batch_size"),
        *("compute_entropy", "compute_aux_loss", "pixel_values", "image_grid_thw", "num_images"),
        *("pixel_attention_mask", "spatial_shapes", "num_tiles", "image_sizes"),
        *("token_type_ids", "mm_token_type_ids", "image_position_ids"),
    ],
    "_calculate_rewards": ["self", "inputs", "prompts", "completions", "completion_ids_list"],
    "_get_train_sampler": ["self", "dataset"],
    "_run_epoch": [
        *("self", "model", "epoch", "train_dataloader", "steps_in_epoch"),
        *("num_update_steps_per_epoch", "trial", "ignore_keys_for_eval", "start_time"),
        *("resume_from_checkpoint", "epochs_trained", "steps_trained_in_current_epoch"),
    ],
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
        if list(inspect.signature(getattr(GRPOTrainer, name)).parameters) != known
    }
    assert not changed, f"TRL changed what we replace: {changed}"
    assert issubclass(grpo.GeoGRPOTrainer, ExactResume)


def test_the_private_names_that_we_use_are_there():
    for name in ("create_model_from_path", "get_config_model_id", "add_fused_lm_head"):
        assert callable(getattr(grpo_trainer, name)), name
    source = inspect.getsource(GRPOTrainer.__init__)
    assert "self.ref_model = create_model_from_path(" in source
    cut = inspect.getsource(GRPOTrainer._prepare_inputs)
    assert "generation_batch = shuffle_sequence_dict(generation_batch)" in cut
    assert "split_tensor_dict(generation_batch, self.args.steps_per_generation)" in cut
    counted = inspect.getsource(SFTTrainer._get_num_items_in_batch)
    assert "self.model_accepts_loss_kwargs" in counted
    taken = inspect.getsource(SFTTrainer.compute_loss)
    assert "outputs.label_mask.sum() if num_items_in_batch is None" in taken
    part = vllm_generation.VLLMGeneration
    known = ["self", "prompts", "images", "num_generations", "profiler"]
    assert list(inspect.signature(part.generate).parameters) == known
    assert "self.vllm_generation.generate(" in inspect.getsource(GRPOTrainer._generate_single_turn)


# --- the same numbers -----------------------------------------------------------------------


class Given:
    """Answers that the number of the call decides, in place of sampled ones."""

    calls = 0

    def _generate_single_turn(self, prompt_ids, *_):
        self.calls += 1
        places = np.random.default_rng(self.calls).uniform(0, 40, (len(prompt_ids), 2))
        texts = [f"Northland ({lat:.1f}, {lon:.1f})" for lat, lon in places]
        end = self._tokenizer.eos_token_id
        return [[*self._tokenizer(text)["input_ids"][:22], end] for text in texts], None


class Stock(Given, GRPOTrainer):
    pass


class Ours(Given, grpo.GeoGRPOTrainer):
    pass


def step(trainer):
    """Train and return what was logged and the weights after it."""
    trainer.train()
    kept = ("loss", "grad_norm", "reward", "reward_std", "kl", "entropy", "clip_ratio/high_mean")
    rows = [row for row in trainer.state.log_history if "loss" in row]
    return [{k: row[k] for k in kept if k in row} for row in rows], flat(trainer.model)


def flat(model):
    return torch.cat([value.detach().flatten() for _, value in sorted(model.named_parameters())])


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("taught")
    settings = [*SMALL, "task=sft", f"data.places={write_places(folder)}", f"output={folder}"]
    sizes = ["train.batch=16", "train.per_device=16", "max_steps=10", "learning_rate=1e-2"]
    return sft.train(load(None, [*settings, *sizes]))


@pytest.mark.parametrize(
    "more",
    [
        ["grpo.beta=0.1", "rewards.weights={geo_r: 0.7, format: 0.3}"],
        ["grpo.loss=grpo", "grpo.scale_rewards=none", "grpo.epsilon=0.01", "grpo.iterations=2"],
        ["grpo.iterations=2", "train.per_device=8", "grpo.loss=cispo", "grpo.epsilon_high=5.0"],
        ["grpo.loss=sapo", "grpo.ratio=sequence", "grpo.temperature=0.7"],
    ],
    ids=["dapo, KL", "grpo, two updates", "cispo, two micro-batches", "sapo by answer"],
)
@pytest.mark.parametrize("share", ["true", "false"])
def test_the_trainer_computes_what_stock_trl_computes(taught, tmp_path, more, share):
    """The same start, photos, answers and rewards: TRL's own trainer against ours."""
    run = load(
        None,
        [
            *SMALL,
            "task=grpo",
            f"model.name={taught}",
            f"data.places={write_places(tmp_path)}",
            f"output={tmp_path / 'out'}",
            f"grpo.share_prompts={share}",
            *("train.batch=16", "train.per_device=16", "max_steps=4", "train.logging_steps=1"),
            *("grpo.generations=4", "grpo.max_tokens=24", "learning_rate=1e-3"),
            *more,
        ],
    )
    parts = data.trainer_inputs(run, completions=False)
    args = module.arguments(run, parts["processing_class"])
    functions = [getattr(rewards, name) for name in run.rewards.weights]
    stock = Stock(args=args, reward_funcs=functions, **parts)
    start = flat(stock.model).clone()
    logged, end = step(stock)
    mine, ended = step(grpo.build(run, Ours))
    assert len(logged) == len(mine) == 4
    for row, other in zip(mine, logged, strict=True):
        assert row == pytest.approx(other, rel=1e-3, abs=1e-6)
    way = float(torch.dist(end, start))
    assert way > 1e-2
    assert float(torch.dist(end, ended)) < 1e-3 * way


def test_what_is_not_said_is_what_trl_does():
    stock = {one.name: one.default for one in dataclasses.fields(GRPOConfig)}
    ours = load(None, [])
    same = {
        "num_generations": ours.grpo.generations,
        "temperature": ours.grpo.temperature,
        "top_p": ours.grpo.top_p,
        "beta": ours.grpo.beta,
        "epsilon": ours.grpo.epsilon,
        "epsilon_high": ours.grpo.epsilon_high,
        "num_iterations": ours.grpo.iterations,
        "loss_type": ours.grpo.loss,
        "importance_sampling_level": ours.grpo.ratio,
        "scale_rewards": ours.grpo.scale_rewards,
        "vllm_gpu_memory_utilization": ours.grpo.vllm_memory,
        "vllm_tensor_parallel_size": ours.grpo.vllm_tensor_parallel,
        "weight_decay": ours.train.weight_decay,
        "adam_beta2": ours.train.adam_beta2,
        "max_grad_norm": ours.train.max_grad_norm,
        "warmup_steps": ours.train.warmup_steps,
        "max_steps": ours.train.max_steps,
    }
    assert {name: stock[name] for name in same} == same
