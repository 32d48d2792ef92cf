"""What is compared at the first batch: the pictures and prompts here with those of vLLM.

TRL hands vLLM the expanded prompt and the picture as it was read (trl #6401, #6294). If vLLM's
processor makes another number of tokens of the picture, answers are sampled from one prompt and
scored under another, without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from georl.config import ConfigError


def check_images(
    prompts: Sequence[Sequence[int]],
    images: Sequence[Sequence[Any] | None],
    grid: Any,
    processor: Any,
    uncapped: Any | None,
) -> None:
    """Refuse prompts whose image tokens are not those of their pictures.

    Parameters
    ----------
    prompts
        Token ids, shape (n,) of lists.
    images
        The pictures of each prompt.
    grid
        (m, 3): time, height and width in patches of all pictures in turn.
    processor
        That of the run.
    uncapped
        The processor as vLLM loads it, without the bounds of ``model``; None without vLLM.

    Raises
    ------
    ConfigError
        With the prompt, both counts, and what to set.
    """
    merged = processor.image_processor.merge_size**2
    tokens = [int(cells) // merged for cells in grid.prod(1)]
    at = 0
    for row, (ids, pictures) in enumerate(zip(prompts, images, strict=True)):
        shown = list(pictures or [])
        expected = sum(tokens[at : at + len(shown)])
        found = list(ids).count(processor.image_token_id)
        if found != expected:
            msg = (
                f"prompt {row} has {found} image tokens and its picture {expected} features; the "
                "chat template and the processor of model.name do not fit together"
            )
            raise ConfigError(msg)
        for picture, count in zip(shown, tokens[at : at + len(shown)], strict=True):
            _check_uncapped(picture, count, uncapped, merged)
        at += len(shown)


def check_lengths(prompts: Sequence[Sequence[int]], room: int) -> None:
    """Refuse prompts that leave no room for an answer in what vLLM was started with.

    Raises
    ------
    ConfigError
        With the longest prompt, the room and the field.
    """
    longest = max(map(len, prompts), default=0)
    if longest > room:
        msg = (
            f"a prompt has {longest} tokens and vLLM room for {room} beside the answer; raise "
            f"grpo.vllm_max_length by {longest - room} or more, or lower model.max_pixels"
        )
        raise ConfigError(msg)


def _check_uncapped(picture: Any, count: int, uncapped: Any | None, merged: int) -> None:
    if uncapped is None:
        return
    cells = uncapped.image_processor(images=[picture], return_tensors="pt")["image_grid_thw"]
    there = int(cells.prod()) // merged
    if there != count:
        msg = (
            f"vLLM would see {there} image tokens in a picture of {picture.width}x{picture.height} "
            f"where this run has {count}; write model.max_pixels and model.min_pixels into the "
            "model's preprocessor_config.json, or set grpo.vllm=off"
        )
        raise ConfigError(msg)


def compared(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Return vLLM's ``generate`` with the lengths of its prompts compared with those given.

    Raises
    ------
    ConfigError
        When called, for the first prompt that vLLM has longer or shorter.
    """

    def checked(prompts: Any, images: Any, num_generations: int, **options: Any) -> Any:
        out = generate(prompts, images, num_generations, **options)
        for row, (given, there) in enumerate(zip(prompts, out[0], strict=False)):
            if len(given) != len(there):
                msg = (
                    f"prompt {row} has {len(given)} tokens here and {len(there)} in vLLM, so its "
                    "answers would be scored under another prompt; set grpo.vllm=off, or install "
                    "the version of vLLM that pyproject.toml names"
                )
                raise ConfigError(msg)
        return out

    return checked
