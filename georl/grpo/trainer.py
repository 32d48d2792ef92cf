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
- a photo and its prompt are encoded once for their whole group (grpo.share_prompts);
- groups whose answers all earn the same are dropped and replaced (groups.drop_equal, .tries);
- places that saturate are sampled less (curriculum.enabled);
- checkpoints are sealed with hashes, and a resumed run equals the uninterrupted one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor
from trl.trainer.grpo_config import GRPOConfig

from georl import data, models, rewards
from georl.config import Config
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
    """
    config = data.checked(config)
    return fit(build(config), config)


def build(config: Config, kind: type[GeoGRPOTrainer] | None = None) -> GeoGRPOTrainer:
    """Return the trainer of a run, ready to train.

    Parameters
    ----------
    config
        The run, already checked.
    kind
        Another trainer class that stands on `GeoGRPOTrainer`.

    Raises
    ------
    ConfigError, DataError
        For a reward that `georl.rewards` does not have, with the nearest one that it has, and
        as in `train`.
    """
    reward_funcs = rewards.bind_rewards(rewards, config.rewards)
    given = data.trainer_inputs(config, completions=False)
    return (kind or GeoGRPOTrainer)(
        settings=config,
        reward_funcs=reward_funcs,
        args=arguments(config, given["processing_class"]),
        **given,
    )


def arguments(config: Config, processor: Any) -> GRPOConfig:
    """Return TRL's arguments; everything whose default has changed between versions is set."""
    grpo = config.grpo
    vllm: dict[str, Any] = {}
    if grpo.vllm != "off":
        vllm = {
            "use_vllm": True,
            "vllm_mode": grpo.vllm,
            "vllm_gpu_memory_utilization": grpo.vllm_memory,
            "vllm_enable_sleep_mode": grpo.vllm == "colocate",
            "vllm_server_base_url": grpo.vllm_url,
        }
    else:
        vllm = {"generation_kwargs": {"suppress_tokens": models.special_ids(processor)}}
    return GRPOConfig(
        **common_arguments(config),
        num_generations=grpo.generations,
        max_completion_length=grpo.max_tokens,
        temperature=grpo.temperature,
        top_p=grpo.top_p,
        beta=grpo.beta,
        epsilon=grpo.epsilon,
        num_iterations=grpo.iterations,
        loss_type=grpo.loss,
        scale_rewards=grpo.scale_rewards,
        reward_weights=list(config.rewards.weights.values()),
        **vllm,
    )


class GeoGRPOTrainer(ExactResume, SharedPromptsTrainer):
    """TRL's trainer with shared prompts, group handling and the curriculum; see the module."""

    def __init__(self, *, settings: Config, **options: Any) -> None:
        super().__init__(**options)
        self.settings = settings
        self.curriculum = Curriculum(settings.curriculum, settings.seed)
        self.rollouts = RolloutLog(settings, self.reward_func_names)
        self.generated_tokens = 0
        self.share_prompts(settings.grpo.share_prompts)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if self.model is not None and not self.model.training:
            return self._score(inputs)
        inputs = self.curriculum.choose(inputs, self)
        return drop_and_replace(self, inputs)

    def _score(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Sample answers to the rows, reward them and compare them within their group."""
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        return batch

    def _calculate_rewards(
        self, inputs: list[Any], prompts: list[Any], completions: list[Any], ids: list[Any]
    ) -> Tensor:
        per_function: Tensor = super()._calculate_rewards(inputs, prompts, completions, ids)
        if self.model is None or self.model.training:
            per_function = without_gaps(per_function, self.settings.grpo.generations)
        self.generated_tokens += sum(map(len, ids))
        self.rollouts.keep(self, inputs, completions, per_function)
        return per_function
