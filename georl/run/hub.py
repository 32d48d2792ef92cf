"""Send a final model to the Hugging Face hub, only where the run asks for it.

The model goes with a card that names the model it starts from, the data, and the last scores on
held-out photos. Nothing else of the output folder is sent: no checkpoint, no rollout, no log.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import HfApi, get_token

from geodata.files import write_text
from georl.config import Config, ConfigError
from georl.run.record import METRICS, JsonLines

CARD = "README.md"


def no_token(config: Config) -> str | None:
    """Return why the model could not be sent once it is trained, None if nothing is known."""
    if config.train.push_to is None or get_token() is not None:
        return None
    return (
        f"train.push_to is {config.train.push_to!r} and there is no token for the hub; run hf auth "
        "login, or set HF_TOKEN, or leave train.push_to out"
    )


def card(config: Config, scores: dict[str, float]) -> str:
    """Return the model card, Markdown under YAML.

    Parameters
    ----------
    config
        The run.
    scores
        The last ``eval_...`` scores; none leaves them out.

    Examples
    --------
    >>> from georl.config import load
    >>> text = card(load(None, ["train.push_to=me/model", "data.dataset=me/photos"]), {})
    >>> text.splitlines()[1:4]
    ['library_name: transformers', 'pipeline_tag: image-text-to-text', 'tags:']
    """
    about: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["image-geolocalization", config.task],
    }
    base, is_hub = config.model.name, not Path(config.model.name).exists()
    if is_hub and base != "tiny":
        about["base_model"] = base
    if config.data.dataset is not None:
        about["datasets"] = [config.data.dataset]
    start = "random weights" if base == "tiny" else f"`{base}`" if is_hub else "a local folder"
    if config.model.revision and is_hub:
        start += f" at commit `{config.model.revision}`"
    source = f"[{config.data.dataset}](https://huggingface.co/datasets/{config.data.dataset})"
    lines = [
        f"# {str(config.train.push_to).rpartition('/')[2]}",
        "",
        f"Says where a photo was taken. Trained by georl, `{config.task}`, from {start}.",
        "",
        f"Data: {source if config.data.dataset else 'not published'}.",
    ]
    if scores:
        rows = [f"| {name.removeprefix('eval_')} | {value:.4g} |" for name, value in scores.items()]
        lines += ["", "On held-out photos, after the last step:", "", "| score | value |"]
        lines += ["|---|---|", *rows]
    return f"---\n{yaml.safe_dump(about, sort_keys=False)}---\n\n" + "\n".join(lines) + "\n"


def add_card(config: Config, folder: Path) -> None:
    """Write the card into a model that will be sent; nothing where none is."""
    if config.train.push_to is not None:
        write_text(folder / CARD, card(config, last_scores(Path(config.output))))


def last_scores(output: Path) -> dict[str, float]:
    """Return the scores of the last evaluation on held-out photos, none without one."""
    rows = [r for r in JsonLines(output / METRICS).read() if "eval_median_km" in r]
    last = rows[-1] if rows else {}
    return {k: v for k, v in last.items() if k.startswith("eval_") and v is not None}


def push(config: Config, folder: Path) -> str | None:
    """Send the final model, and return its address; None where none is asked for.

    The hub is that of the environment variable ``HF_ENDPOINT``, by default huggingface.co.

    Raises
    ------
    ConfigError
        If the hub refuses or is not there; the model stays in its folder.
    """
    name = config.train.push_to
    if name is None:
        return None
    hub = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    try:
        hub.create_repo(name, private=True, exist_ok=True)
        sent = hub.upload_folder(
            repo_id=name, folder_path=folder, commit_message="Trained by georl"
        )
    except Exception as error:  # the client's own, and those of the network library below it
        first = str(error).partition("\n")[0] or type(error).__name__
        msg = (
            f"the model is in {folder} and could not be sent to {name}: {first}; send it with hf "
            f"upload {name} {folder}"
        )
        raise ConfigError(msg) from error
    return str(sent.commit_url)
