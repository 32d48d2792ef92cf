"""How long a run takes, from the operations that it has to do; every assumption is told."""

from __future__ import annotations

from dataclasses import dataclass

from georl.config import Config
from georl.plan.cards import Card
from georl.plan.parts import tokens_of
from georl.plan.shapes import Shape
from georl.plan.sharing import positions

UTILISATION = 0.35
"""Share of a card's dense operations that training reaches; EasyR1 reports 0.2 for GRPO."""

SAMPLED_PER_SECOND, SAMPLED_BY = 1500.0, 8.3e9
"""Answer tokens a second that one card samples with vLLM, and the parameters of the model: 7B.

NeMo-RL reports 1,522 for 8B."""

WITHOUT_VLLM = 8.0
"""How many times slower transformers' own loop samples: an assumption."""


@dataclass(frozen=True)
class Work:
    """Tokens and seconds of a run."""

    steps: int
    rows: int
    trained_tokens: float
    sampled_tokens: float
    update_s: float
    sampling_s: float

    @property
    def hours(self) -> float:
        """Hours of wall time, sampling and update one behind the other."""
        return (self.update_s + self.sampling_s) / 3600.0


def work(config: Config, shape: Shape, card: Card, rows: int | None = None) -> Work | None:
    """Return what a run has to do, None where neither its steps nor its rows are known.

    Parameters
    ----------
    config, shape, card
        The run, the model's sizes, the card that each process has.
    rows
        Rows of the training table; needed where ``train.max_steps`` is not set.

    Notes
    -----
    An update costs 6 operations a parameter and token (Kaplan et al. 2020, arXiv 2001.08361): 2
    forward, 2 for gradients of activations, 2 for those of weights, which LoRA has next to none
    of. It costs 2 more where activations are made again. Each pass over the answers of a draw that
    makes no gradients costs 2: the reference's with ``grpo.beta``, and the policy's own, which
    TRL leaves out where every draw is updated on at once and by the weights that sampled it.
    Images are counted as their tokens in the language model; the vision tower sees four patches
    for one.
    A prompt that a group shares is counted as often as it is laid out (`georl.plan.positions`).
    Answers serve ``grpo.iterations`` steps and are sampled once for them.

    Examples
    --------
    >>> from georl.config import load
    >>> from georl.plan import CARDS, KNOWN
    >>> run = load(None, ["name=7B", "max_pixels=401408", "processes=8", "strategy=fsdp",
    ...                   "train.batch=64",
    ...                   "dtype=bfloat16", "gradient_checkpointing=true", "per_device=4"])
    >>> found = work(run, KNOWN["Qwen2.5-VL-7B"], CARDS["a100-80"], 500_000)
    >>> found.steps, round(found.hours, 1)
    (7812, 7.3)
    """
    group, served = 1, 1
    if config.task == "grpo":
        group, served = config.grpo.generations, max(config.grpo.iterations, 1)
    photos = config.train.batch / group
    steps = config.train.max_steps
    if steps < 0:
        if rows is None:
            return None
        steps = int(rows * config.train.epochs / photos) * served
    draws = -(-steps // served)
    size, answers = tokens_of(config), steps * config.train.batch
    read = size["image"] + size["prompt"]
    whole = float(answers * (read + size["answer"]))
    if together := positions(config, shape):
        whole = answers / group * together.shared
    world = max(config.train.processes, 1)
    sampled = float(draws * config.train.batch * size["answer"]) if config.task == "grpo" else 0.0
    slower = 1.0 if config.grpo.vllm != "off" else WITHOUT_VLLM
    return Work(
        steps=steps,
        rows=int(draws * photos),
        trained_tokens=whole,
        sampled_tokens=sampled,
        update_s=whole
        * (_update_operations(config) + 2.0 * _passes(config) * draws / max(steps, 1))
        * shape.parameters
        / (UTILISATION * card.flops * world),
        sampling_s=sampled * slower * shape.parameters / (SAMPLED_PER_SECOND * SAMPLED_BY * world),
    )


def _update_operations(config: Config) -> float:
    """Return the operations of an update, a parameter and token."""
    gradients = 2.0 if config.model.lora_rank else 4.0
    return 2.0 + gradients + (2.0 if config.model.gradient_checkpointing else 0.0)


def _passes(config: Config) -> int:
    """Return how often a draw is read without gradients."""
    grpo = config.grpo
    if config.task != "grpo":
        return 0
    is_corrected = grpo.vllm != "off" and grpo.vllm_correction != "off"
    return (grpo.iterations > 1 or is_corrected) + bool(grpo.beta)
