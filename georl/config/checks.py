"""What a configuration alone can tell before a model is loaded: values that do not fit together.

A batch that does not divide, a save step inside a reused generation buffer, a hub model without
a pinned commit, a package that is not installed.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from geodata import answers
from georl.config.adapters import unpinned_base
from georl.config.bounds import out_of_bounds
from georl.config.launched import world_size
from georl.config.settings import Config
from georl.config.tree import ConfigError

EVAL_KM = (1, 25, 200, 750, 2500)

EVAL_SCORES = (*(f"accuracy_{km}km" for km in EVAL_KM), "median_km", "reward", "answered")
"""What held-out photos are scored by while a model trains."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)

TRACKERS = ("trackio", "tensorboard", "wandb")


def check(config: Config, processes: int | None = None) -> None:
    """Refuse what cannot run, with everything that the configuration alone can tell.

    Parameters
    ----------
    config
        The resolved configuration.
    processes
        By default `world_size`.

    Raises
    ------
    ConfigError
        With every problem found, one a line.

    Examples
    --------
    >>> from georl.config import load
    >>> check(load(None, ["task=grpo", "generations=8"]), processes=1)  # nothing to say
    >>> check(load(None, ["train.learning_rate=-1"]), processes=1)
    Traceback (most recent call last):
        ...
    georl.config.tree.ConfigError: train.learning_rate is -1.0; it must be above 0
    """
    problems = [p for p in _problems(config, processes or world_size()) if p]
    if problems:
        raise ConfigError("\n".join(problems))


