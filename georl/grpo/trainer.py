r"""GRPO with geographic rewards.

For each photo the model writes G answers. Each answer earns a reward from the distance between
its coordinates and the truth (Geo-R Eq. 5 x 6, `georl.rewards`). An answer's advantage is its
reward relative to its group, (r - mean) / std: better than its siblings is pushed up, worse is
pushed down, through the probability ratio of each token, clipped near 1. No value network, no
labels beyond the coordinates. This is where geography enters: the reward, and the choice of
photos (`georl.grpo.groups`). Launch lines::

    one CPU        georl grpo configs/tiny-cpu.yaml
    one GPU        georl grpo configs/qwen2.5-vl-3b-1gpu-lora.yaml
    eight A100s    accelerate launch --config_file configs/accelerate/fsdp2.yaml -m georl.cli \
                     grpo configs/qwen2.5-vl-7b-8xa100.yaml

What differs from TRL's GRPOTrainer, each switchable, all off = stock:
- a photo and its prompt are encoded once for their whole group, and micro-batches hold whole
  groups, in the update too (grpo.share_prompts);
- groups whose answers all earn the same are dropped and replaced (groups.drop_equal, .tries);
- places that saturate are sampled less (curriculum.enabled);
- the KL reference is a copy of the model that the run starts from (TRL reads it anew by name,
  which after LoRA is the model before it, and on the hub another commit);
- answers are sampled without dropout, where model.lora_dropout asks for some in updates;
- photos have one size for processor and vLLM, and the first batch is compared;
- checkpoints are sealed with hashes, and a resumed run equals the uninterrupted one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor
from trl.trainer.grpo_config import GRPOConfig

from georl import data, held_out, models, plan, rewards
from georl.config import Config, replace
from georl.grpo import first_batch, reference, sharing
from georl.grpo.curriculum import Curriculum
from georl.grpo.groups import drop_and_replace, without_gaps
from georl.grpo.shared_trainer import SharedPromptsTrainer
from georl.run import ExactResume, RolloutLog, common_arguments, fit


def train(config: Config) -> Path:
    """Run GRPO and return the folder of the final model.

    Parameters
    ----------
    config
        A run with ``task: grpo``.

    Raises
    ------
    ConfigError, DataError
        Before the model is loaded, for everything that can be told by then.

    Examples
    --------
    >>> from georl.config import load
    >>> run = load("tiny-cpu", ["task=grpo", "model.name=runs/sft/final", "output=runs/grpo"])
    >>> train(run)  # doctest: +SKIP
    PosixPath('runs/grpo/final')
    """
    config = data.checked(config)
    trainer = build(config)
    held_out.attach(trainer, config)
    return fit(trainer, config)


def build(
    config: Config,
    kind: type[GeoGRPOTrainer] | None = None,
    *,
    reward_funcs: Sequence[rewards.RewardFunction | str] | None = None,
) -> GeoGRPOTrainer:
    """Return the trainer of a run, ready to train.

    Parameters
    ----------
    config
        The run, already checked.
    kind
        Another trainer class that stands on `GeoGRPOTrainer`.
    reward_funcs
        The rewards of this run in place of the configured ones: functions, also async ones, with
        TRL's signature ``f(completions, **columns) -> list of float or None``, or names as in
        ``rewards.weights``. One weighs what ``rewards.weights`` says of its name, else 1.

    Raises
    ------
    ConfigError, DataError
        For a reward that is not there, with the nearest one that is, and as in `train`.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load
    >>> folder = tempfile.TemporaryDirectory()
    >>> given = ["task=grpo", "data.rows=64", "train.batch=8", "per_device=8", "generations=4"]
    >>> trainer = build(load("tiny-cpu", [*given, f"output={folder.name}"]), reward_funcs=["geo_r"])
    >>> trainer.args.num_generations, len(trainer.train_dataset)  # trainer.train() starts it
    (4, 64)
    >>> folder.cleanup()
    """
    if reward_funcs is not None:
        chosen = rewards.bind_given(rewards, reward_funcs, config.rewards)
        config = dataclasses.replace(config, rewards=chosen.settings)
        bound = chosen.functions
    else:
        bound = rewards.bind_rewards(rewards, config.rewards)
    given = data.trainer_inputs(config, completions=False)
    return (kind or GeoGRPOTrainer)(
        settings=config,
        reward_funcs=bound,
        args=arguments(config, given["processing_class"]),
        **given,
    )


def arguments(config: Config, processor: Any) -> GRPOConfig:
    """Return TRL's arguments; everything whose default has changed between versions is set."""
    grpo = config.grpo
    return GRPOConfig(
        **common_arguments(config),
        num_generations=grpo.generations,
        max_completion_length=grpo.max_tokens,
        temperature=grpo.temperature,
        top_p=grpo.top_p,
        beta=grpo.beta,
        epsilon=grpo.epsilon,
        epsilon_high=grpo.epsilon_high,
        num_iterations=grpo.iterations,
        loss_type=grpo.loss,
        importance_sampling_level=grpo.ratio,
        disable_dropout=not config.model.lora_dropout,
        scale_rewards=grpo.scale_rewards,
        reward_weights=list(config.rewards.weights.values()),
        **_sampling(config, models.special_ids(processor)),
    )


