"""One run is one frozen configuration: a YAML file, then ``key=value`` overrides.

An unknown key is refused with the nearest valid name, a value of the wrong type with the right
one; `georl.config.checks` looks at what fits together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ModelConfig:
    """Which model, and how it is held in memory."""

    name: str = "tiny"
    """'tiny' (random weights), a folder, or a hub name such as Qwen/Qwen2.5-VL-7B-Instruct."""
    revision: str | None = None
    """Commit of a hub model; a hub name without one is refused."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    gradient_checkpointing: bool = False
    freeze_vision: bool = False
    """Keep the vision tower as it is; only the language model learns."""
    lora_rank: int = 0
    """0 trains every parameter; otherwise LoRA on the linear layers of the language model."""
    lora_alpha: int = 64
    lora_dropout: float | None = None
    """None is 0.05 in SFT and 0 in GRPO, where answers are sampled without dropout too."""
    min_pixels: int | None = None
    max_pixels: int | None = None
    """Cap on an image's pixels after resizing, hence on its tokens (28x28 pixels a token). Photos
    are resized where they are read, so that vLLM and servers see what the processor sees."""
    hidden: int = 96
    """Width of the tiny model, a multiple of 16; the other fields of this block do not touch it."""
    layers: int = 4
    vision_layers: int = 2


@dataclass(frozen=True)
class DataConfig:
    """Which photos, and what the model is asked and shown to answer."""

    table: str = "world"
    """'world' (crops of Blue Marble); a CSV, TSV, JSONL or Parquet file of photos, or a folder of
    such files; the folder of a table in a lake; WebDataset shards (a ``.tar``, or a folder of
    them), whose pictures are read in place; or records of ``geodata records`` (Parquet, a
    folder of shards, LLaVA-style JSON). Records bring their own messages, and ``prompt``,
    ``question``, ``levels``, ``decimals`` and ``round_degrees`` do not apply to them."""
    version: str | None = None
    """Number or tag of the version of a table in a lake; by default the newest when the run
    starts, which the run then keeps: it is resumed on the same version or refused."""
    split: str | None = None
    """Of a table with a column 'split': its rows to take, such as 'train', several with commas
    between, or 'all'. Such a table is refused without a choice."""
    where: str | None = None
    """Take only the rows for which this SQL condition is true, such as "country_code = 'JP'"."""
    image: str = "image"
    """Column with a path, a URL, ``archive.tar#member``, or the bytes of an image, or structs of
    bytes and path; 'images' in records."""
    image_root: str = "."
    """Folder that relative image paths start from. As it is by default: from the lake or folder
    that the table lies in, else from the current folder."""
    lat: str | None = None
    lon: str | None = None
    id: str | None = None
    """Column that names a photo; by default id, image_id or IMG_ID, else the row number."""
    limit: int | None = None
    """Take only the first rows, of those that ``split`` and ``where`` choose."""
    prompt: Literal["cor", "cot", "location"] = "cor"
    """Chain of Region, chain of thought, or coordinates only."""
    question: str | None = None
    """Ask exactly this instead; the tiny model is asked 'Where?' to save tokens."""
    levels: tuple[str, ...] = ("country", "admin1", "city")
    """Levels above the coordinates that a Chain-of-Region answer names."""
    decimals: int = 6
    """Decimals of the coordinates in a supervised answer."""
    round_degrees: float = 0.0
    """Round them to multiples of this before, to make a small model's task easier; 0 not."""
    skip_missing: bool = False
    """Go on without rows whose coordinates or image are missing, or whose image cannot be one,
    after listing them; else the run is refused."""
    cache: str | None = None
    """Folder where images that a table holds as bytes, and the messages of records, are laid out
    to be read in any order; by default 'cache' beside the run's output. Runs may share one; it
    can be deleted when none uses it."""
    stream: bool = False
    """For sft: read WebDataset shards, or Parquet with image bytes, in order as training goes, and
    lay nothing out. Shards come in another order each round, their rows as they lie, as ``geodata
    records`` shuffles them; ``train.workers`` processes decode. It needs ``train.max_steps``."""
    places: str | None = None
    """For 'world': a Parquet file with lat and lon to crop at, in place of random points."""
    rows: int = 20000
    """For 'world': how many random points on land."""
    dataset: str | None = None
    """The table's own name on the hub, 'owner/name', to be linked in the card of
    ``train.push_to``."""
    eval_table: str | None = None
    """Held-out photos that ``train.eval_steps`` asks for: a table as ``table``; where that is
    'world', 'world' for other random points, or a file of places. None is ``table`` itself, of
    which ``eval_split`` then chooses rows that ``split`` leaves out."""
    eval_split: str | None = None
    """Rows of the held-out table by its column 'split', such as 'val'."""
    eval_rows: int = 256
    """Take at most so many held-out photos, the first."""


