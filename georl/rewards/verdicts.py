"""Judges that answer yes or no: behind a server, or loaded here and asked in batches."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from PIL import Image

from geodata.images import upright_rgb
from georl.config import ModelConfig
from georl.endpoints import Endpoint, EndpointError, Pace, picture

TOP = 20
"""First tokens whose probabilities are asked for."""

Shown = tuple[Image.Image | bytes, str]
"""A photo and the question about it."""

Verdict = float | EndpointError
"""p(yes) / (p(yes) + p(no)), or why there is none."""

Judge = Callable[[Sequence[Shown]], list[Verdict]]
"""Photos and questions -> the verdict on each."""

TOGETHER = 16
"""Questions in one pass of a model that is loaded here."""


def verdict(chances: Mapping[str, float]) -> float:
    """Return p(yes) / (p(yes) + p(no)) of the likeliest first tokens.

    Raises
    ------
    EndpointError
        Where neither word is among them: the model is no judge.

    Examples
    --------
    >>> verdict({"Yes": 0.5, " yes": 0.1, "no": 0.2, "The": 0.2}) == 0.6 / 0.8
    True
    """
    found = Counter[str]()
    for token, chance in chances.items():
        found[token.strip(" \t\n.▁Ġ\"'").casefold()] += chance  # type: ignore[assignment]
    yes, no = float(found["yes"]), float(found["no"])
    if yes + no <= 0.0:
        msg = f"the judge answers neither yes nor no; its first tokens are {list(chances)[:5]}"
        raise EndpointError(msg)
    return yes / (yes + no)


def behind(server: Endpoint, pace: Pace, concurrency: int) -> Judge:
    """Return the judge behind a server, asked about so many rows at a time."""

    def one(row: Shown) -> Verdict:
        image, question = row
        asked = [picture(image), {"type": "text", "text": question}]
        chat = [{"role": "user", "content": asked}]
        try:
            return verdict(server.chat(chat, max_tokens=1, top_logprobs=TOP, pace=pace).first)
        except EndpointError as error:
            return error

    def judge(rows: Sequence[Shown]) -> list[Verdict]:
        with ThreadPoolExecutor(concurrency) as pool:
            return list(pool.map(one, rows))

    return judge


def loaded_here(name: str) -> Judge:
    """Return the judge of a folder, loaded when it is first asked."""

    def judge(rows: Sequence[Shown]) -> list[Verdict]:
        starts = range(0, len(rows), TOGETHER)
        return [said for at in starts for said in _pass(name, rows[at : at + TOGETHER])]

    return judge


def _pass(name: str, rows: Sequence[Shown]) -> list[Verdict]:
    """Return the verdicts of a model that is loaded here, in one forward pass."""
    import torch

    model, processor = _loaded(name)
    chats = [
        [{"type": "image", "image": rgb(image)}, {"type": "text", "text": question}]
        for image, question in rows
    ]
    given = processor.apply_chat_template(
        [[{"role": "user", "content": asked}] for asked in chats],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        processor_kwargs={"return_tensors": "pt", "padding": True, "padding_side": "left"},
    ).to(model.device)
    with torch.no_grad():
        chances = model(**given).logits[:, -1].float().softmax(-1)
    likely = chances.topk(min(TOP, chances.shape[-1]))
    decode = processor.tokenizer.decode
    pairs = zip(likely.indices.tolist(), likely.values.tolist(), strict=True)
    return [_read(decode, ids, values) for ids, values in pairs]


def _read(decode: Callable[[list[int]], str], ids: list[int], values: list[float]) -> Verdict:
    words: dict[str, float] = {}
    for token, chance in zip(ids, values, strict=True):
        word = decode([token])
        words[word] = words.get(word, 0.0) + chance
    try:
        return verdict(words)
    except EndpointError as error:
        return error


@lru_cache(maxsize=2)
def _loaded(name: str) -> Any:
    import torch

    from georl import models

    model: Any
    model, processor = models.load(ModelConfig(name=name))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device).eval(), processor


def rgb(image: Image.Image | bytes) -> Image.Image:
    """Return an image, or the bytes of one, as RGB and upright."""
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    return upright_rgb(opened)