FORBIDDEN = -100.0
"""Added to the logit of a token that vLLM must not sample; it takes no list of such tokens."""


def _sampling(config: Config, special: list[int]) -> dict[str, Any]:
    """Return where answers are sampled, and what keeps special tokens out of them."""
    grpo = config.grpo
    if grpo.vllm == "off":
        return {"generation_kwargs": {"suppress_tokens": special}}
    corrected = grpo.vllm_correction != "off"
    mode = grpo.vllm_correction if corrected else "token_truncate"
    return {
        "use_vllm": True,
        "vllm_mode": grpo.vllm,
        "vllm_gpu_memory_utilization": grpo.vllm_memory,
        "vllm_tensor_parallel_size": grpo.vllm_tensor_parallel,
        "vllm_max_model_length": plan.longest_row(config),
        "vllm_enable_sleep_mode": grpo.vllm == "colocate",
        "vllm_server_base_url": grpo.vllm_url,
        "vllm_importance_sampling_correction": corrected,
        "vllm_importance_sampling_mode": mode,
        "vllm_importance_sampling_clip_max": grpo.vllm_correction_cap,
        "generation_kwargs": {"logit_bias": dict.fromkeys(special, FORBIDDEN)},
    }


class GeoGRPOTrainer(ExactResume, SharedPromptsTrainer):
    """TRL's trainer with shared prompts, group handling and the curriculum; see the module."""

    def __init__(self, *, settings: Config, **options: Any) -> None:
        with reference.copied_from(options["model"]):
            super().__init__(**options)
        self.settings = settings
        self.curriculum = Curriculum(settings.curriculum, settings.seed)
        self.rollouts = RolloutLog(settings, self.reward_func_names)
        self.generated_tokens = 0
        self.share_prompts(settings.grpo.share_prompts)
        self._compared = False

    def _generate_single_turn(self, prompt_ids: Any, images: Any, fields: Any, *rest: Any) -> Any:
        if not self._compared:
            self._compare(prompt_ids, images, fields)
            self._compared = True
        return super()._generate_single_turn(prompt_ids, images, fields, *rest)

    def _compare(self, prompt_ids: Any, images: Any, fields: Any) -> None:
        """Look at the first batch as `georl.grpo.first_batch` says."""
        uncapped = None
        if self.use_vllm:
            own = replace(self.settings, model__max_pixels=None, model__min_pixels=None)
            uncapped = models.load_processor(own.model)
            room = plan.longest_row(self.settings) - self.settings.grpo.max_tokens
            first_batch.check_lengths(prompt_ids, room)
            engine: Any = self.vllm_generation
            engine.generate = first_batch.compared(engine.generate)
        if "image_grid_thw" not in fields:
            return
        rows = list(range(len(prompt_ids)))
        if self._share and self._group is not None:  # the features are those of unique prompts
            rows = sharing.unique(self._group.tolist())[0]
        first_batch.check_images(
            [prompt_ids[row] for row in rows],
            [images[row] for row in rows],
            torch.as_tensor(fields["image_grid_thw"]),
            self.processing_class,
            uncapped,
        )

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if not self._learns():
            return self._score(inputs)
        inputs = self.curriculum.choose(inputs, self)
        return drop_and_replace(self, inputs)

    def _learns(self) -> bool:
        """Return whether the answers are to learn from, and not to judge the model by."""
        model: Any = self.model
        return bool(model.training)

    def _score(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Sample answers to the rows, reward them and compare them within their group."""
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        return batch

    def _calculate_rewards(
        self, inputs: list[Any], prompts: list[Any], completions: list[Any], ids: list[Any]
    ) -> Tensor:
        per_function: Tensor = super()._calculate_rewards(inputs, prompts, completions, ids)
        if self._learns():
            per_function = without_gaps(per_function, self.settings.grpo.generations)
        self.generated_tokens += sum(map(len, ids))
        valid = rewards.valid(self.reward_funcs, self.settings.rewards, completions)
        self.rollouts.keep(self, inputs, completions, per_function, valid)
        mode = "train" if self._learns() else "eval"
        for name, share in rewards.chain_shares(gather_object(rewards.held(completions))).items():
            self._metrics[mode][name].append(share)
        return per_function