@dataclass(frozen=True)
class TrainConfig:
    """The optimizer and the loop, shared by SFT and GRPO."""

    learning_rate: float = 1e-5
    batch: int = 64
    """Sequences in one optimizer step over all processes; in GRPO prompts x generations."""
    per_device: int = 64
    """Sequences that one process takes forward at once."""
    epochs: float = 1.0
    max_steps: int = -1
    """Stop after this many optimizer steps; -1 means ``epochs`` decides."""
    warmup_steps: int = 0
    schedule: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    max_grad_norm: float = 1.0
    logging_steps: int = 10
    save_steps: int = 0
    """Write a checkpoint every so many steps; 0 writes only the final one."""
    keep_checkpoints: int = 3
    eval_steps: int = 0
    """Answer the held-out photos every so many steps, and after the last, and log their scores as
    eval_accuracy_25km and so on; 0 never. Not with DeepSpeed."""
    best_metric: str | None = None
    """Keep the model with the best of these scores in the folder 'best': accuracy_1km,
    accuracy_25km, accuracy_200km, accuracy_750km, accuracy_2500km, median_km (of the answers with
    coordinates only), reward (Geo-R's) or answered. None keeps none but the last."""
    resume: bool = True
    """Go on from the newest verified checkpoint in the output folder, if there is one."""
    report_to: tuple[str, ...] = ()
    """Also log to 'trackio', 'tensorboard' or 'wandb'; the JSONL log is always written."""
    push_to: str | None = None
    """Repository of the Hugging Face hub, 'owner/name', that the final model goes to, with a card
    that says what it was trained on; made private where it is new. None pushes nothing."""
    workers: int = 0
    strategy: Literal["auto", "ddp", "fsdp", "deepspeed"] = "auto"
    """What the launcher must have set up; checked at start. 'auto' accepts what it finds."""
    processes: int = 0
    """World size that must be there at start; 0 accepts any."""


@dataclass(frozen=True)
class GrpoConfig:
    """Sampling and the policy update."""

    generations: int = 8
    """Answers per photo, the group size G."""
    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    """Below 1 only without vLLM, whose probabilities it would bias (trl #6789)."""
    beta: float = 0.0
    """Weight of the KL term against the starting model."""
    epsilon: float = 0.2
    epsilon_high: float | None = None
    """Upper bound of the clipped ratio, 1 + this; None is ``epsilon``. 'cispo' wants about 5."""
    iterations: int = 1
    """Updates on one set of answers."""
    loss: Literal["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"] = "dapo"
    ratio: Literal["token", "sequence"] = "token"
    """Whether the ratio to the sampling model is a token's or an answer's (GSPO; 'luspo')."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    vllm: Literal["off", "colocate", "server"] = "off"
    vllm_memory: float = 0.3
    """Share of a GPU that a colocated vLLM may take."""
    vllm_tensor_parallel: int = 1
    """GPUs that one vLLM is spread over; it must divide the processes of a colocated one."""
    vllm_max_length: int | None = None
    """Tokens of prompt, image and answer that vLLM keeps room for; None is the largest image that
    ``model.max_pixels`` lets through, the question and ``max_tokens``. The model's own limit
    (128,000) would need more memory than a shared card has left."""
    vllm_url: str | None = None
    vllm_correction: Literal[
        "token_truncate", "sequence_truncate", "token_mask", "sequence_mask", "off"
    ] = "token_truncate"
    """What is done where vLLM's probabilities differ from the trainer's: answers are weighed by
    the ratio of the two, cut off at ``vllm_correction_cap`` or masked beyond it, by token or by
    answer. The log has it as sampling/importance_sampling_ratio."""
    vllm_correction_cap: float = 2.0
    share_prompts: bool = True
    """Encode a photo and its prompt once for its whole group; False is stock TRL."""
    rollout_samples: int = 64
    """Answers of a logging step that go to rollouts.parquet; 0 writes none."""


@dataclass(frozen=True)
class GroupConfig:
    """What to do with groups that cannot teach: all answers earn the same reward."""

    drop_equal: bool = False
    """Leave such groups out of the update."""
    epsilon: float = 1e-6
    """A group is equal when max - min of its whole reward is below this."""
    drop_invalid: bool = True
    """With drop_equal: also drop groups in which no reward in use can read any answer."""
    tries: int = 0
    """How often dropped groups are replaced by answers to other photos; 0 never."""


@dataclass(frozen=True)
class CurriculumConfig:
    """Places whose groups saturate become popular regions and are sampled less."""

    enabled: bool = False
    radius_km: float = 200.0
    """Radius of the region around a saturated place; Geo-R excludes 200 km."""
    saturated: float = 0.9
    """A group saturates when its worst answer earns at least this much."""
    keep: float = 0.1
    """Share of the draws inside popular regions that stay."""
    budget: int = 50
    """How many other photos may be tried in place of one that falls in a popular region."""


@dataclass(frozen=True)
class RewardConfig:
    """Which rewards, how they are weighed, and the shape of Eq. 5."""

    weights: dict[str, float] = field(default_factory=lambda: {"geo_r": 1.0})
    """Name of a function in georl.rewards, or of one's own as 'package.module:function', -> its
    weight; weight 0 only logs it."""
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name of a reward -> keyword arguments, e.g. the knots of the distance reward."""
    preset: str | None = None
    """Weights of a work: geo-r, globe, globe-release, globe-readme, globe-two; ``weights`` beside
    it change single ones."""


@dataclass(frozen=True)
class PredictConfig:
    """Answering over a table, with a local model or an endpoint."""

    output: str = "predictions.parquet"
    url: str | None = None
    """Base URL of an OpenAI-compatible server, e.g. http://localhost:8000/v1."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the endpoint's key, named ..._API_KEY; unset sends none."""
    batch: int = 64
    concurrency: int = 16
    requests_per_second: float = 0.0
    """Upper bound on the request rate; 0 sets none."""
    retries: int = 4
    timeout_s: float = 120.0
    """From the first byte sent to the last received, of one request."""
    max_tokens: int = 256
    temperature: float = 0.0


@dataclass(frozen=True)
class Config:
    """A whole run."""

    task: Literal["sft", "grpo", "predict"] = "sft"
    output: str = "out"
    """Folder of the run: checkpoints, metrics.jsonl, curves.png, the final model."""
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    grpo: GrpoConfig = field(default_factory=GrpoConfig)
    rewards: RewardConfig = field(default_factory=RewardConfig)
    groups: GroupConfig = field(default_factory=GroupConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    predict: PredictConfig = field(default_factory=PredictConfig)
