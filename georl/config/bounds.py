"""Numbers of a configuration that lie outside what they can mean, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from georl.config.settings import Config

ABOVE_ZERO = (
    *("train.learning_rate", "train.per_device", "train.logging_steps"),
    *("grpo.temperature", "grpo.iterations", "grpo.max_tokens"),
    *("curriculum.radius_km", "curriculum.budget"),
    *("predict.concurrency", "predict.batch", "predict.max_tokens"),
)

NOT_BELOW_ZERO = (
    *("train.epochs", "train.save_steps", "train.warmup_steps", "train.max_grad_norm"),
    *("train.workers", "model.lora_rank", "data.decimals", "data.round_degrees", "grpo.beta"),
    *("grpo.epsilon", "groups.tries"),
    *("predict.retries", "predict.requests_per_second", "predict.temperature"),
)


def out_of_bounds(config: Config) -> Iterator[str]:
    """Yield what is said of each number that cannot be meant.

    Examples
    --------
    >>> from georl.config import load
    >>> list(out_of_bounds(load(None, ["train.save_steps=-1"])))
    ['train.save_steps is -1; it must be 0 or above']
    """
    for name in ABOVE_ZERO:
        if not attrgetter(name)(config) > 0:
            yield f"{name} is {attrgetter(name)(config)}; it must be above 0"
    for name in NOT_BELOW_ZERO:
        if not attrgetter(name)(config) >= 0:
            yield f"{name} is {attrgetter(name)(config)}; it must be 0 or above"
    if not 0 <= config.curriculum.keep <= 1:
        yield f"curriculum.keep is {config.curriculum.keep}; it is a share in [0, 1]"
    if not 0 < config.grpo.top_p <= 1:
        yield f"grpo.top_p is {config.grpo.top_p}; it is a share above 0, at most 1"