def _problems(config: Config, world: int) -> Iterator[str | None]:
    train = config.train
    if train.processes and train.processes != world:
        sharded = train.strategy in ("fsdp", "deepspeed")
        how = "accelerate launch --num_processes" if sharded else "torchrun --nproc_per_node"
        yield (
            f"train.processes is {train.processes} but the launcher started {world}; start with "
            f"{how} {train.processes}"
        )
    if config.task != "predict":
        yield _divides(
            "train.batch", train.batch, "train.per_device x processes", train.per_device * world
        )
        yield from _of_held_out(config)
        yield from _of_hub(config)
        yield from _of_trackers(config)
    if config.data.stream:
        yield from _of_stream(config)
    if config.task == "grpo":
        yield from _of_grpo(config, train.batch // world)
        if config.grpo.vllm != "off":
            yield from _of_vllm(config, world)
    if config.task == "predict" and config.predict.url is None and config.model.name == "tiny":
        yield "predict needs model.name (a folder or a hub name) or predict.url"
    if config.task == "predict" and config.predict.url is not None:
        asked = config.predict
        yield from server_problems("predict", str(asked.url), asked.key_variable, asked.timeout_s)
    yield _pinned(config)
    yield from _of_levels(config.data.levels)
    yield from out_of_bounds(config)


def _of_held_out(config: Config) -> Iterator[str]:
    """Yield what does not fit in the evaluation during training."""
    train, data = config.train, config.data
    named = [
        f"data.{name}" for name in ("eval_table", "eval_split") if getattr(data, name) is not None
    ]
    if not train.eval_steps and (named or train.best_metric):
        asked = [*named, *(["train.best_metric"] if train.best_metric else [])]
        yield f"{' and '.join(asked)} without train.eval_steps; set it, e.g. train.eval_steps=200"
    if train.best_metric is not None and train.best_metric not in EVAL_SCORES:
        near = difflib.get_close_matches(train.best_metric, EVAL_SCORES, 1, 0.0)[0]
        yield (
            f"train.best_metric is {train.best_metric!r}; did you mean {near}? It is one of "
            f"{', '.join(EVAL_SCORES)}"
        )
    if not train.eval_steps:
        return
    if not named:
        yield (
            f"train.eval_steps is {train.eval_steps} and no photos are held out; set "
            "data.eval_table, or data.split and data.eval_split"
        )
    if data.eval_table is None and data.eval_split is not None and data.split is None:
        yield "data.eval_split without data.split, so its rows would be trained on; set both"
    if train.eval_steps < 0 or data.eval_rows < 1:
        yield (
            f"train.eval_steps is {train.eval_steps} and data.eval_rows {data.eval_rows}; both "
            "must be above 0"
        )
    if train.strategy == "deepspeed":
        yield (
            f"train.eval_steps is {train.eval_steps} with train.strategy=deepspeed, under which "
            "answering while training was never tried; use train.strategy=fsdp, or set "
            "train.eval_steps=0 and answer with the checkpoints: georl predict"
        )


def _of_levels(levels: Sequence[str]) -> Iterator[str]:
    """Yield levels that no answer has: their names would be left out without a word."""
    for level in levels:
        if level not in answers.LEVELS:
            near = difflib.get_close_matches(level, answers.LEVELS, 1, 0.5)
            hint = f"did you mean {near[0]}? It" if near else "it"
            yield f"data.levels has {level!r}; {hint} is of {', '.join(answers.LEVELS)}"


def _of_stream(config: Config) -> Iterator[str]:
    """Yield what a stream of photos cannot do."""
    if config.task != "sft":
        yield (
            f"data.stream with task={config.task}, which asks for photos by their number: groups, "
            "curriculum and answers that go on; leave it out, WebDataset shards and Parquet are "
            "then read in place, or laid out once"
        )
    if config.data.table == "world":
        yield "data.stream with data.table=world, which has no shards; leave it out"
    if config.train.max_steps < 1:
        yield (
            "data.stream without train.max_steps: a stream has no end, so epochs do not tell when "
            "to stop; set train.max_steps to rows x epochs / train.batch"
        )


def _of_hub(config: Config) -> Iterator[str]:
    """Yield what the hub would refuse after the training."""
    names = {"train.push_to": config.train.push_to, "data.dataset": config.data.dataset}
    for field, name in names.items():
        if name is not None and not _HUB_NAME.fullmatch(name):
            yield f"{field} is {name!r}, no name on the hub; write owner/name"


def _of_trackers(config: Config) -> Iterator[str]:
    """Yield names that no tracker has: the trainer would know them, and fail on them, later."""
    for name in config.train.report_to:
        if name not in TRACKERS:
            near = difflib.get_close_matches(name, TRACKERS, 1, 0.5)
            hint = f"did you mean {near[0]}? There are" if near else "there are"
            yield f"train.report_to has {name!r}; {hint} {', '.join(TRACKERS)}, or [] for none"


def _of_grpo(config: Config, local: int) -> Iterator[str | None]:
    """Yield what does not fit in sampling and the update; ``local`` answers are a process's."""
    grpo, groups = config.grpo, config.groups
    yield _divides("train.batch", config.train.batch, "grpo.generations", grpo.generations)
    if groups.drop_equal or config.curriculum.enabled:
        yield _divides("answers per process", local, "grpo.generations", grpo.generations)
    if grpo.generations < 2:
        yield f"grpo.generations is {grpo.generations}; a group needs at least 2 answers"
    yield _torn(config, local)
    if groups.tries and not groups.drop_equal:
        yield "groups.tries needs groups.drop_equal=true, which says what is replaced"
    if min(config.train.save_steps, grpo.iterations) > 0:
        yield _aligned(config.train.save_steps, grpo.iterations)
    if grpo.loss == "luspo" and grpo.ratio != "sequence":
        yield "grpo.loss 'luspo' is a mean over answers; set grpo.ratio=sequence"
    if grpo.loss == "vespo" and grpo.ratio != "token":
        yield "grpo.loss 'vespo' weighs answers itself; set grpo.ratio=token"


def _torn(config: Config, local: int) -> str | None:
    """Refuse micro-batches that tear groups apart, so that prompts are hardly shared.

    Where a group lies over several processes, no size would keep it whole.
    """
    size, group = config.train.per_device, config.grpo.generations
    if not config.grpo.share_prompts or size < 1 or group < 2 or local % group or not size % group:
        return None
    fitting = [n for n in range(group, local + group, group) if local % n == 0]
    near = sorted(sorted(fitting, key=lambda n: abs(n - size))[:2])
    return (
        f"train.per_device is {size}, which tears groups of grpo.generations = {group} apart, and "
        f"prompts are shared inside a micro-batch; use {' or '.join(map(str, near))}, or set "
        "grpo.share_prompts=false"
    )


def _of_vllm(config: Config, world: int) -> Iterator[str]:
    grpo = config.grpo
    if grpo.vllm == "server" and not grpo.vllm_url:
        yield "grpo.vllm is 'server' but grpo.vllm_url is not set; give http://HOST:PORT"
    if 0 < grpo.top_p < 1.0:
        yield (
            f"grpo.top_p is {grpo.top_p} with vLLM, whose probabilities are then those of a cut "
            "distribution and bias the ratio; set grpo.top_p=1 or grpo.vllm=off"
        )
    if grpo.loss == "vespo" and grpo.vllm_correction.startswith("sequence"):
        yield (
            f"grpo.vllm_correction is {grpo.vllm_correction!r}, and grpo.loss 'vespo' needs it by "
            "token; set grpo.vllm_correction=token_truncate"
        )
    spread, room = grpo.vllm_tensor_parallel, grpo.vllm_max_length
    if spread < 1 or (grpo.vllm == "colocate" and world % spread):
        yield (
            f"grpo.vllm_tensor_parallel is {spread}; it must divide the {world} processes, on "
            "whose GPUs a colocated vLLM lies"
        )
    if room is not None and room <= grpo.max_tokens:
        yield (
            f"grpo.vllm_max_length is {room}, and an answer alone may have grpo.max_tokens = "
            f"{grpo.max_tokens}; leave it out to have it derived"
        )
    if not 0 < grpo.vllm_memory < 1:
        yield f"grpo.vllm_memory is {grpo.vllm_memory}; it is a share of a GPU, above 0, below 1"
    if not grpo.vllm_correction_cap > 0:
        yield f"grpo.vllm_correction_cap is {grpo.vllm_correction_cap}; it must be above 0"


def server_problems(where: str, url: str, variable: str | None, timeout_s: float) -> Iterator[str]:
    """Yield what no request should be sent with: it would carry a file or a secret away.

    Examples
    --------
    >>> next(server_problems("predict", "ftp://host", None, 1.0))
    "predict.url 'ftp://host' is no http or https URL, e.g. http://localhost:8000/v1"
    """
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https"):
        yield f"{where}.url {url!r} is no http or https URL, e.g. http://localhost:8000/v1"
    elif parts.username is not None or parts.query or parts.fragment:
        yield (
            f"{where}.url holds more than a host and a path; give the key by {where}.key_variable"
        )
    if variable and not re.fullmatch(r"([A-Z][A-Z0-9_]*_)?API_KEY", variable, re.ASCII):
        yield (
            f"{where}.key_variable is {variable!r}, and only variables named ..._API_KEY may be "
            "sent to a server; rename it, e.g. MY_API_KEY"
        )
    if not timeout_s > 0:
        yield f"{where}.timeout_s is {timeout_s}; it must be above 0"


def _divides(what: str, value: int, of: str, unit: int) -> str | None:
    if unit <= 0 or (value % unit == 0 and value >= unit):  # a unit of 0 is told by itself
        return None
    below = max(unit, value // unit * unit)
    return f"{what} is {value}, not a multiple of {of} = {unit}; use {below} or {below + unit}"


def _aligned(save_steps: int, period: int) -> str | None:
    """Refuse a checkpoint inside a generation buffer: the answers in it are not saved."""
    if save_steps % period == 0:
        return None
    near = max(period, round(save_steps / period) * period)
    return (
        f"train.save_steps is {save_steps}, inside a generation buffer that serves {period} "
        f"steps, so a resumed run would differ; use {near}"
    )


def _pinned(config: Config) -> str | None:
    name = config.model.name
    if config.predict.url is None and (below := unpinned_base(name)):
        return below
    local = name == "tiny" or Path(name).exists() or config.predict.url is not None
    if local or config.model.revision:
        return None
    return (
        f"model {name!r} is not a folder here, so it is a hub name, and model.revision is not "
        "set; pin the commit you want, e.g. model.revision=<40 hex digits>"
    )


def missing_package(config: Config) -> str | None:
    """Return what is not installed on this machine and how to get or avoid it, None if all is.

    Not part of `check`: a run is planned on one machine and started on another.
    """
    needed = [
        (name, f"pip install {name}, or take it out of train.report_to")
        for name in config.train.report_to
        if name in TRACKERS
    ]
    if config.model.attention == "flash_attention_2":
        needed.append(("flash_attn", "pip install flash-attn, or set model.attention=sdpa"))
    if config.task == "grpo" and config.grpo.vllm != "off":
        needed.append(("vllm", "pip install '.[vllm]' in the clone, or set grpo.vllm=off"))
    for name, remedy in needed:
        if not _installed(name):
            return f"this run needs {name}, which is not installed; {remedy}"
        if name == "vllm" and (other := _other_vllm()) is not None:
            return other
    return None


def _installed(name: str) -> bool:
    """Return whether a package is there; a bare folder of its name, as wandb leaves, is none."""
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None


VLLM = ((0, 22), (0, 32))
"""Versions that the installed TRL knows, as in pyproject.toml: from the first, below the second."""


def _other_vllm() -> str | None:
    """Return why the installed vLLM is not one that TRL can drive, None if it is."""
    try:
        version = importlib.metadata.version("vllm")
    except importlib.metadata.PackageNotFoundError:
        return None  # a build of one's own, without a record of its version
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", version)[:2])
    if VLLM[0] <= numbers < VLLM[1]:
        return None
    low, high = (".".join(map(str, bound)) for bound in VLLM)
    return (
        f"vllm {version} is installed, and TRL drives {low} up to below {high}; "
        f"pip install 'vllm>={low},<{high}', or set grpo.vllm=off"
    )
