"""Numbers of a configuration that lie outside what they can mean, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from georl.config.settings import Config, ModelConfig, TrainConfig

ABOVE_ZERO = (
    *("train.learning_rate", "train.per_device", "train.logging_steps"),
    *("grpo.temperature", "grpo.iterations", "grpo.max_tokens"),
    *("curriculum.radius_km", "curriculum.budget"),
    *("predict.concurrency", "predict.batch", "predict.max_tokens"),
    *("model.lora_alpha", "model.min_pixels", "model.max_pixels", "data.rows"),
)

NOT_BELOW_ZERO = (
    *("train.epochs", "train.save_steps", "train.warmup_steps", "train.max_grad_norm"),
    *("train.workers", "model.lora_rank", "data.decimals", "data.round_degrees", "grpo.beta"),
    *("grpo.epsilon", "groups.tries"),
    *("predict.retries", "predict.requests_per_second", "predict.temperature"),
    *("seed", "train.weight_decay", "data.limit"),
    *("grpo.rollout_samples", "grpo.epsilon_high", "groups.epsilon"),
)

SHARES_BELOW_1 = ("model.lora_dropout", "train.adam_beta2")

HEAD_PARTS = 16
"""The width of the tiny model is cut into four heads, and each of these into four."""


def out_of_bounds(config: Config) -> Iterator[str]:
    """Yield what is said of each number that cannot be meant.

    Examples
    --------
    >>> from georl.config import load
    >>> list(out_of_bounds(load(None, ["train.save_steps=-1"])))
    ['train.save_steps is -1; it must be 0 or above']
    """
    names = (*ABOVE_ZERO, *NOT_BELOW_ZERO, *SHARES_BELOW_1)
    found = {name: value for name in names if (value := attrgetter(name)(config)) is not None}
    for name, value in found.items():
        if name in ABOVE_ZERO and not value > 0:
            yield f"{name} is {value}; it must be above 0"
        if name in NOT_BELOW_ZERO and not value >= 0:
            yield f"{name} is {value}; it must be 0 or above"
        if name in SHARES_BELOW_1 and not 0 <= value < 1:
            yield f"{name} is {value}; it is a share in [0, 1)"
    yield from _of_model(config.model)
    if config.task != "predict" and not config.data.stream:  # which has no end but steps
        yield from _of_the_end(config.train)
    if not 0 <= config.curriculum.keep <= 1:
        yield f"curriculum.keep is {config.curriculum.keep}; it is a share in [0, 1]"
    if not 0 < config.grpo.top_p <= 1:
        yield f"grpo.top_p is {config.grpo.top_p}; it is a share above 0, at most 1"


def _of_the_end(train: TrainConfig) -> Iterator[str]:
    """Yield ends with which nothing would be trained, and a model be left."""
    steps = train.max_steps
    if steps == 0 or steps < -1:
        yield f"train.max_steps is {steps}; it must be above 0, or -1: train.epochs decides then"
    elif steps < 0 and train.epochs == 0:
        yield "train.epochs is 0 and train.max_steps -1: nothing would be trained; set one of them"


def _of_model(model: ModelConfig) -> Iterator[str]:
    """Yield sizes that do not fit together."""
    least, most = model.min_pixels, model.max_pixels
    if least is not None and most is not None and least > most:
        yield (
            f"model.min_pixels is {least} and model.max_pixels {most}; the first must not be the "
            "larger one"
        )
    if model.name == "tiny" and (model.hidden < 1 or model.hidden % HEAD_PARTS):
        width = f"the tiny model's width is a multiple of {HEAD_PARTS}"
        yield f"model.hidden is {model.hidden}; {width}"
